// SPDX-License-Identifier: MIT OR Apache-2.0
//! What old information is worth (experiment 2).

use smplb_sim::experiment::goals::FOLLOWERS;
use smplb_sim::experiment::staleness::{follow, Way, PERIODS, REFERENCE};

const REQUESTS: f64 = 1.5e6;

#[test]
fn the_published_table() {
    let mut missed = Vec::new();
    for (way, wanted) in REFERENCE {
        for (period, wanted) in PERIODS.into_iter().zip(wanted) {
            let measured = way.measure(period, REQUESTS);
            let off = (measured / wanted - 1.0).abs();
            if off > 0.1 {
                missed.push(format!(
                    "{} each {period}: {measured}, reference {wanted}",
                    way.name()
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn where_old_information_is_worse_than_none() {
    let random = Way::Random.measure(0.0, REQUESTS);
    let better = |way: Way, period| way.measure(period, REQUESTS) < random;
    assert!(better(Way::Best, 2.0) && !better(Way::Best, 5.0));
    assert!(better(Way::Two, 20.0) && !better(Way::Two, 50.0));
    for period in [0.5, 5.0, 50.0] {
        assert!(better(Way::Level, period));
    }
}

#[test]
fn the_master_is_never_worse_than_chance() {
    let random = Way::Random.measure(0.0, REQUESTS);
    let mut missed = Vec::new();
    for (name, algorithm) in FOLLOWERS {
        for period in PERIODS.into_iter().filter(|period| *period > 0.0) {
            let mean = follow(algorithm, period, REQUESTS / 2.0);
            if mean > random {
                missed.push(format!(
                    "{name} told each {period}: {mean}, random {random}"
                ));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
