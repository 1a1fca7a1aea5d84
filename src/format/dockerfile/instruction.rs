use super::{Arguments, Flag, Instruction, Keyword, Pair, Problem, Text, words};

/// The keywords, in upper case.
const KEYWORDS: &[(&str, Keyword)] = &[
    ("ADD", Keyword::Add),
    ("ARG", Keyword::Arg),
    ("CMD", Keyword::Cmd),
    ("COPY", Keyword::Copy),
    ("ENTRYPOINT", Keyword::Entrypoint),
    ("ENV", Keyword::Env),
    ("EXPOSE", Keyword::Expose),
    ("FROM", Keyword::From),
    ("HEALTHCHECK", Keyword::Healthcheck),
    ("LABEL", Keyword::Label),
    ("MAINTAINER", Keyword::Maintainer),
    ("ONBUILD", Keyword::Onbuild),
    ("RUN", Keyword::Run),
    ("SHELL", Keyword::Shell),
    ("STOPSIGNAL", Keyword::StopSignal),
    ("USER", Keyword::User),
    ("VOLUME", Keyword::Volume),
    ("WORKDIR", Keyword::Workdir),
];

/// Whether here-documents can follow: ADD, COPY and RUN take them, also behind ONBUILD, unless their words are JSON.
pub(super) fn may_have_heredocs(instruction: &Instruction) -> bool {
    match &instruction.arguments {
        Arguments::Trigger(trigger) => may_have_heredocs(trigger),
        Arguments::Json(_) => false,
        _ => matches!(instruction.keyword, Keyword::Add | Keyword::Copy | Keyword::Run),
    }
}

/// Reads a joined line.
pub(super) fn read(line: &Text, escape: char, problems: &mut Vec<Problem>) -> Instruction {
    let (mut instruction, rest) = split(line, escape);
    if instruction.keyword == Keyword::Onbuild && !rest.as_str().is_empty() {
        // One level: BuildKit refuses ONBUILD behind ONBUILD.
        let (mut trigger, rest) = split(&rest, escape);
        trigger.arguments = arguments(&trigger, &rest, escape, problems);
        trigger.text = rest;
        instruction.arguments = Arguments::Trigger(Box::new(trigger));
    } else {
        instruction.arguments = arguments(&instruction, &rest, escape, problems);
    }
    instruction.text = rest;
    instruction
}

/// Keyword and flags, and what follows them.
fn split(line: &Text, escape: char) -> (Instruction, Text) {
    let line = line.trimmed();
    let (word, rest) = words::first(line.as_str());
    let name = line.as_str().get(..word).unwrap_or_default();
    let keyword = KEYWORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(Keyword::Unknown, |(_, it)| *it);
    let (flags, rest) = words::flags(&line, rest, escape);
    let rest = line.slice(rest..line.as_str().len()).trimmed();
    let instruction = Instruction {
        keyword,
        keyword_span: line.in_file(0..word),
        span: line.span(),
        lines: (0, 0),
        flags: flags.iter().map(flag).collect(),
        text: Text::default(),
        arguments: Arguments::Line,
        heredocs: Vec::new(),
    };
    (instruction, rest)
}

fn flag(word: &Text) -> Flag {
    let text = word.as_str();
    let span = word.span();
    let name = text.strip_prefix("--").unwrap_or(text);
    match name.split_once('=') {
        Some((name, value)) => {
            let start = text.len().saturating_sub(value.len());
            Flag { name: name.to_owned(), value: Some(word.slice(start..text.len())), span }
        }
        None => Flag { name: name.to_owned(), value: None, span },
    }
}

fn arguments(instruction: &Instruction, rest: &Text, escape: char, problems: &mut Vec<Problem>) -> Arguments {
    let mut problem = |message: String, span| problems.push(Problem { message, span });
    let mut json = |text: &Text| match words::json(text) {
        words::Json::Strings(words) => Some(Arguments::Json(words)),
        words::Json::Others => {
            problem("a JSON array of something else than strings".to_owned(), text.span());
            Some(Arguments::Line)
        }
        words::Json::None => None,
    };
    match instruction.keyword {
        Keyword::Cmd | Keyword::Entrypoint | Keyword::Run | Keyword::Shell => json(rest).unwrap_or(Arguments::Line),
        Keyword::Add | Keyword::Copy | Keyword::Volume => json(rest).unwrap_or_else(|| Arguments::Words(words::blank(rest))),
        Keyword::Expose | Keyword::From => Arguments::Words(words::blank(rest)),
        Keyword::Healthcheck => {
            let (_, command) = words::first(rest.as_str());
            json(&rest.slice(command..rest.as_str().len())).unwrap_or(Arguments::Line)
        }
        Keyword::Arg => Arguments::Pairs(words::quoted(rest, escape).iter().map(pair).collect()),
        Keyword::Env | Keyword::Label => Arguments::Pairs(assignments(rest, escape, &mut problem)),
        Keyword::Unknown => {
            problem("unknown instruction".to_owned(), instruction.keyword_span.clone());
            Arguments::Line
        }
        Keyword::Maintainer | Keyword::Onbuild | Keyword::StopSignal | Keyword::User | Keyword::Workdir => Arguments::Line,
    }
}

/// `NAME=value` words, or the old form `NAME value`, which has no `=` in its first word.
fn assignments(rest: &Text, escape: char, problem: &mut dyn FnMut(String, std::ops::Range<usize>)) -> Vec<Pair> {
    let words = words::quoted(rest, escape);
    if words.first().is_some_and(|word| !word.as_str().contains('=')) {
        let (name, value) = words::first(rest.as_str());
        if value == rest.as_str().len() {
            problem("a name without a value".to_owned(), rest.span());
        }
        return vec![Pair { name: rest.slice(0..name), value: Some(rest.slice(value..rest.as_str().len())) }];
    }
    for word in words.iter().filter(|word| !word.as_str().contains('=')) {
        problem("a word without `=` among assignments".to_owned(), word.span());
    }
    words.iter().map(pair).collect()
}

fn pair(word: &Text) -> Pair {
    let text = word.as_str();
    match text.find('=') {
        Some(equals) => Pair { name: word.slice(0..equals), value: Some(word.slice(equals.saturating_add(1)..text.len())) },
        None => Pair { name: word.clone(), value: None },
    }
}
