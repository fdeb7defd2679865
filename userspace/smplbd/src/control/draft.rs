// SPDX-License-Identifier: MIT OR Apache-2.0
//! Drafts of generations: what all services have to change in a turn, and what becomes of it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use smplb_master::{HoldReason, Outcome, Proposal};
use tokio::time::Instant;

use super::{flight, Control, APART};
use crate::board::count;
use crate::key::{BackendKey, ServiceKey};
use crate::reconcile::{self, Notice};
use crate::switch::{Change, Published, State, SwitchError};

/// A generation to be made.
#[derive(Debug, Default)]
pub struct Draft {
    /// What is changed.
    pub changes: Vec<Change>,
    /// What the masters of services proposed.
    pub proposals: Vec<(ServiceKey, Proposal<BackendKey>)>,
}

impl Draft {
    /// Services that it changes.
    fn services(&self) -> BTreeSet<ServiceKey> {
        self.changes.iter().map(Change::service).collect()
    }

    /// Sets a weight, in the change that adds or sets it already if there is one.
    fn set(&mut self, service: ServiceKey, backend: BackendKey, weight: u32, state: &State) {
        let same = |change: &&mut Change| match **change {
            Change::AddBackend(s, b, _) | Change::SetWeight(s, b, _) => {
                (s, b) == (service, backend)
            }
            _ => false,
        };
        match self.changes.iter_mut().find(same) {
            Some(Change::AddBackend(_, _, w) | Change::SetWeight(_, _, w)) => *w = weight,
            _ => {
                let found = state.backend(service, backend);
                if found.is_some_and(|found| found.weight != weight) {
                    self.changes
                        .push(Change::SetWeight(service, backend, weight));
                }
            }
        }
    }

    fn drop_idle(&mut self, state: &State) {
        // A weight that was to be set back may be the one that is wanted now.
        self.changes.retain(|change| match *change {
            Change::SetWeight(service, backend, weight) => {
                let found = state.backend(service, backend);
                found.is_none_or(|found| found.weight != weight)
            }
            _ => true,
        });
    }
}

impl Control {
    /// The switch was read.
    pub(super) fn looked(&mut self, result: Result<State, SwitchError>) {
        let state = match result {
            Ok(state) => state,
            Err(error) => return self.unanswered(&error),
        };
        self.answered();
        let now = self.now();
        for (key, site) in &mut self.sites {
            if let Some(service) = state.services.get(key) {
                site.counted(service, now);
            }
        }
        // What is gone once is gone for good: if it comes back, it is somebody else's.
        let left = reconcile::leftovers(&self.gone, &state);
        self.gone
            .retain(|gone| left.iter().any(|change| gone.is(change)));
        self.state = Some(Arc::new(state));
        self.fresh = true;
    }

    /// Publishes what there is to publish, if anything may be published now.
    pub(super) fn publish(&mut self) {
        let Some(state) = self.state.clone().filter(|_| self.fresh) else {
            return;
        };
        if !self.retry.is_due() || !self.limit.is_open() {
            return;
        }
        let draft = self.draft(&state);
        if draft.changes.is_empty() {
            // Nothing to do on a state that is known: it is taken over.
            return self.notify.ready();
        }
        self.limit.take();
        let generation = state.generation;
        self.flight = Some(flight::publish(self.switch.clone(), draft, generation));
    }

    fn draft(&mut self, state: &State) -> Draft {
        let mut draft = Draft::default();
        let mut notices = BTreeSet::new();
        let apart = self.apart_until.is_some_and(|until| Instant::now() < until);
        if !apart {
            draft.changes = reconcile::leftovers(&self.gone, state);
        }
        let keys: Vec<_> = match (apart, self.last_apart) {
            // Those behind the last one first, then from the beginning.
            (true, Some(last)) => {
                let later = self.sites.keys().filter(|key| **key > last);
                let sooner = self.sites.keys().filter(|key| **key <= last);
                later.chain(sooner).copied().collect()
            }
            _ => self.sites.keys().copied().collect(),
        };
        for key in keys {
            self.draft_site(key, state, &mut draft, &mut notices);
            if apart && !draft.changes.is_empty() {
                self.last_apart = Some(key);
                break;
            }
        }
        if apart && draft.changes.is_empty() {
            draft.changes = reconcile::leftovers(&self.gone, state);
        }
        if !apart {
            self.tell_notices(notices);
        }
        draft
    }

    fn draft_site(
        &mut self,
        key: ServiceKey,
        state: &State,
        draft: &mut Draft,
        notices: &mut BTreeSet<Notice>,
    ) {
        let now = self.now();
        let Some(site) = self.sites.get_mut(&key) else {
            return;
        };
        if !site.may_publish() {
            let same = self.notices.iter().filter(|notice| notice.service() == key);
            return notices.extend(same);
        }
        let plan = reconcile::service(&site.wanted(), state);
        site.adopt(plan.adopt);
        notices.extend(plan.notices);
        let before = draft.changes.len();
        draft.changes.extend(plan.changes);
        match site.master.tick(now) {
            Outcome::Publish(proposal) => {
                for (backend, weight) in &proposal.weights {
                    draft.set(key, *backend, *weight, state);
                }
                draft.drop_idle(state);
                if draft.changes.len() == before {
                    // The switch has these weights already.
                    site.master.published(now, true);
                    count(&mut self.counters.suppressed, "unchanged");
                } else {
                    site.hold = None;
                    draft.proposals.push((key, proposal));
                }
            }
            // Nothing was kept back here.
            Outcome::Hold(HoldReason::NothingNew | HoldReason::NoServers) => {}
            Outcome::Hold(reason) => {
                let name = reason.name();
                count(&mut self.counters.suppressed, name);
                if site.hold != Some(name) {
                    site.hold = Some(name);
                    tracing::debug!(service = %key, reason = name, "not published");
                }
            }
        }
    }

    /// A publication has come to its end.
    pub(super) fn published(
        &mut self,
        draft: Draft,
        result: Result<Published, SwitchError>,
        took: Duration,
    ) {
        let now = self.now();
        for (key, _) in &draft.proposals {
            if let Some(site) = self.sites.get_mut(key) {
                site.master.published(now, result.is_ok());
            }
        }
        match result {
            Ok(published) => self.succeeded(&draft, published, took),
            Err(error) => self.failed(&draft, &error),
        }
    }

    fn succeeded(&mut self, draft: &Draft, published: Published, took: Duration) {
        self.answered();
        self.notify.ready();
        if self.apart_until.is_none_or(|until| Instant::now() >= until) {
            self.apart_until = None;
            self.switch_trouble.over(&"refused");
        }
        if let Some(state) = &mut self.state {
            let state = Arc::make_mut(state);
            draft.changes.iter().for_each(|change| state.change(change));
            state.generation = published.generation;
        }
        for key in draft.services() {
            if let Some(site) = self.sites.get_mut(&key) {
                let proposed = draft.proposals.iter().find(|(service, _)| *service == key);
                site.published(&draft.changes, proposed.map(|(_, proposal)| proposal));
            }
        }
        let counters = &mut self.counters;
        counters.generations += 1;
        counters.slots_moved += published.slots_moved;
        counters.duration.add(took.as_secs_f64());
        for (_, proposal) in &draft.proposals {
            count(&mut counters.published, proposal.cause.name());
            let ages = proposal.inputs.values().filter_map(|input| input.age);
            ages.for_each(|age| counters.ages.add(age.as_secs_f64()));
        }
        if draft.proposals.is_empty() {
            count(&mut counters.published, "configuration");
        }
        super::told::publication(draft, published, took);
    }

    fn failed(&mut self, draft: &Draft, error: &SwitchError) {
        count(&mut self.counters.failed, error.reason());
        self.fresh = false;
        match error {
            SwitchError::Conflict(generation) => {
                tracing::debug!(
                    generation,
                    "not published: somebody else changed the switch, which is read again"
                );
            }
            SwitchError::Refused(_) => {
                let services = draft.services();
                if services.len() > 1 {
                    self.apart_until = Some(Instant::now() + APART);
                }
                for key in &services {
                    if let Some(site) = self.sites.get_mut(key) {
                        site.refused(services.len() == 1);
                    }
                }
                if self.switch_trouble.changed("refused", &error.to_string()) {
                    let services = super::told::names(&services);
                    tracing::error!(services, %error, "not published: the switch refuses");
                }
            }
            SwitchError::Unavailable(_) | SwitchError::Timeout(_) => self.unanswered(error),
        }
    }

    fn unanswered(&mut self, error: &SwitchError) {
        self.fresh = false;
        self.up = false;
        self.retry.failed();
        if self.switch_trouble.changed("down", &error.to_string()) {
            tracing::warn!(%error, "the switch does not answer: tried again until it does");
        }
    }

    fn answered(&mut self) {
        self.retry.worked();
        if !self.up {
            self.up = true;
            if self.switch_trouble.over(&"down") {
                tracing::info!("the switch answers again");
            }
        }
    }

    fn tell_notices(&mut self, notices: BTreeSet<Notice>) {
        for notice in notices.difference(&self.notices) {
            match notice.is_warning() {
                true => tracing::warn!("{notice}"),
                false => tracing::info!("{notice}"),
            }
        }
        self.notices = notices;
    }
}
