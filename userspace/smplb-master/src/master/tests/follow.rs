// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether shares follow what servers can do, and stay when nothing changes.

use super::site::Site;
use crate::*;

fn settings(algorithm: Algorithm) -> Settings {
    Settings {
        algorithm,
        ..Settings::default()
    }
}

/// The largest change of any share in the last turns.
fn unrest(site: &mut Site, turns: usize) -> f64 {
    let before = site.shares();
    let mut most = 0.0_f64;
    for _ in 0..turns {
        site.turn();
        let moved = site
            .shares()
            .iter()
            .zip(&before)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f64::max);
        most = most.max(moved);
    }
    most
}

#[test]
fn unequal_servers_become_equally_busy() {
    for algorithm in [Algorithm::Capacity, Algorithm::Even] {
        let mut site = Site::new(settings(algorithm), &[100.0, 200.0, 400.0], 350.0);
        site.turns(10);
        assert!(site.spread() > 3.9, "in the blackout nothing moves");
        site.turns(20);
        assert!(
            site.spread() < 1.2,
            "{algorithm:?}: {:?}",
            site.utilizations()
        );
        site.turns(60);
        assert!(
            site.spread() < 1.15,
            "{algorithm:?}: {:?}",
            site.utilizations()
        );
        assert!(unrest(&mut site, 100) < 0.05, "{algorithm:?}");
    }
}

#[test]
fn equal_servers_stay_equal() {
    for algorithm in [Algorithm::Capacity, Algorithm::Even, Algorithm::Latency] {
        let mut site = Site::new(settings(algorithm), &[100.0; 100], 8500.0);
        site.turns(600);
        let worst = site.utilizations().into_iter().fold(0.0, f64::max);
        assert!(worst < 0.85 * 1.1, "{algorithm:?}: {worst}");
        assert!(
            site.publications.len() < 100,
            "{algorithm:?}: {}",
            site.publications.len()
        );
    }
}

#[test]
fn a_step_is_followed_without_overshoot_at_any_delay() {
    for (interval, delay) in [
        (0.1, 0),
        (1.0, 0),
        (1.0, 1),
        (1.0, 10),
        (30.0, 0),
        (30.0, 1),
    ] {
        let mut site = Site::new(settings(Algorithm::Capacity), &[1000.0; 4], 2000.0);
        site.interval = interval;
        site.delay = delay;
        let blackout = if interval < 1.0 { 110 } else { 25 };
        site.turns(blackout);
        site.machines[0].capacity = 500.0;
        let mut least = 1.0_f64;
        let reports = 15 + delay;
        for _ in 0..reports {
            site.turn();
            least = least.min(site.shares()[0]);
        }
        let wanted = 0.5 / 3.5;
        let share = site.shares()[0];
        let what =
            format!("interval {interval}, delay {delay}: {share} after {reports}, least {least}");
        assert!(site.spread() <= 1.15, "{what}: {:?}", site.utilizations());
        assert!(least >= wanted * 0.85, "{what}");
        assert!(unrest(&mut site, 60) < 0.05, "{what}");
    }
}

#[test]
fn a_swinging_load_moves_no_shares() {
    for algorithm in [Algorithm::Capacity, Algorithm::Even] {
        let mut site = Site::new(settings(algorithm), &[1000.0, 1000.0, 1000.0], 1500.0);
        site.turns(20);
        for i in 0..300 {
            site.load = 1500.0 * (1.0 + 0.5 * (f64::from(i) / 6.0).sin());
            site.turn();
            assert!(
                site.spread() < 1.2,
                "{algorithm:?} at {i}: {:?}",
                site.shares()
            );
        }
    }
}

#[test]
fn latency_takes_load_from_the_slow_one() {
    let mut site = Site::new(settings(Algorithm::Latency), &[250.0, 500.0, 500.0], 600.0);
    site.turns(400);
    let shares = site.shares();
    assert!((0.05..0.22).contains(&shares[0]), "{shares:?}");
    let before = shares[0];
    site.turns(400);
    assert!(
        (site.shares()[0] / before - 1.0).abs() < 0.4,
        "{before} {:?}",
        site.shares()
    );
}

#[test]
fn an_overloaded_site_keeps_its_shares() {
    let mut site = Site::new(
        settings(Algorithm::Capacity),
        &[500.0, 1000.0, 1000.0],
        1250.0,
    );
    site.turns(60);
    let before = site.shares();
    site.load = 3500.0;
    site.turns(100);
    assert!(site.master.view(site.now).overloaded);
    let moved = site
        .shares()
        .iter()
        .zip(&before)
        .map(|(a, b)| (a / b - 1.0).abs())
        .fold(0.0, f64::max);
    assert!(moved < 0.1, "{before:?} {:?}", site.shares());
    site.load = 1250.0;
    site.turns(20);
    assert!(!site.master.view(site.now).overloaded);
}

#[test]
fn static_follows_nothing() {
    let mut site = Site::new(settings(Algorithm::Static), &[100.0, 400.0], 300.0);
    site.turns(60);
    assert_eq!(site.weights, [100, 100]);
    assert_eq!(site.publications.len(), 1);
}

#[test]
fn few_requests_move_little_but_show_in_the_end() {
    let mut site = Site::new(
        settings(Algorithm::Capacity),
        &[10.0, 10.0, 10.0, 40.0],
        20.0,
    );
    site.turns(300);
    assert!(site.spread() < 1.6, "{:?}", site.utilizations());
    let mut equal = Site::new(settings(Algorithm::Capacity), &[10.0; 4], 20.0);
    equal.turns(600);
    assert!(equal.spread() < 1.3, "{:?}", equal.utilizations());
}
