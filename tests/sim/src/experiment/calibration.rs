// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the simulator is right: mean responses that theory knows.

use std::path::Path;

use anyhow::Result;

use super::{digits, markdown, Size};
use crate::arrival::Work;
use crate::plot::{Chart, Line};
use crate::policy::{least::Best, Choices, Policy, Random, Single};
use crate::server::Plan;
use crate::theory;
use crate::world::Scenario;

/// Servers in each run.
pub const SERVERS: usize = 100;

/// A way to distribute whose mean response is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By chance.
    Random,
    /// The shorter of two.
    Two,
    /// The shortest of three.
    Three,
    /// The shortest of all; theory knows only between what it lies.
    Shortest,
    /// One queue for all servers.
    Shared,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Random,
        Self::Two,
        Self::Three,
        Self::Shortest,
        Self::Shared,
    ];

    /// How results call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Two => "two choices",
            Self::Three => "three choices",
            Self::Shortest => "shortest of all",
            Self::Shared => "shared queue",
        }
    }

    /// The mean response by theory.
    pub fn theory(self, load: f64) -> Option<f64> {
        match self {
            Self::Random => Some(theory::one(load)),
            Self::Two => Some(theory::choices(2, load)),
            Self::Three => Some(theory::choices(3, load)),
            Self::Shortest => None,
            Self::Shared => Some(theory::shared(SERVERS as u32, load)),
        }
    }

    /// The mean response of about so many requests.
    pub fn measure(self, load: f64, requests: f64) -> f64 {
        let rate = load * SERVERS as f64;
        let mut scenario = Scenario::steady(
            &[1.0; SERVERS],
            rate,
            Work::Exponential(1.0),
            requests / rate,
        );
        let mut policy: Box<dyn Policy> = match self {
            Self::Random => Box::new(Random),
            Self::Two => Box::new(Choices::new(2, 0.0)),
            Self::Three => Box::new(Choices::new(3, 0.0)),
            Self::Shortest => Box::new(Best::new(0.0)),
            Self::Shared => {
                scenario.servers = vec![Plan {
                    speed: 1.0,
                    workers: SERVERS,
                }];
                Box::new(Single)
            }
        };
        scenario.run(policy.as_mut()).response.mean()
    }
}

/// The section of the results.
pub fn report(out: &Path, size: Size) -> Result<String> {
    let loads = [0.5, 0.7, 0.8, 0.9, 0.95];
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for way in Way::ALL {
        let mut points = Vec::new();
        for load in loads {
            let measured = way.measure(load, size.of(6e6));
            points.push((load, measured));
            let theory = way.theory(load);
            rows.push(vec![
                way.name().to_string(),
                format!("{load}"),
                format!("{measured:.3}"),
                theory.map_or("–".to_string(), |theory| format!("{theory:.3}")),
                theory.map_or("–".to_string(), |theory| {
                    format!("{:+.1} %", (measured / theory - 1.0) * 100.0)
                }),
            ]);
        }
        lines.push(Line::new(way.name(), points));
        if way.theory(0.5).is_some() {
            let known = (50..=95).map(|load| f64::from(load) / 100.0);
            let known = known.filter_map(|load| Some((load, way.theory(load)?)));
            lines.push(Line::new(&format!("{}, theory", way.name()), known.collect()).thin());
        }
    }
    Chart::new(
        "Mean response and what theory says",
        "load",
        "mean response / service time",
    )
    .logarithmic_y()
    .draw(&out.join("calibration.svg"), &lines)?;
    let best = Way::Shortest.measure(0.9, size.of(3e6));
    Ok(format!(
        "## Calibration\n\n{SERVERS} servers, Poisson arrivals, exponential service, response in \
         units of the mean service time. Two and three choices are known for very many servers \
         only. The shortest of all lies between three choices and the shared queue: {} at a load \
         of 0.9.\n\n{}\n![Calibration](calibration.svg)\n",
        digits(best),
        markdown(
            &["policy", "load", "measured", "theory", "difference"],
            &rows
        )
    ))
}
