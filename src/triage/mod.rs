//! From symptoms (a log, an event, a pod's state) to ranked causes.

mod subject;

pub use subject::{Container, ContainerKind, Mount, State, Subject, Symptom, Volume};
