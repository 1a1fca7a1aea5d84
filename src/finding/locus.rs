use std::ops::Range;

use crate::base::GuestPath;
use crate::image::Image;
use crate::store::without_version;

/// Where a finding is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Locus {
    /// In a text file: a Dockerfile, a workflow.
    Text(TextLocus),
    /// In an image.
    Guest(GuestLocus),
    /// In a Kubernetes object.
    Object(ObjectLocus),
}

/// A place in a text file. Lines and columns count from 1, columns in characters; the end is exclusive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextLocus {
    /// The file, as the user named it.
    pub file: String,
    /// The bytes.
    pub span: Range<usize>,
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line of the end.
    pub end_line: usize,
    /// Column of the end.
    pub end_column: usize,
    /// The text at the place, which tells it from others of its file when lines have moved.
    pub text: String,
}

/// A place in an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuestLocus {
    /// The target as the user named it.
    pub target: String,
    /// The image's digest or platform, which tells it from its siblings.
    pub image: Option<String>,
    /// The image's first name, where the target names its images.
    pub name: Option<String>,
    /// The layer, counted from 0 at the bottom.
    pub layer: Option<usize>,
    /// The build step that made the layer.
    pub step: Option<String>,
    /// The file.
    pub path: Option<GuestPath>,
    /// The node that it is about.
    pub node: Option<String>,
}

/// A place in a Kubernetes object.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectLocus {
    /// `apps/Deployment`, `Pod`.
    pub group_kind: String,
    /// Its namespace, if it says one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The field, as a JSON pointer (RFC 6901).
    pub pointer: String,
}

impl Locus {
    /// The place in an image, if it is one.
    pub fn guest(&self) -> Option<&GuestLocus> {
        if let Self::Guest(place) = self { Some(place) } else { None }
    }

    /// The place in a text file, if it is one.
    pub fn text(&self) -> Option<&TextLocus> {
        if let Self::Text(place) = self { Some(place) } else { None }
    }

    /// What stays the same from run to run: of an image its name (without the tag, which each build has anew), platform, path and node; of a text the file and the words; of
    /// an object its names.
    pub fn identity(&self) -> Vec<String> {
        let or_nothing = |text: Option<&String>| text.cloned().unwrap_or_default();
        match self {
            Self::Text(place) => vec![place.file.clone(), place.text.clone()],
            Self::Guest(place) => {
                let path = place.path.as_ref().map(ToString::to_string).unwrap_or_default();
                let target = without_version(&place.target).to_owned();
                vec![target, or_nothing(place.image.as_ref()), path, or_nothing(place.node.as_ref())]
            }
            Self::Object(place) => {
                let namespace = or_nothing(place.namespace.as_ref());
                vec![place.group_kind.clone(), namespace, place.name.clone(), place.pointer.clone()]
            }
        }
    }
}

impl GuestLocus {
    /// Whether it lies in this image of the target.
    pub fn is_of(&self, image: &Image) -> bool {
        image.identity() == self.image && image.names.first() == self.name.as_ref()
    }
}
