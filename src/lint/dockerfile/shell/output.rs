//! What commands print, where something reads it.

use crate::format::shell::Statement;

use super::super::naming::speaks_of_architecture;
use super::super::value::Value;
use super::run::{Flow, Place};
use super::{Shell, programs};

impl Shell<'_> {
    /// `$( … )`: what it prints, without the newlines at the end.
    pub(super) fn captured(&mut self, statements: &[Statement]) -> Value {
        let before = self.state.clone();
        self.state.output = Value::default();
        self.capturing += 1;
        self.depth += 1;
        let flow = self.contained(|shell| shell.all(statements, Place { is_judged: true }));
        self.depth -= 1;
        self.capturing -= 1;
        let files = std::mem::take(&mut self.state.files);
        let output = std::mem::take(&mut self.state.output);
        self.state = super::State { files, ..before };
        if flow == Flow::Exit(None) {
            return Value::unknown(output.varies());
        }
        let kept = output.masked().trim_end_matches('\n').len();
        output.part(0..kept)
    }

    /// Adds to what is printed.
    pub(super) fn print(&mut self, value: &Value) {
        if self.capturing > 0 {
            let value = if self.chosen > 0 { value.clone().chosen() } else { value.clone() };
            self.state.output.push(&value);
        }
    }

    /// What a command prints, given its words and what it reads.
    pub(super) fn printed(&self, words: &[Value], input: Option<&Value>) -> Value {
        let texts: Option<Vec<String>> = words.iter().map(Value::text).collect();
        let line = |text: &Value| text.clone().then(&Value::supplied("\n", false));
        let Some(name) = words.first().and_then(Value::text) else { return Value::unknown(words.iter().any(Value::varies)) };
        let name = name.rsplit('/').next().unwrap_or_default().to_owned();
        if let Some(texts) = &texts {
            let mut words: Vec<&str> = texts.iter().map(String::as_str).collect();
            if let Some(first) = words.first_mut() {
                *first = &name;
            }
            if let Some(answer) = self.machine.answer(&words) {
                return line(&Value::supplied(answer, true));
            }
        }
        let operands = words.get(1..).unwrap_or_default();
        let known = match name.as_str() {
            "echo" => Some(programs::echo(operands)),
            "printf" => programs::printf(operands),
            "cat" | "tee" => match operands.first().and_then(Value::text) {
                Some(path) if name == "cat" => self.state.files.get(base_name(&path)).cloned(),
                _ => input.cloned(),
            },
            "basename" => texts
                .as_ref()
                .and_then(|texts| programs::base_name(texts))
                .zip(operands.first())
                .and_then(|(new, operand)| operand.edited(|_| new).map(|value| line(&value))),
            _ => input.and_then(|input| programs::filtered(&name, texts.as_deref()?.get(1..)?, input)),
        };
        let asks = || words.iter().any(|word| word.varies() || speaks_of_architecture(&word.masked()));
        known.unwrap_or_else(|| Value::unknown(input.is_some_and(Value::varies) || asks()))
    }
}

/// The last part of a path.
pub(in crate::lint::dockerfile) fn base_name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}
