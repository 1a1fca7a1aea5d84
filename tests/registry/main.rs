//! Registries, engines and cache servers at real sockets: they live in the test and do what it asks, also the worst.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may end at once")]
#![allow(unreachable_pub, reason = "`pub` says what the tests may use")]

mod caches;
mod client;
mod documents;
mod engines;
mod faults;
mod interrupts;
mod logins;
#[path = "../recipe/mod.rs"]
mod recipe;
mod server;
mod tables;
#[path = "../recipe/toc.rs"]
mod toc;
