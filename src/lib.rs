//! Says whether what is inside a container image will exec on the node that it is meant for.
//!
//! Eight nouns, one direction; each arrow is one function:
//!
//! ```text
//! Target → Store → Image → LayerIndex → Rootfs → Trace → Finding → Report
//! (text)   (bytes) (meta)  (per layer)  (merged) (exec)  (rules)   (output)
//! ```
//!
//! Left of `Image` does I/O; right of `LayerIndex` is pure and deterministic. A broken image is data, never an `Err`: `Err`
//! means only that the tool could not look. Modules import from those above them in this list, never from those below.

pub mod app;
pub mod base;
pub mod check;
pub mod exec;
pub mod finding;
pub mod format;
pub mod image;
pub mod lint;
pub mod node;
pub mod pipeline;
pub mod report;
pub mod store;
pub mod triage;
