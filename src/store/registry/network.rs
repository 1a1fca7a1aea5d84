//! How registries and engines are reached: what the command line and the environment say.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::credentials::Keyring;
use super::routes::Mirror;
use crate::store::engine::Engines;

/// How registries and engines are reached.
#[derive(Debug, Clone)]
pub struct Network {
    /// Who to be there.
    pub keyring: Keyring,
    /// Mirrors to ask first.
    pub mirrors: Vec<Mirror>,
    /// Registries, `HOST` or `HOST:PORT`, of which any certificate is believed and that may speak plain HTTP.
    pub insecure: Vec<String>,
    /// Files of further certificate authorities, in PEM.
    pub authorities: Vec<PathBuf>,
    /// certs.d folders (containers-certs.d(5)): authorities and client certificates by host.
    pub certificates: Vec<PathBuf>,
    /// Where registries.conf may be; the first that is there counts.
    pub registries: Vec<PathBuf>,
    /// Folders of its drop-ins.
    pub drop_ins: Vec<PathBuf>,
    /// How long a connection may take, and how long it may be silent.
    pub timeout: Duration,
    /// Tries after the first one.
    pub retries: u32,
    /// Whether not to use it at all.
    pub offline: bool,
    /// Where the engines of this machine answer.
    pub engines: Engines,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            keyring: Keyring::default(),
            mirrors: Vec::new(),
            insecure: Vec::new(),
            authorities: Vec::new(),
            certificates: Vec::new(),
            registries: Vec::new(),
            drop_ins: Vec::new(),
            timeout: Duration::from_secs(30),
            retries: 5,
            offline: false,
            engines: Engines::default(),
        }
    }
}

impl Network {
    /// With the credentials, the registries.conf (containers-registries.conf(5)), the certificates and the engines of whoever runs
    /// this; `variable` is the environment.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let own = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
        let own = own.map(|folder| folder.join("containers"));
        let system = PathBuf::from("/etc/containers");
        let named = folder("CONTAINERS_REGISTRIES_CONF");
        let in_own = |name: &str| own.as_ref().map(|folder| folder.join(name));
        let registries = [named, in_own("registries.conf"), Some(system.join("registries.conf"))];
        let drop_ins = [Some(system.join("registries.conf.d")), in_own("registries.conf.d")];
        let certificates = [in_own("certs.d"), Some(system.join("certs.d")), Some(PathBuf::from("/etc/docker/certs.d"))];
        Self {
            keyring: Keyring::of_environment(variable),
            certificates: certificates.into_iter().flatten().collect(),
            engines: Engines::of_environment(variable),
            registries: registries.into_iter().flatten().collect(),
            drop_ins: drop_ins.into_iter().flatten().collect(),
            ..Self::default()
        }
    }
}
