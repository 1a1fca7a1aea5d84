//! Dockerfiles as BuildKit's own parser reads them. PyPI's `dockerfile` wraps it; the files are those that other linters test
//! themselves with, the rules' examples, random ones, and whatever lies in `$ENOEXEC_DOCKERFILES`.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use enoexec::finding::catalogue;
use enoexec::format::dockerfile::{Arguments, Dockerfile, Flag, Instruction, Keyword, Pair, Text};
use serde::Deserialize;

use crate::lab::{Lab, run};
use crate::packages::{npm, wheel};

/// Prints a line of JSON for each path on its standard input: what BuildKit reads, or why it does not.
const READER: &str = r#"
import dockerfile, json, sys
for path in sys.stdin.read().splitlines():
    try:
        commands = dockerfile.parse_file(path)
        print(json.dumps({"commands": [{
            "cmd": c.cmd or "", "sub_cmd": c.sub_cmd or "", "json": c.json, "start": c.start_line, "end": c.end_line,
            "flags": list(c.flags), "value": list(c.value), "heredocs": [[h.name, h.content] for h in c.heredocs],
        } for c in commands]}))
    except dockerfile.GoParseError as error:
        print(json.dumps({"error": str(error)}))
"#;

/// What BuildKit makes of a file.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Commands(Vec<Read>),
    Error(String),
}

/// An instruction, as BuildKit has it.
#[derive(Debug, Deserialize, PartialEq)]
struct Read {
    #[serde(deserialize_with = "keyword")]
    cmd: String,
    #[serde(deserialize_with = "keyword")]
    sub_cmd: String,
    json: bool,
    start: usize,
    end: usize,
    flags: Vec<String>,
    value: Vec<String>,
    heredocs: Vec<(String, String)>,
}

fn ours(text: &str) -> Answer {
    let file = Dockerfile::parse(text);
    // BuildKit's parser lets unknown words pass; a later step refuses them.
    if let Some(problem) = file.problems.iter().find(|problem| problem.message != "unknown instruction") {
        return Answer::Error(problem.message.clone());
    }
    Answer::Commands(file.instructions.iter().map(|instruction| read(text, instruction)).collect())
}

fn read(text: &str, instruction: &Instruction) -> Read {
    let name = |instruction: &Instruction| match instruction.keyword {
        Keyword::Unknown => String::new(),
        _ => text[instruction.keyword_span.clone()].to_ascii_uppercase(),
    };
    let inner = if let Arguments::Trigger(trigger) = &instruction.arguments { trigger } else { instruction };
    Read {
        cmd: name(instruction),
        sub_cmd: if std::ptr::eq(inner, instruction) { String::new() } else { name(inner) },
        json: matches!(inner.arguments, Arguments::Json(_)),
        start: instruction.lines.0,
        end: instruction.lines.1,
        flags: instruction.flags.iter().map(flag).collect(),
        value: value(inner),
        // BuildKit keeps those of a trigger where the wrapper does not look.
        heredocs: instruction.heredocs.iter().map(|it| (it.name.clone(), it.content.as_str().to_owned())).collect(),
    }
}

/// A keyword; nothing where it is none, in which case BuildKit's text of it has no place of its own.
fn keyword<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const KNOWN: &str = "ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR";
    let word = String::deserialize(from)?.to_ascii_uppercase();
    Ok(if KNOWN.split(' ').any(|known| known == word) { word } else { String::new() })
}

/// The wrapper's BuildKit, of 2023, takes an array for JSON whatever stands behind it. Today's takes it for a command then, as we do.
fn is_same(ours: &Read, theirs: &Read) -> bool {
    let is_followed = theirs.json && !ours.json && ours.value.iter().any(|value| value.trim_start().starts_with('['));
    if is_followed { (ours.start, ours.end, &ours.cmd) == (theirs.start, theirs.end, &theirs.cmd) } else { ours == theirs }
}

fn flag(flag: &Flag) -> String {
    let value = flag.value.as_ref().map(|value| format!("={}", value.as_str())).unwrap_or_default();
    format!("--{}{value}", flag.name)
}

fn value(instruction: &Instruction) -> Vec<String> {
    // The wrapper hands strings over as C has them: until the first zero.
    let string = |word: &Text| word.as_str().split('\0').next().unwrap_or_default().to_owned();
    let strings = |words: &[Text]| words.iter().map(string).collect::<Vec<_>>();
    let text = instruction.text.as_str().to_owned();
    match (&instruction.arguments, instruction.keyword) {
        (_, Keyword::Healthcheck) => {
            let (kind, command) = text.split_once(char::is_whitespace).unwrap_or((&text, ""));
            let command = instruction.json().map_or_else(|| vec![command.trim_start().to_owned()], strings);
            let whole = std::iter::once(kind.to_owned()).chain(command);
            whole.filter(|word| !word.is_empty() || instruction.json().is_some()).collect()
        }
        (Arguments::Json(words) | Arguments::Words(words), _) => strings(words),
        (Arguments::Pairs(pairs), Keyword::Arg) => {
            let joined = |value: &Text| format!("={}", value.as_str());
            pairs
                .iter()
                .map(|pair| format!("{}{}", pair.name.as_str(), pair.value.as_ref().map(joined).unwrap_or_default()))
                .collect()
        }
        (Arguments::Pairs(pairs), _) => {
            let both = |pair: &Pair| [pair.name.as_str().to_owned(), pair.value.as_ref().unwrap().as_str().to_owned()];
            pairs.iter().flat_map(both).collect()
        }
        (_, Keyword::Unknown) => vec![String::new()],
        (Arguments::Line | Arguments::Trigger(_), _) => Some(text).filter(|text| !text.is_empty()).into_iter().collect(),
    }
}

/// What random Dockerfiles are made of.
const PIECES: &[&str] = &[
    "FROM x\n",
    "RUN ",
    "ENV ",
    "ONBUILD ",
    "COPY ",
    "CMD ",
    "ARG ",
    "HEALTHCHECK ",
    "LABEL ",
    "run ",
    " ",
    " ",
    "\n",
    "\n",
    "\r\n",
    "\\\n",
    " \\  \n",
    "\\",
    "#",
    "# escape=`\n",
    "`\n",
    "<<",
    "<<-",
    "EOF",
    "\nEOF\n",
    "'",
    "\"",
    "$",
    "${a",
    "}",
    ":-",
    "[",
    "]",
    "\"a\"",
    ", ",
    "a=",
    "=b",
    "--",
    "--x=",
    "\t",
    "a",
    "1",
];

/// A random Dockerfile, the same for the same number.
fn random(number: u64) -> String {
    // SplitMix64, begun far apart.
    let mut state = number.wrapping_mul(0xd134_2543_de82_ef95);
    let mut next = |below: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    };
    let length = 1 + next(30);
    (0..length).map(|_| PIECES[next(PIECES.len())]).collect()
}

/// Whether the wrapper's BuildKit, of 2023, should read a file as today's does, and as we do: since then blanks may stand between `<<`
/// and a name, and flags obey the escape directive. ONBUILD behind ONBUILD is refused by both, but read by the parser.
fn is_settled(text: &str) -> bool {
    let unsettled = ["<< ", "<<\t", "<<- ", "<<-\t", "<<\\", "<<-\\"];
    let is_escaping = text.contains("# escape=`") && text.contains("--");
    let is_chained = text.matches("ONBUILD").count() > 1;
    ![is_escaping, is_chained].contains(&true) && !unsettled.iter().any(|blank| text.contains(blank))
}

fn is_dockerfile(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    name.starts_with("Dockerfile") || path.parent().unwrap().ends_with("dockerfiles")
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    found
}

#[test]
fn dockerfiles_are_read_as_buildkit_reads_them() {
    let Some(lab) = Lab::open("pip, npm and their packages") else { return };
    let linters = ["dockerfilelint@1.8.0", "dockerlint@0.3.9", "dockerfile_lint@0.3.4"];
    let mut paths: Vec<PathBuf> =
        linters.iter().flat_map(|linter| files_under(&npm(linter))).filter(|path| is_dockerfile(path)).collect();
    assert!(paths.len() >= 30, "{paths:?}");
    let examples = catalogue().iter().flat_map(|rule| &rule.examples).flat_map(|example| &example.files);
    let examples = examples.filter(|(name, _)| name.contains("Dockerfile"));
    paths.extend(examples.enumerate().map(|(number, (_, text))| lab.write(&format!("{number}.Dockerfile"), text)));
    paths.extend(
        (0..5000)
            .map(|number| (number, random(number)))
            .filter(|(_, text)| is_settled(text))
            .map(|(number, text)| lab.write(&format!("{number}.random"), text)),
    );
    if let Some(folder) = env::var_os("ENOEXEC_DOCKERFILES") {
        paths.extend(files_under(Path::new(&folder)));
    }
    paths.retain(|path| fs::read_to_string(path).is_ok());

    let list = lab.write("paths", paths.iter().fold(String::new(), |list, path| list + path.to_str().unwrap() + "\n"));
    let mut python = Command::new("python3");
    python
        .args(["-c", READER])
        .env("PYTHONPATH", wheel("dockerfile==3.4.0", "manylinux1_x86_64"))
        .stdin(fs::File::open(list).unwrap());
    let answers = String::from_utf8(run(&mut python)).unwrap();
    let answers: Vec<Answer> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), paths.len());

    let mut differences = String::new();
    let (mut instructions, mut refused) = (0, 0);
    for (path, theirs) in paths.iter().zip(&answers) {
        let ours = ours(&fs::read_to_string(path).unwrap());
        match (&ours, theirs) {
            (Answer::Error(_), Answer::Error(_)) => refused += 1,
            (Answer::Commands(ours), Answer::Commands(theirs)) => {
                instructions += theirs.len();
                let first = ours.iter().zip(theirs).find(|(ours, theirs)| !is_same(ours, theirs));
                if let Some((ours, theirs)) = first {
                    writeln!(differences, "{}\n  ours:   {ours:?}\n  theirs: {theirs:?}", path.display()).unwrap();
                } else if ours.len() != theirs.len() {
                    writeln!(differences, "{}: {} instructions, not {}", path.display(), ours.len(), theirs.len()).unwrap();
                }
            }
            _ => writeln!(differences, "{}\n  ours:   {ours:?}\n  theirs: {theirs:?}", path.display()).unwrap(),
        }
    }
    assert!(differences.is_empty(), "{differences}");
    println!("{} files, {instructions} instructions, {refused} files that neither reads", paths.len());
}
