//! The arguments that BuildKit sets by itself (`frontend/dockerfile/dockerfile2llb/convert.go` and `platform.go`).

use crate::base::Platform;

/// Their names, in the order of BuildKit's documentation.
const AUTOMATIC: &[&str] = &[
    "TARGETPLATFORM",
    "TARGETOS",
    "TARGETOSVERSION",
    "TARGETARCH",
    "TARGETVARIANT",
    "TARGETSTAGE",
    "BUILDPLATFORM",
    "BUILDOS",
    "BUILDOSVERSION",
    "BUILDARCH",
    "BUILDVARIANT",
];

/// Whether BuildKit sets it.
pub(super) fn is_automatic(name: &str) -> bool {
    AUTOMATIC.contains(&name)
}

/// Its value in a build for one platform on another; `None` where it is no such argument, or depends on more.
pub(super) fn automatic(name: &str, target: &Platform, build: &Platform) -> Option<String> {
    let (platform, rest) = match name.strip_prefix("TARGET") {
        Some(rest) => (target, rest),
        None => (build, name.strip_prefix("BUILD")?),
    };
    Some(match rest {
        "PLATFORM" => platform.to_string(),
        "OS" => platform.os.clone(),
        "ARCH" => platform.architecture.clone(),
        "VARIANT" => platform.variant.clone().unwrap_or_default(),
        "OSVERSION" => String::new(),
        _ => return None,
    })
}
