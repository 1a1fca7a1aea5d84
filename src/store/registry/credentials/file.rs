//! Credential files: Docker's `config.json` and containers-auth.json(5), which have one form, and Docker's older `.dockercfg`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Credential;
use crate::store::http::Secret;
use crate::store::registry::reference::DOCKER_HUB;

/// Docker Hub's key in Docker's own files, and the address by which its helpers know it.
pub(super) const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Some tools leave the padding away.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent),
);

/// What one file says.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuthFile {
    #[serde(default)]
    auths: Option<BTreeMap<String, Option<Entry>>>,
    /// Helper by host.
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
    /// The helper of all hosts.
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

/// What a file has for a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Match {
    /// Credentials, under this key.
    Entry(String, Credential),
    /// The helper of this name knows more.
    Helper(String),
}

impl AuthFile {
    /// Reads a file of the usual form; failing that, one of the older form, which is the `auths` alone.
    ///
    /// # Errors
    /// It is neither. The text quotes nothing of the file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let error = |error: serde_json::Error| format!("is not JSON of the expected form (line {})", error.line());
        let value: serde_json::Value = serde_json::from_slice(bytes).map_err(error)?;
        let is_current = |key: &str| matches!(key, "auths" | "credHelpers" | "credsStore" | "HttpHeaders");
        let map = value.as_object().ok_or("is not a JSON object")?;
        if map.is_empty() || map.keys().any(|key| is_current(key)) || !map.values().any(|value| value.get("auth").is_some()) {
            return Self::deserialize(value).map_err(error);
        }
        Ok(Self { auths: Some(Deserialize::deserialize(value).map_err(error)?), ..Self::default() })
    }

    /// What the file has for a repository, the best first: the helper of its host, the entry with the most specific key
    /// (containers-auth.json(5): `quay.io/org/app`, `quay.io/org`, `quay.io`), the helper of all hosts.
    pub(super) fn matches(&self, host: &str, repository: &str) -> Vec<Match> {
        let helpers = self.cred_helpers.iter().flatten();
        let helper = helpers.filter(|(key, _)| normalised(key) == host).map(|(_, name)| Match::Helper(name.clone())).take(1);
        let store = self.creds_store.clone().filter(|name| !name.is_empty()).map(Match::Helper);
        helper.chain(self.entry(host, repository)).chain(store).collect()
    }

    fn entry(&self, host: &str, repository: &str) -> Option<Match> {
        let of_key = |wanted: &String| {
            let entries = self.auths.iter().flatten().filter(|(key, _)| normalised(key) == *wanted);
            entries.filter_map(|(key, entry)| Some(Match::Entry(key.clone(), entry.as_ref()?.credential()?))).next()
        };
        keys(host, repository).iter().find_map(of_key)
    }
}

impl Entry {
    /// `None` where the entry holds nothing: its secret is with the helper of all hosts, or it was logged out.
    fn credential(&self) -> Option<Credential> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let decoded =
            given(&self.auth).and_then(|auth| LENIENT.decode(auth.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        let user = pair.map(|(user, _)| user.to_owned()).or_else(|| given(&self.username));
        if let Some(token) = given(&self.identitytoken) {
            return Some(Credential::identity(token));
        }
        // Docker pads passwords with NUL.
        let password = pair.map(|(_, password)| password.trim_matches('\0').to_owned()).or_else(|| given(&self.password))?;
        Credential::pair(user?, password)
    }
}

/// The keys under which credentials of a repository may stand, the most specific first.
fn keys(host: &str, repository: &str) -> Vec<String> {
    let mut keys = vec![format!("{host}/{repository}")];
    while let Some((shorter, _)) = keys.last().and_then(|key| key.rsplit_once('/')) {
        keys.push(shorter.to_owned());
    }
    keys
}

/// A key as a reference would spell it: older files have URLs, and Docker Hub goes under several names.
fn normalised(key: &str) -> String {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let path = match bare {
        // What follows the host of a URL is the API's path and no namespace.
        Some(rest) => rest.split('/').next().unwrap_or_default(),
        None => key.trim_end_matches('/'),
    };
    let (host, rest) = path.split_once('/').map_or((path, None), |(host, rest)| (host, Some(rest)));
    let host = if matches!(host, "index.docker.io" | "registry-1.docker.io") { DOCKER_HUB } else { host };
    match rest {
        // Without a scheme too: `index.docker.io/v1/`.
        None | Some("v1" | "v2") => host.to_ascii_lowercase(),
        Some(rest) => format!("{}/{rest}", host.to_ascii_lowercase()),
    }
}

impl Credential {
    /// `Basic`'s value for a user and a password.
    pub(in crate::store::registry) fn basic(user: &str, password: &Secret) -> Secret {
        Secret::new(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose()))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{AuthFile, Credential, LENIENT, Match};
    use base64::Engine as _;

    fn file(text: &serde_json::Value) -> AuthFile {
        AuthFile::parse(text.to_string().as_bytes()).unwrap()
    }

    fn auth(user: &str, password: &str) -> serde_json::Value {
        json!({"auth": LENIENT.encode(format!("{user}:{password}"))})
    }

    fn user(found: &[Match]) -> Option<String> {
        match found.first()? {
            Match::Entry(_, Credential::Password { user, .. }) => Some(user.clone()),
            Match::Entry(_, Credential::Identity(_)) => Some("(token)".into()),
            Match::Helper(name) => Some(format!("helper {name}")),
        }
    }

    #[test]
    fn the_most_specific_key_wins() {
        let file = file(&json!({"auths": {
            "quay.io": auth("host", "1"), "quay.io/org": auth("org", "2"), "quay.io/org/app": auth("app", "3"),
        }}));
        let of = |repository: &str| user(&file.matches("quay.io", repository));
        assert_eq!(of("org/app").as_deref(), Some("app"));
        assert_eq!(of("org/other").as_deref(), Some("org"));
        assert_eq!(of("orgy/app").as_deref(), Some("host"));
        assert_eq!(file.matches("quay.io:443", "org/app"), []);
    }

    #[test]
    fn docker_hub_has_several_names() {
        for key in
            ["https://index.docker.io/v1/", "index.docker.io/v1/", "docker.io", "https://index.docker.io", "registry-1.docker.io"]
        {
            let file = file(&json!({"auths": {key: auth("me", "x")}}));
            assert_eq!(user(&file.matches("docker.io", "library/nginx")).as_deref(), Some("me"), "{key}");
            assert_eq!(file.matches("quay.io", "library/nginx"), []);
        }
    }

    #[test]
    fn helpers_come_before_and_after_entries() {
        let file = file(&json!({
            "auths": {"a.example": auth("me", "x"), "b.example": {}, "c.example": null, "d.example": {"auth": ""}},
            "credHelpers": {"a.example": "ecr-login"}, "credsStore": "desktop",
        }));
        assert_eq!(file.matches("a.example", "x").len(), 3);
        assert_eq!(user(&file.matches("a.example", "x")).as_deref(), Some("helper ecr-login"));
        for host in ["b.example", "c.example", "d.example", "e.example"] {
            assert_eq!(user(&file.matches(host, "x")).as_deref(), Some("helper desktop"), "{host}");
        }
    }

    #[test]
    fn passwords_and_tokens() {
        let file = file(&json!({"auths": {
            "a": {"username": "me", "password": "p:q"},
            "b": {"auth": LENIENT.encode("00000000-0000-0000-0000-000000000000:"), "identitytoken": "refresh"},
            "c": {"auth": LENIENT.encode("me:p:q\0\0").trim_end_matches('=')},
            "d": {"auth": "%%%"},
        }}));
        let expected = Credential::pair("me".into(), "p:q".into());
        for host in ["a", "c"] {
            assert!(
                matches!(&file.matches(host, "x")[..], [Match::Entry(_, found)] if Some(found) == expected.as_ref()),
                "{host}"
            );
        }
        assert_eq!(user(&file.matches("b", "x")).as_deref(), Some("(token)"));
        assert_eq!(file.matches("d", "x"), []);
    }

    #[test]
    fn dockers_older_file() {
        let file = file(&json!({"https://index.docker.io/v1/": {"auth": LENIENT.encode("me:x"), "email": "a@b"}}));
        assert_eq!(user(&file.matches("docker.io", "library/nginx")).as_deref(), Some("me"));
    }

    #[test]
    fn a_broken_file_is_not_quoted() {
        for text in ["", "[]", "{\"auths\": \"hunter2\"}", "{\"auths\": {\"a\": {\"auth\": 1}}}", "hunter2"] {
            let error = AuthFile::parse(text.as_bytes()).err().unwrap();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(AuthFile::parse(b"{}").is_ok());
    }

    proptest! {
        #[test]
        fn any_file_is_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100), host in "[a-z.:]{0,10}", name in "[a-z/]{0,10}") {
            if let Ok(file) = AuthFile::parse(&bytes) {
                let _ = file.matches(&host, &name);
            }
        }

        /// Credentials never go to a host, nor to a namespace, other than the one that they are kept for.
        #[test]
        fn no_key_matches_elsewhere(key in "[a-c]\\.d(/[a-c]{1,2}){0,2}", host in "[a-c]\\.d", repository in "[a-c]{1,2}(/[a-c]{1,2}){0,2}") {
            let file = file(&json!({"auths": {key.as_str(): auth("me", "x")}}));
            let path = format!("{host}/{repository}/");
            prop_assert_eq!(!file.matches(&host, &repository).is_empty(), path.starts_with(&format!("{key}/")));
        }

        #[test]
        fn what_was_encoded_is_decoded(user in "[ -~&&[^:]]{1,12}", password in "\\PC{1,12}") {
            let file = file(&json!({"auths": {"h": auth(&user, &password)}}));
            let expected = Credential::pair(user, password).unwrap();
            prop_assert_eq!(file.matches("h", "x"), vec![Match::Entry("h".into(), expected)]);
        }
    }
}
