// SPDX-License-Identifier: MIT OR Apache-2.0
//! A load ramp with hot machines (experiment 3).

use smplb_sim::experiment::ramp::{scenario, Hot, LOADS, WAYS};

fn p99(way: &str, load: f64, hot: Hot) -> f64 {
    let way = WAYS.iter().find(|known| known.name == way).unwrap();
    way.run(&scenario(load, hot, 660.0)).response.p99()
}

#[test]
fn no_worse_than_equal_weights_while_all_have_enough() {
    let mut missed = Vec::new();
    for load in LOADS.into_iter().filter(|load| *load < 0.93) {
        for hot in [Hot::Moving, Hot::Staying] {
            let equal = p99("equal weights", load, hot);
            for way in ["even", "capacity"] {
                let followed = p99(way, load, hot);
                if followed > 1.05 * equal {
                    missed.push(format!(
                        "{way} at {load}, {hot:?}: {followed}, equal {equal}"
                    ));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn a_fifth_better_above_what_is_allotted() {
    let mut missed = Vec::new();
    for load in LOADS.into_iter().filter(|load| *load >= 1.03) {
        let equal = p99("equal weights", load, Hot::Moving);
        let followed = p99("capacity", load, Hot::Moving);
        if followed > 0.8 * equal {
            missed.push(format!("at {load}: {followed}, equal {equal}"));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
