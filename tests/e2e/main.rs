//! The truth: real packages of eight architectures, as four container tools write them, through the built binary.
//!
//! These tests download packages and call tools that not every machine has, so they run only where `ENOEXEC_E2E=1` asks for them
//! (`.ci/run` installs what they need). What was downloaded is kept in `$ENOEXEC_E2E_CACHE`, by default `~/.cache/enoexec-e2e`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may end at once")]
#![allow(clippy::explicit_write, reason = "the test harness swallows what `eprintln!` prints")]
#![allow(unreachable_pub, reason = "`pub` says what the tests may use")]

mod abis;
mod action;
mod bystanders;
mod chains;
mod choices;
mod clean;
mod cluster;
mod damage;
mod dockerfiles;
mod engines;
mod entrypoints;
mod gitlab;
mod image;
mod lab;
mod levels;
mod linking;
mod linting;
mod loaders;
mod packages;
mod page;
mod probe;
#[path = "../recipe/mod.rs"]
mod recipe;
mod registries;
mod run;
mod runtimes;
mod sarif;
mod shells;
mod starts;
mod tables;
#[path = "../recipe/toc.rs"]
mod toc;
mod triage;
mod writers;
