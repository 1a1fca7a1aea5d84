//! YAML with the place of every part: build files, workflows, Kubernetes manifests. JSON is YAML too.
//!
//! Only what such files hold is told apart: text, lists and mappings. Bounded whatever the file says: aliases that unfold to
//! more than [`MOST_NODES`] and nesting deeper than [`DEEPEST`] end the reading.

use std::collections::HashMap;
use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Nodes that a file may hold, aliases unfolded.
pub const MOST_NODES: usize = 1_000_000;

/// Lists and mappings within each other.
pub const DEEPEST: usize = 100;

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Its bytes in the file; of an alias, those of what it stands for.
    pub span: Range<usize>,
    /// What it is.
    pub value: Value,
}

/// What a node is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text, a number, a truth value or nothing: as it is written, without quotes.
    Scalar {
        /// Its characters.
        text: String,
        /// Whether it stands without quotes, so that `null` and `true` mean what they say.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values, in the order of the file.
    Mapping(Vec<(Node, Node)>),
}

/// Why a file could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Problem {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// The documents of a file, up to the first that cannot be read.
pub fn parse(text: &str) -> (Vec<Node>, Option<Problem>) {
    let mut builder = Builder { offsets: Offsets::new(text), ..Builder::default() };
    for event in Parser::new_from_str(text) {
        let taken = event.map_err(|error| Problem { line: error.marker().line(), what: error.info().to_owned() });
        if let Err(problem) = taken.and_then(|(event, span)| builder.take(event, span)) {
            return (builder.documents, Some(problem));
        }
    }
    (builder.documents, None)
}

impl Node {
    /// The value of a key of a mapping; also of one that is merged into it (`<<`).
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// A key of a mapping and its value, as [`Self::get`].
    pub fn entry(&self, key: &str) -> Option<&(Self, Self)> {
        let own = self.entries().iter().find(|(name, _)| name.text() == Some(key));
        own.or_else(|| {
            let (_, merged) = self.entries().iter().find(|(name, _)| name.text() == Some("<<"))?;
            let several = merged.items();
            std::iter::once(merged).filter(|_| several.is_empty()).chain(several).find_map(|merged| merged.entry(key))
        })
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// A scalar's characters; `None` for nothing (`null`, `~`).
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, plain } => Some(text.as_str()).filter(|text| !(*plain && is_null(text))),
            _ => None,
        }
    }

    /// A list's members; none for anything else.
    pub fn items(&self) -> &[Self] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// A mapping's keys and values; none for anything else.
    pub fn entries(&self) -> &[(Self, Self)] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// From the parser's characters to bytes.
#[derive(Default)]
struct Offsets {
    /// By character; empty where the file is ASCII, so that they are the same.
    bytes: Vec<usize>,
    length: usize,
}

impl Offsets {
    fn new(text: &str) -> Self {
        let bytes = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(offset, _)| offset).collect() };
        Self { bytes, length: text.len() }
    }

    fn byte(&self, character: usize) -> usize {
        if self.bytes.is_empty() {
            return character.min(self.length);
        }
        self.bytes.get(character).copied().unwrap_or(self.length)
    }

    fn range(&self, span: Span) -> Range<usize> {
        let start = self.byte(span.start.index());
        start..self.byte(span.end.index()).max(start)
    }
}

/// A list or mapping that is not at its end.
struct Open {
    start: usize,
    anchor: usize,
    is_mapping: bool,
    children: Vec<Node>,
    /// Nodes in it, itself included.
    nodes: usize,
}

#[derive(Default)]
struct Builder {
    offsets: Offsets,
    documents: Vec<Node>,
    open: Vec<Open>,
    /// What aliases stand for, with the number of nodes that it has.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar { text: text.into_owned(), plain: style == ScalarStyle::Plain };
                self.grow(1, line)?;
                self.close(Node { span: self.offsets.range(span), value }, anchor, 1, line)
            }
            Event::Alias(anchor) => {
                // What holds an alias of itself has no end, and is not closed yet.
                let what = || "an alias of nothing, or of what it stands in".to_owned();
                let nodes = self.anchors.get(&anchor).map(|(_, nodes)| *nodes).ok_or_else(|| Problem { line, what: what() })?;
                self.grow(nodes, line)?;
                let node = self.anchors.get(&anchor).map(|(node, _)| node.clone());
                node.map_or(Ok(()), |node| self.close(node, 0, nodes, line))
            }
            Event::SequenceStart(anchor, _) => self.begin(span, anchor, false),
            Event::MappingStart(anchor, _) => self.begin(span, anchor, true),
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => Ok(()),
        }
    }

    /// Counts nodes before they are made.
    fn grow(&mut self, nodes: usize, line: usize) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MOST_NODES { Err(Problem { line, what: format!("more than {MOST_NODES} nodes") }) } else { Ok(()) }
    }

    fn begin(&mut self, span: Span, anchor: usize, is_mapping: bool) -> Result<(), Problem> {
        let line = span.start.line();
        if self.open.len() >= DEEPEST {
            return Err(Problem { line, what: format!("more than {DEEPEST} lists and mappings within each other") });
        }
        self.grow(1, line)?;
        let start = self.offsets.byte(span.start.index());
        self.open.push(Open { start, anchor, is_mapping, children: Vec::new(), nodes: 1 });
        Ok(())
    }

    fn end(&mut self, span: Span) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        // In block style the end comes where the next thing begins, which is far behind the last child.
        let flow_end = (span.end.index() > span.start.index()).then(|| self.offsets.byte(span.end.index()));
        let end = flow_end.or_else(|| open.children.last().map(|child| child.span.end)).unwrap_or(open.start);
        let value = if open.is_mapping { Value::Mapping(pairs(open.children)) } else { Value::Sequence(open.children) };
        self.close(Node { span: open.start..end.max(open.start), value }, open.anchor, open.nodes, span.start.line())
    }

    /// Puts a finished node where it belongs; `nodes` are itself and all in it.
    fn close(&mut self, node: Node, anchor: usize, nodes: usize, line: usize) -> Result<(), Problem> {
        if anchor > 0 {
            self.grow(nodes, line)?;
            self.anchors.insert(anchor, (node.clone(), nodes));
        }
        match self.open.last_mut() {
            Some(parent) => {
                parent.nodes = parent.nodes.saturating_add(nodes);
                parent.children.push(node);
            }
            None => self.documents.push(node),
        }
        Ok(())
    }
}

fn pairs(children: Vec<Node>) -> Vec<(Node, Node)> {
    let mut entries = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        entries.push((key, value));
    }
    entries
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DEEPEST, parse};

    #[test]
    fn parts_know_their_bytes() {
        let text = "é: 1\njobs:\n  build:\n    - run: 'a b'\n    - {x: [1, ~]}\nend: yes\n";
        let (documents, problem) = parse(text);
        assert_eq!(problem, None);
        let steps = documents[0].at(&["jobs", "build"]).unwrap();
        assert_eq!(&text[steps.span.clone()], "- run: 'a b'\n    - {x: [1, ~]}");
        assert_eq!(&text[steps.items()[0].get("run").unwrap().span.clone()], "'a b'");
        assert_eq!(steps.items()[0].get("run").unwrap().text(), Some("a b"));
        let flow = steps.items()[1].get("x").unwrap();
        assert_eq!((&text[flow.span.clone()], flow.items()[1].text()), ("[1, ~]", None));
        assert_eq!(documents[0].get("end").and_then(|end| end.text()), Some("yes"));
    }

    #[test]
    fn documents_aliases_and_merges() {
        let (documents, problem) = parse("---\na: &x {k: 1, l: 2}\nb: *x\nc:\n  <<: *x\n  k: 3\n---\nsecond\n");
        assert_eq!((documents.len(), problem), (2, None));
        let value = |path: &[&str]| documents[0].at(path).and_then(|node| node.text());
        assert_eq!([value(&["b", "l"]), value(&["c", "k"]), value(&["c", "l"])], [Some("2"), Some("3"), Some("2")]);
    }

    #[test]
    fn what_comes_before_a_problem_is_kept() {
        let (documents, problem) = parse("a: 1\n---\nb: [1\n");
        assert_eq!(documents[0].get("a").unwrap().text(), Some("1"));
        assert!(problem.unwrap().line >= 3);
    }

    #[test]
    fn bombs_do_not_go_off() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        assert!(parse(&bomb).1.unwrap().what.contains("nodes"));
        let deep = "[".repeat(DEEPEST + 1);
        assert!(parse(&deep).1.unwrap().what.contains("within each other"));
        assert!(parse("a: &a [*a]\n").1.unwrap().what.contains("alias"));
        let anchors: String = (0..DEEPEST - 1).map(|level| format!("&a{level} [")).collect();
        let wide = format!("{anchors}{}", "x, ".repeat(20_000));
        assert!(parse(&wide).1.is_some());
    }

    proptest! {
        #[test]
        fn never_panics_and_stays_within_the_text(text in "[-:a-c{}\\[\\],&*!|>'\"#%\n é\t]{0,60}") {
            let (documents, _) = parse(&text);
            for node in documents {
                prop_assert!(text.get(node.span).is_some());
            }
        }
    }
}
