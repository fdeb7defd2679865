// SPDX-License-Identifier: MIT OR Apache-2.0
//! The dashboard and the alerts ask for metrics that there are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// How the names of all our metrics begin.
const PREFIX: &str = "smplb_";

fn of_crate(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every word of a text that begins as a metric does, with what stands before it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let starts = text.match_indices(PREFIX);
    starts.filter_map(|(at, _)| {
        let before = &text[..at];
        let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let end =
            text[at..].find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '_');
        let word = &text[at..at + end.unwrap_or(text.len() - at)];
        (!inside).then_some((before, word))
    })
}

/// The series that smplbd tells: what the sources of its metrics name, with the suffixes of the type.
fn told() -> BTreeSet<String> {
    let mut files = vec![of_crate("src/metrics.rs")];
    for entry in fs::read_dir(of_crate("src/metrics")).unwrap() {
        files.push(entry.unwrap().path());
    }
    let mut names = BTreeSet::new();
    let source = |file: &&PathBuf| file.is_file() && !file.ends_with("tests.rs");
    for file in files.iter().filter(source) {
        let text = read(file);
        for (before, name) in words(&text) {
            let Some(before) = before.strip_suffix('"') else {
                continue;
            };
            let before = before.trim_end();
            let suffixes: &[&str] = if before.ends_with(".gauge(") {
                &[""]
            } else if before.ends_with(".histogram(") {
                &["_bucket", "_sum", "_count"]
            } else {
                &["_total"]
            };
            names.extend(suffixes.iter().map(|suffix| format!("{name}{suffix}")));
        }
    }
    names
}

/// The series that a file asks for.
fn asked(file: &str) -> BTreeSet<String> {
    let text = read(&of_crate(file));
    let names = words(&text).map(|(_, name)| name.to_owned());
    names.collect()
}

fn all_are_told(file: &str, at_least: usize) {
    let told = told();
    assert!(told.len() > 40, "{told:?}");
    let asked = asked(file);
    let missing: Vec<_> = asked.difference(&told).collect();
    assert!(
        missing.is_empty(),
        "{file} asks for {missing:?}, which smplbd does not tell"
    );
    assert!(asked.len() >= at_least, "{file} asks for {asked:?} only");
}

#[test]
fn the_dashboard_asks_for_what_there_is() {
    all_are_told("../../packaging/grafana/smplb.json", 30);
}

#[test]
fn the_alerts_ask_for_what_there_is() {
    all_are_told("../../packaging/prometheus/smplb.rules.yml", 12);
}

#[test]
fn the_manual_names_what_there_is() {
    all_are_told("../../Documentation/load.md", 8);
}

#[test]
fn types_have_their_suffixes() {
    let told = told();
    for name in [
        "smplb_generation",
        "smplb_dropped_packets_total",
        "smplb_publish_duration_seconds_bucket",
        "smplb_engine_busy_seconds_total",
        "smplb_backend_utilization",
    ] {
        assert!(told.contains(name), "{name} is not in {told:?}");
    }
    for name in [
        "smplb_generation_total",
        "smplb_dropped_packets",
        "smplb_publish_duration_seconds",
    ] {
        assert!(!told.contains(name), "{name}");
    }
}
