//! Images in which nothing is wrong: a false alarm is a bug as bad as a miss.

use crate::image::{ARCHITECTURES, Image, programs_in, write_layout};
use crate::lab::Lab;
use crate::run::{check, check_with, inspect};

const NEEDS: &str = "apt-get, dpkg-deb and Debian packages of eight architectures";

/// A shell and its tools, a language, and a program on top.
const GROUPS: [&[&str]; 3] = [&["libc-bin", "dash", "bash", "coreutils", "perl-base"], &["python3-minimal"], &["jq"]];

fn python(architecture: &str) -> Image {
    Image::debian(architecture, &GROUPS).entrypoint(&["python3", "-c", "print(1)"])
}

#[test]
fn debian_runs_on_each_of_its_eight_architectures() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let images = ARCHITECTURES.map(|(architecture, _)| python(architecture));
    let run = check(write_layout(&lab, "debian", &images));
    assert_eq!(run.is_clean().images().len(), 8, "{}", run.shown());
    for (image, (_, platform)) in run.images().iter().zip(ARCHITECTURES) {
        assert_eq!(image["declared"], platform, "{}", run.shown());
        assert_eq!(image["nodes"][0]["hops"][0]["layer"], 1, "{}", run.shown());
    }
}

#[test]
fn every_program_of_debian_runs_on_its_own_architecture() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    for (architecture, _) in ARCHITECTURES {
        let image = python(architecture);
        let folders = ["usr/bin", "usr/sbin"];
        let programs: Vec<String> =
            image.layers().iter().flat_map(|layer| folders.iter().flat_map(|folder| programs_in(layer, folder))).collect();
        assert!(programs.len() > 100, "{programs:?}");
        let list = lab.write("programs", programs.join("\n"));
        let layout = image.write(&lab, architecture);
        let run = inspect(&["--exec-from", list.to_str().unwrap(), layout.to_str().unwrap()]);
        let predicted = run.images()[0]["exec"].as_array().unwrap();
        assert_eq!(predicted.len(), programs.len());
        let refused: Vec<_> = predicted.iter().filter(|exec| exec["outcome"] != "runs").collect();
        assert!(refused.is_empty(), "{architecture}: {refused:#?}");
    }
}

#[test]
fn each_node_pulls_its_own_manifest_of_an_index() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = write_layout(&lab, "index", &["amd64", "arm64", "armhf"].map(python));
    let layout = layout.to_str().unwrap();
    for (node, pulled) in [("amd64", 0), ("arm64", 1), ("linux/arm/v7", 2)] {
        let run = check_with(&["--node", node, layout]);
        assert_eq!(run.code, 0, "{}", run.shown());
        let selected: Vec<bool> = run.images().iter().map(|image| image["nodes"][0]["selected"] == true).collect();
        assert_eq!(selected.iter().position(|selected| *selected), Some(pulled), "{}", run.shown());
        assert_eq!(run.images()[pulled]["nodes"][0]["outcome"], "runs", "{}", run.shown());
    }
    let run = check_with(&["--node", "s390x", layout]);
    assert_eq!(run.code, 1, "{}", run.shown());
    run.finding("no-matching-manifest").is("error").says("s390x");
}

#[test]
fn an_amd64_image_fails_on_every_other_node() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layout = python("amd64").write(&lab, "amd64");
    for node in ["arm64", "linux/arm/v7", "s390x", "ppc64le", "riscv64", "386"] {
        let run = check_with(&["--node", node, layout.to_str().unwrap()]);
        assert_eq!(run.code, 1, "{node}: {}", run.shown());
    }
}
