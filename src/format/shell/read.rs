use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::{Command, Kind, Piece, Script, Statement, Word};

/// Scripts are nested a dozen deep; deeper than this is not read.
pub(super) const MAX_DEPTH: usize = 120;
/// Commands of a list that are nested one in the other: what follows it goes from one to the other.
const MAX_LIST: usize = 200;
/// A longer list is at most so many lists of so many commands.
const MAX_PARTS: usize = MAX_LIST / 2;
/// How often the parser may report progress. Real scripts of 40 KiB make it do so 250 times.
const MAX_PROGRESS: usize = 1000;

pub(super) fn script(text: &[u8]) -> Script {
    let Some(mut tree) = parse(text) else { return Script { statements: Vec::new(), is_whole: false } };
    let mut text = text;
    let parted = if tree.root_node().has_error() { parted(text) } else { None };
    if let Some(parted) = &parted
        && let Some(other) = parse(parted).filter(|other| !other.root_node().has_error())
    {
        (tree, text) = (other, parted);
    }
    let mut reader = Reader { text, depth: 0, is_whole: !tree.root_node().has_error() };
    let statements = reader.statements(tree.root_node());
    Script { statements, is_whole: reader.is_whole }
}

/// The text with ` esac)` as `esac )`, if it has such: the grammar takes `esac)/tool"` behind `;;` for one more pattern. No other byte moves.
fn parted(text: &[u8]) -> Option<Vec<u8>> {
    let mut parted = text.to_vec();
    for at in 1..text.len() {
        let before = text.get(at - 1).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b';');
        if before && text.get(at..).is_some_and(|rest| rest.starts_with(b" esac)")) {
            parted.get_mut(at..)?.get_mut(..6)?.copy_from_slice(b"esac )");
        }
    }
    (parted != text).then_some(parted)
}

fn parse(text: &[u8]) -> Option<Tree> {
    // No shell reads such a file, and the parser would take seconds for a few of them.
    if text.contains(&0) {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    let mut steps = 0_usize;
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps > MAX_PROGRESS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut from = |at: usize, _| text.get(at..).unwrap_or_default();
    parser.parse_with_options(&mut from, None, Some(ParseOptions::new().progress_callback(&mut progress)))
}

pub(super) struct Reader<'a> {
    pub(super) text: &'a [u8],
    pub(super) depth: usize,
    is_whole: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn text(&self, node: Node<'_>) -> &'a [u8] {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    pub(super) fn name(&self, node: Node<'_>) -> String {
        String::from_utf8_lossy(self.text(node)).into_owned()
    }

    /// The statements among a node's children, in order.
    pub(super) fn statements(&mut self, node: Node<'_>) -> Vec<Statement> {
        let mut found: Vec<Statement> = Vec::new();
        for child in children(node) {
            if !child.is_named() {
                if child.kind() == "&"
                    && let Some(last) = found.last_mut()
                {
                    last.in_background = true;
                }
                continue;
            }
            if !matches!(child.kind(), "comment" | "heredoc_body" | "heredoc_end" | "elif_clause" | "else_clause") {
                found.push(self.statement(child));
            }
        }
        found
    }

    pub(super) fn statement(&mut self, node: Node<'_>) -> Statement {
        self.depth += 1;
        let kind = if self.depth > MAX_DEPTH { Kind::Unread } else { self.kind(node) };
        self.depth -= 1;
        self.is_whole &= kind != Kind::Unread;
        made(node, kind)
    }

    pub(super) fn kind(&mut self, node: Node<'_>) -> Kind {
        match node.kind() {
            "command" | "declaration_command" | "unset_command" | "variable_assignment" | "variable_assignments" => {
                Kind::Command(self.command(node))
            }
            "redirected_statement" => self.redirected(node),
            "test_command" => {
                let mut words = Vec::new();
                self.test_words(node, &mut words);
                Kind::Test { words, is_double: self.text(node).starts_with(b"[[") }
            }
            "list" => self.list(node),
            "negated_command" => match node.named_child(0) {
                Some(inner) => Kind::Not(Box::new(self.statement(inner))),
                None => Kind::Unread,
            },
            "pipeline" => Kind::Pipeline(self.statements(node)),
            "if_statement" => self.condition(node),
            "case_statement" => self.case(node),
            "for_statement" => self.repeated(node),
            "while_statement" => {
                let condition = fields(node, "condition").into_iter().filter(Node::is_named);
                let mut condition: Vec<Statement> = condition.map(|statement| self.statement(statement)).collect();
                if self.text(node).starts_with(b"until") {
                    condition = vec![made(node, Kind::Not(Box::new(made(node, Kind::Group(condition)))))];
                }
                Kind::Loop(condition, self.body(node))
            }
            "function_definition" => match (node.child_by_field_name("name"), node.child_by_field_name("body")) {
                (Some(name), Some(body)) => Kind::Function(self.name(name), Box::new(self.statement(body))),
                _ => Kind::Unread,
            },
            "compound_statement" if !self.text(node).starts_with(b"((") => Kind::Group(self.statements(node)),
            "subshell" => Kind::Subshell(self.statements(node)),
            _ => Kind::Unread,
        }
    }

    fn command(&mut self, node: Node<'_>) -> Command {
        if node.kind() == "variable_assignment" {
            return Command { assignments: self.assignment(node).into_iter().collect(), ..Command::default() };
        }
        let mut command = Command::default();
        let mut end = None;
        for child in children(node) {
            let goes_on = end.replace(child.end_byte()) == Some(child.start_byte());
            match child.kind() {
                "variable_assignment" if command.words.is_empty() => command.assignments.extend(self.assignment(child)),
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => self.redirect(child, &mut command),
                "comment" => {}
                _ => {
                    let word = self.word(child);
                    match command.words.last_mut().filter(|_| goes_on) {
                        Some(last) => last.join(word),
                        None => command.words.push(word),
                    }
                }
            }
        }
        command
    }

    /// `a && b || c`. A RUN's list may be a hundred commands long, and the grammar nests it to the left: it is taken apart from its end.
    fn list(&mut self, node: Node<'_>) -> Kind {
        let mut rights = Vec::new();
        let mut first = node;
        while first.kind() == "list" {
            let parts: Vec<Node<'_>> = children(first).collect();
            let [left, operator, right] = parts.as_slice() else { return Kind::Unread };
            rights.push((operator.kind(), *right));
            first = *left;
        }
        rights.reverse();
        if rights.len() <= MAX_LIST {
            let first = self.statement(first);
            return self.joined(first, &rights).map_or(Kind::Unread, |all| all.kind);
        }
        // `a && b && c` is `a && (b && c)`: a long list is one of lists, so that it is not nested deeper than a short one.
        if rights.len() >= MAX_PARTS * MAX_PARTS || rights.iter().any(|(operator, _)| *operator != "&&") {
            return Kind::Unread;
        }
        let mut all: Option<Statement> = None;
        let nodes: Vec<Node<'_>> = [first].into_iter().chain(rights.into_iter().map(|(_, right)| right)).collect();
        for nodes in nodes.chunks(MAX_PARTS) {
            let Some((first, rest)) = nodes.split_first() else { break };
            let first = self.statement(*first);
            let rest: Vec<_> = rest.iter().map(|node| ("&&", *node)).collect();
            let Some(part) = self.joined(first, &rest) else { return Kind::Unread };
            all = Some(match all {
                None => part,
                Some(all) => both(all, part, Kind::And),
            });
        }
        all.map_or(Kind::Unread, |all| all.kind)
    }

    /// A list from its beginning on. `None` where an operator is none.
    fn joined(&mut self, first: Statement, rights: &[(&str, Node<'_>)]) -> Option<Statement> {
        let mut all = first;
        for (operator, right) in rights {
            let kind = match *operator {
                "&&" => Kind::And,
                "||" => Kind::Or,
                _ => return None,
            };
            all = both(all, self.statement(*right), kind);
        }
        Some(all)
    }

    fn condition(&mut self, node: Node<'_>) -> Kind {
        let mut branches = vec![self.branch(node)];
        let mut otherwise = Vec::new();
        for child in children(node) {
            match child.kind() {
                "elif_clause" => branches.push(self.branch(child)),
                "else_clause" => otherwise = self.statements(child),
                _ => {}
            }
        }
        Kind::If(branches, otherwise)
    }

    /// What stands before `then`, and what behind it.
    fn branch(&mut self, node: Node<'_>) -> (Vec<Statement>, Vec<Statement>) {
        let (mut condition, mut body) = (Vec::new(), Vec::new());
        let mut is_body = false;
        for child in children(node) {
            match child.kind() {
                "then" => is_body = true,
                "elif_clause" | "else_clause" | "comment" => {}
                "&" => {
                    let list = if is_body { &mut body } else { &mut condition };
                    let last: Option<&mut Statement> = list.last_mut();
                    if let Some(last) = last {
                        last.in_background = true;
                    }
                }
                _ if !child.is_named() => {}
                _ if is_body => body.push(self.statement(child)),
                _ => condition.push(self.statement(child)),
            }
        }
        (condition, body)
    }

    fn case(&mut self, node: Node<'_>) -> Kind {
        let word = node.child_by_field_name("value").map(|value| self.word(value)).unwrap_or_default();
        let items: Vec<Node<'_>> = children(node).filter(|child| child.kind() == "case_item").collect();
        // `;&` and `;;&` go on with the next item.
        if items.iter().any(|item| item.child_by_field_name("fallthrough").is_some()) {
            return Kind::Unread;
        }
        let items = items.into_iter().map(|item| {
            let patterns = fields(item, "value").into_iter().map(|value| self.pattern(value)).collect();
            let is_pattern = |child: &Node<'_>| fields(item, "value").iter().any(|value| value.id() == child.id());
            let body: Vec<Node<'_>> =
                children(item).filter(|child| child.is_named() && child.kind() != "comment" && !is_pattern(child)).collect();
            (patterns, body.into_iter().map(|statement| self.statement(statement)).collect())
        });
        Kind::Case(word, items.collect())
    }

    fn repeated(&mut self, node: Node<'_>) -> Kind {
        let Some(variable) = node.child_by_field_name("variable") else { return Kind::Unread };
        let words = fields(node, "value").into_iter().map(|word| self.word(word)).collect::<Vec<_>>();
        let has_list = children(node).any(|child| child.kind() == "in");
        Kind::For(self.name(variable), has_list.then_some(words), self.body(node))
    }

    fn body(&mut self, node: Node<'_>) -> Vec<Statement> {
        node.child_by_field_name("body").map(|body| self.statements(body)).unwrap_or_default()
    }

    pub(super) fn assignment(&mut self, node: Node<'_>) -> Option<(String, Word)> {
        let name = node.child_by_field_name("name").filter(|name| name.kind() == "variable_name")?;
        let mut value = node.child_by_field_name("value").map(|value| self.word(value)).unwrap_or_default();
        if children(node).any(|child| child.kind() == "+=") {
            // What it was goes before what is added.
            let before = Piece::Parameter { name: self.name(name), operation: None, quoted: true, place: name.byte_range() };
            value.0.insert(0, before);
        }
        Some((self.name(name), value))
    }

    /// The words of a test, operators too, in their order.
    fn test_words(&mut self, node: Node<'_>, words: &mut Vec<Word>) {
        for child in children(node) {
            match child.kind() {
                "[" | "]" | "[[" | "]]" => {}
                "unary_expression" | "binary_expression" | "negated_expression" => self.nested(child, words),
                "parenthesized_expression" => self.nested(child, words),
                "extglob_pattern" | "regex" => words.push(self.pattern(child)),
                _ => words.push(self.word(child)),
            }
        }
    }

    fn nested(&mut self, node: Node<'_>, words: &mut Vec<Word>) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            words.push(Word(vec![Piece::Unread]));
        } else {
            self.test_words(node, words);
        }
        self.depth -= 1;
    }
}

pub(super) fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut cursor = node.walk();
    let nodes: Vec<Node<'_>> = node.children(&mut cursor).collect();
    nodes.into_iter()
}

pub(super) fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).collect()
}

pub(super) fn index_of(node: Node<'_>, child: Node<'_>) -> u32 {
    let place = children(node).position(|other| other.id() == child.id());
    place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
}

fn both(left: Statement, right: Statement, kind: fn(Box<Statement>, Box<Statement>) -> Kind) -> Statement {
    let (place, line) = (left.place.start..right.place.end, left.line);
    Statement { kind: kind(Box::new(left), Box::new(right)), place, line, in_background: false }
}

fn made(node: Node<'_>, kind: Kind) -> Statement {
    Statement { kind, place: node.byte_range(), line: node.start_position().row + 1, in_background: false }
}
