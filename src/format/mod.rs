//! Bytes to typed facts: pure, bounded, and never a panic, whatever the bytes.

pub mod compress;
pub mod content;
pub mod dockerfile;
pub mod elf;
pub mod inspect;
pub mod kube;
pub mod log;
pub mod macho;
pub mod oci;
pub mod pe;
pub mod script;
pub mod shell;
pub mod tar;
pub mod toc;
pub mod yaml;
