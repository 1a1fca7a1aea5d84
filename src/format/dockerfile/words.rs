use std::ops::Range;

use super::Text;

/// What separates words where no quotes count.
const BLANKS: [char; 5] = [' ', '\t', '\u{b}', '\u{c}', '\r'];

/// Where the first word of a text ends, and where what follows it begins.
pub(super) fn first(text: &str) -> (usize, usize) {
    let end = text.find(BLANKS).unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default();
    (end, text.len().saturating_sub(rest.trim_start_matches(BLANKS).len()))
}

/// The words between blanks.
pub(super) fn blank(text: &Text) -> Vec<Text> {
    let mut words = Vec::new();
    let mut place = 0_usize;
    while let Some(rest) = text.as_str().get(place..).filter(|rest| !rest.is_empty()) {
        let (end, next) = first(rest);
        words.push(text.slice(place..place.saturating_add(end)));
        place = place.saturating_add(next);
    }
    words
}

/// The words between white space, where quotes and escapes hold words together and stay in them.
pub(super) fn quoted(text: &Text, escape: char) -> Vec<Text> {
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<char> = None;
    let mut characters = text.as_str().char_indices();
    while let Some((place, character)) = characters.next() {
        if start.is_none() && !character.is_whitespace() {
            start = Some(place);
        }
        match quote {
            Some(open) if character == open => quote = None,
            // Nothing is an escape between single quotes.
            Some('\'') => {}
            None if character.is_whitespace() => words.extend(start.take().map(|start| text.slice(start..place))),
            None if matches!(character, '\'' | '"') => quote = Some(character),
            _ if character == escape => drop(characters.next()),
            _ => {}
        }
    }
    // An escape at the very end counts for nothing.
    let whole = text.as_str();
    let is_escaped = |whole: &str| whole.chars().rev().take_while(|last| *last == escape).count() % 2 == 1;
    let end = if is_escaped(whole) && quote != Some('\'') { whole.len().saturating_sub(escape.len_utf8()) } else { whole.len() };
    words.extend(start.filter(|start| *start < end).map(|start| text.slice(start..end)));
    words
}

/// The words from `start` on that begin with `--`, without their quotes and escapes, and where the rest begins. A word `--` ends
/// them.
pub(super) fn flags(text: &Text, start: usize, escape: char) -> (Vec<Text>, usize) {
    let mut flags = Vec::new();
    let mut place = start;
    loop {
        let rest = text.as_str().get(place..).unwrap_or_default();
        place = text.as_str().len().saturating_sub(rest.trim_start().len());
        if !rest.trim_start().starts_with("--") {
            return (flags, place);
        }
        let (word, end) = unquoted(text, place, escape);
        place = end;
        match word.as_str() {
            "--" => return (flags, place),
            _ => flags.push(word),
        }
    }
}

/// The word at `start` without its quotes and escapes, and where it ends.
fn unquoted(text: &Text, start: usize, escape: char) -> (Text, usize) {
    let whole = text.as_str();
    let mut word = text.slice(start..start);
    let mut quote: Option<char> = None;
    let mut characters = whole.get(start..).unwrap_or_default().char_indices();
    let mut keep = |range: Range<usize>| word.append(&text.slice(range));
    while let Some((place, character)) = characters.next() {
        let place = start.saturating_add(place);
        match quote {
            None if character.is_whitespace() => return (word, place),
            None if matches!(character, '\'' | '"') => quote = Some(character),
            Some(open) if character == open => quote = None,
            _ if character == escape => {
                if let Some((next, character)) = characters.next() {
                    let next = start.saturating_add(next);
                    keep(next..next.saturating_add(character.len_utf8()));
                }
            }
            _ => keep(place..place.saturating_add(character.len_utf8())),
        }
    }
    (word, whole.len())
}

/// What a text is as JSON.
pub(super) enum Json {
    /// An array of strings.
    Strings(Vec<Text>),
    /// An array with something else in it.
    Others,
    /// No array.
    None,
}

/// Reads a JSON array of strings.
pub(super) fn json(text: &Text) -> Json {
    let whole = text.as_str();
    if !whole.trim_start().starts_with('[') {
        return Json::None;
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(whole) else { return Json::None };
    if !values.iter().all(serde_json::Value::is_string) {
        return Json::Others;
    }
    // Being an array of strings, the text has quotes only around them, and escaped ones in them.
    let mut strings = Vec::new();
    let mut place = 0_usize;
    while let Some(open) = whole.get(place..).and_then(|rest| rest.find('"')) {
        let (string, end) = string(text, place.saturating_add(open).saturating_add(1));
        strings.push(string);
        place = end;
    }
    Json::Strings(strings)
}

/// The JSON string that begins at `start`, behind its quote, and where what follows it begins.
fn string(text: &Text, start: usize) -> (Text, usize) {
    let whole = text.as_str();
    let mut string = text.slice(start..start);
    let mut place = start;
    while let Some(rest) = whole.get(place..).filter(|rest| !rest.is_empty() && !rest.starts_with('"')) {
        let length = escapes(rest);
        let end = if length > 0 {
            let end = place.saturating_add(length);
            let decoded = serde_json::from_str::<String>(&format!("\"{}\"", rest.get(..length).unwrap_or_default()));
            string.push(&decoded.unwrap_or_default(), text.in_file(place..end));
            end
        } else {
            let end = place.saturating_add(rest.find(['"', '\\']).unwrap_or(rest.len()));
            string.append(&text.slice(place..end));
            end
        };
        place = end;
    }
    (string, place.saturating_add(1))
}

/// How long the escape is that a text begins with; a character that takes two `\u` is one.
fn escapes(text: &str) -> usize {
    let unit =
        |text: &str| text.strip_prefix("\\u").and_then(|rest| rest.get(..4)).and_then(|hex| u16::from_str_radix(hex, 16).ok());
    match unit(text) {
        Some(0xd800..=0xdbff) => 12,
        Some(_) => 6,
        None if text.starts_with('\\') => 2,
        None => 0,
    }
}
