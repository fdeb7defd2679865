// SPDX-License-Identifier: MIT OR Apache-2.0
//! The patterns in which ways are compared.

use crate::arrival::{Pattern, Work};
use crate::experiment::goals::{rate, ONE_SLOW, WORK};
use crate::experiment::Size;
use crate::world::{Scenario, What};

/// A pattern.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it is called.
    pub name: String,
    /// What happens.
    pub text: String,
    /// What is simulated.
    pub scenario: Scenario,
    /// Speeds that the static split knows.
    pub speeds: Vec<f64>,
    /// Mean work of a request, seconds.
    pub work: f64,
    /// How late reports are.
    pub delay: f64,
    /// From when shares should be at rest.
    pub step: Option<f64>,
    /// The file of its plot.
    pub plot: Option<&'static str>,
}

/// Six servers of speed 1, two of 2 and two of a half.
const MIXED: [f64; 10] = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 0.5, 0.5];

fn case(name: &str, text: &str, speeds: &[f64], arrivals: Pattern, seconds: f64) -> Case {
    let work = Work::Exponential(WORK);
    Case {
        name: name.to_string(),
        text: format!("{text}\n"),
        scenario: Scenario {
            arrivals,
            warmup: 60.0,
            deadline: 5.0,
            ..Scenario::steady(speeds, 1.0, work, 60.0 + seconds)
        },
        speeds: speeds.to_vec(),
        work: WORK,
        delay: 0.0,
        step: None,
        plot: None,
    }
}

/// All patterns.
pub fn all(size: Size) -> Vec<Case> {
    let long = size.of(600.0);
    let mixed = |load: f64| rate(&MIXED, load);
    let mut cases = vec![
        case(
            "Steady load",
            "Speeds 1 (six), 2 (two) and a half (two), load 0.8.",
            &MIXED,
            Pattern::Constant(mixed(0.8)),
            long,
        ),
        Case {
            step: Some(190.0),
            plot: Some("table-step.svg"),
            ..case(
                "Step of the load",
                "The same servers; the load goes from 0.5 to 0.85 at 180 s.",
                &MIXED,
                Pattern::Step {
                    before: mixed(0.5),
                    after: mixed(0.85),
                    at: 180.0,
                },
                240.0,
            )
        },
        case(
            "Ramp of the load",
            "The same servers; the load grows from 0.3 to 0.95.",
            &MIXED,
            Pattern::Ramp {
                from: mixed(0.3),
                to: mixed(0.95),
                seconds: 60.0 + long,
            },
            long,
        ),
        Case {
            plot: Some("table-sine.svg"),
            ..case(
                "Sine",
                "The same servers; the load swings between 0.35 and 0.85 once a minute.",
                &MIXED,
                Pattern::Sine {
                    mean: mixed(0.6),
                    swing: mixed(0.25),
                    period: 60.0,
                },
                long.max(240.0),
            )
        },
        case(
            "One slow server",
            "Nine servers of speed 1 and one of a half, load 0.7.",
            &ONE_SLOW,
            Pattern::Constant(rate(&ONE_SLOW, 0.7)),
            long,
        ),
        one_becomes_slow(),
        one_fails(),
    ];
    for delay in [1.0, 3.0, 10.0, 30.0] {
        cases.push(Case {
            delay,
            ..case(
                &format!("Reports {delay} s late"),
                "Speeds 1 (six), 2 (two) and a half (two); the load swings between 0.35 and 0.85 once a minute.",
                &MIXED,
                Pattern::Sine {
                    mean: mixed(0.6),
                    swing: mixed(0.25),
                    period: 60.0,
                },
                long.max(240.0),
            )
        });
    }
    cases.push(overload());
    cases.extend(losing(long));
    cases
}

fn one_becomes_slow() -> Case {
    let speeds = [1.0; 10];
    let mut case = case(
        "One server becomes slow",
        "Ten servers of speed 1, load 0.7; one works at half speed from 180 s on. The static split knows the speeds \
         before.",
        &speeds,
        Pattern::Constant(rate(&speeds, 0.7)),
        240.0,
    );
    case.step = Some(190.0);
    case.plot = Some("table-slow.svg");
    case.scenario = case.scenario.with(180.0, 0, What::Speed(0.5));
    case
}

fn one_fails() -> Case {
    let speeds = [1.0; 10];
    let mut case = case(
        "One failing server",
        "Ten servers of speed 1, load 0.7; one answers everything with an error after 1 ms from 180 s on, and its \
         health checks see nothing.",
        &speeds,
        Pattern::Constant(rate(&speeds, 0.7)),
        240.0,
    );
    case.scenario = case.scenario.with(180.0, 0, What::Failing(1.0));
    case
}

/// More comes than all can do, for two minutes.
fn overload() -> Case {
    let speeds = MIXED;
    Case {
        step: Some(190.0),
        plot: Some("table-overload.svg"),
        ..case(
            "The whole site is overloaded",
            "Speeds 1 (six), 2 (two) and a half (two); the load goes from 0.7 to 1.2 at 180 s, and stays.",
            &speeds,
            Pattern::Step {
                before: rate(&speeds, 0.7),
                after: rate(&speeds, 1.2),
                at: 180.0,
            },
            240.0,
        )
    }
}

/// Where following should win most, and where it cannot win.
fn losing(long: f64) -> [Case; 2] {
    let skewed: Vec<f64> = (0..16).map(|server| 1.0 / f64::from(server + 1)).collect();
    [
        case(
            "Sixteen servers, the slowest a sixteenth of the fastest",
            "Load 0.6.",
            &skewed,
            Pattern::Constant(rate(&skewed, 0.6)),
            2.0 * long,
        ),
        case(
            "The losing case: four equal servers, bound by their CPU",
            "Speed 1, load 0.85. Equal weights are right from the beginning, so whatever the master does can only be \
             worse.",
            &[1.0; 4],
            Pattern::Constant(rate(&[1.0; 4], 0.85)),
            2.0 * long,
        ),
    ]
}
