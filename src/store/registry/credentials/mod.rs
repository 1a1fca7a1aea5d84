//! Who to be at a registry: from flags, files and helpers.

mod file;
mod helper;

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use file::{AuthFile, DOCKER_HUB_KEY, Match};

use super::reference::DOCKER_HUB;
use crate::base::escape;
use crate::store::http::Secret;

/// Files larger than this hold something else.
const FILE_LIMIT: u64 = 4 << 20;

/// What is shown to a registry or to its token server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user and a password, which may be an access token.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An identity token: the token server gives access tokens for it (OAuth 2's refresh token).
    Identity(Secret),
}

/// The user that helpers give to say that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

impl Credential {
    fn identity(token: String) -> Self {
        Self::Identity(Secret::new(token))
    }

    /// `None` where there is neither user nor password.
    fn pair(user: String, password: String) -> Option<Self> {
        match user.as_str() {
            TOKEN_USER => Some(Self::identity(password)),
            "" if password.is_empty() => None,
            _ => Some(Self::Password { user, password: Secret::new(password) }),
        }
    }
}

/// Where credentials are looked for.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    /// Those of the command line.
    pub given: Option<Given>,
    /// `--authfile`: the only file, and it must be readable.
    pub authfile: Option<PathBuf>,
    /// `DOCKER_AUTH_CONFIG`: a file's text.
    pub inline: Option<Secret>,
    /// Files, the first first; what is not there is passed over.
    pub files: Vec<PathBuf>,
}

/// Credentials for this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The credentials.
    pub credential: Credential,
    /// The registry that they are for; a mirror is another.
    pub host: String,
    /// Where they come from, in words.
    pub origin: String,
}

/// Credentials, and where they come from in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) credential: Credential,
    pub(super) origin: String,
}

/// What a search brought to light.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) found: Option<Found>,
    /// What went wrong in passing, for people.
    pub(super) problems: Vec<String>,
}

impl Keyring {
    /// Where the tools that log in leave credentials, in the order in which they are believed: what was said for this run, then
    /// Docker's, then podman's (containers-auth.json(5)). `variable` is the environment.
    pub fn of_environment(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let given = |name: &str| variable(name).filter(|value| !value.is_empty());
        let folder = |name: &str| given(name).map(PathBuf::from);
        let home = folder("HOME");
        let in_home = |path: &str| home.as_ref().map(|home| home.join(path));
        let configuration = folder("XDG_CONFIG_HOME").or_else(|| in_home(".config"));
        let files = [
            folder("REGISTRY_AUTH_FILE"),
            folder("DOCKER_CONFIG").map(|folder| folder.join("config.json")),
            Some(folder("XDG_RUNTIME_DIR").map_or_else(without_session, |folder| folder.join("containers/auth.json"))),
            configuration.map(|folder| folder.join("containers/auth.json")),
            in_home(".docker/config.json"),
            in_home(".dockercfg"),
        ];
        let inline = given("DOCKER_AUTH_CONFIG").and_then(|text| text.into_string().ok()).map(Secret::new);
        Self { given: None, authfile: None, inline, files: files.into_iter().flatten().collect() }
    }

    /// The credentials for a repository; the first source that has some decides.
    ///
    /// # Errors
    /// `--authfile` cannot be read.
    pub(super) fn find(&self, host: &str, repository: &str) -> Result<Search, String> {
        if let Some(given) = self.given.as_ref().filter(|given| given.host == host) {
            let found = Some(Found { credential: given.credential.clone(), origin: given.origin.clone() });
            return Ok(Search { found, problems: Vec::new() });
        }
        let mut search = Search::default();
        if let Some(path) = &self.authfile {
            let (name, file) = (shown(path), read(path)?.ok_or_else(|| format!("{}: no such file", shown(path)))?);
            search.take(&file, &name, host, repository);
            return Ok(search);
        }
        if let Some(text) = &self.inline {
            match AuthFile::parse(text.expose().as_bytes()) {
                Ok(file) => search.take(&file, "DOCKER_AUTH_CONFIG", host, repository),
                Err(error) => search.problems.push(format!("DOCKER_AUTH_CONFIG {error}")),
            }
        }
        for path in &self.files {
            if search.found.is_some() {
                break;
            }
            match read(path) {
                Ok(Some(file)) => search.take(&file, &shown(path), host, repository),
                Ok(None) => {}
                Err(problem) => search.problems.push(problem),
            }
        }
        Ok(search)
    }
}

impl Search {
    fn take(&mut self, file: &AuthFile, name: &str, host: &str, repository: &str) {
        for found in file.matches(host, repository) {
            if self.found.is_some() {
                return;
            }
            match found {
                Match::Entry(key, credential) => {
                    let origin = format!("{name}, entry {}{}", escape(&key), user(&credential));
                    self.found = Some(Found { credential, origin });
                }
                Match::Helper(helper) => {
                    let server = if host == DOCKER_HUB { DOCKER_HUB_KEY } else { host };
                    match helper::ask(&helper, server) {
                        Ok(Some(credential)) => {
                            let origin = format!("{name}, helper docker-credential-{}{}", escape(&helper), user(&credential));
                            self.found = Some(Found { credential, origin });
                        }
                        Ok(None) => {}
                        Err(problem) => {
                            self.problems.push(format!("docker-credential-{} (of {name}) {problem}", escape(&helper)));
                        }
                    }
                }
            }
        }
    }
}

/// Where podman keeps what `podman login` is told where there is no session (containers-auth.json(5)).
fn without_session() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    PathBuf::from(format!("/run/containers/{user}/auth.json"))
}

fn user(credential: &Credential) -> String {
    match credential {
        Credential::Password { user, .. } => format!(", user {}", escape(user)),
        Credential::Identity(_) => ", an identity token".to_owned(),
    }
}

fn shown(path: &std::path::Path) -> String {
    escape(path.as_os_str().as_encoded_bytes()).to_string()
}

/// `None` where there is no such file.
fn read(path: &std::path::Path) -> Result<Option<AuthFile>, String> {
    let read = fs::File::open(path).and_then(|file| {
        let mut bytes = Vec::new();
        io::Read::read_to_end(&mut io::Read::take(file, FILE_LIMIT), &mut bytes).map(|_| bytes)
    });
    match read {
        Ok(bytes) if bytes.trim_ascii().is_empty() => Ok(None),
        Ok(bytes) => AuthFile::parse(&bytes).map(Some).map_err(|error| format!("{} {error}", shown(path))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(format!("{}: {error}", shown(path))),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::fs::MetadataExt;
    use std::path::{Path, PathBuf};

    use super::{Credential, Given, Keyring, Secret, without_session};

    fn write(folder: &Path, name: &str, key: &str, user: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = serde_json::json!({"auths": {key: {"username": user, "password": "hunter2"}}});
        std::fs::write(&path, text.to_string()).unwrap();
        path
    }

    fn origin(keyring: &Keyring, host: &str) -> Option<String> {
        keyring.find(host, "a/b").unwrap().found.map(|found| found.origin)
    }

    #[test]
    fn the_environment_names_the_files_in_order() {
        let set = [
            ("HOME", "/h"),
            ("DOCKER_CONFIG", "/d"),
            ("XDG_RUNTIME_DIR", "/run/user/1"),
            ("XDG_CONFIG_HOME", ""),
            ("REGISTRY_AUTH_FILE", "/r.json"),
            ("DOCKER_AUTH_CONFIG", "{}"),
        ];
        let keyring =
            Keyring::of_environment(&|name| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value)));
        let files = [
            "/r.json",
            "/d/config.json",
            "/run/user/1/containers/auth.json",
            "/h/.config/containers/auth.json",
            "/h/.docker/config.json",
            "/h/.dockercfg",
        ];
        assert_eq!(keyring.files, files.map(PathBuf::from));
        assert_eq!(keyring.inline, Some(Secret::new("{}")));
        assert_eq!(Keyring::of_environment(&|_| None).files, [without_session()]);
        let user = tempfile::tempfile().unwrap().metadata().unwrap().uid();
        assert_eq!(without_session(), PathBuf::from(format!("/run/containers/{user}/auth.json")));
    }

    #[test]
    fn the_first_file_that_has_an_entry_decides() {
        let folder = tempfile::tempdir().unwrap();
        let broken = folder.path().join("broken.json");
        std::fs::write(&broken, "hunter2").unwrap();
        let files = vec![
            broken,
            folder.path().join("absent.json"),
            write(folder.path(), "one.json", "elsewhere.example", "one"),
            write(folder.path(), "two.json", "r.example", "two"),
            write(folder.path(), "three.json", "r.example/a", "three"),
        ];
        let keyring = Keyring { files, ..Keyring::default() };
        let search = keyring.find("r.example", "a/b").unwrap();
        let origin = search.found.map(|found| found.origin).unwrap();
        assert!(origin.ends_with("two.json, entry r.example, user two"), "{origin}");
        assert!(matches!(&search.problems[..], [one] if one.contains("broken.json") && !one.contains("hunter2")));
    }

    #[test]
    fn the_command_line_comes_first_and_its_file_is_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let files = vec![write(folder.path(), "file.json", "r.example", "file")];
        let authfile = Some(write(folder.path(), "other.json", "elsewhere.example", "other"));
        let keyring = Keyring { authfile, files, ..Keyring::default() };
        assert_eq!(origin(&keyring, "r.example"), None);
        let credential = Credential::pair("me".into(), "x".into()).unwrap();
        let given = Given { credential, host: "r.example".into(), origin: "--username".into() };
        let keyring = Keyring { given: Some(given), ..keyring };
        assert_eq!(origin(&keyring, "r.example").as_deref(), Some("--username"));
        assert_eq!(origin(&keyring, "mirror.example"), None);
        let keyring = Keyring { authfile: Some("/absent.json".into()), ..Keyring::default() };
        assert!(keyring.find("r.example", "a/b").is_err());
    }
}
