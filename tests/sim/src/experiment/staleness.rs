// SPDX-License-Identifier: MIT OR Apache-2.0
//! What old information is worth: responses when queues are looked at once in so many service
//! times, and the same for the master, told once in so many.

use std::path::Path;

use anyhow::Result;
use smplb_master::{Algorithm, Settings};

use super::{digits, markdown, Size};
use crate::arrival::Work;
use crate::measure::series;
use crate::plot::{Chart, Line};
use crate::policy::{least::Best, Choices, Feedback, Follow, Level, Policy, Random};
use crate::world::Scenario;

/// Servers in each run.
pub const SERVERS: usize = 100;
/// Their load.
pub const LOAD: f64 = 0.9;
/// Mean service time, seconds: so that half a service time is the shortest interval of reports.
pub const SERVICE: f64 = 0.2;

/// Times between two looks, in service times.
pub const PERIODS: [f64; 8] = [0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

/// Mean responses of a reference simulator, in service times, for each of [`PERIODS`].
pub const REFERENCE: [(Way, [f64; 8]); 5] = [
    (Way::Random, [10.1, 10.0, 9.8, 10.1, 10.3, 10.3, 10.4, 10.1]),
    (Way::Two, [2.66, 2.83, 2.98, 3.26, 4.00, 5.11, 7.09, 12.4]),
    (Way::Three, [2.06, 2.35, 2.61, 3.08, 4.31, 6.29, 9.97, 20.6]),
    (Way::Best, [1.07, 2.80, 3.96, 6.01, 12.4, 23.2, 59.4, 390.0]),
    (Way::Level, [1.07, 2.11, 2.53, 3.04, 4.03, 4.93, 5.93, 7.38]),
];

/// A way to use what was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    Random,
    /// The shorter of two.
    Two,
    /// The shortest of three.
    Three,
    /// The shortest of all.
    Best,
    /// Filling all queues to one level.
    Level,
}

impl Way {
    /// How results call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Two => "two choices",
            Self::Three => "three choices",
            Self::Best => "apparent best",
            Self::Level => "levelling",
        }
    }

    /// The mean response in service times, of about so many requests.
    pub fn measure(self, period: f64, requests: f64) -> f64 {
        // So few looks on which all depends: one run is 15 % off by chance.
        let seeds = match self {
            Self::Best if period > 20.0 => 1..=16,
            _ => 1..=1,
        };
        series::mean(seeds.map(|seed| self.once(period, requests, seed)))
    }

    fn once(self, period: f64, requests: f64, seed: u64) -> f64 {
        let seconds = period * SERVICE;
        let mut policy: Box<dyn Policy> = match self {
            Self::Random => Box::new(Random),
            Self::Two => Box::new(Choices::new(2, seconds)),
            Self::Three => Box::new(Choices::new(3, seconds)),
            // Levelling with nothing yet to come is the best one.
            Self::Level if period > 0.0 => Box::new(Level::new(seconds, rate())),
            Self::Best | Self::Level => Box::new(Best::new(seconds)),
        };
        scenario(requests)
            .seeded(seed)
            .run(policy.as_mut())
            .response
            .mean()
            / SERVICE
    }
}

fn rate() -> f64 {
    LOAD * SERVERS as f64 / SERVICE
}

fn scenario(requests: f64) -> Scenario {
    let work = Work::Exponential(SERVICE);
    Scenario::steady(&[1.0; SERVERS], rate(), work, requests / rate())
}

/// The mean response in service times when the master is told once in `period` service times.
pub fn follow(algorithm: Algorithm, period: f64, requests: f64) -> f64 {
    let settings = Settings {
        algorithm,
        ..Settings::default()
    };
    let feedback = Feedback::new(settings).every(period * SERVICE);
    let mut policy = Follow::equal(feedback, SERVERS);
    scenario(requests).run(&mut policy).response.mean() / SERVICE
}

/// The section of the results.
pub fn report(out: &Path, size: Size) -> Result<String> {
    let requests = size.of(1.5e6);
    let mut columns: Vec<(&str, Vec<f64>)> = Vec::new();
    for (way, _) in REFERENCE {
        let measure = |period: &f64| way.measure(*period, requests);
        columns.push((way.name(), PERIODS.iter().map(measure).collect()));
    }
    for (name, algorithm) in super::goals::FOLLOWERS {
        let measure = |period: &f64| match *period {
            0.0 => f64::NAN,
            period => follow(algorithm, period, requests),
        };
        columns.push((name, PERIODS.iter().map(measure).collect()));
    }
    let mut rows = Vec::new();
    for (place, period) in PERIODS.iter().enumerate() {
        let mut row = vec![format!("{period}")];
        for (column, (_, values)) in columns.iter().enumerate() {
            let value = values.get(place).copied().unwrap_or(f64::NAN);
            let reference = REFERENCE
                .get(column)
                .and_then(|(_, values)| values.get(place));
            row.push(match reference {
                Some(reference) => format!("{} ({})", digits(value), digits(*reference)),
                None => digits(value),
            });
        }
        rows.push(row);
    }
    let lines: Vec<_> = columns
        .iter()
        .map(|(name, values)| {
            let points = PERIODS.iter().copied().zip(values.iter().copied());
            Line::new(name, points.filter(|(period, _)| *period > 0.0).collect())
        })
        .collect();
    Chart::new(
        "Old information",
        "service times between two looks, or reports",
        "mean response / service time",
    )
    .logarithmic_x()
    .logarithmic_y()
    .draw(&out.join("staleness.svg"), &lines)?;
    let mut head = vec!["period"];
    head.extend(columns.iter().map(|(name, _)| *name));
    Ok(format!(
        "## Old information\n\n{SERVERS} servers at a load of {LOAD}; mean response in service \
         times when queues are looked at once in a period (in service times), in brackets the \
         same of a reference simulator. The last columns are the master, with reports once in a \
         period and its weights in the slot list of the switch.\n\n{}\n![Old \
         information](staleness.svg)\n",
        markdown(&head, &rows)
    ))
}
