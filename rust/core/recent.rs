// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What an engine remembers of the flows it saw last: which entry each one had.
//!
//! It saves the secret hash and the bucket for most packets, as long as not too many flows are active
//! at once. It is a guess: whoever uses an entry it names compares the key. Nothing depends on how well
//! flows spread in it, so the mixing is cheap; flows that collide, or are made to, cost each other's
//! packets the hash, no more.

use super::connection::key::Key;

/// Elements of the memory of one engine in one switch, a power of two. It is worth a place in the
/// cache of a CPU as long as buckets are, which have as much to load and take more to find.
pub const RECENT_LEN: usize = 32_768;

/// What leaves as many bits of 64 as number an element.
const SHIFT: u32 = 64u32.wrapping_sub(RECENT_LEN.ilog2());

/// The place of a flow in the memory, and what tells it from others at the same place: low half of
/// a word there, whose high half is the entry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    at: u32,
    tag: u32,
}

impl Mark {
    /// The mark of a key.
    #[inline(always)]
    pub fn of(key: Key) -> Self {
        // A product has nothing of the high bits of its factors in its low bits: without the shift
        // flows that differ in the last octet of an address alone would have equal tags. Each word has
        // a factor of its own, so that no step in one is undone by a small step in the other.
        let addrs = (key.addrs ^ (key.addrs >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = addrs.wrapping_add(key.ports.wrapping_mul(0xd6e8_feb8_6659_fd93));
        Self {
            at: (mixed >> SHIFT) as u32,
            tag: (mixed >> 16) as u32,
        }
    }
}

/// The entry a flow had when it was last looked up; 0 if that is not known.
#[inline(always)]
pub fn recall(recent: &[u64], mark: Mark) -> u32 {
    match recent.get(mark.at as usize) {
        Some(word) if *word as u32 == mark.tag => (word >> 32) as u32,
        _ => 0,
    }
}

/// Remembers the entry of a flow.
#[inline(always)]
pub fn remember(recent: &mut [u64], mark: Mark, index: u32) {
    if let Some(word) = recent.get_mut(mark.at as usize) {
        *word = (u64::from(index) << 32) | u64::from(mark.tag);
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_recent))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    /// Not on the stack, where there is no room for it.
    static NOTHING: [u64; RECENT_LEN] = [0; RECENT_LEN];

    /// Flows that differ in one port alone: those of a client, and what answers them.
    #[test]
    fn neither_direction_makes_equal_marks() {
        let (client, server) = ([10, 1, 1, 2], [10, 3, 0, 2]);
        for back in [false, true] {
            let flow = |port| match back {
                false => Key::new(17, (client, port), (server, 9)),
                true => Key::new(17, (server, 9), (client, port)),
            };
            for port in 1024..1280 {
                let mark = Mark::of(flow(port));
                for other in 1024..port {
                    let other = Mark::of(flow(other));
                    assert!((mark.at, mark.tag) != (other.at, other.tag));
                    assert!(mark.tag != other.tag);
                }
            }
        }
    }

    /// Clients of one network, each with some ports next to each other.
    #[test]
    fn flows_of_neighbours_have_marks_of_their_own() {
        for back in [false, true] {
            let mark = |host, port| {
                let (client, server) = (([10, 1, 1, host], port), ([10, 3, 0, 2], 8080));
                Mark::of(match back {
                    false => Key::new(6, client, server),
                    true => Key::new(6, server, client),
                })
            };
            let equal = |one: Mark, other: Mark| (one.at, one.tag) == (other.at, other.tag);
            for (host, port) in (1..33).zip(1024..1056) {
                for other in 1..33 {
                    for next in 1024..1324 {
                        let same = (other, next) == (host, port);
                        assert_eq!(equal(mark(host, port), mark(other, next)), same);
                    }
                }
            }
        }
    }

    #[test]
    fn nothing_is_known_at_first() {
        let key = Key { addrs: 1, ports: 2 };
        assert_eq!(recall(&NOTHING, Mark::of(key)), 0);
        // A memory that is too short remembers nothing.
        remember(&mut [], Mark::of(key), 1);
    }
}
