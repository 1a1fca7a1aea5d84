//! Redirections, here-documents, and the commands that the grammar hangs below them.

use tree_sitter::Node;

use super::read::{Reader, children, fields};
use super::{Command, Kind, Piece, Redirect, Statement, Word};

impl Reader<'_> {
    /// A statement with redirections behind it. Of a list they are its last command's, whatever the grammar says; those of a compound
    /// statement are not kept.
    pub(super) fn redirected(&mut self, node: Node<'_>) -> Kind {
        let redirects = fields(node, "redirect");
        let mut kind = match node.child_by_field_name("body") {
            Some(body) => self.kind(body),
            // `> file` alone.
            None if !redirects.is_empty() => Kind::Command(Command::default()),
            None => return Kind::Unread,
        };
        let mut other = Command::default();
        for redirect in &redirects {
            let command = last_command(&mut kind).unwrap_or(&mut other);
            self.redirect(*redirect, command);
        }
        for redirect in redirects {
            kind = self.continued(redirect, kind);
        }
        kind
    }

    /// `cat << END | sh`, `cat << END && chmod …`: the rest of the line hangs below the redirection.
    fn continued(&mut self, redirect: Node<'_>, kind: Kind) -> Kind {
        if redirect.kind() != "heredoc_redirect" {
            return kind;
        }
        let first = |kind| {
            let line = redirect.start_position().row + 1;
            Statement { kind, place: redirect.byte_range(), line, in_background: false }
        };
        if let Some(pipeline) = children(redirect).find(|child| child.kind() == "pipeline") {
            let rest = self.statements(pipeline);
            return Kind::Pipeline(std::iter::once(first(kind)).chain(rest).collect());
        }
        let operator = redirect.child_by_field_name("operator");
        let (Some(operator), Some(right)) = (operator, redirect.child_by_field_name("right")) else { return kind };
        let right = Box::new(self.statement(right));
        let left = Box::new(first(kind));
        if operator.kind() == "&&" { Kind::And(left, right) } else { Kind::Or(left, right) }
    }

    /// Adds a redirection to its command. The grammar takes words behind the first target for more targets; they are the command's.
    pub(super) fn redirect(&mut self, node: Node<'_>, command: &mut Command) {
        let descriptor = node.child_by_field_name("descriptor").map(|descriptor| self.name(descriptor));
        let operator = children(node).find(|child| !child.is_named()).map(|child| child.kind().to_owned()).unwrap_or_default();
        if node.kind() == "heredoc_redirect" {
            let target = self.heredoc(node);
            command.redirects.push(Redirect { operator, descriptor, target });
            for argument in fields(node, "argument") {
                let word = self.word(argument);
                command.words.push(word);
            }
            for inner in fields(node, "redirect") {
                self.redirect(inner, command);
            }
            return;
        }
        let is_target = |child: &Node<'_>| child.is_named() && child.kind() != "file_descriptor";
        let mut words = match node.kind() {
            "herestring_redirect" => children(node).filter(is_target).collect(),
            _ => fields(node, "destination"),
        }
        .into_iter();
        let target = words.next().map(|word| self.word(word)).unwrap_or_default();
        command.redirects.push(Redirect { operator, descriptor, target });
        for word in words {
            let word = self.word(word);
            command.words.push(word);
        }
    }

    /// The text of a here-document; with a quoted delimiter nothing in it is expanded.
    fn heredoc(&mut self, node: Node<'_>) -> Word {
        let Some(body) = children(node).find(|child| child.kind() == "heredoc_body") else { return Word::default() };
        let text = |reader: &Self, from: usize, to: usize| {
            let text = reader.text.get(from..to).unwrap_or_default().to_vec();
            (!text.is_empty()).then_some(Piece::Text { text, quoted: true, place: from..to })
        };
        let (mut pieces, mut at) = (Vec::new(), body.start_byte());
        for child in children(body).filter(|child| child.kind() != "heredoc_content") {
            pieces.extend(text(self, at, child.start_byte()));
            pieces.extend(self.word_in_quotes(child).0);
            at = child.end_byte();
        }
        pieces.extend(text(self, at, body.end_byte()));
        Word(pieces)
    }
}

/// The command that a redirection behind a statement belongs to.
fn last_command(kind: &mut Kind) -> Option<&mut Command> {
    match kind {
        Kind::Command(command) => Some(command),
        Kind::And(_, right) | Kind::Or(_, right) | Kind::Not(right) => last_command(&mut right.kind),
        Kind::Pipeline(parts) => last_command(&mut parts.last_mut()?.kind),
        _ => None,
    }
}
