//! What shells do with values: patterns, cutting and replacing.

/// Bytes of a value that is cut or edited: beyond, every place in it would be tried against every other.
pub const MOST_EDITED: usize = 400;

/// Whether a pattern of `*`, `?`, `[…]` and `\x` is all of `text` (POSIX, "Pattern Matching Notation").
pub fn glob_matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    // Where to go on if it fails: behind the last star, one byte later.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            retry = Some((at, from));
            continue;
        }
        let step = text.get(from).and_then(|byte| one(pattern.get(at..).unwrap_or_default(), *byte));
        if let Some(length) = step {
            at += length;
            from += 1;
            continue;
        }
        if at == pattern.len() && from == text.len() {
            return true;
        }
        match retry {
            Some((star, start)) if start < text.len() => {
                retry = Some((star, start + 1));
                (at, from) = (star, start + 1);
            }
            _ => return false,
        }
    }
}

/// Whether the pattern's first element takes `byte`: its length then.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', quoted, ..] => (*quoted == byte).then_some(2),
        [b'[', rest @ ..] => bracket(rest, byte),
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

fn bracket(rest: &[u8], byte: u8) -> Option<usize> {
    let (negated, set) = match rest {
        [b'!' | b'^', set @ ..] => (true, set),
        set => (false, set),
    };
    // A `]` that comes first is one of the set.
    let Some(end) = set.iter().skip(1).position(|byte| *byte == b']').map(|end| end + 1) else {
        return (byte == b'[').then_some(1);
    };
    let members = set.get(..end)?;
    let mut found = false;
    let mut at = 0;
    while let Some(first) = members.get(at) {
        match (members.get(at + 1), members.get(at + 2)) {
            (Some(b'-'), Some(last)) => {
                found |= (*first..=*last).contains(&byte);
                at += 3;
            }
            _ => {
                found |= *first == byte;
                at += 1;
            }
        }
    }
    (found != negated).then_some(1 + usize::from(negated) + end + 1)
}

/// `${x#pattern}` and its kin.
pub fn trimmed(value: &[u8], pattern: &[u8], operator: &str) -> Vec<u8> {
    let whole = value.len();
    let fits = |range: std::ops::Range<usize>| value.get(range).is_some_and(|part| glob_matches(pattern, part));
    let cut = match operator {
        "#" => (0..=whole).find(|end| fits(0..*end)).map(|end| end..whole),
        "##" => (0..=whole).rev().find(|end| fits(0..*end)).map(|end| end..whole),
        "%" => (0..=whole).rev().find(|start| fits(*start..whole)).map(|start| 0..start),
        _ => (0..=whole).find(|start| fits(*start..whole)).map(|start| 0..start),
    };
    cut.and_then(|range| value.get(range)).unwrap_or(value).to_vec()
}

/// `${x/pattern/with}`: the longest match of the first, or of each.
pub fn replaced(value: &[u8], pattern: &[u8], with: &[u8], all: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < value.len() {
        let longest =
            (at + 1..=value.len()).rev().find(|end| value.get(at..*end).is_some_and(|part| glob_matches(pattern, part)));
        match longest {
            Some(end) => {
                out.extend_from_slice(with);
                at = end;
                if !all {
                    break;
                }
            }
            None => {
                out.extend(value.get(at));
                at += 1;
            }
        }
    }
    out.extend_from_slice(value.get(at..).unwrap_or_default());
    out
}

/// `${x:offset:length}`, in characters of one byte.
pub fn substring(value: &[u8], numbers: &[usize]) -> Option<Vec<u8>> {
    let start = (*numbers.first()?).min(value.len());
    let length = numbers.get(1).copied().unwrap_or(value.len());
    value.get(start..start.saturating_add(length).min(value.len())).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::{glob_matches, replaced, substring, trimmed};

    #[test]
    fn patterns_match_as_shells_do() {
        for (pattern, text, holds) in [
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abcc", true),
            ("a?", "a", false),
            ("[a-c]x", "bx", true),
            ("[!a]x", "ax", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("x86_64|y", "x86_64", false),
            ("*.*.*", "a.b", false),
            ("-*", "-x", true),
            ("[", "[", true),
        ] {
            assert_eq!(glob_matches(pattern.as_bytes(), text.as_bytes()), holds, "{pattern} {text}");
        }
        assert!(!glob_matches("*a".repeat(50).as_bytes(), "b".repeat(5000).as_bytes()));
    }

    #[test]
    fn values_are_cut_as_shells_do() {
        assert_eq!(trimmed(b"-x", b"-", "#"), b"x");
        assert_eq!(trimmed(b"a.b.c", b"*.", "##"), b"c");
        assert_eq!(trimmed(b"a.b.c", b".*", "%"), b"a.b");
        assert_eq!(trimmed(b"a.b.c", b".*", "%%"), b"a");
        assert_eq!(trimmed(b"abc", b"x", "#"), b"abc");
        assert_eq!(replaced(b"a-b-c", b"-", b"_", true), b"a_b_c");
        assert_eq!(replaced(b"a-b-c", b"-", b"_", false), b"a_b-c");
        assert_eq!(substring(b"-x", &[0, 1]), Some(b"-".to_vec()));
        assert_eq!(substring(b"ab", &[5]), Some(Vec::new()));
    }
}
