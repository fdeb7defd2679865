// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The account of the pool: who owns each buffer, and which buffers are free.
//!
//! There is one record for each buffer. Whoever owns a buffer writes its word there, nobody else, with plain
//! loads and stores; the counts of all owners add up to the size of the pool at any time because
//! they are taken from these words. Free buffers hang on a lock-free stack of chains, linked through
//! their words; engines take and give whole chains, and keep the buffers at hand in a
//! [`Magazine`](super::magazine::Magazine) of their own, so that the stack is touched once in tens
//! of packets.

use ::core::num::NonZeroU64;

use super::super::channel::wants::ChannelId;
use super::super::env::Atom;
use super::super::frame::PortId;
use super::queue::BufferId;

/// Who owns a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody: it is on the stack of free buffers.
    Free,
    /// The receive ring of a port.
    Rx(PortId),
    /// The transmit ring of a port.
    Tx(PortId),
    /// An engine, by the number of its CPU: a frame it works on, or a free buffer at hand.
    Engine(u16),
    /// The rings between an engine and the pseudo interface of a port.
    Host(PortId),
    /// An application, by the number of its channel.
    Channel(ChannelId),
}

/// Kinds of owners, as in the words. [`Owner::Free`] is 0, so that zeroed memory is a free pool.
const RX: u64 = 1 << KIND;
const TX: u64 = 2 << KIND;
const ENGINE: u64 = 3 << KIND;
const HOST: u64 = 4 << KIND;
const CHANNEL: u64 = 5 << KIND;
/// Position of the kind in a word.
const KIND: u32 = 56;
/// Bits of a link between free buffers; the number of a buffer plus 1, or 0 for none.
const LINK: u32 = 28;
const LINK_MASK: u64 = (1 << LINK) - 1;

/// Most buffers of one pool.
pub const MAX_BUFFERS: usize = (1 << LINK) - 1;

/// Most buffers of one chain.
pub const CHAIN: usize = 32;

impl Owner {
    /// The word of a buffer of this owner. That of a free one has links besides.
    #[inline(always)]
    pub(super) fn word(self) -> u64 {
        match self {
            Self::Free => 0,
            Self::Rx(port) => RX | u64::from(port.0),
            Self::Tx(port) => TX | u64::from(port.0),
            Self::Engine(cpu) => ENGINE | u64::from(cpu),
            Self::Host(port) => HOST | u64::from(port.0),
            Self::Channel(id) => CHANNEL | u64::from(id.0),
        }
    }

    fn of(word: u64) -> Self {
        let number = word as u16;
        match word >> KIND << KIND {
            RX => Self::Rx(PortId(number)),
            TX => Self::Tx(PortId(number)),
            ENGINE => Self::Engine(number),
            HOST => Self::Host(PortId(number)),
            CHANNEL => Self::Channel(ChannelId(number)),
            _ => Self::Free,
        }
    }
}

/// An owner in the form of the words, which costs nothing to compare: what is kept where buffers
/// change hands by the packet. It is never [`Owner::Free`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(NonZeroU64);

impl Tag {
    /// The tag of an owner; `None` for [`Owner::Free`].
    pub fn new(owner: Owner) -> Option<Self> {
        NonZeroU64::new(owner.word()).map(Self)
    }

    /// The tag of [`Owner::Engine`].
    pub fn engine(cpu: u16) -> Self {
        // Not 0 by its kind; the lowest bit is there for the type alone.
        let word = Owner::Engine(cpu).word();
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MIN))
    }

    /// The tag of [`Owner::Channel`].
    pub fn channel(id: ChannelId) -> Self {
        // As above.
        let word = Owner::Channel(id).word();
        Self(NonZeroU64::new(word).unwrap_or(NonZeroU64::MIN))
    }
}

/// An owner, in either form.
pub trait Named: Copy {
    /// The word of a buffer of this owner, 0 for [`Owner::Free`].
    fn named(self) -> u64;
}

impl Named for Owner {
    #[inline(always)]
    fn named(self) -> u64 {
        self.word()
    }
}

impl Named for Tag {
    #[inline(always)]
    fn named(self) -> u64 {
        self.0.get()
    }
}

/// Why a buffer could not change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misuse {
    /// The pool has no buffer of this number.
    NoSuchBuffer,
    /// Somebody else owns it.
    WrongOwner,
}

/// What all engines share of a pool. All-zero is a pool with all buffers free.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Shared<A> {
    /// First buffer of the chain on top of the stack (as a link); above it a count of changes, which
    /// makes a late exchange fail.
    top: A,
    /// Buffers with lower numbers have been used.
    fresh: A,
    /// Buffers that could not change hands.
    misuses: A,
}

impl<A: Atom> Default for Shared<A> {
    fn default() -> Self {
        Self {
            top: A::new(0),
            fresh: A::new(0),
            misuses: A::new(0),
        }
    }
}

/// What the account has of one buffer.
#[derive(Debug)]
#[repr(C)]
pub struct Record<A> {
    /// Who owns it; of a free one besides, where it hangs on the stack.
    word: A,
    /// Where it is, in terms of the shell: told to who gets it, as the record is at hand then.
    place: u64,
}

impl<A: Atom> Record<A> {
    /// That of a free buffer.
    pub fn new(place: u64) -> Self {
        Self {
            word: A::new(0),
            place,
        }
    }
}

/// A pool, as the shell lends it: a record for each buffer, and what is shared.
#[derive(Debug)]
pub struct Pool<'a, A> {
    records: &'a [Record<A>],
    shared: &'a Shared<A>,
}

impl<A> Clone for Pool<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for Pool<'_, A> {}

/// Counts a misuse. It takes no more of a pool than it needs, so that the rest can be in registers.
#[cold]
#[inline(never)]
fn misused<A: Atom>(shared: &Shared<A>, misuse: Misuse) -> Misuse {
    let mut before = shared.misuses.load();
    while !shared
        .misuses
        .compare_exchange(before, before.wrapping_add(1))
    {
        before = shared.misuses.load();
    }
    misuse
}

/// The number of the buffer that a link means.
fn linked(link: u64) -> Option<BufferId> {
    (link & LINK_MASK)
        .checked_sub(1)
        .map(|number| BufferId(number as u32))
}

fn link_to(buffer: BufferId) -> u64 {
    u64::from(buffer.0).wrapping_add(1) & LINK_MASK
}

impl<'a, A: Atom> Pool<'a, A> {
    /// A pool of the first [`MAX_BUFFERS`] of these buffers.
    #[inline(always)]
    pub fn new(records: &'a [Record<A>], shared: &'a Shared<A>) -> Self {
        let records = records.get(..MAX_BUFFERS).unwrap_or(records);
        Self { records, shared }
    }

    /// Number of buffers.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    #[inline(always)]
    fn record(&self, buffer: BufferId) -> Option<&'a Record<A>> {
        self.records.get(buffer.0 as usize)
    }

    #[inline(always)]
    fn word(&self, buffer: BufferId) -> Option<&'a A> {
        self.record(buffer).map(|record| &record.word)
    }

    /// Who owns a buffer.
    pub fn owner(&self, buffer: BufferId) -> Option<Owner> {
        self.word(buffer).map(|word| Owner::of(word.load()))
    }

    /// The owners of all buffers. While engines run, each is true at the moment it is read.
    pub fn owners(&self) -> impl Iterator<Item = Owner> + 'a {
        self.records
            .iter()
            .map(|record| Owner::of(record.word.load()))
    }

    /// Buffers that could not change hands so far, because their owner was another one.
    pub fn misuses(&self) -> u64 {
        self.shared.misuses.load()
    }

    /// Hands a buffer over, neither from nor to [`Owner::Free`]: that is done by magazines. Tells
    /// where it is.
    ///
    /// Only who acts for `from` may call this, and only once for what it owns: then nobody else
    /// writes the word at the same time.
    #[inline(always)]
    pub fn hand(&self, buffer: BufferId, from: impl Named, to: impl Named) -> Result<u64, Misuse> {
        let (from, to) = (from.named(), to.named());
        match self.record(buffer) {
            Some(record) if record.word.load() == from && from != 0 && to != 0 => {
                record.word.store(to);
                Ok(record.place)
            }
            Some(_) => Err(misused(self.shared, Misuse::WrongOwner)),
            None => Err(misused(self.shared, Misuse::NoSuchBuffer)),
        }
    }

    /// The same with a number that is not to be trusted: a wrong one is no misuse.
    #[inline(always)]
    pub fn take_from(
        &self,
        buffer: BufferId,
        from: impl Named,
        to: impl Named,
    ) -> Result<u64, Misuse> {
        let record = self.record(buffer).ok_or(Misuse::NoSuchBuffer)?;
        if record.word.load() != from.named() {
            return Err(Misuse::WrongOwner);
        }
        record.word.store(to.named());
        Ok(record.place)
    }

    /// Hands a buffer over of which the caller knows that it is its own. Tells where it is; `None` if
    /// there is no such buffer.
    #[inline(always)]
    pub fn pass(&self, buffer: BufferId, to: Tag) -> Option<u64> {
        let record = self.record(buffer)?;
        record.word.store(to.named());
        Some(record.place)
    }

    /// Takes a chain of free buffers for `owner` into `out`, and returns how many.
    pub(super) fn take(&self, owner: Owner, out: &mut [BufferId; CHAIN]) -> usize {
        loop {
            let top = self.shared.top.load_acquire();
            let Some(first) = linked(top) else {
                return self.take_fresh(owner, out);
            };
            let Some(word) = self.word(first) else {
                return 0;
            };
            // Another engine may have taken the chain meanwhile; then the exchange fails.
            let below = (word.load_acquire() >> LINK) & LINK_MASK;
            if self
                .shared
                .top
                .compare_exchange(top, Self::above(top) | below)
            {
                return self.unchain(owner, first, out);
            }
        }
    }

    /// The count of changes after the next one, in its place.
    fn above(top: u64) -> u64 {
        (top >> LINK).wrapping_add(1) << LINK
    }

    fn unchain(&self, owner: Owner, first: BufferId, out: &mut [BufferId; CHAIN]) -> usize {
        let (mut next, mut taken) = (Some(first), 0usize);
        for place in out {
            let Some((buffer, word)) = next.and_then(|buffer| Some((buffer, self.word(buffer)?)))
            else {
                break;
            };
            *place = buffer;
            next = linked(word.load());
            word.store(owner.word());
            taken = taken.wrapping_add(1);
        }
        taken
    }

    /// Buffers that were never used: chains of neighbours, so that the words of what one engine works
    /// with are on cache lines of their own.
    fn take_fresh(&self, owner: Owner, out: &mut [BufferId; CHAIN]) -> usize {
        loop {
            let fresh = self.shared.fresh.load();
            let end = fresh
                .saturating_add(CHAIN as u64)
                .min(self.records.len() as u64);
            if fresh >= end {
                return 0;
            }
            if self.shared.fresh.compare_exchange(fresh, end) {
                let mut taken = 0usize;
                for (place, number) in out.iter_mut().zip(fresh..end) {
                    *place = BufferId(number as u32);
                    if let Some(word) = self.word(*place) {
                        word.store(owner.word());
                    }
                    taken = taken.wrapping_add(1);
                }
                return taken;
            }
        }
    }

    /// Gives a chain of buffers of `owner` back. One that is not the owner's stays where it is.
    pub(super) fn give(&self, owner: Owner, buffers: &[BufferId]) {
        let mut chain = 0;
        for buffer in buffers.iter().rev() {
            match self.word(*buffer) {
                Some(word) if word.load() == owner.word() => {
                    word.store(chain);
                    chain = link_to(*buffer);
                }
                _ => {
                    misused(self.shared, Misuse::WrongOwner);
                }
            }
        }
        let Some(first) = linked(chain).and_then(|first| self.word(first)) else {
            return;
        };
        let inside = first.load();
        loop {
            let top = self.shared.top.load();
            first.store_release(inside | (top & LINK_MASK) << LINK);
            if self
                .shared
                .top
                .compare_exchange(top, Self::above(top) | chain)
            {
                return;
            }
        }
    }
}
