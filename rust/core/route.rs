// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Routes: the mirror of the kernel's routing table, flattened into ranges of addresses.
//!
//! The shell collects the prefixes of its network namespace, calls [`flatten`] into the standby
//! slice and publishes it with a new generation. A lookup is a binary search; connections remember
//! its result.

use super::frame::{PortId, MAX_PORTS};
use super::wire::ethernet::ip_word;

/// Where a packet goes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hop {
    /// Nowhere: unreachable, blackhole or no route.
    #[default]
    None,
    /// The host itself: a local or broadcast address, or one behind a NIC that is no port.
    Host,
    /// On the link of the port.
    Direct(PortId),
    /// Through the gateway on the link of the port.
    Gateway(PortId, [u8; 4]),
}

/// One route.
#[derive(Clone, Copy, Debug, Default)]
pub struct Prefix {
    addr: u32,
    order: u32,
    len: u8,
    hop: Hop,
}

impl Prefix {
    /// The route to the addresses whose first `len` (0 to 32) bits are those of `addr` (host byte
    /// order).
    pub fn new(addr: u32, len: u8, hop: Hop) -> Self {
        let len = len.min(32);
        Self {
            addr: addr & mask(len),
            order: 0,
            len,
            hop,
        }
    }

    fn last(&self) -> u32 {
        self.addr | !mask(self.len)
    }
}

fn mask(len: u8) -> u32 {
    u32::MAX
        .checked_shl(u32::from(32u8.saturating_sub(len)))
        .unwrap_or(0)
}

/// Addresses from `start` up to the start of the next range, all with the same next hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// First address, host byte order.
    pub start: u32,
    /// Where they go.
    pub hop: Hop,
}

/// Why routes cannot be flattened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// The output slice is too short; two elements per prefix and one more always suffice.
    Full,
}

/// Turns prefixes into ranges that cover all addresses, and returns their number.
///
/// The longest prefix wins; of equal ones the first. The prefixes are left in another order.
pub fn flatten(prefixes: &mut [Prefix], out: &mut [Range]) -> Result<usize, RouteError> {
    for (order, prefix) in prefixes.iter_mut().enumerate() {
        prefix.order = order as u32;
    }
    prefixes.sort_unstable_by_key(|prefix| (prefix.addr, prefix.len, prefix.order));

    let mut ranges = Ranges { out, len: 0 };
    ranges.push(0, Hop::None)?;
    // The prefixes around the current address, shortest first; lengths differ, so there are at most
    // 33.
    let mut around = [Prefix::default(); 33];
    let mut depth = 0usize;
    for prefix in prefixes.iter() {
        while let Some(inner) = depth
            .checked_sub(1)
            .and_then(|top| around.get(top))
            .copied()
        {
            if inner.last() >= prefix.addr {
                break;
            }
            depth = depth.saturating_sub(1);
            ranges.close(inner, around.get(..depth).unwrap_or(&[]))?;
        }
        let repeated = depth
            .checked_sub(1)
            .and_then(|top| around.get(top))
            .is_some_and(|inner| inner.addr == prefix.addr && inner.len == prefix.len);
        if repeated {
            continue;
        }
        ranges.push(prefix.addr, prefix.hop)?;
        if let Some(place) = around.get_mut(depth) {
            *place = *prefix;
            depth = depth.saturating_add(1);
        }
    }
    while let Some(inner) = depth
        .checked_sub(1)
        .and_then(|top| around.get(top))
        .copied()
    {
        depth = depth.saturating_sub(1);
        ranges.close(inner, around.get(..depth).unwrap_or(&[]))?;
    }
    Ok(ranges.len)
}

struct Ranges<'a> {
    out: &'a mut [Range],
    len: usize,
}

impl Ranges<'_> {
    /// From `start` on, addresses go to `hop`. The starts never fall.
    fn push(&mut self, start: u32, hop: Hop) -> Result<(), RouteError> {
        if let Some(last) = self
            .len
            .checked_sub(1)
            .and_then(|last| self.out.get_mut(last))
        {
            if last.start == start {
                last.hop = hop;
                // The range before may have become equal.
                let before = self
                    .len
                    .checked_sub(2)
                    .and_then(|before| self.out.get(before));
                if before.is_some_and(|before| before.hop == hop) {
                    self.len = self.len.saturating_sub(1);
                }
                return Ok(());
            }
            if last.hop == hop {
                return Ok(());
            }
        }
        *self.out.get_mut(self.len).ok_or(RouteError::Full)? = Range { start, hop };
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    /// After the last address of `inner` the innermost prefix still `around` holds again.
    fn close(&mut self, inner: Prefix, around: &[Prefix]) -> Result<(), RouteError> {
        match inner.last().checked_add(1) {
            None => Ok(()),
            Some(start) => self.push(start, around.last().map_or(Hop::None, |prefix| prefix.hop)),
        }
    }
}

/// What the routes know about a port. The default is a port that is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortInfo {
    /// As [`ip_word`].
    mac: u64,
    /// 0 while the port is down, so that nothing fits.
    mtu: u32,
}

impl PortInfo {
    /// A port with the MAC address of its NIC and pseudo interface, and its MTU (largest IP packet,
    /// octets). `up` tells whether it is administratively up and has a carrier.
    pub fn new(mac: [u8; 6], mtu: u32, up: bool) -> Self {
        Self {
            mac: ip_word(mac),
            mtu: if up { mtu } else { 0 },
        }
    }

    /// MAC address.
    pub fn mac(&self) -> [u8; 6] {
        let [a, b, c, d, e, f, ..] = self.mac.to_le_bytes();
        [a, b, c, d, e, f]
    }

    /// Whether packets can leave by it.
    pub fn is_up(&self) -> bool {
        self.mtu != 0
    }

    /// MTU; 0 while the port is down.
    #[inline(always)]
    pub fn mtu(&self) -> u32 {
        self.mtu
    }

    /// MAC address as [`ip_word`].
    #[inline(always)]
    pub(super) fn ip_word(&self) -> u64 {
        self.mac
    }
}

/// One half of the routing table, read-only.
#[derive(Clone, Copy, Debug)]
pub struct Routes<'a> {
    /// Number of this half; differs from that of every half published before.
    pub generation: u32,
    /// The ranges, by rising start, as [`flatten`] made them.
    pub ranges: &'a [Range],
    /// The ports by their number.
    pub ports: &'a [PortInfo; MAX_PORTS],
}

impl<'a> Routes<'a> {
    /// Where a packet to `addr` goes.
    pub fn lookup(&self, addr: [u8; 4]) -> Hop {
        let addr = u32::from_be_bytes(addr);
        let after = self.ranges.partition_point(|range| range.start <= addr);
        after
            .checked_sub(1)
            .and_then(|at| self.ranges.get(at))
            .map_or(Hop::None, |range| range.hop)
    }

    /// What is known about a port.
    #[inline(always)]
    pub fn port(&self, id: PortId) -> Option<&'a PortInfo> {
        self.ports.get(usize::from(id.0))
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_route))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    const A: Hop = Hop::Direct(PortId(1));
    const B: Hop = Hop::Gateway(PortId(2), [10, 0, 0, 1]);

    fn routes<'a>(ranges: &'a [Range], ports: &'a [PortInfo; MAX_PORTS]) -> Routes<'a> {
        Routes {
            generation: 1,
            ranges,
            ports,
        }
    }

    #[test]
    fn the_longest_prefix_wins() -> Result<(), ()> {
        let mut prefixes = [
            Prefix::new(0, 0, B),
            Prefix::new(0x0a00_0000, 8, A),
            Prefix::new(0x0a01_0000, 16, Hop::Host),
            Prefix::new(0x0a01_0203, 32, Hop::None),
            Prefix::new(0xffff_ffff, 32, Hop::Host),
        ];
        let mut out = [Range::default(); 11];
        let len = flatten(&mut prefixes, &mut out).map_err(|_| ())?;
        let ports = [PortInfo::default(); MAX_PORTS];
        let routes = routes(out.get(..len).unwrap_or(&[]), &ports);
        let cases = [
            ([0, 0, 0, 0], B),
            ([9, 255, 255, 255], B),
            ([10, 0, 0, 0], A),
            ([10, 1, 0, 0], Hop::Host),
            ([10, 1, 2, 2], Hop::Host),
            ([10, 1, 2, 3], Hop::None),
            ([10, 1, 2, 4], Hop::Host),
            ([10, 1, 255, 255], Hop::Host),
            ([10, 2, 0, 0], A),
            ([10, 255, 255, 255], A),
            ([11, 0, 0, 0], B),
            ([255, 255, 255, 254], B),
            ([255, 255, 255, 255], Hop::Host),
        ];
        for (addr, hop) in cases {
            assert_eq!(routes.lookup(addr), hop);
        }
        Ok(())
    }

    #[test]
    fn of_equals_the_first_wins() {
        let mut prefixes = [
            Prefix::new(0x0a00_0000, 8, A),
            Prefix::new(0x0aff_ffff, 8, B),
        ];
        let mut out = [Range::default(); 5];
        assert_eq!(flatten(&mut prefixes, &mut out), Ok(3));
        assert_eq!(
            out[1],
            Range {
                start: 0x0a00_0000,
                hop: A
            }
        );
        assert_eq!(
            out[2],
            Range {
                start: 0x0b00_0000,
                hop: Hop::None
            }
        );
    }

    #[test]
    fn no_routes_and_no_room() {
        let mut out = [Range::default(); 1];
        assert_eq!(flatten(&mut [], &mut out), Ok(1));
        assert_eq!(flatten(&mut [Prefix::new(0, 0, A)], &mut out), Ok(1));
        assert_eq!(out[0].hop, A);
        assert_eq!(
            flatten(&mut [Prefix::new(5, 32, A)], &mut out),
            Err(RouteError::Full)
        );
        let ports = [PortInfo::default(); MAX_PORTS];
        assert_eq!(routes(&[], &ports).lookup([1, 2, 3, 4]), Hop::None);
    }

    #[test]
    fn ports() {
        let info = PortInfo::new([1, 2, 3, 4, 5, 6], 1500, true);
        assert_eq!(
            (info.mac(), info.mtu(), info.is_up()),
            ([1, 2, 3, 4, 5, 6], 1500, true)
        );
        assert!(!PortInfo::new([1, 2, 3, 4, 5, 6], 1500, false).is_up());
        let ports = [info; MAX_PORTS];
        assert!(routes(&[], &ports).port(PortId(63)).is_some());
        assert!(routes(&[], &ports).port(PortId(64)).is_none());
    }
}
