// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of whole runs.

use super::*;
use crate::policy::{Choices, Random, Wrr};

#[test]
fn the_same_seed_gives_the_same_run() {
    let scenario = Scenario::steady(&[1.0; 5], 4.0, Work::Exponential(1.0), 2000.0);
    let run = |scenario: &Scenario| scenario.run(&mut Choices::new(2, 0.0)).response.mean();
    assert_eq!(run(&scenario), run(&scenario));
    assert_ne!(run(&scenario), run(&scenario.clone().seeded(2)));
}

#[test]
fn work_is_conserved() {
    let scenario = Scenario::steady(&[1.0, 2.0], 1.5, Work::Exponential(1.0), 20_000.0);
    let measured = scenario.run(&mut Wrr::new(&[1, 2]));
    for server in [0, 1] {
        let used = measured.utilization(server, 4000.0, 20_000.0);
        assert!((used - 0.5).abs() < 0.02, "{used}");
    }
    assert!((measured.share(0, 4000.0, 20_000.0) - 1.0 / 3.0).abs() < 0.001);
    assert_eq!((measured.errors, measured.late, measured.lost), (0, 0, 0));
}

#[test]
fn what_happens_to_servers() {
    let scenario = Scenario {
        deadline: 3.0,
        ..Scenario::steady(&[1.0; 2], 1.0, Work::Fixed(0.5), 1000.0)
    }
    .with(300.0, 0, What::Speed(0.1))
    .with(500.0, 0, What::Crash)
    .with(510.0, 0, What::Check(false))
    .with(700.0, 0, What::Start)
    .with(700.0, 0, What::Failing(1.0))
    .with(710.0, 0, What::Check(true));
    let measured = scenario.run(&mut Wrr::new(&[1, 1]));
    assert_eq!(measured.share(0, 520.0, 700.0), 0.0);
    assert!(
        (measured.errors as f64 - 145.0).abs() < 30.0,
        "{}",
        measured.errors
    );
    assert!(
        measured.late > 30 && (2..20).contains(&measured.lost),
        "{measured:?}"
    );
    // A service takes 5 s; it is idle after one when nobody came in the last 3 s of it: e^-1.5 of
    // the times, for 2 s.
    let used = measured.utilization(0, 320.0, 500.0);
    assert!((used - 5.0 / 5.45).abs() < 0.05, "{used}");
}

#[test]
fn nobody_to_choose_is_a_loss() {
    let scenario = Scenario::steady(&[1.0], 10.0, Work::Fixed(0.01), 100.0);
    let measured = scenario.run(&mut Wrr::new(&[0]));
    assert!(measured.lost > 700 && measured.response.count() == 0);
    assert!(scenario.run(&mut Random).lost == 0);
}
