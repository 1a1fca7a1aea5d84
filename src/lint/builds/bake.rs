//! Bake files of buildx, in HCL and in JSON.

use std::ops::Range;

use hcl_edit::Span;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::base::Platform;
use crate::finding::{Confidence, Finding, TextFile};
use crate::format::yaml::{self, Node};
use crate::lint::finding;

use super::{Build, dockerfile_in, listed};

/// A target of a bake file, as far as it is written out.
#[derive(Debug, Default)]
struct Target {
    dockerfile: Option<String>,
    context: Option<String>,
    platforms: Vec<Platform>,
    outputs: Vec<(String, Range<usize>)>,
}

/// Targets that go to the local Docker with several platforms at once.
pub(super) fn findings(file: &TextFile<'_>) -> Vec<Finding> {
    targets(file.name, file.text).iter().filter_map(|target| several_to_docker(file, target)).collect()
}

/// The builds of all targets.
pub(super) fn builds(name: &str, text: &str) -> Vec<Build> {
    let build = |target: Target| Build {
        dockerfile: dockerfile_in(target.context.as_deref(), target.dockerfile.as_deref()),
        platforms: target.platforms,
    };
    targets(name, text).into_iter().map(build).collect()
}

fn several_to_docker(file: &TextFile<'_>, target: &Target) -> Option<Finding> {
    let (_, span) = target.outputs.iter().find(|(output, _)| is_docker(output)).filter(|_| target.platforms.len() > 1)?;
    several_loaded(file, span.clone(), &target.platforms)
}

fn is_docker(output: &str) -> bool {
    let fields: Vec<&str> = output.split(',').map(str::trim).collect();
    fields.contains(&"type=docker") && !fields.iter().any(|field| field.starts_with("dest="))
}

/// BuildKit's exporter `docker` refuses several platforms unless Docker keeps its images in containerd (moby/buildkit
/// `exporter/docker`; buildx `build/build.go`).
pub(super) fn several_loaded(file: &TextFile<'_>, span: Range<usize>, platforms: &[Platform]) -> Option<Finding> {
    let message = format!("the build for {} is to be loaded into Docker, which holds one platform of a tag", listed(platforms));
    let mut found = finding(file, "several-platforms-loaded", span, message)?;
    found.confidence = Confidence::Medium;
    found.evidence = vec!["buildx says: docker exporter does not currently support exporting manifest lists".to_owned()];
    found.fix = Some("push the build for all platforms, and load only the one that is tried out".to_owned());
    Some(found)
}

fn targets(name: &str, text: &str) -> Vec<Target> {
    if name.ends_with(".json") {
        let (documents, _) = yaml::parse(text);
        let targets = documents.first().and_then(|document| document.get("target")).map(Node::entries).unwrap_or_default();
        return targets.iter().map(|(_, target)| from_json(target)).collect();
    }
    let Ok(body) = text.parse::<Body>() else { return Vec::new() };
    body.get_blocks("target").map(from_hcl).collect()
}

fn from_json(target: &Node) -> Target {
    let said = |key: &str| target.get(key).and_then(Node::text).map(str::to_owned);
    let list = |key: &str| target.get(key).map(Node::items).unwrap_or_default();
    let platforms: Option<Vec<Platform>> = list("platforms").iter().map(|item| item.text()?.parse().ok()).collect();
    let outputs = list("output").iter().filter_map(|item| Some((item.text()?.to_owned(), item.span.clone())));
    let outputs = outputs.collect();
    Target { dockerfile: said("dockerfile"), context: said("context"), platforms: platforms.unwrap_or_default(), outputs }
}

/// Expressions other than written-out strings are left to bake itself.
fn from_hcl(block: &Block) -> Target {
    let value = |key: &str| block.body.get_attribute(key).map(|attribute| &attribute.value);
    let said = |key: &str| value(key).and_then(Expression::as_str).map(str::to_owned);
    let list =
        |key: &str| value(key).and_then(Expression::as_array).map(|array| array.iter().collect::<Vec<_>>()).unwrap_or_default();
    let platforms: Option<Vec<Platform>> = list("platforms").iter().map(|item| item.as_str()?.parse().ok()).collect();
    let outputs = list("output").iter().filter_map(|item| Some((item.as_str()?.to_owned(), item.span()?))).collect();
    Target { dockerfile: said("dockerfile"), context: said("context"), platforms: platforms.unwrap_or_default(), outputs }
}
