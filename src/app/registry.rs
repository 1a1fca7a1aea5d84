//! Flags of every command that reads images from a registry.

use std::ffi::OsString;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::store::{Credential, Given, Kind, Mirror, Network, Reference, Secret, Target};

use super::Failure;

/// A password is a line.
const PASSWORD_LIMIT: u64 = 64 << 10;

/// How registries are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registries")]
pub(super) struct Registries {
    /// Log in as this user, with the password of --password-stdin or ENOEXEC_PASSWORD
    #[arg(long, value_name = "USER", env = "ENOEXEC_USERNAME")]
    username: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Take credentials from this file only, of the form of ~/.docker/config.json
    #[arg(long, value_name = "FILE", env = "ENOEXEC_AUTHFILE")]
    authfile: Option<PathBuf>,
    /// Ask this mirror first: [REGISTRY=]HOST[/PATH], of Docker Hub by default (repeatable)
    #[arg(long = "mirror", value_name = "MIRROR", env = "ENOEXEC_MIRROR")]
    mirrors: Vec<Mirror>,
    /// Believe any certificate of this registry, and speak plain HTTP where it does: HOST[:PORT] (repeatable)
    #[arg(long = "insecure-registry", value_name = "HOST", env = "ENOEXEC_INSECURE_REGISTRY")]
    insecure: Vec<String>,
    /// Believe certificates of the authorities in this file too, in PEM (repeatable)
    #[arg(long = "ca-cert", value_name = "FILE", env = "ENOEXEC_CA_CERT")]
    authorities: Vec<PathBuf>,
    /// Give up on a connection that takes, or is silent for, so many seconds
    #[arg(long, value_name = "SECONDS", env = "ENOEXEC_TIMEOUT", default_value = "30", value_parser = seconds)]
    timeout: Duration,
    /// Try again so often what fails in a way that may pass
    #[arg(long, value_name = "TIMES", env = "ENOEXEC_RETRIES", default_value = "5")]
    retries: u32,
    /// Ask no registry
    #[arg(long, env = "ENOEXEC_OFFLINE")]
    offline: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| "expected a number of seconds greater than 0".to_owned())
}

impl Registries {
    /// With what the environment says. The password of the command line is for one registry: with `targets` of several it would
    /// be shown to all of them.
    pub(super) fn network(self, targets: &[Target]) -> Result<Network, Failure> {
        let network = Network::of_environment(&|name| std::env::var_os(name));
        let mut keyring = network.keyring;
        keyring.authfile = self.authfile;
        if let Some(user) = self.username {
            let (password, origin) = if self.password_stdin {
                (from_stdin(targets)?, "--username and --password-stdin")
            } else {
                let password = std::env::var_os("ENOEXEC_PASSWORD").and_then(|password| OsString::into_string(password).ok());
                let missing = "--username needs a password: pass --password-stdin, or set ENOEXEC_PASSWORD";
                (password.ok_or_else(|| Failure::Usage(missing.to_owned()))?, "--username and ENOEXEC_PASSWORD")
            };
            let credential = Credential::Password { user, password: Secret::new(password) };
            keyring.given = Some(Given { credential, host: only_host(targets)?, origin: origin.to_owned() });
        }
        Ok(Network {
            keyring,
            mirrors: self.mirrors,
            insecure: self.insecure,
            authorities: self.authorities,
            timeout: self.timeout,
            retries: self.retries,
            offline: self.offline,
            ..network
        })
    }
}

fn from_stdin(targets: &[Target]) -> Result<String, Failure> {
    if targets.iter().any(|target| target.kind == Kind::Stdin) {
        return Err(Failure::Usage("standard input cannot be both the target - and --password-stdin".to_owned()));
    }
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .take(PASSWORD_LIMIT)
        .read_to_string(&mut text)
        .map_err(|error| Failure::Look(format!("--password-stdin: {error}")))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

/// The registry of all targets that are at one.
fn only_host(targets: &[Target]) -> Result<String, Failure> {
    let mut hosts: Vec<String> = Vec::new();
    for target in targets {
        if let Kind::Registry(text) = &target.kind
            && let Ok(reference) = text.parse::<Reference>()
            && !hosts.contains(&reference.host)
        {
            hosts.push(reference.host);
        }
    }
    match hosts.as_slice() {
        [] => Ok(String::new()),
        [host] => Ok(host.clone()),
        several => Err(Failure::Usage(format!("--username is for one registry, but the targets are at {}", several.join(", ")))),
    }
}
