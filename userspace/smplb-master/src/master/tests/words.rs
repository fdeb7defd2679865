// SPDX-License-Identifier: MIT OR Apache-2.0
//! What agents ask for.

use std::time::Duration;

use super::site::Site;
use crate::*;

fn site() -> Site {
    let mut site = Site::new(Settings::default(), &[200.0; 4], 400.0);
    site.turns(20);
    site
}

fn say(site: &mut Site, word: Word) -> Option<Cause> {
    site.master.word(&0, word, site.now);
    let before = site.publications.len();
    site.turn();
    site.publications.get(before).map(|(_, cause)| *cause)
}

fn percent(percent: f64) -> Word {
    Word {
        percent: Some(percent),
        ..Word::default()
    }
}

fn admin(admin: Admin) -> Word {
    Word {
        admin: Some(admin),
        ..Word::default()
    }
}

#[test]
fn a_percentage_scales_the_share() {
    let mut site = site();
    assert_eq!(say(&mut site, percent(0.5)), Some(Cause::Admin));
    assert!(
        (site.shares()[0] - 0.5 / 3.5).abs() < 0.01,
        "{:?}",
        site.shares()
    );
    for _ in 0..60 {
        assert_eq!(say(&mut site, percent(0.5)), None);
    }
    assert!(
        (site.shares()[0] - 0.5 / 3.5).abs() < 0.01,
        "and is not unlearned"
    );
    say(&mut site, percent(0.0));
    assert_eq!(site.weights[0], 0);
    say(&mut site, percent(1.0));
    assert!((site.shares()[0] - 0.25).abs() < 0.01);
    assert_eq!(say(&mut site, percent(f64::NAN)), None);
    say(&mut site, percent(7.0));
    assert!((site.shares()[0] - 0.25).abs() < 0.01, "no more than all");
}

#[test]
fn what_a_silent_agent_wanted_is_forgotten_bit_by_bit() {
    for wanted in [0.5, 0.0] {
        let mut site = site();
        assert_eq!(say(&mut site, percent(wanted)), Some(Cause::Admin));
        let asked = site.shares()[0];
        let before = site.publications.len();
        site.turns(9);
        assert_eq!(site.shares()[0], asked);
        let mut last = asked;
        for _ in 0..12 {
            site.turn();
            let share = site.shares()[0];
            assert!(share >= last, "{share} after {last}");
            last = share;
        }
        assert!((last - 0.25).abs() < 0.01, "{last}");
        let made: Vec<_> = site.publications[before..]
            .iter()
            .map(|made| made.1)
            .collect();
        assert!(made.contains(&Cause::Decay) && made.len() <= 12, "{made:?}");
        // It speaks again.
        assert_eq!(say(&mut site, percent(wanted)), Some(Cause::Admin));
        assert!((site.shares()[0] - asked).abs() < 0.01);
    }
    // An administrator's word stands until another one comes.
    let mut site = site();
    say(&mut site, admin(Admin::Drain));
    site.turns(300);
    assert_eq!(site.weights[0], 0);
}

#[test]
fn drain_maint_and_ready() {
    let mut site = site();
    for word in [Admin::Drain, Admin::Maint] {
        assert_eq!(say(&mut site, admin(word)), Some(Cause::Admin));
        assert_eq!(site.weights[0], 0);
        say(&mut site, admin(Admin::Ready));
        assert!(site.weights[0] > 0);
    }
}

#[test]
fn a_failed_check_beats_any_word() {
    let mut site = site();
    site.master.health(&0, false, site.now);
    site.turn();
    let word = Word {
        up: Some(true),
        percent: Some(1.0),
        admin: Some(Admin::Ready),
        ..Word::default()
    };
    assert_eq!(say(&mut site, word), None);
    assert_eq!(site.weights[0], 0);
    let view = site.master.view(site.now);
    assert_eq!(view.servers[&0].state, State::Down);
    assert_eq!(
        (view.servers[&0].healthy, view.servers[&0].word.up),
        (Some(false), Some(true))
    );
}

#[test]
fn down_and_up_again_is_a_slow_start() {
    let mut site = site();
    say(
        &mut site,
        Word {
            up: Some(false),
            ..Word::default()
        },
    );
    assert_eq!(site.weights[0], 0);
    say(
        &mut site,
        Word {
            up: Some(true),
            ..Word::default()
        },
    );
    assert!(
        (0.01..0.05).contains(&site.shares()[0]),
        "{:?}",
        site.shares()
    );
}

#[test]
fn a_full_server_gets_the_minimum_until_it_is_not() {
    let mut site = site();
    say(
        &mut site,
        Word {
            max_connections: Some(50),
            ..Word::default()
        },
    );
    site.master.connections(&0, 50, 1000, site.now);
    site.turn();
    assert!(site.shares()[0] < 0.02, "{:?}", site.shares());
    assert!(site.weights[0] > 0);
    assert_eq!(site.master.view(site.now).servers[&0].state, State::Full);
    site.master.connections(&0, 49, 1000, site.now);
    site.turn();
    assert!(
        (site.shares()[0] - 0.25).abs() < 0.02,
        "{:?}",
        site.shares()
    );
}

#[test]
fn preferred_servers_first() {
    let settings = Settings {
        algorithm: Algorithm::Prefer,
        labels: vec!["gpu".into()],
        ..Settings::default()
    };
    let mut site = Site::new(settings, &[200.0; 6], 200.0);
    let labels = |i: usize| {
        if i < 2 {
            vec!["gpu".to_owned()]
        } else {
            Vec::new()
        }
    };
    let servers = |_: ()| {
        (0..6).map(|i| {
            (
                i,
                Server {
                    weight: 100,
                    labels: labels(i),
                },
            )
        })
    };
    site.master.set_servers(servers(()), site.now);
    site.turns(3);
    assert_eq!(&site.weights[2..], [0, 0, 0, 0]);
    assert_eq!(site.master.view(site.now).servers[&2].state, State::Spare);
    // One says so itself.
    let said = Report {
        rate: Some(10.0),
        cpu: Some(0.1),
        labels: vec!["gpu".into()],
        ..Report::default()
    };
    site.machines[3].lie = Some(said);
    site.turns(2);
    assert!(
        site.weights[3] > 0 && site.weights[2] == 0,
        "{:?}",
        site.weights
    );
    for i in [0, 1, 3] {
        site.master.health(&i, false, site.now);
    }
    site.now += Duration::from_millis(200);
    site.tick();
    assert!(site.weights[2] > 0 && site.weights[4] > 0 && site.weights[5] > 0);
    assert_eq!([0, 1, 3].map(|i| site.weights[i]), [0, 0, 0]);
}
