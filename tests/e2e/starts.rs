//! Images whose start fails, made of real files: each with the right cause, file, layer and build step.

use std::fs;

use crate::image::{Image, Item, data, link, program};
use crate::lab::{Lab, cache, shell};
use crate::packages::{debian_file, npm, wheel};
use crate::run::{Run, check};

const NEEDS: &str = "apt-get, dpkg-deb, npm, pip and their packages, and go";
const STEP: &str = "COPY --chmod=755 app /usr/local/bin/app";
const APP: &str = "/usr/local/bin/app";

/// Debian with a shell: one layer.
fn debian(architecture: &str) -> Image {
    Image::debian(architecture, &[&["dash", "libc-bin", "coreutils"]]).entrypoint(&["/usr/bin/dash", "-c", "true"])
}

fn coreutils(architecture: &str, name: &str) -> Vec<u8> {
    let folder = if name == "env" { "usr/bin" } else { "bin" };
    debian_file(architecture, "coreutils", &format!("{folder}/{name}"))
}

/// Debian for amd64 that starts this file, which the second layer brings.
fn starting(lab: &Lab, file: Item) -> Run {
    check(debian("amd64").copy(STEP, &[file]).entrypoint(&[APP]).write(lab, "image"))
}

fn npm_program(package: &str, path: &str) -> Vec<u8> {
    fs::read(npm(package).join(path)).unwrap()
}

#[test]
fn an_arm64_config_over_amd64_files() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let image = debian("amd64").configured("linux/arm64").labelled("linux/arm64");
    let run = check(image.write(&lab, "image"));
    run.fails("ENOEXEC", "wrong-machine").finding("content-platform-mismatch").is("error").says("arm64");
    assert_eq!(run.verdict()["node"], "linux/arm64", "{}", run.shown());
    run.says("exec /usr/bin/dash: exec format error");
}

#[test]
fn an_index_entry_with_the_label_of_another_image() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = check(debian("amd64").labelled("linux/arm64").write(&lab, "image"));
    run.fails("ENOEXEC", "wrong-machine").finding("config-platform-mismatch").is("error");
    assert_eq!(run.images()[0]["declared"], "linux/arm64", "{}", run.shown());
    assert_eq!(run.images()[0]["config"], "linux/amd64", "{}", run.shown());
}

#[test]
fn a_foreign_program_copied_over_the_entrypoint() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY --from=build /out/dash /usr/bin/dash";
    let foreign = program("/usr/bin/dash", debian_file("arm64", "dash", "bin/dash"));
    let run =
        check(debian("amd64").copy("COPY motd /etc", &[data("/etc/motd", "hi")]).copy(step, &[foreign]).write(&lab, "image"));
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/usr/bin/dash").from(2, step).says("aarch64");
    assert_eq!(run.alarms().len(), 1, "{}", run.shown());
}

#[test]
fn a_foreign_program_behind_links_and_path() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY app /opt/app";
    let files = [
        link("/usr/local/bin/serve", "/opt/app/current/serve"),
        link("/opt/app/current", "v1"),
        program("/opt/app/v1/serve", coreutils("s390x", "true")),
    ];
    let run = check(debian("amd64").copy(step, &files).entrypoint(&["serve"]).write(&lab, "image"));
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/opt/app/v1/serve").from(1, step);
}

#[test]
fn a_script_with_a_foreign_interpreter() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY --from=tools /usr/bin/env /opt/tools/bash";
    let shell = program("/opt/tools/bash", coreutils("arm64", "env"));
    let script = program(APP, "#!/opt/tools/bash\necho hi\n");
    let run = check(debian("amd64").copy(step, &[shell]).copy(STEP, &[script]).entrypoint(&[APP]).write(&lab, "image"));
    run.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/opt/tools/bash").from(1, step);
    let hops = run.verdict()["hops"].as_array().unwrap();
    assert_eq!((&hops[0]["path"], &hops[0]["layer"]), (&APP.into(), &2.into()), "{}", run.shown());
}

#[test]
fn a_program_with_a_foreign_loader() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let step = "COPY --from=arm /lib /lib";
    let loader = debian_file("arm64", "libc6", "lib/aarch64-linux-gnu/ld-linux-aarch64.so.1");
    let run = check(debian("amd64").copy(step, &[program("/usr/lib64/ld-linux-x86-64.so.2", loader)]).write(&lab, "image"));
    run.fails("ELIBBAD", "loader-wrong-machine")
        .finding("loader-wrong-machine")
        .at("/usr/lib64/ld-linux-x86-64.so.2")
        .from(1, step);
}

#[test]
fn a_script_without_shebang() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, "set -e\nexec sleep 1\n"));
    run.fails("ENOEXEC", "no-shebang").finding("no-shebang").at(APP).from(1, STEP);
}

#[test]
fn a_script_with_windows_line_ends() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, "#!/bin/sh\r\nset -e\r\nexec sleep 1\r\n"));
    run.fails("ENOENT", "carriage-return").finding("carriage-return").at(APP).from(1, STEP);
}

#[test]
fn a_script_whose_interpreter_is_missing() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, "#!/usr/bin/ruby\nputs 1\n"));
    run.fails("ENOENT", "interpreter-missing").finding("interpreter-missing").says("/usr/bin/ruby").says(APP).from(1, STEP);
}

#[test]
fn a_glibc_program_on_a_musl_root() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let image = Image::debian("arm64", &[&["musl"]]).copy(STEP, &[program(APP, coreutils("arm64", "true"))]).entrypoint(&[APP]);
    let run = check(image.write(&lab, "image"));
    run.fails("ENOENT", "loader-missing").finding("wrong-libc").says("/lib/ld-linux-aarch64.so.1").says(APP).from(1, STEP);
}

#[test]
fn a_musl_program_on_a_glibc_root() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let ninja = fs::read(wheel("ninja==1.13.2", "musllinux_1_2_x86_64").join("ninja-1.13.2.data/scripts/ninja"));
    let run = starting(&lab, program(APP, ninja.unwrap()));
    run.fails("ENOENT", "loader-missing").finding("wrong-libc").says("/lib/ld-musl-x86_64.so.1").says(APP).from(1, STEP);
}

#[test]
fn a_dynamic_program_in_an_empty_root() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let image = Image::on("linux/s390x").copy(STEP, &[program(APP, coreutils("s390x", "true"))]).entrypoint(&[APP]);
    let run = check(image.write(&lab, "image"));
    run.fails("ENOENT", "loader-missing").finding("loader-missing").says("/lib/ld64.so.1").says(APP).from(0, STEP);
}

#[test]
fn a_mac_program() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, npm_program("@esbuild/darwin-arm64@0.25.0", "bin/esbuild")));
    run.fails("ENOEXEC", "mach-o").finding("foreign-format").at(APP).from(1, STEP).says("macOS");
}

#[test]
fn a_windows_program() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, fs::read(wheel("distlib==0.4.0", "any").join("distlib/t64.exe")).unwrap()));
    run.fails("ENOEXEC", "pe").finding("foreign-format").at(APP).from(1, STEP).says("Windows");
}

#[test]
fn a_go_package_archive() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    lab.write("go.mod", "module example.org/app\n");
    lab.write("app.go", "package app\n\nfunc Run() {}\n");
    shell(&lab.path("."), &format!("GOFLAGS=-mod=mod GOCACHE={} go build -o app .", cache("go").display()));
    let run = starting(&lab, program(APP, fs::read(lab.path("app")).unwrap()));
    run.fails("ENOEXEC", "archive").finding("archive-entrypoint").at(APP).from(1, STEP).says("main");
}

#[test]
fn an_empty_file() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, ""));
    run.fails("ENOEXEC", "empty-file").finding("empty-file").at(APP).from(1, STEP);
}

#[test]
fn a_git_lfs_pointer() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";
    let run = starting(&lab, program(APP, format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n")));
    run.fails("ENOEXEC", "git-lfs-pointer").finding("lfs-pointer").at(APP).from(1, STEP);
}

#[test]
fn an_error_page_in_place_of_a_download() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, program(APP, "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"));
    run.fails("ENOEXEC", "html").finding("html-page").at(APP).from(1, STEP);
}

#[test]
fn a_program_cut_short() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let whole = coreutils("amd64", "true");
    let run = starting(&lab, program(APP, &whole[..40]));
    assert_eq!(run.code, 1, "{}", run.shown());
    run.finding("malformed-elf").at(APP).from(1, STEP);
}

#[test]
fn a_file_without_execute_bit() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = starting(&lab, data(APP, coreutils("amd64", "true")));
    run.fails("EACCES", "not-executable").finding("not-executable").at(APP).from(1, STEP);
}

#[test]
fn a_name_that_path_does_not_have() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let run = check(debian("amd64").entrypoint(&["gunicorn"]).write(&lab, "image"));
    assert_eq!(run.code, 1, "{}", run.shown());
    run.finding("not-found").says("gunicorn");
    run.says("executable file not found in $PATH");
}

#[test]
fn an_entrypoint_that_a_later_step_removed() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let gone = debian("amd64").copy("RUN rm /usr/bin/dash", &[data("/usr/bin/.wh.dash", "")]);
    let run = check(gone.write(&lab, "image"));
    assert_eq!(run.code, 1, "{}", run.shown());
    run.finding("not-found").at("/usr/bin/dash");
}
