//! Wrappers and scripts: what runc is seen to run, or to fail at, is what is predicted, to the line that is printed.

use std::fs;
use std::io::{Write, stderr};
use std::process::{Command, Output};

use serde_json::json;

use crate::image::{Image, Item, Layer, data, link, moded, program};
use crate::lab::{Lab, output, run, shell};
use crate::packages::debian_file;
use crate::run::check_with;
use crate::runtimes::bundle;

const NEEDS: &str = "root, umoci, runc, apt-get and Debian packages";

const GROUPS: [&[&str]; 2] = [
    &["libc-bin", "dash", "bash", "coreutils", "util-linux", "perl-base", "python3-minimal", "busybox", "libpam-modules"],
    &["tini", "dumb-init", "gosu", "catatonit"],
];

/// Entrypoint scripts as images have them.
const SCRIPTS: &[(&str, &str)] = &[
    ("exec-all", "#!/bin/sh\nset -e\nexec \"$@\"\n"),
    ("env-split", "#!/usr/bin/env -S dash -e\nexec \"$@\"\n"),
    ("bash-exec-all", "#!/bin/bash\nset -euo pipefail\nexec \"$@\"\n"),
    ("env-bash", "#!/usr/bin/env bash\nexec \"$@\"\n"),
    (
        "flags-first",
        "#!/bin/sh\nset -e\nif [ \"${1#-}\" != \"$1\" ] || [ -z \"$1\" ]; then\n  set -- true \"$@\"\nfi\nexec \"$@\"\n",
    ),
    ("bash-flags-first", "#!/bin/bash\nif [ \"${1:0:1}\" = '-' ]; then\n\tset -- /app/foreign \"$@\"\nfi\nexec \"$@\"\n"),
    (
        "step-down",
        "#!/bin/bash\nset -e\nif [ \"$1\" = 'serve' -a \"$(id -u)\" = '0' ]; then\n  exec gosu web \"$0\" \"$@\"\nfi\nif [ \"$1\" = serve ]; then shift; exec /app/\"$@\"; fi\nexec \"$@\"\n",
    ),
    (
        "by-machine",
        "#!/bin/sh\ncase \"$(uname -m)\" in\n  x86_64) suffix=good ;;\n  aarch64) suffix=foreign ;;\n  *) exit 1 ;;\nesac\nexec /app/$suffix\n",
    ),
    ("by-other-machine", "#!/bin/sh\ncase \"$(uname -m)\" in\n  aarch64) exec /app/good ;;\n  *) exec /app/foreign ;;\nesac\n"),
    ("plain-last", "#!/bin/sh\ncd /app\n./\"$1\"\n"),
    ("sourced", "#!/bin/bash\n. /app/lib.sh\nstart \"$@\"\n"),
    ("functions", "#!/bin/sh\nmain() {\n  program=$1\n  shift\n  exec \"$program\" \"$@\"\n}\nmain \"$@\"\n"),
    ("fails-early", "#!/bin/sh\nset -e\n/app/foreign --init\nexec /app/good\n"),
    ("fails-early-unseen", "#!/bin/sh\n/app/foreign --init\nexec /app/good\n"),
    ("missing-early", "#!/bin/bash\nset -e\nprepare-database\nexec /app/good\n"),
    (
        "loops",
        "#!/bin/sh\nfor name in nothing good; do\n  if [ -x \"/app/$name\" ]; then exec \"/app/$name\"; fi\ndone\nexit 1\n",
    ),
    ("variables", "#!/bin/sh\n: \"${PROGRAM:=/app/good}\"\nexport PROGRAM\nexec $PROGRAM\n"),
    ("path", "#!/bin/sh\nexport PATH=\"/app:$PATH\"\nexec good\n"),
    ("path-lost", "#!/bin/sh\nPATH=/nowhere\nexec good\n"),
    (
        "tests",
        "#!/bin/bash\nif [[ -f /app/good && ! -d /app/good && $1 == g* ]]; then exec /app/good; else exec /app/foreign; fi\n",
    ),
    ("knows", "#!/bin/sh\nif command -v gosu >/dev/null 2>&1; then exec gosu web /app/good; fi\nexec /app/foreign\n"),
    ("heredoc", "#!/bin/sh\ncat > /tmp/conf <<EOF\nx=$1\nEOF\nexec /app/good\n"),
    ("windows", "#!/bin/sh\r\nexec /app/good\r\n"),
    ("busybox", "#!/bin/busybox sh\nexec \"$@\"\n"),
    ("sh-e", "#!/bin/sh -e\n/app/nothing\nexec /app/good\n"),
    ("subshell", "#!/bin/sh\n(cd /app; true)\nexec app/good\n"),
    ("or", "#!/bin/sh\n[ -e /app/nothing ] || exec /app/foreign\nexec /app/good\n"),
    ("help-first", "#!/bin/sh\nset -e\nif true help \"$1\" >/dev/null 2>&1; then\n  set -- true \"$@\"\nfi\nexec \"$@\"\n"),
    ("foreign-either-way", "#!/bin/sh\nif [ \"$(hostname)\" = x ]; then exec /app/foreign x; fi\nexec /app/foreign\n"),
    (
        "file-env",
        "#!/bin/bash\nset -eu\nfile_env() {\n  local var=\"$1\"\n  local fileVar=\"${var}_FILE\"\n  local val=\"${2:-}\"\n  if [ \"${!var:-}\" ]; then val=\"${!var}\"; fi\n  export \"$var\"=\"$val\"\n  unset \"$fileVar\"\n}\nfile_env PROGRAM /app/good\nexec \"$PROGRAM\"\n",
    ),
    (
        "returns",
        "#!/bin/sh\ncheck() {\n  if [ \"$(hostname)\" = x ]; then return; fi\n  exec /app/foreign\n}\ncheck\nexec /app/good\n",
    ),
    ("not", "#!/bin/sh\nif ! [ -e /app/nothing ]; then exec /app/good; fi\nexec /app/foreign\n"),
];

fn files() -> Vec<Item> {
    let foreign = debian_file("arm64", "dash", "bin/dash");
    let mut items = vec![
        data("/etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:33::/:/bin/sh\n"),
        data("/etc/group", "root:x:0:\nweb:x:33:\n"),
        program("/app/good", "#!/bin/sh\nexit 0\n"),
        program("/app/foreign", foreign),
        program("/app/text", "exit 0\n"),
        program("/app/empty", ""),
        program("/app/no-interpreter", "#!/usr/bin/ruby\n"),
        moded("/app/data", 0o644, b"data".to_vec()),
        data("/app/lib.sh", "start() { exec \"/app/$1\"; }\n"),
        data("/app/main.py", "print('started')\n"),
        data("/app/main.pl", "exit 0;\n"),
        data("/app/script", "exec /app/good\n"),
        data("/app/broken-script", "exec /app/foreign\n"),
        link("/app/sh", "/bin/busybox"),
        data("/etc/pam.d/su", "auth sufficient pam_rootok.so\naccount required pam_permit.so\nsession required pam_permit.so\n"),
        data("/etc/pam.d/runuser", "auth sufficient pam_rootok.so\nsession required pam_permit.so\n"),
        moded("/app/roots-own", 0o700, b"#!/bin/sh\nexit 0\n".to_vec()),
        // The real script, with what it starts first kept short. It waits for a signal, which must not come before it does.
        program("/usr/bin/xvfb-run", debian_file("amd64", "xvfb", "usr/bin/xvfb-run")),
        program("/usr/bin/Xvfb", "#!/bin/sh\nsleep 1\nkill -USR1 $PPID\nexec sleep 9\n"),
        program("/usr/bin/xauth", "#!/bin/sh\nexit 0\n"),
        program("/usr/bin/mcookie", "#!/bin/sh\necho 1\n"),
    ];
    items.extend(SCRIPTS.iter().map(|(name, text)| program(&format!("/s/{name}"), *text)));
    items
}

fn chains() -> Vec<Vec<String>> {
    let lines = "
        tini -- /app/good|tini -- /app/foreign|tini -g nothing|tini /app/data|tini -s -- /app/text|tini -- /app/no-interpreter
        dumb-init /app/good|dumb-init nothing|dumb-init -- /app/data|dumb-init -c /app/no-interpreter
        catatonit -- /app/good
        gosu web /app/good|gosu web /app/foreign|gosu web nothing|gosu web /app/nothing|gosu web /app/text|gosu root /app/data|gosu web:web true
        env /app/good|env A=1 /app/good|env nothing|env -i /usr/bin/true|env -u A /app/nothing|env /app/data|env /app/text|env A=1 tini -- gosu web /app/foreign
        nice -n 5 /app/good|nice nothing|nohup /app/data|timeout 5 /app/good|timeout -k 1 5 nothing|stdbuf -o0 /app/nothing
        setpriv --reuid 33 --clear-groups /app/good|setpriv --reuid=33 --clear-groups nothing|setsid -w /app/good|setsid -w nothing|ionice -c 3 /app/nothing
        runuser -u web -- /app/good|runuser -u web /app/foreign|runuser -u web nothing|runuser -u web -- /app/roots-own|runuser --user=web /app/text
        runuser web -c /app/good|runuser web -c /app/foreign|runuser web -c nothing|runuser -s /bin/bash web -c /app/nothing|runuser nobody -c true
        su web -c /app/good|su web -s /bin/bash -c nothing|su -c /app/foreign|su web -- /app/script|su web -c /app/roots-own
        chroot / /app/good|chroot / nothing|chroot --userspec=web:web / /app/foreign|chroot --userspec=web / /app/roots-own|chroot / /app/text
        setpriv --reuid=web --regid=web --init-groups /app/roots-own|setpriv --reuid 0 /app/roots-own
        xvfb-run /app/good|xvfb-run -a /app/foreign|xvfb-run --server-args=-x nothing|xvfb-run -n 5 /app/text
        busybox env /app/good|busybox chroot / nothing|busybox env nothing|busybox sh -c /app/good|busybox timeout 5 /app/data|/app/sh -c /app/nothing
        sh -c /app/good|sh -c /app/foreign|sh -c nothing|sh -c /app/nothing|sh -c /app/data|sh -c /app/text|sh -c /app/empty|sh -c /app/no-interpreter
        bash -c /app/good|bash -c /app/foreign|bash -c nothing|bash -c /app/nothing|bash -c /app/data|bash -c /app/text|bash -c /app/empty
        sh /app/script|bash /app/broken-script|sh /app/nothing|bash /app/nothing|dash -e /app/script
        python3 /app/main.py|python3 /app/nothing.py|python3 -c pass|perl /app/main.pl|perl /app/nothing.pl|perl -e 1
        /s/exec-all /app/good|/s/exec-all /app/foreign|/s/exec-all nothing|/s/exec-all /app/nothing|/s/exec-all /app/data|/s/exec-all tini -- gosu web nothing
        /s/bash-exec-all /app/good|/s/bash-exec-all /app/foreign|/s/bash-exec-all nothing|/s/bash-exec-all /app/nothing|/s/bash-exec-all /app/data
        /s/env-split /app/good|/s/env-split /app/foreign|env -S A=1 /app/good|env -S /app/nothing|/s/env-bash /app/good|/s/env-bash /app/foreign|/s/flags-first -x|/s/flags-first|/s/flags-first /app/foreign|/s/bash-flags-first -x|/s/bash-flags-first true
        /s/step-down serve good|/s/step-down serve foreign|/s/step-down true|/s/by-machine|/s/by-other-machine|/s/plain-last good|/s/plain-last foreign|/s/plain-last nothing
        /s/sourced good|/s/sourced foreign|/s/functions /app/good|/s/functions /app/foreign|/s/fails-early|/s/fails-early-unseen|/s/missing-early|/s/loops
        /s/variables|/s/path|/s/path-lost|/s/tests good|/s/tests x|/s/knows|/s/heredoc a|/s/windows|/s/busybox /app/good|/s/busybox nothing|/s/busybox /app/data
        /s/help-first|/s/foreign-either-way|/s/file-env|/s/returns
        /s/sh-e|/s/subshell|/s/or|/s/not|/s/nothing|tini -- /s/exec-all dumb-init gosu web env X=1 /app/good|tini -- /s/exec-all dumb-init gosu web env X=1 /app/foreign
    ";
    let chain = |line: &str| line.split(' ').map(str::to_owned).collect();
    let mut chains: Vec<Vec<String>> =
        lines.split(['|', '\n']).map(str::trim).filter(|line| !line.is_empty()).map(chain).collect();
    for text in [
        "exec /app/good",
        "exec /app/foreign",
        "exec nothing",
        "true && /app/good",
        "true && /app/nothing",
        "A=/app; exec $A/good \"$@\"",
        "exec \"$0\" \"$@\"",
        "cd /app && ./foreign",
        "if [ -f /app/good ]; then /app/good; fi",
        "test -x /app/nothing || /app/nothing",
    ] {
        chains.push(["/bin/sh", "-c", text, "/app/good", "x"].map(str::to_owned).to_vec());
        chains.push(["/bin/bash", "-c", text].map(str::to_owned).to_vec());
    }
    chains
}

/// What was predicted and what was seen, where they differ.
fn disagreement(verdict: &serde_json::Value, said: &Output) -> Option<String> {
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let runs = said.status.success();
    let fate = verdict["outcome"].as_str().unwrap();
    let line = verdict["message"].as_str();
    let agrees = match fate {
        "unsure" => true,
        "runs" => runs,
        // tini's process number differs.
        _ => !runs && line.is_none_or(|line| text.replace("\\\"", "\"").replace("tini (6)", "tini (7)").contains(line)),
    };
    let seen = || format!("   runc:  {} {text:?}\n   model: {fate} {} {line:?}", said.status, verdict["cause"]);
    (!agrees).then(seen)
}

#[test]
fn chains_end_as_runc_sees_them_end() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let image = Image::debian("amd64", &GROUPS).layer(Layer::copy("COPY . /", &files()));
    let layout = image.entrypoint(&["/app/good"]).write(&lab, "chains");
    shell(&lab.path("."), &format!("umoci unpack --image {}:latest whole", layout.display()));
    let bundle = bundle(&lab, &layout, &lab.path("whole"), "bundle");
    let config = bundle.join("config.json");
    let mut settings: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    let (mut wrong, mut unsure, mut broken) = (Vec::new(), 0, 0);
    let chains = chains();
    for (number, chain) in chains.iter().enumerate() {
        settings["process"]["args"] = json!(chain);
        fs::write(&config, settings.to_string()).unwrap();
        let mut words: Vec<String> = chain.iter().map(|word| format!("--entrypoint={word}")).collect();
        words.push(layout.to_str().unwrap().to_owned());
        let model = check_with(&words.iter().map(String::as_str).collect::<Vec<_>>());
        let verdict = model.verdict();
        let id = format!("enoexec-chain-{}-{number}", std::process::id());
        let said = output(Command::new("timeout").args(["20", "runc", "run", "--bundle"]).arg(&bundle).arg(id));
        broken += usize::from(!said.status.success());
        unsure += usize::from(verdict["outcome"] == "unsure");
        wrong.extend(disagreement(verdict, &said).map(|what| format!("{}\n{what}", chain.join(" "))));
    }
    writeln!(stderr(), "chains: {}, {broken} broken, {unsure} cannot be told, {} wrong", chains.len(), wrong.len()).unwrap();
    assert!(
        wrong.is_empty() && unsure * 20 < chains.len(),
        "{} of {}, {unsure} unsure\n{}",
        wrong.len(),
        chains.len(),
        wrong.join("\n")
    );
}

#[test]
fn npm_start_ends_as_package_json_says() {
    let Some(lab) = Lab::open("npm, apt-get and Debian packages") else { return };
    let foreign = debian_file("arm64", "dash", "bin/dash");
    let package = r#"{"scripts": {"start": "tool serve", "fine": "true"}}"#;
    let files = [
        program("/usr/local/bin/npm", "#!/usr/bin/env node\n"),
        link("/usr/local/bin/node", "/usr/bin/true"),
        program("/app/node_modules/.bin/tool", foreign.clone()),
        data("/app/package.json", package),
    ];
    let image = Image::debian("amd64", &[&["libc-bin", "dash", "coreutils"]]).layer(Layer::copy("COPY . /", &files));
    let layout = image.run(&json!({ "Cmd": ["npm", "start"], "WorkingDir": "/app" })).write(&lab, "npm");
    let model = check_with(&[layout.to_str().unwrap()]);
    let folder = lab.path("app");
    fs::create_dir_all(folder.join("node_modules/.bin")).unwrap();
    fs::write(folder.join("package.json"), package).unwrap();
    fs::write(folder.join("node_modules/.bin/tool"), foreign).unwrap();
    shell(&folder, "chmod 755 node_modules/.bin/tool");
    let said = output(Command::new("npm").arg("start").current_dir(&folder));
    let line = model.verdict()["message"].as_str().unwrap();
    assert!(String::from_utf8_lossy(&said.stderr).contains(line), "{line}\n{said:?}");
    model.fails("ENOEXEC", "wrong-machine").finding("wrong-machine").at("/app/node_modules/.bin/tool");
    let model = check_with(&["--cmd", "npm", "--cmd", "run", "--cmd", "fine", layout.to_str().unwrap()]);
    assert_eq!(model.verdict()["outcome"], "runs", "{}", model.shown());
}

/// Starts behind s6-overlay's `/init`, and behind one of which a part is broken.
const SUPERVISED: &[(&str, &[&str], &str)] = &[
    ("", &[], "/app/good"),
    ("", &[], "good"),
    ("", &["S6_CMD_ARG0=/bin/busybox env"], "/app/good"),
    ("", &["S6_CMD_ARG0=/bin/busybox env"], "/app/nothing"),
    ("", &["S6_CMD_RECEIVE_SIGNALS=1"], "/app/nothing"),
    ("", &["S6_KEEP_ENV=1"], "/app/nothing"),
    ("", &["PROGRAM=/app/good"], "/app/needs-variable"),
    ("", &["PROGRAM=/app/good", "S6_KEEP_ENV=1"], "/app/needs-variable"),
    ("", &[], "/app/foreign"),
    ("", &[], "/app/nothing"),
    ("", &[], "/app/no-interpreter"),
    ("", &[], "/app/data"),
    ("", &[], "/app/text"),
    ("", &[], "/app/three"),
    ("rm command/s6-overlay-suexec", &[], "/app/good"),
    ("rm command/s6-overlay-suexec; cp app/foreign command/s6-overlay-suexec", &[], "/app/good"),
    ("rm bin/sh", &[], "/app/good"),
];

/// s6-overlay is not part of this repository: a root with version 3, built from its sources, and with busybox as its `/bin/sh`.
#[test]
fn s6_overlay_ends_as_runc_sees_it_end() {
    let Some(root) = std::env::var_os("ENOEXEC_S6_OVERLAY") else {
        return writeln!(stderr(), "skipped: ENOEXEC_S6_OVERLAY names no root with s6-overlay").unwrap();
    };
    let Some(lab) = Lab::open(NEEDS) else { return };
    let files = [
        program("/app/good", "#!/bin/sh\nexit 0\n"),
        program("/bin/good", "#!/bin/sh\nexit 0\n"),
        program("/app/three", "#!/bin/sh\nexit 3\n"),
        program("/app/needs-variable", "#!/bin/sh\nexec \"${PROGRAM:-/app/nothing}\"\n"),
        program("/app/foreign", debian_file("arm64", "dash", "bin/dash")),
        program("/app/text", "exit 0\n"),
        program("/app/no-interpreter", "#!/usr/bin/ruby\n"),
        moded("/app/data", 0o644, b"data".to_vec()),
    ];
    let tar = |less: &str| run(Command::new("tar").arg("-C").arg(&root).args(["-c", less, "."]));
    let alone = Image::on("linux/amd64").layer(Layer::of_tar("ADD s6-overlay /", &tar("--exclude=nothing")));
    let debian = Image::debian("amd64", &[&["libc-bin", "dash", "coreutils", "busybox"]]);
    let debian = debian.layer(Layer::of_tar("ADD s6-overlay /", &tar("--exclude=./bin")));
    let mut wrong = Vec::new();
    for (name, image) in [("busybox", alone), ("dash", debian)] {
        wrong.extend(supervised(&lab, name, image.copy("COPY app /", &files)));
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), 2 * SUPERVISED.len(), wrong.join("\n"));
}

fn supervised(lab: &Lab, name: &str, image: Image) -> Vec<String> {
    let layout = image.entrypoint(&["/init"]).write(lab, name);
    let whole = format!("{name}-whole");
    shell(&lab.path("."), &format!("umoci unpack --image {}:latest {whole}", layout.display()));
    let mut wrong = Vec::new();
    for (number, (change, variables, program)) in SUPERVISED.iter().enumerate() {
        let bundle = bundle(lab, &layout, &lab.path(&whole), &format!("{name}-{number}"));
        let root = bundle.join("rootfs");
        shell(&root, &format!("mkdir -p run; {change}"));
        let config = bundle.join("config.json");
        let mut settings: serde_json::Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let variables: Vec<&str> = [path].iter().chain(*variables).copied().collect();
        settings["process"]["args"] = json!(["/init", program]);
        settings["process"]["env"] = json!(variables);
        fs::write(&config, settings.to_string()).unwrap();
        let id = format!("enoexec-{name}-{}-{number}", std::process::id());
        let said = output(Command::new("timeout").args(["60", "runc", "run", "--bundle"]).arg(&bundle).arg(id));
        let target = format!("dir:{}", root.display());
        let mut words = vec!["--node=amd64", "--entrypoint=/init", "--cmd", program, &target];
        words.extend(variables.iter().flat_map(|variable| ["--env", *variable]));
        let model = check_with(&words);
        let verdict = model.verdict();
        writeln!(stderr(), "{name} {change} {program}: {} {} {}", said.status, verdict["outcome"], verdict["message"]).unwrap();
        wrong.extend(disagreement(verdict, &said).map(|what| format!("{name} {change} {variables:?} {program}\n{what}")));
    }
    wrong
}
