use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::escape;

/// A path inside an image: absolute, normalised, any bytes but NUL; never a path of the machine that looks at it.
///
/// `..` stops at the root, as in a chroot (`fs/namei.c`, `follow_dotdot`), and is taken out by its letters alone: links are
/// followed by [`crate::image::Rootfs`], which needs the raw path for it. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GuestPath(Arc<[u8]>);

impl GuestPath {
    /// The root directory, `/`.
    pub fn root() -> Self {
        Self(Arc::from(&b"/"[..]))
    }

    /// Normalises `raw`, taking a relative path as relative to the root.
    pub fn new(raw: impl AsRef<[u8]>) -> Self {
        let mut path = Vec::with_capacity(raw.as_ref().len() + 1);
        for component in raw.as_ref().split(|byte| *byte == b'/') {
            match component {
                b"" | b"." => {}
                b".." => path.truncate(path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)),
                name => {
                    path.push(b'/');
                    path.extend_from_slice(name);
                }
            }
        }
        if path.is_empty() {
            path.push(b'/');
        }
        Self(Arc::from(path))
    }

    /// The bytes, with the leading `/`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        &*self.0 == b"/"
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        let slash = self.0.iter().rposition(|byte| *byte == b'/')?;
        match (self.is_root(), slash) {
            (true, _) => None,
            (false, 0) => Some(Self::root()),
            (false, end) => self.0.get(..end).map(|parent| Self(Arc::from(parent))),
        }
    }

    /// The last component; empty for the root.
    pub fn name(&self) -> &[u8] {
        self.0.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
    }

    /// This path with one more component (or several, split at `/` and normalised).
    pub fn join(&self, name: impl AsRef<[u8]>) -> Self {
        Self::new([self.as_bytes(), b"/", name.as_ref()].concat())
    }

    /// The components from the root down, without the root itself.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'/').filter(|component| !component.is_empty())
    }

    /// Whether this path lies in `directory`, at any depth; a path does not lie in itself.
    pub fn is_below(&self, directory: &Self) -> bool {
        directory.is_root() && !self.is_root()
            || self.0.strip_prefix(directory.as_bytes()).is_some_and(|rest| rest.first() == Some(&b'/'))
    }
}

impl Borrow<[u8]> for GuestPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for GuestPath {
    /// Escaped: whatever an image names its files, a terminal stays sane.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        escape(&self.0).fmt(formatter)
    }
}

impl fmt::Debug for GuestPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")
    }
}

impl Serialize for GuestPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for GuestPath {
    /// Normalises, so that no stored path leaves the root.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_bytes::ByteBuf::deserialize(deserializer).map(Self::new)
    }
}

impl From<&str> for GuestPath {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::GuestPath;
    use proptest::prelude::*;

    #[test]
    fn dot_dot_stops_at_the_root() {
        assert_eq!(GuestPath::new("../../etc//./passwd/").as_bytes(), b"/etc/passwd");
        assert_eq!(GuestPath::new("a/b/../../../c").as_bytes(), b"/c");
        assert_eq!(GuestPath::new("..").as_bytes(), b"/");
    }

    #[test]
    fn below_is_by_components() {
        assert!(GuestPath::from("/a/b").is_below(&"/a".into()));
        assert!(GuestPath::from("/a").is_below(&"/".into()));
        assert!(!GuestPath::from("/ab").is_below(&"/a".into()));
        assert!(!GuestPath::from("/a").is_below(&"/a".into()));
    }

    proptest! {
        #[test]
        fn normal_form_is_a_fixed_point(raw in prop::collection::vec(prop::sample::select(&b"/.ab\xff"[..]), 0..24)) {
            let path = GuestPath::new(&raw);
            prop_assert_eq!(GuestPath::new(path.as_bytes()), path.clone());
            prop_assert!(path.components().all(|component| component != b".." && component != b"."));
            if let Some(parent) = path.parent() {
                prop_assert!(path.is_below(&parent));
                prop_assert_eq!(parent.join(path.name()), path);
            }
        }
    }
}
