//! What of a node may be unsure.

use serde::{Deserialize, Serialize};

/// Something that decides whether a program runs, and that the name of a machine does not always tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Property {
    /// Whether it runs programs of the smaller word size.
    Compat32,
    /// The level that its CPU has at least.
    Level,
    /// The size of its pages.
    PageSize,
}

impl Property {
    /// As in: `it is not certain WHAT`.
    pub fn question(self) -> &'static str {
        match self {
            Self::Compat32 => "whether it runs 32-bit programs",
            Self::Level => "what its CPU can do",
            Self::PageSize => "how large its pages are",
        }
    }
}
