// SPDX-License-Identifier: MIT OR Apache-2.0
//! The text, and the way to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::board::{count, ServerView, SiteView, Tally};
use crate::key::{BackendKey, ServiceKey};
use crate::switch::{Backend, Service, State};

fn snapshot() -> Snapshot {
    let web: ServiceKey = "tcp:192.0.2.1:80".parse().unwrap();
    let servers = [1, 2].map(|last| BackendKey::parse(&format!("10.0.0.{last}:8080"), 80).unwrap());
    let weights = [(servers[0], 300), (servers[1], 100)];
    let backends = weights.map(|(key, weight)| {
        let active = 5;
        (
            key,
            Backend {
                weight,
                active,
                ..Backend::default()
            },
        )
    });
    let service = Service {
        connections: 44,
        backends: BTreeMap::from(backends),
        ..Service::default()
    };
    let state = State {
        generation: 12,
        services: BTreeMap::from([(web, service)]),
        engines: vec![smplb_nl::Engine {
            cpu: Some(3),
            time: Some(2_000_000_000),
            busy_time: Some(500_000_000),
            ..smplb_nl::Engine::default()
        }],
        ports: vec![smplb_nl::Port {
            ifname: Some("smplb0".to_owned()),
            lower_ifname: Some("eth1".to_owned()),
            rx_packets: Some(77),
            ..smplb_nl::Port::default()
        }],
        drops: vec![smplb_nl::Drop {
            reason: Some(smplb_nl::DropReason::NoBackend),
            packets: Some(6),
        }],
        pool: smplb_nl::Pool {
            buffers: Some(9),
            free: Some(8),
            ..smplb_nl::Pool::default()
        },
        ..State::default()
    };
    let mut tally = Tally {
        reports: 21,
        ..Tally::default()
    };
    count(&mut tally.rejected, "negative");
    count(&mut tally.troubles, "refused");
    let view = |key, state| ServerView {
        key,
        configured: 100,
        state,
        utilization: Some(0.25),
        rate: Some(120.0),
        age: Some(0.5),
        wanted: Some(0.75),
        followed: true,
        tally: tally.clone(),
    };
    let site = SiteView {
        key: web,
        servers: vec![
            view(servers[0], smplb_master::State::Up),
            view(servers[1], smplb_master::State::Down),
        ],
        overloaded: true,
        panic: false,
        fallback: 1,
        stale: 2,
        blackout: 3,
    };
    let mut snapshot = Snapshot {
        state: Some(Arc::new(state)),
        up: true,
        sites: vec![site],
        ..Snapshot::default()
    };
    let counters = &mut snapshot.counters;
    count(&mut counters.published, "reports");
    count(&mut counters.suppressed, "dead-band");
    counters.duration.add(0.002);
    counters.ages.add(0.7);
    snapshot
}

const BACKEND: &str = "{local_address=\"192.0.2.1\",local_port=\"80\",remote_address=\"10.0.0.1\",\
                       remote_port=\"8080\",proto=\"TCP\"";

#[test]
fn every_name_is_there_with_its_labels() {
    let text = text(&snapshot()).unwrap();
    let backend = |name: &str, value: &str| format!("{name}{BACKEND}}} {value}");
    let service = |name: &str, value: &str| {
        format!("{name}{{local_address=\"192.0.2.1\",local_port=\"80\",proto=\"TCP\"}} {value}")
    };
    for line in [
        backend("smplb_backend_weight", "300.0"),
        backend("smplb_backend_configured_weight", "100.0"),
        backend("smplb_backend_effective_share", "0.75"),
        backend("smplb_backend_wanted_share", "0.75"),
        backend("smplb_backend_report_age_seconds", "0.5"),
        backend("smplb_backend_reports_total", "21"),
        backend("smplb_backend_utilization", "0.25"),
        backend("smplb_backend_state", "1.0"),
        backend("smplb_backend_connections_active", "5.0"),
        format!("smplb_backend_report_errors_total{BACKEND},reason=\"negative\"}} 1"),
        format!("smplb_backend_report_errors_total{BACKEND},reason=\"refused\"}} 1"),
        service("smplb_service_connections_total", "44"),
        service("smplb_weight_fallback_total", "1"),
        service("smplb_weight_stale_total", "2"),
        service("smplb_weight_blackout_total", "3"),
        service("smplb_service_overloaded", "1.0"),
        "smplb_generation 12.0".to_owned(),
        "smplb_switch_up 1.0".to_owned(),
        "smplb_publish_total{reason=\"reports\"} 1".to_owned(),
        "smplb_publish_suppressed_total{reason=\"dead-band\"} 1".to_owned(),
        "smplb_publish_duration_seconds_bucket{le=\"0.0025\"} 1".to_owned(),
        "smplb_publish_duration_seconds_count 1".to_owned(),
        "smplb_report_age_seconds_bucket{le=\"0.5\"} 0".to_owned(),
        "smplb_report_age_seconds_bucket{le=\"+Inf\"} 1".to_owned(),
        "smplb_engine_busy_seconds_total{cpu=\"3\"} 0.5".to_owned(),
        "smplb_port_receive_packets_total{port=\"smplb0\",device=\"eth1\"} 77".to_owned(),
        "smplb_dropped_packets_total{reason=\"no-backend\"} 6".to_owned(),
        "smplb_pool_free_buffers 8.0".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("smplb_build_info{version=\""));
    assert!(text.contains("state=\"down\"} 1.0") && text.contains("state=\"drain\"} 0.0"));
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn every_family_comes_once_and_keeps_to_the_rules_of_names() {
    let text = text(&snapshot()).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert!(names.insert(name.to_owned()), "{name} twice");
        assert!(name.starts_with("smplb_"), "{name}");
        // The encoder puts it there.
        assert!(!name.ends_with("_total"), "{name}");
        assert!(["gauge", "counter", "histogram"].contains(&kind), "{kind}");
    }
    assert!(names.len() > 40);
}

#[test]
fn a_daemon_that_has_seen_no_switch_has_metrics_too() {
    let text = text(&Snapshot::default()).unwrap();
    assert!(text.contains("smplb_switch_up 0.0"));
    assert!(!text.contains("smplb_generation"));
}

async fn ask(addr: std::net::SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let board = Board::default();
    tokio::spawn(serve(listener, board.clone()));
    let answer = ask(addr, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    board.show(snapshot());
    board.turn();
    let answer = ask(addr, "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok, generation 12\n"));
    let answer = ask(addr, "/metrics").await;
    assert!(
        answer.contains("content-type: application/openmetrics-text"),
        "{answer}"
    );
    assert!(answer.contains("\nsmplb_generation 12.0\n"));
    assert!(ask(addr, "/").await.starts_with("HTTP/1.1 404 "));
}
