// SPDX-License-Identifier: MIT OR Apache-2.0
//! Starting, reloading, publishing.

use std::time::Duration;

use super::site::Site;
use crate::*;

fn server(weight: u32) -> Server {
    Server {
        weight,
        ..Server::default()
    }
}

fn master(weights: &[u32]) -> Master<usize> {
    let mut master = Master::new(Settings::default());
    let servers = weights.iter().map(|weight| server(*weight)).enumerate();
    master.set_servers(servers, Duration::ZERO);
    master
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn publish(master: &mut Master<usize>, now: Duration) -> Option<(Vec<u32>, Cause)> {
    match master.tick(now) {
        Outcome::Publish(proposal) => {
            master.published(now, true);
            Some((proposal.weights.into_values().collect(), proposal.cause))
        }
        Outcome::Hold(_) => None,
    }
}

#[test]
fn first_the_configured_weights() {
    let mut master = master(&[100, 300, 0]);
    assert_eq!(
        publish(&mut master, ms(0)),
        Some((vec![500, 1500, 0], Cause::Configuration))
    );
    assert_eq!(publish(&mut master, ms(200)), None);
    assert_eq!(master.tick(ms(400)), Outcome::Hold(HoldReason::NothingNew));
}

#[test]
fn weights_that_are_taken_over_stay() {
    let mut master = master(&[100, 100, 100, 0]);
    master.adopt([(0, 300), (1, 1700), (2, 0), (3, 0)]);
    for i in 0..600 {
        assert_eq!(publish(&mut master, ms(100 * i)), None);
    }
    // Checks find what the weights say.
    master.health(&0, true, ms(60_000));
    master.health(&1, true, ms(60_000));
    master.health(&2, false, ms(60_000));
    for i in 600..1200 {
        assert_eq!(publish(&mut master, ms(100 * i)), None);
    }
    master.health(&2, true, ms(120_000));
    let (weights, cause) = publish(&mut master, ms(120_000)).unwrap();
    assert_eq!(cause, Cause::Health);
    assert!(weights[2] > 0 && weights[2] < 150, "{weights:?}");
    let ratio = f64::from(weights[1]) / f64::from(weights[0]);
    assert!((ratio / (17.0 / 3.0) - 1.0).abs() < 0.02, "{weights:?}");
}

#[test]
fn a_server_without_any_source_is_not_held_for_ever() {
    let mut master = master(&[100, 100]);
    master.adopt([(0, 1000), (1, 0)]);
    assert_eq!(publish(&mut master, Duration::from_secs(179)), None);
    let (weights, _) = publish(&mut master, Duration::from_secs(180)).unwrap();
    assert!(weights[1] > 0);
}

#[test]
fn a_word_that_was_in_the_weight_already_changes_nothing() {
    let mut master = master(&[100, 100]);
    master.adopt([(0, 500), (1, 1000)]);
    let half = Word {
        percent: Some(0.5),
        ..Word::default()
    };
    master.word(&0, half, ms(0));
    assert_eq!(publish(&mut master, ms(100)), None);
    master.word(
        &0,
        Word {
            percent: Some(1.0),
            ..Word::default()
        },
        ms(200),
    );
    let (weights, cause) = publish(&mut master, ms(200)).unwrap();
    assert_eq!((weights, cause), (vec![1000, 1000], Cause::Admin));
}

#[test]
fn zero_is_zero_even_when_it_was_taken_over_otherwise() {
    let mut master = master(&[100, 0]);
    master.adopt([(0, 1000), (1, 1000)]);
    assert_eq!(
        publish(&mut master, ms(0)),
        Some((vec![1000, 0], Cause::Configuration))
    );
}

#[test]
fn static_weights_are_those_of_the_file() {
    let settings = Settings {
        algorithm: Algorithm::Static,
        ..Settings::default()
    };
    let mut master = Master::new(settings);
    master.set_servers([(0, server(3)), (1, server(1))], ms(0));
    master.adopt([(0, 1), (1, 1)]);
    assert_eq!(
        publish(&mut master, ms(0)),
        Some((vec![3, 1], Cause::Configuration))
    );
    master.health(&0, true, ms(100));
    assert_eq!(publish(&mut master, ms(200)), None);
    master.set_servers([(0, server(3)), (1, server(2))], ms(300));
    assert_eq!(
        publish(&mut master, ms(300)),
        Some((vec![3, 2], Cause::Configuration))
    );
}

#[test]
fn at_most_ten_a_second() {
    let mut master = master(&[100, 100, 100]);
    let mut published = 0;
    for i in 0..1000 {
        master.health(&0, i % 2 == 0, ms(i));
        published += u32::from(publish(&mut master, ms(i)).is_some());
    }
    assert!((5..=10).contains(&published), "{published}");
}

#[test]
fn what_was_not_taken_is_proposed_again() {
    let mut master = master(&[100, 100, 100]);
    publish(&mut master, ms(0));
    master.health(&0, false, ms(100));
    let Outcome::Publish(first) = master.tick(ms(100)) else {
        panic!()
    };
    master.published(ms(150), false);
    assert_eq!(master.tick(ms(150)), Outcome::Hold(HoldReason::TooSoon));
    let Outcome::Publish(second) = master.tick(ms(200)) else {
        panic!()
    };
    assert_eq!(first.weights, second.weights);
    assert_eq!(second.cause, Cause::Health);
    // An answer that takes its time.
    assert!(matches!(master.tick(ms(250)), Outcome::Hold(_)));
    master.published(ms(280), true);
    assert_eq!(master.tick(ms(400)), Outcome::Hold(HoldReason::NothingNew));
    let counters = master.view(ms(400)).counters;
    assert_eq!(
        (counters.refused, counters.published[&Cause::Health]),
        (1, 1)
    );
}

#[test]
fn a_reload_keeps_what_was_learned() {
    let mut site = Site::new(Settings::default(), &[100.0, 200.0, 400.0], 350.0);
    site.turns(60);
    let before = site.shares();
    // Other weights, where capacities are known; and another setting.
    site.master.set_settings(Settings {
        dead_band: 0.03,
        ..Settings::default()
    });
    site.master.set_servers(
        [(0, server(10)), (1, server(100)), (2, server(100))],
        site.now,
    );
    site.turns(5);
    let moved = site
        .shares()
        .iter()
        .zip(&before)
        .map(|(a, b)| (a / b - 1.0).abs())
        .fold(0.0, f64::max);
    assert!(moved < 0.05, "{before:?} {:?}", site.shares());
    // Weight 0 drains, and the others keep their relation.
    site.master.set_servers(
        [(0, server(10)), (1, server(100)), (2, server(0))],
        site.now,
    );
    site.turns(2);
    assert_eq!(site.weights[2], 0);
    assert!((site.shares()[1] / site.shares()[0] - before[1] / before[0]).abs() < 0.2);
}

#[test]
fn a_server_that_serves_already_is_no_new_one() {
    let mut master = master(&[1000, 1000]);
    master.adopt([(0, 1000), (1, 1000)]);
    let servers = (0..3).map(|key| (key, server(1000)));
    master.set_servers(servers, ms(5_000));
    // Somebody else had added it, before the file did.
    master.adopt([(2, 1000)]);
    for second in 6..200 {
        if let Some((weights, _)) = publish(&mut master, ms(second * 1000)) {
            assert_eq!(weights, [1000, 1000, 1000], "after {second} s");
        }
    }
}

#[test]
fn a_new_server_counts_like_the_middle_and_begins_small() {
    let mut site = Site::new(Settings::default(), &[100.0, 200.0, 400.0], 350.0);
    site.turns(60);
    site.master
        .set_servers((0..4).map(|i| (i, server(100))), site.now);
    site.tick();
    let shares = site.shares();
    assert!((shares[3] / shares[1] - 0.1).abs() < 0.02, "{shares:?}");
    let view = site.master.view(site.now);
    assert_eq!(view.servers[&3].state, State::SlowStart);
}

#[test]
fn a_publication_says_why_and_of_what() {
    let mut site = Site::new(Settings::default(), &[100.0, 400.0], 200.0);
    site.turns(9);
    let proposal = loop {
        site.turn();
        let report = Report {
            rate: Some(100.0),
            cpu: Some(0.5),
            ..Report::default()
        };
        let _ = site.master.report(&0, &report, site.now);
        if let Outcome::Publish(proposal) = site.master.tick(site.now) {
            break proposal;
        }
        assert!(site.now < Duration::from_secs(60));
    };
    let input = proposal.inputs[&0];
    assert_eq!((input.utilization, input.rate), (Some(0.5), Some(100.0)));
    assert_eq!(input.age, Some(Duration::ZERO));
    let moved: f64 = proposal
        .inputs
        .values()
        .map(|i| (i.after - i.before).abs())
        .sum::<f64>()
        / 2.0;
    assert!((proposal.moved - moved).abs() < 1e-9 && moved > 0.0);
    assert!(
        proposal
            .inputs
            .values()
            .map(|input| input.after)
            .sum::<f64>()
            > 0.999
    );
}

#[test]
fn no_servers_is_nothing_to_do() {
    let mut master = master(&[]);
    assert_eq!(master.tick(ms(0)), Outcome::Hold(HoldReason::NoServers));
    assert!(master.view(ms(0)).servers.is_empty());
}

#[test]
fn small_differences_are_published_in_the_end() {
    let mut site = Site::new(Settings::default(), &[1e5, 1.03e5, 1e5], 1.5e5);
    site.turns(120);
    assert!(site.spread() < 1.025, "{:?}", site.utilizations());
    assert!(site.publications.len() < 15, "{:?}", site.publications);
}
