//! Simple commands: assignments, functions, builtins and programs.

use std::ops::Range;
use std::rc::Rc;

use crate::format::shell::{Command, Piece, Redirect, Script, Statement, Word};

use super::super::naming::speaks_of_architecture;
use super::super::value::Value;
use super::output::base_name;
use super::run::{Flow, Place, Status};
use super::{Action, Event, Shell, Source, programs};

/// Programs that answer a question by their exit code.
const QUESTIONS: &[&str] = &[
    "grep",
    "egrep",
    "fgrep",
    "node",
    "python",
    "python3",
    "python2",
    "perl",
    "expr",
    "ls",
    "lscpu",
    "cmp",
    "diff",
    "which",
    "type",
    "ldconfig",
    "rpm",
    "stat",
    "file",
    "findstr",
    "jq",
    "awk",
    "lsb_release",
    "dpkg-query",
];

/// Programs that run the command behind them.
const WRAPPERS: &[&str] = &[
    "sudo",
    "env",
    "time",
    "timeout",
    "nice",
    "nohup",
    "ionice",
    "setarch",
    "linux32",
    "eatmydata",
    "chronic",
    "retry",
    "stdbuf",
    "gosu",
    "su-exec",
    "arch-chroot",
];

impl Shell<'_> {
    pub(super) fn command(&mut self, command: &Command, statement: &Statement, place: Place) -> Flow {
        let declares = command.words.first().and_then(Word::literal);
        if let Some(b"export" | b"readonly" | b"declare" | b"typeset" | b"local") = declares.as_deref() {
            return self.declare(&command.words);
        }
        let words = self.fields(&command.words);
        let assigned: Vec<(String, Value)> =
            command.assignments.iter().map(|(name, word)| (name.clone(), self.assigned(word))).collect();
        if words.is_empty() {
            return self.assignments(command, assigned);
        }
        let input = self.input(&command.redirects);
        let outer_input = std::mem::replace(&mut self.state.input, input);
        let is_written = command.redirects.iter().any(is_output);
        let before = std::mem::take(&mut self.state.output);
        self.capturing += usize::from(is_written);
        let flow = self.words(&words, assigned, statement, place);
        self.capturing -= usize::from(is_written);
        let output = std::mem::replace(&mut self.state.output, before);
        self.state.input = outer_input;
        if is_written {
            self.written(&command.redirects, &output, &statement.place);
        } else {
            self.state.output.push(&output);
        }
        flow
    }

    fn assigned(&mut self, word: &Word) -> Value {
        self.single(word)
    }

    fn assignments(&mut self, command: &Command, assigned: Vec<(String, Value)>) -> Flow {
        let speaks = assigned.iter().any(|(_, value)| value.varies());
        let has_output =
            command.assignments.iter().any(|(_, word)| word.0.iter().any(|piece| matches!(piece, Piece::Output { .. })));
        for (name, value) in assigned {
            self.assign(&name, value);
        }
        Flow::Next(if has_output { Status::Assumed { speaks } } else { Status::Known(true) })
    }

    /// A command of which all words are expanded.
    pub(super) fn words(&mut self, words: &[Value], assigned: Vec<(String, Value)>, statement: &Statement, place: Place) -> Flow {
        let Some(name) = words.first().and_then(Value::text) else {
            self.program(words, assigned, &statement.place);
            return Flow::Next(Status::Assumed { speaks: false });
        };
        if let Some((body, source)) = self.state.functions.get(&name).cloned() {
            return self.call(&body, &source, words, place);
        }
        if let Some(flow) = self.builtin(&name, words, statement, place) {
            return flow;
        }
        let short = base_name(&name).to_owned();
        if WRAPPERS.contains(&short.as_str()) {
            return self.wrapped(&short, words, assigned, statement, place);
        }
        if let Some(flow) = self.script(&short, words, place) {
            return flow;
        }
        self.program(words, assigned, &statement.place);
        let input = self.state.input.clone();
        let printed = self.printed(words, input.as_ref());
        self.print(&printed);
        Flow::Next(self.status(&short, words, input.as_ref()))
    }

    /// What a program's success says.
    fn status(&self, name: &str, words: &[Value], input: Option<&Value>) -> Status {
        let varies = words.iter().any(Value::varies) || input.is_some_and(Value::varies);
        let speaks = varies || words.iter().any(|word| speaks_of_architecture(&word.masked()));
        if !QUESTIONS.contains(&name) {
            return Status::Assumed { speaks };
        }
        let texts: Option<Vec<String>> = words.iter().skip(1).map(Value::text).collect();
        let answer = input.zip(texts).and_then(|(input, texts)| programs::filtered(name, &texts, input));
        match answer.filter(|_| name.ends_with("grep")) {
            Some(answer) => Status::of(answer.is_empty().map(|is_empty| !is_empty), varies),
            None if speaks => Status::Unknown { varies: true },
            None => Status::Assumed { speaks },
        }
    }

    fn program(&mut self, words: &[Value], assigned: Vec<(String, Value)>, place: &Range<usize>) {
        let mut variables: Vec<(String, Value)> =
            self.state.exported.iter().filter_map(|name| Some((name.clone(), self.state.variables.get(name)?.clone()))).collect();
        variables.extend(assigned);
        let place = self.source.place(place.clone());
        let input = self.state.input.clone();
        if words.first().and_then(Value::text).as_deref() == Some("tee")
            && let (Some(path), Some(content)) = (words.iter().skip(1).find(|word| !word.masked().starts_with('-')), &input)
        {
            self.write(path.clone(), content.clone(), place);
            return;
        }
        self.event(Action::Run { words: words.to_vec(), variables, input }, place);
    }

    pub(super) fn event(&mut self, action: Action, place: Option<Range<usize>>) {
        let certainty = self.certainty.max(self.ended).max(self.left);
        self.events.push(Event { action, certainty, place });
    }

    fn write(&mut self, path: Value, content: Value, place: Option<Range<usize>>) {
        if let Some(name) = path.text() {
            self.state.write(base_name(&name), content.clone());
        }
        self.event(Action::Write { path, content }, place);
    }

    /// What a command reads: a here-document, a word, or what is piped into it.
    fn input(&mut self, redirects: &[Redirect]) -> Option<Value> {
        let redirect = redirects.iter().rev().find(|redirect| redirect.operator.starts_with('<'));
        match redirect {
            Some(redirect) if redirect.operator.starts_with("<<") => Some(self.single(&redirect.target)),
            Some(redirect) => {
                let path = self.single(&redirect.target).text()?;
                self.state.files.get(base_name(&path)).cloned()
            }
            None => self.state.input.clone(),
        }
    }

    fn written(&mut self, redirects: &[Redirect], output: &Value, place: &Range<usize>) {
        for redirect in redirects.iter().filter(|redirect| is_output(redirect)) {
            let path = self.single(&redirect.target);
            let place = self.source.place(place.clone());
            let mut content = Value::default();
            if redirect.operator.contains(">>")
                && let Some(before) = path.text().and_then(|name| self.state.files.get(base_name(&name)).cloned())
            {
                content.push(&before);
            }
            content.push(output);
            self.write(path, content, place);
        }
    }

    fn call(&mut self, body: &Statement, source: &Rc<Source>, words: &[Value], place: Place) -> Flow {
        let arguments = words.get(1..).unwrap_or_default().to_vec();
        let outer_arguments = std::mem::replace(&mut self.state.arguments, arguments);
        let outer_source = std::mem::replace(&mut self.source, Rc::clone(source));
        let flow = self.enclosed(|shell| shell.statement(body, place));
        self.source = outer_source;
        self.state.arguments = outer_arguments;
        match flow {
            Flow::Return(status) => self.checked(status, place),
            other => other,
        }
    }

    fn wrapped(
        &mut self,
        name: &str,
        words: &[Value],
        assigned: Vec<(String, Value)>,
        statement: &Statement,
        place: Place,
    ) -> Flow {
        let mut rest = words.get(1..).unwrap_or_default();
        let mut variables = assigned;
        while let Some((first, others)) = rest.split_first() {
            let text = first.masked();
            if takes_a_value(name, &text) {
                rest = others.get(1..).unwrap_or_default();
                continue;
            }
            let is_number = name == "timeout" && text.starts_with(|letter: char| letter.is_ascii_digit());
            match text.split_once('=') {
                Some((variable, value)) if name == "env" || name == "sudo" => {
                    let start = text.len().saturating_sub(value.len());
                    variables.push((variable.to_owned(), first.part(start..text.len())));
                }
                _ if text.starts_with('-') || is_number => {}
                _ if matches!(name, "gosu" | "su-exec" | "setarch") && others.len() + 2 == words.len() => {}
                _ => break,
            }
            rest = others;
        }
        if rest.is_empty() {
            return Flow::Next(Status::Known(true));
        }
        self.words(rest, variables, statement, place)
    }

    /// `sh FILE`, `sh -c TEXT`, `./FILE`, of texts that are known.
    fn script(&mut self, name: &str, words: &[Value], place: Place) -> Option<Flow> {
        let is_shell = matches!(name, "sh" | "bash" | "dash" | "ash" | "zsh" | "busybox");
        let operands = words.get(1..)?;
        let (text, arguments) = if is_shell {
            let at = operands.iter().position(|word| !word.masked().starts_with(['-', '+']));
            let is_text = operands.iter().take(at.unwrap_or(operands.len())).any(|flag| {
                let flag = flag.masked();
                flag.starts_with('-') && !flag.starts_with("--") && flag.contains('c')
            });
            match at.and_then(|at| Some((operands.get(at)?, operands.get(at + 1..)?))) {
                Some((text, rest)) if is_text => (text.clone(), rest.get(1..).unwrap_or_default()),
                Some((path, rest)) => (self.state.files.get(base_name(&path.text()?)).cloned()?, rest),
                None => (self.state.input.clone().filter(|input| !input.is_unknown())?, &[][..]),
            }
        } else {
            (self.state.files.get(name).cloned()?, operands)
        };
        Some(self.evaluated(text, arguments.to_vec(), place))
    }

    /// A text as a script of its own shell.
    pub(super) fn evaluated(&mut self, text: Value, arguments: Vec<Value>, place: Place) -> Flow {
        let source = Rc::new(Source::Computed(text));
        let script = Script::read(source.text().as_bytes());
        let outer_source = std::mem::replace(&mut self.source, source);
        let before = self.state.clone();
        self.state.arguments = arguments;
        self.state.input = None;
        self.depth += 1;
        let flow = self.contained(|shell| shell.all(&script.statements, Place { is_judged: true }));
        self.depth -= 1;
        self.source = outer_source;
        let (output, files) = (std::mem::take(&mut self.state.output), std::mem::take(&mut self.state.files));
        self.state = super::State { output, files, ..before };
        match flow {
            Flow::Exit(Some(success)) => self.checked(Status::Known(success), place),
            Flow::Next(status) | Flow::Return(status) => self.checked(status, place),
            _ => Flow::Next(Status::Unknown { varies: false }),
        }
    }
}

/// Whether the word behind a wrapper's option belongs to the option.
fn takes_a_value(wrapper: &str, option: &str) -> bool {
    let options: &[&str] = match wrapper {
        "sudo" => &["-u", "--user", "-g", "--group", "-p", "-h", "-C", "-D", "-r", "-t"],
        "env" => &["-u", "-C"],
        "timeout" => &["-s", "--signal", "-k", "--kill-after"],
        "nice" | "ionice" => &["-n", "-c"],
        "time" => &["-o", "-f"],
        "stdbuf" => &["-i", "-o", "-e"],
        _ => &[],
    };
    options.contains(&option)
}

/// Whether a redirection makes a file of what is printed.
fn is_output(redirect: &Redirect) -> bool {
    let is_standard = redirect.descriptor.as_deref().is_none_or(|descriptor| descriptor == "1");
    let target = redirect.target.literal().unwrap_or_default();
    matches!(redirect.operator.as_str(), ">" | ">>" | ">|" | "&>" | "&>>") && is_standard && !target.starts_with(b"/dev/")
}
