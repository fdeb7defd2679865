// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn at_most_20_a_second_are_admitted() {
    let mut pulse = Pulse::default();
    let admitted = (0..1000)
        .filter(|i| pulse.admit(Duration::from_millis(*i)))
        .count();
    // A burst of 20 at first, then 20 in the second.
    assert!((38..=40).contains(&admitted), "{admitted}");
    let mut pulse = Pulse::default();
    assert!((0..300).all(|i| pulse.admit(Duration::from_millis(100 * i))));
}

#[test]
fn the_interval_is_the_observed_one() {
    let settings = Settings::default();
    let mut pulse = Pulse::default();
    for i in 0..5 {
        pulse.beat(s(30 * i), &settings);
    }
    assert_eq!(pulse.interval(), Some(s(30)));
    assert_eq!(pulse.left(s(89), &settings), 1.0);
    assert!(pulse.left(s(100), &settings) < 1.0);
    assert_eq!(pulse.left(s(180), &settings), 0.0);
}

#[test]
fn influence_fades_between_expiry_and_twice_that() {
    let settings = Settings::default();
    let mut pulse = Pulse::default();
    pulse.beat(s(0), &settings);
    pulse.beat(s(1), &settings);
    let left = [10, 15, 20, 60].map(|silence| pulse.left(s(silence), &settings));
    assert_eq!(left, [1.0, 0.5, 0.0, 0.0]);
}

#[test]
fn a_blackout_takes_its_time_and_its_reports() {
    let settings = Settings::default();
    let mut pulse = Pulse::default();
    assert!(
        !pulse.is_blackout(s(0), &settings),
        "who never reported has none"
    );
    for i in 0..9 {
        pulse.beat(s(i), &settings);
    }
    assert!(pulse.is_blackout(s(9), &settings));
    assert!(!pulse.is_blackout(s(10), &settings));
    let mut slow = Pulse::default();
    for i in 0..4 {
        slow.beat(s(30 * i), &settings);
    }
    assert!(slow.is_blackout(s(119), &settings));
    slow.beat(s(120), &settings);
    assert!(!slow.is_blackout(s(120), &settings));
}

#[test]
fn a_silence_begins_another_blackout() {
    let settings = Settings::default();
    let mut pulse = Pulse::default();
    for i in 0..20 {
        pulse.beat(s(i), &settings);
    }
    assert!(!pulse.is_blackout(s(19), &settings));
    let (stands_for, silence) = pulse.beat(s(60), &settings);
    assert!(
        silence && stands_for < 6.0,
        "nobody knows what happened in between"
    );
    assert!(pulse.is_blackout(s(60), &settings));
}

#[test]
fn time_that_stands_still_does_no_harm() {
    let settings = Settings::default();
    let mut pulse = Pulse::default();
    pulse.beat(s(5), &settings);
    assert_eq!(pulse.beat(s(5), &settings), (0.0, false));
    assert_eq!(pulse.beat(s(4), &settings).0, 0.0);
    assert_eq!(pulse.age(s(3)), Some(s(0)));
}
