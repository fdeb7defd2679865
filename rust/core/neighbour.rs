// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Neighbours: the mirror of the kernel's neighbour tables, from next hop to MAC address.
//!
//! One table serves all engines. Only the control CPU writes, one writer at a time; a connection
//! remembers the slot of its next hop, so that the address on the wire follows a change of the
//! neighbour at once. A slot keeps its key until [`Neighbours::recycle`].

use super::env::Atom;
use super::frame::PortId;

/// Slots a key may be in, from the one its hash gives.
const PROBE: usize = 32;
/// Longest table: a slot number has to fit into a connection.
pub const MAX_NEIGHBOURS: usize = 1 << 16;

const USED: u64 = 1 << 63;
/// Key of a slot that is free but was used: a search goes on behind it.
const LEFT: u64 = 1;

/// One next hop.
#[derive(Debug)]
#[repr(C)]
pub struct Slot<A> {
    /// [`USED`], port (16 bits), address (32 bits).
    key: A,
    /// Port (16 bits), MAC address (48 bits, first octet lowest); 0 while that is not known.
    value: A,
}

impl<A: Atom> Default for Slot<A> {
    fn default() -> Self {
        Self {
            key: A::new(0),
            value: A::new(0),
        }
    }
}

/// The table.
#[derive(Debug)]
pub struct Neighbours<'a, A> {
    /// The slots; a power of two, at most [`MAX_NEIGHBOURS`].
    pub slots: &'a [Slot<A>],
}

impl<A> Clone for Neighbours<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Neighbours<'_, A> {}

fn key_of(port: PortId, addr: [u8; 4]) -> u64 {
    USED | (u64::from(port.0) << 32) | u64::from(u32::from_be_bytes(addr))
}

impl<A: Atom> Neighbours<'_, A> {
    /// The slots a key may be in, with their numbers.
    fn candidates(&self, key: u64) -> impl Iterator<Item = (u32, &Slot<A>)> {
        let mask = self.slots.len().wrapping_sub(1);
        let start = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize;
        (0..PROBE.min(self.slots.len())).filter_map(move |step| {
            let at = start.wrapping_add(step) & mask;
            self.slots.get(at).map(|slot| (at as u32, slot))
        })
    }

    fn find_key(&self, key: u64) -> Option<(u32, &Slot<A>)> {
        for (at, slot) in self.candidates(key) {
            match slot.key.load_acquire() {
                0 => return None,
                found if found == key => return Some((at, slot)),
                _ => {}
            }
        }
        None
    }

    /// The slot of a next hop whose MAC address is known.
    pub fn find(&self, port: PortId, addr: [u8; 4]) -> Option<u32> {
        let (at, slot) = self.find_key(key_of(port, addr))?;
        (slot.value.load() != 0).then_some(at)
    }

    /// The MAC address and port in a slot.
    #[inline(always)]
    pub fn get(&self, slot: u32) -> Option<([u8; 6], PortId)> {
        let value = self.value(slot)?;
        let [a, b, c, d, e, f, _, _] = value.to_le_bytes();
        Some(([a, b, c, d, e, f], port_of(value)))
    }

    /// The MAC address (first octet lowest, 48 bits) and port of a slot, as one word for
    /// [`port_of`].
    #[inline(always)]
    pub(super) fn value(&self, slot: u32) -> Option<u64> {
        let value = self.slots.get(slot as usize)?.value.load();
        (value != 0).then_some(value)
    }

    /// Enters or changes a neighbour. False if there was no room: publish routes again,
    /// [`Neighbours::recycle`], try again.
    pub fn set(&self, port: PortId, addr: [u8; 4], mac: [u8; 6]) -> bool {
        let key = key_of(port, addr);
        let [a, b, c, d, e, f] = mac;
        if mac == [0; 6] {
            self.invalidate(port, addr);
            return true;
        }
        let value = u64::from_le_bytes([a, b, c, d, e, f, 0, 0]) | (u64::from(port.0) << 48);
        if let Some((_, slot)) = self.find_key(key) {
            slot.value.store_release(value);
            return true;
        }
        let free = self
            .candidates(key)
            .find(|(_, slot)| slot.key.load() & USED == 0);
        let Some((_, slot)) = free else { return false };
        slot.value.store_release(value);
        slot.key.store_release(key);
        true
    }

    /// Forgets the MAC address of a neighbour. Tells whether it was known.
    pub fn invalidate(&self, port: PortId, addr: [u8; 4]) -> bool {
        let Some((_, slot)) = self.find_key(key_of(port, addr)) else {
            return false;
        };
        let known = slot.value.load() != 0;
        slot.value.store_release(0);
        known
    }

    /// Forgets the MAC addresses of all neighbours on a port.
    pub fn invalidate_port(&self, port: PortId) {
        for slot in self.slots {
            let key = slot.key.load();
            if key & USED != 0 && (key >> 32) as u16 == port.0 {
                slot.value.store_release(0);
            }
        }
    }

    /// Frees the slots whose MAC address is not known, and returns how many are free.
    ///
    /// A connection may remember such a slot until the generation of the routes changes: call this
    /// only when a new generation of the routes has been published after the last
    /// [`Neighbours::invalidate`], and every engine has passed a burst boundary since.
    pub fn recycle(&self) -> usize {
        let mut free = 0usize;
        for slot in self.slots {
            if slot.key.load() & USED != 0 && slot.value.load() == 0 {
                slot.key.store_release(LEFT);
            }
            free = free.saturating_add(usize::from(slot.key.load() & USED == 0));
        }
        free
    }

    /// Neighbours whose MAC address is known.
    pub fn count(&self) -> usize {
        self.slots
            .iter()
            .filter(|slot| slot.value.load() != 0)
            .count()
    }
}

/// The port in a word of [`Neighbours::value`].
#[inline(always)]
pub(super) fn port_of(value: u64) -> PortId {
    PortId((value >> 48) as u16)
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_neighbour))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::fake::TestAtom;
    use super::*;

    const P: PortId = PortId(3);
    const MAC: [u8; 6] = [2, 1, 2, 3, 4, 5];

    #[test]
    fn learned_and_forgotten() -> Result<(), ()> {
        let slots: [Slot<TestAtom>; 4] = Default::default();
        let table = Neighbours { slots: &slots };
        assert!(table.find(P, [10, 0, 0, 1]).is_none());
        assert!(table.set(P, [10, 0, 0, 1], MAC));
        let slot = table.find(P, [10, 0, 0, 1]).ok_or(())?;
        assert_eq!(table.get(slot), Some((MAC, P)));
        assert!(table.find(PortId(2), [10, 0, 0, 1]).is_none());
        assert!(table.set(P, [10, 0, 0, 1], [2; 6]));
        assert_eq!(table.get(slot), Some(([2; 6], P)));
        assert_eq!(table.count(), 1);
        assert!(table.invalidate(P, [10, 0, 0, 1]));
        assert!(!table.invalidate(P, [10, 0, 0, 1]));
        assert_eq!(table.get(slot), None);
        assert!(table.find(P, [10, 0, 0, 1]).is_none());
        // The slot still belongs to the key.
        assert!(table.set(P, [10, 0, 0, 1], MAC));
        assert_eq!(table.find(P, [10, 0, 0, 1]), Some(slot));
        assert!(table.set(P, [10, 0, 0, 1], [0; 6]));
        assert_eq!(table.count(), 0);
        Ok(())
    }

    #[test]
    fn full_until_recycled() {
        let slots: [Slot<TestAtom>; 4] = Default::default();
        let table = Neighbours { slots: &slots };
        for host in 1..=4 {
            assert!(table.set(P, [10, 0, 0, host], MAC));
        }
        assert!(!table.set(P, [10, 0, 0, 5], MAC));
        assert!(table.invalidate(P, [10, 0, 0, 2]));
        assert!(!table.set(P, [10, 0, 0, 5], MAC));
        assert_eq!(table.recycle(), 1);
        assert!(table.set(P, [10, 0, 0, 5], MAC));
        assert!(table.find(P, [10, 0, 0, 2]).is_none());
        for host in [1, 3, 4, 5] {
            assert!(table.find(P, [10, 0, 0, host]).is_some());
        }
        table.invalidate_port(PortId(9));
        assert_eq!(table.count(), 4);
        table.invalidate_port(P);
        assert_eq!((table.count(), table.recycle()), (0, 4));
    }
}
