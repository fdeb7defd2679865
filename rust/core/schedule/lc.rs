// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Fewest connections per unit of weight.

use super::super::config::view::View;
use super::super::config::BackendId;
use super::super::counters::{sum::active, Lane};
use super::super::env::Atom;

/// The backend that would have the fewest connections per unit of weight after getting one more.
///
/// `slots` holds each candidate once. The search begins at `position`, which moves on, so that
/// candidates with equal load take turns.
pub fn least<A: Atom>(
    config: &View<'_>,
    slots: &[u16],
    position: &mut u32,
    lanes: &[Lane<'_, A>],
) -> Option<BackendId> {
    let start = if (*position as usize) < slots.len() {
        *position
    } else {
        0
    };
    *position = start.wrapping_add(1);
    let (before, after) = slots.split_at_checked(start as usize)?;
    let mut best: Option<(BackendId, u64, u64)> = None;
    for place in after.iter().chain(before) {
        let id = BackendId(*place);
        let Some(backend) = config.backend(id) else {
            continue;
        };
        let load = active(lanes, id).saturating_add(1);
        let weight = u64::from(backend.weight);
        // load / weight < best_load / best_weight, without dividing.
        let better = best.is_none_or(|(_, best_load, best_weight)| {
            load.saturating_mul(best_weight) < best_load.saturating_mul(weight)
        });
        if better && weight != 0 {
            best = Some((id, load, weight));
        }
    }
    best.map(|(id, _, _)| id)
}
