//! Files of another machine that are not started: those that will be missed, and those that are data.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::image::{Image, Item, data, link, program, tree};
use crate::lab::{Lab, output, shell};
use crate::packages::{debian_file, npm, unpack, wheel};
use crate::run::{Run, check};

const NEEDS: &str = "apt-get, dpkg-deb, npm, pip and their packages";
const SITE: &str = "/usr/local/lib/python3.11/site-packages";

/// An amd64 image that runs, with one more layer.
fn with(lab: &Lab, step: &str, files: &[Item]) -> Run {
    let image = Image::debian("amd64", &[&["dash", "libc-bin", "coreutils"]]).entrypoint(&["/usr/bin/dash"]);
    check(image.copy(step, files).write(lab, "image"))
}

/// An amd64 image that runs, with more packages.
fn with_packages(lab: &Lab, names: &[&str]) -> Run {
    let groups: [&[&str]; 2] = [&["dash", "libc-bin", "coreutils"], names];
    check(Image::debian("amd64", &groups).entrypoint(&["/usr/bin/dash"]).write(lab, "image"))
}

fn modules(packages: &[&str]) -> Vec<Item> {
    let place = |package: &str| format!("/srv/node_modules/{}", package.rsplit_once('@').unwrap().0);
    packages.iter().flat_map(|package| tree(&place(package), &npm(package))).collect()
}

/// The start is not affected, and a warning names the file, its layer and its step.
fn missed(run: &Run, rule: &str, path: &str, step: &str) {
    assert_eq!(run.verdict()["outcome"], "runs", "{}", run.shown());
    run.finding(rule).is("warning").at(path).from(1, step).says("aarch64");
    assert_eq!(run.alarms().len(), 1, "{}", run.shown());
}

#[test]
fn a_wheel_of_another_machine_in_site_packages() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY --from=build /venv/lib /usr/local/lib";
    let run = with(&lab, step, &tree(SITE, &wheel("markupsafe==3.0.2", "manylinux2014_aarch64")));
    missed(&run, "foreign-library", &format!("{SITE}/markupsafe/_speedups.cpython-311-aarch64-linux-gnu.so"), step);
}

#[test]
fn the_libraries_that_a_wheel_of_another_machine_brings_along() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = with(&lab, "COPY site-packages", &tree(SITE, &wheel("psycopg2-binary==2.9.10", "manylinux2014_aarch64")));
    let libraries: Vec<_> = run.alarms().into_iter().filter(|finding| finding["name"] == "foreign-library").collect();
    let named = |part: &str| libraries.iter().any(|finding| finding.to_string().contains(part));
    assert!(named("psycopg2/_psycopg.cpython-311-aarch64-linux-gnu.so"), "{}", run.shown());
}

#[test]
fn a_module_of_another_machine_in_node_modules() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY node_modules /srv/node_modules";
    let run = with(&lab, step, &modules(&["@img/sharp-linux-arm64@0.34.1"]));
    missed(&run, "foreign-library", "/srv/node_modules/@img/sharp-linux-arm64/lib/sharp-linux-arm64.node", step);
}

#[test]
fn a_module_of_another_machine_that_was_built_in_place() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY node_modules /srv/node_modules";
    let module = fs::read(npm("@img/sharp-linux-arm64@0.34.1").join("lib/sharp-linux-arm64.node")).unwrap();
    let path = "/srv/node_modules/better-sqlite3/build/Release/better_sqlite3.node";
    let run = with(&lab, step, &[program(path, module), data("/srv/node_modules/better-sqlite3/package.json", "{}")]);
    missed(&run, "foreign-library", path, step);
}

#[test]
fn a_program_of_another_machine_on_path() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "RUN curl -Lo /usr/local/bin/kubectl https://dl.k8s.io/v1.33.0/bin/linux/arm64/kubectl";
    let run = with(&lab, step, &[program("/usr/local/bin/kubectl", debian_file("arm64", "coreutils", "bin/ls"))]);
    missed(&run, "foreign-executable", "/usr/local/bin/kubectl", step);
}

#[test]
fn what_was_installed_on_a_mac() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY node_modules /srv/node_modules";
    let mac = "@img/sharp-darwin-arm64@0.34.1";
    let run = with(&lab, step, &modules(&[mac]));
    let path = "/srv/node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node";
    run.finding("foreign-library").is("warning").at(path).from(1, step).says("macOS");
    with(&lab, step, &modules(&[mac, "@img/sharp-linux-x64@0.34.1"])).is_clean();
    // node-pty has prebuilt modules for macOS and Windows, and is built in place on Linux.
    let pty = modules(&["node-pty@1.1.0"]);
    let built = fs::read(npm("@img/sharp-linux-x64@0.34.1").join("lib/sharp-linux-x64.node")).unwrap();
    let built = program("/srv/node_modules/node-pty/build/Release/pty.node", built);
    with(&lab, step, &pty.into_iter().chain([built]).collect::<Vec<_>>()).is_clean();
}

#[test]
fn a_program_for_macos_on_path() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY bin/esbuild /usr/local/bin/";
    let mac = fs::read(npm("@esbuild/darwin-arm64@0.25.0").join("bin/esbuild")).unwrap();
    let run = with(&lab, step, &[program("/usr/local/bin/esbuild", mac)]);
    run.finding("foreign-executable").is("warning").at("/usr/local/bin/esbuild").from(1, step).says("macOS");
}

#[test]
fn wheels_of_the_same_machine_are_fine() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let mut files = tree(SITE, &wheel("markupsafe==3.0.2", "manylinux2014_x86_64"));
    files.extend(tree(SITE, &wheel("psycopg2-binary==2.9.10", "manylinux2014_x86_64")));
    with(&lab, "RUN pip install", &files).is_clean();
}

#[test]
fn a_32_bit_program_on_its_64_bit_sibling_is_fine() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let library = |name: &str| debian_file("i386", "libc6", &format!("lib/i386-linux-gnu/{name}"));
    let files = [
        program("/usr/lib/ld-linux.so.2", library("ld-linux.so.2")),
        program("/usr/lib/i386-linux-gnu/libc.so.6", library("libc.so.6")),
        program("/usr/local/bin/dash32", debian_file("i386", "dash", "bin/dash")),
    ];
    let image = Image::debian("amd64", &[&["dash", "libc-bin", "coreutils"]]).copy("COPY i386 /", &files);
    let run = check(image.entrypoint(&["dash32"]).write(&lab, "image"));
    assert_eq!(run.is_clean().verdict()["hops"][0]["layer"], 1, "{}", run.shown());
}

#[test]
fn a_32_bit_program_fails_where_compat_is_off() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let file = program("/app", debian_file("i386", "busybox-static", "bin/busybox"));
    let layout = Image::on("linux/amd64").copy("COPY app /app", &[file]).entrypoint(&["/app"]).write(&lab, "image");
    check(&layout).is_clean();
    let run = crate::run::check_with(&["--node", "amd64,compat32=no", layout.to_str().unwrap()]);
    assert_eq!(run.code, 1, "{}", run.shown());
    run.finding("no-compat").at("/app").from(0, "COPY app /app");
}

#[test]
fn optional_packages_for_several_platforms_are_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let esbuild = ["@esbuild/linux-arm64@0.25.0", "@esbuild/linux-x64@0.25.0", "@esbuild/darwin-arm64@0.25.0"];
    let sharp = ["@img/sharp-linux-arm64@0.34.1", "@img/sharp-linux-x64@0.34.1", "@img/sharp-linuxmusl-x64@0.34.1"];
    with(&lab, "RUN npm install --cpu=x64 --cpu=arm64", &modules(&[esbuild, sharp].concat())).is_clean();
}

#[test]
fn prebuilds_for_many_platforms_are_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    with(&lab, "RUN npm ci", &modules(&["bufferutil@4.0.9", "bcrypt@6.0.0"])).is_clean();
}

#[test]
fn launchers_for_windows_in_wheels_are_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let files = ["distlib==0.4.0", "setuptools==80.9.0", "pip==25.1"].map(|package| tree(SITE, &wheel(package, "any")));
    with(&lab, "RUN pip install", &files.into_iter().flatten().collect::<Vec<_>>()).is_clean();
}

#[test]
fn emulators_are_native_programs() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    with_packages(&lab, &["qemu-user-static"]).is_clean();
}

#[test]
fn firmware_is_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let firmware = ["opensbi", "u-boot-qemu", "qemu-system-data", "seabios", "firmware-ath9k-htc", "openbios-ppc", "qemu-slof"];
    with_packages(&lab, &firmware).is_clean();
}

#[test]
fn a_cross_toolchain_is_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    with_packages(&lab, &["gcc-aarch64-linux-gnu", "libc6-dev-armhf-cross"]).is_clean();
}

#[test]
fn detached_debug_files_are_data() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    with_packages(&lab, &["libc6-dbg", "libc6-i386", "valgrind"]).is_clean();
}

/// What the finding about a file says that its runtime raises.
fn raised(run: &Run, file: &str) -> String {
    let about = |finding: &&serde_json::Value| finding["locus"]["path"].as_str().is_some_and(|path| path.ends_with(file));
    let finding = run.findings().iter().find(about).unwrap_or_else(|| panic!("{}", run.shown()));
    let mut evidence = finding["evidence"].as_array().unwrap().iter();
    evidence.find_map(|line| line.as_str()?.split_once(" raises: ")).unwrap().1.to_owned()
}

#[test]
fn what_php_warns_of_is_what_is_said() {
    let Some(lab) = Lab::open("root, apt-get and Debian packages of two architectures") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let extensions = "usr/lib/php/20220829";
    let root = lab.path("php");
    unpack(&root, "amd64", &["php8.2-cli"]);
    let settings = "etc/php/8.2/cli/conf.d/20-extension.ini";
    fs::create_dir_all(root.join(settings).parent().unwrap()).unwrap();
    let foreign = debian_file("arm64", "php8.2-opcache", &format!("{extensions}/opcache.so"));
    for (name, bytes) in [("foreign", foreign), ("for-macos", [&[0xcf, 0xfa, 0xed, 0xfe, 12, 0, 0, 1][..], &[0; 200]].concat())] {
        let file = format!("/{extensions}/{name}.so");
        fs::write(root.join(&file[1..]), &bytes).unwrap();
        let values = [name.to_owned(), format!("{name}.so"), format!("\"{file}\" ; comment")];
        let asks =
            ["extension", "zend_extension"].iter().flat_map(|key| values.iter().map(move |value| format!("{key} = {value}\n")));
        for asked in asks {
            fs::write(root.join(settings), &asked).unwrap();
            let files = [data(&file, bytes.clone()), data(&format!("/{settings}"), asked.clone())];
            let expected = raised(&with(&lab, "COPY extensions", &files), &file);
            let php = ["/usr/bin/php8.2", "-d", "display_errors=0", "-d", "log_errors=1", "-r", ""];
            let warned = output(Command::new("chroot").arg(&root).args(php));
            let text = String::from_utf8(warned.stderr).unwrap();
            assert!(text.lines().any(|line| line == expected), "{asked}{expected}\n{text}");
        }
    }
}

/// Debian's package of an extension, whose settings are links to what is there to be enabled.
#[test]
fn what_php_warns_of_xdebug_is_what_is_said() {
    let Some(lab) = Lab::open("root, apt-get and Debian packages of two architectures") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let root = lab.path("php");
    unpack(&root, "amd64", &["php8.2-cli", "php8.2-xdebug"]);
    let (extension, available) = ("usr/lib/php/20220829/xdebug.so", "etc/php/8.2/mods-available/xdebug.ini");
    let foreign = debian_file("arm64", "php8.2-xdebug", extension);
    fs::write(root.join(extension), &foreign).unwrap();
    let enabled = "etc/php/8.2/cli/conf.d/20-xdebug.ini";
    fs::create_dir_all(root.join(enabled).parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(format!("/{available}"), root.join(enabled)).unwrap();
    let settings = fs::read(root.join(available)).unwrap();
    let files = [
        data(&format!("/{extension}"), foreign),
        data(&format!("/{available}"), settings),
        link(&format!("/{enabled}"), &format!("/{available}")),
    ];
    let expected = raised(&with(&lab, "COPY php", &files), "xdebug.so");
    let php = ["/usr/bin/php8.2", "-d", "display_errors=0", "-d", "log_errors=1", "-r", ""];
    let text = String::from_utf8(output(Command::new("chroot").arg(&root).args(php)).stderr).unwrap();
    assert!(text.lines().any(|line| line == expected), "{expected}\n{text}");
}

#[test]
fn what_python_and_node_raise_is_what_is_said() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let said = |run: &Run, file: &str, from: &str, to: &Path| raised(run, file).replace(from, to.to_str().unwrap());
    for (platform, suffix) in
        [("manylinux2014_aarch64", "cpython-311-aarch64-linux-gnu"), ("macosx_14_0_arm64", "cpython-311-darwin")]
    {
        let psycopg = wheel("psycopg2-binary==2.9.10", platform);
        let plain = lab.path(platform);
        let rename = "mv _psycopg.*.so _psycopg.abi3.so";
        shell(&lab.path("."), &format!("cp -r {} {platform}; cd {platform}/psycopg2; {rename}", psycopg.display()));
        for (site, suffix) in [(&psycopg, suffix), (&plain, "abi3")] {
            let run = with(&lab, "COPY site-packages", &tree(SITE, site));
            let raised = output(Command::new("python3").args(["-c", "import psycopg2"]).env("PYTHONPATH", site));
            let last = String::from_utf8(raised.stderr).unwrap().lines().last().unwrap().to_owned();
            assert_eq!(last, said(&run, &format!("_psycopg.{suffix}.so"), SITE, site));
        }
    }
    for name in ["sharp-linux-arm64", "sharp-darwin-arm64"] {
        let sharp = npm(&format!("@img/{name}@0.34.1"));
        let run = with(&lab, "COPY node_modules", &modules(&[&format!("@img/{name}@0.34.1")]));
        let file = sharp.join(format!("lib/{name}.node"));
        let raised = output(Command::new("node").arg("-e").arg(format!("require('{}')", file.display())));
        let expected = said(&run, &format!("{name}.node"), &format!("/srv/node_modules/@img/{name}"), &sharp);
        let text = String::from_utf8(raised.stderr).unwrap();
        assert!(text.lines().any(|line| line == expected), "{expected}\n{text}");
    }
}
