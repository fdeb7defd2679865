// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks by HTTP and HTTPS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::authority::Authority;
use super::peer::{serve, verdict};

/// Reads a request, which has no body.
async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => request.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

/// A server that gives every request the same answer.
async fn answers(answer: impl Into<Vec<u8>>) -> SocketAddr {
    let answer: Arc<Vec<u8>> = Arc::new(answer.into());
    let treat = move |mut stream: TcpStream| {
        let answer = answer.clone();
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(&answer).await;
        }
    };
    serve(treat).await.0
}

/// A server that answers with a start, and then says more for ever, a piece at a time.
async fn goes_on(start: &'static str, piece: Vec<u8>, pause: Duration) -> SocketAddr {
    let piece = Arc::new(piece);
    let treat = move |mut stream: TcpStream| {
        let piece = piece.clone();
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(start.as_bytes()).await;
            while stream.write_all(&piece).await.is_ok() {
                sleep(pause).await;
            }
        }
    };
    serve(treat).await.0
}

#[tokio::test]
async fn the_request_is_the_configured_one() {
    let seen = Arc::new(Mutex::new(String::new()));
    let kept = seen.clone();
    let (addr, _) = serve(move |mut stream| {
        let kept = kept.clone();
        async move {
            *kept.lock().unwrap() = request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await;
    let check = "type = 'http'\nmethod = 'HEAD'\npath = '/up?deep=1'\nhost = 'web.example'";
    let (up, why) = verdict(check, addr).await;
    assert!(up, "{why}");
    assert_eq!(why, "HTTP status 204");
    let seen = seen.lock().unwrap().to_lowercase();
    assert!(seen.starts_with("head /up?deep=1 http/1.1\r\n"), "{seen}");
    assert!(seen.contains("\r\nhost: web.example\r\n"), "{seen}");
    assert!(seen.contains("\r\nconnection: close\r\n"), "{seen}");
}

#[tokio::test]
async fn the_status_counts() {
    let ok = answers("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    assert!(verdict("type = 'http'", ok).await.0);
    let (up, why) = verdict("type = 'http'\nstatus = '200-299,301'", ok).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "HTTP status 302, not 200-299,301")
    );
    let broken = answers("HTTP/1.1 503 Oops\r\nContent-Length: 0\r\n\r\n").await;
    let (up, why) = verdict("type = 'http'", broken).await;
    assert_eq!((up, why.as_str()), (false, "HTTP status 503, not 200-399"));
    assert!(verdict("type = 'http'\nstatus = '503'", broken).await.0);
}

#[tokio::test]
async fn the_body_counts() {
    let check = "type = 'http'\nbody = 'all is well'";
    let plain = answers("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n>> all is well <").await;
    let (up, why) = verdict(check, plain).await;
    assert!(up, "{why}");
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
        5\r\nall i\r\n6\r\ns well\r\n0\r\n\r\n";
    assert!(verdict(check, answers(chunked).await).await.0);
    let until_the_end = answers("HTTP/1.0 200 OK\r\n\r\nall is well").await;
    assert!(verdict(check, until_the_end).await.0);
    let other = answers("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nall is wel").await;
    let (up, why) = verdict(check, other).await;
    assert!(!up && why.contains("no \"all is well\""), "{why}");
}

#[tokio::test]
async fn an_endless_body_is_not_read_to_the_end() {
    let start = "HTTP/1.1 200 OK\r\n\r\n";
    let addr = goes_on(start, vec![b'x'; 8192], Duration::ZERO).await;
    assert!(verdict("type = 'http'", addr).await.0);
    let began = Instant::now();
    let (up, why) = verdict("type = 'http'\nbody = 'y'", addr).await;
    assert!(!up && why.contains("no \"y\""), "{why}");
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn what_is_too_slow_fails() {
    let timeout = "\ntimeout = 0.5";
    let dribble = b"X-More: headers\r\n".to_vec();
    let headers = goes_on("HTTP/1.1 200 OK\r\n", dribble, Duration::from_millis(50)).await;
    let body = "HTTP/1.1 200 OK\r\n\r\n";
    let body = goes_on(body, b"x".to_vec(), Duration::from_millis(50)).await;
    let (mute, _) = serve(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    for (check, addr) in [
        ("type = 'http'", headers),
        ("type = 'http'\nbody = 'y'", body),
        ("type = 'http'", mute),
    ] {
        let (up, why) = verdict(&format!("{check}{timeout}"), addr).await;
        assert_eq!(
            (up, why.as_str()),
            (false, "no end of the check within 0.5 s")
        );
    }
}

#[tokio::test]
async fn headers_are_bounded() {
    let many = "X-More: headers\r\n".repeat(10_000);
    let addr = answers(format!("HTTP/1.1 200 OK\r\n{many}\r\n")).await;
    let (up, why) = verdict("type = 'http'", addr).await;
    assert!(!up && why.contains("HTTP"), "{why}");
    let addr = goes_on(
        "HTTP/1.1 200 OK\r\nX-Long: ",
        vec![b'x'; 8192],
        Duration::ZERO,
    )
    .await;
    let (up, why) = verdict("type = 'http'", addr).await;
    assert!(!up && why.contains("HTTP"), "{why}");
}

#[tokio::test]
async fn what_is_no_http_fails() {
    let (up, why) = verdict("type = 'http'", answers("SSH-2.0-OpenSSH_9.9\r\n").await).await;
    assert!(!up && why.starts_with("not the protocol"), "{why}");
    let (up, why) = verdict("type = 'http'", answers("").await).await;
    assert_eq!((up, why.as_str()), (false, "ended by the server"));
    let (addr, _) = serve(|mut stream| async move {
        request(&mut stream).await;
        stream.set_zero_linger().unwrap();
    })
    .await;
    let (up, why) = verdict("type = 'http'", addr).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "reset by the server: the connection")
    );
}

#[tokio::test]
async fn https_verifies_unless_told_not_to() {
    let authority = Authority::new();
    let pair = authority.issue("web.example");
    let certificates = vec![CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(pair.key.as_bytes()).unwrap();
    let mut config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let (addr, _) = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            request(&mut stream).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                .await;
            let _ = stream.shutdown().await;
        }
    })
    .await;

    let ca = format!("ca = '{}'", authority.ca().display());
    let named = format!("type = 'https'\nhost = 'web.example:8443'\n{ca}");
    let (up, why) = verdict(&named, addr).await;
    assert!(up, "{why}");
    let (up, why) = verdict(&format!("type = 'https'\n{ca}"), addr).await;
    assert!(
        !up && why.starts_with("the certificate of the server is wrong"),
        "{why}"
    );
    let stranger = Authority::new();
    let ca = format!("ca = '{}'\nhost = 'web.example'", stranger.ca().display());
    let (up, why) = verdict(&format!("type = 'https'\n{ca}"), addr).await;
    assert!(!up && why.contains("UnknownIssuer"), "{why}");
    let (up, why) = verdict("type = 'https'\nverify = false", addr).await;
    assert!(up, "{why}");
}
