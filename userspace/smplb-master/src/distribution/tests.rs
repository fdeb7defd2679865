// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::evidence::Figures;

fn sum(rate: f64, utilization: f64, errors: f64, exec: f64) -> Sum {
    let said = |figure: f64| (figure > 0.0).then_some(figure);
    let figures = Figures {
        rate: said(rate),
        errors: said(errors),
        utilization: said(utilization),
        exec: said(exec),
    };
    Sum::of(&figures, 1.0)
}

fn law(algorithm: Algorithm) -> Box<dyn Distribution> {
    of(&Settings {
        algorithm,
        ..Settings::default()
    })
}

fn measured(law: &dyn Distribution, sum: &Sum) -> f64 {
    law.measure(sum).unwrap().log.exp()
}

#[test]
fn capacity_is_rate_by_utilization_and_errors() {
    let law = law(Algorithm::Capacity);
    let close = |sum: Sum, wanted: f64| {
        let got = measured(&*law, &sum);
        assert!((got / wanted - 1.0).abs() < 1e-9, "{got} is not {wanted}");
    };
    close(sum(100.0, 0.5, 0.0, 0.0), 200.0);
    close(sum(100.0, 1.6, 0.0, 0.0), 62.5);
    close(sum(100.0, 0.5, 50.0, 0.0), 100.0);
    // Fails at once and does nothing: not better than one that works.
    close(sum(100.0, 0.05, 100.0, 0.0), 100.0 / 1.05);
    assert_eq!(law.measure(&sum(0.0, 0.5, 0.0, 0.0)), None);
    assert_eq!(law.measure(&sum(100.0, 0.0, 0.0, 0.1)), None);
    // It tells no utilization, but nothing works.
    close(sum(100.0, 0.0, 100.0, 0.0), 100.0);
    assert_eq!(law.measure(&sum(100.0, 0.0, 10.0, 0.0)), None);
}

#[test]
fn more_requests_say_more() {
    let law = law(Algorithm::Capacity);
    let variance = |requests: f64| law.measure(&sum(requests, 0.5, 0.0, 0.0)).unwrap().variance;
    assert!((variance(100.0) - 0.02).abs() < 1e-12);
    assert!((variance(100.0) / variance(400.0) - 4.0).abs() < 1e-9);
}

#[test]
fn even_does_not_see_a_swing_of_the_load() {
    let law = law(Algorithm::Even);
    let low = measured(&*law, &sum(100.0, 0.2, 0.0, 0.0));
    let high = measured(&*law, &sum(400.0, 0.8, 0.0, 0.0));
    assert!((low / high - 1.0).abs() < 1e-9);
    assert_eq!(law.answer(-0.4), -0.2);
}

#[test]
fn nobody_is_better_for_failing_fast() {
    for algorithm in [Algorithm::Capacity, Algorithm::Even, Algorithm::Latency] {
        let law = law(algorithm);
        let works = measured(&*law, &sum(100.0, 0.5, 0.0, 0.02));
        let fails = measured(&*law, &sum(100.0, 0.01, 100.0, 0.0001));
        let half = measured(&*law, &sum(100.0, 0.25, 50.0, 0.01));
        assert!(
            fails < works && half < works,
            "{algorithm:?}: {works} {fails} {half}"
        );
    }
}

#[test]
fn latency_takes_small_steps() {
    let law = law(Algorithm::Latency);
    assert!(law.asks_for_more());
    assert!((law.answer(1.0) - 0.03125).abs() < 1e-12);
    assert_eq!(law.answer(-50.0), -0.1);
    let slow = measured(&*law, &sum(100.0, 0.0, 0.0, 0.2));
    let fast = measured(&*law, &sum(100.0, 0.0, 0.0, 0.1));
    assert!((fast / slow - 2.0).abs() < 1e-9);
}

#[test]
fn prefer_wants_all_labels_and_shares_by_another() {
    let settings = Settings {
        algorithm: Algorithm::Prefer,
        prefer_by: Algorithm::Latency,
        labels: vec!["gpu".into(), "ssd".into()],
        ..Settings::default()
    };
    let law = of(&settings);
    assert!(law.prefers(&|_| true));
    assert!(!law.prefers(&|label| label == "gpu"));
    assert!(law.asks_for_more());
}

#[test]
fn static_learns_nothing() {
    let law = law(Algorithm::Static);
    assert!(!law.learns());
    assert_eq!(law.measure(&sum(100.0, 0.5, 0.0, 0.1)), None);
}
