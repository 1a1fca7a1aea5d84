use super::{Kind, Piece, Script, Statement, Word};

/// A script in few words, to compare.
fn shown(statements: &[Statement]) -> String {
    statements.iter().map(statement).collect::<Vec<_>>().join("; ")
}

fn statement(statement: &Statement) -> String {
    let text = match &statement.kind {
        Kind::Command(command) => {
            let assignments = command.assignments.iter().map(|(name, value)| format!("{name}={}", word(value)));
            let redirects = command.redirects.iter().filter(|redirect| redirect.target.literal() != Some(b"/dev/null".to_vec()));
            let redirects = redirects.filter(|redirect| redirect.operator != ">&");
            let redirects = redirects.map(|redirect| format!("{}{}", redirect.operator, word(&redirect.target)));
            assignments.chain(command.words.iter().map(word)).chain(redirects).collect::<Vec<_>>().join(" ")
        }
        Kind::Test { words, .. } => format!("[{}]", words.iter().map(word).collect::<Vec<_>>().join(" ")),
        Kind::And(left, right) => format!("({} && {})", self::statement(left), self::statement(right)),
        Kind::Or(left, right) => format!("({} || {})", self::statement(left), self::statement(right)),
        Kind::Not(inner) => format!("!{}", self::statement(inner)),
        Kind::Pipeline(parts) => format!("<{}>", shown(parts)),
        Kind::If(branches, otherwise) => {
            let branches = branches.iter().map(|(condition, body)| format!("if {} then {} ", shown(condition), shown(body)));
            format!("{}else {} fi", branches.collect::<String>(), shown(otherwise))
        }
        Kind::Case(value, items) => {
            let item = |(patterns, body): &(Vec<Word>, Vec<Statement>)| {
                format!("{}) {}", patterns.iter().map(word).collect::<Vec<_>>().join("|"), shown(body))
            };
            format!("case {} {}", word(value), items.iter().map(item).collect::<Vec<_>>().join(" / "))
        }
        Kind::For(name, words, body) => {
            let words = words.as_ref().map(|words| words.iter().map(word).collect::<Vec<_>>().join(" "));
            format!("for {name} in {} do {}", words.unwrap_or("-".into()), shown(body))
        }
        Kind::Loop(condition, body) => format!("while {} do {}", shown(condition), shown(body)),
        Kind::Function(name, body) => format!("{name}() {}", self::statement(body)),
        Kind::Group(inner) => format!("{{{}}}", shown(inner)),
        Kind::Subshell(inner) => format!("({})", shown(inner)),
        Kind::Unread => "UNREAD".to_owned(),
    };
    if statement.in_background { format!("{text} &") } else { text }
}

fn word(word: &Word) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text { text, quoted: false, .. } => String::from_utf8_lossy(text).into_owned(),
        Piece::Text { text, quoted: true, .. } if text.is_empty() => String::new(),
        Piece::Text { text, quoted: true, .. } => format!("'{}'", String::from_utf8_lossy(text)),
        Piece::Parameter { name, operation: None, .. } => format!("${name}"),
        Piece::Parameter { name, operation: Some(operation), .. } => {
            format!(
                "${{{name} {} {}}}",
                operation.operator,
                operation.operands.iter().map(self::word).collect::<Vec<_>>().join(",")
            )
        }
        Piece::Output { statements, .. } => format!("$({})", shown(statements)),
        Piece::Unread => "?".to_owned(),
    };
    word.0.iter().map(piece).collect()
}

fn read(text: &str) -> String {
    let script = Script::read(text.as_bytes());
    assert!(script.is_whole, "{text}: {script:?}");
    shown(&script.statements)
}

#[test]
fn a_case_in_a_substitution_may_have_text_behind_it() {
    let script = Script::read(b"curl \"https://x/$(case $(uname -m) in x86_64) echo x64;; *) echo other;; esac)/tool\"");
    assert!(script.is_whole, "{script:?}");
    assert_eq!(shown(&script.statements), "curl 'https://x/'$(case $(uname -m) x86_64) echo x64 / *) echo other)'/tool'");
}

#[test]
fn commands_and_their_words() {
    assert_eq!(read("A=1 B=\"x $1\" go --flag 'raw' a\"b\"c$D \\* > /dev/null 2>&1"), "A=1 B='x '$1 go --flag 'raw' a'b'c$D '*'");
    assert_eq!(read("exec env A=1 ./foo </dev/null \"$@\" &"), "exec env A=1 ./foo $@ &");
    assert_eq!(read("export PATH=\"/x:$PATH\" B"), "export 'PATH=''/x:'$PATH B");
    assert_eq!(read("a \\\n  b # c\n"), "a b");
    assert_eq!(read("cat <<EOF\nx $Y\nEOF\nb"), "cat <<'x '$Y'\n'; b");
    assert_eq!(read("cat <<'EOF' >f && b\nx $Y\nEOF\nc"), "(cat <<'x $Y\n' >f && b); c");
    assert_eq!(read("a && b | c > f"), "(a && <b; c >f>)");
    assert_eq!(read("cat > f <<-EOF | sh\n\tx\nEOF\n"), "<cat >f <<-'x\n'; sh>");
    assert_eq!(read("get h/$G/b$G-x.gz $A$B y"), "get h/$G/b$G-x.gz $A$B y");
    assert_eq!(read("set -- node \"$@\""), "set -- node $@");
}

#[test]
fn expansions() {
    assert_eq!(
        read("x ${1#-} ${X:-a b} ${X/a/b} ${1:0:1} ${#X} ${X%%.*}"),
        "x ${1 # -} ${X :- a b} ${X / a,b} ${1 : 0,1} ${X length } ${X %% .*}"
    );
    assert_eq!(read("a=\"$(uname -m)\" b=`id -u`"), "a=$(uname -m) b=$(id -u)");
    assert_eq!(read("a=$((1 + 2))"), "a=?");
    assert_eq!(read("echo \"a  $B  c\""), "echo 'a  '$B'  c'");
}

#[test]
fn compounds() {
    assert_eq!(read("a && ! b || (c; d) &"), "((a && !b) || (c; d)) &");
    assert_eq!(
        read("if [ \"$1\" = x ]; then a; elif b; then c & else d; fi"),
        "if [$1 = 'x'] then a if b then c & else d fi".replace("'x'", "x")
    );
    assert_eq!(read("case \"$1\" in\n a|b*) x ;;\n *) y; z;;\nesac"), "case $1 a|b*) x / *) y; z");
    assert_eq!(read("for i in a \"$@\"; do f $i; done; for j; do k; done"), "for i in a $@ do f $i; for j in - do k");
    assert_eq!(read("while true; do break; done"), "while true do break");
    assert_eq!(read("until a; do b; done"), "while !{a} do b");
    assert_eq!(read("f() { a | b; }"), "f() {<a; b>}");
    assert_eq!(read("[[ $1 == foo* && -n ${X:-} ]]"), "[$1 == foo* && -n ${X :- }]");
    assert_eq!(read("{ a; b; } > x"), "{a; b}");
}

#[test]
fn hostile_scripts_are_read_in_bounds() {
    for unit in ["(", "{ ", "$(", "\"$(", "if ", "a && ", "[[ (", "case x in ", "${a:-", "`", "<<E\n", "a | ", "! ", "f() "] {
        let script = Script::read(unit.repeat(60_000 / unit.len()).as_bytes());
        assert!(script.statements.len() < 70_000);
    }
    for byte in [0_u8, 0xff, b'\\', b'\r', b'$'] {
        Script::read(&vec![byte; 60_000]);
    }
}

#[test]
fn a_list_of_thousands_of_commands_is_read_and_not_nested_as_deep() {
    for (count, operator, is_read) in [(9_999, "&&", true), (10_001, "&&", false), (150, "||", true), (300, "||", false)] {
        let text = vec!["a"; count].join(operator);
        let script = Script::read(text.as_bytes());
        assert_eq!(script.is_whole, is_read, "{count} {operator}");
        let commands = shown(&script.statements).matches('a').count();
        assert_eq!(commands, if is_read { count } else { 0 }, "{count} {operator}");
    }
    let places = Script::read("a&&".repeat(250).trim_end_matches("&&").as_bytes());
    assert_eq!(places.statements[0].place, 0..748);
}

#[test]
fn what_cannot_be_read_is_said() {
    let script = Script::read(b"a\nif then fi fi ((\nb");
    assert!(!script.is_whole);
}

#[test]
fn every_text_tells_where_it_stands() {
    let text = "X='a b' curl \"https://h/$V-amd64\" c\\ d && echo x${Y:-z}";
    let script = Script::read(text.as_bytes());
    let mut found = Vec::new();
    let Kind::And(left, _) = &script.statements[0].kind else { panic!("{script:?}") };
    let Kind::Command(command) = &left.kind else { panic!("{script:?}") };
    for word in command.assignments.iter().map(|(_, value)| value).chain(&command.words) {
        for piece in &word.0 {
            if let Piece::Text { place, .. } | Piece::Parameter { place, .. } = piece {
                found.push(&text[place.clone()]);
            }
        }
    }
    assert_eq!(found, ["a b", "curl", "https://h/", "$V", "-amd64", "c", "\\ ", "d"]);
}
