// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one CPU executes for a packet, whoever has it to itself.

use super::super::report::met;
use super::{Row, OURS};

/// How many times fewer instructions an engine's CPU is to execute for a NAT hit than that of IPVS.
const GOAL: f64 = 20.0;

/// A table, and whether the goal is met.
pub fn compared(rows: &[Row]) -> String {
    let mut text = String::from(
        "\n| scenario | system | flows | all that its CPU executes |\n|---|---|---:|---:|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {} | {} | {} | {:.0} |\n",
            row.scenario, row.system, row.flows, row.instructions_all
        ));
    }
    text.push_str(&goal(rows).unwrap_or_default());
    text
}

fn goal(rows: &[Row]) -> Option<String> {
    let of = |system: &str| {
        let hit = |row: &&Row| (&*row.scenario, &*row.system) == ("nat-hit", system);
        Some(rows.iter().find(hit)?.instructions_all)
    };
    let times = of("ipvs")? / of(OURS)?;
    Some(format!(
        "\ngoal of {GOAL} times fewer than IPVS for a NAT hit, each with a CPU of its own: {} with {times:.1}\n",
        met(times >= GOAL)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(system: &str, instructions_all: f64) -> Row {
        Row {
            scenario: "nat-hit".to_owned(),
            system: system.to_owned(),
            engines: 1,
            flows: 1,
            instructions_all,
            ..Row::default()
        }
    }

    #[test]
    fn the_whole_cpu_is_compared() {
        assert_eq!(goal(&[hit(OURS, 300.0)]), None);
        let told = compared(&[hit("ipvs", 6000.0), hit(OURS, 300.0)]);
        assert!(told.contains("| nat-hit | ipvs | 1 | 6000 |\n"), "{told}");
        assert!(told.ends_with(": met with 20.0\n"), "{told}");
        let told = compared(&[hit("ipvs", 5900.0), hit(OURS, 300.0)]);
        assert!(told.ends_with(": missed with 19.7\n"), "{told}");
    }
}
