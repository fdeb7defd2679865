// SPDX-License-Identifier: MIT OR Apache-2.0

use smplb_orca::label_metric;

use super::*;

fn names<'a>(pairs: impl IntoIterator<Item = (&'a str, f64)>) -> HashMap<String, f64> {
    pairs
        .into_iter()
        .map(|(name, figure)| (name.to_owned(), figure))
        .collect()
}

#[test]
fn every_figure_has_its_place() {
    let wire = OrcaLoadReport {
        cpu_utilization: 0.821,
        mem_utilization: 0.5847,
        application_utilization: 1.5,
        rps_fractional: 1234.5,
        eps: 2.0,
        utilization: names([("util", 0.30499), ("disk", 0.0)]),
        named_metrics: names([
            (CLIENTS, 7.0),
            (EXEC_SECONDS, 0.004),
            ("smplb.label.gpu", 1.0),
            ("smplb.label.avx512", 0.5),
            ("smplb.label.gone", 0.0),
            ("smplb.label.odd", f64::NAN),
            ("smplb.label.", 1.0),
            ("queue", 3.0),
        ]),
        ..OrcaLoadReport::default()
    };
    let expected = Report {
        rate: Some(1234.5),
        errors: Some(2.0),
        application: Some(1.5),
        cpu: Some(0.821),
        memory: Some(0.5847),
        named: [("util".to_owned(), 0.30499), ("disk".to_owned(), 0.0)].into(),
        clients: Some(7.0),
        exec_seconds: Some(0.004),
        labels: vec!["avx512".into(), "gpu".into()],
    };
    assert_eq!(report(wire), Ok(expected));
}

#[test]
fn what_is_not_set_is_not_said() {
    assert_eq!(report(OrcaLoadReport::default()), Ok(Report::default()));
}

#[test]
#[allow(deprecated)]
fn the_whole_rate_counts_only_without_the_exact_one() {
    let old = OrcaLoadReport {
        rps: 40,
        ..OrcaLoadReport::default()
    };
    assert_eq!(report(old.clone()).unwrap().rate, Some(40.0));
    let both = OrcaLoadReport {
        rps_fractional: 39.6,
        ..old
    };
    assert_eq!(report(both).unwrap().rate, Some(39.6));
}

#[test]
fn lies_are_passed_on() {
    let wire = OrcaLoadReport {
        cpu_utilization: f64::NAN,
        application_utilization: -1.0,
        rps_fractional: f64::INFINITY,
        eps: 1e300,
        ..OrcaLoadReport::default()
    };
    let report = report(wire).unwrap();
    assert!(report.cpu.unwrap().is_nan());
    assert_eq!(report.application, Some(-1.0));
    assert_eq!(report.rate, Some(f64::INFINITY));
    assert_eq!(report.errors, Some(1e300));
}

#[test]
fn the_number_of_names_is_bounded() {
    let many = |count: usize, name: fn(usize) -> String| -> HashMap<_, _> {
        (0..count).map(|number| (name(number), 0.5)).collect()
    };
    let plain: fn(usize) -> String = |number| format!("disk{number}");
    let label: fn(usize) -> String = |number| label_metric(&number.to_string());

    let most = OrcaLoadReport {
        utilization: many(NAMES, plain),
        named_metrics: many(NAMES, label),
        ..OrcaLoadReport::default()
    };
    let taken = report(most).unwrap();
    assert_eq!((taken.named.len(), taken.labels.len()), (NAMES, NAMES));

    let wire = OrcaLoadReport {
        utilization: many(65, plain),
        ..OrcaLoadReport::default()
    };
    assert_eq!(
        report(wire),
        Err(Wrong::TooMany {
            what: "named utilizations",
            found: 65
        })
    );
    let wire = OrcaLoadReport {
        named_metrics: many(65, label),
        ..OrcaLoadReport::default()
    };
    assert_eq!(
        report(wire),
        Err(Wrong::TooMany {
            what: "labels",
            found: 65
        })
    );
    // Metrics of others do no harm: nothing is kept of them.
    let wire = OrcaLoadReport {
        named_metrics: many(500, plain),
        ..OrcaLoadReport::default()
    };
    assert_eq!(report(wire), Ok(Report::default()));
}

#[test]
fn a_name_is_bounded_and_printable() {
    let of = |name: &str| {
        report(OrcaLoadReport {
            utilization: names([(name, 0.5)]),
            ..OrcaLoadReport::default()
        })
    };
    assert!(of(&"n".repeat(NAME)).is_ok());
    let long = of(&"n".repeat(NAME + 1)).unwrap_err();
    assert!(
        matches!(&long, Wrong::TooLong { octets: 129, start } if start.len() == 32),
        "{long}"
    );
    let escape = of("cpu\x1b[2J").unwrap_err();
    assert_eq!(
        escape.to_string(),
        "a name with control characters: \"cpu [2J\""
    );
}
