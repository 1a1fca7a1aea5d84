//! Log text to lines: what wraps a program's words (timestamps, prefixes, JSON, colours, another language) taken off.

mod translate;
mod wrapping;

use serde_json::Value;

/// Lines beyond these are not looked at: the first of them, and as many of the last.
const MAX_LINES: usize = 200_000;

/// Bytes of a line that are looked at.
const MAX_LENGTH: usize = 16 << 10;

/// One wrapping inside the other, such as JSON in JSON behind a timestamp.
const MAX_DEPTH: usize = 8;

/// A line of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    /// As it was found.
    pub raw: String,
    /// What the program printed; a JSON line that holds several messages, or one of several lines, gives several lines.
    pub text: String,
}

/// Reads a log: text, JSON lines, or a mixture.
pub fn lines(text: &str) -> Vec<Line> {
    let count = text.lines().count();
    let left_out = |place: usize| place >= MAX_LINES && place + MAX_LINES < count;
    let kept = text.lines().enumerate().filter(|(place, _)| !left_out(*place));
    kept.flat_map(|(place, raw)| line(place.saturating_add(1), cut(raw))).collect()
}

fn cut(raw: &str) -> &str {
    let end = (0..=raw.len().min(MAX_LENGTH)).rev().find(|end| raw.is_char_boundary(*end)).unwrap_or_default();
    raw.get(..end).unwrap_or_default()
}

fn line(number: usize, raw: &str) -> Vec<Line> {
    let texts = unwrapped(raw, 0);
    texts.into_iter().map(|text| Line { number, raw: raw.to_owned(), text }).collect()
}

/// Takes off one wrapping after the other, until nothing changes.
fn unwrapped(text: &str, depth: usize) -> Vec<String> {
    let plain = wrapping::without_prefixes(&wrapping::without_colours(text));
    let inner = if depth < MAX_DEPTH { messages(&plain) } else { Vec::new() };
    if !inner.is_empty() {
        return inner
            .iter()
            .flat_map(|message| message.lines())
            .flat_map(|line| unwrapped(line, depth.saturating_add(1)))
            .collect();
    }
    let bare = wrapping::without_escapes(&plain);
    bare.lines().map(|line| translate::to_english(line.trim_end_matches('\r'))).filter(|line| !line.trim().is_empty()).collect()
}

/// The messages of a line that is JSON, or key=value pairs as logrus and slog write them.
fn messages(text: &str) -> Vec<String> {
    let text = text.trim();
    if text.starts_with('{') {
        return serde_json::from_str::<Value>(text).map(|value| strings(&value)).unwrap_or_default();
    }
    wrapping::pairs(text)
}

/// Keys whose text is no message.
const ASIDES: &[&str] =
    &["time", "timestamp", "ts", "@timestamp", "level", "lvl", "severity", "stream", "logger", "caller", "id", "container_id"];

/// Every text of a JSON document that may be a message, and exit codes with their names.
fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(fields) => fields.iter().filter(|(key, _)| !ASIDES.contains(&key.as_str())).flat_map(field).collect(),
        _ => Vec::new(),
    }
}

fn field((key, value): (&String, &Value)) -> Vec<String> {
    match value {
        Value::Number(number) if key.to_lowercase().contains("exit") => vec![format!("exit code: {number}")],
        _ => strings(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::lines;

    fn texts(log: &str) -> Vec<String> {
        lines(log).into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn every_wrapping_comes_off() {
        let line = "exec /app: exec format error";
        for wrapped in [
            "exec /app: exec format error",
            "\u{1b}[31mexec /app: exec format error\u{1b}[0m\r",
            "2024-05-01T10:00:00.123456789Z stdout F exec /app: exec format error",
            "2024-05-01T10:00:00.1234567Z exec /app: exec format error",
            "2024-05-01 10:00:00,123 exec /app: exec format error",
            "[2024-05-01T10:00:00Z] exec /app: exec format error",
            r#"{"log":"exec /app: exec format error\n","stream":"stderr","time":"2024-05-01T10:00:00.1Z"}"#,
            r#"{"msg":"exec /app: exec format error","level":"error","time":"2024-05-01T10:00:00.1Z"}"#,
            r#"{"level":"info","nested":{"log":"{\"message\":\"exec /app: exec format error\"}"}}"#,
            r#"time="2024-05-01T10:00:00Z" level=error msg="exec /app: exec format error""#,
            "web-1  | exec /app: exec format error",
            "web_1         | exec /app: exec format error",
            "[pod/web-5d4/app] exec /app: exec format error",
            "#12 0.345 exec /app: exec format error",
            "I0501 10:00:00.000000    1234 kuberuntime.go:12] exec /app: exec format error",
            "May  1 10:00:00 node-1 app[123]: exec /app: exec format error",
            "2024-05-01T10:00:00.1234567Z ##[error]exec /app: exec format error",
        ] {
            assert_eq!(texts(wrapped), [line], "{wrapped}");
        }
    }

    #[test]
    fn quotes_within_quotes_are_quotes() {
        let log = r#"starting container process caused "exec: \\\"/app\\\": permission denied": unknown"#;
        assert_eq!(texts(log), [r#"starting container process caused "exec: "/app": permission denied": unknown"#]);
    }

    #[test]
    fn other_languages_are_read_as_english() {
        assert_eq!(
            texts("bash: ./app: 无法执行二进制文件: 可执行文件格式错误"),
            ["bash: ./app: cannot execute binary file: Exec format error"]
        );
        assert_eq!(texts("env: ‘bash\\r’: Datei oder Verzeichnis nicht gefunden"), ["env: ‘bash\\r’: No such file or directory"]);
        assert_eq!(texts("bash: ./a : Permission non accordée"), ["bash: ./a : Permission denied"]);
    }

    #[test]
    fn exit_codes_of_json_are_told() {
        assert_eq!(texts(r#"{"State":{"ExitCode":127,"Error":""}}"#), ["exit code: 127"]);
    }

    #[test]
    fn a_deep_nest_ends() {
        let nest = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
        assert!(lines(&nest).len() <= 1);
    }

    proptest! {
        #[test]
        fn whatever_the_text_lines_are_numbered_and_bounded(text in "(\\PC|[\\x00-\\x1f]){0,300}") {
            let all = lines(&text);
            prop_assert!(all.windows(2).all(|pair| pair[0].number <= pair[1].number));
            prop_assert!(all.iter().all(|line| line.number >= 1 && line.number <= text.lines().count()));
        }
    }
}
