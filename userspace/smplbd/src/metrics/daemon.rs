// SPDX-License-Identifier: MIT OR Apache-2.0
//! The daemon itself: publications, and what kept it from them.

use std::fmt::Result;

use super::page::{Labels, Page};
use crate::board::{Counts, Snapshot};

fn by_reason(counts: &Counts) -> impl Iterator<Item = (Labels, u64)> + '_ {
    let each = counts.iter();
    each.map(|(reason, count)| (vec![("reason", (*reason).to_owned())], *count))
}

fn one<T>(value: T) -> [(Labels, T); 1] {
    [(Labels::new(), value)]
}

/// Writes them.
pub fn write(page: &mut Page<'_>, snapshot: &Snapshot) -> Result {
    let counters = &snapshot.counters;
    let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    page.gauge("smplb_build_info", "Version of smplbd.", [(version, 1.0)])?;
    page.gauge(
        "smplb_switch_up",
        "Whether the switch answers.",
        one(f64::from(u8::from(snapshot.up))),
    )?;
    page.counter(
        "smplb_publish",
        "Services whose shares were published, by cause.",
        by_reason(&counters.published),
    )?;
    page.counter(
        "smplb_publish_failures",
        "Publications that the switch did not take.",
        by_reason(&counters.failed),
    )?;
    page.counter(
        "smplb_publish_suppressed",
        "Looks at a service that ended without a publication.",
        by_reason(&counters.suppressed),
    )?;
    page.histogram(
        "smplb_publish_duration_seconds",
        "Time from a publication to the answer of the switch.",
        &counters.duration,
    )?;
    page.counter(
        "smplb_publish_generations",
        "Generations that smplbd made.",
        one(counters.generations),
    )?;
    page.counter(
        "smplb_slots_moved",
        "Slots that got another backend by publications of smplbd.",
        one(counters.slots_moved),
    )?;
    page.histogram(
        "smplb_report_age_seconds",
        "Age of load reports when shares were published.",
        &counters.ages,
    )?;
    page.counter(
        "smplb_config_reloads",
        "Reloads that were taken.",
        one(counters.reloads),
    )?;
    page.gauge(
        "smplb_config_last_reload_successful",
        "Whether the last reload was taken.",
        one(f64::from(u8::from(counters.reload_good))),
    )
}
