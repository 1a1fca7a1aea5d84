//! Why an exchange did not come to its end.

use std::error::Error;
use std::io;
use std::sync::Arc;

use crate::base::escape;

/// What went wrong below HTTP.
#[derive(Debug, Clone)]
pub(in crate::store) struct Fault {
    pub(in crate::store) kind: FaultKind,
    /// In the words of whoever found it, escaped. Holds no URL: those of a redirect may be signed.
    pub(in crate::store) text: String,
}

/// Kinds of [`Fault`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum FaultKind {
    /// The name has no address.
    Name,
    /// Nobody listens.
    Refused,
    /// The certificate is not believed.
    Certificate,
    /// Whoever answers does not speak TLS, or not one that is spoken here.
    Tls,
    /// Nothing came for as long as was to be waited, or too little.
    Timeout,
    /// The connection broke off, or what came is no HTTP.
    Broken,
    /// The request cannot be made at all.
    Unusable,
}

impl Fault {
    pub(in crate::store) fn broken(text: &str) -> Self {
        Self { kind: FaultKind::Broken, text: text.to_owned() }
    }

    pub(in crate::store) fn unusable(text: impl Into<String>) -> Self {
        Self { kind: FaultKind::Unusable, text: text.into() }
    }

    pub(in crate::store) fn too_slow() -> Self {
        Self { kind: FaultKind::Timeout, text: "the bytes came too slowly".to_owned() }
    }

    /// What reqwest's error means.
    pub(in crate::store) fn from_client(error: reqwest::Error) -> Self {
        let (is_timeout, is_connect, is_builder) = (error.is_timeout(), error.is_connect(), error.is_builder());
        let error = error.without_url();
        let chain: Vec<&(dyn Error + 'static)> = causes(&error).collect();
        let texts: Vec<String> = chain.iter().map(ToString::to_string).collect();
        let find = |kind: io::ErrorKind| {
            chain.iter().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == kind))
        };
        let kind = match chain.iter().find_map(|cause| tls_error(*cause)) {
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => FaultKind::Certificate,
            Some(_) if is_connect => FaultKind::Tls,
            _ if is_builder => FaultKind::Unusable,
            // hyper-util has no type for it.
            _ if texts.iter().any(|text| text.starts_with("dns error")) => FaultKind::Name,
            _ if find(io::ErrorKind::ConnectionRefused) => FaultKind::Refused,
            _ if is_timeout || find(io::ErrorKind::TimedOut) => FaultKind::Timeout,
            _ => FaultKind::Broken,
        };
        let text = texts.last().map(String::as_str).unwrap_or_default();
        let text = if kind == FaultKind::Timeout { "nothing came in time" } else { text };
        Self { kind, text: escape(text).to_string() }
    }

    /// The fault that a read of a body failed with.
    pub(in crate::store) fn of_read(error: io::Error) -> Self {
        match error.downcast::<Self>() {
            Ok(fault) => fault,
            Err(error) => Self::broken(&error.to_string()),
        }
    }
}

/// An error and what it was caused by, the outermost first. An `io::Error` hides the error in it from `source`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>().or_else(|| error.downcast_ref::<Arc<rustls::Error>>().map(AsRef::as_ref))
}

impl std::fmt::Display for Fault {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Error for Fault {}
