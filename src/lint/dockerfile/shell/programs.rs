//! Programs whose output follows from their input: what `uname` says is often edited before it is used.

use super::super::value::Value;

/// `echo`.
pub(super) fn echo(operands: &[Value]) -> Value {
    let mut operands = operands;
    let mut has_newline = true;
    while let Some((first, rest)) = operands.split_first() {
        match first.text().as_deref() {
            Some("-n") => has_newline = false,
            Some("-e" | "-E") => {}
            Some("-ne" | "-en") => has_newline = false,
            _ => break,
        }
        operands = rest;
    }
    let mut all = Value::default();
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            all.push(&Value::supplied(" ", false));
        }
        all.push(operand);
    }
    if has_newline { all.then(&Value::supplied("\n", false)) } else { all }
}

/// `printf`, with `%s`, `\n` and `\t`; `None` where the format has more.
pub(super) fn printf(operands: &[Value]) -> Option<Value> {
    let (format, mut arguments) = operands.split_first()?;
    let text = format.text()?;
    let mut all = Value::default();
    // The format is used again as long as arguments are left.
    loop {
        let left = arguments.len();
        let mut at = 0;
        while let Some(found) = text.get(at..)?.find(['%', '\\']) {
            let special = at.saturating_add(found);
            all.push(&format.part(at..special));
            match text.get(special..special.saturating_add(2))? {
                "%s" | "%b" | "%d" => {
                    if let Some((first, rest)) = arguments.split_first() {
                        all.push(first);
                        arguments = rest;
                    }
                }
                "%%" => all.push(&Value::supplied("%", false)),
                "\\n" => all.push(&Value::supplied("\n", false)),
                "\\t" => all.push(&Value::supplied("\t", false)),
                _ => return None,
            }
            at = special.saturating_add(2);
        }
        all.push(&format.part(at..text.len()));
        if arguments.is_empty() || arguments.len() == left {
            return Some(all);
        }
    }
}

/// `basename PATH [SUFFIX]`.
pub(super) fn base_name(words: &[String]) -> Option<String> {
    let name = super::output::base_name(words.get(1)?);
    let suffix = words.get(2).map(String::as_str).unwrap_or_default();
    Some(name.strip_suffix(suffix).unwrap_or(name).to_owned())
}

/// What a filter makes of its input; `None` where that is not known.
pub(super) fn filtered(name: &str, operands: &[String], input: &Value) -> Option<Value> {
    match name {
        "sed" => sed(operands, input),
        "tr" => tr(operands, input),
        "cut" => cut(operands, input),
        "awk" | "gawk" | "mawk" => awk(operands, input),
        "xargs" if operands.is_empty() => Some(input.clone()),
        "head" | "tail" | "sort" | "uniq" if input.text().is_some_and(|text| text.trim_end().lines().count() <= 1) => {
            Some(input.clone())
        }
        "grep" | "egrep" => grep(operands, input, name == "egrep"),
        _ => None,
    }
}

fn sed(operands: &[String], input: &Value) -> Option<Value> {
    let mut scripts = Vec::new();
    let mut is_extended = false;
    let mut operands = operands.iter();
    while let Some(operand) = operands.next() {
        match operand.as_str() {
            "-e" => scripts.push(operands.next()?.as_str()),
            "-E" | "-r" => is_extended = true,
            flag if flag.starts_with('-') && flag.len() > 1 => {
                scripts.push(flag.strip_prefix("-e").filter(|script| !script.is_empty())?);
            }
            script if scripts.is_empty() => scripts.push(script),
            _ => return None,
        }
    }
    let mut value = input.clone();
    for command in scripts.iter().flat_map(|script| commands(script)) {
        value = substituted(command.trim(), &value, is_extended)?;
    }
    Some(value)
}

/// The commands of a script, which `;` and newlines part.
fn commands(script: &str) -> impl Iterator<Item = &str> {
    script.split([';', '\n']).filter(|command| !command.trim().is_empty())
}

/// `s/PATTERN/WITH/`, the pattern a text with anchors or a choice of such.
fn substituted(command: &str, input: &Value, is_extended: bool) -> Option<Value> {
    let rest = command.strip_prefix('s')?;
    let separator = rest.chars().next()?;
    let mut parts = rest.strip_prefix(separator)?.split(separator);
    let (pattern, with, flags) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || !matches!(flags, "" | "g") || with.contains(['\\', '&']) {
        return None;
    }
    let text = input.text()?;
    let (body, newline) = text.strip_suffix('\n').map_or((text.as_str(), ""), |body| (body, "\n"));
    if body.contains('\n') {
        return None;
    }
    let choices = literals(pattern, is_extended)?;
    let mut new = body.to_owned();
    for (literal, from_start, to_end) in choices {
        let changed = match (from_start, to_end) {
            (true, true) => (new == literal).then(|| with.to_owned()),
            (true, false) => new.strip_prefix(&literal).map(|rest| format!("{with}{rest}")),
            (false, true) => new.strip_suffix(&literal).map(|rest| format!("{rest}{with}")),
            (false, false) if !new.contains(&literal) => None,
            (false, false) if flags == "g" => Some(new.replace(&literal, with)),
            (false, false) => Some(new.replacen(&literal, with, 1)),
        };
        if let Some(changed) = changed {
            new = changed;
            break;
        }
    }
    if new == body { Some(input.clone()) } else { input.edited(|_| format!("{new}{newline}")) }
}

/// The texts that a regular expression stands for, with whether each is bound to the start and to the end.
fn literals(pattern: &str, is_extended: bool) -> Option<Vec<(String, bool, bool)>> {
    let choices: Vec<&str> = if is_extended { pattern.split('|').collect() } else { pattern.split("\\|").collect() };
    let one = |choice: &str| {
        let (from_start, choice) = choice.strip_prefix('^').map_or((false, choice), |rest| (true, rest));
        let (to_end, choice) = choice.strip_suffix('$').map_or((false, choice), |rest| (true, rest));
        let mut text = String::new();
        let mut letters = choice.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => text.push(letters.next().filter(|next| !next.is_ascii_alphanumeric() && !matches!(next, '(' | ')'))?),
                '*' | '[' | ']' => return None,
                '.' | '+' | '?' | '(' | ')' | '{' if is_extended || letter == '.' => return None,
                _ => text.push(letter),
            }
        }
        Some((text, from_start, to_end))
    };
    choices.into_iter().map(one).collect()
}

fn tr(operands: &[String], input: &Value) -> Option<Value> {
    let text = input.text()?;
    let new = match operands {
        [flag, set] if flag == "-d" => {
            let set = if set == "\\n" { "\n" } else { set.as_str() };
            (!set.contains(['[', '-', '\\']) || set == "-").then(|| text.replace(|letter| set.contains(letter), ""))
        }
        [from, to] => match (from.as_str(), to.as_str()) {
            ("[:upper:]" | "A-Z" | "[A-Z]", "[:lower:]" | "a-z" | "[a-z]") => Some(text.to_ascii_lowercase()),
            ("[:lower:]" | "a-z" | "[a-z]", "[:upper:]" | "A-Z" | "[A-Z]") => Some(text.to_ascii_uppercase()),
            (from, to) if from.chars().count() == 1 && to.chars().count() == 1 => Some(text.replace(from, to)),
            _ => None,
        },
        _ => None,
    }?;
    input.edited(|_| new)
}

fn cut(operands: &[String], input: &Value) -> Option<Value> {
    let (mut delimiter, mut field) = ("\t".to_owned(), None);
    let mut operands = operands.iter();
    while let Some(operand) = operands.next() {
        if let Some(value) = operand.strip_prefix("-d") {
            delimiter = if value.is_empty() { operands.next()?.clone() } else { value.to_owned() };
        } else {
            let value = operand.strip_prefix("-f")?;
            let value = if value.is_empty() { operands.next()? } else { value };
            field = value.parse::<usize>().ok();
        }
    }
    let text = input.text()?;
    let line = text.trim_end_matches('\n');
    let place = field?.checked_sub(1)?;
    if delimiter.is_empty() || line.contains('\n') {
        return None;
    }
    let new = if line.contains(&delimiter) { line.split(delimiter.as_str()).nth(place).unwrap_or_default() } else { line };
    input.edited(|_| format!("{new}\n"))
}

/// `awk '{print $N}'` and `$NF`, with `-F`.
fn awk(operands: &[String], input: &Value) -> Option<Value> {
    let (separator, program) = match operands {
        [program] => (None, program),
        [flag, program] => (Some(flag.strip_prefix("-F")?.to_owned()), program),
        [flag, separator, program] if flag == "-F" => (Some(separator.clone()), program),
        _ => return None,
    };
    let inner = program.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let field = inner.strip_prefix("print")?.trim().strip_prefix('$')?.trim_end_matches(';').trim();
    let text = input.text()?;
    let line = text.trim_end_matches('\n');
    if line.contains('\n') {
        return None;
    }
    let fields: Vec<&str> = match &separator {
        Some(separator) if separator.len() == 1 => line.split(separator.as_str()).collect(),
        Some(_) => return None,
        None => line.split_whitespace().collect(),
    };
    let place = if field == "NF" { fields.len() } else { field.parse().ok()? };
    let new = if place == 0 { line } else { fields.get(place - 1).copied().unwrap_or_default() };
    input.edited(|_| format!("{new}\n"))
}

/// `grep TEXT` over one line: the line, or nothing.
fn grep(operands: &[String], input: &Value, is_extended: bool) -> Option<Value> {
    let (flags, rest): (Vec<&String>, Vec<&String>) = operands.iter().partition(|operand| operand.starts_with('-'));
    let [expression] = rest.as_slice() else { return None };
    let letters: String = flags.iter().filter_map(|flag| flag.strip_prefix('-')).collect();
    let is_extended = is_extended || letters.contains('E');
    let is_plain =
        if letters.contains('F') { !expression.contains(['^', '$', '|']) } else { is_extended || !expression.contains('|') };
    if !is_plain || !letters.chars().all(|letter| "EFqe".contains(letter)) {
        return None;
    }
    let text = input.text()?;
    let line = text.trim_end_matches('\n');
    if line.contains('\n') {
        return None;
    }
    let is_match = super::conditions::simple_match(line, expression)?;
    Some(if is_match { input.clone() } else { Value::supplied("", false) })
}
