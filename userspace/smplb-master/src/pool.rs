// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which servers of a pool are used. There is always one, as long as one has a configured weight.
//!
//! A failed check beats any word of the agent. When too few servers are healthy, health is not looked
//! at. Agents can take their servers out, but not the service: when nobody is left, those are used
//! that are least unfit.

use crate::settings::{PanicMode, Settings};
use crate::view::State;
use crate::word::{Admin, Word};

/// What is known of the fitness of a server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fitness {
    /// Its configured weight is not 0.
    pub configured: bool,
    /// Its checks do not fail.
    pub healthy: bool,
    /// What its agent asked for.
    pub word: Word,
    /// It was out when this was taken over, and nobody has said a word since.
    pub held: bool,
    /// It is ejected.
    pub ejected: bool,
    /// It has the labels that are preferred.
    pub preferred: bool,
    /// It has as many connections as its agent wants.
    pub full: bool,
    /// It came back not long ago.
    pub slow: bool,
}

/// What is decided of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Standing {
    /// It gets connections.
    pub used: bool,
    /// Why, or why not.
    pub state: State,
    /// Part of its share that its agent wants.
    pub percent: f64,
    /// It gets as few as possible.
    pub full: bool,
}

impl Fitness {
    /// Its administrator wants it out.
    fn is_withdrawn(&self) -> bool {
        matches!(self.word.admin, Some(Admin::Drain | Admin::Maint))
            || self.word.percent == Some(0.0)
    }

    fn is_up(&self) -> bool {
        self.healthy && self.word.up != Some(false) && !self.held
    }

    fn state(&self) -> State {
        match self.word.admin {
            _ if !self.configured => State::Drain,
            Some(Admin::Maint) if self.healthy => State::Maint,
            _ if !self.is_up() => State::Down,
            Some(Admin::Maint) => State::Maint,
            _ if self.is_withdrawn() => State::Drain,
            _ if self.ejected => State::Ejected,
            _ if !self.preferred => State::Spare,
            _ if self.full => State::Full,
            _ if self.slow => State::SlowStart,
            _ => State::Up,
        }
    }
}

/// Decides which servers are used, and whether that is by panic.
pub(crate) fn decide(pool: &[Fitness], settings: &Settings) -> (Vec<Standing>, bool) {
    let mut panic = false;
    let all = |_: &Fitness| true;
    let used = among(pool, &|server| server.preferred, settings, &mut panic)
        .or_else(|| among(pool, &all, settings, &mut panic))
        .unwrap_or_else(|| {
            panic = pool.iter().any(|server| server.configured);
            last_resort(pool, settings)
        });
    let standing = |(server, used): (&Fitness, bool)| {
        let percent = server.word.percent.filter(|percent| *percent > 0.0);
        let mut state = server.state();
        if used && state == State::Spare {
            // Nobody is preferred to it.
            state = Fitness {
                preferred: true,
                ..*server
            }
            .state();
        }
        Standing {
            used,
            state,
            percent: percent.unwrap_or(1.0),
            full: server.full,
        }
    };
    (pool.iter().zip(used).map(standing).collect(), panic)
}

/// Who is used of some servers; `None` when none of them is fit.
fn among(
    pool: &[Fitness],
    some: &dyn Fn(&Fitness) -> bool,
    settings: &Settings,
    panic: &mut bool,
) -> Option<Vec<bool>> {
    let wanted = |server: &&Fitness| server.configured && !server.is_withdrawn() && some(server);
    let all = pool.iter().filter(wanted).count();
    let up = pool
        .iter()
        .filter(wanted)
        .filter(|server| server.is_up())
        .count();
    if up == 0 {
        return None;
    }
    *panic = settings.panic_mode == PanicMode::All && (up as f64) < settings.panic * all as f64;
    let anyone = *panic;
    let left = pool
        .iter()
        .filter(wanted)
        .any(|server| server.is_up() && !server.ejected);
    let used = |server: &Fitness| {
        wanted(&server) && (anyone || server.is_up() && !(left && server.ejected))
    };
    Some(pool.iter().map(used).collect())
}

/// Nobody is fit: those that only their agents drain, if they are enough; then those that nobody withdrew,
/// whatever their checks say; then whoever there is.
fn last_resort(pool: &[Fitness], settings: &Settings) -> Vec<bool> {
    let count = |fit: &dyn Fn(&Fitness) -> bool| {
        pool.iter()
            .filter(|server| server.configured && fit(server))
            .count()
    };
    let drained = |server: &Fitness| server.is_up() && server.word.admin != Some(Admin::Maint);
    let enough = count(&drained) as f64 >= settings.panic * count(&|_| true) as f64;
    let order: [&dyn Fn(&Fitness) -> bool; 5] = [
        &|server| enough && drained(server),
        &|server| !server.is_withdrawn(),
        &drained,
        &|server| server.healthy,
        &|_| true,
    ];
    let pick = order.into_iter().find(|fit| count(fit) > 0);
    pool.iter()
        .map(|server| server.configured && pick.is_some_and(|fit| fit(server)))
        .collect()
}

#[cfg(test)]
mod tests;
