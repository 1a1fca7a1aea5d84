use std::ops::ControlFlow;

use tree_sitter::{Node, ParseOptions, ParseState, Parser, Tree};

use super::{Command, Kind, Operation, Piece, Script, Statement, Word};

/// Scripts are nested a dozen deep; deeper than this is not read.
const MAX_DEPTH: usize = 120;
/// How often the parser may report progress. Real scripts of 40 KiB make it do so 250 times.
const MAX_PROGRESS: usize = 1000;

pub(super) fn script(text: &[u8]) -> Script {
    let Some(tree) = parse(text) else { return Script { statements: Vec::new(), is_whole: false } };
    let mut reader = Reader { text, depth: 0, is_whole: !tree.root_node().has_error() };
    let statements = reader.statements(tree.root_node());
    Script { statements, is_whole: reader.is_whole }
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

struct Reader<'a> {
    text: &'a [u8],
    depth: usize,
    is_whole: bool,
}

impl<'a> Reader<'a> {
    fn text(&self, node: Node<'_>) -> &'a [u8] {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    fn name(&self, node: Node<'_>) -> String {
        String::from_utf8_lossy(self.text(node)).into_owned()
    }

    /// The statements among a node's children, in order.
    fn statements(&mut self, node: Node<'_>) -> Vec<Statement> {
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

    fn statement(&mut self, node: Node<'_>) -> Statement {
        self.depth += 1;
        let kind = if self.depth > MAX_DEPTH { Kind::Unread } else { self.kind(node) };
        self.depth -= 1;
        self.is_whole &= kind != Kind::Unread;
        Statement { kind, place: node.byte_range(), line: node.start_position().row + 1, in_background: false }
    }

    fn kind(&mut self, node: Node<'_>) -> Kind {
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
                let condition = condition.map(|statement| self.statement(statement)).collect();
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
        for child in children(node) {
            match child.kind() {
                "variable_assignment" if command.words.is_empty() => command.assignments.extend(self.assignment(child)),
                "file_redirect" | "herestring_redirect" | "heredoc_redirect" => {
                    command.is_redirected = true;
                    self.stray_words(child, &mut command);
                }
                "comment" => {}
                _ => command.words.push(self.word(child)),
            }
        }
        command
    }

    /// The grammar takes words behind a redirection's target for more targets; they are the command's.
    fn stray_words(&mut self, redirect: Node<'_>, command: &mut Command) {
        for word in fields(redirect, "destination").into_iter().skip(1) {
            command.words.push(self.word(word));
        }
    }

    fn redirected(&mut self, node: Node<'_>) -> Kind {
        let Some(body) = node.child_by_field_name("body") else { return Kind::Unread };
        let redirects = fields(node, "redirect");
        // `cat << EOF | sh`: the rest of the pipeline hangs below the redirection.
        let continues = redirects
            .iter()
            .flat_map(|redirect| children(*redirect))
            .any(|child| matches!(child.kind(), "pipeline" | "list" | "command" | "redirected_statement"));
        let mut kind = self.kind(body);
        if let Kind::Command(command) = &mut kind {
            command.is_redirected = true;
            for redirect in redirects {
                self.stray_words(redirect, command);
            }
        }
        if continues {
            Kind::Pipeline(vec![self.statement(body), Statement { kind: Kind::Unread, ..self.statement(body) }])
        } else {
            kind
        }
    }

    fn list(&mut self, node: Node<'_>) -> Kind {
        let parts: Vec<Node<'_>> = children(node).collect();
        let [left, operator, right] = parts.as_slice() else { return Kind::Unread };
        let (left, right) = (Box::new(self.statement(*left)), Box::new(self.statement(*right)));
        match operator.kind() {
            "&&" => Kind::And(left, right),
            "||" => Kind::Or(left, right),
            _ => Kind::Unread,
        }
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
        let items = children(node).filter(|child| child.kind() == "case_item");
        let items = items.map(|item| {
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

    fn assignment(&mut self, node: Node<'_>) -> Option<(String, Word)> {
        let name = node.child_by_field_name("name").filter(|name| name.kind() == "variable_name")?;
        let is_appended = children(node).any(|child| child.kind() == "+=");
        let value = node.child_by_field_name("value").map(|value| self.word(value)).unwrap_or_default();
        Some((self.name(name), if is_appended { Word(vec![Piece::Unread]) } else { value }))
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

    fn pattern(&mut self, node: Node<'_>) -> Word {
        match node.kind() {
            "extglob_pattern" | "regex" => Word(unquoted(self.text(node))),
            _ => self.word(node),
        }
    }

    fn word(&mut self, node: Node<'_>) -> Word {
        let mut pieces = Vec::new();
        self.pieces(node, false, &mut pieces);
        Word(pieces)
    }

    fn pieces(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            pieces.push(Piece::Unread);
        } else {
            self.piece(node, quoted, pieces);
        }
        self.depth -= 1;
    }

    fn piece(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        let text = self.text(node);
        match node.kind() {
            "command_name" => children(node).for_each(|child| self.pieces(child, quoted, pieces)),
            "concatenation" => self.parts(node, quoted, pieces),
            "variable_assignment" => match self.assignment(node) {
                Some((name, value)) => {
                    pieces.push(Piece::Text { text: [name.as_bytes(), b"="].concat(), quoted: true });
                    pieces.extend(value.0);
                }
                None => pieces.push(Piece::Unread),
            },
            "string" => {
                let before = pieces.len();
                self.parts(node, true, pieces);
                if pieces.len() == before {
                    // An empty string is a word too.
                    pieces.push(Piece::Text { text: Vec::new(), quoted: true });
                }
            }
            "string_content" => pieces.push(Piece::Text { text: unescaped(text), quoted: true }),
            "raw_string" => {
                let inside = text.strip_prefix(b"'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text);
                pieces.push(Piece::Text { text: inside.to_vec(), quoted: true });
            }
            "simple_expansion" => {
                let name = String::from_utf8_lossy(text.get(1..).unwrap_or_default()).into_owned();
                pieces.push(Piece::Parameter { name, operation: None, quoted });
            }
            "expansion" => pieces.push(self.expansion(node, quoted)),
            "command_substitution" => pieces.push(Piece::Output { statements: self.statements(node), quoted }),
            "ansi_c_string" if !text.contains(&b'\\') => {
                let inside = text.strip_prefix(b"$'").and_then(|text| text.strip_suffix(b"'")).unwrap_or(text);
                pieces.push(Piece::Text { text: inside.to_vec(), quoted: true });
            }
            "arithmetic_expansion"
            | "process_substitution"
            | "brace_expression"
            | "ansi_c_string"
            | "translated_string"
            | "array"
            | "ERROR" => pieces.push(Piece::Unread),
            _ => pieces.extend(unquoted(text)),
        }
    }

    /// The children of a word, and the blanks between them, which a string keeps.
    fn parts(&mut self, node: Node<'_>, quoted: bool, pieces: &mut Vec<Piece>) {
        let mut end: Option<usize> = None;
        for child in children(node) {
            if let Some(gap) = end.and_then(|end| self.text.get(end..child.start_byte())).filter(|gap| quoted && !gap.is_empty())
            {
                pieces.push(Piece::Text { text: gap.to_vec(), quoted });
            }
            end = Some(child.end_byte());
            match child.kind() {
                "\"" => {}
                "$" => pieces.push(Piece::Text { text: b"$".to_vec(), quoted }),
                _ => self.pieces(child, quoted, pieces),
            }
        }
    }

    /// `${…}`: the name, and the operators with what stands between them.
    fn expansion(&mut self, node: Node<'_>, quoted: bool) -> Piece {
        let (mut name, mut operator, mut operands) = (None, String::new(), Vec::new());
        for child in children(node) {
            match child.kind() {
                "${" | "}" => {}
                "variable_name" | "special_variable_name" if name.is_none() => {
                    if operator == "#" {
                        operator = "length".to_owned();
                    }
                    name = Some(self.name(child));
                }
                // The first of an array is its value, where it is taken for a variable.
                "subscript" if name.is_none() && self.text(child).ends_with(b"[0]") => {
                    let text = self.name(child);
                    name = Some(text.trim_end_matches("[0]").to_owned());
                }
                "subscript" => return Piece::Unread,
                _ if node.field_name_for_child(index_of(node, child)) == Some("operator") => {
                    // `${!NAME:-word}` has two operators, one on each side of the name.
                    if operator.is_empty() || operator == "!" && operands.is_empty() && name.is_some() {
                        operator += &self.name(child);
                    } else {
                        operands.push(Word::default());
                    }
                }
                _ => {
                    let word = self.pattern(child);
                    match operands.last_mut() {
                        Some(last) => last.0.extend(word.0),
                        None => operands.push(word),
                    }
                }
            }
        }
        let Some(name) = name else { return Piece::Unread };
        let operation = (!operator.is_empty()).then_some(Operation { operator, operands });
        Piece::Parameter { name, operation, quoted }
    }
}

fn children(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let mut cursor = node.walk();
    let nodes: Vec<Node<'_>> = node.children(&mut cursor).collect();
    nodes.into_iter()
}

fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).collect()
}

fn index_of(node: Node<'_>, child: Node<'_>) -> u32 {
    let place = children(node).position(|other| other.id() == child.id());
    place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
}

/// Text outside quotes: a backslash quotes the byte behind it, and takes a line's end away.
fn unquoted(text: &[u8]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        let (byte, is_quoted) = match byte {
            b'\\' => match rest.next() {
                Some(b'\n') => continue,
                Some(next) => (*next, true),
                None => (b'\\', true),
            },
            _ => (*byte, false),
        };
        match pieces.last_mut() {
            Some(Piece::Text { text, quoted }) if *quoted == is_quoted => text.push(byte),
            _ => pieces.push(Piece::Text { text: vec![byte], quoted: is_quoted }),
        }
    }
    if pieces.is_empty() {
        pieces.push(Piece::Text { text: Vec::new(), quoted: false });
    }
    pieces
}

/// Text in double quotes: a backslash counts only before what it would change.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.iter().peekable();
    while let Some(byte) = rest.next() {
        match (byte, rest.peek()) {
            (b'\\', Some(b'$' | b'`' | b'"' | b'\\')) => out.extend(rest.next()),
            (b'\\', Some(b'\n')) => _ = rest.next(),
            _ => out.push(*byte),
        }
    }
    out
}
