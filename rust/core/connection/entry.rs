// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! One direction of a connection, a cache line.
//!
//! Entries come in pairs: 2k for the packets of the client, 2k + 1 for those of the backend. Pair 0 is
//! never used, so that the number 0 means no entry. An
//! entry is filled by the engine that owns the pair, then read by all. The low half of its first
//! word counts the changes of ownership: odd while the entry is in use. A reader takes that word,
//! then the others, then that word again; if both are equal and odd, what it read belongs together
//! (a seqlock, each word written with release and read with acquire).

use super::super::config::{BackendId, ServiceId};
use super::super::env::Atom;
use super::super::wire::checksum;
use super::key::Key;
use super::tcp_state::{Life, QUIET};

/// One direction of a connection.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Entry<A> {
    /// Changes of ownership (low 32 bits), place of the backend (16), place of the service (16).
    pub(super) version: A,
    /// [`Key::addrs`]; in a free pair the link to the next one.
    pub(super) addrs: A,
    /// [`Key::ports`].
    pub(super) ports: A,
    /// Addresses the packet gets, as they lie in memory.
    pub(super) new_addrs: A,
    /// Ports the packet gets, as they lie in memory (32 bits), [`Rewrite::delta3`] (16),
    /// [`Rewrite::delta4`] (16).
    pub(super) new_ports: A,
    /// Where the packet goes, see [`hop_word`]. May be overwritten by an engine that is late; such
    /// a word is void.
    pub(super) hop: A,
    /// Second of the last packet. May be overwritten by an engine that is late, with the current
    /// second.
    pub(super) seen: A,
    /// Original direction: [`Life`]. Reply direction: [`QUIET`] and above it the generation that
    /// made the connection.
    pub(super) life: A,
}

impl<A: Atom> Default for Entry<A> {
    fn default() -> Self {
        Self {
            version: A::new(0),
            addrs: A::new(0),
            ports: A::new(0),
            new_addrs: A::new(0),
            new_ports: A::new(0),
            hop: A::new(0),
            seen: A::new(0),
            life: A::new(0),
        }
    }
}

/// What happens to the headers of a packet. The words are as they lie in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rewrite {
    /// New source and destination address.
    pub addrs: u64,
    /// New source and destination port.
    pub ports: u32,
    /// What the addresses and the decrement of the time to live add to the sum of the IPv4 header.
    pub delta3: u16,
    /// What the addresses and ports add to the sum of the transport checksum.
    pub delta4: u16,
}

/// What the decrement of the time to live adds to the sum of the header: ~m + m' with m' = m -
/// 0x0100.
pub const TTL_DELTA: u16 = u16::from_ne_bytes([0xfe, 0xff]);

impl Rewrite {
    /// The change from the addresses and ports of `key` to new ones.
    pub fn new(key: Key, addrs: u64, ports: u32) -> Self {
        let change = |old: u64, new: u64| {
            if old == new {
                return 0;
            }
            let low = checksum::change32(old as u32, new as u32);
            low.wrapping_add(checksum::change32((old >> 32) as u32, (new >> 32) as u32))
        };
        let addresses = change(key.addrs, addrs);
        let transport =
            addresses.wrapping_add(change(u64::from(key.raw_ports()), u64::from(ports)));
        Self {
            addrs,
            ports,
            delta3: checksum::fold(addresses.wrapping_add(u64::from(TTL_DELTA))),
            delta4: checksum::fold(transport),
        }
    }

    #[inline(always)]
    fn word(&self) -> u64 {
        u64::from(self.ports) | (u64::from(self.delta3) << 32) | (u64::from(self.delta4) << 48)
    }

    #[inline(always)]
    fn from_words(addrs: u64, word: u64) -> Self {
        Self {
            addrs,
            ports: word as u32,
            delta3: (word >> 32) as u16,
            delta4: (word >> 48) as u16,
        }
    }
}

/// A [`hop_word`] whose slot does not exist.
const NO_HOP: u64 = 0xffff_ffff;

/// The word that says where the packets of an entry go: slot of the neighbour, and above it the mark
/// of the version of the entry and of the stamp of the tables for which that holds. It also says that
/// the backend existed in these tables.
#[inline(always)]
fn hop_word(version: u64, stamp: u32, slot: u32) -> u64 {
    let mark = (version as u32).wrapping_add(stamp);
    (u64::from(mark) << 32) | u64::from(slot)
}

/// An entry as it was at one moment.
#[derive(Debug)]
pub struct Hit<'a, A> {
    pub(super) entry: &'a Entry<A>,
    /// Number of the entry: even for the original direction.
    pub index: u32,
    pub(super) version: u64,
    pub(super) life: u64,
    /// What happens to the headers.
    pub rewrite: Rewrite,
}

impl<A: Atom> Entry<A> {
    /// Whether the entry is in use.
    #[inline(always)]
    pub(super) fn in_use(version: u64) -> bool {
        version & 1 != 0
    }

    /// Begins to read: the version, if the entry is in use and has this key.
    #[inline(always)]
    pub fn begin(&self, key: Key) -> Option<u64> {
        let version = self.version.load_acquire();
        let differs =
            (self.addrs.load_acquire() ^ key.addrs) | (self.ports.load_acquire() ^ key.ports);
        (Self::in_use(version) && differs == 0).then_some(version)
    }

    /// Ends reading: whether all that was read since [`Entry::begin`] belongs together.
    #[inline(always)]
    pub fn end(&self, version: u64) -> bool {
        self.version.load() == version
    }

    /// What happens to the headers.
    #[inline(always)]
    pub fn rewrite(&self) -> Rewrite {
        Rewrite::from_words(self.new_addrs.load_acquire(), self.new_ports.load_acquire())
    }

    /// Whether a segment without SYN, FIN and RST leaves the state as it is.
    #[inline(always)]
    pub fn is_quiet(&self) -> bool {
        self.life.load_acquire() & 0xff == QUIET
    }

    /// Slot of the neighbour the packet goes to, if that is known for tables with this stamp.
    #[inline(always)]
    pub fn hop(&self, version: u64, stamp: u32) -> Option<u32> {
        let hop = self.hop.load_acquire();
        ((hop ^ hop_word(version, stamp, 0)) >> 32 == 0).then_some(hop as u32)
    }

    /// Remembers the second of a packet.
    #[inline(always)]
    pub fn touch(&self, now: u32) {
        if self.seen.load() != u64::from(now) {
            self.seen.store_release(u64::from(now));
        }
    }

    /// Reads the whole entry, if it is in use and has this key.
    pub(super) fn read(&self, index: u32, key: Key) -> Option<Hit<'_, A>> {
        let version = self.begin(key)?;
        let (life, rewrite) = (self.life.load_acquire(), self.rewrite());
        self.end(version).then_some(Hit {
            entry: self,
            index,
            version,
            life,
            rewrite,
        })
    }

    /// The key, if the entry is in use. For readers without a key, who must compare the version
    /// afterwards.
    pub(super) fn key(&self) -> Key {
        Key {
            addrs: self.addrs.load_acquire(),
            ports: self.ports.load_acquire(),
        }
    }

    /// Fills an entry the caller owns. It is not in use before [`Entry::publish`].
    pub(super) fn fill(&self, key: Key, rewrite: Rewrite, now: u32, life: u64) {
        self.addrs.store_release(key.addrs);
        self.ports.store_release(key.ports);
        self.new_addrs.store_release(rewrite.addrs);
        self.new_ports.store_release(rewrite.word());
        self.hop.store_release(NO_HOP);
        self.seen.store_release(u64::from(now));
        self.life.store_release(life);
    }

    /// Puts a filled entry into use.
    pub(super) fn publish(&self, service: ServiceId, backend: BackendId) {
        let count = (self.version.load() as u32).wrapping_add(1);
        self.version.store_release(
            u64::from(count) | (u64::from(backend.0) << 32) | (u64::from(service.0) << 48),
        );
    }
}

/// Place of the backend in a version.
#[inline(always)]
pub fn backend_of(version: u64) -> BackendId {
    BackendId((version >> 32) as u16)
}

/// Place of the service in a version.
#[inline(always)]
pub fn service_of(version: u64) -> ServiceId {
    ServiceId((version >> 48) as u16)
}

/// The version of an entry that goes out of use after `version`.
#[inline]
pub(super) fn retired(version: u64) -> u64 {
    (version & !0xffff_ffff) | u64::from((version as u32).wrapping_add(1))
}

impl<A: Atom> Hit<'_, A> {
    /// Whether the packet comes from the backend.
    #[inline(always)]
    pub fn is_reply(&self) -> bool {
        self.index & 1 != 0
    }

    /// Place of the backend.
    pub fn backend(&self) -> BackendId {
        backend_of(self.version)
    }

    /// Place of the service.
    pub fn service(&self) -> ServiceId {
        service_of(self.version)
    }

    /// Remembers where packets go in tables with this stamp.
    #[inline]
    pub fn set_hop(&self, stamp: u32, slot: u32) {
        self.entry
            .hop
            .store_release(hop_word(self.version, stamp, slot));
    }

    /// Remembers the second of the packet.
    pub fn touch(&self, now: u32) {
        self.entry.touch(now);
    }
}

/// The generation in the life word of a reply entry.
pub(super) fn generation_of(life: u64) -> u64 {
    life >> 8
}

/// The life word of a reply entry.
pub(super) fn reply_life(generation: u64) -> u64 {
    (generation << 8) | QUIET
}

impl<A: Atom> Hit<'_, A> {
    /// The life word of an original entry as it was read.
    pub(super) fn original_life(&self) -> Life {
        Life(self.life)
    }
}
