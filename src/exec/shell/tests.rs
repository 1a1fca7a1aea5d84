use proptest::prelude::*;

use super::{End, Ending, Setting, run};
use crate::base::GuestPath;
use crate::exec::tests::{File, elf, rootfs};
use crate::image::Credentials;
use crate::node::Node;

fn ending(script: &str, arguments: &[&str], uid: u32, node: &str) -> Ending {
    let rootfs = rootfs(vec![
        ("/bin/there", File::program(&elf(183, 64, false, None))),
        ("/etc/there.conf", File::kept("A=1\n")),
        ("/lib/own.sh", File::kept("#!/bin/sh\nGREETING=hello\n")),
    ]);
    let who = Credentials { uid, gid: uid, dac_override: uid == 0, ..Credentials::default() };
    let setting = Setting {
        rootfs: &rootfs,
        node: &Node::parse(node).unwrap(),
        who: &who,
        name: b"/entry.sh".to_vec(),
        arguments: arguments.iter().map(|word| Some(word.as_bytes().to_vec())).collect(),
        env: vec![b"PATH=/bin".to_vec(), b"MODE=fast".to_vec()],
        cwd: GuestPath::root(),
        stops_on_error: false,
    };
    run(&setting, script.as_bytes())
}

fn shown(end: &End) -> String {
    match end {
        End::Start(started) => {
            let word =
                |word: &Option<Vec<u8>>| word.as_ref().map_or("?".to_owned(), |word| String::from_utf8_lossy(word).into_owned());
            let words: Vec<String> = started.argv.iter().map(word).collect();
            format!("{}{}", if started.is_exec { "exec " } else { "" }, words.join(" "))
        }
        End::Exit(code) => format!("exit {code:?}"),
        End::Unsure(_) => "unsure".to_owned(),
    }
}

/// The end, and behind `|` what may happen instead.
fn ends_with(script: &str, arguments: &[&str]) -> String {
    let ending = ending(script, arguments, 0, "arm64");
    let others: Vec<String> = ending.others.iter().map(shown).collect();
    if others.is_empty() { shown(&ending.end) } else { format!("{} | {}", shown(&ending.end), others.join(" | ")) }
}

#[test]
fn the_last_command_is_the_programs() {
    assert_eq!(ends_with("exec \"$@\"", &["/app", "a b"]), "exec /app a b");
    assert_eq!(ends_with("echo hi\nnode server.js", &[]), "node server.js");
    assert_eq!(ends_with("A=x; exec $A \"$MODE\" ${B:-y} '*' * z", &[]), "exec x fast y * ? z");
    assert_eq!(ends_with("exec > /dev/null; cd /bin && exec ./there", &[]), "exec ./there");
    assert_eq!(ends_with("true\n", &[]), "exit Some(0)");
    assert_eq!(ends_with("a &\nwait", &[]), "exit None");
    assert_eq!(ends_with("a | b", &[]), "unsure");
    assert_eq!(ends_with("if true; then a; else b; fi", &[]), "a");
}

#[test]
fn entrypoints_that_put_their_program_first() {
    let script = "set -e\nif [ \"${1#-}\" != \"$1\" ] || [ -z \"$1\" ]; then set -- server \"$@\"; fi\nexec \"$@\"";
    assert_eq!(ends_with(script, &["-x"]), "exec server -x");
    assert_eq!(ends_with(script, &["bash"]), "exec bash");
    assert_eq!(ends_with(script, &[]), "exec server");
    let script = "[ \"${1:0:1}\" = '-' ] && set -- mysqld \"$@\"\nexec \"$@\"";
    assert_eq!((ends_with(script, &["-v"]), ends_with(script, &["sh"])), ("exec mysqld -v".into(), "exec sh".into()));
    let script = "case \"$1\" in -*) exec app \"$@\";; serve|run*) shift; exec app serve \"$@\";; esac\nexec \"$@\"";
    assert_eq!(ends_with(script, &["runner", "x"]), "exec app serve x");
    assert_eq!(ends_with(script, &["-h"]), "exec app -h");
    assert_eq!(ends_with(script, &["sh"]), "exec sh");
}

#[test]
fn who_and_where_it_runs_decides() {
    let script = "if [ \"$(id -u)\" = '0' ]; then exec gosu app \"$0\" \"$@\"; fi\nexec \"$@\"";
    assert_eq!(shown(&ending(script, &["x"], 0, "arm64").end), "exec gosu app /entry.sh x");
    assert_eq!(shown(&ending(script, &["x"], 7, "arm64").end), "exec x");
    let script = "case $(uname -m) in x86_64|amd64) A=amd64;; aarch64) A=arm64;; *) exit 1;; esac\nexec /app-$A";
    assert_eq!(shown(&ending(script, &[], 0, "arm64").end), "exec /app-arm64");
    assert_eq!(shown(&ending(script, &[], 0, "amd64").end), "exec /app-amd64");
    assert_eq!(shown(&ending(script, &[], 0, "s390x").end), "exit Some(1)");
}

#[test]
fn files_and_functions_and_sourced_files() {
    assert_eq!(ends_with("if [ -x /bin/there ] && [ ! -e /bin/gone ]; then a; else b; fi", &[]), "a");
    assert_eq!(ends_with("test -f /etc/there.conf || exit 3\na", &[]), "a");
    assert_eq!(ends_with("command -v there > /dev/null && exec there\nb", &[]), "exec there");
    assert_eq!(ends_with("command -v gone || exec b", &[]), "exec b");
    assert_eq!(ends_with(". /lib/own.sh\nexec $GREETING", &[]), "exec hello");
    assert_eq!(ends_with("main() { local x=$1; shift; exec $x \"$@\"; }\nmain a \"$@\"", &["b"]), "exec a b");
    assert_eq!(ends_with("f() { [ -n \"$1\" ] || return 1; }\nif f; then a; else b; fi", &[]), "b");
    assert_eq!(ends_with("eval exec \"$1\"", &["a"]), "exec a");
    assert_eq!(ends_with("for f in a b; do X=$X$f; done; exec $X", &[]), "exec ab");
}

#[test]
fn an_unknown_variable_does_not_make_path_unknown() {
    assert_eq!(ends_with("export HOST=${HOST:-$HOSTNAME}\nexec there", &[]), "exec there");
    assert_eq!(ends_with("export PATH=\"$(there):$PATH\"\nexec there", &[]), "unsure");
    assert_eq!(ends_with("export PATH=\"$(there):$PATH\"\nexec /bin/there", &[]), "exec /bin/there");
    assert_eq!(ends_with("export A=\"x y\" B=$MODE; exec \"$A\" $B", &[]), "exec x y fast");
}

#[test]
fn a_script_knows_its_own_name_and_its_arguments_by_number() {
    assert_eq!(
        ends_with("exec \"${BASH_SOURCE[0]}\" \"$BASH_SOURCE\" \"${@:2}\"", &["a", "b", "c"]),
        "exec /entry.sh /entry.sh b c"
    );
    assert_eq!(ends_with("exec a \"${@:1:1}\" \"${@:5}\"", &["a", "b"]), "exec a a");
    assert_eq!(ends_with("[ -z \"$(command -v \"$1\")\" ] && set -- node \"$@\"; exec \"$@\"", &["x.js"]), "exec node x.js");
}

#[test]
fn arguments_that_depend_on_a_branch_are_followed_both_ways() {
    let script = "if there help \"$1\"; then set -- there \"$@\"; fi\nX=1\nexec \"$@\"";
    assert_eq!(ends_with(script, &["sh"]), "exec sh | exec there sh");
    let script = "if there; then set -- a; fi\nif there; then set -- \"$@\" b; fi\nexec \"$@\"";
    assert_eq!(ends_with(script, &["x"]), "exec x | exec a b | exec x b | exec a");
    let script = "f() { if there; then set -- a; fi; }\nf b\nexec \"$@\"";
    assert_eq!(ends_with(script, &["x"]), "exec x");
    let script = "if (there && set -- a); then b; fi\nexec \"$@\"";
    assert_eq!(ends_with(script, &["x"]), "exec x");
    let script = "for f in 1 2; do there && set -- a; done\nexec \"$@\"";
    assert_eq!(ends_with(script, &["x"]), "unsure | exec a");
}

#[test]
fn a_branch_that_returns_does_not_run_what_follows() {
    assert_eq!(ends_with("f() { if there; then return; fi; exec a; }\nf\nexec b", &[]), "exec b | exec a");
    assert_eq!(ends_with("f() { there || return 0; X=1; }\nf\nexec a$X", &[]), "unsure");
    assert_eq!(ends_with("there || exit\nexec a", &[]), "exec a | exit Some(1)");
    assert_eq!(ends_with("f() { there || return; }\nif f; then exec a; fi\nexec b", &[]), "exec b | exec a");
    assert_eq!(ends_with("f() { there && return 1; return 2; }\nif f; then exec a; fi\nexec b", &[]), "exec b");
}

#[test]
fn variables_are_named_by_variables() {
    let script = "env_of() { local var=\"$1\"; local val=\"${2:-}\"; if [ \"${!var:-}\" ]; then val=\"${!var}\"; fi; export \"$var\"=\"$val\"; }
env_of MODE slow; env_of OTHER new; exec a \"$MODE\" $OTHER";
    assert_eq!(ends_with(script, &[]), "exec a fast new");
    assert_eq!(ends_with("export \"$(there)\"=x\nexec there", &[]), "unsure");
}

/// As dash, bash and busybox split them.
#[test]
fn values_are_split_at_the_separators() {
    let fields = |script: &str| {
        let ending = ending(script, &["p q", "r:s", ""], 0, "arm64");
        let argv = ending.end.started().map(|started| started.argv.clone()).unwrap();
        let word =
            |word: &Option<Vec<u8>>| word.as_ref().map_or("?".to_owned(), |word| String::from_utf8_lossy(word).into_owned());
        argv.iter().skip(1).map(|field| format!("<{}>", word(field))).collect::<String>()
    };
    for (script, expected) in [
        ("A=' a  b'; exec t $A", "<a><b>"),
        ("IFS=:; A='x y'; exec t $A", "<x y>"),
        ("IFS=:; A='a:b::c:'; exec t x$A", "<xa><b><><c>"),
        ("IFS=:; A='a:b::c:'; exec t $A", "<a><b><><c>"),
        ("IFS=:; A='a:b::c:'; exec t ${A}y", "<a><b><><c><y>"),
        ("IFS=:; A=:a; exec t $A", "<><a>"),
        ("IFS=:; A=:a; exec t x$A", "<x><a>"),
        ("IFS=' :'; A=' a : b  c '; exec t $A", "<a><b><c>"),
        ("IFS=' :'; A=' a : b  c '; exec t x${A}y", "<x><a><b><c><y>"),
        ("IFS=' :'; A=' : a'; exec t x$A", "<x><a>"),
        ("IFS=' :'; A=' : a'; exec t $A", "<><a>"),
        ("IFS=; A='a b'; exec t $A", "<a b>"),
        ("IFS=; A=; exec t $A z \"$A\"", "<z><>"),
        ("IFS=:; A=:; exec t $A$A", "<><>"),
        ("IFS=:; A='a b:c d'; exec t $A", "<a b><c d>"),
        ("IFS=:; exec t $@", "<p q><r><s>"),
        ("IFS=:; exec t $* ", "<p q><r><s>"),
        ("IFS=:; exec t \"$*\"", "<p q:r:s:>"),
        ("IFS=; X=$*; exec t \"$X\"", "<p qr:s>"),
        ("IFS=:; unset IFS; A=' a  b'; exec t $A \"$*\"", "<a><b><p q r:s >"),
        ("IFS=$(there); A='a b'; exec t x $A y", "<x><?>"),
    ] {
        assert_eq!(fields(script), expected, "{script}");
    }
}

#[test]
fn loops_are_followed_round_by_round_as_long_as_that_is_known() {
    let script = "while [ $# -gt 0 ]; do case $1 in -*) shift;; *) exec \"$@\";; esac; done; exec z";
    assert_eq!(ends_with(script, &["-a", "-b", "app", "x"]), "exec app x");
    assert_eq!(ends_with(script, &["-a"]), "exec z");
    let has = "has() { while test $# -gt 1; do if test $1 = x; then return; fi; shift; done; false; }\n";
    assert_eq!(ends_with(&format!("{has}if has a x z; then exec a; fi; exec b"), &[]), "exec a");
    assert_eq!(ends_with(&format!("{has}if has a y z; then exec a; fi; exec b"), &[]), "exec b");
    assert_eq!(ends_with("A=x; until [ $A = xxx ]; do A=x$A; done; exec $A", &[]), "exec xxx");
    assert_eq!(ends_with("A=x; while :; do A=x$A; done; exec $A", &[]), "unsure");
    assert_eq!(ends_with("A=x; while there; do A=y; done; exec $A", &[]), "unsure");
    assert_eq!(ends_with("while :; do if there; then exec a; fi; done", &[]), "exit None | exec a");
    assert_eq!(ends_with("while true; do there; done; exec never", &[]), "exit None");
    assert_eq!(ends_with("while [ ! -e /data/x ]; do there; done; exec a", &[]), "exec a");
}

#[test]
fn what_cannot_be_judged_stays_open() {
    assert_eq!(ends_with("if there -f x; then exec a; fi\nexec b", &[]), "exec b | exec a");
    assert_eq!(ends_with("X=$(there)\nexec /app-$X", &[]), "unsure");
    assert_eq!(ends_with("X=$(there)\nexec a $X b", &[]), "exec a ?");
    assert_eq!(ends_with("X=$(there)\nexec a \"$X\" b", &[]), "exec a ? b");
    assert_eq!(ends_with("there\nif [ -f /data/PG_VERSION ]; then exec a; fi\nexec a", &[]), "exec a | exec a");
    assert_eq!(ends_with("while read x; do exec a; done\nexec b", &[]), "exec b | exec a");
    assert_eq!(ends_with("if [ -z \"$HOSTNAME\" ]; then A=1; else A=2; fi\nexec $A", &[]), "unsure");
    assert_eq!(ends_with(". /run/unknown\n", &[]), "exit Some(1)");
}

#[test]
fn set_e_ends_at_what_surely_fails() {
    assert_eq!(ends_with("set -e\n/bin/gone x\nexec a", &[]), "/bin/gone x");
    assert_eq!(ends_with("set -eu\nset +e\n/bin/gone\nexec a", &[]), "exec a");
    assert_eq!(ends_with("set -e\nif /bin/gone; then b; fi\n/bin/gone || true\nexec a", &[]), "exec a");
    assert_eq!(ends_with("set -e\n[ -f /bin/gone ]\nexec a", &[]), "exit Some(1)");
    assert_eq!(ends_with("set -e\n[ -f /bin/gone ] && b\nexec a", &[]), "exec a");
}

#[test]
fn endless_scripts_end() {
    ends_with("f() { f; }; f", &[]);
    ends_with("f() { f | f; g $(f); f && f || f; }; f; f", &[]);
    ends_with(&"if x; then a; else b; fi\n".repeat(2000), &[]);
    ends_with(&"if x; then ".repeat(100), &[]);
    ends_with(&"for a in 1 2 3 4 5 6 7 8 9; do ".repeat(20), &[]);
    ends_with(&"while x; do ".repeat(30), &[]);
    ends_with(&"while :; do ".repeat(30), &[]);
    ends_with("while :; do while :; do while :; do A=$A$A; set -- \"$@\" \"$@\"; done; done; done", &["a"]);
}

proptest! {
    #[test]
    fn no_script_panics(parts in proptest::collection::vec(prop_oneof![
        Just("if "), Just("then "), Just("fi\n"), Just("else "), Just("exec "), Just("\"$@\" "), Just("$1 "), Just("${X:-y} "), Just("set -- "),
        Just("a "), Just("; "), Just("\n"), Just("&& "), Just("|| "), Just("$(b) "), Just("case x in "), Just("x) "), Just(";; "), Just("esac\n"),
        Just("shift\n"), Just("[ "), Just("] "), Just("-f "), Just("= "), Just("f() { "), Just("}\n"), Just("IFS=: "), Just("A=$A$@ "), Just("$A "), Just("until "), Just("test $# -gt 0\n"), Just("f\n"), Just("while "), Just("do "), Just("done\n"),
    ], 0..40)) {
        ends_with(&parts.concat(), &["p", "q"]);
    }
}
