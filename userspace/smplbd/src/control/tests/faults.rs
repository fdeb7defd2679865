// SPDX-License-Identifier: MIT OR Apache-2.0
//! Switches that fail, and people who work against the daemon.

use super::*;
use crate::switch::SwitchError;

const THREE: &[(u8, u32)] = &[(1, 1000), (2, 1000), (3, 1000)];

async fn healthy() -> Bench {
    let bench = Bench::new(&file(THREE), switch(THREE));
    for last in 1..=3 {
        bench.health(last, true);
    }
    seconds(2.0).await;
    assert_eq!(bench.publications(), 0);
    bench
}

fn away() -> SwitchError {
    SwitchError::Unavailable("the switch is away".to_owned())
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_published_again() {
    let bench = healthy().await;
    bench.switch.inner().failures.extend([away(), away()]);
    bench.health(1, false);
    seconds(3.0).await;
    assert_eq!(bench.weight(web(), 1), 0);
    assert_eq!(bench.board.look().counters.failed["unavailable"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_is_read_and_published_again_with_the_others_change() {
    let bench = healthy().await;
    let other = ServiceKey { port: 81, ..web() };
    let theirs = Change::AddService(other, crate::switch::Definition::default());
    bench.health(1, false);
    {
        // Nobody tells the news of this one.
        let mut inner = bench.switch.inner();
        inner.state.change(&theirs);
        inner.state.generation += 1;
    }
    seconds(1.0).await;
    assert_eq!(bench.weight(web(), 1), 0);
    assert!(bench.switch.inner().state.services.contains_key(&other));
    assert_eq!(bench.switch.inner().state.generation, 9);
}

#[tokio::test(start_paused = true)]
async fn a_switch_that_hangs_holds_up_nobody() {
    let bench = healthy().await;
    let fed = bench.told("WATCHDOG=1");
    bench.switch.inner().hangs = true;
    bench.health(1, false);
    for _ in 0..30 {
        bench.report(2, 500.0, 0.5);
        seconds(1.0).await;
    }
    seconds(1.0).await;
    assert!(bench.told("WATCHDOG=1") >= fed + 29);
    let snapshot = bench.board.look();
    assert!(!snapshot.up);
    assert_eq!(snapshot.sites[0].servers[1].tally.reports, 30);
    assert!(bench.told("STATUS=the switch does not answer") > 0);
    // It comes back: what was decided meanwhile is published.
    bench.switch.inner().hangs = false;
    seconds(10.0).await;
    assert_eq!(bench.weight(web(), 1), 0);
    assert!(bench.board.look().up);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_ready_without_a_switch() {
    let bench = Bench::new(&file(THREE), switch(THREE));
    bench.switch.inner().down = Some(away());
    seconds(30.0).await;
    assert_eq!(bench.told("READY=1"), 0);
    assert!(bench.told("WATCHDOG=1") > 20);
    bench.switch.inner().down = None;
    seconds(3.0).await;
    assert_eq!(bench.told("READY=1"), 1);
    assert_eq!(bench.publications(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_somebody_deletes_or_changes_is_put_back() {
    let bench = healthy().await;
    bench.switch.meddle(Change::RemoveBackend(web(), server(2)));
    seconds(0.5).await;
    assert_eq!(bench.weight(web(), 2), 1000);
    bench.switch.meddle(Change::SetWeight(web(), server(3), 5));
    seconds(0.5).await;
    assert_eq!(bench.weight(web(), 3), 1000);
    bench.switch.meddle(Change::RemoveService(web()));
    seconds(0.5).await;
    assert_eq!(bench.weight(web(), 1), 1000);
    // A switch that was started anew.
    *bench.switch.inner() = crate::switch::memory::Inner::default();
    seconds(2.5).await;
    assert_eq!(bench.weight(web(), 1), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_the_switch_refuses_does_not_hold_up_the_others() {
    let other = file(&[(4, 100), (5, 100)]).replace("192.0.2.1", "192.0.2.2");
    let bench = Bench::new(&(file(THREE) + &other), switch(THREE));
    let theirs = "tcp:192.0.2.2:80".parse().unwrap();
    bench.switch.inner().refuses = Some(theirs);
    for last in 1..=3 {
        bench.health(last, true);
    }
    seconds(2.0).await;
    for minute in 1..=3 {
        bench.health(1, minute == 2);
        seconds(3.0).await;
        assert_eq!(bench.weight(web(), 1) > 0, minute == 2);
        seconds(57.0).await;
    }
    // It was tried again, with growing pauses, and not ten times a second.
    let refusals = bench.switch.inner().refusals;
    assert!((5..60).contains(&refusals), "{refusals}");
    let counted = bench.board.look().counters.failed["refused"];
    assert!(refusals as u64 - counted <= 1, "{refusals} {counted}");
    bench.switch.inner().refuses = None;
    seconds(60.0).await;
    assert!(bench.switch.inner().state.services.contains_key(&theirs));
}

#[tokio::test(start_paused = true)]
async fn troubles_of_followers_are_counted() {
    let bench = healthy().await;
    for _ in 0..3 {
        bench.event(1, Event::Trouble(smplb_probe::Trouble::Refused));
        seconds(1.0).await;
    }
    seconds(1.0).await;
    let snapshot = bench.board.look();
    assert_eq!(snapshot.sites[0].servers[0].tally.troubles["refused"], 3);
    assert_eq!(bench.publications(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_the_switch_as_it_is() {
    let bench = healthy().await;
    let before = bench.switch.inner().state.clone();
    bench.orders.send(Command::Stop).await.unwrap();
    bench.control.await.unwrap();
    assert_eq!(bench.switch.inner().state, before);
}
