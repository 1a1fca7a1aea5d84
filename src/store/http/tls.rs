//! Which certificates are believed.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::fault::Fault;
use crate::base::escape;

/// The certificate authorities of the machine, and those of `--ca-cert`.
pub(in crate::store) struct Trust {
    extra: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
    checked: OnceLock<ClientConfig>,
}

impl Trust {
    /// Reads the extra authorities.
    ///
    /// # Errors
    /// A file cannot be read or holds no certificate in PEM; the text says which.
    pub(in crate::store) fn new(files: &[PathBuf]) -> Result<Self, String> {
        let mut extra = Vec::new();
        for path in files {
            let shown = escape(path.as_os_str().as_encoded_bytes()).to_string();
            let bytes = fs::read(path).map_err(|error| format!("{shown}: {error}"))?;
            let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
            match read {
                Ok(certificates) if !certificates.is_empty() => extra.extend(certificates),
                _ => return Err(format!("{shown} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)")),
            }
        }
        Ok(Self { extra, provider: Arc::new(ring::default_provider()), checked: OnceLock::new() })
    }

    /// How a connection is secured; `insecure` believes anybody.
    pub(in crate::store) fn config(&self, insecure: bool) -> Result<ClientConfig, Fault> {
        let builder = ClientConfig::builder_with_provider(self.provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| Fault::unusable(error.to_string()))?;
        if insecure {
            let verifier = Arc::new(Anybody { provider: self.provider.clone() });
            return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
        }
        let made = || builder.with_root_certificates(self.roots()).with_no_client_auth();
        Ok(self.checked.get_or_init(made).clone())
    }

    /// A machine without any authority is left to fail when a certificate is shown: plain HTTP needs none.
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots.add_parsable_certificates(self.extra.iter().cloned());
        roots
    }
}

/// For `--insecure-registry`: takes every certificate, and still checks that whoever shows it has its key.
#[derive(Debug)]
struct Anybody {
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
