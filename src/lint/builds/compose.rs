//! Compose files (compose-spec): services that are pinned to a platform, and builds for several.

use crate::base::Platform;
use crate::finding::{Finding, TextFile};
use crate::format::yaml::Node;
use crate::lint::finding;

use super::{Build, dockerfile_in};

/// Services that are pinned to one architecture.
pub(super) fn findings(file: &TextFile<'_>, document: &Node) -> Vec<Finding> {
    let services = document.get("services").map(Node::entries).unwrap_or_default();
    services.iter().filter_map(|(name, service)| pinned(file, name, service)).collect()
}

fn pinned(file: &TextFile<'_>, name: &Node, service: &Node) -> Option<Finding> {
    let place = service.get("platform")?;
    let platform: Platform = place.text()?.parse().ok()?;
    let name = crate::base::escape(name.text()?);
    let message = format!(
        "service {name} is pinned to {platform}: on machines of other architectures it runs under emulation, or not at all"
    );
    let mut found = finding(file, "pinned-service", place.span.clone(), message)?;
    found.fix = Some(format!(
        "leave `platform` out where the image is there for other platforms too; where it is not, say so beside it, or set it from \
         outside: `platform: ${{DOCKER_PLATFORM:-{platform}}}`"
    ));
    Some(found)
}

/// `services.*.build`.
pub(super) fn builds(document: &Node) -> Vec<Build> {
    let services = document.get("services").map(Node::entries).unwrap_or_default();
    let build = |service: &Node| {
        let build = service.get("build")?;
        let said = |key: &str| build.get(key).and_then(Node::text);
        let context = build.text().or(said("context"));
        let platforms: Option<Vec<Platform>> =
            build.get("platforms").map(Node::items).unwrap_or_default().iter().map(|item| item.text()?.parse().ok()).collect();
        Some(Build { platforms: platforms.unwrap_or_default(), dockerfile: dockerfile_in(context, said("dockerfile")) })
    };
    services.iter().filter_map(|(_, service)| build(service)).collect()
}
