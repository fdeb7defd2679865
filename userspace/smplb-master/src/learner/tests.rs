// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::distribution;
use crate::evidence::{Figures, Sum};
use crate::settings::Algorithm;

/// A window in which a server of this capacity answered requests at a utilization.
fn window(capacity: f64, utilization: f64) -> Sum {
    let rate = capacity * utilization;
    let figures = Figures {
        rate: Some(rate),
        utilization: Some(utilization),
        exec: Some(1.0 / capacity),
        ..Figures::default()
    };
    Sum::of(&figures, 400.0 / rate)
}

fn hear(mind: &mut Mind, sum: Sum) {
    mind.ripe |= mind.evidence.add(sum, 100.0);
}

fn study(minds: &mut [Mind], settings: &Settings, overloaded: bool) {
    let law = distribution::of(settings);
    let mut pupils: Vec<_> = minds
        .iter_mut()
        .map(|mind| Pupil {
            mind,
            weight: 100.0,
        })
        .collect();
    learn(&mut pupils, &*law, settings, overloaded);
}

fn goals(minds: &[Mind]) -> Vec<f64> {
    minds.iter().map(|mind| mind.goal.exp()).collect()
}

/// Every server fills a window at these capacities.
fn turn(minds: &mut [Mind], capacities: &[f64], utilization: f64) {
    for (mind, capacity) in minds.iter_mut().zip(capacities) {
        hear(mind, window(*capacity, utilization));
    }
    study(minds, &Settings::default(), false);
}

#[test]
fn a_clear_difference_is_seen_in_one_window() {
    let mut minds = vec![Mind::default(); 3];
    turn(&mut minds, &[100.0, 200.0, 400.0], 0.5);
    let goals = goals(&minds);
    assert!((goals[1] / goals[0] - 2.0).abs() < 1e-9, "{goals:?}");
    assert!((goals[2] / goals[0] - 4.0).abs() < 1e-9, "{goals:?}");
}

#[test]
fn a_small_difference_takes_many_windows() {
    // 400 requests: one window varies by 7 %, 32 of them by 1.2 %.
    let mut minds = vec![Mind::default(); 5];
    let mut turns = 0;
    while minds[0].goal == 0.0 && turns < 100 {
        turn(&mut minds, &[90.0, 100.0, 100.0, 100.0, 100.0], 0.5);
        turns += 1;
    }
    assert!((5..=32).contains(&turns), "{turns}");
    let goals = goals(&minds);
    assert!((goals[0] - 0.9).abs() < 1e-6, "{goals:?}");
    assert!(goals[1..].iter().all(|goal| *goal == 1.0));
}

#[test]
fn what_swings_for_all_moves_nobody() {
    let mut minds = vec![Mind::default(); 4];
    for i in 0..200 {
        let swing = 1.0 + 0.6 * (f64::from(i) / 5.0).sin();
        turn(&mut minds, &[100.0 * swing; 4], 0.3 * swing);
    }
    assert_eq!(goals(&minds), [1.0; 4]);
}

#[test]
fn after_a_change_the_past_is_dropped_and_the_figure_made_exact() {
    let mut minds = vec![Mind::default(); 5];
    let mut capacities = [100.0; 5];
    (0..40).for_each(|_| turn(&mut minds, &capacities, 0.5));
    // The first window after the change shows too much of it.
    capacities[0] = 35.0;
    turn(&mut minds, &capacities, 0.5);
    assert!(
        (goals(&minds)[0] - 0.35).abs() < 1e-9,
        "{:?}",
        goals(&minds)
    );
    capacities[0] = 50.0;
    (0..40).for_each(|_| turn(&mut minds, &capacities, 0.5));
    assert!((goals(&minds)[0] - 0.5).abs() < 0.02, "{:?}", goals(&minds));
}

#[test]
fn the_past_does_not_argue_with_the_present() {
    let mut minds = vec![Mind::default(); 3];
    // Lies for a while, not believed, then tells the truth.
    for _ in 0..20 {
        turn(&mut minds, &[100.0, 100.0, 100.0], 0.5);
        hear(&mut minds[0], window(5000.0, 0.01));
        study(&mut minds, &Settings::default(), false);
    }
    assert!(minds[0].incredible);
    for _ in 0..40 {
        turn(&mut minds, &[100.0, 100.0, 100.0], 0.5);
    }
    assert!(!minds[0].incredible);
    assert_eq!(goals(&minds), [1.0; 3]);
}

#[test]
fn a_liar_is_not_believed_but_a_fast_server_is() {
    let mut minds = vec![Mind::default(); 3];
    hear(&mut minds[0], window(7000.0, 0.01));
    hear(&mut minds[1], window(100.0, 0.7));
    hear(&mut minds[2], window(100.0, 0.7));
    study(&mut minds, &Settings::default(), false);
    assert!(minds[0].incredible && goals(&minds) == [1.0; 3]);
    let mut minds = vec![Mind::default(); 3];
    turn(&mut minds, &[1600.0, 100.0, 100.0], 0.5);
    assert!(!minds[0].incredible && minds[0].goal > 2.0);
}

#[test]
fn in_an_overload_only_trouble_of_its_own_counts() {
    let mut minds = vec![Mind::default(); 4];
    let mut study_at = |capacity: f64, turns: usize| {
        for _ in 0..turns {
            for (i, mind) in minds.iter_mut().enumerate() {
                hear(mind, window(if i == 0 { capacity } else { 100.0 }, 1.2));
            }
            study(&mut minds, &Settings::default(), true);
        }
        minds[0].goal.exp()
    };
    assert_eq!(study_at(85.0, 40), 1.0);
    assert!(study_at(50.0, 10) < 0.6);
}

#[test]
fn more_servers_need_clearer_evidence() {
    let settings = Settings::default();
    let certainty = [2, 4, 10, 100].map(|servers| certainty(servers, &settings));
    assert_eq!(certainty[0], 3.5);
    assert_eq!(certainty[1], 3.5);
    assert!(certainty[2] > 3.7 && certainty[3] > 4.2 && certainty[3] < 4.5);
}

#[test]
fn latency_goes_by_steps_and_waits_for_each_to_show() {
    let settings = Settings {
        algorithm: Algorithm::Latency,
        ..Settings::default()
    };
    let mut minds = vec![Mind::default(); 3];
    let hear_all = |minds: &mut Vec<Mind>| {
        for _ in 0..10 {
            for (mind, capacity) in minds.iter_mut().zip([100.0, 300.0, 300.0]) {
                hear(mind, window(capacity, 0.5));
            }
            study(minds, &settings, false);
        }
    };
    hear_all(&mut minds);
    let first = minds[0].goal;
    assert!((-0.1..-0.01).contains(&first), "{first}");
    hear_all(&mut minds);
    assert_eq!(minds[0].goal, first, "it has not been published");
    minds[0].at = first;
    hear_all(&mut minds);
    assert!(minds[0].goal < first);
}

/// The first step of `even` leaves half of the difference, which no window shows clearly by itself.
#[test]
fn what_is_left_of_a_clear_difference_follows() {
    let settings = Settings {
        algorithm: Algorithm::Even,
        ..Settings::default()
    };
    let mut minds = vec![Mind::default(); 4];
    for _ in 0..8 {
        for (mind, capacity) in minds.iter_mut().zip([60.0, 100.0, 100.0, 100.0]) {
            hear(mind, window(capacity, 0.5));
        }
        study(&mut minds, &settings, false);
    }
    assert!(
        (goals(&minds)[0] / 0.6 - 1.0).abs() < 0.08,
        "{:?}",
        goals(&minds)
    );
}

/// The window in which a server changed is half of the time before.
#[test]
fn the_window_of_a_change_is_not_counted_for_long() {
    let mut minds = vec![Mind::default(); 4];
    (0..40).for_each(|_| turn(&mut minds, &[100.0; 4], 0.5));
    turn(&mut minds, &[70.0, 100.0, 100.0, 100.0], 0.5);
    for _ in 0..3 {
        turn(&mut minds, &[50.0, 100.0, 100.0, 100.0], 0.5);
    }
    assert!(
        (goals(&minds)[0] / 0.5 - 1.0).abs() < 0.02,
        "{:?}",
        goals(&minds)
    );
}

/// A queue that drains is slow until it is empty: less would only starve the server.
#[test]
fn latency_waits_while_a_server_is_on_its_way() {
    let settings = Settings {
        algorithm: Algorithm::Latency,
        ..Settings::default()
    };
    let mut minds = vec![Mind::default(); 4];
    let mut turn = |exec: f64| {
        for (i, mind) in minds.iter_mut().enumerate() {
            hear(mind, window(if i == 0 { 1.0 / exec } else { 100.0 }, 0.5));
            mind.at = mind.goal;
        }
        study(&mut minds, &settings, false);
        minds[0].goal
    };
    let first = turn(8.0);
    assert!(first < 0.0);
    assert_eq!((turn(7.0), turn(5.0), turn(2.0)), (first, first, first));
    assert!(turn(2.5) < first);
}

#[test]
fn latency_is_frozen_in_an_overload() {
    let settings = Settings {
        algorithm: Algorithm::Latency,
        ..Settings::default()
    };
    let mut minds = vec![Mind::default(); 4];
    for _ in 0..40 {
        for (i, mind) in minds.iter_mut().enumerate() {
            hear(mind, window(if i == 0 { 1.0 } else { 100.0 }, 1.2));
        }
        study(&mut minds, &settings, true);
    }
    assert_eq!(goals(&minds), [1.0; 4]);
}
