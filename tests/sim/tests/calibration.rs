// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator against closed forms (experiment 1).

use smplb_sim::experiment::calibration::Way;

/// Three percent, as chance and a hundred servers instead of very many allow.
#[test]
fn means_are_those_of_theory() {
    for load in [0.5, 0.7, 0.9] {
        for way in [Way::Random, Way::Two, Way::Three, Way::Shared] {
            let (measured, theory) = (way.measure(load, 4e6), way.theory(load).unwrap());
            let off = (measured / theory - 1.0).abs();
            assert!(
                off <= 0.03,
                "{} at {load}: {measured}, theory {theory}",
                way.name()
            );
        }
    }
}

#[test]
fn knowing_more_is_better() {
    for load in [0.7, 0.9] {
        let [random, two, three, shortest, shared] = Way::ALL.map(|way| way.measure(load, 1e6));
        assert!(shared <= shortest && shortest <= three && three <= two && two <= random);
    }
    let shortest = Way::Shortest.measure(0.9, 1e6);
    assert!((shortest / 1.07 - 1.0).abs() < 0.02, "{shortest}");
}
