//! Where engines answer: what the environment says, and a context of Docker's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::base::{Digest, escape};
use crate::store::shown;

/// Files of Docker's that are larger than this hold something else.
const FILE_LIMIT: u64 = 4 << 20;

/// Where Docker's daemon listens where nothing else is said.
const DOCKER_SOCKET: &str = "/var/run/docker.sock";

/// The context that stands for no context.
const NO_CONTEXT: &str = "default";

/// Where the engines of this machine answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engines {
    /// `DOCKER_HOST`, which counts before every context.
    docker_host: Option<String>,
    /// `DOCKER_CONTEXT`, which counts before the one that the configuration names.
    docker_context: Option<String>,
    /// The folder of Docker's own configuration.
    docker_folder: Option<PathBuf>,
    /// The folder of certificates for `DOCKER_HOST`, where TLS is to be spoken.
    docker_certificates: Option<PathBuf>,
    /// `CONTAINER_HOST`.
    podman_host: Option<String>,
    /// Podman's sockets; the first that is there counts.
    podman_sockets: Vec<PathBuf>,
}

/// Where one engine answers, and how it is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) address: Address,
    /// The folder of ca.pem, cert.pem and key.pem, where TLS is spoken.
    pub(super) certificates: Option<PathBuf>,
    /// Whether any certificate will do.
    pub(super) is_insecure: bool,
}

/// Kinds of [`Place`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Socket(PathBuf),
    /// A host and port, as `http` or `https`.
    Host(Url),
}

impl Engines {
    /// What `variable`, the environment, says.
    pub(in crate::store) fn of_environment(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |name: &str| given(name).map(|value| value.to_string_lossy().into_owned());
        let folder = |name: &str| given(name).map(PathBuf::from);
        let docker_folder = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
        let certificates = folder("DOCKER_CERT_PATH").or_else(|| docker_folder.clone());
        let own = folder("XDG_RUNTIME_DIR").map(|folder| folder.join("podman/podman.sock"));
        Self {
            docker_host: text("DOCKER_HOST"),
            docker_context: text("DOCKER_CONTEXT"),
            docker_certificates: certificates.filter(|_| given("DOCKER_TLS_VERIFY").is_some()),
            docker_folder,
            podman_host: text("CONTAINER_HOST"),
            podman_sockets: own.into_iter().chain([PathBuf::from("/run/podman/podman.sock")]).collect(),
        }
    }

    /// # Errors
    /// What is said of it cannot be followed; the text says what and why.
    pub(super) fn docker(&self) -> Result<Place, String> {
        if let Some(host) = &self.docker_host {
            let certificates = self.docker_certificates.clone();
            let address = Address::parse("DOCKER_HOST", host, certificates.is_some())?;
            return Ok(Place { address, certificates, is_insecure: false });
        }
        let chosen = match &self.docker_context {
            Some(context) => Some(context.clone()),
            None => self.current_context()?,
        };
        match (chosen.filter(|name| !name.is_empty() && name != NO_CONTEXT), &self.docker_folder) {
            (Some(name), Some(folder)) => of_context(folder, &name),
            _ => Ok(Place::of(Address::Socket(DOCKER_SOCKET.into()))),
        }
    }

    /// # Errors
    /// As for [`Self::docker`].
    pub(super) fn podman(&self) -> Result<Place, String> {
        if let Some(host) = &self.podman_host {
            return Address::parse("CONTAINER_HOST", host, false).map(Place::of);
        }
        let found = self.podman_sockets.iter().find(|path| path.exists()).or(self.podman_sockets.first());
        let socket = found.cloned().ok_or("nothing says where podman's socket is: set CONTAINER_HOST")?;
        Ok(Place::of(Address::Socket(socket)))
    }

    fn current_context(&self) -> Result<Option<String>, String> {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Config {
            current_context: Option<String>,
        }
        let Some(path) = self.docker_folder.as_ref().map(|folder| folder.join("config.json")) else { return Ok(None) };
        if !path.exists() {
            return Ok(None);
        }
        Ok(read::<Config>(&path)?.current_context)
    }
}

/// A context's description (docker/cli `cli/context/store`): its folder is called by the digest of its name.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    endpoints: BTreeMap<String, ContextEndpoint>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContextEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    believes_anybody: bool,
}

fn of_context(folder: &Path, name: &str) -> Result<Place, String> {
    let digest = Digest::of(name.as_bytes());
    let what = format!("Docker's context {}", escape(name));
    let path = folder.join("contexts/meta").join(digest.hex()).join("meta.json");
    let mut context: Context = read(&path).map_err(|error| format!("{what} cannot be used: {error}"))?;
    let endpoint = context.endpoints.remove("docker").filter(|endpoint| !endpoint.host.is_empty());
    let endpoint = endpoint.ok_or_else(|| format!("{what} names no host"))?;
    let certificates = folder.join("contexts/tls").join(digest.hex()).join("docker");
    let certificates = Some(certificates).filter(|folder| folder.is_dir());
    let address = Address::parse(&what, &endpoint.host, certificates.is_some())?;
    Ok(Place { address, certificates, is_insecure: endpoint.believes_anybody })
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(FILE_LIMIT).read_to_end(&mut bytes));
    read.map_err(|error| format!("{}: {error}", shown(path)))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {}", shown(path), escape(&error.to_string())))
}

impl Place {
    /// An address where no certificate is needed.
    fn of(address: Address) -> Self {
        Self { address, certificates: None, is_insecure: false }
    }
}

impl Address {
    /// What `DOCKER_HOST` and the like may say; `what` said it.
    fn parse(what: &str, text: &str, is_secure: bool) -> Result<Self, String> {
        let wrong = |problem: &str| Err(format!("{what} is `{}`, and {problem}", escape(text)));
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Socket(path.into())),
            Some(("unix", _)) => wrong("the path of a socket begins with /"),
            Some((scheme @ ("tcp" | "http" | "https"), rest)) => {
                let (scheme, port) = if is_secure || scheme == "https" { ("https", 2376) } else { ("http", 2375) };
                let Ok(mut url) = Url::parse(&format!("{scheme}://{rest}")) else { return wrong("that is no address") };
                // The scheme's own port counts too, where it is written.
                let has_port = rest.trim_end_matches('/').rsplit([']', '@']).next().is_some_and(|end| end.contains(':'));
                if !has_port && url.set_port(Some(port)).is_err() {
                    return wrong("that is no address");
                }
                Ok(Self::Host(url))
            }
            Some(("ssh", _)) => wrong("no engine is asked over SSH here"),
            _ => wrong("only unix:// and tcp:// are understood"),
        }
    }
}

impl fmt::Display for Place {
    /// Without what may be a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Socket(path) => formatter.write_str(&shown(path)),
            Address::Host(url) => {
                let host = url.host_str().unwrap_or_default();
                write!(formatter, "{}:{}", escape(host), url.port_or_known_default().unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;

    use super::{Address, Engines};
    use crate::base::Digest;

    fn engines(set: &[(&str, &str)]) -> Engines {
        Engines::of_environment(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)))
    }

    fn docker(set: &[(&str, &str)]) -> String {
        engines(set).docker().map_or_else(|error| error, |place| place.to_string())
    }

    #[test]
    fn the_environment_says_where() {
        assert_eq!(docker(&[]), "/var/run/docker.sock");
        assert_eq!(docker(&[("DOCKER_HOST", "unix:///run/user/1/docker.sock")]), "/run/user/1/docker.sock");
        assert_eq!(docker(&[("DOCKER_HOST", "tcp://far.example:2376")]), "far.example:2376");
        assert_eq!(docker(&[("DOCKER_HOST", "tcp://user:secret@far.example")]), "far.example:2375");
        assert_eq!(docker(&[("DOCKER_HOST", "tcp://[::1]")]), "[::1]:2375");
        let secure = [("DOCKER_HOST", "tcp://far.example"), ("DOCKER_TLS_VERIFY", "1"), ("HOME", "/h")];
        assert_eq!(docker(&secure), "far.example:2376");
        assert_eq!(engines(&secure).docker().unwrap().certificates.as_deref(), Some(Path::new("/h/.docker")));
        assert!(docker(&[("DOCKER_HOST", "ssh://far.example")]).contains("no engine is asked over SSH"));
        for wrong in ["far.example:2375", "unix://relative", "npipe:////./pipe/docker", "tcp://"] {
            assert!(docker(&[("DOCKER_HOST", wrong)]).starts_with("DOCKER_HOST is `"), "{wrong}");
        }
        let podman = |set: &[(&str, &str)]| engines(set).podman().unwrap().to_string();
        assert_eq!(podman(&[("CONTAINER_HOST", "unix:///p.sock")]), "/p.sock");
        assert_eq!(podman(&[("XDG_RUNTIME_DIR", "/absent")]), "/absent/podman/podman.sock");
    }

    #[test]
    fn a_context_says_where() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".docker");
        let meta = folder.join("contexts/meta").join(Digest::of(b"far").hex());
        fs::create_dir_all(&meta).unwrap();
        fs::write(meta.join("meta.json"), r#"{"Name": "far", "Endpoints": {"docker": {"Host": "tcp://far.example:2375"}}}"#)
            .unwrap();
        fs::write(folder.join("config.json"), r#"{"auths": {}, "currentContext": "far"}"#).unwrap();
        let home = home.path().to_str().unwrap();
        assert_eq!(docker(&[("HOME", home)]), "far.example:2375");
        assert_eq!(docker(&[("HOME", home), ("DOCKER_CONTEXT", "default")]), "/var/run/docker.sock");
        assert_eq!(docker(&[("HOME", home), ("DOCKER_HOST", "unix:///own.sock")]), "/own.sock");
        assert!(docker(&[("HOME", home), ("DOCKER_CONTEXT", "near")]).starts_with("Docker's context near cannot be used: "));
        fs::create_dir_all(folder.join("contexts/tls").join(Digest::of(b"far").hex()).join("docker")).unwrap();
        assert!(engines(&[("HOME", home)]).docker().unwrap().certificates.is_some());
        fs::write(folder.join("config.json"), "{").unwrap();
        assert!(docker(&[("HOME", home)]).contains("config.json"));
    }

    proptest! {
        #[test]
        fn any_host_is_a_place_or_refused(text in "(unix|tcp|https|ssh)?(://)?\\PC{0,20}") {
            if let Err(error) = Address::parse("DOCKER_HOST", &text, false) {
                prop_assert!(error.starts_with("DOCKER_HOST is `"));
            }
        }
    }
}
