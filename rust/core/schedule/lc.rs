// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Fewest connections per unit of weight.

use super::super::config::view::View;
use super::super::config::BackendId;
use super::super::counters::sum::Loads;

/// The backend that would have the fewest connections per unit of weight after getting one more.
///
/// `slots` holds each candidate once. The search begins at `position`, which moves on, so that
/// candidates with equal load take turns.
pub fn least(
    config: &View<'_>,
    slots: &[u16],
    position: &mut u32,
    loads: &dyn Loads,
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
        let load = loads.active(id).saturating_add(1);
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

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_lc))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::config::{Scheduler, ServiceId, ServiceOptions};
    use super::super::super::counters::sum::active;
    use super::super::super::fake::{service_key, Counters, Half, SERVER, VIP};
    use super::*;

    #[test]
    fn the_lightest_load_for_its_weight() -> Result<(), ()> {
        let (mut half, before) = (Half::default(), Half::default());
        let options = ServiceOptions {
            scheduler: Some(Scheduler::Lc),
            ..Default::default()
        };
        let mut change = half.lend();
        change.begin(&before.view(), 1);
        assert!(change.service_add(service_key(6), options).is_ok());
        for (port, weight) in [(1, 1), (2, 2), (3, 0)] {
            assert!(change
                .backend_add(service_key(6), SERVER.0, port, weight)
                .is_ok());
        }
        assert!(change.finish(&before.view()).is_ok());
        let (config, counters) = (half.view(), [Counters::default(), Counters::default()]);
        let lanes = [counters[0].lane(), counters[1].lane()];
        let (id, service) = config.lookup(6, VIP.0, VIP.1).ok_or(())?;
        assert_eq!(id, ServiceId(0));
        let (slots, mut position) = (config.slots(service), 0);
        let mut given = [0u8; 3];
        for turn in 0..9usize {
            let found = least(&config, slots, &mut position, &lanes.as_slice()).ok_or(())?;
            if let (Some(lane), Some(given)) =
                (lanes.get(turn & 1), given.get_mut(usize::from(found.0)))
            {
                lane.connection_made(id, found);
                *given = given.saturating_add(1);
            }
        }
        assert_eq!(given, [3, 6, 0]);
        // One lane may be below zero: connections end on another CPU than they began on.
        for _ in 0..6 {
            lanes[1].connection_removed(BackendId(1));
        }
        assert_eq!(active(lanes, BackendId(1)), 0);
        assert_eq!(
            least(&config, slots, &mut position, &lanes.as_slice()),
            Some(BackendId(1))
        );
        Ok(())
    }
}
