// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Schedulers: which backend gets a new connection (seed figure 6, steps 210 to 216).

pub mod lc;
pub mod wrr;

use super::config::view::View;
use super::config::{BackendId, Scheduler, Service, ServiceId};
use super::counters::sum::Loads;

/// Chooses a backend with a weight above zero for a new connection.
///
/// `positions` is the engine's own place in the slot list of each service.
#[inline]
pub fn pick(
    config: &View<'_>,
    id: ServiceId,
    service: &Service,
    positions: &mut [u32],
    loads: &dyn Loads,
) -> Option<BackendId> {
    let slots = config.slots(service);
    let position = positions.get_mut(usize::from(id.0))?;
    match service.params.scheduler {
        Scheduler::Wrr => wrr::next(slots, position),
        Scheduler::Lc => lc::least(config, slots, position, loads),
    }
}
