// SPDX-License-Identifier: MIT OR Apache-2.0
//! What followers tell, and what is told of decisions.

use std::collections::BTreeSet;
use std::time::Duration;

use smplb_master::Rejected;
use smplb_probe::Event;

use super::draft::Draft;
use super::Control;
use crate::board::count;
use crate::key::ServiceKey;
use crate::manager::{News, Place};
use crate::switch::Published;

impl Control {
    /// Hears a follower.
    pub(super) fn hear(&mut self, news: News) {
        if !self.manager.is_current(&news) {
            return;
        }
        let now = self.now();
        let Place {
            service,
            backend,
            part,
        } = news.place;
        let Some(site) = self.sites.get_mut(&service) else {
            return;
        };
        match news.event {
            Event::Report(report) => match site.master.report(&backend, &report, now) {
                Ok(()) => {
                    site.tally(&backend, |tally| tally.reports += 1);
                    self.recovered(news.place);
                }
                Err(rejected) => {
                    let reason = rejected.name();
                    site.tally(&backend, |tally| count(&mut tally.rejected, reason));
                    let quiet = matches!(rejected, Rejected::NoInformation);
                    if !quiet && self.troubles.changed(news.place, reason) {
                        tracing::warn!(%service, %backend, reason, "report left aside: {rejected}");
                    }
                }
            },
            Event::Word(word) => {
                site.master.word(&backend, word, now);
                site.tally(&backend, |tally| tally.reports += 1);
                self.recovered(news.place);
            }
            Event::Health { up, why } => {
                site.master.health(&backend, up, now);
                match up {
                    true => tracing::info!(%service, %backend, why, "healthy"),
                    false => tracing::warn!(%service, %backend, why, "not healthy"),
                }
            }
            Event::Trouble(trouble) => {
                let name = trouble.name();
                site.tally(&backend, |tally| count(&mut tally.troubles, name));
                if self.troubles.changed(news.place, name) {
                    tracing::warn!(%service, %backend, %part, reason = name, "{trouble}");
                }
            }
        }
    }

    fn recovered(&mut self, place: Place) {
        if self.troubles.over(&place) {
            let Place {
                service,
                backend,
                part,
            } = place;
            tracing::info!(%service, %backend, %part, "told again");
        }
    }
}

/// One line for a generation; and at debug level one for each server that it was made of.
pub fn publication(draft: &Draft, published: Published, took: Duration) {
    let causes = draft.proposals.iter();
    let causes: BTreeSet<_> = causes.map(|(_, proposal)| proposal.cause.name()).collect();
    let cause = match causes.is_empty() {
        true => "configuration".to_owned(),
        false => causes.into_iter().collect::<Vec<_>>().join(","),
    };
    let services = draft
        .changes
        .iter()
        .map(|change| change.service())
        .collect();
    tracing::info!(
        generation = published.generation,
        cause,
        services = names(&services),
        changes = draft.changes.len(),
        slots_moved = published.slots_moved,
        took_ms = took.as_secs_f64() * 1e3,
        "published"
    );
    for (service, proposal) in &draft.proposals {
        for (backend, input) in &proposal.inputs {
            tracing::debug!(
                generation = published.generation,
                %service,
                %backend,
                weight = proposal.weights.get(backend),
                ?input,
                "input"
            );
        }
    }
    for change in &draft.changes {
        tracing::debug!(generation = published.generation, %change, "change");
    }
}

/// Names of services, so many as a line can hold.
pub fn names(services: &BTreeSet<ServiceKey>) -> String {
    let shown = services.iter().take(4).map(ToString::to_string);
    let shown: Vec<_> = shown.collect();
    match services.len().saturating_sub(shown.len()) {
        0 => shown.join(","),
        more => format!("{} and {more} more", shown.join(",")),
    }
}
