use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::base::{Digest, escape};

use super::Engine;

/// What the user named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// As typed.
    pub text: String,
    /// How to read it.
    pub kind: Kind,
}

/// The kinds of target, in skopeo's spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A path without prefix: recognised by its content.
    Path(PathBuf),
    /// `docker-archive:FILE[:REFERENCE]`; the image's name in the archive.
    DockerArchive(PathBuf, Option<String>),
    /// `oci-archive:FILE[:TAG|@DIGEST]`; the tag or the digest.
    OciArchive(PathBuf, Option<String>),
    /// `oci:DIR[:TAG|@DIGEST]`; the tag or the digest.
    Oci(PathBuf, Option<String>),
    /// `dir:ROOTFS`.
    Dir(PathBuf),
    /// `file:BINARY`.
    File(PathBuf),
    /// `-`.
    Stdin,
    /// `docker://REF` or a bare reference: the reference.
    Registry(String),
    /// `docker-daemon:REF`, `containerd:REF`, `podman:REF`: the engine that has it, and the image's name there.
    Daemon(Engine, String),
}

/// Why a text is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(pub String);

impl FromStr for Target {
    type Err = TargetError;

    /// A text without one of the prefixes is a path if there is such a path, or if it could be nothing else; otherwise it is a
    /// reference to a registry, also one like `nginx:1.27`.
    fn from_str(text: &str) -> Result<Self, TargetError> {
        let kind = match text.split_once(':') {
            None if text.is_empty() => {
                return Err(TargetError(
                    "an empty text is no target: give an image reference, a path, or - for standard input".into(),
                ));
            }
            _ if text == "-" => Kind::Stdin,
            Some(("docker-archive", path)) => {
                let (path, choice) = path_and_choice(given(text, path)?);
                Kind::DockerArchive(path, choice)
            }
            Some(("oci-archive", path)) => {
                let (path, choice) = path_and_choice(given(text, path)?);
                Kind::OciArchive(path, choice)
            }
            Some(("oci", path)) => {
                let (path, choice) = path_and_choice(given(text, path)?);
                Kind::Oci(path, choice)
            }
            Some(("dir", path)) => Kind::Dir(given(text, path)?.into()),
            Some(("file", path)) => Kind::File(given(text, path)?.into()),
            Some(("docker", rest)) if rest.starts_with("//") => {
                Kind::Registry(given(text, rest.trim_start_matches('/'))?.to_owned())
            }
            Some(("docker-daemon", name)) => Kind::Daemon(Engine::Docker, given(text, name)?.to_owned()),
            Some(("podman", name)) => Kind::Daemon(Engine::Podman, given(text, name)?.to_owned()),
            Some(("containerd", name)) => Kind::Daemon(Engine::Containerd, given(text, name)?.to_owned()),
            _ if is_path(text) => Kind::Path(text.into()),
            _ => Kind::Registry(text.to_owned()),
        };
        Ok(Self { text: text.to_owned(), kind })
    }
}

/// What a target is called, without its tag or digest: `ghcr.io/acme/api` of `ghcr.io/acme/api:1.4@sha256:…`.
pub fn without_version(target: &str) -> &str {
    let kinds =
        ["docker://", "docker-archive:", "oci-archive:", "oci:", "dir:", "file:", "docker-daemon:", "containerd:", "podman:"];
    let kind = kinds.iter().find(|kind| target.starts_with(**kind)).map_or(0, |kind| kind.len());
    let named = target.split_once('@').map_or(target, |(named, _)| named);
    let last = named.rfind('/').map_or(kind, |slash| slash.saturating_add(1).max(kind));
    let colon = named.get(last..).and_then(|name| name.rfind(':')).map(|colon| last.saturating_add(colon));
    colon.and_then(|colon| named.get(..colon)).unwrap_or(named)
}

fn given<'a>(text: &str, rest: &'a str) -> Result<&'a str, TargetError> {
    if rest.is_empty() { Err(TargetError(format!("nothing follows `{}`", escape(text)))) } else { Ok(rest) }
}

/// Whether a text without prefix is a path: it exists, or nobody would write a reference so.
fn is_path(text: &str) -> bool {
    let starts = ["/", "./", "../", "~"].iter().any(|start| text.starts_with(start));
    starts || text.ends_with('/') || is_archive_name(text) || matches!(text, "." | "..") || exists(text)
}

/// Whether a file of this name is meant to be a tar archive, perhaps compressed.
pub(super) fn is_archive_name(text: &str) -> bool {
    [".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2"].iter().any(|end| text.ends_with(end))
}

fn exists(text: &str) -> bool {
    Path::new(text).symlink_metadata().is_ok()
}

/// `PATH`, `PATH:TAG` or `PATH@DIGEST`. As skopeo does it, the tag begins at the first colon; unless the whole text is a path.
fn path_and_choice(text: &str) -> (PathBuf, Option<String>) {
    if let Some((path, digest)) = text.rsplit_once('@')
        && digest.parse::<Digest>().is_ok()
    {
        return (path.trim_end_matches(':').into(), Some(digest.to_owned()));
    }
    match text.split_once(':') {
        Some((path, tag)) if !exists(text) => (path.into(), Some(tag.to_owned()).filter(|tag| !tag.is_empty())),
        _ => (text.into(), None),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(&self.text).fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::{Engine, Kind, Target, TargetError, without_version};

    #[test]
    fn a_new_tag_is_the_same_image() {
        for (target, name) in [
            ("ghcr.io/acme/api:1.4", "ghcr.io/acme/api"),
            ("ghcr.io/acme/api:1.4@sha256:abc", "ghcr.io/acme/api"),
            ("localhost:5000/api", "localhost:5000/api"),
            ("nginx:1.27", "nginx"),
            ("docker://nginx:1.27", "docker://nginx"),
            ("oci:layout", "oci:layout"),
            ("oci:layout:tag", "oci:layout"),
            ("docker-archive:dir/app.tar:shop:1", "docker-archive:dir/app.tar:shop"),
            ("podman:shop", "podman:shop"),
            ("app.tar", "app.tar"),
            ("-", "-"),
        ] {
            assert_eq!(without_version(target), name);
        }
    }
    use crate::base::Digest;

    fn kind(text: &str) -> Kind {
        text.parse::<Target>().unwrap().kind
    }

    #[test]
    fn prefixes_are_skopeos() {
        assert_eq!(kind("docker-archive:a.tar"), Kind::DockerArchive("a.tar".into(), None));
        assert_eq!(kind("docker-archive:a.tar:app:1"), Kind::DockerArchive("a.tar".into(), Some("app:1".into())));
        assert_eq!(kind("oci-archive:a.tar:v1"), Kind::OciArchive("a.tar".into(), Some("v1".into())));
        assert_eq!(kind("oci:dir"), Kind::Oci("dir".into(), None));
        assert_eq!(kind("oci:dir:"), Kind::Oci("dir".into(), None));
        assert_eq!(kind("oci:dir:docker.io/library/nginx:1"), Kind::Oci("dir".into(), Some("docker.io/library/nginx:1".into())));
        assert_eq!(kind("dir:/mnt"), Kind::Dir("/mnt".into()));
        assert_eq!(kind("file:app"), Kind::File("app".into()));
        assert_eq!(kind("docker://nginx"), Kind::Registry("nginx".into()));
        assert_eq!(kind("podman:nginx"), Kind::Daemon(Engine::Podman, "nginx".into()));
        assert_eq!(kind("-"), Kind::Stdin);
    }

    #[test]
    fn a_digest_chooses_too() {
        let digest = Digest::of(b"x").to_string();
        assert_eq!(kind(&format!("oci:dir@{digest}")), Kind::Oci("dir".into(), Some(digest)));
        assert_eq!(kind("oci:dir@sha256:12"), Kind::Oci("dir@sha256".into(), Some("12".into())));
    }

    #[test]
    fn a_path_with_a_colon_that_exists_is_a_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a:b");
        std::fs::create_dir(&path).unwrap();
        assert_eq!(kind(&format!("oci:{}", path.display())), Kind::Oci(path.clone(), None));
        assert_eq!(kind(path.to_str().unwrap()), Kind::Path(path));
    }

    #[test]
    fn without_prefix_a_path_is_one_that_exists_or_looks_so() {
        assert_eq!(kind("Cargo.toml"), Kind::Path("Cargo.toml".into()));
        for path in ["./absent", "/absent", "absent.tar", "absent.tar.gz", ".", "absent/"] {
            assert_eq!(kind(path), Kind::Path(path.into()));
        }
        for reference in ["nginx", "nginx:1.27", "ghcr.io/a/b@sha256:0", "localhost:5000/x", "docker:dind"] {
            assert_eq!(kind(reference), Kind::Registry(reference.into()));
        }
    }

    #[test]
    fn nothing_is_no_target() {
        for text in ["", "oci:", "docker://", "dir:", "podman:"] {
            assert!(matches!(text.parse::<Target>(), Err(TargetError(text)) if !text.is_empty()), "{text:?}");
        }
    }
}
