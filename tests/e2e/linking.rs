//! Made-up roots in which libraries lie in unusual places, or are broken: what the loader says when it is really run there, and what
//! it lists, is what is predicted.

use std::fs;
use std::io::{Write, stderr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::lab::{Lab, output, run, shell};
use crate::packages::{debian, debian_file};
use crate::run::check_with;

/// Shell functions: `lib NAME DIRECTORY OPTIONS…` and `app OPTIONS…`, in the root. What is missing when it is linked is left open.
const FUNCTIONS: &str = r#"
lib() { name=$1 dir=$2; shift 2; mkdir -p ".$dir"
  echo "int $name(void) { return 0; }" > .c.c
  $CC -shared -fPIC -o ".$dir/lib$name.so" -Wl,-soname,lib$name.so -Wl,--no-as-needed -Wl,--allow-shlib-undefined "$@" .c.c
  [ "$(pwd)" != / ] || exit 1; cp ".$dir/lib$name.so" "$LINK/"; }
app() { echo "int main(void) { return 0; }" > .c.c
  $CC -o app -Wl,--no-as-needed -Wl,--allow-shlib-undefined -L "$LINK" .c.c "$@"; }
byte() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
old=-Wl,--disable-new-dtags new=-Wl,--enable-new-dtags
"#;

/// What is built, and with which variables it is run. An empty variable is none.
const CASES: &[(&str, &str)] = &[
    ("lib a /usr/lib; app -la", ""),
    ("lib a /opt/l; app -la", ""),
    ("lib a /opt/l; app $old -Wl,-rpath,/opt/l -la", ""),
    ("lib a /opt/l; app $new -Wl,-rpath,/opt/l -la", ""),
    ("lib a /opt/l; app $new -Wl,-rpath,'$ORIGIN/opt/l' -la", ""),
    ("lib a /opt/l; app $old -Wl,-rpath,'${ORIGIN}/opt/l' -la", ""),
    ("lib a /opt/l; app $new -Wl,-rpath,'$ORIGIN/opt/../opt/./l/' -la", ""),
    ("lib a /opt/lib/x86_64-linux-gnu; app $new -Wl,-rpath,'/opt/$LIB' -la", ""),
    ("lib a /opt/l; app $new -Wl,-rpath,'/opt/$NOTHING:/opt/l' -la", ""),
    ("lib b /opt/l; lib a /opt/l -L $LINK -lb; app $new -Wl,-rpath,/opt/l -la", ""),
    ("lib b /opt/l; lib a /opt/l -L $LINK -lb; app $old -Wl,-rpath,/opt/l -la", ""),
    ("lib b /opt/l; lib a /opt/l $new -Wl,-rpath,/nowhere -L $LINK -lb; app $old -Wl,-rpath,/opt/l -la", ""),
    ("lib b /opt/b; lib a /opt/l $new -Wl,-rpath,'$ORIGIN/../b' -L $LINK -lb; app $new -Wl,-rpath,/opt/l -la", ""),
    ("lib d /opt/l; lib b /opt/l -L $LINK -ld; lib a /opt/l -L $LINK -lb; app $old -Wl,-rpath,/opt/l -la", ""),
    ("lib a /opt/l; app -la", "LD_LIBRARY_PATH=/opt/l"),
    ("lib a /opt/l; app -la", "LD_LIBRARY_PATH=:/nowhere;/opt/l/"),
    ("lib a /opt/l; app -la", "LD_LIBRARY_PATH=opt/l"),
    ("lib a /; app -la", "LD_LIBRARY_PATH=/nowhere:"),
    ("lib a /opt/l; app -la", "LD_LIBRARY_PATH=$ORIGIN/opt/l"),
    ("lib a /one; lib a /two; app $old -Wl,-rpath,/one -la", "LD_LIBRARY_PATH=/two"),
    ("lib a /one; lib a /two; app $new -Wl,-rpath,/one -la", "LD_LIBRARY_PATH=/two"),
    ("lib a /usr/lib; lib a /two; app -la", "LD_LIBRARY_PATH=/two"),
    ("lib a /opt/l; app", "LD_PRELOAD=/opt/l/liba.so"),
    ("lib a /usr/lib; app", "LD_PRELOAD=liba.so"),
    ("app", "LD_PRELOAD=/nowhere/liba.so libnothing.so"),
    ("lib a /opt/l; echo /opt/l/liba.so > etc/ld.so.preload; app", ""),
    ("lib a /opt/l; echo /opt/l > etc/ld.so.conf; ldconfig -r .; app -la", ""),
    (
        "lib a /opt/l; echo 'include /etc/more/*.conf' > etc/ld.so.conf; mkdir etc/more; echo /opt/l > etc/more/x.conf; ldconfig -r .; app -la",
        "",
    ),
    ("lib a /opt/l; echo /opt/l > etc/ld.so.conf; app -la", ""),
    ("lib a /opt/l; echo /opt/l > etc/ld.so.conf; ldconfig -r .; rm opt/l/liba.so; app -la", ""),
    ("lib a /opt/l; echo /opt/l > etc/ld.so.conf; ldconfig -r .; mv opt/l/liba.so usr/lib; app -la", ""),
    ("lib a /opt/l; lib a /usr/lib; echo /opt/l > etc/ld.so.conf; ldconfig -r .; app -la", ""),
    ("lib a /usr/lib; app -Wl,-z,nodefaultlib -la", ""),
    ("lib a /opt/l; app -Wl,-z,nodefaultlib $new -Wl,-rpath,/opt/l:/lib/x86_64-linux-gnu -la", ""),
    ("lib a /one; byte one/liba.so 18 '\\267'; lib a /two; app $new -Wl,-rpath,/one:/two -la", ""),
    ("lib a /usr/lib; app -la; byte usr/lib/liba.so 18 '\\267'", ""),
    ("lib a /usr/lib; app -la; byte usr/lib/liba.so 4 '\\001'", ""),
    ("lib a /one; byte one/liba.so 4 '\\001'; lib a /two; app $new -Wl,-rpath,/one:/two -la", ""),
    ("lib a /usr/lib; app -la; byte usr/lib/liba.so 5 '\\002'", ""),
    ("lib a /usr/lib; app -la; byte usr/lib/liba.so 16 '\\001'", ""),
    ("lib a /usr/lib; app -la; : > usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; echo text > usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; seq 100 > usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; rm usr/lib/liba.so; mkdir usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; mv usr/lib/liba.so opt/liba.so.1; ln -s /opt/liba.so.1 usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; rm usr/lib/liba.so; ln -s nothing usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; mv usr/lib/liba.so usr/lib/liba.so.1", ""),
    ("lib a /usr/lib; ln -s liba.so usr/lib/libz.so; cp usr/lib/libz.so $LINK/; lib b /usr/lib -L $LINK -la; app -lb -la", ""),
    ("lib d /usr/lib; lib b /usr/lib -L $LINK -ld; lib a /usr/lib -L $LINK -ld; app -la -lb", ""),
    ("lib b /usr/lib; lib a /usr/lib -L $LINK -lb; app -la; rm usr/lib/libb.so", ""),
    (
        "echo 'V1 { a; }; V2 { zz; } V1;' > .v; lib a /usr/lib -Wl,--version-script=.v -Wl,--undefined-version; echo 'extern int a(void); int main(void) { return a(); }' > .m.c; gcc -o app .m.c -L $LINK -la; echo 'V0 { a; };' > .v; lib a /usr/lib -Wl,--version-script=.v",
        "",
    ),
    (
        "echo 'V1 { a; };' > .v; lib a /usr/lib -Wl,--version-script=.v; echo 'extern int a(void); int main(void) { return a(); }' > .m.c; gcc -o app .m.c -L $LINK -la; lib a /usr/lib",
        "",
    ),
    (
        "echo 'V1 { a; };' > .v; lib a /usr/lib -Wl,--version-script=.v; echo 'extern int a(void); int main(void) { return a(); }' > .m.c; gcc -o app .m.c -L $LINK -la",
        "",
    ),
];

const MUSL: &[(&str, &str)] = &[
    ("lib a /usr/lib; app -la", ""),
    ("lib a /opt/l; app -la", ""),
    ("lib a /opt/l; app -la", "LD_LIBRARY_PATH=/nowhere:/opt/l"),
    ("lib a /opt/l; app $new -Wl,-rpath,'$ORIGIN/opt/l' -la", ""),
    ("lib b /opt/l; lib a /opt/l -L $LINK -lb; app $new -Wl,-rpath,/opt/l -la", ""),
    ("lib b /opt/l; lib a /opt/l $new -Wl,-rpath,/nowhere -L $LINK -lb; app $old -Wl,-rpath,/opt/l -la", ""),
    ("lib a /opt/l; echo /opt/l > etc/ld-musl-x86_64.path; app -la", ""),
    ("lib a /usr/lib; printf '/opt/l:/x\\n/usr/lib' > etc/ld-musl-x86_64.path; app -la", ""),
    ("lib a /usr/lib; app -la; : > usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; seq 1000 > usr/lib/liba.so", ""),
    ("lib a /usr/lib; app -la; CC=aarch64-linux-gnu-gcc; lib a /usr/lib", ""),
    ("lib a /usr/lib; app -la; CC=s390x-linux-gnu-gcc; lib a /usr/lib", ""),
    ("lib a /usr/lib; app -la; CC=arm-linux-gnueabihf-gcc; lib a /usr/lib", ""),
    ("lib b /usr/lib; lib a /usr/lib -L $LINK -lb; app -la; rm usr/lib/libb.so", ""),
    ("lib a /usr/lib; app", "LD_PRELOAD=liba.so"),
];

/// A root with a C library and a static shell, and room for more.
fn root(lab: &Lab, name: &str, base: &Path) -> std::path::PathBuf {
    let root = lab.path(name);
    run(Command::new("cp").arg("-al").arg(base).arg(&root));
    for folder in ["etc", "opt", "usr/lib", "proc"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    root
}

struct Tools<'a> {
    compiler: &'a str,
    /// How the loader is asked for its list.
    listing: &'a [&'a str],
}

/// Builds a root, runs its program there, and holds all of it against what is predicted.
fn compare(
    lab: &Lab,
    (number, base): (usize, &Path),
    tools: &Tools<'_>,
    (build, variable): (&str, &str),
) -> Result<bool, String> {
    let name = format!("{}{number}", tools.compiler);
    let root = root(lab, &name, base);
    let link = lab.path(&format!("link-{name}"));
    fs::create_dir_all(&link).unwrap();
    shell(&root, &format!("CC={} LINK={}\n{FUNCTIONS}\n{build}\nrm -f .c.c .m.c .v", tools.compiler, link.display()));
    let inside = |words: &[&str], more: &[&str]| {
        let variables = more.iter().copied().chain([variable]).filter(|variable| !variable.is_empty());
        let mut command = Command::new("chroot");
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg(&root).args(["/busybox", "env"]);
        // `$ORIGIN` of a program is read from /proc.
        let script = "mount -t proc none \"$1/proc\"; shift; exec \"$@\"";
        let chroot: Vec<_> =
            std::iter::once(command.get_program().to_owned()).chain(command.get_args().map(ToOwned::to_owned)).collect();
        let mut mounted = Command::new("unshare");
        mounted.args(["--mount", "sh", "-euc", script, "sh"]).arg(&root).args(chroot).args(variables).args(words);
        output(mounted.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"))
    };
    let said = inside(&["/app"], &[]);
    let (listing, more) = tools.listing.split_last().unwrap();
    let list = inside(&[more, &["/app"]].concat(), &[listing]);
    let target = format!("dir:{}", root.display());
    let mut words = vec!["--node", "amd64", "--entrypoint", "/app"];
    words.extend(if variable.is_empty() { vec![] } else { vec!["--env", variable] });
    words.push(&target);
    let model = check_with(&words);
    let verdict = model.verdict();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    let fate = verdict["outcome"].as_str().unwrap();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let agrees = match verdict["message"].as_str() {
        None if fate == "runs" => said.status.success(),
        // What it says depends on more than is known, but it ends as it is said to end.
        None => !said.status.success() && verdict["exit_code"].as_i64() == said.status.code().map(i64::from),
        Some(message) => {
            let code = said.status.code().map(i64::from);
            verdict["exit_code"].as_i64() == code && lines(message).iter().all(|line| lines(&text).contains(line))
        }
    };
    let listed = String::from_utf8_lossy(&list.stdout).into_owned();
    let predicted = verdict["libraries"].as_array().unwrap();
    let is_listed = |library: &serde_json::Value| match (library["name"].as_str().unwrap(), library["path"].as_str()) {
        (name, Some(path)) => listed.contains(&format!("{name} => {path} (0x")) || listed.contains(&format!("\t{path} (0x")),
        (name, None) => listed.contains(&format!("{name} => not found")) || text.contains(name),
    };
    // Where the loader gives up over a broken file it lists nothing.
    let all_listed = !list.status.success() && !agrees || listed.is_empty() || predicted.iter().all(is_listed);
    if agrees && all_listed {
        return Ok(said.status.success());
    }
    Err(format!("{build} [{variable}]\n  said {} {text:?}\n  listed {listed:?}\n  model {verdict}", said.status))
}

#[test]
fn made_up_roots_link_as_their_loader_links_them() {
    let Some(lab) = Lab::open("root, gcc, musl-gcc, unshare and Debian packages") else { return };
    if std::env::consts::ARCH != "x86_64" {
        return;
    }
    let (glibc, musl) = (lab.path("glibc"), lab.path("musl"));
    for (folder, package) in [(&glibc, "libc6"), (&musl, "musl")] {
        fs::create_dir_all(folder.join("etc")).unwrap();
        for package in debian("amd64", &[package]) {
            run(Command::new("dpkg-deb").arg("-x").arg(package).arg(folder));
        }
        fs::write(folder.join("busybox"), debian_file("amd64", "busybox-static", "bin/busybox")).unwrap();
        fs::set_permissions(folder.join("busybox"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let gcc = Tools { compiler: "gcc", listing: &["/lib64/ld-linux-x86-64.so.2", "LD_TRACE_LOADED_OBJECTS=1"] };
    let musl_gcc = Tools { compiler: "musl-gcc", listing: &["/lib/ld-musl-x86_64.so.1", "--list", ""] };
    let all = CASES.iter().map(|case| (&glibc, &gcc, case)).chain(MUSL.iter().map(|case| (&musl, &musl_gcc, case)));
    let (mut wrong, mut broken, mut count) = (Vec::new(), 0, 0);
    for (number, (base, tools, case)) in all.enumerate() {
        count += 1;
        match compare(&lab, (number, base), tools, *case) {
            Ok(runs) => broken += usize::from(!runs),
            Err(text) => wrong.push(text),
        }
    }
    writeln!(stderr(), "made-up roots: {count}, {broken} broken, {} wrong", wrong.len()).unwrap();
    assert!(wrong.is_empty() && broken > 15, "{} of {count}\n{}", wrong.len(), wrong.join("\n"));
}
