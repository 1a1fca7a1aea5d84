//! What the shell does by itself.

use std::rc::Rc;

use crate::format::shell::{Piece, Script, Statement, Word};

use super::super::value::Value;
use super::output::base_name;
use super::run::{Flow, Place, Status};
use super::{Shell, Source, conditions};

impl Shell<'_> {
    /// What a builtin leads to; `None` where the name is none.
    pub(super) fn builtin(&mut self, name: &str, words: &[Value], statement: &Statement, place: Place) -> Option<Flow> {
        let operands = words.get(1..).unwrap_or_default();
        let done = Some(Flow::Next(Status::Known(true)));
        match name {
            ":" | "true" | "trap" | "umask" | "cd" | "pushd" | "popd" | "shopt" | "hash" | "wait" | "alias" | "ulimit" => done,
            "echo" | "printf" => {
                let printed = self.printed(words, None);
                self.print(&printed);
                done
            }
            "false" => Some(self.checked(Status::Known(false), place)),
            "exit" => Some(Flow::Exit(match operands.first().map(Value::text) {
                None => None,
                Some(Some(code)) => Some(code == "0"),
                Some(None) => Some(false),
            })),
            "return" => Some(Flow::Return(match operands.first().and_then(Value::text) {
                Some(code) => Status::of(Some(code == "0"), self.chosen > 0),
                None => Status::Assumed { speaks: false },
            })),
            "break" | "continue" => Some(Flow::Leave),
            "set" => {
                self.set(operands);
                done
            }
            "shift" => {
                let count = operands.first().and_then(Value::text).and_then(|count| count.parse().ok()).unwrap_or(1_usize);
                let count = count.min(self.state.arguments.len());
                self.state.arguments.drain(..count);
                done
            }
            "unset" => {
                for name in operands.iter().filter_map(Value::text) {
                    self.state.set(&name, Value::default());
                }
                done
            }
            "read" | "mapfile" | "readarray" | "getopts" => {
                let varies = self.state.input.as_ref().is_some_and(Value::varies);
                for name in operands.iter().filter_map(Value::text).filter(|name| !name.starts_with('-')) {
                    self.assign(&name, Value::unknown(varies));
                }
                Some(Flow::Next(Status::Unknown { varies }))
            }
            "test" => Some(self.judged(operands, place)),
            "[" => Some(self.judged(operands.split_last().map_or(&[][..], |(_, inner)| inner), place)),
            "." | "source" => Some(self.source(operands, place)),
            "eval" => Some(self.eval(operands, place)),
            "command" | "exec" | "builtin" => match operands.first().map(Value::masked) {
                Some(flag) if flag.starts_with("-v") || flag.starts_with("-V") => {
                    let name = operands.get(1).cloned().unwrap_or_default();
                    self.print(&Value::unknown(name.varies()));
                    Some(Flow::Next(Status::Unknown { varies: name.varies() }))
                }
                Some(flag) if !flag.starts_with('-') => {
                    let flow = self.words(operands, Vec::new(), statement, place);
                    Some(if name == "exec" { Flow::Exit(None) } else { flow })
                }
                _ => done,
            },
            _ => None,
        }
    }

    fn judged(&mut self, operands: &[Value], place: Place) -> Flow {
        let status = conditions::judged(operands, false);
        self.checked(status, place)
    }

    fn set(&mut self, operands: &[Value]) {
        let mut operands = operands;
        while let Some((first, rest)) = operands.split_first() {
            match first.masked().as_str() {
                "--" => {
                    self.state.arguments = rest.to_vec();
                    return;
                }
                flag @ ("-o" | "+o") => {
                    if rest.first().and_then(Value::text).as_deref() == Some("errexit") {
                        self.state.stops_on_error = flag == "-o";
                    }
                    operands = rest.get(1..).unwrap_or_default();
                }
                flag if flag.len() > 1 && flag.starts_with(['-', '+']) => {
                    if flag.contains('e') {
                        self.state.stops_on_error = flag.starts_with('-');
                    }
                    // `-eo pipefail`: the name is the next word.
                    operands = if flag.ends_with('o') { rest.get(1..).unwrap_or_default() } else { rest };
                }
                _ => break,
            }
        }
        if !operands.is_empty() {
            self.state.arguments = operands.to_vec();
        }
    }

    /// `export NAME=value` and its kin: what stands behind the sign is not split.
    pub(super) fn declare(&mut self, words: &[Word]) -> Flow {
        let exports = words.first().and_then(Word::literal).as_deref() == Some(b"export");
        let mut speaks = None;
        for word in words.get(1..).unwrap_or_default() {
            let has_output = word.0.iter().any(|piece| matches!(piece, Piece::Output { .. }));
            let value = self.single(word);
            let text = value.masked();
            if text.starts_with('-') {
                continue;
            }
            let name = match text.split_once('=') {
                Some((name, rest)) => {
                    let start = text.len().saturating_sub(rest.len());
                    let value = value.part(start..text.len());
                    if has_output {
                        speaks = Some(value.varies());
                    }
                    self.assign(name, value);
                    name.to_owned()
                }
                None => text,
            };
            if exports {
                self.state.exported.insert(name);
            }
        }
        Flow::Next(speaks.map_or(Status::Known(true), |speaks| Status::Assumed { speaks }))
    }

    /// A file that a script wrote before, in this shell. Another may set anything.
    fn source(&mut self, operands: &[Value], place: Place) -> Flow {
        let file = operands.first().and_then(Value::text).and_then(|path| self.state.files.get(base_name(&path)).cloned());
        match file {
            Some(text) => self.here(text, place),
            None => Flow::Next(Status::Assumed { speaks: false }),
        }
    }

    fn eval(&mut self, operands: &[Value], place: Place) -> Flow {
        let mut text = Value::default();
        for (index, operand) in operands.iter().enumerate() {
            if index > 0 {
                text.push(&Value::supplied(" ", false));
            }
            text.push(operand);
        }
        if text.text().is_none() {
            return Flow::Next(Status::Assumed { speaks: text.varies() });
        }
        self.here(text, place)
    }

    /// A text as statements of this shell.
    fn here(&mut self, text: Value, place: Place) -> Flow {
        let source = Rc::new(Source::Computed(text));
        let script = Script::read(source.text().as_bytes());
        let outer = std::mem::replace(&mut self.source, source);
        let flow = self.all(&script.statements, place);
        self.source = outer;
        match flow {
            Flow::Return(status) => Flow::Next(status),
            other => other,
        }
    }
}
