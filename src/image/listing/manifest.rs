use crate::format::oci::{Config, Descriptor, LEGACY_CONFIG, Manifest, MediaKind};
use crate::image::{Damage, DamageKind};
use crate::store::{Store, StoreError};

use super::{BuildStep, Image, Layer, LayerSource};

/// A document's bytes, and how they differ from what the descriptor says.
pub(super) fn document(store: &dyn Store, descriptor: &Descriptor) -> Result<(Vec<u8>, Vec<Damage>), StoreError> {
    let bytes = store.document(descriptor)?;
    let mut damage = Vec::new();
    if let Some(expected) = descriptor.size.filter(|size| *size != bytes.len() as u64) {
        damage.push(damaged(descriptor, DamageKind::SizeMismatch { expected, actual: bytes.len() as u64 }));
    }
    if let Some(expected) = &descriptor.digest {
        let actual = expected.algorithm().digest(&bytes);
        if actual != *expected {
            damage.push(damaged(descriptor, DamageKind::DigestMismatch { expected: expected.clone(), actual }));
        }
    }
    Ok((bytes, damage))
}

pub(super) fn damaged(descriptor: &Descriptor, kind: DamageKind) -> Damage {
    let name = descriptor.name();
    let subject = match descriptor.kind() {
        MediaKind::Index => format!("the index {name}"),
        MediaKind::Manifest => format!("the manifest {name}"),
        MediaKind::Config => format!("the config {name}"),
        _ => name,
    };
    Damage { subject, layer: None, kind }
}

/// A document that could not be had at all.
pub(super) fn unreadable(descriptor: &Descriptor, error: &StoreError) -> Damage {
    let kind = match error {
        StoreError::TooLarge { .. } => DamageKind::Limit(error.to_string()),
        _ => DamageKind::Missing(error.to_string()),
    };
    damaged(descriptor, kind)
}

/// Reads the image that `manifest` describes into `image`, which has its names already.
pub(super) fn read(store: &dyn Store, manifest: &Manifest, mut image: Image) -> Image {
    let Some(descriptor) = &manifest.config else {
        let subject = image.digest.as_ref().map_or_else(|| "the manifest".to_owned(), ToString::to_string);
        let kind = DamageKind::Document("names no config".to_owned());
        image.damage.push(Damage { subject, layer: None, kind });
        image.layers = layers(manifest, None);
        return image;
    };
    match document(store, descriptor) {
        Err(error) => image.damage.push(unreadable(descriptor, &error)),
        Ok((bytes, damage)) => {
            image.damage.extend(damage);
            match Config::parse(&bytes) {
                Ok(config) => image.config = Some(config),
                Err(error) => image.damage.push(damaged(descriptor, DamageKind::Document(format!("is {error}")))),
            }
        }
    }
    image.layers = layers(manifest, image.config.as_ref());
    if let Some(config) = &image.config {
        let (layers, diff_ids) = (manifest.layers.len(), config.diff_ids.len());
        if layers != diff_ids && descriptor.media_type != LEGACY_CONFIG {
            image.damage.push(damaged(descriptor, DamageKind::LayerCount { layers, diff_ids }));
        }
    }
    image
}

/// The layers with what the config says of each; where it speaks of another number of them, it is not known of which.
fn layers(manifest: &Manifest, config: Option<&Config>) -> Vec<Layer> {
    let count = manifest.layers.len();
    let mut diff_ids = config.filter(|config| config.diff_ids.len() == count).map(|config| config.diff_ids.iter());
    let mut steps = config.map(|config| config.steps(count).into_iter());
    let layer = |descriptor: &Descriptor| Layer {
        source: LayerSource::Blob(Box::new(descriptor.clone())),
        diff_id: diff_ids.as_mut().and_then(Iterator::next).cloned(),
        step: steps
            .as_mut()
            .and_then(|steps| steps.next().flatten())
            .map(|(number, step)| BuildStep { number, created_by: step.created_by.clone() }),
    };
    manifest.layers.iter().map(layer).collect()
}
