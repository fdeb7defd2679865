// SPDX-License-Identifier: MIT OR Apache-2.0
//! Half an hour of reports at every interval that can be asked for, without a trouble:
//! `cargo test -p smplb-probe --test interop -- --ignored --nocapture`. SOAK sets another number of
//! seconds.

use std::time::{Duration, Instant};

use smplb_master::Report;
use smplb_probe::Event;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::peer::Follower;
use super::{node, python};

const INTERVALS: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(30),
];

/// Counts the reports that come until the end, each of which must be the one that is expected.
async fn count(name: &'static str, port: u16, interval: Duration, report: Report, end: Instant) {
    let (mut reports, mut longest) = (0u32, Duration::ZERO);
    let mut follower = Follower::start(port, interval);
    let start = Instant::now();
    let mut last = start;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match timeout(left, follower.event()).await {
            Err(_) => break,
            Ok(Event::Report(told)) => assert_eq!(told, report, "{name}"),
            Ok(other) => panic!("{name}, each {interval:?}: {other:?}"),
        }
        reports += 1;
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    let due = start.elapsed().div_duration_f64(interval);
    println!("{name}, each {interval:?}: {reports} reports of {due:.0}, longest wait {longest:?}");
    // The first takes an interval; some are late on a busy machine.
    let (reports, missing) = (f64::from(reports), 0.1 * due + 2.0);
    assert!(reports >= due - missing, "{name}, each {interval:?}");
    assert!(reports <= due + 2.0, "{name}, each {interval:?}");
}

#[tokio::test]
#[ignore = "takes half an hour"]
async fn half_an_hour_of_reports_at_every_interval() {
    let seconds = std::env::var("SOAK").map_or(1800, |text| text.parse().expect("SOAK"));
    let end = Instant::now() + Duration::from_secs(seconds);
    let grpc_js = node::modules().map(|modules| node::server(&modules, 0));
    let grpcio = python::grpcio().map(|python| python::server(&python, "first", 0));
    let mut counts = JoinSet::new();
    for interval in INTERVALS {
        if let Some(server) = &grpc_js {
            let report = node::expected();
            counts.spawn(count("grpc-js", server.port, interval, report, end));
        }
        if let Some(server) = &grpcio {
            let report = python::expected();
            counts.spawn(count("Python", server.port, interval, report, end));
        }
    }
    while let Some(counted) = counts.join_next().await {
        counted.unwrap();
    }
}
