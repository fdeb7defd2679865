// SPDX-License-Identifier: MIT OR Apache-2.0
//! What TLS needs of files and of the system.

use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption};
use rustls::crypto::{ring, verify_tls12_signature, verify_tls13_signature, CryptoProvider};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::task::spawn_blocking;

use crate::{Tls, Trouble};

/// How a connection is to be secured: by `tls`, with the protocols `alpn` inside. Unless `verify`,
/// any certificate will do.
pub(crate) fn config(tls: &Tls, verify: bool, alpn: &[&str]) -> Result<Arc<ClientConfig>, Trouble> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::of_tls(&error))?;
    let builder = if verify {
        builder.with_root_certificates(authorities(tls.ca.as_deref())?)
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
    };
    let mut config = match (&tls.certificate, &tls.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => builder
            .with_client_auth_cert(certificates(certificate)?, private_key(key)?)
            .map_err(|error| wrong(certificate, &error.to_string()))?,
        (Some(path), None) => return Err(wrong(path, "this certificate needs its key: set key")),
        (None, Some(path)) => {
            return Err(wrong(
                path,
                "this key needs its certificate: set certificate",
            ))
        }
    };
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    // A session that is taken up again is not verified again.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// The same, read without holding up other followers while the files are read.
pub(crate) async fn read(
    tls: &Tls,
    verify: bool,
    alpn: &'static str,
) -> Result<Arc<ClientConfig>, Trouble> {
    let tls = tls.clone();
    let read = spawn_blocking(move || config(&tls, verify, &[alpn])).await;
    read.unwrap_or_else(|error| {
        Err(Trouble::Tls {
            why: error.to_string(),
        })
    })
}

fn authorities(ca: Option<&Path>) -> Result<RootCertStore, Trouble> {
    let mut store = RootCertStore::empty();
    match ca {
        Some(path) => {
            for certificate in certificates(path)? {
                store
                    .add(certificate)
                    .map_err(|error| wrong(path, &error.to_string()))?;
            }
        }
        None => {
            // The system may hold some that cannot be read; the others count.
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if store.is_empty() {
                return Err(Trouble::Tls {
                    why: "the system has no trusted authorities: set ca".into(),
                });
            }
        }
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let found: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(path, &error.to_string()))?;
    if found.is_empty() {
        return Err(wrong(path, "it holds no certificate in PEM"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Trouble> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| wrong(path, &error.to_string()))
}

fn wrong(path: &Path, why: &str) -> Trouble {
    Trouble::File {
        path: path.into(),
        why: why.into(),
    }
}

/// Takes any certificate, for checks that are told not to verify.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signed,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
