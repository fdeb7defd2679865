// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that fail, lie, or fall silent.

use super::site::Site;
use crate::*;

fn site(n: usize) -> Site {
    let capacities = vec![200.0; n];
    let mut site = Site::new(Settings::default(), &capacities, 100.0 * n as f64);
    site.turns(20);
    site
}

#[test]
fn a_sinkhole_gets_less_than_its_fair_share() {
    for algorithm in [Algorithm::Capacity, Algorithm::Even, Algorithm::Latency] {
        let settings = Settings {
            algorithm,
            ..Settings::default()
        };
        let mut site = Site::new(settings, &[200.0; 4], 400.0);
        site.turns(20);
        site.machines[0].failing = 0.99;
        site.turns(3);
        assert!(
            site.shares()[0] < 0.255,
            "{algorithm:?}: {:?}",
            site.shares()
        );
        site.turns(60);
        assert!(
            site.shares()[0] < 0.18,
            "{algorithm:?}: {:?}",
            site.shares()
        );
    }
}

#[test]
fn a_lie_is_not_believed() {
    let mut site = site(4);
    let lie = Report {
        rate: Some(100.0),
        cpu: Some(0.01),
        ..Report::default()
    };
    site.machines[0].lie = Some(lie);
    // A window that is half true may be believed for a report.
    site.turns(2);
    for _ in 0..30 {
        site.turn();
        assert!(site.shares()[0] <= 0.26, "{:?}", site.shares());
    }
    assert!(site.master.view(site.now).servers[&0].incredible);
}

#[test]
fn a_frozen_agent_loses_what_it_had_when_its_server_is_overrun() {
    let frozen = Report {
        rate: Some(200.0),
        cpu: Some(0.5),
        ..Report::default()
    };
    let mut site = Site::new(Settings::default(), &[400.0, 200.0, 200.0, 200.0], 500.0);
    for _ in 0..60 {
        (0..4).for_each(|i| site.master.connections(&i, 5, 0, site.now));
        site.turn();
    }
    assert!(site.shares()[0] > 0.37, "{:?}", site.shares());
    site.machines[0].lie = Some(frozen);
    site.turns(20);
    assert!(
        site.shares()[0] > 0.35,
        "nothing contradicts it: {:?}",
        site.shares()
    );
    site.master.connections(&0, 60, 0, site.now);
    site.turns(2);
    assert!(site.shares()[0] < 0.26, "{:?}", site.shares());
    assert!(site.master.view(site.now).servers[&0].stuck);
    site.machines[0].lie = None;
    site.turns(30);
    assert!(site.shares()[0] > 0.35, "{:?}", site.shares());
}

#[test]
fn nonsense_is_left_aside_by_name() {
    let mut site = site(3);
    let report = Report {
        rate: Some(10.0),
        cpu: Some(f64::NAN),
        ..Report::default()
    };
    let error = site.master.report(&0, &report, site.now).unwrap_err();
    assert_eq!(error.name(), "not-a-number");
    assert_eq!(
        site.master.report(&7, &report, site.now),
        Err(Rejected::UnknownServer)
    );
    let idle = Report {
        cpu: Some(0.1),
        ..Report::default()
    };
    assert_eq!(
        site.master.report(&0, &idle, site.now),
        Err(Rejected::NoInformation)
    );
    let good = Report {
        rate: Some(10.0),
        cpu: Some(0.1),
        ..Report::default()
    };
    let taken = (0..100)
        .filter(|_| site.master.report(&1, &good, site.now).is_ok())
        .count();
    assert!(taken <= 20, "{taken}");
    let rejected = &site.master.view(site.now).servers[&1].rejected;
    assert!(rejected["too-often"] >= 80);
}

#[test]
fn a_silent_server_goes_back_to_the_middle() {
    let mut site = Site::new(Settings::default(), &[100.0, 200.0, 400.0], 350.0);
    site.turns(60);
    assert!(site.shares()[2] > 0.5);
    site.machines[2].silent = true;
    site.turns(9);
    assert!(site.shares()[2] > 0.5, "not expired");
    site.turns(8);
    let half = site.shares()[2];
    assert!(half < 0.52, "{half}");
    assert!(site.master.view(site.now).servers[&2].stale);
    site.turns(30);
    let shares = site.shares();
    let middle = (shares[0] * shares[1]).sqrt();
    assert!((shares[2] / middle - 1.0).abs() < 0.1, "{shares:?}");
    assert!(site
        .publications
        .iter()
        .any(|(_, cause)| *cause == Cause::Decay));
    site.machines[2].silent = false;
    site.turns(40);
    assert!(site.spread() < 1.2, "{:?}", site.utilizations());
}

#[test]
fn when_all_are_silent_configured_weights_come_back() {
    let mut site = Site::new(Settings::default(), &[100.0, 200.0, 400.0], 350.0);
    site.turns(60);
    site.machines
        .iter_mut()
        .for_each(|machine| machine.silent = true);
    site.turns(60);
    let shares = site.shares();
    assert!(
        shares.iter().all(|share| (share - 1.0 / 3.0).abs() < 0.02),
        "{shares:?}"
    );
}

#[test]
fn a_failing_server_is_ejected_from_a_large_pool_only() {
    let mut small = site(9);
    small.machines[0].failing = 1.0;
    small.turns(10);
    assert!(small.weights[0] > 0);
    let mut large = site(12);
    for machine in &mut large.machines[..3] {
        machine.failing = 1.0;
    }
    for _ in 0..200 {
        large.turn();
        let out = large.weights.iter().filter(|weight| **weight == 0).count();
        assert!(out <= 1, "10 % of 12 is 1");
    }
    let view = large.master.view(large.now);
    assert!(view
        .servers
        .values()
        .any(|server| server.state == State::Ejected));
}

#[test]
fn a_server_that_came_back_begins_with_little() {
    let mut site = site(4);
    site.master.health(&0, false, site.now);
    site.turn();
    assert_eq!(site.weights[0], 0);
    assert_eq!(site.publications.last().unwrap().1, Cause::Health);
    site.master.health(&0, true, site.now);
    site.tick();
    let first = site.shares()[0];
    assert!((0.02..0.04).contains(&first), "{first}");
    site.turns(30);
    let later = site.shares()[0];
    assert!((0.1..0.2).contains(&later), "{later}");
    site.turns(60);
    assert!(
        (site.shares()[0] - 0.25).abs() < 0.02,
        "{:?}",
        site.shares()
    );
    assert!(site
        .publications
        .iter()
        .any(|(_, cause)| *cause == Cause::SlowStart));
}

#[test]
fn the_last_servers_are_never_taken() {
    let mut site = site(3);
    for i in 0..3 {
        site.master.health(&i, false, site.now);
        site.turn();
        assert!(site.weights.iter().any(|weight| *weight > 0));
    }
    assert!(site.master.view(site.now).panic);
    assert!(
        site.weights.iter().all(|weight| *weight > 0),
        "{:?}",
        site.weights
    );
}
