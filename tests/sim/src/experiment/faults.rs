// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers and agents that misbehave.

use std::path::Path;

use anyhow::Result;
use smplb_master::Algorithm;

use super::goals::{rate, settings, FOLLOWERS, WORK};
use super::{markdown, Size};
use crate::agent::Mood;
use crate::arrival::Work;
use crate::measure::Measured;
use crate::plot::{Chart, Line};
use crate::policy::{Feedback, Follow};
use crate::world::{Scenario, What};

/// Servers; the first is the bad one.
pub const SERVERS: usize = 10;
/// When the fault begins, seconds.
pub const AT: f64 = 60.0;
/// The end, seconds.
pub const END: f64 = 180.0;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// All answers are errors, and fast.
    Sinkhole,
    /// Half of the answers are.
    HalfSinkhole,
    /// A server of twice the speed of the others loses half of it when its agent freezes.
    Frozen,
    /// The agent says that a hundredth is used.
    Lying,
    /// The agent says that something that is not a number is used.
    NotANumber,
    /// The agent is killed; the server goes on.
    Silent,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Sinkhole,
        Self::HalfSinkhole,
        Self::Frozen,
        Self::Lying,
        Self::NotANumber,
        Self::Silent,
    ];

    /// What results call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sinkhole => "all errors, fast",
            Self::HalfSinkhole => "half errors, fast",
            Self::Frozen => "frozen agent, server slower",
            Self::Lying => "agent says 0.01",
            Self::NotANumber => "agent says NaN",
            Self::Silent => "agent silent",
        }
    }

    /// A run with it.
    pub fn run(self, algorithm: Algorithm) -> (Measured, Follow) {
        let mut scenario = healthy();
        scenario = match self {
            Self::Sinkhole => scenario.with(AT, 0, What::Failing(1.0)),
            Self::HalfSinkhole => scenario.with(AT, 0, What::Failing(0.5)),
            Self::Frozen => {
                scenario.servers[0].speed = 2.0;
                scenario
                    .with(AT, 0, What::Speed(1.0))
                    .with(AT, 0, What::Agent(Mood::Frozen))
            }
            Self::Lying => scenario.with(AT, 0, What::Agent(Mood::Lying(0.01))),
            Self::NotANumber => scenario.with(AT, 0, What::Agent(Mood::NotANumber)),
            Self::Silent => scenario.with(AT, 0, What::Agent(Mood::Silent)),
        };
        let mut follow = Follow::equal(Feedback::new(settings(algorithm)), SERVERS);
        (scenario.run(&mut follow), follow)
    }
}

/// Ten equal servers at a load of 0.6.
pub fn healthy() -> Scenario {
    let speeds = [1.0; SERVERS];
    Scenario {
        warmup: AT,
        ..Scenario::steady(&speeds, rate(&speeds, 0.6), Work::Exponential(WORK), END)
    }
}

/// The greatest share of the bad server from three reports after the fault on, as a multiple of the
/// fair one. Its reports come with whole seconds, and the first may tell of the time before.
pub fn most(follow: &Follow) -> f64 {
    let after = AT + 3.0 + 0.05;
    let later = follow.history.iter().filter(|moment| moment.at > after);
    let later = later.filter_map(|moment| moment.shares.first().copied());
    later.fold(follow.share_at(0, after), f64::max) * SERVERS as f64
}

/// The first server dies, is found dead 6 s later, comes back and is found alive.
pub fn rejoin(algorithm: Algorithm) -> (Measured, Follow) {
    let scenario = healthy()
        .with(AT, 0, What::Crash)
        .with(AT + 6.0, 0, What::Check(false))
        .with(AT + 30.0, 0, What::Start)
        .with(AT + 34.0, 0, What::Check(true));
    let mut follow = Follow::equal(Feedback::new(settings(algorithm)), SERVERS);
    (scenario.run(&mut follow), follow)
}

/// The section of the results.
pub fn report(out: &Path, _size: Size) -> Result<String> {
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for fault in Fault::ALL {
        let mut row = vec![fault.name().to_string()];
        for (_, algorithm) in FOLLOWERS {
            let (_, follow) = fault.run(algorithm);
            row.push(format!("{:.2}", most(&follow)));
            if algorithm == Algorithm::Capacity {
                lines.push(curve(fault.name(), &follow));
            }
        }
        rows.push(row);
    }
    let (_, follow) = rejoin(Algorithm::Capacity);
    lines.push(curve("dies and comes back", &follow));
    Chart::new(
        "Share of a bad server of ten (algorithm capacity)",
        "seconds after the fault",
        "share / fair share",
    )
    .draw(&out.join("faults.svg"), &lines)?;
    Ok(format!(
        "## Faults\n\nTen servers at a load of 0.6, of which one becomes bad. The greatest share that it \
         has from three reports after that on, as a multiple of the fair share.\n\n{}\n\
         ![Faults](faults.svg)\n",
        markdown(&["fault", "even", "capacity", "latency"], &rows)
    ))
}

fn curve(name: &str, follow: &Follow) -> Line {
    let points = (-100..1200).map(|tenth| f64::from(tenth) * 0.1);
    let share = |after: f64| (after, follow.share_at(0, AT + after) * SERVERS as f64);
    Line::new(name, points.map(share).collect())
}
