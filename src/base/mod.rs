//! The vocabulary that every other part speaks: platforms, digests, dates, guest paths, escaping, parallel work and progress.

mod date;
mod digest;
mod escape;
mod guest_path;
mod kernel_version;
mod parallel;
mod pattern;
mod platform;
mod progress;

pub use date::{Date, DateError};
pub use digest::{Algorithm, Digest, DigestError, Hasher};
pub use escape::{Escaped, escape, masked};
pub use guest_path::GuestPath;
pub use kernel_version::{KernelVersion, KernelVersionError};
pub use parallel::{parallel_map, parallel_map_on};
pub use pattern::matches;
pub use platform::{Platform, PlatformError};
pub use progress::{Progress, Quiet, Watched};
