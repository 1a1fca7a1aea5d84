//! `# check=skip=…`: BuildKit's own way to silence its checks, which silences the rules here that are about the same.

use crate::finding::Finding;
use crate::format::dockerfile::Dockerfile;

/// Whether the file asks BuildKit to skip the check that the finding's rule goes with.
pub(super) fn is_skipped(dockerfile: &Dockerfile, finding: &Finding) -> bool {
    let Some(directive) = dockerfile.directive("check") else { return false };
    let settings = directive.value.split(';').filter_map(|setting| setting.trim().split_once('='));
    let skipped = settings.filter(|(name, _)| *name == "skip").flat_map(|(_, checks)| checks.split(','));
    let checks = &finding.rule.buildkit;
    let names = |skip: &str| checks.iter().any(|check| skip.eq_ignore_ascii_case(check) || skip.eq_ignore_ascii_case("all"));
    skipped.map(str::trim).any(names)
}

#[cfg(test)]
mod tests {
    use crate::finding::catalogue;
    use crate::lint::{Options, lint};

    /// BuildKit's checks that are about platforms and their arguments (`frontend/dockerfile/linter/ruleset.go`).
    const ABOUT_PLATFORMS: [&str; 5] = [
        "FromPlatformFlagConstDisallowed",
        "InvalidBaseImagePlatform",
        "RedundantTargetPlatform",
        "UndefinedArgInFrom",
        "UndefinedVar",
    ];

    #[test]
    fn rules_name_checks_that_buildkit_has() {
        let named: Vec<&String> = catalogue().iter().flat_map(|rule| &rule.buildkit).collect();
        assert!(named.len() >= 3 && named.iter().all(|check| ABOUT_PLATFORMS.contains(&check.as_str())), "{named:?}");
    }

    #[test]
    fn a_skipped_check_silences_its_rule_and_no_other() {
        let found = |directive: &str| {
            let text = format!(
                "{directive}FROM amd64/debian:12 AS base\nFROM --platform=linux/amd64 debian:12\n\
                 RUN curl -LO https://example.org/$TARGETARCH/tool-linux-amd64\n"
            );
            let findings = lint("Dockerfile", &text, &Options::default()).findings;
            findings.iter().map(|finding| finding.rule.id.as_str()).collect::<Vec<_>>()
        };
        let all = found("");
        assert_eq!(all, ["EX310", "EX314", "EX304"]);
        assert_eq!(found("# check=skip=UndefinedVar\n"), ["EX310", "EX314"]);
        assert_eq!(found("# check=error=true;skip=undefinedvar, InvalidBaseImagePlatform\n"), ["EX314"]);
        assert_eq!(found("# check=skip=FromPlatformFlagConstDisallowed\n"), ["EX310", "EX304"]);
        assert_eq!(found("# check=skip=StageNameCasing\n"), all);
        assert!(found("# check=skip=all\n").is_empty());
    }
}
