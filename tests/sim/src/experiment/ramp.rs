// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that may use more than was allotted to them, as long as their neighbours on the same
//! machine are quiet: some machines are hot, and which ones changes.

use std::path::Path;

use anyhow::Result;
use rand::seq::index;
use rand::{Rng, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::goals::{settings, FOLLOWERS, WORK};
use super::{digits, markdown, Size};
use crate::arrival::{Pattern, Work};
use crate::measure::Measured;
use crate::plot::{Chart, Line};
use crate::policy::{Choices, Feedback, Follow, Least, Policy, Wrr};
use crate::server::Plan;
use crate::world::{Change, Scenario, What};

/// Loads, as parts of what is allotted.
pub const LOADS: [f64; 9] = [0.75, 0.83, 0.93, 1.03, 1.14, 1.27, 1.41, 1.57, 1.74];

/// Servers.
pub const SERVERS: usize = 10;
/// Requests that a server works at, at the same time.
pub const WORKERS: usize = 16;
/// Speed of a server on a quiet machine, all workers together; 1 is allotted.
pub const QUIET: f64 = 2.4;
/// Speed of a server on a hot machine.
pub const HOT: f64 = 0.9;
/// How long a machine stays hot, seconds.
pub const STAY: f64 = 10.0;
/// Longer than this is an error, seconds.
pub const DEADLINE: f64 = 5.0;

/// Whether other machines become hot after [`STAY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hot {
    /// They do.
    Moving,
    /// The same ones are hot all the time.
    Staying,
}

/// Work whose deviation is about its mean, with two or three hot machines of ten.
pub fn scenario(load: f64, hot: Hot, seconds: f64) -> Scenario {
    // Without its negative half the normal distribution has a mean of 1.2876 of this.
    let mean = WORK / 1.2876;
    let work = Work::Normal {
        mean,
        deviation: mean,
    };
    let mut changes = Vec::new();
    let mut rng = Pcg64Mcg::seed_from_u64(10);
    let mut now: Vec<usize> = Vec::new();
    let mut at = 0.0;
    while at < seconds {
        if at == 0.0 || hot == Hot::Moving {
            let count = rng.random_range(2..=3);
            let next = index::sample(&mut rng, SERVERS, count).into_vec();
            let change = |server: &usize, speed| Change {
                at,
                server: *server,
                what: What::Speed(speed / WORKERS as f64),
            };
            changes.extend(now.iter().map(|server| change(server, QUIET)));
            changes.extend(next.iter().map(|server| change(server, HOT)));
            now = next;
        }
        at += STAY;
    }
    Scenario {
        servers: vec![
            Plan {
                speed: QUIET / WORKERS as f64,
                workers: WORKERS,
            };
            SERVERS
        ],
        arrivals: Pattern::Constant(load * SERVERS as f64 / WORK),
        work,
        changes,
        seconds,
        warmup: 60.0,
        deadline: DEADLINE,
        seed: 1,
    }
}

/// A way to distribute.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// What results call it.
    pub name: &'static str,
    make: fn() -> Box<dyn Policy>,
}

fn follow(place: usize) -> Box<dyn Policy> {
    let algorithm = FOLLOWERS.get(place).map(|(_, algorithm)| *algorithm);
    let feedback = Feedback::new(settings(algorithm.unwrap_or_default()));
    Box::new(Follow::equal(feedback, SERVERS))
}

/// Equal weights, what the master makes of them, and what local counts can do.
pub const WAYS: [Way; 6] = [
    Way {
        name: "equal weights",
        make: || Box::new(Wrr::new(&[1; SERVERS])),
    },
    Way {
        name: "even",
        make: || follow(0),
    },
    Way {
        name: "capacity",
        make: || follow(1),
    },
    Way {
        name: "latency",
        make: || follow(2),
    },
    Way {
        name: "two choices",
        make: || Box::new(Choices::new(2, 0.0)),
    },
    Way {
        name: "least-connection",
        make: || Box::new(Least::new(&[1; SERVERS])),
    },
];

impl Way {
    /// Runs it.
    pub fn run(&self, scenario: &Scenario) -> Measured {
        scenario.run((self.make)().as_mut())
    }
}

/// The section of the results.
pub fn report(out: &Path, size: Size) -> Result<String> {
    let mut text = "## Load ramp with hot machines\n\nTen servers with 16 workers each, 2.4 times as fast as \
        allotted; two or three are on a hot machine, which leaves them 0.9 of what is allotted. Load is a part of what is \
        allotted. The 99th percentile of the response in milliseconds, and in brackets the part of the \
        requests that took longer than 5 s.\n"
        .to_string();
    for (hot, title, file) in [
        (
            Hot::Moving,
            "Other machines become hot every 10 s",
            "ramp.svg",
        ),
        (
            Hot::Staying,
            "The same machines stay hot",
            "ramp-staying.svg",
        ),
    ] {
        let mut rows: Vec<Vec<String>> = LOADS.iter().map(|load| vec![format!("{load}")]).collect();
        let mut lines = Vec::new();
        for way in WAYS {
            let mut points = Vec::new();
            for (load, row) in LOADS.iter().zip(&mut rows) {
                let measured = way.run(&scenario(*load, hot, 60.0 + size.of(600.0)));
                let p99 = measured.response.p99();
                let late = measured.late as f64 / measured.response.count() as f64;
                row.push(format!("{} ({:.1} %)", digits(p99 * 1e3), late * 100.0));
                points.push((*load, p99));
            }
            lines.push(Line::new(way.name, points));
        }
        Chart::new(
            title,
            "load, as a part of what is allotted",
            "p99 of the response, s",
        )
        .logarithmic_y()
        .draw(&out.join(file), &lines)?;
        let mut head = vec!["load"];
        head.extend(WAYS.iter().map(|way| way.name));
        text += &format!(
            "\n{title}:\n\n{}\n![{title}]({file})\n",
            markdown(&head, &rows)
        );
    }
    Ok(text)
}
