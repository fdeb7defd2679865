// SPDX-License-Identifier: GPL-2.0

//! What applications send by their channels (seed figure 12, steps 324 to 326).

use super::out::Out;
use super::Hands;
use crate::channel::Desk;
use crate::core_::frame::BURST;
use crate::kapi::cpu::BhGuard;
use crate::switch::Switch;
use kernel::sync::rcu;

/// Sends what applications have put on their rings; returns how many bursts there
/// were.
#[inline]
pub(super) fn poll(switch: &Switch, hands: &mut Hands<'_>, desk: &Desk) -> u64 {
    let mut bursts = 0;
    desk.answer(|channel| {
        let _bh = BhGuard::new();
        let rcu = rcu::read_lock();
        let (Some(tables), Some(lane)) = (switch.tables(&rcu), switch.lane(hands.local.lane))
        else {
            return;
        };
        let mut out = Out::new(&tables, lane);
        let sent = channel.transmit(BURST as u32, |frame| out.copied(frame, hands));
        out.flush(hands);
        bursts += u64::from(sent != 0);
    });
    bursts
}
