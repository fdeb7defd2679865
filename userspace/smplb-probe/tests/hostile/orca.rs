// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load reports of servers that fail.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use smplb_orca::OrcaLoadReport;
use smplb_probe::{orca, Event, Target, Trouble};
use tokio::io::{copy_bidirectional, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, Notify};
use tokio::time::{sleep, timeout};

use super::orca_server::{load, steady, OrcaServer};
use super::peer::{nobody, serve, Follower, PATIENCE};

const SECOND: Duration = Duration::from_secs(1);

fn follow(addr: SocketAddr, interval: Duration) -> Follower {
    let target = Target {
        addr: addr.to_string(),
        tls: None,
    };
    Follower::start(|events| orca::follow(target, interval, events))
}

#[tokio::test]
async fn reports_arrive_with_their_figures() {
    let server = OrcaServer::start(|reports| async move {
        let mut report = load(1.5);
        report.eps = f64::NAN;
        report.application_utilization = -3.0;
        report.named_metrics.insert(smplb_orca::CLIENTS.into(), 7.0);
        report
            .named_metrics
            .insert(smplb_orca::EXEC_SECONDS.into(), 0.25);
        report
            .named_metrics
            .insert(smplb_orca::label_metric("gpu"), 1.0);
        reports.send(Ok(report)).await.unwrap();
        reports.closed().await;
    })
    .await;
    let report = follow(server.addr, SECOND).report().await;
    assert_eq!((report.cpu, report.rate), (Some(1.5), Some(10.0)));
    assert_eq!(
        (report.clients, report.exec_seconds),
        (Some(7.0), Some(0.25))
    );
    assert_eq!(report.labels, ["gpu"]);
    // Lies are for the master to judge.
    assert!(report.errors.unwrap().is_nan());
    assert_eq!(report.application, Some(-3.0));
}

#[tokio::test]
async fn an_interval_of_zero_is_never_asked_for() {
    let server = OrcaServer::start(steady).await;
    follow(server.addr, Duration::ZERO).report().await;
    follow(server.addr, Duration::from_millis(1500))
        .report()
        .await;
    follow(server.addr, Duration::MAX).report().await;
    let asked = server.asked.lock().unwrap().clone();
    assert_eq!(asked, [100, 1500, 300_000].map(Duration::from_millis));
}

#[tokio::test]
async fn a_server_that_comes_later_is_found() {
    let addr = nobody().await;
    let mut follower = follow(addr, SECOND);
    assert_eq!(follower.trouble().await, Trouble::Refused);
    let listener = TcpListener::bind(addr).await.unwrap();
    let _server = OrcaServer::start_at(listener, None, steady);
    assert_eq!(follower.report().await.cpu, Some(0.5));
}

#[tokio::test]
async fn a_name_without_an_address_is_told() {
    let target = Target {
        addr: "no-such-host.invalid:9470".into(),
        tls: None,
    };
    let trouble = Follower::start(|events| orca::follow(target, SECOND, events))
        .trouble()
        .await;
    assert_eq!(trouble.name(), "unresolved", "{trouble}");
    let target = Target {
        addr: "no address".into(),
        tls: None,
    };
    let trouble = Follower::start(|events| orca::follow(target, SECOND, events))
        .trouble()
        .await;
    assert_eq!(trouble.name(), "unresolved", "{trouble}");
}

#[tokio::test]
async fn a_reset_is_told_and_the_stream_taken_up_again() {
    let server = OrcaServer::start(steady).await;
    let upstream = server.addr;
    let cut = Arc::new(Notify::new());
    let knife = cut.clone();
    let (addr, connections) = serve(move |mut stream| {
        let knife = knife.clone();
        async move {
            let mut up = TcpStream::connect(upstream).await.unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut stream, &mut up) => {}
                () = knife.notified() => stream.set_zero_linger().unwrap(),
            }
        }
    })
    .await;
    let mut follower = follow(addr, SECOND);
    for cuts in 1..=3 {
        follower.report().await;
        cut.notify_one();
        let trouble = follower.trouble().await;
        assert_eq!(trouble.name(), "reset", "{trouble}");
        assert_eq!(connections.load(Ordering::SeqCst), cuts);
    }
    follower.report().await;
}

#[tokio::test]
async fn a_server_that_goes_away_is_let_go() {
    let server = OrcaServer::start(steady).await;
    let addr = server.addr;
    let mut follower = follow(addr, SECOND);
    follower.report().await;
    server.stop.send(()).unwrap();
    let trouble = follower.trouble().await;
    assert_eq!(
        trouble,
        Trouble::GoAway {
            why: "NO_ERROR".into()
        }
    );
    // It waits for its clients, so this ends only when the stream was given up.
    timeout(PATIENCE, server.task).await.unwrap().unwrap();
    let listener = TcpListener::bind(addr).await.unwrap();
    let _server = OrcaServer::start_at(listener, None, steady);
    follower.report().await;
}

#[tokio::test]
async fn a_server_without_the_service_is_not_asked_again() {
    let (listener, addr) = super::peer::listener().await;
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let incoming = tokio_stream::StreamExt::map(
        tokio_stream::wrappers::TcpListenerStream::new(listener),
        move |stream| {
            counted.fetch_add(1, Ordering::SeqCst);
            stream
        },
    );
    let server = tonic::transport::Server::builder().add_service(health);
    tokio::spawn(server.serve_with_incoming(incoming));
    let mut follower = follow(addr, SECOND);
    assert_eq!(
        follower.events(4 * SECOND).await,
        [Event::Trouble(Trouble::Unimplemented)]
    );
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_error_of_the_server_is_told_in_its_words() {
    let server = OrcaServer::start(|reports| async move {
        let status = tonic::Status::permission_denied("not\nyou");
        reports.send(Err(status)).await.unwrap();
    })
    .await;
    let trouble = follow(server.addr, SECOND).trouble().await;
    let expected = Trouble::Status {
        code: "PermissionDenied".into(),
        message: "not you".into(),
    };
    assert_eq!(trouble, expected);
}

#[tokio::test]
async fn a_stream_that_ends_is_opened_again_ever_later() {
    let server = OrcaServer::start(|_| async {}).await;
    let mut follower = follow(server.addr, SECOND);
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(follower.trouble().await, Trouble::Closed);
    }
    // 1.0 to 1.5 s, then 1.6 to 2.4 s.
    assert!(
        start.elapsed() >= Duration::from_millis(2600),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_thousand_reports_a_second_are_bounded_and_told_once() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = sent.clone();
    let server = OrcaServer::start(move |reports| {
        let sent = counted.clone();
        async move {
            // As fast as they are taken.
            while reports.send(Ok(load(0.5))).await.is_ok() {
                sent.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
    .await;
    let mut follower = follow(server.addr, SECOND);
    let events = follower.events(4 * SECOND).await;
    let reports = events
        .iter()
        .filter(|event| matches!(event, Event::Report(_)))
        .count();
    assert!((20..=5 * 20).contains(&reports), "{reports}");
    let troubles: Vec<_> = events
        .iter()
        .filter(|event| !matches!(event, Event::Report(_)))
        .collect();
    match troubles[..] {
        [Event::Trouble(Trouble::TooFast { dropped })] => assert!(*dropped > 20, "{dropped}"),
        ref other => panic!("{other:?}"),
    }
    // The server is held back, and does not keep us busy.
    let sent = sent.load(Ordering::SeqCst);
    assert!(sent < 10_000, "{sent} reports were read in 4 s");
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_taken() {
    let server = OrcaServer::start(|reports| async move {
        let mut report = load(0.5);
        report.utilization.insert("n".repeat(orca::LARGEST), 0.5);
        reports.send(Ok(report)).await.unwrap();
        reports.closed().await;
    })
    .await;
    let trouble = follow(server.addr, SECOND).trouble().await;
    assert_eq!(
        trouble,
        Trouble::TooLarge {
            limit: orca::LARGEST
        }
    );
}

#[tokio::test]
async fn a_report_that_cannot_be_used_is_told_and_the_next_one_taken() {
    let server = OrcaServer::start(|reports| async move {
        let many = OrcaLoadReport {
            utilization: (0..100)
                .map(|number| (format!("disk{number}"), 0.5))
                .collect(),
            ..load(0.1)
        };
        for report in [many.clone(), many, load(0.2)] {
            reports.send(Ok(report)).await.unwrap();
        }
        reports.closed().await;
    })
    .await;
    let mut follower = follow(server.addr, SECOND);
    // Told once, not twice: a second has to pass.
    match follower.event().await {
        Event::Trouble(Trouble::BadReport { why }) => assert!(why.contains("100 named"), "{why}"),
        other => panic!("{other:?}"),
    }
    match follower.event().await {
        Event::Report(report) => assert_eq!(report.cpu, Some(0.2)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_http2_is_told() {
    let (addr, _) = serve(|mut stream| async move {
        let _ = stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            .await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let trouble = follow(addr, SECOND).trouble().await;
    assert_eq!(trouble.name(), "protocol", "{trouble}");
}

#[tokio::test]
async fn a_connection_that_is_closed_at_once_is_told() {
    let (addr, _) = serve(|stream| async move { drop(stream) }).await;
    let trouble = follow(addr, SECOND).trouble().await;
    // The request may be on its way already, and then it is reset.
    assert!(matches!(trouble.name(), "closed" | "reset"), "{trouble}");
}

#[tokio::test]
async fn nothing_piles_up_for_a_listener_that_is_behind() {
    let server = OrcaServer::start(steady).await;
    let target = Target {
        addr: server.addr.to_string(),
        tls: None,
    };
    let (sender, mut events) = mpsc::channel(2);
    let task = tokio::spawn(orca::follow(target, SECOND, sender));
    while events.len() < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    sleep(SECOND / 2).await;
    // Two were kept. The follower went on, so the next one is fresh.
    for _ in 0..2 {
        assert!(matches!(events.try_recv(), Ok(Event::Report(_))));
    }
    assert!(events.try_recv().is_err());
    assert!(matches!(
        timeout(PATIENCE, events.recv()).await,
        Ok(Some(Event::Report(_)))
    ));
    // It ends when nobody listens.
    drop(events);
    timeout(PATIENCE, task).await.unwrap().unwrap();
}
