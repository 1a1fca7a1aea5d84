//! Certificates and keys in files: those of `--ca-cert`, of a Docker client, and of certs.d folders.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::base::escape;

/// What a client shows of itself, where it is asked to.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl Identity {
    /// # Errors
    /// A file cannot be read, or does not hold what it should; the text says which.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let bytes = fs::read(key).map_err(|error| format!("{}: {error}", shown(key)))?;
        let made = PrivateKeyDer::from_pem_slice(&bytes);
        let key = made.map_err(|_| format!("{} holds no key in PEM (-----BEGIN PRIVATE KEY-----)", shown(key)))?;
        Ok(Self { chain: certificates(certificate)?, key })
    }
}

/// All certificates of a file.
///
/// # Errors
/// It cannot be read or holds none; the text says which.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", shown(path)))?;
    let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(format!("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", shown(path))),
    }
}

/// What is kept for one host.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) authorities: Vec<CertificateDer<'static>>,
    /// The first by its name, where there are several.
    pub(super) identity: Option<Identity>,
}

impl Kept {
    /// Reads `HOST[:PORT]` of the first of `folders` that has it, as containers-certs.d(5) has it: `*.crt` are authorities,
    /// `NAME.cert` and `NAME.key` are what a client shows.
    ///
    /// # Errors
    /// A file cannot be read or used, or one of a pair is not there; the text says which.
    pub(super) fn of_host(folders: &[PathBuf], host: &str) -> Result<Self, String> {
        // A host that is a path is none.
        let is_name = !host.starts_with('.') && !host.contains(['/', '\\']) && !host.is_empty();
        let found = folders.iter().filter(|_| is_name).map(|folder| folder.join(host)).find(|folder| folder.is_dir());
        found.map_or_else(|| Ok(Self::default()), |folder| Self::read(&folder))
    }

    fn read(folder: &Path) -> Result<Self, String> {
        let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let entries = entries.map_err(|error| format!("{}: {error}", shown(folder)))?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        let mut kept = Self::default();
        for path in &paths {
            let pair = |extension| Some(path.with_extension(extension)).filter(|other| paths.contains(other));
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("crt") => kept.authorities.extend(certificates(path)?),
                Some("cert") => {
                    let key = pair("key").ok_or_else(|| format!("{} has no key beside it (.key)", shown(path)))?;
                    let identity = Identity::read(path, &key)?;
                    kept.identity.get_or_insert(identity);
                }
                Some("key") if pair("cert").is_none() => {
                    return Err(format!("{} has no certificate beside it (.cert)", shown(path)));
                }
                _ => {}
            }
        }
        Ok(kept)
    }
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Kept;

    #[test]
    fn one_of_a_pair_names_what_is_not_there() {
        let (folder, more) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folders = [folder.path().join("absent"), folder.path().to_owned(), more.path().to_owned()];
        assert!(Kept::of_host(&folders, "r.example:5000").unwrap().identity.is_none());
        let host = folder.path().join("r.example:5000");
        fs::create_dir_all(&host).unwrap();
        fs::create_dir_all(more.path().join("r.example:5000")).unwrap();
        fs::write(more.path().join("r.example:5000/x.crt"), "no certificate").unwrap();
        assert!(Kept::of_host(&folders, "r.example:5000").is_ok(), "the first folder decides");
        for (name, other) in [("client.cert", "no key beside it"), ("client.key", "no certificate beside it")] {
            fs::write(host.join(name), "x").unwrap();
            let error = Kept::of_host(&folders, "r.example:5000").unwrap_err();
            assert!(error.contains(name) && error.contains(other), "{error}");
            fs::remove_file(host.join(name)).unwrap();
        }
        fs::write(host.join("ca.crt"), "x").unwrap();
        assert!(Kept::of_host(&folders, "r.example:5000").unwrap_err().contains("ca.crt holds no certificate"));
        for host in ["..", ".", "", "a/b", "r.example"] {
            assert!(Kept::of_host(&folders, host).unwrap().authorities.is_empty(), "{host}");
        }
    }
}
