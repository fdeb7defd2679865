// SPDX-License-Identifier: GPL-2.0

//! What applications send by their channels (seed figure 12, steps 324 to 326).

use super::out::Out;
use super::Hands;
use crate::channel::{Carrier, Desk, Outgoing};
use crate::core_::channel::bad::Bad;
use crate::core_::channel::end::Sent;
use crate::core_::frame::{PortId, BURST};
use crate::kapi::buffer::{Buf, Buffered};
use crate::kapi::cpu::BhGuard;
use crate::kapi::pool::{BufferPool, Stock};
use crate::switch::Switch;
use kernel::sync::{rcu, Arc};

/// The ports, for what applications send.
struct Sender<'a, 'o, 'h>(&'a mut Out<'o>, &'a mut Hands<'h>);

impl Carrier for Sender<'_, '_, '_> {
    #[inline(always)]
    fn copy(&mut self, frame: Outgoing<'_>) -> Result<(), Bad> {
        self.0.copied(frame, self.1)
    }

    #[inline(always)]
    fn pass(&mut self, frame: Buffered, to: PortId) -> Sent<Buf> {
        self.0.passed(frame, to, self.1)
    }

    #[inline(always)]
    fn stock(&mut self, pool: &Arc<BufferPool>) -> &mut Stock {
        self.1.stock_of(pool)
    }
}

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
        let sent = channel.transmit(BURST as u32, &mut Sender(&mut out, hands));
        out.flush(hands);
        bursts += u64::from(sent != 0);
    });
    bursts
}
