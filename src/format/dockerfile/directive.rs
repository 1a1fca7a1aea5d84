use super::Directive;
use super::lines::Line;

/// The directives at the top of a file: comments of the form `NAME=value`, until the first line of another kind.
#[derive(Default)]
pub(super) struct Directives {
    seen: Vec<Directive>,
    is_over: bool,
}

impl Directives {
    /// Looks at the next line.
    ///
    /// # Errors
    /// It is a directive that was there before.
    pub(super) fn read(&mut self, line: &Line<'_>) -> Result<Option<Directive>, String> {
        let found = if self.is_over { None } else { directive(line) };
        self.is_over = found.is_none();
        let Some(found) = found else { return Ok(None) };
        if self.seen.iter().any(|seen| seen.name == found.name) {
            return Err(format!("the directive `{}` is given twice", found.name));
        }
        self.seen.push(found.clone());
        Ok(Some(found))
    }
}

fn directive(line: &Line<'_>) -> Option<Directive> {
    let comment = line.text.trim_start();
    let (name, value) = comment.strip_prefix('#')?.trim_start().split_once('=')?;
    let name = name.trim_end().to_ascii_lowercase();
    let value = value.trim();
    let is_known = matches!(name.as_str(), "syntax" | "escape" | "check");
    let start = line.end().saturating_sub(comment.len());
    (is_known && !value.is_empty()).then(|| Directive { name, value: value.to_owned(), span: start..line.end() })
}
