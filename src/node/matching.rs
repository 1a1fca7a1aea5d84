//! Which manifest of an index a node pulls: containerd's rules (containerd/platforms `compare.go`, `Only` and `platformVector`).

use crate::base::Platform;

/// The platforms that a runtime on `host` accepts, best first.
///
/// For arm64 that includes 32-bit Arm and for amd64 386, whether or not the node's CPU runs them: a runtime does not ask.
pub fn preference(host: &Platform) -> Vec<Platform> {
    let host = host.normalised();
    let variant = host.variant.clone().unwrap_or_default();
    let with = |architecture: &str, variant: &str| Platform {
        architecture: architecture.into(),
        variant: Some(variant.to_owned()).filter(|variant| !variant.is_empty()),
        ..host.clone()
    };
    let mut accepted = vec![host.clone()];
    match host.architecture.as_str() {
        "amd64" => {
            let level = variant.strip_prefix('v').and_then(|level| level.parse::<u8>().ok()).unwrap_or(1);
            accepted.extend((2..level).rev().map(|level| with("amd64", &format!("v{level}"))));
            if level > 1 {
                accepted.push(with("amd64", ""));
            }
            accepted.push(with("386", ""));
        }
        "arm" => accepted.extend(arm_below(&variant).map(|variant| with("arm", &variant))),
        "arm64" => {
            accepted.extend(arm64_below(&variant).into_iter().map(|variant| with("arm64", &variant)));
            accepted.extend(["v8", "v7", "v6", "v5"].map(|variant| with("arm", variant)));
        }
        _ => {}
    }
    accepted
}

/// arm/v7 takes v6 and v5.
fn arm_below(variant: &str) -> impl Iterator<Item = String> {
    let version = variant.strip_prefix('v').and_then(|version| version.parse::<u8>().ok()).unwrap_or(0);
    (5..version).rev().map(|version| format!("v{version}"))
}

/// The versions of the A64 architecture below `variant`: smaller minors of the same major; v9.x also takes v8.(x+5) and
/// below, which its specification includes.
fn arm64_below(variant: &str) -> Vec<String> {
    let Some((major, minor)) = arm64_version(variant) else { return Vec::new() };
    let name = |major: u8, minor: u8| match (major, minor) {
        (8, 0) => String::new(),
        (major, 0) => format!("v{major}"),
        (major, minor) => format!("v{major}.{minor}"),
    };
    let mut below: Vec<String> = (0..minor).rev().map(|minor| name(major, minor)).collect();
    if major == 9 {
        below.extend((0..=minor.saturating_add(5).min(9)).rev().map(|minor| name(8, minor)));
    }
    below
}

fn arm64_version(variant: &str) -> Option<(u8, u8)> {
    if variant.is_empty() {
        return Some((8, 0));
    }
    let version = variant.strip_prefix('v')?;
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    Some((major.parse().ok()?, minor.parse().ok().filter(|minor| *minor < 10)?))
}

/// The entry that a runtime on `host` pulls: the best match, and of equals the first. Entries without a platform are `None`
/// and match nothing.
pub fn select(host: &Platform, entries: &[Option<Platform>]) -> Option<usize> {
    preference(host)
        .iter()
        .find_map(|accepted| entries.iter().position(|entry| entry.as_ref().is_some_and(|entry| same(accepted, entry))))
}

fn same(accepted: &Platform, entry: &Platform) -> bool {
    let entry = entry.normalised();
    accepted.os == entry.os
        && accepted.architecture == entry.architecture
        && accepted.variant == entry.variant
        && entry.os_features.iter().all(|feature| accepted.os_features.contains(feature))
}

#[cfg(test)]
mod tests {
    use crate::base::Platform;

    fn chosen<'a>(host: &str, entries: &[&'a str]) -> Option<&'a str> {
        let host: Platform = host.parse().unwrap();
        let platforms: Vec<Option<Platform>> = entries.iter().map(|entry| entry.parse().ok()).collect();
        super::select(&host, &platforms).map(|place| entries[place])
    }

    #[test]
    fn the_best_match_wins_and_then_the_first() {
        assert_eq!(chosen("linux/arm64", &["linux/arm/v7", "linux/arm64/v8"]), Some("linux/arm64/v8"));
        assert_eq!(chosen("linux/arm64", &["linux/arm64", "linux/arm64/v8"]), Some("linux/arm64"));
        assert_eq!(chosen("linux/amd64/v3", &["linux/amd64", "linux/amd64/v2"]), Some("linux/amd64/v2"));
        assert_eq!(chosen("linux/arm64/v9", &["linux/arm64"]), Some("linux/arm64"));
    }

    #[test]
    fn a_32_bit_sibling_is_taken_where_there_is_nothing_better() {
        assert_eq!(chosen("linux/arm64", &["linux/amd64", "linux/arm/v6", "linux/arm/v7"]), Some("linux/arm/v7"));
        assert_eq!(chosen("linux/amd64", &["linux/386", "linux/arm64"]), Some("linux/386"));
        assert_eq!(chosen("linux/arm/v7", &["linux/arm/v5", "linux/arm/v6"]), Some("linux/arm/v6"));
    }

    #[test]
    fn nothing_above_the_node_is_taken() {
        assert_eq!(chosen("linux/amd64", &["linux/amd64/v3"]), None);
        assert_eq!(chosen("linux/arm/v6", &["linux/arm/v7"]), None);
        assert_eq!(chosen("linux/arm64", &["linux/amd64", "windows/arm64", "unknown"]), None);
    }
}
