// SPDX-License-Identifier: MIT OR Apache-2.0
//! The goals: near the best static split on steady load, far better than round-robin with one slow
//! server, and at rest soon after a step.

use std::path::Path;

use anyhow::Result;
use smplb_master::{Algorithm, Settings};

use super::{digits, markdown, Size};
use crate::arrival::{Pattern, Work};
use crate::measure::{series, Measured, Samples};
use crate::plot::{Chart, Line};
use crate::policy::{split, Feedback, Follow, Policy, Wrr};
use crate::world::{Scenario, What};

/// Mean work of a request, seconds: a server of speed 1 answers 100 requests per second.
pub const WORK: f64 = 0.01;

/// The algorithms that follow the servers.
pub const FOLLOWERS: [(&str, Algorithm); 3] = [
    ("even", Algorithm::Even),
    ("capacity", Algorithm::Capacity),
    ("latency", Algorithm::Latency),
];

/// Those of them that know what a server can do, and so where its share should go. `latency` only knows in which
/// direction, and takes small steps: it is at rest much later, and follows what moves faster than that badly.
pub const KNOWING: [(&str, Algorithm); 2] =
    [("even", Algorithm::Even), ("capacity", Algorithm::Capacity)];

/// A master with this algorithm and all other settings as they are when nobody changes them.
pub fn settings(algorithm: Algorithm) -> Settings {
    Settings {
        algorithm,
        ..Settings::default()
    }
}

/// Pools of steady load: what they are called, and the speeds of their servers.
pub const POOLS: [(&str, &[f64]); 4] = [
    ("ten equal servers", &[1.0; 10]),
    ("nine of speed 1, one of a half", &ONE_SLOW),
    (
        "six of speed 1, two of 2, two of a half",
        &[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 0.5, 0.5],
    ),
    ("speeds 1, 2 and 4", &[1.0, 2.0, 4.0]),
];

/// Requests per second that load servers of these speeds to a part of what they can do.
pub fn rate(speeds: &[f64], load: f64) -> f64 {
    speeds.iter().sum::<f64>() * load / WORK
}

/// 99th percentiles of waiting and of response, seconds.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// Of the time until a worker began.
    pub wait: f64,
    /// Of the whole time.
    pub response: f64,
}

/// The tails of all runs with seeds 1 to `seeds` together.
pub fn tail(scenario: &Scenario, seeds: u64, mut policy: impl FnMut() -> Box<dyn Policy>) -> Tail {
    let (mut wait, mut response) = (Samples::default(), Samples::default());
    for seed in 1..=seeds {
        let measured = scenario.clone().seeded(seed).run(policy().as_mut());
        wait.extend(&measured.wait);
        response.extend(&measured.response);
    }
    wait.sort();
    response.sort();
    Tail {
        wait: wait.p99(),
        response: response.p99(),
    }
}

/// The tails of the static split with the least 99th percentile of waiting, by measuring all
/// candidates.
pub fn best_split(scenario: &Scenario, speeds: &[f64], seeds: u64) -> Tail {
    let most = scenario.arrivals.most() * WORK;
    let tails = split::candidates(speeds, most).into_iter().map(|shares| {
        let weights = split::weights(&shares);
        tail(scenario, seeds, || Box::new(Wrr::new(&weights)))
    });
    let none = Tail {
        wait: f64::INFINITY,
        response: f64::INFINITY,
    };
    tails.fold(
        none,
        |best, tail| if tail.wait < best.wait { tail } else { best },
    )
}

/// A pool under steady load, after the time in which servers are learned.
pub fn steady(speeds: &[f64], load: f64, seconds: f64) -> Scenario {
    Scenario {
        warmup: 120.0,
        ..Scenario::steady(
            speeds,
            rate(speeds, load),
            Work::Exponential(WORK),
            120.0 + seconds,
        )
    }
}

/// Ten servers of which one works at half speed.
pub const ONE_SLOW: [f64; 10] = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];

/// A step that a distribution has to follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The load goes from 0.5 to 0.85.
    Load,
    /// A server works at half speed from now on.
    Speed,
}

/// When the step is, seconds.
pub const STEP_AT: f64 = 100.0;

/// Ten servers of two speeds and a step, with reports each `interval` seconds. After
/// [`STEP_AT`] come 10 intervals to follow and 50 to be at rest.
pub fn step(step: Step, algorithm: Algorithm, interval: f64, seed: u64) -> (Measured, Follow) {
    let speeds = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0];
    let at = STEP_AT * interval.max(1.0);
    // A report of a server of speed 1 tells of 300 requests and more: ten reports of fewer are too
    // few to know a change of speed from chance.
    let work = (0.002 * interval).min(WORK);
    let rate = |load: f64| rate(&speeds, load) * WORK / work;
    let end = at + 60.0 * interval;
    let mut scenario =
        Scenario::steady(&speeds, rate(0.6), Work::Exponential(work), end).seeded(seed);
    match step {
        Step::Load => {
            scenario.arrivals = Pattern::Step {
                before: rate(0.5),
                after: rate(0.85),
                at,
            }
        }
        Step::Speed => scenario = scenario.with(at, 9, What::Speed(1.0)),
    }
    let feedback = Feedback::new(settings(algorithm)).every(interval);
    let mut follow = Follow::equal(feedback, speeds.len());
    (scenario.run(&mut follow), follow)
}

/// What shares do from 10 intervals after the step on, as a part of their mean; the most of any server.
#[derive(Clone, Copy, Debug)]
pub struct Unrest {
    /// How far one went to and fro, to either side.
    pub oscillation: f64,
    /// How far one was from its mean: also on a long way to a new place.
    pub swing: f64,
}

/// What shares do after a step.
pub fn unrest(follow: &Follow, interval: f64) -> Unrest {
    let at = STEP_AT * interval.max(1.0);
    let shares = |server| -> Vec<f64> {
        (100..600)
            .map(|tenth| follow.share_at(server, at + f64::from(tenth) * 0.1 * interval))
            .collect()
    };
    let most = |of: fn(&[f64]) -> f64| {
        (0..10)
            .map(|server| of(&shares(server)))
            .fold(0.0, f64::max)
    };
    Unrest {
        oscillation: most(series::oscillation),
        swing: most(series::swing),
    }
}

/// The section of the results.
pub fn report(out: &Path, size: Size) -> Result<String> {
    let mut rows = Vec::new();
    for (name, speeds) in POOLS {
        for load in [0.5, 0.7, 0.8, 0.85] {
            let scenario = steady(speeds, load, size.of(1200.0));
            let best = best_split(&scenario, speeds, 3);
            let weights = split::weights(&split::proportional(speeds));
            let plain = tail(&scenario, 3, || Box::new(Wrr::new(&weights)));
            let against = |tail: Tail| {
                let more = (tail.wait / best.wait - 1.0) * 100.0;
                format!("{} ({more:+.0} %)", digits(tail.wait * 1e3))
            };
            let mut row = vec![
                format!("{name}, load {load}"),
                digits(best.wait * 1e3),
                against(plain),
            ];
            for (_, algorithm) in FOLLOWERS {
                let feedback = Feedback::new(settings(algorithm));
                let count = speeds.len();
                let tail = tail(&scenario, 3, || {
                    Box::new(Follow::equal(feedback.clone(), count))
                });
                row.push(against(tail));
            }
            rows.push(row);
        }
    }
    let steady_table = markdown(
        &[
            "p99 of waiting, ms",
            "best static split",
            "split by speed",
            "even",
            "capacity",
            "latency",
        ],
        &rows,
    );
    let mut rows = Vec::new();
    for load in [0.5, 0.6, 0.7, 0.8] {
        let scenario = steady(&ONE_SLOW, load, size.of(600.0));
        let wrr = tail(&scenario, 2, || Box::new(Wrr::new(&[1; 10])));
        let mut row = vec![format!("load {load}"), digits(wrr.wait * 1e3)];
        for (_, algorithm) in FOLLOWERS {
            let feedback = Feedback::new(settings(algorithm));
            let tail = tail(&scenario, 2, || {
                Box::new(Follow::equal(feedback.clone(), 10))
            });
            row.push(format!(
                "{} (1/{})",
                digits(tail.wait * 1e3),
                digits(wrr.wait / tail.wait)
            ));
        }
        rows.push(row);
    }
    let slow_table = markdown(
        &["p99 of waiting, ms", "wrr", "even", "capacity", "latency"],
        &rows,
    );
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for (name, algorithm) in FOLLOWERS {
        for interval in [0.1, 1.0, 10.0] {
            let mut row = vec![format!("{name}, a report each {interval} s")];
            for kind in [Step::Load, Step::Speed] {
                let seeds = 1..=10;
                let unrests: Vec<_> = seeds
                    .map(|seed| unrest(&step(kind, algorithm, interval, seed).1, interval))
                    .collect();
                for of in [|u: &Unrest| u.oscillation, |u: &Unrest| u.swing] {
                    let mut found: Vec<_> = unrests.iter().map(of).collect();
                    found.sort_by(f64::total_cmp);
                    let percent = |place: usize| found.get(place).map_or(f64::NAN, |f| f * 100.0);
                    row.push(format!("{:.1} %, {:.1} %", percent(4), percent(9)));
                }
            }
            rows.push(row);
        }
        let (_, follow) = step(Step::Speed, algorithm, 1.0, 1);
        let points = (0..600).map(|tenth| f64::from(tenth) * 0.1 - 10.0);
        let share = |after: f64| (after, follow.share_at(9, STEP_AT + after));
        lines.push(Line::new(name, points.map(share).collect()));
    }
    Chart::new(
        "Share of a server whose speed falls from 2 to 1 of 14",
        "seconds after the step (one report each second)",
        "share",
    )
    .draw(&out.join("goals.svg"), &lines)?;
    Ok(format!(
        "## Goals\n\nSteady load: the 99th percentile of waiting against the best static split, which \
         knows the speeds.\n\n{steady_table}\nTen servers, one at half speed, against round-robin \
         with equal weights.\n\n{slow_table}\nShares of ten servers from 10 report intervals after a step \
         until 50 later. Oscillation is how far to either side any of them went to and fro, as a \
         part of its mean, and swing how far it was from its mean, also on a long way to a new place: the median \
         and the worst of ten seeds. Ten reports of 0.1 s tell of 300 requests each, which cannot \
         say more exactly than by 8 % how fast a server is.\n\n{}\n![A server becomes slower](goals.svg)\n",
        markdown(
            &[
                "",
                "load 0.5 to 0.85: oscillation",
                "swing",
                "one server at half speed: oscillation",
                "swing",
            ],
            &rows
        )
    ))
}
