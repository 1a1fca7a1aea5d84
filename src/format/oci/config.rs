use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::base::{Digest, Platform};

use super::DocumentError;
use super::wire::{self, AnyPlatform};

/// An image config (image-spec `config.md`), and Docker's, which it grew from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// What the image says it is for.
    pub platform: Platform,
    /// How to start it.
    pub run: RunConfig,
    /// The digests of the uncompressed layers, lowest first. What is no digest is left out: then there are fewer than layers.
    pub diff_ids: Vec<Digest>,
    /// The build steps, first to last, also those that made no layer.
    pub history: Vec<History>,
    /// When the image was made, as written.
    pub created: Option<String>,
}

/// The `config` object of an image config.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunConfig {
    /// `Entrypoint`; `None` for null or absent.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`.
    pub cmd: Option<Vec<String>>,
    /// `Env`: `KEY=value` each.
    pub env: Vec<String>,
    /// `WorkingDir`; empty where not given.
    pub working_dir: String,
    /// `User`: `user[:group]`, names or numbers; empty where not given.
    pub user: String,
    /// `Shell`, of Docker.
    pub shell: Option<Vec<String>>,
    /// `Volumes`: paths that a mount hides at run time.
    pub volumes: Vec<String>,
}

/// One build step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The command, as the builder wrote it.
    pub created_by: String,
    /// The builder's comment, such as `buildkit.dockerfile.v0`.
    pub comment: String,
    /// Whether the step made no layer.
    pub empty_layer: bool,
}

impl Config {
    /// Reads a config.
    ///
    /// # Errors
    /// The bytes are no JSON object, or a field has another type.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        wire::read::<AnyConfig>(bytes).map(Self::from)
    }

    /// The build step of each of `layers` layers, lowest first, with its number counted from 1 over the whole history: the
    /// entries that are not marked empty, in order. `None` for all where the history tells of more or fewer layers than there
    /// are, because then nobody knows which entry made which layer.
    pub fn steps(&self, layers: usize) -> Vec<Option<(usize, &History)>> {
        let steps: Vec<_> = (1..).zip(&self.history).filter(|(_, step)| !step.empty_layer).map(Some).collect();
        if steps.len() == layers { steps } else { vec![None; layers] }
    }
}

#[derive(Deserialize)]
struct AnyConfig {
    #[serde(flatten)]
    platform: AnyPlatform,
    created: Option<String>,
    config: Option<AnyRunConfig>,
    rootfs: Option<AnyRootfs>,
    history: Option<Vec<Option<AnyHistory>>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AnyRunConfig {
    entrypoint: Option<Arguments>,
    cmd: Option<Arguments>,
    env: Option<Vec<Option<String>>>,
    working_dir: Option<String>,
    user: Option<String>,
    shell: Option<Arguments>,
    volumes: Option<BTreeMap<String, IgnoredAny>>,
}

/// Docker also takes one string for a list of one (moby `api/types/strslice`).
#[derive(Deserialize)]
#[serde(untagged)]
enum Arguments {
    One(String),
    Many(Vec<Option<String>>),
}

#[derive(Deserialize)]
struct AnyRootfs {
    diff_ids: Option<Vec<Option<String>>>,
}

#[derive(Default, Deserialize)]
struct AnyHistory {
    created_by: Option<String>,
    comment: Option<String>,
    empty_layer: Option<bool>,
}

impl From<AnyConfig> for Config {
    fn from(wire: AnyConfig) -> Self {
        let diff_ids = wire.rootfs.and_then(|rootfs| rootfs.diff_ids).unwrap_or_default();
        let history = wire.history.unwrap_or_default();
        Self {
            platform: wire.platform.into(),
            run: wire.config.unwrap_or_default().into(),
            diff_ids: diff_ids.into_iter().flatten().filter_map(|text| text.parse().ok()).collect(),
            history: history.into_iter().map(|step| step.unwrap_or_default().into()).collect(),
            created: wire.created,
        }
    }
}

impl From<AnyRunConfig> for RunConfig {
    fn from(wire: AnyRunConfig) -> Self {
        Self {
            entrypoint: wire.entrypoint.map(Vec::from),
            cmd: wire.cmd.map(Vec::from),
            env: wire.env.unwrap_or_default().into_iter().flatten().collect(),
            working_dir: wire.working_dir.unwrap_or_default(),
            user: wire.user.unwrap_or_default(),
            shell: wire.shell.map(Vec::from),
            volumes: wire.volumes.unwrap_or_default().into_keys().collect(),
        }
    }
}

impl From<Arguments> for Vec<String> {
    fn from(arguments: Arguments) -> Self {
        match arguments {
            Arguments::One(only) => vec![only],
            Arguments::Many(all) => all.into_iter().map(Option::unwrap_or_default).collect(),
        }
    }
}

impl From<AnyHistory> for History {
    fn from(wire: AnyHistory) -> Self {
        Self {
            created_by: wire.created_by.unwrap_or_default(),
            comment: wire.comment.unwrap_or_default(),
            empty_layer: wire.empty_layer.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Config, RunConfig};
    use crate::base::{Digest, Platform};

    fn parse(document: &serde_json::Value) -> Config {
        Config::parse(document.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_config_of_docker_is_read() {
        let diff_id = Digest::of(b"layer");
        let config = parse(&serde_json::json!({
            "architecture": "arm64", "os": "linux", "variant": "v8", "created": "2024-05-01T00:00:00Z", "docker_version": "",
            "config": {"Entrypoint": ["/app"], "Cmd": null, "Env": ["PATH=/bin"], "WorkingDir": "/srv", "User": "1000:1000",
                       "Volumes": {"/data": {}}, "Labels": null, "ExposedPorts": {"80/tcp": {}}},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{"created_by": "COPY app /", "comment": "buildkit.dockerfile.v0"}, {"created_by": "CMD", "empty_layer": true}]}));
        assert_eq!(config.platform, Platform::linux("arm64", Some("v8")));
        assert_eq!((config.run.entrypoint, config.run.cmd), (Some(vec!["/app".to_owned()]), None));
        assert_eq!((config.run.working_dir.as_str(), config.run.user.as_str()), ("/srv", "1000:1000"));
        assert_eq!((config.run.env, config.run.volumes), (vec!["PATH=/bin".to_owned()], vec!["/data".to_owned()]));
        assert_eq!((config.diff_ids, config.history.len()), (vec![diff_id], 2));
    }

    #[test]
    fn null_is_absent_everywhere() {
        let empty = parse(&serde_json::json!({}));
        assert_eq!(empty, Config::default());
        assert_eq!(parse(&serde_json::json!({"config": null, "rootfs": null, "history": null, "os": null})), empty);
        let run = serde_json::json!({"Entrypoint": null, "Cmd": null, "Env": null, "Volumes": null, "User": null, "Shell": null});
        assert_eq!(parse(&serde_json::json!({"config": run, "rootfs": {"diff_ids": null}})).run, RunConfig::default());
    }

    #[test]
    fn an_entrypoint_may_be_one_string() {
        let config = parse(&serde_json::json!({"config": {"Entrypoint": "/app", "Cmd": ["a", null]}}));
        assert_eq!(config.run.entrypoint, Some(vec!["/app".to_owned()]));
        assert_eq!(config.run.cmd, Some(vec!["a".to_owned(), String::new()]));
    }

    #[test]
    fn a_diff_id_that_is_no_digest_is_left_out_and_the_rest_kept() {
        let config = parse(&serde_json::json!({"os": "linux", "rootfs": {"diff_ids": ["sha256:1", null, Digest::of(b"")]}}));
        assert_eq!((config.platform.os.as_str(), config.diff_ids), ("linux", vec![Digest::of(b"")]));
    }

    #[test]
    fn steps_are_numbered_over_the_whole_history() {
        let step = |by: &str, empty: bool| serde_json::json!({"created_by": by, "empty_layer": empty});
        let history = [step("FROM", false), step("ENV", true), step("COPY", false), step("CMD", true)];
        let config = parse(&serde_json::json!({"history": history}));
        let steps = config.steps(2).into_iter().flatten().map(|(number, step)| (number, step.created_by.as_str()));
        assert_eq!(steps.collect::<Vec<_>>(), [(1, "FROM"), (3, "COPY")]);
        assert_eq!(config.steps(3), [None, None, None]);
        assert_eq!(config.steps(1), [None]);
    }

    #[test]
    fn what_is_no_config_is_refused() {
        for bad in ["", "this is not JSON", "[]", "7", r#"{"config": 1}"#, r#"{"config": {"Entrypoint": 1}}"#] {
            assert!(Config::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Config::parse(&bytes);
        }

        #[test]
        fn nesting_never_overflows(depth in 0_usize..5000, open in "\\[|\\{\"config\":") {
            let _ = Config::parse(open.repeat(depth).as_bytes());
        }
    }
}
