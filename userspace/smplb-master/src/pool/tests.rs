// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

const FIT: Fitness = Fitness {
    configured: true,
    healthy: true,
    word: Word {
        percent: None,
        admin: None,
        up: None,
        max_connections: None,
    },
    held: false,
    ejected: false,
    preferred: true,
    full: false,
    slow: false,
};
const SICK: Fitness = Fitness {
    healthy: false,
    ..FIT
};
const SPARE: Fitness = Fitness {
    preferred: false,
    ..FIT
};
const OUT: Fitness = Fitness {
    configured: false,
    ..FIT
};

fn word(word: Word) -> Fitness {
    Fitness { word, ..FIT }
}

fn drained() -> Fitness {
    word(Word {
        admin: Some(Admin::Drain),
        ..Word::default()
    })
}

fn maint() -> Fitness {
    word(Word {
        admin: Some(Admin::Maint),
        ..Word::default()
    })
}

fn used(pool: &[Fitness]) -> Vec<usize> {
    used_with(pool, &Settings::default()).0
}

fn used_with(pool: &[Fitness], settings: &Settings) -> (Vec<usize>, bool) {
    let (standings, panic) = decide(pool, settings);
    let used = standings
        .iter()
        .enumerate()
        .filter(|(_, standing)| standing.used);
    (used.map(|(i, _)| i).collect(), panic)
}

#[test]
fn who_fails_his_checks_is_out() {
    assert_eq!(used(&[FIT, SICK, FIT]), [0, 2]);
    let says_up = Fitness {
        healthy: false,
        ..word(Word {
            up: Some(true),
            ..Word::default()
        })
    };
    assert_eq!(
        used(&[FIT, says_up, FIT]),
        [0, 2],
        "a failed check beats any word"
    );
    let says_down = word(Word {
        up: Some(false),
        ..Word::default()
    });
    assert_eq!(used(&[FIT, says_down, FIT]), [0, 2]);
}

#[test]
fn who_is_withdrawn_is_out() {
    let none = word(Word {
        percent: Some(0.0),
        ..Word::default()
    });
    assert_eq!(used(&[drained(), FIT, maint(), none]), [1]);
    let states = decide(&[drained(), FIT, maint(), none, OUT], &Settings::default()).0;
    let states: Vec<_> = states.iter().map(|standing| standing.state).collect();
    assert_eq!(
        states,
        [
            State::Drain,
            State::Up,
            State::Maint,
            State::Drain,
            State::Drain
        ]
    );
}

#[test]
fn under_half_healthy_health_is_not_looked_at() {
    let settings = Settings::default();
    assert_eq!(
        used_with(&[FIT, FIT, SICK, SICK], &settings),
        (vec![0, 1], false)
    );
    assert_eq!(
        used_with(&[FIT, SICK, SICK], &settings),
        (vec![0, 1, 2], true)
    );
    assert_eq!(used_with(&[SICK, SICK], &settings), (vec![0, 1], true));
    // Withdrawn ones are neither healthy nor sick.
    assert_eq!(
        used_with(&[FIT, SICK, drained(), drained()], &settings),
        (vec![0], false)
    );
}

#[test]
fn without_panic_the_healthy_go_on_alone() {
    let settings = Settings {
        panic_mode: PanicMode::None,
        ..Settings::default()
    };
    assert_eq!(used_with(&[FIT, SICK, SICK], &settings), (vec![0], false));
    assert_eq!(
        used_with(&[SICK, SICK], &settings).0,
        [0, 1],
        "the pool is never empty"
    );
}

#[test]
fn an_ejected_one_is_out_unless_it_is_the_last() {
    let ejected = Fitness {
        ejected: true,
        ..FIT
    };
    assert_eq!(used(&[FIT, ejected]), [0]);
    assert_eq!(used(&[ejected, ejected]), [0, 1]);
    assert_eq!(used(&[ejected, drained()]), [0]);
}

#[test]
fn others_serve_only_when_no_preferred_one_can() {
    assert_eq!(used(&[FIT, SPARE]), [0]);
    assert_eq!(used(&[SICK, SPARE]), [1]);
    assert_eq!(used(&[drained(), SPARE, SPARE]), [1, 2]);
    let (standings, _) = decide(&[SICK, SPARE], &Settings::default());
    assert_eq!(standings[1].state, State::Up);
}

#[test]
fn agents_cannot_take_the_service_out() {
    assert_eq!(used(&[drained(), maint()]), [0], "drained ones still work");
    assert_eq!(used(&[maint(), maint()]), [0, 1]);
    assert_eq!(used(&[SICK, drained()]), [1]);
    assert_eq!(
        used(&[SICK, SICK, SICK, SICK, SICK, drained()]),
        [0, 1, 2, 3, 4]
    );
}

#[test]
fn weight_0_stays_out_whatever_happens() {
    assert_eq!(used(&[OUT, SICK]), [1]);
    assert_eq!(used(&[OUT, OUT]), [0; 0]);
    assert_eq!(used(&[]), [0; 0]);
}

#[test]
fn who_was_out_when_it_was_taken_over_stays_out() {
    let held = Fitness { held: true, ..FIT };
    assert_eq!(used(&[FIT, held, FIT]), [0, 2]);
}
