//! The documents as JSON spells them. Unknown fields are ignored and null means absent, as in Go, which every runtime is
//! written in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::base::{Digest, Platform, escape};

use super::{Descriptor, DocumentError};

/// Reads `bytes` as `T`.
pub(super) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DocumentError> {
    // The error may quote the document.
    serde_json::from_slice(bytes).map_err(|error| {
        let text = escape(&error.to_string()).to_string();
        if error.is_data() { DocumentError::Shape(text) } else { DocumentError::Json(text) }
    })
}

/// An index or a manifest: which one is told only after reading.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnyDocument {
    pub(super) schema_version: Option<u64>,
    pub(super) media_type: Option<String>,
    pub(super) artifact_type: Option<String>,
    pub(super) manifests: Option<Vec<AnyDescriptor>>,
    pub(super) config: Option<AnyDescriptor>,
    pub(super) layers: Option<Vec<AnyDescriptor>>,
    pub(super) subject: Option<AnyDescriptor>,
    pub(super) annotations: Option<Texts>,
    /// Of schema 1.
    pub(super) fs_layers: Option<IgnoredAny>,
}

/// Annotations.
type Texts = BTreeMap<String, Option<String>>;

pub(super) fn texts(texts: Option<Texts>) -> BTreeMap<String, String> {
    texts.unwrap_or_default().into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnyDescriptor {
    media_type: Option<String>,
    // Not optional: a descriptor without digest points nowhere.
    digest: Digest,
    size: Option<u64>,
    platform: Option<AnyPlatform>,
    annotations: Option<Texts>,
    artifact_type: Option<String>,
    urls: Option<Vec<String>>,
    data: Option<String>,
}

impl From<AnyDescriptor> for Descriptor {
    fn from(wire: AnyDescriptor) -> Self {
        Self {
            media_type: wire.media_type.unwrap_or_default(),
            digest: Some(wire.digest),
            size: wire.size,
            member: None,
            platform: wire.platform.map(Platform::from),
            annotations: texts(wire.annotations),
            artifact_type: wire.artifact_type.filter(|artifact| !artifact.is_empty()),
            urls: wire.urls.unwrap_or_default(),
            data: wire.data.and_then(|data| base64(&data)),
        }
    }
}

/// A platform; also the fields of it that a config has at its top.
#[derive(Default, Deserialize)]
pub(super) struct AnyPlatform {
    os: Option<String>,
    architecture: Option<String>,
    variant: Option<String>,
    #[serde(rename = "os.version")]
    os_version: Option<String>,
    #[serde(rename = "os.features")]
    os_features: Option<Vec<String>>,
}

impl From<AnyPlatform> for Platform {
    fn from(wire: AnyPlatform) -> Self {
        Self {
            os: wire.os.unwrap_or_default(),
            architecture: wire.architecture.unwrap_or_default(),
            variant: wire.variant.filter(|variant| !variant.is_empty()),
            os_version: wire.os_version.filter(|version| !version.is_empty()),
            os_features: wire.os_features.unwrap_or_default(),
        }
    }
}

/// RFC 4648, section 4; `None` for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    if !text.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(digits.len());
    let (mut bits, mut count) = (0_u32, 0_u32);
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn decodes_the_vectors_of_the_rfc() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(base64("e30=").as_deref(), Some(&b"{}"[..]));
    }

    #[test]
    fn refuses_what_is_not_base64() {
        for text in ["Z", "Zg", "Zg=", "Zm9v\n", "Z===", "Zm9-"] {
            assert_eq!(base64(text), None, "{text:?}");
        }
    }
}
