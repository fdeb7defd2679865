// SPDX-License-Identifier: MIT OR Apache-2.0
//! The goals of load feedback.

use smplb_master::Algorithm;
use smplb_sim::experiment::goals::{
    best_split, settings, steady, step, tail, unrest, Step, FOLLOWERS, KNOWING, ONE_SLOW, POOLS,
};
use smplb_sim::policy::{split, Feedback, Follow, Wrr};

/// Against the best static split where servers are about equal. Where their speeds differ more, the
/// best split leaves slow ones idler than fast ones, and equal utilization, which these algorithms are for, cannot
/// reach it: there they are held to the split by speed, which has equal utilization too.
#[test]
fn near_the_best_static_split_on_steady_load() {
    let mut missed = Vec::new();
    for (place, (name, speeds)) in POOLS.into_iter().enumerate() {
        for load in [0.5, 0.7, 0.8] {
            let scenario = steady(speeds, load, 400.0);
            let by_speed = split::weights(&split::proportional(speeds));
            let best = match place {
                0 | 1 => best_split(&scenario, speeds, 3),
                _ => tail(&scenario, 3, || Box::new(Wrr::new(&by_speed))),
            };
            for (algorithm, law) in KNOWING {
                let feedback = Feedback::new(settings(law));
                let count = speeds.len();
                let tail = tail(&scenario, 3, || {
                    Box::new(Follow::equal(feedback.clone(), count))
                });
                if tail.wait > 1.1 * best.wait || tail.response > 1.1 * best.response {
                    missed.push(format!(
                        "{algorithm}, {name} at {load}: {tail:?}, best {best:?}"
                    ));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn twice_as_good_as_round_robin_with_one_slow_server() {
    let mut missed = Vec::new();
    for load in [0.5, 0.6, 0.7, 0.8] {
        let scenario = steady(&ONE_SLOW, load, 300.0);
        let wrr = tail(&scenario, 1, || Box::new(Wrr::new(&[1; 10])));
        for (name, algorithm) in FOLLOWERS {
            let feedback = Feedback::new(settings(algorithm));
            let tail = tail(&scenario, 1, || {
                Box::new(Follow::equal(feedback.clone(), 10))
            });
            if 2.0 * tail.wait > wrr.wait || 2.0 * tail.response > wrr.response {
                missed.push(format!("{name} at {load}: {tail:?}, wrr {wrr:?}"));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn at_rest_ten_reports_after_a_step() {
    let mut missed = Vec::new();
    for (name, algorithm) in FOLLOWERS {
        for kind in [Step::Load, Step::Speed] {
            for (interval, seed) in [1.0, 10.0]
                .into_iter()
                .flat_map(|i| (1..=5).map(move |s| (i, s)))
            {
                let (_, follow) = step(kind, algorithm, interval, seed);
                let unrest = unrest(&follow, interval);
                // Times of execution only say in which direction to go: that takes longer.
                let arrived = algorithm == Algorithm::Latency || unrest.swing <= 0.05;
                if unrest.oscillation > 0.05 || !arrived {
                    missed.push(format!(
                        "{name}, {kind:?}, each {interval} s, seed {seed}: {unrest:?}"
                    ));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
