// SPDX-License-Identifier: MIT OR Apache-2.0
//! Followed services and their servers: load, reports, states.

use std::fmt::Result;

use smplb_master::State;

use super::page::{backend, service, with, Labels, Page};
use crate::board::{ServerView, SiteView, Snapshot};

/// Every state; its place is its number.
const STATES: [State; 8] = [
    State::Down,
    State::Up,
    State::Drain,
    State::SlowStart,
    State::Ejected,
    State::Full,
    State::Maint,
    State::Spare,
];

fn number(state: State) -> f64 {
    let place = STATES.iter().position(|each| *each == state);
    place.map_or(-1.0, |place| place as f64)
}

type Server<'a> = (&'a SiteView, &'a ServerView);

/// Writes them.
pub fn write(page: &mut Page<'_>, snapshot: &Snapshot) -> Result {
    sites(page, &snapshot.sites)?;
    let all = || {
        let sites = snapshot.sites.iter();
        sites.flat_map(|site| site.servers.iter().map(move |server| (site, server)))
    };
    let labels = |(site, server): Server<'_>| backend(site.key, server.key);
    let some = |value: fn(&ServerView) -> Option<f64>| {
        all().filter_map(move |each| Some((labels(each), value(each.1)?)))
    };
    page.gauge(
        "smplb_backend_state",
        "0 down, 1 up, 2 drain, 3 slow start, 4 ejected, 5 full, 6 maint, 7 spare.",
        all().map(|each| (labels(each), number(each.1.state))),
    )?;
    page.gauge(
        "smplb_backend_configured_weight",
        "Weight in the configuration.",
        all().map(|each| (labels(each), f64::from(each.1.configured))),
    )?;
    page.gauge(
        "smplb_backend_wanted_share",
        "Part of new connections that it should have, 0 to 1.",
        some(|server| server.wanted),
    )?;
    page.gauge(
        "smplb_backend_utilization",
        "Utilization that it last told; 1 is its own limit.",
        some(|server| server.utilization),
    )?;
    page.gauge(
        "smplb_backend_request_rate",
        "Requests per second that it last told.",
        some(|server| server.rate),
    )?;
    page.gauge(
        "smplb_backend_report_age_seconds",
        "Age of its last load report.",
        some(|server| server.age),
    )?;
    let followed = || all().filter(|each| each.1.followed);
    page.counter(
        "smplb_backend_reports",
        "Load reports and words of its agent that were taken.",
        followed().map(|each| (labels(each), each.1.tally.reports)),
    )?;
    let errors = followed().flat_map(|each| {
        let tally = &each.1.tally;
        let reasons = tally.rejected.iter().chain(&tally.troubles);
        reasons.map(move |(reason, count)| (with(labels(each), "reason", *reason), *count))
    });
    page.counter(
        "smplb_backend_report_errors",
        "Load reports that were refused, and troubles with the agent.",
        errors,
    )
}

fn sites(page: &mut Page<'_>, sites: &[SiteView]) -> Result {
    let each = |value: fn(&SiteView) -> u64| {
        let rows = sites.iter();
        rows.map(move |site| (service(site.key), value(site)))
    };
    let flag = |value: fn(&SiteView) -> bool| {
        let rows = sites.iter();
        rows.map(move |site| (service(site.key), f64::from(u8::from(value(site)))))
    };
    page.counter(
        "smplb_weight_fallback",
        "Looks at a service in which too few servers had told their load.",
        each(|site| site.fallback),
    )?;
    page.counter(
        "smplb_weight_stale",
        "Weights that were made while the report was too old.",
        each(|site| site.stale),
    )?;
    page.counter(
        "smplb_weight_blackout",
        "Weights that were made while reports did not count yet.",
        each(|site| site.blackout),
    )?;
    page.gauge(
        "smplb_service_overloaded",
        "Whether the whole site is overloaded, so that shares are frozen.",
        flag(|site| site.overloaded),
    )?;
    page.gauge(
        "smplb_service_panic",
        "Whether too few servers are healthy for health to count.",
        flag(|site| site.panic),
    )?;
    let states = sites.iter().flat_map(|site| {
        STATES.into_iter().map(|state| {
            let servers = site.servers.iter();
            let count = servers.filter(|server| server.state == state).count();
            let labels: Labels = with(service(site.key), "state", state.name());
            (labels, count as f64)
        })
    });
    page.gauge("smplb_service_backends", "Servers in each state.", states)
}
