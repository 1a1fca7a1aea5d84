//! Changes that are certain: each is tried, and offered only if the build for amd64 then fetches what it fetched before.

use std::collections::BTreeSet;
use std::ops::Range;

use super::super::Subject;
use super::super::fix::edited;
use super::build::{Build, Use, What};
use super::naming::{self, Token};
use super::rules::Hit;
use super::shell::Action;
use super::stages::RunsOn;
use super::value::Value;
use super::{addresses, assets};
use crate::base::Platform;
use crate::finding::Edit;
use crate::format::dockerfile::{Instruction, Keyword};

/// What a fix needs to know.
#[derive(Debug, Clone)]
pub(super) enum Fixable {
    /// There is none that is certain.
    No,
    /// The bytes go.
    Remove { span: Range<usize> },
    /// An argument is declared in a stage.
    Declare { stage: usize, name: String },
    /// The architecture in an apt source's `arch=`.
    AptArch { span: Range<usize> },
    /// The architecture in the address of a known tool's file.
    Asset { at: Use, address: Value, token: Token, scheme: String },
}

/// So many addresses are looked at for a fix in one file: each is held against all that a build does.
const MOST_ASSETS: usize = 100;

/// How often the build of a file is followed anew to see whether it keeps what it fetches.
const MOST_TRIALS: usize = 64;

/// The changes that mend each of the hits; none where they are not certain.
pub(super) fn edits<'a>(subject: &Subject<'_>, builds: &[Build], hits: impl Iterator<Item = &'a Hit>) -> Vec<Vec<Edit>> {
    let mut assets = 0;
    let (mut edits, mut is_asset) = (Vec::new(), Vec::new());
    for hit in hits {
        let is_one = matches!(hit.fixable, Fixable::Asset { .. });
        assets += usize::from(is_one);
        edits.push(if is_one && assets > MOST_ASSETS { Vec::new() } else { proposed(subject, builds, hit) });
        is_asset.push(is_one);
    }
    let proposals = edits.iter_mut().zip(is_asset).filter(|(edits, is_asset)| *is_asset && !edits.is_empty());
    let mut proposals: Vec<&mut Vec<Edit>> = proposals.map(|(edits, _)| edits).collect();
    if !proposals.is_empty() {
        let text = subject.file.text;
        Trial { text, fetched: addresses(text, &amd64()), left: MOST_TRIALS }.hold(&mut proposals);
    }
    edits
}

fn amd64() -> Platform {
    Platform::linux("amd64", None)
}

fn proposed(subject: &Subject<'_>, builds: &[Build], hit: &Hit) -> Vec<Edit> {
    let edits = match &hit.fixable {
        Fixable::No => None,
        Fixable::Remove { span } => Some(vec![Edit { span: span.clone(), replacement: String::new() }]),
        Fixable::Declare { stage, name } => declaration(subject, builds, *stage, name).map(|edit| vec![edit]),
        Fixable::AptArch { span } => without_option(subject.file.text, span).map(|edit| vec![edit]),
        Fixable::Asset { at, address, token, scheme } => Asset { subject, builds, at, address, token, scheme }.edits(),
    };
    let mut edits = edits.unwrap_or_default();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits.dedup();
    edits
}

/// `ARG NAME` below the stage's FROM.
fn declaration(subject: &Subject<'_>, builds: &[Build], stage: usize, name: &str) -> Option<Edit> {
    // What a compiler is given in place of an architecture would be a platform: no better than nothing.
    if name == "BUILDPLATFORM" {
        return None;
    }
    let from = builds.first()?.stages.get(stage)?.from;
    let end = subject.dockerfile.instructions.get(from)?.span.end;
    Some(Edit { span: end..end, replacement: format!("\nARG {name}") })
}

/// Takes `arch=NAME` out of the options of an apt source, `span` being the name.
fn without_option(text: &str, span: &Range<usize>) -> Option<Edit> {
    let option = "arch=";
    let start = span.start.checked_sub(option.len()).filter(|start| text.get(*start..span.start) == Some(option))?;
    let (before, after) = (text.get(..start)?, text.get(span.end..)?);
    let span = match (before.ends_with('['), before.ends_with(' '), after.chars().next()?) {
        (true, _, ']') if after.starts_with("] ") => start.saturating_sub(1)..span.end.saturating_add(2),
        (true, _, ' ') => start..span.end.saturating_add(1),
        (_, true, ']' | ' ') => start.saturating_sub(1)..span.end,
        _ => return None,
    };
    Some(Edit { span, replacement: String::new() })
}

/// What a build for amd64 fetches, which no change may change.
struct Trial<'a> {
    text: &'a str,
    fetched: Vec<Result<String, String>>,
    /// How many builds may still be followed.
    left: usize,
}

impl Trial<'_> {
    /// Empties the proposals that change what is fetched. Mostly none does, so all are tried at once, and then each half.
    fn hold(&mut self, proposals: &mut [&mut Vec<Edit>]) {
        if self.is_kept(proposals) {
            return;
        }
        if let [only] = proposals {
            only.clear();
            return;
        }
        let (left, right) = proposals.split_at_mut(proposals.len() / 2);
        self.hold(left);
        self.hold(right);
    }

    fn is_kept(&mut self, proposals: &[&mut Vec<Edit>]) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let edits = proposals.iter().flat_map(|edits| edits.iter());
        edited(self.text, edits).is_some_and(|text| addresses(&text, &amd64()) == self.fetched)
    }
}

/// A file of a known tool that is fetched for the wrong architecture.
struct Asset<'a> {
    subject: &'a Subject<'a>,
    builds: &'a [Build],
    at: &'a Use,
    address: &'a Value,
    token: &'a Token,
    scheme: &'a str,
}

impl Asset<'_> {
    fn edits(&self) -> Option<Vec<Edit>> {
        let build = self.builds.iter().find(|build| build.platform.architecture == "arm64")?;
        let stage = build.stages.get(self.at.stage)?;
        let text = self.address.masked();
        let tool = assets::tool(self.address, &self.token.range)?;
        let range = assets::widened(tool, &text, &self.token.range);
        let own = self.address.origin(range.clone())?;
        let spelling = text.get(range)?;
        // Only what says amd64 is known to be there; the file for another architecture may be called what it likes.
        let is_amd64 = naming::name(self.scheme, "amd64").is_some_and(|name| name.eq_ignore_ascii_case(spelling));
        let instruction = self.instruction_of(&own).filter(|_| is_amd64 && stage.runs_on == RunsOn::Target)?;
        let mut places = BTreeSet::from([(own.start, own.end)]);
        places.extend(self.related(build, spelling)?);
        let is_verbatim = |(start, end): &(usize, usize)| {
            let is_inside = instruction.span.contains(start) && *end <= instruction.span.end;
            is_inside && self.subject.file.text.get(*start..*end) == Some(spelling)
        };
        if !places.iter().all(is_verbatim) || has_checksum(self.subject.file.text.get(instruction.span.clone())?) {
            return None;
        }
        let (replacement, mut edits) = self.replacement(build, instruction)?;
        if instruction.keyword == Keyword::Run
            && !places.iter().all(|(start, _)| is_expanded(self.subject.file.text, instruction, *start))
        {
            return None;
        }
        edits.extend(places.into_iter().map(|(start, end)| Edit { span: start..end, replacement: replacement.clone() }));
        Some(edits)
    }

    fn instruction_of(&self, place: &Range<usize>) -> Option<&Instruction> {
        let instructions = &self.subject.dockerfile.instructions;
        instructions.iter().find(|instruction| instruction.span.contains(&place.start))
    }

    /// Where else the file's name stands, in the commands that follow; `None` where a word cannot be told from another tool's.
    fn related(&self, build: &Build, spelling: &str) -> Option<Vec<(usize, usize)>> {
        let own = stem(&self.address.masked());
        let mut places = Vec::new();
        for used in &build.uses {
            let is_here = used.instruction == self.at.instruction;
            for word in words(used).into_iter().filter(|word| !word.masked().contains("://")) {
                let Some(token) = naming::foreign(&word, &build.platform.architecture) else { continue };
                let text = word.masked();
                let is_own = own.contains(spelling) && text.contains(&own);
                if !(is_own || is_here && self.is_inside(&text)) {
                    if is_here && !self.is_others(build, &text) {
                        return None;
                    }
                    continue;
                }
                let at = text.find(spelling).filter(|at| *at <= token.range.start)?;
                let place = word.origin(at..at.saturating_add(spelling.len()))?;
                places.push((place.start, place.end));
            }
        }
        Some(places)
    }

    /// Whether a word is the folder that the tool's archive has inside.
    fn is_inside(&self, text: &str) -> bool {
        self.address.masked().contains("get.helm.sh/") && text.contains("linux-amd64")
    }

    /// Whether a word is the name of a file that something else fetches.
    fn is_others(&self, build: &Build, text: &str) -> bool {
        let fetched = build.uses.iter().filter(|used| used.instruction == self.at.instruction).flat_map(words);
        let others = fetched.map(|word| word.masked()).filter(|word| word.contains("://") && *word != self.address.masked());
        others.map(|address| stem(&address)).any(|stem| !naming::tokens(&stem).is_empty() && text.contains(&stem))
    }

    /// What stands in place of the architecture, and what has to be written elsewhere for it.
    fn replacement(&self, build: &Build, instruction: &Instruction) -> Option<(String, Vec<Edit>)> {
        let name = |architecture| naming::name(self.scheme, architecture);
        let (amd64, arm64) = (name("amd64")?, name("arm64")?);
        if (amd64, arm64) == ("amd64", "arm64") {
            return Some(("${TARGETARCH}".to_owned(), self.declared(build)));
        }
        if instruction.keyword != Keyword::Run || instruction.json().is_some() || !instruction.heredocs.is_empty() {
            return None;
        }
        if (amd64, arm64) == ("x86_64", "aarch64") {
            return Some(("$(uname -m)".to_owned(), Vec::new()));
        }
        let variable =
            ["arch", "release_arch", "asset_arch"].into_iter().find(|name| !instruction.text.as_str().contains(*name))?;
        let start = instruction.text.span().start;
        let choice = format!(
            "case \"$TARGETARCH\" in \\\n      amd64) {variable}={amd64} ;; \\\n      arm64) {variable}={arm64} ;; \\\n      *) echo \"unsupported \
             architecture: $TARGETARCH\" >&2; exit 1 ;; \\\n    esac; \\\n    "
        );
        let mut edits = self.declared(build);
        edits.push(Edit { span: start..start, replacement: choice });
        Some((format!("${{{variable}}}"), edits))
    }

    /// The declaration of TARGETARCH, where the stage has none.
    fn declared(&self, build: &Build) -> Vec<Edit> {
        let mut number = self.at.stage;
        // A stage has the arguments of the one that it is made from.
        while let Some(stage) = build.stages.get(number) {
            let instructions = self.subject.dockerfile.instructions.get(stage.instructions.clone()).unwrap_or_default();
            let own = number == self.at.stage;
            let before = instructions
                .iter()
                .enumerate()
                .filter(|(place, _)| !own || stage.instructions.start.saturating_add(*place) < self.at.instruction);
            let declares = |instruction: &Instruction| {
                instruction.keyword == Keyword::Arg
                    && instruction.text.as_str().split_whitespace().any(|word| word == "TARGETARCH")
            };
            if before.map(|(_, instruction)| instruction).any(declares) {
                return Vec::new();
            }
            match stage.base {
                super::stages::Base::Stage(base) if base < number => number = base,
                _ => break,
            }
        }
        declaration(self.subject, self.builds, self.at.stage, "TARGETARCH").into_iter().collect()
    }
}

fn words(used: &Use) -> Vec<Value> {
    match &used.what {
        What::Shell(Action::Run { words, .. }) => words.clone(),
        What::Shell(Action::Write { path, .. }) => vec![path.clone()],
        What::Copy { source, .. } => vec![source.clone()],
        What::Env { value, .. } | What::Word { value } => vec![value.clone()],
        What::Shell(Action::Undeclared { .. } | Action::Unread) => Vec::new(),
    }
}

/// The name of an address's file without what says how it is packed.
fn stem(address: &str) -> String {
    let name = address.split(['?', '#']).next().unwrap_or(address).rsplit('/').next().unwrap_or_default();
    let ends = [".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".zip", ".gz", ".xz", ".bz2", ".deb", ".rpm", ".sh", ".tar"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
}

/// Whether an instruction pins what it fetches: the digest would have to change too.
fn has_checksum(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let words = ["sha256", "sha512", "sha1", "md5", "checksum", "b2sum", "gpg --verify", ".asc", ".sig"];
    let is_hexadecimal = |part: &str| part.len() >= 32 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    words.iter().any(|word| lower.contains(word))
        || lower.split(|letter: char| !letter.is_ascii_alphanumeric()).any(is_hexadecimal)
}

/// Whether a shell expands variables at a place of a RUN: not between single quotes.
fn is_expanded(text: &str, run: &Instruction, place: usize) -> bool {
    let Some(before) = text.get(run.text.span().start..place) else { return false };
    let mut quote = None;
    let mut letters = before.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\\', None | Some('"')) => _ = letters.next(),
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            _ => {}
        }
    }
    quote != Some('\'')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::finding::{Edit, Finding};
    use crate::lint::{Options, fix, lint};

    fn fixed(text: &str) -> String {
        let judge = |text: &str| lint("Dockerfile", text, &Options::default()).unignored();
        let wanted: BTreeSet<String> = judge(text).iter().map(Finding::fingerprint).collect();
        fix(text, &wanted, &judge).text
    }

    #[test]
    fn names_of_go_come_from_targetarch_and_the_file_is_renamed_with_the_address() {
        let text = "FROM debian:12\nRUN curl -fLO https://get.helm.sh/helm-v3.1.0-linux-amd64.tar.gz \\\n && tar xf helm-v3.1.0-linux-amd64.tar.gz \\\n && mv linux-amd64/helm /usr/bin\n";
        let wanted = "FROM debian:12\nARG TARGETARCH\nRUN curl -fLO https://get.helm.sh/helm-v3.1.0-linux-${TARGETARCH}.tar.gz \\\n && tar xf helm-v3.1.0-linux-${TARGETARCH}.tar.gz \\\n && mv linux-${TARGETARCH}/helm /usr/bin\n";
        assert_eq!(fixed(text), wanted);
    }

    #[test]
    fn other_names_are_mapped_and_an_unknown_architecture_stops_the_build() {
        let text = "FROM debian:12\nRUN curl -fsSL https://nodejs.org/dist/v20.1.0/node-v20.1.0-linux-x64.tar.xz | tar xJ\n";
        let after = fixed(text);
        assert!(
            after.contains("arm64) arch=arm64 ;;") && after.contains("exit 1") && after.contains("linux-${arch}.tar.xz"),
            "{after}"
        );
        let kernel = "FROM debian:12\nRUN wget https://repo.anaconda.com/miniconda/Miniconda3-latest-Linux-x86_64.sh && sh Miniconda3-latest-Linux-x86_64.sh\n";
        assert_eq!(fixed(kernel), kernel.replace("x86_64", "$(uname -m)"));
    }

    #[test]
    fn a_fix_that_changes_what_is_fetched_is_left_and_the_others_are_made() {
        let fetch = |version: usize| format!("RUN curl -fLO https://dl.k8s.io/release/v1.{version}.0/bin/linux/amd64/kubectl\n");
        let others: String = (20..24).map(fetch).collect();
        let odd = format!("FROM debian:12 AS odd\nENV TARGETARCH=x\n{}", fetch(30));
        let text = format!("{odd}\nFROM debian:12\n{others}COPY --from=odd /kubectl /\n");
        let mended = others.replace("amd64", "${TARGETARCH}");
        assert_eq!(fixed(&text), format!("{odd}\nFROM debian:12\nARG TARGETARCH\n{mended}COPY --from=odd /kubectl /\n"));
    }

    #[test]
    fn only_so_many_addresses_of_a_file_are_mended_at_once() {
        let line = |version: usize| format!("RUN curl -fLO https://dl.k8s.io/release/v1.{version}.0/bin/linux/amd64/kubectl\n");
        let text: String = std::iter::once("FROM debian:12\n".to_owned()).chain((0..super::MOST_ASSETS + 5).map(line)).collect();
        let found = lint("Dockerfile", &text, &Options::default()).findings;
        assert_eq!(found.len(), super::MOST_ASSETS + 5);
        assert_eq!(found.iter().filter(|finding| !finding.edits.is_empty()).count(), super::MOST_ASSETS);
    }

    #[test]
    fn what_is_not_certain_is_left() {
        for text in [
            "FROM debian:12\nRUN curl -fLO https://dl.k8s.io/release/v1.30.0/bin/linux/amd64/kubectl && echo 'abc  kubectl' | sha256sum -c\n",
            "FROM debian:12\nRUN curl -fLO https://example.org/own-linux-amd64\n",
            "FROM debian:12\nRUN curl -fLO https://github.com/mozilla/sops/releases/download/v3.7.1/sops-v3.7.1.linux.amd64\n",
            "FROM debian:12\nRUN sh -c 'curl -fLO https://dl.k8s.io/release/v1.30.0/bin/linux/amd64/kubectl'\n",
        ] {
            assert_eq!(fixed(text), text);
        }
    }

    #[test]
    fn arguments_lose_their_defaults_and_gain_their_declarations() {
        assert_eq!(
            fixed("FROM debian:12\nARG TARGETARCH=amd64\nRUN echo $TARGETARCH\n"),
            "FROM debian:12\nARG TARGETARCH\nRUN echo $TARGETARCH\n"
        );
        assert_eq!(
            fixed("FROM golang\nRUN GOARCH=$TARGETARCH go build\n"),
            "FROM golang\nARG TARGETARCH\nRUN GOARCH=$TARGETARCH go build\n"
        );
    }

    #[test]
    fn apt_sources_lose_their_architecture() {
        let source = |options: &str| {
            format!("FROM debian:12\nRUN echo 'deb {options}https://x.org/debian stable main' > /etc/apt/sources.list.d/x.list\n")
        };
        assert_eq!(fixed(&source("[arch=amd64] ")), source(""));
        assert_eq!(fixed(&source("[arch=amd64 signed-by=/k] ")), source("[signed-by=/k] "));
        assert_eq!(fixed(&source("[signed-by=/k arch=amd64] ")), source("[signed-by=/k] "));
    }

    #[test]
    fn an_edit_takes_no_more_than_it_has_to() {
        let text = "FROM debian:12\nARG TARGETARCH=amd64  # no comment\n";
        let found = lint("Dockerfile", text, &Options::default()).findings;
        let edits: Vec<&Edit> = found.iter().flat_map(|finding| &finding.edits).collect();
        assert_eq!(edits.first().map(|edit| &text[edit.span.clone()]), Some("=amd64"));
    }
}
