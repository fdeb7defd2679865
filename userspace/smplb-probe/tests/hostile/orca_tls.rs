// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load reports over TLS.

use std::time::Duration;

use smplb_probe::{orca, Target, Tls, Trouble};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use super::authority::{Authority, Pair};
use super::orca_server::{steady, OrcaServer};
use super::peer::{listener, serve, Follower};

async fn server(pair: &Pair, clients: Option<&Authority>) -> OrcaServer {
    let mut tls = ServerTlsConfig::new().identity(Identity::from_pem(&pair.certificate, &pair.key));
    if let Some(authority) = clients {
        tls = tls.client_ca_root(Certificate::from_pem(authority.pem()));
    }
    OrcaServer::start_at(listener().await.0, Some(tls), steady)
}

fn follow(addr: impl ToString, tls: Tls) -> Follower {
    let target = Target {
        addr: addr.to_string(),
        tls: Some(tls),
    };
    target.verify().unwrap();
    Follower::start(|events| orca::follow(target, Duration::from_secs(1), events))
}

async fn wrong(server: &OrcaServer, tls: Tls) -> String {
    match follow(server.addr, tls).trouble().await {
        Trouble::WrongCertificate { why } => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_right_certificate_is_taken() {
    let authority = Authority::new();
    let server = server(&authority.issue("127.0.0.1"), None).await;
    assert_eq!(
        follow(server.addr, authority.trust()).report().await.cpu,
        Some(0.5)
    );
}

#[tokio::test]
async fn a_name_can_be_given() {
    let authority = Authority::new();
    let server = server(&authority.issue("web.example"), None).await;
    let tls = Tls {
        server_name: Some("web.example".into()),
        ..authority.trust()
    };
    follow(server.addr, tls).report().await;
}

#[tokio::test]
async fn a_wrong_certificate_is_named() {
    let authority = Authority::new();
    let stranger = server(&Authority::new().issue("127.0.0.1"), None).await;
    let why = wrong(&stranger, authority.trust()).await;
    assert!(why.contains("UnknownIssuer"), "{why}");

    let other = server(&authority.issue("other.example"), None).await;
    let why = wrong(&other, authority.trust()).await;
    assert!(
        why.contains("127.0.0.1") || why.contains("NotValidForName"),
        "{why}"
    );

    let old = server(&authority.issue_expired("127.0.0.1"), None).await;
    let why = wrong(&old, authority.trust()).await;
    assert!(why.to_lowercase().contains("expired"), "{why}");

    // The system trusts neither.
    let why = follow(old.addr, Tls::default()).trouble().await;
    assert!(matches!(why.name(), "wrong-certificate" | "tls"), "{why}");
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_is_shown_one() {
    let authority = Authority::new();
    let server = server(&authority.issue("127.0.0.1"), Some(&authority)).await;

    let trouble = follow(server.addr, authority.trust()).trouble().await;
    assert_eq!(trouble.name(), "certificate-refused", "{trouble}");

    let show = |pair: Pair| Tls {
        certificate: Some(pair.files.0),
        key: Some(pair.files.1),
        ..authority.trust()
    };
    let stranger = Authority::new();
    let trouble = follow(server.addr, show(stranger.issue("client")))
        .trouble()
        .await;
    assert_eq!(trouble.name(), "certificate-refused", "{trouble}");

    follow(server.addr, show(authority.issue("client")))
        .report()
        .await;
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let plain = OrcaServer::start(steady).await;
    let trouble = follow(plain.addr, Authority::new().trust()).trouble().await;
    assert!(
        matches!(trouble.name(), "tls" | "closed" | "reset"),
        "{trouble}"
    );
}

#[tokio::test]
async fn a_handshake_does_not_take_for_ever() {
    let (addr, _) = serve(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let trouble = follow(addr, Authority::new().trust()).trouble().await;
    let after = Duration::from_secs(5);
    assert_eq!(
        trouble,
        Trouble::Timeout {
            step: "TLS handshake",
            after
        }
    );
}
