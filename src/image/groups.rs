use crate::base::Platform;

use super::{Image, LayerSource, Listing};

impl Image {
    /// Whether the target has no documents: a root file system or a file alone, which is no layer of anything.
    pub fn is_bare(&self) -> bool {
        self.layers.iter().any(|layer| matches!(layer.source, LayerSource::Tree | LayerSource::File))
    }

    /// What tells the image from its siblings in an index: the platform that it is for, or its digest.
    pub fn identity(&self) -> Option<String> {
        self.platform().map(ToString::to_string).or_else(|| self.digest.as_ref().map(ToString::to_string))
    }

    /// What the image is for: what its index entry says, or else its config.
    pub fn platform(&self) -> Option<&Platform> {
        let config = self.config.as_ref().map(|config| &config.platform);
        self.declared.as_ref().into_iter().chain(config).find(|platform| !platform.is_unknown())
    }

    /// Whether this is an image that someone means who asks for `platform`.
    pub fn is_for(&self, platform: &Platform) -> bool {
        self.platform().is_some_and(|own| platform.covers(own))
    }
}

impl Listing {
    /// The images that stand beside each other in one index, of which a runtime pulls one: those with the same names. Each
    /// with its place in [`Listing::images`].
    pub fn groups(&self) -> Vec<Vec<(usize, &Image)>> {
        let mut groups: Vec<Vec<(usize, &Image)>> = Vec::new();
        for (place, image) in self.images.iter().enumerate() {
            let same = |group: &&mut Vec<(usize, &Image)>| group.iter().all(|(_, other)| other.names == image.names);
            match groups.iter_mut().find(same) {
                Some(group) => group.push((place, image)),
                None => groups.push(vec![(place, image)]),
            }
        }
        groups
    }
}
