// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the bench in the guest measured, as a list for programs and a table for
//! people.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// One measurement.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// `forward`, `nat-hit`, `nat-new`, `dr-hit`, `echo`.
    scenario: String,
    /// `smplb`, or what it is compared with.
    system: String,
    /// The driver of the ports.
    port: String,
    /// Connections at a time.
    flows: u64,
    /// Per packet or round trip, without the generator and the sink.
    instructions: f64,
    /// To the baseline of the same run; absent where that was not measured.
    #[serde(default)]
    ratio: Option<f64>,
}

/// All of one run.
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Reads what the guest wrote, and adds the ratios.
    pub fn from_lines(lines: &str) -> Result<Self> {
        let mut rows = Vec::new();
        for line in lines.lines().filter(|line| !line.trim().is_empty()) {
            let row: Row =
                serde_json::from_str(line).with_context(|| format!("no measurement: {line}"))?;
            rows.push(row);
        }
        let measured = rows.clone();
        for row in &mut rows {
            row.ratio = measured
                .iter()
                .find(|other| row.is_baseline(other))
                .map(|other| round(row.instructions / other.instructions, 4));
            row.instructions = round(row.instructions, 1);
        }
        Ok(Self { rows })
    }

    /// All of them.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// A table.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| scenario | system | port | flows | instructions | ratio |\n\
             |---|---|---|---:|---:|---:|\n",
        );
        for row in &self.rows {
            let ratio = row
                .ratio
                .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
            text.push_str(&format!(
                "| {} | {} | {} | {} | {:.0} | {ratio} |\n",
                row.scenario, row.system, row.port, row.flows, row.instructions
            ));
        }
        let goals: String = self.rows.iter().filter_map(Row::goal).collect();
        if !goals.is_empty() {
            text.push_str(&format!("\n{goals}"));
        }
        text
    }
}

/// What is said of a goal.
pub fn met(met: bool) -> &'static str {
    if met {
        "met"
    } else {
        "missed"
    }
}

/// Most instructions per packet of a NAT hit over virtio_net.
const GOAL: f64 = 350.0;

impl Row {
    /// What is to be said of the goal that there is for this row.
    fn goal(&self) -> Option<String> {
        let key = (&*self.scenario, &*self.system, &*self.port, self.flows);
        if key != ("nat-hit", "smplb", "virtio_net", 1) {
            return None;
        }
        Some(format!(
            "goal of at most {GOAL} instructions: {} with {:.0}\n",
            met(self.instructions <= GOAL),
            self.instructions,
        ))
    }

    /// Whether `other` is what this row is compared with: UDP sockets for
    /// programs, IPVS for packets, in the same scenario over the same ports.
    fn is_baseline(&self, other: &Self) -> bool {
        let system = if self.scenario == "echo" {
            "udp"
        } else {
            "ipvs"
        };
        other.system == system
            && other.scenario == self.scenario
            && other.port == self.port
            && other.flows == self.flows
    }
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = r#"
{"scenario":"nat-hit","system":"ipvs","port":"netdev","flows":1,"instructions":4900}
{"scenario":"nat-hit","system":"smplb","port":"netdev","flows":1,"instructions":1960.04}
{"scenario":"forward","system":"smplb","port":"netdev","flows":1,"instructions":700}
"#;

    #[test]
    fn ratios_are_to_ipvs_of_the_same_row() {
        let report = Report::from_lines(LINES).unwrap();
        let ratios: Vec<_> = report.rows.iter().map(|row| row.ratio).collect();
        assert_eq!(ratios, [Some(1.0), Some(0.4), None]);
        assert!(report
            .markdown()
            .contains("| nat-hit | smplb | netdev | 1 | 1960 | 0.40 |"));
    }

    #[test]
    fn goals_are_told() {
        let lines = LINES.replace("netdev", "virtio_net");
        let told = Report::from_lines(&lines).unwrap().markdown();
        assert!(told.ends_with("goal of at most 350 instructions: missed with 1960\n"));
        let lines = lines.replace("1960.04", "245");
        let told = Report::from_lines(&lines).unwrap().markdown();
        assert!(told.contains(": met with 245"));
    }

    #[test]
    fn a_line_with_an_unknown_key_is_refused() {
        assert!(Report::from_lines(r#"{"scenario":"x","speed":1}"#).is_err());
    }
}
