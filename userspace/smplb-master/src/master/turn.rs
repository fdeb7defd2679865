// SPDX-License-Identifier: MIT OR Apache-2.0
//! Turns: whether there are weights to publish, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Master;
use crate::damper;
use crate::member::Member;
use crate::pool::Standing;
use crate::proposal::{Cause, HoldReason, Outcome, Proposal};
use crate::view::State;
use crate::weights;

/// Between two publications.
const PAUSE: Duration = Duration::from_millis(100);
/// Between two that only time is the cause of.
const LEISURE: Duration = Duration::from_secs(1);
/// Shares that differ by less than this part of themselves are the same.
const SAME: f64 = 1e-3;

/// What was proposed and may have been taken.
#[derive(Clone, Debug)]
pub(super) struct Pending<K> {
    cause: Cause,
    configured: u64,
    plans: BTreeMap<K, Plan>,
}

/// What is planned for a server.
#[derive(Clone, Copy, Debug)]
struct Plan {
    at: f64,
    told: u64,
    share: f64,
    weight: u32,
    standing: Standing,
}

impl<K: Ord + Clone> Master<K> {
    /// Looks at what was heard since the last turn. At most 10 times a second there are weights to publish, however
    /// often this is called; what becomes of them is told by [`published`](Self::published).
    pub fn tick(&mut self, now: Duration) -> Outcome<K> {
        let now = self.advance(now);
        let outcome = self.turn(now);
        if let Outcome::Hold(reason) = &outcome {
            *self.counters.suppressed.entry(*reason).or_default() += 1;
        }
        outcome
    }

    /// The switch took the last proposal, or it did not and is to get it again.
    pub fn published(&mut self, now: Duration, ok: bool) {
        let now = self.advance(now);
        let Some(pending) = self.pending.take() else {
            return;
        };
        if !ok {
            self.counters.refused += 1;
            return;
        }
        let effect = self.law().asks_for_more();
        for (key, plan) in pending.plans {
            let Some(member) = self.members.get_mut(&key) else {
                continue;
            };
            if effect && (plan.at - member.mind.at).abs() > SAME {
                // What it told before was of another share.
                member.mind.evidence.clear();
            }
            member.mind.at = plan.at;
            member.answered = plan.told;
            member.share = plan.share;
            member.weight = Some(plan.weight);
            member.standing = plan.standing;
            if plan.weight > 0 {
                member.held = None;
            }
        }
        self.configured.1 = pending.configured;
        self.published = Some(now);
        *self.counters.published.entry(pending.cause).or_default() += 1;
    }

    fn turn(&mut self, now: Duration) -> Outcome<K> {
        if self.members.is_empty() {
            return Outcome::Hold(HoldReason::NoServers);
        }
        if self
            .proposed
            .is_some_and(|last| now.saturating_sub(last) < PAUSE)
        {
            return Outcome::Hold(HoldReason::TooSoon);
        }
        self.release();
        self.study();
        let plans = self.plans(now);
        let cause = self.cause(&plans, now);
        match cause {
            Ok(cause) => Outcome::Publish(self.propose(plans, cause, now)),
            Err(reason) => {
                if reason != HoldReason::DeadBand && self.heard {
                    // What was configured or asked for makes no difference.
                    self.configured.1 = self.configured.0;
                    for (member, plan) in self.members.values_mut().zip(plans) {
                        member.standing = plan.standing;
                    }
                }
                Outcome::Hold(reason)
            }
        }
    }

    /// Servers that were taken over with weight 0 get connections in the end, if nobody speaks of them.
    fn release(&mut self) {
        let limit = Duration::from_secs_f64(self.settings.hard_limit);
        for member in self.members.values_mut() {
            if member
                .held
                .is_some_and(|since| self.now.saturating_sub(since) >= limit)
            {
                member.recover(self.now);
                member.held = None;
                self.heard = true;
            }
        }
    }

    fn plans(&mut self, now: Duration) -> Vec<Plan> {
        let (standings, panic) = self.standings();
        self.panic = panic;
        let learns = self.learns();
        let at: Vec<f64> = self
            .members
            .values()
            .map(|member| self.step(member, now))
            .collect();
        let log = |at: f64| if learns { at } else { 0.0 };
        let parts = self.members.values().zip(&standings).zip(&at);
        let parts: Vec<_> = parts
            .map(|((member, standing), at)| member.part(standing, log(*at), now, &self.settings))
            .collect();
        let shares = weights::shares(&parts, learns, &self.settings);
        let configured = weights::configured(&parts).filter(|_| !learns);
        let weights = configured.unwrap_or_else(|| weights::integers(&shares));
        let each = self
            .members
            .values()
            .zip(at)
            .zip(shares.into_iter().zip(weights))
            .zip(standings);
        each.map(|(((member, at), (share, weight)), standing)| Plan {
            at,
            told: member.told,
            share,
            weight,
            standing,
        })
        .collect()
    }

    /// Where the share of a server goes now.
    fn step(&self, member: &Member, now: Duration) -> f64 {
        let mind = &member.mind;
        if member.left(now, &self.settings) < 1.0 {
            // Fading is slow as it is.
            return mind.goal;
        }
        match member.is_fresh() {
            true => damper::step(mind.at, mind.goal, &self.settings),
            false => mind.at,
        }
    }

    /// Why these plans should be published, or why not.
    fn cause(&self, plans: &[Plan], now: Duration) -> Result<Cause, HoldReason> {
        let members = || self.members.values().zip(plans);
        if members().any(|(member, plan)| match member.weight {
            None => true,
            Some(weight) => (weight > 0 || plan.weight > 0) && member.server.weight == 0,
        }) {
            return Ok(Cause::Configuration);
        }
        let learns = self.learns();
        if learns && !self.heard {
            return Err(HoldReason::NothingNew);
        }
        let moved = |(member, plan): (&Member, &Plan)| moved(member.share, plan.share);
        let most = members().map(moved).fold(0.0, f64::max);
        if most <= SAME {
            return Err(self.nothing());
        }
        if self.configured.0 != self.configured.1 || !learns && !self.heard {
            return Ok(Cause::Configuration);
        }
        if let Some(cause) = members().filter_map(standing_cause).min() {
            return Ok(cause);
        }
        let since = self.published.map_or(now, |last| now.saturating_sub(last));
        let mut stepping = members().filter(|(member, _)| member.is_fresh());
        let fresh = stepping.any(|(member, plan)| plan.at != member.mind.at);
        if most > self.settings.dead_band {
            if fresh {
                return Ok(Cause::Reports);
            }
            if since >= LEISURE {
                let fading = |(member, _): (&Member, _)| member.left(now, &self.settings) < 1.0;
                let slow = |(member, _): (&Member, _)| member.back.is_some();
                return Ok(match () {
                    () if members().any(fading) => Cause::Decay,
                    () if members().any(slow) => Cause::SlowStart,
                    () => Cause::Reports,
                });
            }
        }
        match since.as_secs_f64() >= self.settings.force_after {
            true => Ok(Cause::Force),
            false => Err(HoldReason::DeadBand),
        }
    }

    fn nothing(&self) -> HoldReason {
        let fresh = self.members.values().any(Member::is_fresh);
        match fresh {
            _ if self.overload.is_on() => HoldReason::Overload,
            true => HoldReason::NoEvidence,
            false => HoldReason::NothingNew,
        }
    }

    fn propose(&mut self, plans: Vec<Plan>, cause: Cause, now: Duration) -> Proposal<K> {
        self.proposed = Some(now);
        let settings = &self.settings;
        let inputs = self.members.iter().zip(&plans);
        let inputs: BTreeMap<_, _> = inputs
            .map(|((key, member), plan)| (key.clone(), member.input(plan.share, now, settings)))
            .collect();
        let moved = inputs
            .values()
            .map(|input| (input.after - input.before).abs())
            .sum::<f64>();
        let count = |is: &dyn Fn(&Member) -> bool| {
            self.members.values().filter(|member| is(member)).count() as u64
        };
        let informed = count(&|member| member.is_informed(now, settings));
        self.counters.fallback += u64::from(self.learns() && informed < 2);
        self.counters.stale += count(&|member| member.is_stale(now, settings));
        self.counters.blackout += count(&|member| member.pulse.is_blackout(now, settings));
        let plans: BTreeMap<_, _> = self.members.keys().cloned().zip(plans).collect();
        let weights = plans
            .iter()
            .map(|(key, plan)| (key.clone(), plan.weight))
            .collect();
        self.pending = Some(Pending {
            cause,
            configured: self.configured.0,
            plans,
        });
        Proposal {
            weights,
            cause,
            inputs,
            moved: (moved / 2.0).min(1.0),
        }
    }
}

/// By which part of itself a share moves.
fn moved(before: f64, after: f64) -> f64 {
    match before > 0.0 {
        true => (after - before).abs() / before,
        false if after > 0.0 => f64::INFINITY,
        false => 0.0,
    }
}

/// A change of standing that does not wait for the dead band.
fn standing_cause((member, plan): (&Member, &Plan)) -> Option<Cause> {
    let (before, after) = (&member.standing, &plan.standing);
    let withdrawn = |standing: &Standing| matches!(standing.state, State::Drain | State::Maint);
    if before.used != after.used {
        let admin = withdrawn(before) || withdrawn(after);
        return Some(if admin { Cause::Admin } else { Cause::Health });
    }
    let asked = before.percent != after.percent || before.full != after.full;
    // Silent agents are forgotten bit by bit.
    let forgotten = member
        .word
        .percent
        .is_some_and(|percent| percent < after.percent);
    let cause = if forgotten {
        Cause::Decay
    } else {
        Cause::Admin
    };
    (after.used && asked).then_some(cause)
}
