// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Sums over the lanes: the numbers users see.

use super::super::config::{BackendId, ServiceId};
use super::super::env::Atom;
use super::super::frame::PortId;
use super::super::verdict::DropReason;
use super::Lane;

/// Sums of [`Totals`](super::Totals).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TotalsSum {
    /// See [`Totals::packets`](super::Totals::packets).
    pub packets: u64,
    /// See [`Totals::bytes`](super::Totals::bytes).
    pub bytes: u64,
    /// See [`Totals::forwarded`](super::Totals::forwarded).
    pub forwarded: u64,
    /// See [`Totals::stack`](super::Totals::stack).
    pub stack: u64,
    /// See [`Totals::replied`](super::Totals::replied).
    pub replied: u64,
    /// See [`Totals::resolved`](super::Totals::resolved).
    pub resolved: u64,
    /// See [`Totals::channel`](super::Totals::channel).
    pub channel: u64,
    /// See [`Totals::drops`](super::Totals::drops).
    pub drops: [u64; DropReason::COUNT],
}

impl TotalsSum {
    /// Packets that came to nothing, for any reason.
    pub fn dropped(&self) -> u64 {
        self.drops
            .iter()
            .fold(0, |sum, drops| sum.wrapping_add(*drops))
    }

    /// Adds one lane.
    pub fn add<A: Atom>(&mut self, lane: &Lane<'_, A>) {
        let totals = lane.totals;
        accumulate(&mut self.packets, &totals.packets);
        accumulate(&mut self.bytes, &totals.bytes);
        accumulate(&mut self.forwarded, &totals.forwarded);
        accumulate(&mut self.stack, &totals.stack);
        accumulate(&mut self.replied, &totals.replied);
        accumulate(&mut self.resolved, &totals.resolved);
        accumulate(&mut self.channel, &totals.channel);
        for (sum, drops) in self.drops.iter_mut().zip(&totals.drops) {
            accumulate(sum, drops);
        }
    }
}

/// Sums of [`PortCounters`](super::PortCounters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortSum {
    /// See [`PortCounters::rx_packets`](super::PortCounters::rx_packets).
    pub rx_packets: u64,
    /// See [`PortCounters::rx_bytes`](super::PortCounters::rx_bytes).
    pub rx_bytes: u64,
    /// See [`PortCounters::tx_packets`](super::PortCounters::tx_packets).
    pub tx_packets: u64,
    /// See [`PortCounters::tx_bytes`](super::PortCounters::tx_bytes).
    pub tx_bytes: u64,
    /// See [`PortCounters::stack_packets`](super::PortCounters::stack_packets).
    pub stack_packets: u64,
    /// See [`PortCounters::host_packets`](super::PortCounters::host_packets).
    pub host_packets: u64,
    /// See [`PortCounters::dropped`](super::PortCounters::dropped).
    pub dropped: u64,
}

/// Sums of [`ServiceCounters`](super::ServiceCounters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServiceSum {
    /// See [`ServiceCounters::packets`](super::ServiceCounters::packets).
    pub packets: u64,
    /// See [`ServiceCounters::bytes`](super::ServiceCounters::bytes).
    pub bytes: u64,
    /// See [`ServiceCounters::connections`](super::ServiceCounters::connections).
    pub connections: u64,
}

/// Sums of [`BackendCounters`](super::BackendCounters).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackendSum {
    /// See [`BackendCounters::packets`](super::BackendCounters::packets).
    pub packets: u64,
    /// See [`BackendCounters::bytes`](super::BackendCounters::bytes).
    pub bytes: u64,
    /// See [`BackendCounters::reply_packets`](super::BackendCounters::reply_packets).
    pub reply_packets: u64,
    /// See [`BackendCounters::reply_bytes`](super::BackendCounters::reply_bytes).
    pub reply_bytes: u64,
    /// See [`BackendCounters::connections`](super::BackendCounters::connections).
    pub connections: u64,
}

macro_rules! sums {
    ($sum:ident $($field:ident)*) => {
        impl $sum {
            /// What was counted since the numbers were `base`.
            pub fn since(self, base: Self) -> Self {
                Self { $($field: self.$field.wrapping_sub(base.$field),)* }
            }
        }
    };
}

sums!(PortSum rx_packets rx_bytes tx_packets tx_bytes stack_packets host_packets dropped);
sums!(ServiceSum packets bytes connections);
sums!(BackendSum packets bytes reply_packets reply_bytes connections);

/// The sum over the lanes for a port.
pub fn port<'a, A: Atom + 'a>(lanes: impl IntoIterator<Item = Lane<'a, A>>, id: PortId) -> PortSum {
    let mut sum = PortSum::default();
    for port in lanes
        .into_iter()
        .filter_map(|lane| lane.ports.get(usize::from(id.0)))
    {
        accumulate(&mut sum.rx_packets, &port.rx_packets);
        accumulate(&mut sum.rx_bytes, &port.rx_bytes);
        accumulate(&mut sum.tx_packets, &port.tx_packets);
        accumulate(&mut sum.tx_bytes, &port.tx_bytes);
        accumulate(&mut sum.stack_packets, &port.stack_packets);
        accumulate(&mut sum.host_packets, &port.host_packets);
        accumulate(&mut sum.dropped, &port.dropped);
    }
    sum
}

/// The sum over the lanes for the place of a service. Subtract what it was when the service was
/// made, see [`ServiceSum::since`].
pub fn service<'a, A: Atom + 'a>(
    lanes: impl IntoIterator<Item = Lane<'a, A>>,
    id: ServiceId,
) -> ServiceSum {
    let mut sum = ServiceSum::default();
    for service in lanes
        .into_iter()
        .filter_map(|lane| lane.services.get(usize::from(id.0)))
    {
        accumulate(&mut sum.packets, &service.packets);
        accumulate(&mut sum.bytes, &service.bytes);
        accumulate(&mut sum.connections, &service.connections);
    }
    sum
}

/// The sum over the lanes for the place of a backend. Subtract what it was when the backend was
/// made, see [`BackendSum::since`].
pub fn backend<'a, A: Atom + 'a>(
    lanes: impl IntoIterator<Item = Lane<'a, A>>,
    id: BackendId,
) -> BackendSum {
    let mut sum = BackendSum::default();
    for backend in lanes
        .into_iter()
        .filter_map(|lane| lane.backends.get(usize::from(id.0)))
    {
        accumulate(&mut sum.packets, &backend.packets);
        accumulate(&mut sum.bytes, &backend.bytes);
        accumulate(&mut sum.reply_packets, &backend.reply_packets);
        accumulate(&mut sum.reply_bytes, &backend.reply_bytes);
        accumulate(&mut sum.connections, &backend.connections);
    }
    sum
}

fn accumulate<A: Atom>(sum: &mut u64, counter: &A) {
    *sum = sum.wrapping_add(counter.load());
}

/// Connections a backend has now. The lanes are read one after the other, so that it may be off by
/// changes meanwhile, but it is never negative.
#[inline]
pub fn active<'a, A: Atom + 'a>(
    lanes: impl IntoIterator<Item = Lane<'a, A>>,
    id: BackendId,
) -> u64 {
    let sum = lanes
        .into_iter()
        .filter_map(|lane| lane.active.get(usize::from(id.0)))
        .fold(0u64, |sum, active| sum.wrapping_add(active.load()));
    if sum > i64::MAX as u64 {
        0
    } else {
        sum
    }
}

/// Who knows how many connections each backend has: asked for new connections only.
pub trait Loads: Sync {
    /// Connections the backend has now.
    fn active(&self, id: BackendId) -> u64;
}

impl<A: Atom> Loads for &[Lane<'_, A>] {
    fn active(&self, id: BackendId) -> u64 {
        active(self.iter().copied(), id)
    }
}

/// Connections in the table.
pub fn connections<'a, A: Atom + 'a>(lanes: impl IntoIterator<Item = Lane<'a, A>>) -> u64 {
    let sum = lanes.into_iter().fold(0u64, |sum, lane| {
        sum.wrapping_add(lane.totals.connections.load())
    });
    if sum > i64::MAX as u64 {
        0
    } else {
        sum
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_counters))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::Counters;
    use super::*;

    #[test]
    fn lanes_are_added() {
        let counters = [Counters::default(), Counters::default()];
        let lanes = [counters[0].lane(), counters[1].lane()];
        for (lane, count) in lanes.iter().zip([3u64, 4]) {
            lane.sent(PortId(1), count, 100);
            for _ in 0..count {
                lane.drop(DropReason::NoRoute, PortId(1));
                lane.connection_made(ServiceId(2), BackendId(5));
            }
        }
        lanes[1].connection_removed(BackendId(5));
        let port = port(lanes, PortId(1));
        assert_eq!((port.tx_packets, port.tx_bytes, port.dropped), (7, 200, 7));
        assert_eq!(service(lanes, ServiceId(2)).connections, 7);
        let backend = backend(lanes, BackendId(5));
        assert_eq!(backend.connections, 7);
        assert_eq!(backend.since(backend), BackendSum::default());
        assert_eq!((active(lanes, BackendId(5)), connections(lanes)), (6, 6));
        let mut totals = TotalsSum::default();
        lanes.iter().for_each(|lane| totals.add(lane));
        assert_eq!(totals.dropped(), 7);
        // Places beyond the memory are not counted, and do no harm.
        lanes[0].connection_removed(BackendId(u16::MAX));
        lanes[0].sent(PortId(99), 1, 1);
    }
}
