// SPDX-License-Identifier: MIT OR Apache-2.0
//! What becomes of loads and healths.

use smplb_master::Word;

use super::*;

const BOTH: &[(u8, u32)] = &[(1, 100), (2, 100)];

#[tokio::test(start_paused = true)]
async fn a_restart_takes_over_and_publishes_nothing() {
    let bench = Bench::new(&file(BOTH), switch(&[(1, 700), (2, 1300)]));
    seconds(5.0).await;
    bench.health(1, true);
    bench.health(2, true);
    seconds(5.0).await;
    assert_eq!(bench.publications(), 0);
    assert_eq!(bench.switch.inner().state.generation, 7);
    assert_eq!(bench.told("READY=1"), 1);
    assert_eq!(bench.told("STATUS=generation 7, 2 of 2 servers healthy"), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_switch_gets_the_configuration_in_one_generation() {
    let bench = Bench::new(&file(&[(1, 100), (2, 0)]), State::default());
    seconds(0.5).await;
    let changes = bench.switch.inner().published[0].1.clone();
    assert!(matches!(changes[0], Change::AddService(key, _) if key == web()));
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(bench.weight(web(), 1) > 0);
    assert_eq!(bench.weight(web(), 2), 0);
    assert_eq!(bench.told("READY=1"), 1);
}

#[tokio::test(start_paused = true)]
async fn shares_follow_reports() {
    let bench = Bench::new(&file(BOTH), switch(&[(1, 1000), (2, 1000)]));
    // At equal shares the second is nearly full and the first half idle.
    for _ in 0..60 {
        bench.report(1, 500.0, 0.3);
        bench.report(2, 500.0, 0.8);
        seconds(1.0).await;
    }
    seconds(1.0).await;
    let (first, second) = (bench.weight(web(), 1), bench.weight(web(), 2));
    assert!(
        f64::from(first) > 1.5 * f64::from(second),
        "{first} {second}"
    );
    let snapshot = bench.board.look();
    assert!(
        snapshot.counters.published["reports"] > 0,
        "{:?}",
        snapshot.counters.published
    );
    assert!(snapshot.counters.slots_moved > 0);
    let [first, _] = &snapshot.sites[0].servers[..] else {
        panic!("two servers");
    };
    assert_eq!(first.tally.reports, 60);
    assert!(first.age.is_some_and(|age| age < 3.0));
}

#[tokio::test(start_paused = true)]
async fn ten_generations_a_second_when_there_are_reasons_and_no_more() {
    let text = file(BOTH) + "[service.distribution]\nalgorithm = 'static'\n";
    let bench = Bench::new(&text, switch(&[(1, 100), (2, 100)]));
    bench.health(1, true);
    bench.health(2, true);
    seconds(5.0).await;
    let before = bench.publications();
    for turn in 0..400 {
        // Not in step with the turns of the loop.
        seconds(0.0257).await;
        let percent = Some(0.2 + 0.001 * f64::from(turn));
        let word = Word {
            percent,
            ..Word::default()
        };
        bench.event(1, Event::Word(word));
    }
    // 10.28 seconds, in each of which the switch is read, too.
    let made = bench.publications() - before;
    assert!((95..=103).contains(&made), "{made}");
}

#[tokio::test(start_paused = true)]
async fn a_failed_check_takes_the_share_at_once_and_a_report_does_not_bring_it_back() {
    let bench = Bench::new(
        &file(&[(1, 100), (2, 100), (3, 100)]),
        switch(&[(1, 1000), (2, 1000), (3, 1000)]),
    );
    for last in 1..=3 {
        bench.health(last, true);
    }
    seconds(1.0).await;
    bench.health(1, false);
    seconds(0.35).await;
    assert_eq!(bench.weight(web(), 1), 0);
    assert!(bench.weight(web(), 2) > 0);
    for _ in 0..30 {
        bench.report(1, 1000.0, 0.01);
        seconds(1.0).await;
        assert_eq!(bench.weight(web(), 1), 0);
    }
    bench.health(1, true);
    seconds(1.0).await;
    assert!(bench.weight(web(), 1) > 0);
    assert!(bench.board.look().counters.published["health"] > 0);
}

#[tokio::test(start_paused = true)]
async fn a_weight_of_zero_in_the_file_stays_zero() {
    let bench = Bench::new(&file(&[(1, 100), (2, 0)]), switch(&[(1, 1000), (2, 0)]));
    for _ in 0..60 {
        bench.report(1, 500.0, 0.9);
        bench.report(2, 500.0, 0.1);
        seconds(1.0).await;
        assert_eq!(bench.weight(web(), 2), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn one_turn_is_one_generation_over_all_services() {
    let other = file(&[(3, 100), (4, 100)]).replace("192.0.2.1", "192.0.2.2");
    let text = file(BOTH) + &other;
    let bench = Bench::new(&text, State::default());
    for last in 1..=4 {
        bench.health(last, true);
    }
    seconds(5.0).await;
    let before = bench.publications();
    bench.health(1, false);
    bench.health(3, false);
    seconds(0.25).await;
    let published = bench.switch.inner().published[before..].to_vec();
    let services: BTreeSet<_> = published[0].1.iter().map(Change::service).collect();
    assert_eq!(services.len(), 2, "{published:?}");
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_reports_is_bounded() {
    let bench = Bench::new(&file(BOTH), switch(&[(1, 1000), (2, 1000)]));
    let start = Instant::now();
    let mut flip = false;
    for _ in 0..10_000 {
        // 500 reports a second of each server, each turned over.
        flip = !flip;
        bench.report(1, 500.0, if flip { 0.1 } else { 0.9 });
        bench.report(2, 500.0, if flip { 0.9 } else { 0.1 });
        seconds(0.002).await;
    }
    assert!(start.elapsed() < Duration::from_secs(60));
    let moments: Vec<_> = bench
        .switch
        .inner()
        .published
        .iter()
        .map(|(at, _)| *at)
        .collect();
    for eleven in moments.windows(11) {
        assert!(eleven[10] - eleven[0] >= Duration::from_secs(1));
    }
    let snapshot = bench.board.look();
    let tally = &snapshot.sites[0].servers[0].tally;
    assert!(tally.rejected["too-often"] > 1000, "{tally:?}");
    // The watchdog was fed all the time.
    assert!(bench.told("WATCHDOG=1") >= 15);
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_is_counted_by_its_reason() {
    let bench = Bench::new(&file(BOTH), switch(&[(1, 1000), (2, 1000)]));
    for utilization in [f64::NAN, -1.0, 1e9] {
        bench.report(1, 500.0, utilization);
        seconds(1.0).await;
    }
    seconds(1.0).await;
    let snapshot = bench.board.look();
    let tally = &snapshot.sites[0].servers[0].tally;
    let reasons: Vec<_> = tally
        .rejected
        .iter()
        .map(|(reason, count)| (*reason, *count))
        .collect();
    assert_eq!(
        reasons,
        [("absurd", 1), ("negative", 1), ("not-a-number", 1)]
    );
    assert_eq!(tally.reports, 0);
    assert_eq!(bench.publications(), 0);
}
