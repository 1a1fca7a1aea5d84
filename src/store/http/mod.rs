//! HTTP as far as it is the same for whoever is asked: one exchange, what is believed of a certificate, and why one failed.

mod certificates;
mod fault;
mod pace;
mod secret;
mod tls;
mod wire;

pub use secret::Secret;

pub(super) use fault::{Fault, FaultKind};
pub(super) use tls::Trust;
pub(super) use wire::{Answer, Body, Request, Wire, is_loopback};
