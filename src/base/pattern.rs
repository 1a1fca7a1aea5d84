/// Whether all of `path` matches `pattern`: `*` is any run of bytes within one component, `**` any run at all.
///
/// Takes time in proportion to the product of both lengths, whatever they hold.
pub fn matches(pattern: &str, path: &[u8]) -> bool {
    let mut states = vec![false; path.len().saturating_add(1)];
    if let Some(first) = states.first_mut() {
        *first = true;
    }
    let mut rest = pattern.as_bytes();
    while let Some((head, tail)) = rest.split_first() {
        let any = *head == b'*';
        let across = any && tail.first() == Some(&b'*');
        rest = if across { tail.get(1..).unwrap_or_default() } else { tail };
        states = if any { run(&states, path, across) } else { step(&states, path, *head) };
    }
    states.last().copied().unwrap_or(false)
}

fn step(states: &[bool], path: &[u8], byte: u8) -> Vec<bool> {
    std::iter::once(false).chain(states.iter().zip(path).map(|(state, here)| *state && *here == byte)).collect()
}

fn run(states: &[bool], path: &[u8], across: bool) -> Vec<bool> {
    let mut open = states.first().copied().unwrap_or(false);
    let mut next = vec![open];
    for (state, byte) in states.iter().skip(1).zip(path) {
        open = *state || (open && (across || *byte != b'/'));
        next.push(open);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stays_in_its_component_and_two_cross() {
        assert!(matches("/lib/*.so", b"/lib/a.so"));
        assert!(!matches("/lib/*.so", b"/lib/a/b.so"));
        assert!(matches("/lib/**.so", b"/lib/a/b.so"));
        assert!(matches("**/distlib/*.exe", b"/usr/lib/distlib/t64.exe"));
        assert!(!matches("/lib/*.so", b"/lib/a.so.1"));
        assert!(matches("**", b"/anything/at/all"));
        assert!(matches("/a*b*c", b"/axxbyyc"));
    }
}
