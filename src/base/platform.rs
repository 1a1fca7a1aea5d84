use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `os/architecture[/variant]`, in Go's names, as index entries, configs and nodes state it (image-spec `image-index.md`).
///
/// The fields are what a document says, letter for letter; [`Platform::normalised`] gives the form to compare.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Platform {
    /// `linux`, `windows`, …; empty where a document does not say.
    pub os: String,
    /// `amd64`, `arm64`, `arm`, …; empty where a document does not say.
    pub architecture: String,
    /// `v6`, `v7`, `v8` for Arm, `v2`… for amd64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Windows' build number.
    #[serde(rename = "os.version", skip_serializing_if = "Option::is_none")]
    pub os_version: Option<String>,
    /// `win32k` and the like.
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    pub os_features: Vec<String>,
}

/// Why a text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform: expected os/architecture[/variant] such as linux/arm64 or linux/arm/v7")]
pub struct PlatformError(String);

impl Platform {
    /// A platform of Linux.
    pub fn linux(architecture: &str, variant: Option<&str>) -> Self {
        Self { os: "linux".into(), architecture: architecture.into(), variant: variant.map(Into::into), ..Self::default() }
    }

    /// Whether the document says nothing that could be compared (BuildKit's attestations say `unknown/unknown`).
    pub fn is_unknown(&self) -> bool {
        let says_nothing = |text: &str| text.is_empty() || text == "unknown";
        says_nothing(&self.os) || says_nothing(&self.architecture)
    }

    /// Whether `other` is what someone means who asks for this platform: a variant that was not named is any variant.
    pub fn covers(&self, other: &Self) -> bool {
        let (asked, other) = (self.normalised(), other.normalised());
        asked.os == other.os
            && asked.architecture == other.architecture
            && (self.variant.is_none() || asked.variant == other.variant)
    }

    /// The form that container runtimes compare: lower case, synonyms resolved, the default variant left out for amd64 and
    /// arm64 and spelt out for arm (containerd/platforms `database.go`, `normalizeArch` and `normalizeOS`; `platforms.go`,
    /// `Normalize`).
    #[must_use]
    pub fn normalised(&self) -> Self {
        let os = match self.os.to_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let (architecture, variant) = normalise_architecture(
            &self.architecture.to_lowercase(),
            &self.variant.as_deref().unwrap_or_default().to_lowercase(),
        );
        let variant = Some(variant).filter(|variant| !variant.is_empty());
        Self { os, architecture, variant, ..self.clone() }
    }
}

fn normalise_architecture(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = match architecture {
        "i386" => ("386", ""),
        "x86_64" | "x86-64" | "amd64" => ("amd64", if variant == "v1" { "" } else { variant }),
        "aarch64" | "arm64" => match variant {
            "8" | "v8" | "v8.0" => ("arm64", ""),
            "9" | "9.0" | "v9.0" => ("arm64", "v9"),
            other => ("arm64", other),
        },
        "armhf" => ("arm", "v7"),
        "armel" => ("arm", "v6"),
        "arm" => match variant {
            "" | "7" => ("arm", "v7"),
            "5" => ("arm", "v5"),
            "6" => ("arm", "v6"),
            "8" => ("arm", "v8"),
            other => ("arm", other),
        },
        other => (other, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

impl FromStr for Platform {
    type Err = PlatformError;

    /// Takes `linux/arm64/v8`, `linux/arm64` and a bare architecture, which means Linux.
    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let valid =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(valid) {
            return Err(PlatformError(super::escape(text).to_string()));
        }
        match parts.as_slice() {
            [architecture] => Ok(Self::linux(architecture, None)),
            [os, architecture] => Ok(Self { os: (*os).into(), ..Self::linux(architecture, None) }),
            [os, architecture, variant] => Ok(Self { os: (*os).into(), ..Self::linux(architecture, Some(variant)) }),
            _ => Err(PlatformError(super::escape(text).to_string())),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| if text.is_empty() { "unknown".to_owned() } else { super::escape(text).to_string() };
        write!(formatter, "{}/{}", shown(&self.os), shown(&self.architecture))?;
        match &self.variant {
            Some(variant) if !variant.is_empty() => write!(formatter, "/{}", super::escape(variant)),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Platform;

    fn normal(text: &str) -> String {
        text.parse::<Platform>().unwrap().normalised().to_string()
    }

    #[test]
    fn normalises_as_containerd_does() {
        for (given, expected) in [
            ("aarch64", "linux/arm64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm64/9", "linux/arm64/v9"),
            ("x86_64", "linux/amd64"),
            ("linux/amd64/v1", "linux/amd64"),
            ("linux/amd64/v3", "linux/amd64/v3"),
            ("i386", "linux/386"),
            ("armhf", "linux/arm/v7"),
            ("armel", "linux/arm/v6"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/arm/6", "linux/arm/v6"),
            ("Linux/S390X", "linux/s390x"),
        ] {
            assert_eq!(normal(given), expected, "{given}");
        }
    }

    #[test]
    fn a_variant_that_was_not_named_is_any() {
        let covers = |asked: &str, other: &str| asked.parse::<Platform>().unwrap().covers(&other.parse().unwrap());
        assert!(covers("linux/arm", "linux/arm/v6"));
        assert!(covers("aarch64", "linux/arm64/v8"));
        assert!(!covers("linux/arm/v7", "linux/arm/v6"));
        assert!(!covers("linux/arm64", "linux/arm"));
    }

    #[test]
    fn refuses_what_is_no_platform() {
        for text in ["", "/", "linux/", "a/b/c/d", "linux/arm 64", "linux/\u{1b}[0m"] {
            assert!(text.parse::<Platform>().is_err(), "{text:?}");
        }
    }
}
