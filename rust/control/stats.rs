// SPDX-License-Identifier: GPL-2.0

//! Totals of a switch: `stats-get`.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
use crate::core_::counters::sum::{connections, TotalsSum};
use crate::core_::verdict::DropReason;
use crate::kapi::netlink::Request;
use kernel::prelude::*;

pub(super) fn get(request: &Request<'_>) -> Result {
    let mut reply = request.reply()?;
    let message = &mut reply.message;
    let switch = switch(request.net());
    let mut sum = TotalsSum::default();
    if let Some(switch) = &switch {
        switch.lanes().for_each(|lane| sum.add(&lane));
        // Counted on other CPUs than the engine's, beside the rings.
        if let Some(full) = sum.drops.get_mut(DropReason::RxFull as usize) {
            *full = full.wrapping_add(switch.rx_refused());
        }
    }
    for (reason, packets) in (0u32..).zip(sum.drops) {
        message.nest(SMPLB_A_STATS_DROP, |message| {
            message.u32(SMPLB_A_DROP_REASON, reason)?;
            message.uint(SMPLB_A_DROP_PACKETS, packets)
        })?;
    }
    if let Some(switch) = &switch {
        let now = connections(switch.lanes());
        message.u32(SMPLB_A_STATS_CONNECTIONS, now as u32)?;
        message.u32(SMPLB_A_STATS_CONNECTIONS_MAX, switch.connections_max())?;
        message.u32(SMPLB_A_STATS_ROUTES, switch.route_ranges())?;
        message.u32(SMPLB_A_STATS_NEIGHBOURS, switch.neighbour_count())?;
    }
    reply.send()
}
