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
