// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told of the measurements: a table, whether the goals are met, and where
//! instructions and cache lines go.

use super::{profile, Row, OURS};

/// Functions of what one engine did for packets of known connections.
pub fn profiles(rows: &[Row]) -> String {
    let wanted = |row: &&Row| row.engines == 1 && row.scenario == "nat-hit" && row.system == OURS;
    let part = |row: &Row| {
        format!(
            "{}, {} flows: instructions per packet by function\n{}",
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
            "| {} | {} | {} | {} | {:.0} | {:.0} | {:.3} | {:.2} | {:.2} |\n",
            row.scenario,
            row.system,
            row.engines,
            row.flows,
            row.instructions,
            row.instructions_most,
            row.moves,
            row.shared_stores,
            row.doorbells
        ));
    }
    text.push_str(&ratio(rows).unwrap_or_default());
    text.push_str(&flat(rows).unwrap_or_default());
    text
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
    let met = match most <= FLAT.0 && moves <= FLAT.1 {
        true => "met",
        false => "missed",
    };
    Some(format!(
        "goal of hits that cost each of several engines at most {} times what they cost one, and move at most {} lines: {met} with {most:.3} and {moves:.3}\n",
        FLAT.0, FLAT.1
    ))
}

/// How many times fewer instructions one CPU executes than with IPVS, for packets of one
/// connection.
fn ratio(rows: &[Row]) -> Option<String> {
    let all = |system: &str| {
        let same = |row: &&Row| {
            (&*row.scenario, &*row.system, row.engines, row.flows) == ("nat-hit", system, 1, 1)
        };
        Some(rows.iter().find(same)?.instructions_all)
    };
    let (ours, theirs) = (all(OURS)?, all("ipvs")?);
    Some(format!(
        "\nall that the CPU executed for a packet of one flow: {ours:.0} with {OURS}, {theirs:.0} with IPVS, {:.1} times as many\n",
        theirs / ours
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
