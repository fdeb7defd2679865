// SPDX-License-Identifier: MIT OR Apache-2.0
//! Capacities 1:2:4 and a step of the load, told by reports of any age (experiment 4).

use smplb_master::Algorithm;
use smplb_sim::experiment::step::{run, AGES};

fn check(algorithm: Algorithm) {
    for age in AGES {
        let run = run(algorithm, age);
        let (spread, overshoot) = (run.spread(), run.overshoot());
        assert!(spread <= 1.15, "{age:?}: spread {spread}");
        assert!(overshoot <= 0.1, "{age:?}: overshoot {overshoot}");
        assert!(!run.cycles(), "{age:?}: {:?}", run.shares(2));
    }
}

#[test]
fn capacity_follows_without_going_round() {
    check(Algorithm::Capacity);
}

#[test]
fn even_follows_without_going_round() {
    check(Algorithm::Even);
}

/// Equal times are not equal utilizations, and it only knows in which direction to go, so it swings
/// when reports are late. But that dies out.
#[test]
fn latency_does_not_go_round_for_ever() {
    for age in AGES {
        let run = run(Algorithm::Latency, age);
        assert!(!run.cycles_for_ever(), "{age:?}: {:?}", run.shares(2));
    }
}
