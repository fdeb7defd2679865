// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told of the measurements: a table, whether the goals are met, and where
//! instructions and cache lines go.

use super::super::report::met;
use super::{profile, Row, OURS};

/// Functions of what one engine did for packets of known connections.
pub fn profiles(rows: &[Row]) -> String {
    let wanted = |row: &&Row| row.engines == 1 && row.scenario == "nat-hit" && row.system == OURS;
    let part = |row: &Row| {
        format!(
            "{} with connections: {}; instructions per packet by function\n```\n{}```\n",
            row.scenario,
            row.flows,
            profile::text(&row.functions)
        )
    };
    rows.iter().filter(wanted).map(part).collect()
}

/// The table.
pub fn markdown(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| scenario | system | CPUs | flows of each | instructions | of the busiest | lines moved | stores to shared lines | doorbells of a burst |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {} | {} | {} | {} | {:.0} | {:.0} | {} |\n",
            row.scenario,
            row.system,
            row.engines,
            row.flows,
            row.instructions,
            row.instructions_most,
            shared(row)
        ));
    }
    text.push_str(&flat(rows).unwrap_or_default());
    text
}

/// The columns about what engines share, and about doorbells: nothing is known of those of others.
fn shared(row: &Row) -> String {
    match row.doorbells.filter(|_| row.system == OURS) {
        Some(bells) => format!("{:.3} | {:.2} | {bells:.2}", row.moves, row.shared_stores),
        None => " | |".to_owned(),
    }
}

/// Most that a hit may cost with several engines, times what it costs with one, and most cache
/// lines that it may move between them.
const FLAT: (f64, f64) = (1.03, 0.02);

/// Whether packets of known connections cost each engine the same, however many there are.
fn flat(rows: &[Row]) -> Option<String> {
    let hits = || {
        let hit = |row: &&Row| row.scenario == "nat-hit" && row.system == OURS && row.flows > 1;
        rows.iter().filter(hit)
    };
    let one = hits().find(|row| row.engines == 1)?.instructions;
    let several = hits().filter(|row| row.engines > 1);
    let most = several.clone().map(|row| row.instructions_most / one);
    let (most, moves) = (
        most.reduce(f64::max)?,
        several.map(|row| row.moves).fold(0.0, f64::max),
    );
    let met = met(most <= FLAT.0 && moves <= FLAT.1);
    Some(format!(
        "goal of hits that cost each of several engines at most {} times what they cost one, and move at most {} lines: {met} with {most:.3} and {moves:.3}\n",
        FLAT.0, FLAT.1
    ))
}

/// Which instructions moved lines between engines.
pub fn places(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.engines > 1) {
        let none = if row.places.is_empty() { ": none" } else { "" };
        text.push_str(&format!(
            "{}, {} engines{none}\n",
            row.scenario, row.engines
        ));
        for place in &row.places {
            let kind = if place.write { "store" } else { "load" };
            text.push_str(&format!(
                "{:9.3} {kind:5} {} {}\n",
                place.moves, place.address, place.instruction
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(engines: u64, flows: u64, instructions: f64) -> Row {
        Row {
            scenario: "nat-hit".to_owned(),
            system: OURS.to_owned(),
            engines,
            flows,
            instructions,
            instructions_most: instructions,
            instructions_all: instructions + 5.0,
            doorbells: Some(2.0),
            ..Row::default()
        }
    }

    #[test]
    fn goals_are_told() {
        let mut rows = vec![hit(1, 9, 400.0), hit(1, 1, 295.0)];
        assert_eq!(flat(&rows), None);
        rows.push(hit(2, 9, 411.0));
        assert!(flat(&rows).unwrap().ends_with("met with 1.028 and 0.000\n"));
        rows[2].moves = 0.03;
        assert!(flat(&rows)
            .unwrap()
            .ends_with("missed with 1.028 and 0.030\n"));
        rows[2] = hit(4, 9, 420.0);
        assert!(flat(&rows)
            .unwrap()
            .ends_with("missed with 1.050 and 0.000\n"));
        rows.push(Row {
            system: "ipvs".to_owned(),
            doorbells: None,
            ..hit(1, 1, 5995.0)
        });
        let table = markdown(&rows);
        assert!(table.contains("| nat-hit | ipvs | 1 | 1 | 5995 | 5995 |  | | |\n"));
        assert!(table.contains("| nat-hit | smplb | 1 | 1 | 295 | 295 | 0.000 | 0.00 | 2.00 |\n"));
    }
}
