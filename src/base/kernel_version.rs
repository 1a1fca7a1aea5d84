use std::fmt;
use std::str::FromStr;

/// A Linux kernel's version: major and minor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct KernelVersion(pub u16, pub u16);

impl KernelVersion {
    /// In the place of a version that is not known.
    pub const UNKNOWN: Self = Self(0, 0);
}

/// Why a text is no kernel's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a kernel's version such as 6.12 or 5.14.0-427.13.1.el9_4.aarch64+64k")]
pub struct KernelVersionError;

impl FromStr for KernelVersion {
    type Err = KernelVersionError;

    /// Takes what `uname -r` prints: two numbers, and whatever follows them.
    fn from_str(text: &str) -> Result<Self, KernelVersionError> {
        let mut numbers = text.split(|letter: char| !letter.is_ascii_digit());
        let mut next = || numbers.next().and_then(|number| number.parse().ok());
        match (next(), text.contains('.').then(next)) {
            (Some(major), Some(Some(minor))) => Ok(Self(major, minor)),
            (Some(major), None) => Ok(Self(major, 0)),
            _ => Err(KernelVersionError),
        }
    }
}

impl fmt::Display for KernelVersion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::KernelVersion;

    #[test]
    fn what_uname_prints_is_read() {
        for (text, shown) in [("6.12", "6.12"), ("5.14.0-427.13.1.el9_4.aarch64+64k", "5.14"), ("6", "6.0"), ("6.8-rc1", "6.8")] {
            assert_eq!(text.parse::<KernelVersion>().unwrap().to_string(), shown);
        }
        assert!(["", "x", "6.x", ".1", "99999.1"].iter().all(|text| text.parse::<KernelVersion>().is_err()));
    }
}
