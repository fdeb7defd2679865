// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks by the gRPC health checking protocol.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic_health::server::{health_reporter, HealthReporter};
use tonic_health::ServingStatus;

use super::authority::Authority;
use super::orca_server::{steady, OrcaServer};
use super::peer::{listener, serve, verdict};

async fn server(tls: Option<ServerTlsConfig>) -> (SocketAddr, HealthReporter) {
    let (listener, addr) = listener().await;
    let (reporter, health) = health_reporter();
    reporter
        .set_service_status("shop.Cart", ServingStatus::Serving)
        .await;
    reporter
        .set_service_status("shop.Old", ServingStatus::NotServing)
        .await;
    let mut server = Server::builder();
    if let Some(tls) = tls {
        server = server.tls_config(tls).unwrap();
    }
    let server = server.add_service(health);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    (addr, reporter)
}

#[tokio::test]
async fn the_status_of_the_service_counts() {
    let (addr, _reporter) = server(None).await;
    for (service, expected) in [
        ("", (true, "SERVING")),
        ("shop.Cart", (true, "SERVING")),
        ("shop.Old", (false, "NOT_SERVING")),
        (
            "shop.None",
            (false, "the server does not know service \"shop.None\""),
        ),
    ] {
        let (up, why) = verdict(&format!("type = 'grpc'\nservice = '{service}'"), addr).await;
        assert_eq!((up, why.as_str()), expected, "{service}");
    }
}

#[tokio::test]
async fn a_server_without_health_is_down() {
    let server = OrcaServer::start(steady).await;
    let (up, why) = verdict("type = 'grpc'", server.addr).await;
    assert!(!up && why.contains("UNIMPLEMENTED"), "{why}");
}

#[tokio::test]
async fn what_is_no_grpc_is_down() {
    let (addr, _) = serve(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (up, why) = verdict("type = 'grpc'", addr).await;
    assert!(!up && why.starts_with("not the protocol"), "{why}");
    let (mute, _) = serve(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (up, why) = verdict("type = 'grpc'\ntimeout = 0.3", mute).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "no end of the check within 0.3 s")
    );
}

#[tokio::test]
async fn it_can_be_secured() {
    let authority = Authority::new();
    let pair = authority.issue("127.0.0.1");
    let identity = Identity::from_pem(&pair.certificate, &pair.key);
    let (addr, _reporter) = server(Some(ServerTlsConfig::new().identity(identity))).await;
    let check = |authority: &Authority| {
        format!(
            "type = 'grpc'\ntls = true\nca = '{}'",
            authority.ca().display()
        )
    };
    let (up, why) = verdict(&check(&authority), addr).await;
    assert!(up, "{why}");
    let (up, why) = verdict(&check(&Authority::new()), addr).await;
    assert!(!up && why.contains("UnknownIssuer"), "{why}");
    assert!(
        verdict("type = 'grpc'\ntls = true\nverify = false", addr)
            .await
            .0
    );
}
