//! The HTML report as a browser shows it, held against the pictures that are kept beside this file. `UPDATE=1` keeps new ones; look at them.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{Lab, run};

/// Pixels on a side of the squares whose mean colours are compared: fonts may be smoothed otherwise, but nothing may move or change colour.
const SQUARE: usize = 12;

#[test]
fn the_page_looks_as_it_did() {
    let Some(lab) = Lab::open("chromium") else { return };
    let page = report(&lab);
    let desktop = shown(&lab, &page, "desktop", (1100, 1500), "1");
    // Chromium's windows cannot be as narrow as a phone; its frames can.
    let frame = format!(
        r#"<body style="margin:0"><iframe src="{}" style="border:0;width:390px;height:1500px"></iframe>"#,
        page.display()
    );
    let phone = shown(&lab, &lab.write("phone.html", frame), "phone", (390, 1500), "0");
    for (name, picture) in [("desktop", desktop), ("phone", phone)] {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/e2e/page-{name}.png"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::copy(&picture, &kept).unwrap();
        }
        let different = difference(&kept, &picture);
        assert!(different < 0.02, "{name}: {different:.3} of the page differs; see {}", picture.display());
    }
}

/// A report of the samples that has findings, starts that go well, and a target that is not there.
fn report(lab: &Lab) -> PathBuf {
    let page = lab.path("page.html");
    let output = format!("html={}", page.display());
    let arguments =
        "check samples/carriage-return.tar samples/clean.tar samples/shop.tar no-such.tar -q --node arm64 --node amd64";
    let mut check = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    check.args(arguments.split(' ')).args(["--output", &output]).current_dir(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(crate::lab::output(&mut check).status.code(), Some(1));
    page
}

/// A picture of the page in a window of this size, in a light (1) or dark (0) scheme.
fn shown(lab: &Lab, page: &Path, name: &str, (width, height): (u32, u32), scheme: &str) -> PathBuf {
    let picture = lab.path(&format!("{name}.png"));
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1"]);
    chromium.args(["--allow-file-access-from-files", "--disable-lcd-text", "--font-render-hinting=none"]);
    chromium.arg(format!("--user-data-dir={}", lab.path("profile").display()));
    chromium.arg(format!("--blink-settings=preferredColorScheme={scheme}"));
    chromium.arg(format!("--window-size={},{height}", width.max(500)));
    chromium.arg(format!("--screenshot={}", picture.display())).arg(format!("file://{}", page.display()));
    run(&mut chromium);
    picture
}

/// Which part of the squares of two pictures differ visibly; all where their sizes do.
fn difference(kept: &Path, seen: &Path) -> f64 {
    let (kept, seen) = (squares(kept), squares(seen));
    if kept.len() != seen.len() {
        return 1.0;
    }
    let differ =
        |(one, other): &(&[f64; 3], &[f64; 3])| one.iter().zip(other.iter()).any(|(one, other)| (one - other).abs() > 12.0);
    kept.iter().zip(&seen).filter(differ).count() as f64 / kept.len() as f64
}

/// The mean colours of a picture's squares.
fn squares(picture: &Path) -> Vec<[f64; 3]> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(picture).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, samples) = (info.width as usize, info.color_type.samples());
    let across = width.div_ceil(SQUARE);
    let mut sums = vec![([0.0; 3], 0.0); across * (info.height as usize).div_ceil(SQUARE)];
    for (place, pixel) in pixels[..info.buffer_size()].chunks(samples).enumerate() {
        let (sum, count) = &mut sums[place / width / SQUARE * across + place % width / SQUARE];
        *count += 1.0;
        (0..3).for_each(|colour| sum[colour] += f64::from(pixel[colour]));
    }
    sums.into_iter().map(|(sum, count)| sum.map(|sum| sum / count)).collect()
}

#[test]
fn a_script_in_a_name_does_not_run() {
    let Some(lab) = Lab::open("chromium") else { return };
    let evil = lab.path("x<script>document.title='stolen'<!--.tar");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/shop.tar"), &evil).unwrap();
    let page = lab.path("evil.html");
    let mut check = Command::new(env!("CARGO_BIN_EXE_enoexec"));
    check.arg("check").arg(&evil).arg("--output").arg(format!("html={}", page.display()));
    crate::lab::output(&mut check);
    let mut chromium = Command::new("chromium");
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]);
    chromium.arg(format!("--user-data-dir={}", lab.path("profile").display())).arg(format!("file://{}", page.display()));
    let document = String::from_utf8(run(&mut chromium)).unwrap();
    assert!(document.contains("<title>enoexec: 1 error in 2 images</title>"), "{document}");
    assert!(!document.contains(r#"id="search" role="search" hidden"#), "the page's own script runs");
}
