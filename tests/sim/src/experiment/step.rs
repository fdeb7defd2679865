// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers of different capacity and a step of the load, told by reports of any age.

use std::path::Path;

use anyhow::Result;
use smplb_master::Algorithm;

use super::goals::settings;
use super::{digits, markdown, Size};
use crate::arrival::{Pattern, Work};
use crate::measure::{series, Measured};
use crate::plot::{Chart, Line};
use crate::policy::{Feedback, Follow};
use crate::world::Scenario;

/// Capacities of the servers.
pub const SPEEDS: [f64; 3] = [1.0, 2.0, 4.0];

/// How old reports are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Age {
    /// Time between two reports, seconds.
    pub interval: f64,
    /// Time until a report arrives, seconds.
    pub delay: f64,
}

/// The ages of the experiment: rare reports, and late ones.
pub const AGES: [Age; 7] = [
    Age {
        interval: 0.1,
        delay: 0.0,
    },
    Age {
        interval: 1.0,
        delay: 0.0,
    },
    Age {
        interval: 10.0,
        delay: 0.0,
    },
    Age {
        interval: 30.0,
        delay: 0.0,
    },
    Age {
        interval: 1.0,
        delay: 1.0,
    },
    Age {
        interval: 1.0,
        delay: 10.0,
    },
    Age {
        interval: 1.0,
        delay: 30.0,
    },
];

/// A run with its figures.
#[derive(Debug)]
pub struct Run {
    /// How old reports were.
    pub age: Age,
    /// When the step was.
    pub at: f64,
    /// The end.
    pub end: f64,
    /// What was measured.
    pub measured: Measured,
    /// The master with the shares of all moments.
    pub follow: Follow,
}

/// Capacities 1:2:4 behind equal weights, a load of 0.5, and from the middle on 0.85.
pub fn run(algorithm: Algorithm, age: Age) -> Run {
    // A second of the smallest server is many requests, so that chance is small in a bin; with rare
    // reports fewer are enough.
    let work = if age.interval > 5.0 { 0.01 } else { 0.001 };
    let rate = |load: f64| load * SPEEDS.iter().sum::<f64>() / work;
    let at = 60.0 + 40.0 * age.interval + 10.0 * age.delay;
    let end = at + 60.0 + 40.0 * age.interval + 10.0 * age.delay;
    let scenario = Scenario {
        arrivals: Pattern::Step {
            before: rate(0.5),
            after: rate(0.85),
            at,
        },
        ..Scenario::steady(&SPEEDS, rate(0.5), Work::Exponential(work), end)
    };
    let feedback = Feedback::new(settings(algorithm))
        .every(age.interval)
        .late(age.delay);
    let mut follow = Follow::equal(feedback, SPEEDS.len());
    let measured = scenario.run(&mut follow);
    Run {
        age,
        at,
        end,
        measured,
        follow,
    }
}

impl Run {
    /// Greatest over least utilization from 15 reports after the step on.
    pub fn spread(&self) -> f64 {
        self.measured.spread(self.settled(), self.end)
    }

    /// The same, of the worst stretch of as much time as 10 reports take, at least 10 s.
    pub fn worst_spread(&self) -> f64 {
        let length = (10.0 * self.age.interval).max(10.0);
        let (mut from, mut worst) = (self.settled(), 1.0f64);
        while from + length <= self.end {
            worst = worst.max(self.measured.spread(from, from + length));
            from += length;
        }
        worst
    }

    /// 15 reports after the step, when the last of them has arrived.
    fn settled(&self) -> f64 {
        self.at + 15.0 * self.age.interval + self.age.delay
    }

    /// The share of a server that would be right.
    fn right(server: usize) -> f64 {
        SPEEDS.get(server).copied().unwrap_or(0.0) / SPEEDS.iter().sum::<f64>()
    }

    /// How far any share went past the right one, from the first report to the end.
    pub fn overshoot(&self) -> f64 {
        let start = 1.0 / SPEEDS.len() as f64;
        let past = |server: usize| {
            let moments = self.follow.history.iter();
            let shares: Vec<_> = moments
                .filter_map(|moment| moment.shares.get(server).copied())
                .collect();
            series::overshoot(&shares, start, Self::right(server))
        };
        (0..SPEEDS.len()).map(past).fold(0.0, f64::max)
    }

    /// The shares of a server, one for each report, from when the step should be followed.
    pub fn shares(&self, server: usize) -> Vec<f64> {
        let count = ((self.end - self.settled()) / self.age.interval) as u32;
        (0..count)
            .map(|number| self.settled() + f64::from(number) * self.age.interval)
            .map(|at| self.follow.share_at(server, at))
            .collect()
    }

    /// Whether any share goes round.
    pub fn cycles(&self) -> bool {
        (0..SPEEDS.len()).any(|server| series::cycles(&self.shares(server), 0.05))
    }

    /// Whether any share still goes round in the second half of that time.
    pub fn cycles_for_ever(&self) -> bool {
        (0..SPEEDS.len()).any(|server| {
            let shares = self.shares(server);
            series::cycles(shares.split_at(shares.len() / 2).1, 0.05)
        })
    }
}

/// The section of the results.
pub fn report(out: &Path, _size: Size) -> Result<String> {
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for age in AGES {
        for (name, algorithm) in super::goals::FOLLOWERS {
            let run = run(algorithm, age);
            rows.push(vec![
                format!("{} s, {} s", age.interval, age.delay),
                name.to_string(),
                digits(run.spread()),
                digits(run.worst_spread()),
                format!("{:.1} %", run.overshoot() * 100.0),
                match (run.cycles(), run.cycles_for_ever()) {
                    (_, true) => "yes".to_string(),
                    (true, false) => "dies out".to_string(),
                    (false, false) => "no".to_string(),
                },
                digits(run.measured.changes_per_minute()),
            ]);
            if algorithm == Algorithm::Capacity {
                let tenths =
                    (0..(run.end * 10.0) as u32).step_by((age.interval * 5.0).max(1.0) as usize);
                let points = tenths.map(|tenth| f64::from(tenth) * 0.1);
                let points = points.map(|at| {
                    (
                        (at - run.at) / age.interval.max(age.delay),
                        run.follow.share_at(2, at),
                    )
                });
                let label = format!("each {} s, {} s late", age.interval, age.delay);
                let near = points.filter(|(x, _)| (-60.0..60.0).contains(x));
                lines.push(Line::new(&label, near.collect()));
            }
        }
    }
    Chart::new(
        "Share of the server with 4 of 7 of the capacity (algorithm capacity)",
        "time after the step of the load, in intervals or delays",
        "share",
    )
    .draw(&out.join("step.svg"), &lines)?;
    Ok(format!(
        "## Different capacities and a step of the load\n\nCapacities 1:2:4 behind equal configured \
         weights; the load is 0.5, later 0.85. Spread is the greatest utilization over the least \
         from 15 reports after the step on, over all the time and over the worst stretch of 10 \
         reports (10 s at least); overshoot is how far any share ever went past the right one.\n\n{}\n\
         ![Step](step.svg)\n",
        markdown(
            &[
                "reports each, late",
                "algorithm",
                "spread",
                "worst spread",
                "overshoot",
                "cycle",
                "changes per minute"
            ],
            &rows
        )
    ))
}
