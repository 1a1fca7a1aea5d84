//! Which certificates are believed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::certificates::{Identity, Kept, certificates};
use super::fault::Fault;

/// Which authorities are believed, and what is shown of oneself.
pub(in crate::store) struct Trust {
    /// Authorities beside those of the machine, or in their place.
    extra: Vec<CertificateDer<'static>>,
    believes_machine: bool,
    identity: Option<Identity>,
    /// certs.d folders, with more of both by host.
    by_host: Vec<PathBuf>,
    provider: Arc<CryptoProvider>,
    roots: OnceLock<RootCertStore>,
}

impl Trust {
    /// Believes the machine's authorities and those in `files`; `by_host` are certs.d folders.
    ///
    /// # Errors
    /// A file cannot be read or holds no certificate in PEM; the text says which.
    pub(in crate::store) fn new(files: &[PathBuf], by_host: &[PathBuf]) -> Result<Self, String> {
        let extra = files.iter().map(|path| certificates(path)).collect::<Result<Vec<_>, _>>()?.concat();
        Ok(Self { extra, believes_machine: true, by_host: by_host.to_vec(), ..Self::nobody() })
    }

    /// As a client of Docker's daemon: believes `ca.pem` of a folder and shows `cert.pem`.
    ///
    /// # Errors
    /// A file of the three cannot be read or used; the text says which.
    pub(in crate::store) fn of_docker_client(folder: &Path) -> Result<Self, String> {
        let identity = Identity::read(&folder.join("cert.pem"), &folder.join("key.pem"))?;
        Ok(Self { extra: certificates(&folder.join("ca.pem"))?, identity: Some(identity), ..Self::nobody() })
    }

    /// For where no certificate is shown.
    pub(in crate::store) fn nobody() -> Self {
        Self {
            extra: Vec::new(),
            believes_machine: false,
            identity: None,
            by_host: Vec::new(),
            provider: Arc::new(ring::default_provider()),
            roots: OnceLock::new(),
        }
    }

    /// How a connection to `host` (`HOST[:PORT]`, as in its URL) is secured; `insecure` believes anybody.
    pub(super) fn config(&self, insecure: bool, host: &str) -> Result<ClientConfig, Fault> {
        let kept = Kept::of_host(&self.by_host, host).map_err(Fault::unusable)?;
        let unusable = |error: rustls::Error| Fault::unusable(error.to_string());
        let builder = ClientConfig::builder_with_provider(self.provider.clone()).with_safe_default_protocol_versions();
        let builder = builder.map_err(unusable)?;
        let builder = if insecure {
            let verifier = Arc::new(Anybody { provider: self.provider.clone() });
            builder.dangerous().with_custom_certificate_verifier(verifier)
        } else {
            let mut roots = self.roots.get_or_init(|| self.roots()).clone();
            roots.add_parsable_certificates(kept.authorities);
            builder.with_root_certificates(roots)
        };
        match kept.identity.as_ref().or(self.identity.as_ref()) {
            Some(Identity { chain, key }) => builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(unusable),
            None => Ok(builder.with_no_client_auth()),
        }
    }

    /// A machine without any authority is left to fail when a certificate is shown: plain HTTP needs none.
    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        if self.believes_machine {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
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
