// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn part(weight: f64, factor: f64) -> Part {
    Part {
        used: true,
        weight,
        log: f64::ln(factor),
        slow: None,
        percent: 1.0,
        full: false,
    }
}

fn close(parts: &[Part], wanted: &[f64]) {
    let shares = shares(parts, true, &Settings::default());
    let near = shares.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(
        near && shares.len() == wanted.len(),
        "{shares:?} is not {wanted:?}"
    );
}

#[test]
fn shares_follow_weights_and_what_was_learned() {
    close(&[part(100.0, 1.0), part(300.0, 1.0)], &[0.25, 0.75]);
    close(&[part(100.0, 2.0), part(100.0, 6.0)], &[0.25, 0.75]);
    let out = Part {
        used: false,
        ..part(100.0, 1.0)
    };
    close(&[part(100.0, 1.0), out], &[1.0, 0.0]);
    close(&[out], &[0.0]);
    close(&[], &[]);
}

#[test]
fn nobody_gets_less_than_the_minimum() {
    close(&[part(1.0, 1e-9), part(1.0, 1.0)], &[0.015, 0.985]);
    // Raising one pushes another below.
    let parts = [
        part(1.0, 1e-9),
        part(1.0, 0.0305),
        part(1.0, 1.0),
        part(1.0, 2.0),
    ];
    let shares = shares(&parts, true, &Settings::default());
    assert!(
        shares.iter().all(|share| *share >= 0.03 / 4.0 - 1e-12),
        "{shares:?}"
    );
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!((shares[3] / shares[2] - 2.0).abs() < 1e-9);
}

#[test]
fn a_percentage_is_of_the_result() {
    let half = Part {
        percent: 0.5,
        ..part(100.0, 2.0)
    };
    close(&[half, part(100.0, 1.0)], &[0.5, 0.5]);
    let little = Part {
        percent: 0.001,
        ..part(1.0, 1.0)
    };
    let shares = shares(&[little, part(1.0, 1.0)], true, &Settings::default());
    assert!(shares[0] < 0.0011, "the minimum does not undo a word");
}

#[test]
fn who_came_back_gets_a_part_and_who_is_full_the_minimum() {
    let slow = Part {
        slow: Some(0.1),
        ..part(1.0, 1.0)
    };
    close(&[slow, part(1.0, 1.0)], &[1.0 / 11.0, 10.0 / 11.0]);
    let full = Part {
        full: true,
        ..part(1.0, 8.0)
    };
    let shares = shares(&[full, part(1.0, 1.0)], true, &Settings::default());
    assert!(shares[0] < 0.13, "{shares:?}");
    close(&[full, full], &[0.5, 0.5]);
}

#[test]
fn a_fair_share_is_1000() {
    assert_eq!(integers(&[0.25, 0.75]), [500, 1500]);
    assert_eq!(integers(&[0.5, 0.0, 0.5]), [1000, 0, 1000]);
    assert_eq!(integers(&[1e-9, 1.0]), [2, 2000]);
    let mut many = vec![1e-9; 100];
    many.push(1.0);
    assert_eq!(integers(&many)[100], LARGEST);
}

/// Whatever does not fit into the slots of the switch is rounded there, and equals become unequal.
#[test]
fn equal_servers_get_equal_slots() {
    for servers in [3usize, 10, 60, 100, 300, 700] {
        let mut shares = vec![1.0 / servers as f64; servers];
        shares[0] *= 0.8;
        shares[1] *= 1.1;
        let weights = integers(&shares);
        assert!(
            weights[2..].iter().all(|weight| *weight == 1000),
            "{servers}: {weights:?}"
        );
        let divisor = weights.iter().fold(0, |a, b| gcd(a, *b));
        assert!(
            weights.iter().sum::<u32>() / divisor <= 1024,
            "{servers}: {weights:?}"
        );
    }
    // At most one percent of a fair share is lost by that in a pool of ten.
    let weights = integers(&[
        0.0312, 0.4, 0.1233, 0.05, 0.05, 0.1, 0.05, 0.05, 0.1, 0.0455,
    ]);
    assert_eq!(weights[..3], [310, 4000, 1230]);
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 {
        a
    } else {
        gcd(b, a % b)
    }
}

#[test]
fn configured_weights_stay_as_they_are() {
    let out = Part {
        used: false,
        ..part(7.0, 1.0)
    };
    assert_eq!(
        configured(&[part(3.0, 1.0), out, part(1.0, 1.0)]),
        Some(vec![3, 0, 1])
    );
    let slow = Part {
        slow: Some(0.1),
        ..part(3.0, 1.0)
    };
    assert_eq!(configured(&[slow, part(1.0, 1.0)]), None);
    assert_eq!(configured(&[part(1e6, 1.0)]), Some(vec![LARGEST]));
}
