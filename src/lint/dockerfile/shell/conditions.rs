//! `test`, `[` and `[[`.

use crate::format::shell::Word;
use crate::format::shell::patterns::glob_matches;

use super::super::naming::speaks_of_architecture;
use super::super::value::Value;
use super::Shell;
use super::run::Status;

impl Shell<'_> {
    /// `[ … ]` and `[[ … ]]`.
    pub(super) fn test(&mut self, words: &[Word], is_double: bool) -> Status {
        let values: Vec<Value> =
            if is_double { words.iter().map(|word| self.single(word)).collect() } else { self.fields(words) };
        judged(&values, is_double)
    }
}

/// What a test of these words says.
pub(super) fn judged(values: &[Value], is_double: bool) -> Status {
    let varies = values.iter().any(|value| value.varies() || speaks_of_architecture(&value.masked()));
    // Whoever builds may pass another argument.
    let answer = if values.iter().any(Value::is_default) { None } else { holds(values, is_double) };
    // A literal name compared with another is no question.
    let chosen = values.iter().any(Value::varies);
    Status::of(answer, if answer.is_some() { chosen } else { varies })
}

fn holds(values: &[Value], is_double: bool) -> Option<bool> {
    let texts: Vec<Option<String>> = values.iter().map(Value::text).collect();
    let is = |at: usize, text: &str| texts.get(at).is_some_and(|value| value.as_deref() == Some(text));
    for (word, joins) in [("||", is_double), ("-o", !is_double), ("&&", is_double), ("-a", !is_double)] {
        let middle = 1..values.len().saturating_sub(1);
        if let Some(at) = middle.into_iter().find(|at| joins && is(*at, word)) {
            let (left, right) = values.split_at(at);
            let (left, right) = (holds(left, is_double), holds(right.get(1..).unwrap_or_default(), is_double));
            let decides = word == "||" || word == "-o";
            return match (left, right) {
                (Some(left), _) if left == decides => Some(decides),
                (_, Some(right)) if right == decides => Some(decides),
                (Some(_), Some(_)) => Some(!decides),
                _ => None,
            };
        }
    }
    if is(0, "!") && values.len() > 1 {
        return holds(values.get(1..).unwrap_or_default(), is_double).map(|holds| !holds);
    }
    if is(0, "(") && is(values.len().saturating_sub(1), ")") {
        return holds(values.get(1..values.len().saturating_sub(1)).unwrap_or_default(), is_double);
    }
    match (values, texts.as_slice()) {
        ([], _) => Some(false),
        ([value], _) => value.is_empty().map(|is_empty| !is_empty),
        ([_, operand], [Some(operator), _]) => match operator.as_str() {
            "-n" => operand.is_empty().map(|is_empty| !is_empty),
            "-z" => operand.is_empty(),
            _ => None,
        },
        ([_, _, _], [Some(left), Some(operator), Some(right)]) => binary(left, operator, right, is_double),
        _ => None,
    }
}

fn binary(left: &str, operator: &str, right: &str, is_double: bool) -> Option<bool> {
    let number = |text: &str| text.trim().parse::<i64>().ok();
    let equal = || if is_double { glob_matches(right.as_bytes(), left.as_bytes()) } else { left == right };
    match operator {
        "=" | "==" => Some(equal()),
        "!=" => Some(!equal()),
        "=~" => simple_match(left, right),
        "-eq" => Some(number(left)? == number(right)?),
        "-ne" => Some(number(left)? != number(right)?),
        "-gt" => Some(number(left)? > number(right)?),
        "-ge" => Some(number(left)? >= number(right)?),
        "-lt" => Some(number(left)? < number(right)?),
        "-le" => Some(number(left)? <= number(right)?),
        _ => None,
    }
}

/// A regular expression that is a text with anchors, or a choice of such.
pub(super) fn simple_match(text: &str, expression: &str) -> Option<bool> {
    let inner = expression.trim_start_matches('^').trim_end_matches('$');
    let inner = inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).unwrap_or(inner);
    if inner.contains(['.', '*', '[', ']', '(', ')', '+', '?', '\\', '{']) {
        return None;
    }
    let (from_start, to_end) = (expression.starts_with('^'), expression.ends_with('$'));
    Some(inner.split('|').any(|choice| match (from_start, to_end) {
        (true, true) => text == choice,
        (true, false) => text.starts_with(choice),
        (false, true) => text.ends_with(choice),
        (false, false) => text.contains(choice),
    }))
}
