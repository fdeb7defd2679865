// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn cpu(value: f64) -> Report {
    Report {
        cpu: Some(value),
        ..Report::default()
    }
}

fn name(report: &Report) -> Option<&'static str> {
    report.check().err().map(|reason| reason.name())
}

#[test]
fn what_servers_say_is_believed() {
    let report = Report {
        rate: Some(1e5),
        errors: Some(0.0),
        application: Some(1.7),
        memory: Some(1.0),
        named: [("gpu".to_owned(), 0.5)].into(),
        exec_seconds: Some(0.02),
        clients: Some(12.0),
        labels: vec!["gpu".into()],
        ..Report::default()
    };
    assert_eq!(report.check(), Ok(()));
    assert_eq!(cpu(10.0).check(), Ok(()));
}

#[test]
fn reasons_have_names() {
    assert_eq!(name(&cpu(f64::NAN)), Some("not-a-number"));
    assert_eq!(name(&cpu(f64::INFINITY)), Some("not-a-number"));
    assert_eq!(name(&cpu(-0.1)), Some("negative"));
    assert_eq!(name(&cpu(10.1)), Some("absurd"));
    assert_eq!(
        name(&Report {
            rate: Some(1.1e9),
            ..Report::default()
        }),
        Some("absurd")
    );
    assert_eq!(
        name(&Report {
            exec_seconds: Some(3601.0),
            ..Report::default()
        }),
        Some("absurd")
    );
}

#[test]
fn named_figures_are_judged_and_bounded() {
    let named = |value: f64, n: usize| Report {
        named: (0..n).map(|i| (format!("r{i}"), value)).collect(),
        ..Report::default()
    };
    assert_eq!(named(0.5, 64).check(), Ok(()));
    assert_eq!(name(&named(0.5, 65)), Some("too-many"));
    assert_eq!(name(&named(f64::NAN, 1)), Some("not-a-number"));
    let labels = vec![String::new(); 65];
    assert_eq!(
        name(&Report {
            labels,
            ..Report::default()
        }),
        Some("too-many")
    );
    let text = named(-1.0, 1).check().unwrap_err().to_string();
    assert_eq!(text, "utilization \"r0\" is -1, which is below zero");
}
