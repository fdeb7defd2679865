// SPDX-License-Identifier: MIT OR Apache-2.0
//! A certificate authority for one test.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{
    date_time_ymd, BasicConstraints, CertificateParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use smplb_probe::Tls;
use tempfile::TempDir;

pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate and its key, as PEM and as files.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    pub files: (PathBuf, PathBuf),
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // No two have the same name.
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("Authority {}", NUMBER.fetch_add(1, Ordering::Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// File of its own certificate.
    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Trust in this authority alone.
    pub fn trust(&self) -> Tls {
        Tls {
            ca: Some(self.ca()),
            ..Tls::default()
        }
    }

    pub fn issue(&self, name: &str) -> Pair {
        self.sign(name, CertificateParams::new([name.to_owned()]).unwrap())
    }

    pub fn issue_expired(&self, name: &str) -> Pair {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.sign(name, params)
    }

    fn sign(&self, name: &str, mut params: CertificateParams) -> Pair {
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        let file = |kind: &str, text: &str| {
            let path = self.folder.path().join(format!("{name}-{kind}.pem"));
            std::fs::write(&path, text).unwrap();
            path
        };
        let key = key.serialize_pem();
        let files = (file("certificate", &certificate), file("key", &key));
        Pair {
            certificate,
            key,
            files,
        }
    }
}
