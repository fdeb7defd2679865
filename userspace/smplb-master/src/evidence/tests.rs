// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;
use crate::report::Report;
use crate::settings::{Settings, Source};

fn report(rate: f64, utilization: f64) -> Sum {
    let figures = Figures {
        rate: Some(rate),
        utilization: Some(utilization),
        ..Figures::default()
    };
    Sum::of(&figures, 1.0)
}

#[test]
fn a_window_is_full_with_enough_requests() {
    let mut evidence = Evidence::default();
    let full = [40.0, 40.0, 40.0, 250.0].map(|rate| evidence.add(report(rate, 0.5), 100.0));
    assert_eq!(full, [false, false, true, true]);
    assert_eq!(evidence.last(1).unwrap().requests, 250.0);
    assert_eq!(evidence.last(9).unwrap().requests, 370.0);
}

#[test]
fn a_quiet_server_fills_one_in_30_seconds() {
    let mut evidence = Evidence::default();
    let full = (0..60)
        .filter(|_| evidence.add(report(0.1, 0.01), 100.0))
        .count();
    assert_eq!(full, 2);
}

#[test]
fn old_windows_go() {
    let mut evidence = Evidence::default();
    for i in 0..40 {
        assert!(evidence.add(report(100.0 + f64::from(i), 0.5), 100.0));
    }
    assert_eq!(evidence.len(), MOST_WINDOWS);
    evidence.keep(2);
    assert_eq!(evidence.last(32).unwrap().requests, 138.0 + 139.0);
    assert_eq!(evidence.newest_two().unwrap().0.requests, 139.0);
    evidence.clear();
    assert_eq!(evidence.last(1), None);
}

#[test]
fn cost_counts_only_reports_that_tell_it() {
    let mut sum = report(100.0, 0.5);
    sum.add(&Sum::of(
        &Figures {
            rate: Some(300.0),
            ..Figures::default()
        },
        1.0,
    ));
    assert_eq!(sum.cost(), Some(0.005));
    assert_eq!(sum.requests, 400.0);
    assert_eq!(sum.exec(), None);
    assert_eq!(sum.utilization(), Some(1.0));
}

#[test]
fn zero_is_not_said() {
    let settings = Settings {
        utilization: vec![Source::Application, Source::Cpu],
        ..Settings::default()
    };
    let report = Report {
        rate: Some(0.0),
        application: Some(0.0),
        cpu: Some(0.3),
        ..Report::default()
    };
    let figures = Figures::of(&report, &settings);
    assert_eq!((figures.rate, figures.utilization), (None, Some(0.3)));
    assert_eq!(Sum::of(&figures, 1.0).cost(), None);
}

#[test]
fn no_more_requests_fail_than_there_are() {
    let figures = Figures {
        rate: Some(1.0),
        errors: Some(50.0),
        ..Figures::default()
    };
    assert_eq!(Sum::of(&figures, 1.0).failed(), 1.0);
    assert_eq!(Sum::default().failed(), 0.0);
}
