//! What a registry's image is called: `[HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST]`.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use oci_client::ParseError;

use crate::base::{Digest, escape};

/// The registry that is meant where none is named, under the name that it has in credential files and registries.conf.
pub(super) const DOCKER_HUB: &str = "docker.io";

/// The names under which Docker Hub goes, and where it really answers.
const DOCKER_HUB_NAMES: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];
const DOCKER_HUB_ADDRESS: &str = "registry-1.docker.io";

/// An image's name at a registry, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The registry as it is called: `docker.io`, `localhost:5000`, `[::1]:5000`.
    pub host: String,
    /// The repository: `library/nginx`.
    pub repository: String,
    /// The tag. `latest` where neither a tag nor a digest was given.
    pub tag: Option<String>,
    /// The digest, which decides where there is a tag too.
    pub digest: Option<Digest>,
}

/// Why a text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no image reference: {why}")]
pub struct ReferenceError {
    text: String,
    why: String,
}

impl Reference {
    /// What follows `/manifests/` in the registry's API.
    pub(super) fn version(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_else(|| "latest".to_owned()),
        }
    }

    /// `HOST/REPOSITORY`, by which credential files and registries.conf name things.
    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

/// Where a registry of this name answers: `HOST[:PORT]`.
pub(super) fn address(host: &str) -> &str {
    if host == DOCKER_HUB { DOCKER_HUB_ADDRESS } else { host }
}

impl FromStr for Reference {
    type Err = ReferenceError;

    /// oci-client knows the grammar and Docker Hub's shorthand; what it lacks is done before: hosts that are IPv6 addresses.
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let error = |why: String| ReferenceError { text: escape(text).to_string(), why };
        let (brackets, rest) = split_ipv6(text).map_err(|why| error(why.to_owned()))?;
        let written = if brackets.is_some() { format!("host.invalid{rest}") } else { text.to_owned() };
        let parsed: oci_client::Reference = written.parse().map_err(|problem| error(explain(&problem, text)))?;
        let digest = parsed
            .digest()
            .map(str::parse)
            .transpose()
            .map_err(|problem: crate::base::DigestError| error(problem.to_string()))?;
        let host = match brackets {
            Some(address) => parsed.registry().replacen("host.invalid", address, 1),
            None if DOCKER_HUB_NAMES.contains(&parsed.registry()) => DOCKER_HUB.to_owned(),
            None => parsed.registry().to_ascii_lowercase(),
        };
        if port(&host).is_some_and(|port| port.parse::<u16>().is_err()) {
            return Err(error(format!("there is no port {}", port(&host).unwrap_or_default())));
        }
        let repository = match parsed.repository() {
            name if host == DOCKER_HUB && !name.contains('/') => format!("library/{name}"),
            name => name.to_owned(),
        };
        Ok(Self { host, repository, tag: parsed.tag().map(str::to_owned), digest })
    }
}

/// `[::1]` and what follows it, where the text begins so; otherwise the whole text.
fn split_ipv6(text: &str) -> Result<(Option<&str>, &str), &'static str> {
    if !text.starts_with('[') {
        return Ok((None, text));
    }
    let end = text.find(']').ok_or("a `]` is missing behind the address")?;
    let (address, rest) = text.split_at(end.saturating_add(1));
    let inner = address.trim_start_matches('[').trim_end_matches(']');
    inner.parse::<Ipv6Addr>().map_err(|_| "what stands between [ and ] is no IPv6 address")?;
    if rest.starts_with('/') || rest.starts_with(':') {
        Ok((Some(address), rest))
    } else {
        Err("a repository must follow the address")
    }
}

/// The port of `HOST:PORT`.
fn port(host: &str) -> Option<&str> {
    let behind = host.rsplit_once(']').map_or(host, |(_, behind)| behind);
    behind.rsplit_once(':').map(|(_, port)| port)
}

fn explain(problem: &ParseError, text: &str) -> String {
    if text.contains("://") {
        return "write it without a scheme, such as ghcr.io/acme/api:1.4 (--insecure-registry asks for plain HTTP)".to_owned();
    }
    let name = text.split('@').next().unwrap_or_default();
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) && name.to_ascii_lowercase().parse::<oci_client::Reference>().is_ok() {
        return "the names of repositories have no capital letters".to_owned();
    }
    match problem {
        ParseError::DigestInvalidLength | ParseError::DigestInvalidFormat | ParseError::DigestUnsupported => {
            format!("{problem}: expected @sha256:<64 hex digits>")
        }
        _ => "expected [HOST[:PORT]/]REPOSITORY[:TAG][@DIGEST], such as nginx:1.27 or ghcr.io/acme/api:1.4".to_owned(),
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(formatter, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(formatter, "@{digest}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Reference;
    use crate::base::Digest;

    fn parse(text: &str) -> String {
        text.parse::<Reference>().map_or_else(|error| panic!("{error}"), |reference| reference.to_string())
    }

    #[test]
    fn docker_hubs_shorthand() {
        for text in ["nginx", "library/nginx", "docker.io/nginx", "index.docker.io/library/nginx:latest"] {
            assert_eq!(parse(text), "docker.io/library/nginx:latest");
        }
        assert_eq!(parse("grafana/loki:3"), "docker.io/grafana/loki:3");
    }

    #[test]
    fn hosts_and_ports() {
        assert_eq!(parse("localhost/app"), "localhost/app:latest");
        assert_eq!(parse("localhost:5000/a/b:1"), "localhost:5000/a/b:1");
        assert_eq!(parse("GHCR.io/acme/api"), "ghcr.io/acme/api:latest");
        assert_eq!(parse("10.0.0.1:5000/x"), "10.0.0.1:5000/x:latest");
        assert_eq!(parse("[::1]:5000/x:2"), "[::1]:5000/x:2");
        assert_eq!(parse("[fe80::1]/x/y"), "[fe80::1]/x/y:latest");
    }

    #[test]
    fn a_digest_decides() {
        let digest = Digest::of(b"x");
        let both: Reference = format!("app:1@{digest}").parse().unwrap();
        assert_eq!((both.tag.as_deref(), both.version()), (Some("1"), digest.to_string()));
        let alone: Reference = format!("[::1]:80/app@{digest}").parse().unwrap();
        assert_eq!((alone.tag.as_deref(), alone.version()), (None, digest.to_string()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let digest = Digest::of(b"x").to_string();
        for (text, word) in [
            ("https://ghcr.io/acme/api", "without a scheme"),
            ("ghcr.io/Acme/api", "capital"),
            ("app@sha256:12", "HOST"),
            (&format!("app@{}", digest.to_uppercase().replace("SHA256", "sha256")), "not a digest"),
            (&format!("app@{}", &digest[..60]), "64 hex digits"),
            ("localhost:99999/x", "port"),
            ("[::1/x", "]"),
            ("[zz]/x", "IPv6"),
            ("[::1]x", "repository"),
            ("", "expected"),
            ("a b", "expected"),
        ] {
            let error = text.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|[a-z\\[\\]:/@.]{0,30}") {
            let _ = text.parse::<Reference>();
        }

        /// What is printed means the same again.
        #[test]
        fn a_reference_is_read_as_it_was_written(
            host in "(localhost|[a-z]{1,8}\\.[a-z]{2,3}|\\[::[1-9]\\])(:[1-9][0-9]{0,3})?",
            repository in "[a-z0-9]{1,6}(/[a-z0-9]{1,6}([._-][a-z0-9]{1,3})?){0,3}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}"),
            digest in proptest::option::of("[0-9a-f]{64}"),
        ) {
            let tag = if digest.is_none() { Some(tag.unwrap_or_else(|| "latest".to_owned())) } else { tag };
            let digest = digest.map(|hex| format!("sha256:{hex}").parse().unwrap());
            let reference = Reference { host, repository, tag, digest };
            prop_assert_eq!(reference.to_string().parse::<Reference>(), Ok(reference));
        }
    }
}
