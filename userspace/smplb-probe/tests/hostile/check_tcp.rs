// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks that connect, and how results are counted.

use std::time::{Duration, Instant};

use smplb_probe::{check, Check};
use tokio::net::TcpListener;

use super::peer::{listener, nobody, serve, verdict, Follower};

#[tokio::test]
async fn a_server_that_listens_is_up() {
    let (addr, _) = serve(|stream| async move { drop(stream) }).await;
    let (up, why) = verdict("type = 'tcp'", addr).await;
    assert!(up && why.starts_with("connected in "), "{why}");
    let (up, why) = verdict("type = 'tcp'", nobody().await).await;
    assert!(!up && why.contains("refused"), "{why}");
}

#[tokio::test]
async fn another_port_can_be_checked() {
    let (addr, _) = serve(|stream| async move { drop(stream) }).await;
    let check = format!("type = 'tcp'\nport = {}", addr.port());
    assert!(verdict(&check, nobody().await).await.0);
}

#[tokio::test]
async fn a_server_goes_and_comes_by_rise_and_fall() {
    let (server, addr) = listener().await;
    let check = "type = 'tcp'\ninterval = 0.4\nfast-interval = 0.1\nrise = 4\nfall = 3";
    let check: Check = toml::from_str(check).unwrap();
    check.verify().unwrap();
    let mut follower = Follower::start(|events| check::follow(check, addr, events));
    assert!(follower.health().await.0);

    let start = Instant::now();
    drop(server);
    let (up, why) = follower.health().await;
    assert!(!up && why.contains("refused"), "{why}");
    // Three checks that fail, two of them at the fast interval.
    assert!(
        start.elapsed() >= Duration::from_millis(200),
        "{:?}",
        start.elapsed()
    );

    let start = Instant::now();
    let _server = TcpListener::bind(addr).await.unwrap();
    assert!(follower.health().await.0);
    assert!(
        start.elapsed() >= Duration::from_millis(300),
        "{:?}",
        start.elapsed()
    );
    // Nothing more is told while nothing changes.
    assert_eq!(follower.events(Duration::from_secs(1)).await, []);
}
