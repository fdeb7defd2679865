// SPDX-License-Identifier: MIT OR Apache-2.0
use super::*;

fn field(word: &str) -> Field {
    word.parse().unwrap()
}

fn report(figures: &[(&str, f64)]) -> Report {
    let mut report = Report::default();
    for (word, value) in figures {
        report.set(field(word), *value).unwrap();
    }
    report
}

#[test]
fn names_of_fields_go_both_ways() {
    for word in [
        "rps",
        "eps",
        "clients",
        "exec-seconds",
        "application-utilization",
        "cpu-utilization",
        "mem-utilization",
        "utilization:disk",
        "named:queue.length",
    ] {
        assert_eq!(field(word).to_string(), word);
    }
    for word in [
        "",
        "RPS",
        "utilization:",
        "named",
        "named:",
        "named:a b",
        "other:x",
    ] {
        let error = word.parse::<Field>().unwrap_err().to_string();
        assert!(error.contains("is no field; use rps"), "{error}");
    }
    assert!(format!("named:{}", "x".repeat(101))
        .parse::<Field>()
        .is_err());
}

#[test]
fn figures_are_held_to_the_rules_of_orca() {
    for (word, value, good) in [
        ("rps", 0.0, true),
        ("rps", -1.0, false),
        ("rps", f64::NAN, false),
        ("rps", f64::INFINITY, false),
        ("application-utilization", 1.7, true),
        ("mem-utilization", 1.0, true),
        ("mem-utilization", 1.1, false),
        ("utilization:disk", 1.1, false),
        ("utilization:disk", f64::NAN, false),
        ("named:temperature", -20.0, true),
        ("named:temperature", f64::NEG_INFINITY, false),
    ] {
        let outcome = Report::default().set(field(word), value);
        assert_eq!(outcome.is_ok(), good, "{word} {value}");
    }
    let error = Report::default().set(field("rps"), -1.0).unwrap_err();
    assert_eq!(error.to_string(), "rps cannot be -1: it must be 0 or more");
}

#[test]
fn each_figure_has_its_place_on_the_wire() {
    let orca = report(&[
        ("cpu-utilization", 1.5),
        ("mem-utilization", 0.25),
        ("application-utilization", 0.5),
        ("rps", 100.5),
        ("eps", 0.5),
        ("clients", 7.0),
        ("exec-seconds", 0.02),
        ("utilization:disk", 0.75),
        ("named:x", -1.0),
    ])
    .orca();
    let wanted = OrcaLoadReport {
        cpu_utilization: 1.5,
        mem_utilization: 0.25,
        application_utilization: 0.5,
        rps_fractional: 100.5,
        eps: 0.5,
        utilization: [("disk".to_owned(), 0.75)].into(),
        named_metrics: [
            (CLIENTS.to_owned(), 7.0),
            (EXEC_SECONDS.to_owned(), 0.02),
            ("x".to_owned(), -1.0),
        ]
        .into(),
        ..OrcaLoadReport::default()
    };
    assert_eq!(orca, wanted);
}

#[test]
fn json_uses_the_names_of_the_wire() {
    let report = report(&[("rps", 2.5), ("clients", 3.0), ("utilization:disk", 0.5)]);
    assert_eq!(
        report.json(),
        json!({
            "rps_fractional": 2.5,
            "utilization": {"disk": 0.5},
            "named_metrics": {"smplb.clients": 3.0},
        })
    );
    assert_eq!(Report::default().json(), json!({}));
}

#[test]
fn a_full_report_takes_no_more_names() {
    let mut full = Report::default();
    for n in 0..MOST_NAMED {
        full.set(field(&format!("named:{n}")), 1.0).unwrap();
    }
    let more = report(&[("named:0", 5.0), ("named:new", 1.0), ("rps", 2.0)]);
    assert_eq!(full.merge(&more), 1);
    assert_eq!(full.get(&field("named:0")), Some(5.0));
    assert_eq!(full.get(&field("rps")), Some(2.0));
    assert_eq!(full.get(&field("named:new")), None);
}

#[test]
fn utilization_is_the_applications_own_if_it_has_one() {
    assert_eq!(Report::default().utilization(), None);
    let system = [("cpu-utilization", 0.5), ("mem-utilization", 0.75)];
    assert_eq!(report(&system).utilization(), Some(0.75));
    let mut own = report(&system);
    own.set(Field::Application, 0.1).unwrap();
    assert_eq!(own.utilization(), Some(0.1));
}
