//! What container runtimes print is what `message` says, and what the model says to run, runs: real images, unpacked and configured by
//! umoci, run by runc and crun.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::image::{Image, Item, Layer, data, directory, link, moded, program};
use crate::lab::{Lab, output, run, shell};
use crate::packages::debian_file;
use crate::run::check_with;

const NEEDS: &str = "root, umoci, runc, crun, apt-get and Debian packages";

/// A root file system with something of every kind in it.
fn root() -> Vec<Item> {
    let busybox = debian_file("amd64", "busybox-static", "bin/busybox");
    let foreign = debian_file("arm64", "dash", "bin/dash");
    let dynamic = debian_file("amd64", "dash", "bin/dash");
    let mut wrong_type = busybox.clone();
    wrong_type[16] = 1;
    let text = |text: &str| text.as_bytes().to_vec();
    let mut items = vec![
        data("/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\n77:x:78:78:::\n"),
        data("/etc/group", "root:x:0:\nweb:x:33:\nkey:x:50:web\n"),
        program("/bin/busybox", busybox.clone()),
        program("/app/good", "#!/bin/sh\nexit 0\n"),
        program("/app/foreign", foreign.clone()),
        program("/app/dynamic", dynamic.clone()),
        program("/app/with-foreign", "#!/app/foreign\n"),
        program("/app/with-nothing", "#!/usr/bin/ruby\n"),
        program("/app/with-text", "#!/app/text\n"),
        program("/app/with-directory", "#!/app\n"),
        program("/app/with-data", "#!/app/data\n"),
        program("/app/windows", "#!/bin/sh\r\nexit 0\r\n"),
        program("/app/env-windows", "#!/bin/true x\r\n"),
        program("/app/relative", "#!bin/sh\nexit 0\n"),
        program("/app/loop", "#!/app/loop\n"),
        program("/app/bare", "#!"),
        program("/app/blank", "#! \n"),
        program("/app/text", "exit 0\n"),
        program("/app/empty", ""),
        program("/app/object", wrong_type),
        program("/app/cut", busybox[..100].to_vec()),
        program("/app/short", busybox[..30].to_vec()),
        program("/app/pe", "MZ\u{90}"),
        program("/app/name with \"quotes\"", "#!/bin/sh\nexit 0\n"),
        program("/app/broken with \"quotes\"", "no\n"),
        moded("/app/mode-600", 0o600, text("#!/bin/sh\nexit 0\n")),
        moded("/app/mode-700", 0o700, text("#!/bin/sh\nexit 0\n")),
        moded("/app/mode-001/true", 0o001, busybox.clone()),
        moded("/app/data", 0o644, text("data")),
        link("/app/link", "good"),
        link("/app/up", "../../../app/good"),
        link("/app/dangling", "/nowhere"),
        link("/app/circle", "circle"),
        link("/app/to-directory", "/app"),
        link("/app/to-foreign", "/app/foreign"),
        directory("/secret", 0o700),
        program("/secret/good", "#!/bin/sh\nexit 0\n"),
        directory("/keyed", 0o700),
        program("/first/tool", ""),
        moded("/second/tool", 0o644, text("data")),
        program("/third/tool", "#!/bin/sh\nexit 0\n"),
        program("/third/foreign-tool", foreign),
        directory("/fourth/tool", 0o755),
    ];
    items.extend(["sh", "true", "env", "sleep"].map(|name| link(&format!("/bin/{name}"), "busybox")));
    items
}

/// How the root is started, each in its own way.
fn starts() -> Vec<Value> {
    let entrypoint = |path: &str| json!({ "Entrypoint": [path] });
    let mut starts: Vec<Value> = [
        "/app/good",
        "/app/foreign",
        "/app/dynamic",
        "/app/with-foreign",
        "/app/with-nothing",
        "/app/with-text",
        "/app/with-directory",
        "/app/with-data",
        "/app/windows",
        "/app/env-windows",
        "/app/relative",
        "/app/loop",
        "/app/bare",
        "/app/blank",
        "/app/text",
        "/app/empty",
        "/app/object",
        "/app/cut",
        "/app/short",
        "/app/pe",
        "/app/name with \"quotes\"",
        "/app/broken with \"quotes\"",
        "/app/mode-600",
        "/app/mode-700",
        "/app/mode-001/true",
        "/app/data",
        "/app/link",
        "/app/up",
        "/app/dangling",
        "/app/circle",
        "/app/to-directory",
        "/app/to-foreign",
        "/app",
        "/",
        ".",
        "/nothing",
        "/app/nothing",
        "/app/good/",
        "/app/good/x",
        "/app/../app/good",
        "app/good",
        "./app/good",
        "./nothing",
        "/nothing \"quoted\" back\\slash é",
        "true",
        "sh",
        "nothing",
        "bin/true",
    ]
    .map(entrypoint)
    .to_vec();
    let long = format!("/app/{}", "n".repeat(256));
    starts.push(entrypoint(&long));
    let path = |path: &str, name: &str| json!({ "Entrypoint": [name], "Env": [format!("PATH={path}")] });
    starts.extend([
        path("/third", "tool"),
        path("/second:/third", "tool"),
        path("/first:/third", "tool"),
        path("/fourth:/third", "tool"),
        path("/nothing:/app/good:/third", "tool"),
        path("/third", "foreign-tool"),
        path("/second", "tool"),
        path("/fourth", "tool"),
        path("/third/", "tool"),
        path("//third", "tool"),
        path("/nowhere", "tool"),
        json!({ "Entrypoint": ["sh"], "Env": ["A=1"] }),
        json!({ "Entrypoint": ["good"], "Env": ["PATH=/bin", "PATH=/app"] }),
    ]);
    let user = |user: &str, path: &str| json!({ "Entrypoint": [path], "User": user });
    starts.extend([
        user("web", "/app/good"),
        user("web", "/app/mode-700"),
        user("web", "/app/mode-600"),
        user("web", "/app/mode-001/true"),
        user("1000", "/app/mode-001/true"),
        user("web", "/secret/good"),
        user("web:key", "/app/good"),
        user("1000:1000", "/app/mode-700"),
        user("77", "/app/good"),
        user("0", "/secret/good"),
        user("web", "/app/foreign"),
    ]);
    let workdir = |directory: &str, path: &str| json!({ "Entrypoint": [path], "WorkingDir": directory });
    starts.extend([
        workdir("/app", "./good"),
        workdir("/app", "good"),
        workdir("/app", "./relative"),
        workdir("/new/directory", "/app/good"),
        workdir("/app/to-directory", "./good"),
        workdir("/app/good", "/app/good"),
        json!({ "Entrypoint": ["./good"], "WorkingDir": "/secret", "User": "web" }),
    ]);
    starts.extend([
        json!({ "Entrypoint": ["/bin/sh", "-c"], "Cmd": ["exit 0"] }),
        json!({ "Entrypoint": ["/bin/env"], "Cmd": ["true"] }),
        json!({ "Cmd": ["/app/good", "x"] }),
        json!({ "Cmd": ["/app/foreign", "x"] }),
        json!({ "Cmd": ["nothing"] }),
    ]);
    starts
}

/// An image's root and configuration as umoci makes them, changed as little as running it here needs.
pub fn bundle(lab: &Lab, layout: &Path, whole: &Path, name: &str) -> std::path::PathBuf {
    let bundle = lab.path(name);
    fs::create_dir(&bundle).unwrap();
    run(Command::new("cp").arg("-al").arg(whole.join("rootfs")).arg(bundle.join("rootfs")));
    let config = bundle.join("config.json");
    let image = format!("{}:latest", layout.display());
    run(Command::new("umoci")
        .args(["raw", "runtime-config", "--image", &image, "--rootfs"])
        .arg(bundle.join("rootfs"))
        .arg(&config));
    let mut settings: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    settings["process"]["terminal"] = json!(false);
    settings["linux"].as_object_mut().unwrap().remove("resources");
    // What Docker and Kubernetes give to a container's root, and to other users only as a bound.
    let capabilities =
        json!(["CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID", "CAP_KILL", "CAP_SYS_CHROOT"]);
    let is_root = settings["process"]["user"]["uid"] == 0;
    let given: &[&str] = if is_root { &["bounding", "effective", "permitted"] } else { &["bounding"] };
    let sets = given.iter().map(|set| ((*set).to_owned(), capabilities.clone()));
    settings["process"]["capabilities"] = Value::Object(sets.collect());
    fs::write(&config, settings.to_string()).unwrap();
    bundle
}

/// What runc printed, without what says only that it failed; `None` where the container ran.
fn runc(bundle: &Path, id: &str) -> Option<String> {
    let said = output(Command::new("timeout").args(["20", "runc", "run", "--bundle"]).arg(bundle).arg(id));
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    if said.status.success() {
        return None;
    }
    let lookup = "unable to start container process: ";
    let line = text.lines().find(|line| line.contains(lookup)).map(|line| {
        let message = line.split_once(lookup).unwrap().1;
        let message = message.strip_prefix("error during container init: ").unwrap_or(message);
        // The log's own quotes.
        message.strip_suffix('"').unwrap_or(message).replace("\\\"", "\"").replace("\\\\", "\\")
    });
    Some(line.unwrap_or_else(|| text.trim_end().to_owned()))
}

/// What runc 1.1 says in the place of a line where it was built with an older Go, as Debian 12's is: of a directory that it may not be
/// executed; and it asks for any execute bit, not for the user's, so that execve itself refuses.
fn before_go_1_20(line: &str) -> Option<String> {
    let refused = ": permission denied";
    if let Some(rest) = line.strip_suffix(": is a directory") {
        return Some(format!("{rest}{refused}"));
    }
    let path = line.strip_prefix("exec: \"")?.strip_suffix(refused)?.strip_suffix('"')?;
    Some(format!("exec {path}{refused}"))
}

/// What older crun says in the place of a line: 1.21 of what it cannot open, and 1.8, as Debian 12's is, of all that it looks up.
fn before_crun_1_28(line: &str, name: &str) -> [String; 2] {
    let opened = |text: &str| {
        let (_, error) = line.split_once("`: ")?;
        line.starts_with("open `").then(|| format!("{text}: {error}"))
    };
    let newer = opened(&format!("cannot open `{name}`")).unwrap_or_else(|| line.to_owned());
    let older = if line.ends_with("exists but it is not executable: Operation not permitted") {
        "open executable: Permission denied".to_owned()
    } else if line.ends_with("is not a regular file: Operation not permitted") {
        "open executable: Operation not permitted".to_owned()
    } else if line.starts_with("executable file") && line.ends_with("` not found: No such file or directory") {
        format!("executable file `{name}` not found in $PATH: No such file or directory")
    } else {
        opened("open executable").unwrap_or_else(|| line.replace("chdir to `", "chdir `"))
    };
    [newer, older]
}

/// What crun printed; `None` where the container ran.
fn crun(bundle: &Path, id: &str) -> Option<String> {
    // crun refuses a hybrid cgroup hierarchy.
    let script = "mount --make-rprivate /; umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup
        exec timeout 20 crun --cgroup-manager=disabled run --bundle \"$0\" \"$1\"";
    let said = output(Command::new("unshare").args(["--mount", "sh", "-euc", script]).arg(bundle).arg(id));
    (!said.status.success()).then(|| String::from_utf8_lossy(&said.stderr).trim_end().to_owned())
}

#[test]
fn runtimes_print_what_the_model_says_and_run_what_it_says_to_run() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let layer = Layer::copy("COPY root /", &root());
    let image = Image::on("linux/amd64").layer(layer);
    let first = image.clone().entrypoint(&["/app/good"]).write(&lab, "first");
    shell(&lab.path("."), &format!("umoci unpack --image {}:latest whole", first.display()));
    let mut wrong = Vec::new();
    let starts = starts();
    let version = String::from_utf8(run(Command::new("runc").arg("--version"))).unwrap();
    let is_old = version.contains("runc version 1.0") || version.contains("runc version 1.1");
    for (number, start) in starts.iter().enumerate() {
        let layout = image.clone().run(start).write(&lab, &format!("layout{number}"));
        let model = check_with(&[layout.to_str().unwrap()]);
        let verdict = model.verdict();
        let bundle = bundle(&lab, &layout, &lab.path("whole"), &format!("bundle{number}"));
        let said = runc(&bundle, &format!("enoexec-{}-{number}", std::process::id()));
        let expected = verdict["message"].as_str().map(str::to_owned);
        let older = expected.as_deref().filter(|_| is_old).and_then(before_go_1_20);
        let fate = verdict["outcome"].as_str().unwrap();
        if said != expected && (older.is_none() || said != older)
            || fate == "runs" && said.is_some()
            || fate == "fails" && said.is_none()
        {
            wrong.push(format!("{start}\n   runc:  {said:?}\n   model: {expected:?} ({fate})"));
        }
        let said = crun(&bundle, &format!("enoexec-c{}-{number}", std::process::id()));
        let expected = verdict["crun_message"].as_str();
        let name = start["Entrypoint"][0].as_str().unwrap_or_default();
        let older = expected.map(|line| before_crun_1_28(line, name)).unwrap_or_default();
        if said.as_deref() != expected && said.as_ref().is_none_or(|said| !older.contains(said)) {
            wrong.push(format!("{start}\n   crun:  {said:?}\n   model: {expected:?} ({fate})"));
        }
        fs::remove_dir_all(&bundle).unwrap();
    }
    assert!(starts.len() >= 60 && wrong.is_empty(), "{} of {}\n{}", wrong.len(), starts.len(), wrong.join("\n"));
}
