// SPDX-License-Identifier: MIT OR Apache-2.0
//! Certificates, read and tried out before they are used.

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tonic::transport::{Certificate, Identity, Server, ServerTlsConfig};

use crate::config::Tls;

/// What is wrong with the files.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One cannot be read.
    #[error("cannot read {}: {reason}", file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// Why.
        reason: std::io::Error,
    },
    /// One holds something else.
    #[error("{} holds no {wanted} in PEM: {reason}", file.display())]
    Content {
        /// Which.
        file: PathBuf,
        /// What it should hold.
        wanted: &'static str,
        /// Why it does not.
        reason: String,
    },
    /// They do not go together.
    #[error("certificate {} and key {} cannot be used: {reason}", certificate.display(), key.display())]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What the files hold.
#[derive(PartialEq, Eq)]
pub struct Material {
    files: Tls,
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_ca: Option<Vec<u8>>,
}

impl Material {
    /// Reads the files.
    pub fn read(files: &Tls) -> Result<Self, Error> {
        let certificate = contents(&files.certificate)?;
        certificates(&files.certificate, &certificate)?;
        let key = contents(&files.key)?;
        if let Err(error) = PrivateKeyDer::from_pem_slice(&key) {
            return Err(content(&files.key, "private key", error.to_string()));
        }
        let client_ca = match &files.client_ca {
            Some(file) => {
                let client_ca = contents(file)?;
                certificates(file, &client_ca)?;
                Some(client_ca)
            }
            None => None,
        };
        Ok(Self {
            files: files.clone(),
            certificate,
            key,
            client_ca,
        })
    }

    /// As a server wants them.
    pub fn config(&self) -> Result<ServerTlsConfig, Error> {
        let pair = Identity::from_pem(&self.certificate, &self.key);
        let mut config = ServerTlsConfig::new().identity(pair);
        attempt(&config).map_err(|reason| Error::Pair {
            certificate: self.files.certificate.clone(),
            key: self.files.key.clone(),
            reason,
        })?;
        if let (Some(file), Some(client_ca)) = (&self.files.client_ca, &self.client_ca) {
            config = config.client_ca_root(Certificate::from_pem(client_ca));
            attempt(&config).map_err(|reason| content(file, "certificate of a CA", reason))?;
        }
        Ok(config)
    }

    /// Whether clients must have a certificate.
    pub fn knows_clients(&self) -> bool {
        self.client_ca.is_some()
    }
}

fn contents(file: &Path) -> Result<Vec<u8>, Error> {
    fs::read(file).map_err(|reason| Error::Read {
        file: file.to_owned(),
        reason,
    })
}

fn content(file: &Path, wanted: &'static str, reason: String) -> Error {
    Error::Content {
        file: file.to_owned(),
        wanted,
        reason,
    }
}

/// There is one at least, and all can be read.
fn certificates(file: &Path, pem: &[u8]) -> Result<(), Error> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(()),
        Ok(_) => Err(content(file, "certificate", "there is none".to_owned())),
        Err(error) => Err(content(file, "certificate", error.to_string())),
    }
}

/// Whether a server takes it.
fn attempt(config: &ServerTlsConfig) -> Result<(), String> {
    let Err(error) = Server::builder().tls_config(config.clone()) else {
        return Ok(());
    };
    // The innermost cause says most.
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = inner.to_string();
        cause = inner.source();
    }
    Err(reason)
}

#[cfg(test)]
mod tests {
    use rcgen::{generate_simple_self_signed, CertifiedKey, KeyPair};
    use tempfile::TempDir;

    use super::*;

    struct Files {
        dir: TempDir,
        certificate: String,
        key: String,
    }

    impl Files {
        fn new() -> Self {
            let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let CertifiedKey { cert, signing_key } = made;
            Self {
                dir: tempfile::tempdir().unwrap(),
                certificate: cert.pem(),
                key: signing_key.serialize_pem(),
            }
        }

        /// Writes three files and tries them.
        fn attempt(&self, certificate: &str, key: &str, client_ca: &str) -> Result<(), String> {
            let write = |name: &str, text: &str| {
                let file = self.dir.path().join(name);
                fs::write(&file, text).unwrap();
                file
            };
            let tls = Tls {
                certificate: write("agent.pem", certificate),
                key: write("agent.key", key),
                client_ca: Some(write("ca.pem", client_ca)),
            };
            let material = Material::read(&tls).map_err(|error| error.to_string())?;
            material
                .config()
                .map(|_| ())
                .map_err(|error| error.to_string())
        }
    }

    #[test]
    fn good_files_are_taken() {
        let files = Files::new();
        files
            .attempt(&files.certificate, &files.key, &files.certificate)
            .unwrap();
    }

    #[test]
    fn a_wrong_file_is_named_in_one_line() {
        let files = Files::new();
        let (certificate, key) = (files.certificate.as_str(), files.key.as_str());
        let stranger = KeyPair::generate().unwrap().serialize_pem();
        let nonsense = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let broken = "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n";
        for (pems, words) in [
            (
                ("", key, certificate),
                &["agent.pem holds no certificate"][..],
            ),
            (
                (broken, key, certificate),
                &["agent.pem holds no certificate"],
            ),
            (
                (certificate, certificate, certificate),
                &["agent.key holds no private key"],
            ),
            ((certificate, key, key), &["ca.pem holds no certificate"]),
            (
                (certificate, key, nonsense),
                &["ca.pem holds no certificate of a CA"],
            ),
            (
                (certificate, &stranger, certificate),
                &["agent.pem", "agent.key"],
            ),
            ((nonsense, key, certificate), &["agent.pem", "agent.key"]),
        ] {
            let error = files.attempt(pems.0, pems.1, pems.2).unwrap_err();
            assert!(words.iter().all(|word| error.contains(word)), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let nowhere = Tls {
            certificate: files.dir.path().join("nowhere.pem"),
            key: files.dir.path().join("agent.key"),
            client_ca: None,
        };
        let error = Material::read(&nowhere).err().unwrap().to_string();
        assert!(error.contains("nowhere.pem: No such file"), "{error}");
    }
}
