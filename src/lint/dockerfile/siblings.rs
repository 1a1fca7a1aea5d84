//! Files that are one another's variants: `Dockerfile` and `Dockerfile.aarch64`, or `arm64/Dockerfile`.

use std::collections::BTreeSet;

use super::naming;

/// Whether a folder is named after one architecture, so that what it holds is for that one.
pub fn is_of_one_architecture(folder: &str) -> bool {
    naming::agreed(folder).is_some()
}

/// The name that is left of a variant's when its architecture is taken out; `None` where it names none, or several.
pub fn without_architecture(variant: &str) -> Option<String> {
    if let Some((folder, file)) = variant.split_once('/') {
        return is_of_one_architecture(folder).then(|| file.to_owned());
    }
    let token = naming::agreed(variant)?;
    let is_separator = |letter: char| matches!(letter, '.' | '-' | '_');
    let before = variant.get(..token.range.start)?;
    let after = variant.get(token.range.end..)?;
    // One of the two separators goes with it.
    let before = before.strip_suffix(is_separator).unwrap_or(before);
    let after = if before.is_empty() { after.strip_prefix(is_separator).unwrap_or(after) } else { after };
    Some(format!("{before}{after}"))
}

/// The architectures that have a variant among the names of a file's siblings.
pub(super) fn architectures(name: &str, siblings: &[String]) -> BTreeSet<&'static str> {
    let variants = siblings.iter().filter(|sibling| without_architecture(sibling).as_deref() == Some(name));
    variants.filter_map(|variant| naming::agreed(variant)).map(|token| token.architecture).collect()
}

#[cfg(test)]
mod tests {
    use super::{architectures, without_architecture};

    #[test]
    fn a_variant_is_named_after_what_it_is_one_of() {
        for (variant, name) in [
            ("Dockerfile.aarch64", Some("Dockerfile")),
            ("Dockerfile-arm64.debian", Some("Dockerfile.debian")),
            ("arm64/Dockerfile", Some("Dockerfile")),
            ("arm64v8/app.Dockerfile", Some("app.Dockerfile")),
            ("app.x86_64.Dockerfile", Some("app.Dockerfile")),
            ("armhf.Dockerfile", Some("Dockerfile")),
            ("Dockerfile", None),
            ("debian/Dockerfile", None),
            ("Dockerfile.amd64.arm64", None),
        ] {
            assert_eq!(without_architecture(variant).as_deref(), name, "{variant}");
        }
    }

    #[test]
    fn only_its_own_variants_count() {
        let siblings = ["Dockerfile.aarch64", "Dockerfile.debian.armhf", "README.md"].map(ToOwned::to_owned);
        assert_eq!(architectures("Dockerfile", &siblings), ["arm64"].into());
        assert_eq!(architectures("Dockerfile.debian", &siblings), ["arm"].into());
        assert!(architectures("Dockerfile.alpine", &siblings).is_empty());
    }
}
