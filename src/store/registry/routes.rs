//! Where an image is really asked for: mirrors, other locations and blocked registries, as `--mirror`, `--insecure-registry` and
//! containers-registries.conf(5) have them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::reference::{DOCKER_HUB, Reference};
use crate::base::escape;
use crate::store::http::is_loopback;

/// One place to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Route {
    /// The registry as it is called; credentials are kept under this name.
    pub(super) host: String,
    pub(super) repository: String,
    /// Whether any certificate will do there, and plain HTTP.
    pub(super) insecure: bool,
    /// Why it is asked, where it is not the registry that was named.
    pub(super) because: Option<String>,
}

/// All places to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Routes {
    /// In order, before the registry.
    pub(super) mirrors: Vec<Route>,
    /// The registry itself.
    pub(super) registry: Route,
}

/// `--mirror [REGISTRY=]HOST[/PATH]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Whose mirror it is: Docker Hub's where nothing is said, as in Docker's own `registry-mirrors`.
    pub registry: String,
    /// `HOST[:PORT][/PATH]`.
    pub location: String,
    /// Whether it was written as `http://`.
    pub insecure: bool,
}

impl FromStr for Mirror {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (registry, location) = text.split_once('=').unwrap_or((DOCKER_HUB, text));
        let insecure = location.starts_with("http://");
        let location = location.trim_start_matches("http://").trim_start_matches("https://").trim_end_matches('/');
        match format!("{location}/x").parse::<Reference>() {
            Ok(reference) if reference.path() == format!("{location}/x") && !registry.is_empty() => {
                Ok(Self { registry: registry.to_owned(), location: location.to_owned(), insecure })
            }
            _ => Err(format!("`{}` is no mirror: expected [REGISTRY=]HOST[:PORT][/PATH]", escape(text))),
        }
    }
}

/// registries.conf and its drop-ins, as far as they matter for pulling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Registries {
    #[serde(default, rename = "registry")]
    registries: Vec<Registry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Registry {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    location: String,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default, rename = "mirror")]
    mirrors: Vec<MirrorEntry>,
    /// The file that says it.
    #[serde(skip)]
    file: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct MirrorEntry {
    location: String,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    pull_from_mirror: Pull,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Pull {
    #[default]
    All,
    DigestOnly,
    TagOnly,
}

impl Registries {
    /// Reads the first of `files` that is there, then the `*.conf` of `folders` by their names; of two sections for one prefix the
    /// later stands.
    ///
    /// # Errors
    /// A file cannot be read or is not of the form; the text says which.
    pub(super) fn read(files: &[PathBuf], folders: &[PathBuf]) -> Result<Self, String> {
        let mut all = Self::default();
        for path in files {
            if all.add(path)? {
                break;
            }
        }
        for folder in folders {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            paths.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
            paths.sort();
            for path in &paths {
                all.add(path)?;
            }
        }
        Ok(all)
    }

    /// Whether the file is there.
    fn add(&mut self, path: &Path) -> Result<bool, String> {
        let shown = escape(path.as_os_str().as_encoded_bytes()).to_string();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(false),
            Err(error) => return Err(format!("{shown}: {error}")),
        };
        let read = Self::parse(&text, &shown).map_err(|error| format!("{shown} {error}"))?;
        for registry in read.registries {
            self.registries.retain(|other| other.prefix != registry.prefix);
            self.registries.push(registry);
        }
        Ok(true)
    }

    fn parse(text: &str, file: &str) -> Result<Self, String> {
        let mut read: Self = toml::from_str(text).map_err(|error| format!("is not of the form: {}", escape(error.message())))?;
        for registry in &mut read.registries {
            file.clone_into(&mut registry.file);
            if registry.prefix.is_empty() {
                registry.prefix.clone_from(&registry.location);
            }
        }
        Ok(read)
    }

    /// The section that counts for an image: the one with the longest prefix.
    fn section(&self, name: &str) -> Option<&Registry> {
        let matching = self.registries.iter().filter(|registry| registry.matched(name).is_some());
        matching.max_by_key(|registry| registry.prefix.len())
    }
}

impl Registry {
    /// How many bytes of `name` the prefix covers; `None` if it is of something else.
    fn matched(&self, name: &str) -> Option<usize> {
        if let Some(domain) = self.prefix.strip_prefix('*') {
            let host = name.split('/').next().unwrap_or_default();
            return (domain.starts_with('.') && host.ends_with(domain)).then_some(host.len());
        }
        let rest = name.strip_prefix(self.prefix.as_str())?;
        let ends = rest.is_empty() || rest.starts_with(['/', ':', '@']);
        // A port is no tag: the prefix `a.example` is not that of `a.example:5000/x`.
        let is_port = !self.prefix.contains('/') && rest.starts_with(':');
        (!self.prefix.is_empty() && ends && !is_port).then_some(self.prefix.len())
    }
}

/// Where to ask for `reference`.
///
/// # Errors
/// The registry is blocked, or a location is none.
pub(super) fn routes(
    reference: &Reference,
    mirrors: &[Mirror],
    insecure: &[String],
    registries: &Registries,
) -> Result<Routes, String> {
    let name = reference.to_string();
    let section = registries.section(&name);
    if let Some(registry) = section.filter(|registry| registry.blocked) {
        return Err(format!("{} is blocked by {} (prefix {})", reference.host, registry.file, escape(&registry.prefix)));
    }
    let mut asked_first = Vec::new();
    for mirror in mirrors.iter().filter(|mirror| mirror.registry == reference.host) {
        let repository = format!("{}/{}", mirror.location, reference.repository);
        asked_first.push(route(&repository, mirror.insecure, Some("--mirror".to_owned()))?);
    }
    let mut own = Route {
        host: reference.host.clone(),
        repository: reference.repository.clone(),
        insecure: section.is_some_and(|registry| registry.insecure),
        because: None,
    };
    if let Some(registry) = section {
        let rest = registry.matched(&name).and_then(|length| reference.path().get(length..).map(str::to_owned));
        let rest = rest.unwrap_or_default();
        let by_digest = reference.digest.is_some();
        let serves = |mirror: &&MirrorEntry| match mirror.pull_from_mirror {
            Pull::All => by_digest || !registry.mirror_by_digest_only,
            Pull::DigestOnly => by_digest,
            Pull::TagOnly => !by_digest,
        };
        for mirror in registry.mirrors.iter().filter(serves) {
            let because = format!("a mirror of {}", registry.file);
            asked_first.push(route(&format!("{}{rest}", mirror.location), mirror.insecure, Some(because))?);
        }
        if !registry.location.is_empty() && registry.location != registry.prefix {
            let because = format!("the location of {}", registry.file);
            own = route(&format!("{}{rest}", registry.location), registry.insecure, Some(because))?;
        }
    }
    for route in asked_first.iter_mut().chain([&mut own]) {
        route.insecure |= is_named(&route.host, insecure);
    }
    Ok(Routes { mirrors: asked_first, registry: own })
}

fn route(path: &str, insecure: bool, because: Option<String>) -> Result<Route, String> {
    let reference: Reference = path
        .parse()
        .map_err(|error: super::reference::ReferenceError| format!("{}: {error}", because.clone().unwrap_or_default()))?;
    Ok(Route { host: reference.host, repository: reference.repository, insecure, because })
}

/// Whether `--insecure-registry` names a host, with its port or for all ports.
fn is_named(host: &str, insecure: &[String]) -> bool {
    insecure.iter().any(|named| named == host || host_name(host) == named)
}

/// Whether plain HTTP is spoken there without being asked for.
pub(super) fn is_local(host: &str) -> bool {
    is_loopback(host_name(host))
}

/// Without the port.
fn host_name(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && (!name.contains(':') || name.ends_with(']')) => {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Mirror, Registries, Route, host_name, is_local, routes};

    const CONF: &str = r#"
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "docker.io/library"
location = "internal.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "near.example/library"
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
prefix = "*.corp.example"
[[registry.mirror]]
location = "proxy.example:80"
insecure = true
[[registry]]
location = "a.example"
insecure = true
"#;

    fn to(name: &str) -> Vec<String> {
        let registries = Registries::parse(CONF, "r.conf").unwrap();
        let found = routes(&name.parse().unwrap(), &[], &["i.example".to_owned()], &registries).unwrap();
        let text = |route: Route| format!("{}/{}{}", route.host, route.repository, if route.insecure { " insecure" } else { "" });
        found.mirrors.into_iter().chain([found.registry]).map(text).collect()
    }

    #[test]
    fn mirrors_come_before_the_location() {
        assert_eq!(to("nginx:1"), ["near.example/library/nginx", "internal.example:5000/hub/nginx insecure"]);
        let digest = crate::base::Digest::of(b"x");
        assert_eq!(to(&format!("nginx@{digest}"))[1], "digests.example/nginx");
        assert_eq!(to("grafana/loki"), ["docker.io/grafana/loki"]);
        assert_eq!(to("eu.corp.example/a/b"), ["proxy.example:80/a/b insecure", "eu.corp.example/a/b"]);
        assert_eq!(to("a.example/x"), ["a.example/x insecure"]);
        assert_eq!(to("a.example:5000/x"), ["a.example:5000/x"]);
        assert_eq!(to("i.example:5000/x"), ["i.example:5000/x insecure"]);
    }

    #[test]
    fn a_blocked_registry_names_its_file() {
        let registries = Registries::parse(CONF, "r.conf").unwrap();
        let error = routes(&"bad.example/x".parse().unwrap(), &[], &[], &registries).unwrap_err();
        assert!(error.contains("blocked by r.conf"), "{error}");
    }

    #[test]
    fn drop_ins_override() {
        let folder = tempfile::tempdir().unwrap();
        let (main, more) = (folder.path().join("registries.conf"), folder.path().join("more"));
        std::fs::create_dir(&more).unwrap();
        std::fs::write(&main, CONF).unwrap();
        std::fs::write(more.join("1.conf"), "[[registry]]\nlocation = \"bad.example\"\n").unwrap();
        std::fs::write(more.join("readme"), "no toml").unwrap();
        let read = Registries::read(&[folder.path().join("absent"), main.clone()], std::slice::from_ref(&more)).unwrap();
        assert!(routes(&"bad.example/x".parse().unwrap(), &[], &[], &read).is_ok());
        std::fs::write(more.join("2.conf"), "= =").unwrap();
        assert!(Registries::read(&[main], &[more]).unwrap_err().contains("2.conf"));
    }

    #[test]
    fn mirrors_of_the_command_line() {
        let mirror: Mirror = "mirror.example/cache".parse().unwrap();
        let other: Mirror = "quay.io=http://localhost:5000".parse().unwrap();
        assert!(other.insecure);
        let found = |name: &str| {
            let found = routes(&name.parse().unwrap(), &[mirror.clone(), other.clone()], &[], &Registries::default()).unwrap();
            let all = found.mirrors.iter().chain([&found.registry]);
            all.map(|route| format!("{}/{}", route.host, route.repository)).collect::<Vec<_>>()
        };
        assert_eq!(found("nginx"), ["mirror.example/cache/library/nginx", "docker.io/library/nginx"]);
        assert_eq!(found("quay.io/a"), ["localhost:5000/a", "quay.io/a"]);
        assert_eq!(found("ghcr.io/a/b"), ["ghcr.io/a/b"]);
        for bad in ["", "a b", "=x", "mirror", "x=", "h.example/UP"] {
            assert!(bad.parse::<Mirror>().is_err(), "{bad}");
        }
    }

    #[test]
    fn loopback_is_local() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:80", "[::1]:5000", "[::1]", "registry.localhost:1"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["localhost.example", "10.0.0.1", "docker.io", "[fe80::1]:5000"] {
            assert!(!is_local(host), "{host}");
        }
        assert_eq!(host_name("[::1]:80"), "[::1]");
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(text in "\\PC{0,60}|(\\[\\[registry\\]\\]\n|location = \"[a-z.*/]{0,5}\"\n|blocked = true\n){0,6}") {
            if let Ok(read) = Registries::parse(&text, "f") {
                let _ = routes(&"docker.io/a/b:c".parse().unwrap(), &[], &[], &read);
            }
        }

        #[test]
        fn the_registry_itself_is_left(name in "[a-z]{1,5}\\.ex/[a-z]{1,5}", mirrors in 0_usize..3) {
            let host = name.split('/').next().unwrap();
            let mirrors: Vec<Mirror> = (0..mirrors).map(|n| format!("{host}=m{n}.ex").parse().unwrap()).collect();
            let found = routes(&name.parse().unwrap(), &mirrors, &[], &Registries::default()).unwrap();
            prop_assert_eq!(found.mirrors.len(), mirrors.len());
            prop_assert_eq!(format!("{}/{}", found.registry.host, found.registry.repository), name);
        }
    }
}
