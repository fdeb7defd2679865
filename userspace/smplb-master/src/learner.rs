// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks at what the servers of a pool reported, and decides which differences are more than chance.
//!
//! Clear evidence before acting is what keeps equal servers equal: each server's windows (1, 4, and all
//! of the last 32) are compared with what it is taken for already, relative to the pool, so that a common swing
//! of load or cost cancels. After a change, what was before it is dropped, and the new figure is
//! made more exact when twice as many windows are there, and again twice as many.

use crate::distribution::Distribution;
use crate::evidence::MOST_WINDOWS;
use crate::median::median;
use crate::mind::Mind;
use crate::settings::Settings;

/// Numbers of windows that are looked at together.
const DEPTHS: [usize; 3] = [1, 4, MOST_WINDOWS];
/// The deepest look needs so many.
const DEEP: usize = 8;
/// While the whole site is overloaded, a server must be this much better or worse than the pool (as a
/// logarithm), by each depth of looks, to be trouble of its own. Failing alone makes no more than 0.69.
const OWN_TROUBLE: [f64; 3] = [0.75, 0.5, 0.25];
/// A share is where it should be when it is this close.
const CLOSE: f64 = 0.01;
/// A server that claims to be less busy than this can be one that reports nonsense.
const IDLE: f64 = 0.15;
/// How far an algorithm that asks for more can go, as a logarithm.
const FAR: f64 = 2.8;

/// A server that can be compared with others.
#[derive(Debug)]
pub(crate) struct Pupil<'a> {
    /// What is learned of it.
    pub mind: &'a mut Mind,
    /// Its configured weight.
    pub weight: f64,
}

/// A server at one depth: how far it is from what it is taken for, and the variance of that.
#[derive(Clone, Copy, Debug)]
struct Look {
    log: f64,
    variance: f64,
}

/// Looks at the pool, and moves the goals of servers that are clearly not what they are taken for.
pub(crate) fn learn(
    pool: &mut [Pupil<'_>],
    law: &dyn Distribution,
    settings: &Settings,
    overloaded: bool,
) {
    doubt(pool, law, settings);
    let mut pool: Vec<_> = pool
        .iter_mut()
        .filter(|pupil| !pupil.mind.incredible)
        .collect();
    let ripe: Vec<bool> = pool
        .iter_mut()
        .map(|p| std::mem::take(&mut p.mind.ripe))
        .collect();
    if pool.len() < 2 || !ripe.contains(&true) {
        return;
    }
    for (pupil, _) in pool.iter_mut().zip(&ripe).filter(|(_, ripe)| **ripe) {
        if std::mem::take(&mut pupil.mind.mixed) {
            pupil.mind.evidence.keep(1);
        }
    }
    let certainty = certainty(pool.len(), settings);
    let looks = DEPTHS.map(|depth| compare(&pool, law, depth));
    for (i, pupil) in pool.iter_mut().enumerate().filter(|(i, _)| ripe[*i]) {
        let seen = looks.each_ref().map(|looks| looks[i]);
        // When all are overrun, times tell how long the queues are and not who could do more.
        if overloaded && law.asks_for_more() {
            continue;
        }
        let waits = law.asks_for_more() && (pupil.mind.goal - pupil.mind.at).abs() > CLOSE;
        if waits {
            continue;
        }
        let windows = pupil.mind.evidence.len();
        let sure = match pupil.mind.chasing {
            true => 1.0,
            false => certainty,
        };
        let clear = evident(&seen, windows, sure, settings, overloaded);
        pupil.mind.chasing = clear.is_some_and(|(_, look)| law.answer(look.log) != look.log);
        if let Some((_, look)) = clear.filter(|_| law.asks_for_more()) {
            pupil.mind.chasing = false;
            let before = pupil.mind.before.replace(look.log).unwrap_or(0.0);
            if before * look.log > 0.0 && look.log.abs() < before.abs() {
                // It is on its way: a queue that drains is slow until it is empty.
                pupil.mind.evidence.clear();
                continue;
            }
        }
        let (answer, keep) = match clear {
            Some((depth, look)) => (law.answer(look.log), Some(DEPTHS[depth])),
            None if overloaded => continue,
            None => match refined(pupil.mind, seen[2], windows, settings) {
                Some(log) => (log, None),
                None => continue,
            },
        };
        let mind = &mut *pupil.mind;
        mind.aim(mind.goal + answer);
        if law.asks_for_more() {
            mind.aim(mind.goal.clamp(-FAR, FAR));
            mind.evidence.clear();
        } else if let Some(keep) = keep {
            mind.evidence.keep(keep);
            mind.refine = Some(2 * mind.evidence.len());
            mind.mixed = keep == 1;
        }
    }
}

/// Standard deviations that count as more than chance: the more servers, the more often chance has a
/// try.
fn certainty(servers: usize, settings: &Settings) -> f64 {
    let tries = (servers as f64 / 4.0).max(1.0).ln();
    (settings.certainty * settings.certainty + 2.0 * tries).sqrt()
}

/// Every server next to the middle of the pool, over this many windows or as many as it has.
fn compare(pool: &[&mut Pupil<'_>], law: &dyn Distribution, depth: usize) -> Vec<Option<Look>> {
    let look = |pupil: &&mut Pupil<'_>| {
        let measure = law.measure(&pupil.mind.evidence.last(depth)?)?;
        let taken_for = match law.asks_for_more() {
            true => 0.0,
            false => pupil.weight.ln() + pupil.mind.goal,
        };
        let variance = pupil.mind.noise.apply(measure.variance);
        Some(Look {
            log: measure.log - taken_for,
            variance,
        })
    };
    let mut looks: Vec<_> = pool.iter().map(look).collect();
    let known: Vec<Look> = looks.iter().flatten().copied().collect();
    let Some(middle) = median(known.iter().map(|look| look.log)).filter(|_| known.len() > 1) else {
        return vec![None; looks.len()];
    };
    // The middle is not exact either; by the median of the variances, so that one server of which little is known
    // does not hide the others.
    let spread = median(known.iter().map(|look| look.variance)).unwrap_or_default();
    let spread = 1.5 * spread / known.len() as f64;
    for look in looks.iter_mut().flatten() {
        look.log -= middle;
        look.variance += spread;
    }
    looks
}

/// The deepest look that shows a difference which is more than chance, and is not about a time that is over:
/// it must agree with the newest window.
fn evident(
    seen: &[Option<Look>; 3],
    windows: usize,
    certainty: f64,
    settings: &Settings,
    overloaded: bool,
) -> Option<(usize, Look)> {
    let least = |depth: usize| match overloaded {
        // Overrun servers fail by bursts: the shorter the look, the more that takes.
        true => settings.dead_band.max(OWN_TROUBLE[depth]),
        false => settings.dead_band,
    };
    let newest = seen[0]?;
    let is_clear = |depth: usize, look: &Look| {
        let enough = windows >= [1, DEPTHS[1], DEEP][depth];
        enough && look.log.abs() > least(depth).max(certainty * look.variance.sqrt())
    };
    let agrees = |look: &Look| (look.log - newest.log).abs() <= 2.0 * newest.variance.sqrt();
    let clear = |depth: &usize| seen[*depth].is_some_and(|look| is_clear(*depth, &look));
    let depth = (0..3)
        .rev()
        .filter(clear)
        .find(|depth| seen[*depth].is_some_and(|l| agrees(&l)))?;
    Some((depth, seen[depth]?))
}

/// After a change: the difference that is left, each time that twice as many windows are there.
fn refined(mind: &mut Mind, all: Option<Look>, windows: usize, settings: &Settings) -> Option<f64> {
    let due = mind.refine.filter(|due| windows >= *due)?;
    mind.refine = Some(2 * due).filter(|next| *next <= MOST_WINDOWS);
    let look = all?;
    let least = settings.dead_band.max(look.variance.sqrt());
    (look.log.abs() > least).then_some(look.log)
}

/// Finds servers whose figures are too good to be true: so many times better than the middle of the
/// pool while they claim to do next to nothing. They count as unknown.
fn doubt(pool: &mut [Pupil<'_>], law: &dyn Distribution, settings: &Settings) {
    let claim = |pupil: &Pupil<'_>| {
        let log = law.measure(&pupil.mind.evidence.last(1)?)?.log;
        Some(log - pupil.weight.ln())
    };
    let claims: Vec<Option<f64>> = pool.iter().map(claim).collect();
    let known = || claims.iter().flatten().copied();
    let middle = match known().count() {
        // Of two, the worse one is the measure.
        2 if !law.asks_for_more() => known().reduce(f64::min),
        0..=2 => None,
        _ => median(known()),
    };
    for (pupil, claim) in pool.iter_mut().zip(claims) {
        let utilization = pupil
            .mind
            .evidence
            .last(1)
            .and_then(|sum| sum.utilization());
        // Where times are compared, a server next to overrun ones may well be so much better.
        let idle = match utilization {
            Some(utilization) => utilization < IDLE,
            None => law.asks_for_more(),
        };
        let far = claim
            .zip(middle)
            .is_some_and(|(claim, middle)| claim - middle > settings.credible.ln());
        if pupil.mind.incredible && !(far && idle) {
            // What it told before is not to be believed later.
            pupil.mind.evidence.keep(1);
        }
        pupil.mind.incredible = far && idle;
    }
}

#[cfg(test)]
mod tests;
