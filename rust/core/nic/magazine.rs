// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The free buffers an engine has at hand.

use ::core::slice;

use super::super::env::Atom;
use super::pool::{Misuse, Named, Owner, Pool, Tag, CHAIN};
use super::queue::BufferId;

/// Most buffers of one run.
pub const RUN: usize = 2 * CHAIN;

/// Most buffers at hand. What is on transmit rings comes and goes by the hundred: as long as that
/// fits in here, an engine does not touch the common stack, and works with the same buffers all the
/// time. Buffers that go from engine to engine take their cache lines with them, and those of their
/// neighbours in the account.
const CAPACITY: usize = 12 * CHAIN;

/// Free buffers that belong to one engine.
#[derive(Debug)]
pub struct Magazine {
    buffers: [BufferId; CAPACITY],
    len: usize,
    cpu: u16,
    /// [`Owner::Engine`] with that number.
    tag: Tag,
}

impl Magazine {
    /// An empty magazine of the engine on a CPU.
    pub fn new(cpu: u16) -> Self {
        Self {
            buffers: [BufferId(0); CAPACITY],
            len: 0,
            cpu,
            tag: Tag::engine(cpu),
        }
    }

    /// Who owns the buffers at hand.
    #[inline(always)]
    pub fn owner(&self) -> Tag {
        self.tag
    }

    /// Buffers at hand.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A buffer, which stays the engine's; `None` if the pool has no more.
    #[inline(always)]
    pub fn take<A: Atom>(&mut self, pool: &Pool<'_, A>) -> Option<BufferId> {
        if self.len == 0 {
            self.fetch(*pool);
        }
        self.len = self.len.checked_sub(1)?;
        self.buffers.get(self.len).copied()
    }

    /// A buffer for `to`.
    #[inline(always)]
    pub fn take_for<A: Atom>(&mut self, pool: &Pool<'_, A>, to: impl Named) -> Option<BufferId> {
        let buffer = self.take(pool)?;
        pool.hand(buffer, self.tag, to).ok()?;
        Some(buffer)
    }

    /// Takes back a buffer that is the engine's.
    #[inline(always)]
    pub fn give<A: Atom>(&mut self, pool: &Pool<'_, A>, buffer: BufferId) {
        if self.len >= CAPACITY {
            self.put_back(*pool, CAPACITY.saturating_sub(CHAIN));
        }
        if let Some(place) = self.buffers.get_mut(self.len) {
            *place = buffer;
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Takes back a buffer from `from`.
    #[inline(always)]
    pub fn give_from<A: Atom>(
        &mut self,
        pool: &Pool<'_, A>,
        buffer: BufferId,
        from: impl Named,
    ) -> Result<(), Misuse> {
        pool.hand(buffer, from, self.tag)?;
        self.give(pool, buffer);
        Ok(())
    }

    /// Up to `most` buffers, and no more than [`RUN`], which go to `to` as they are taken from the run;
    /// with each, where it is.
    #[inline(always)]
    pub fn run<'a, A: Atom>(&'a mut self, pool: &Pool<'a, A>, to: Tag, most: usize) -> Run<'a, A> {
        if self.len == 0 {
            self.fetch(*pool);
        }
        let below = self.len.saturating_sub(RUN.min(most));
        Run {
            left: self.buffers.get(below..self.len).unwrap_or(&[]).iter(),
            len: &mut self.len,
            below,
            pool: *pool,
            to,
        }
    }

    /// Room for [`RUN`] buffers that come back from `from`.
    #[inline(always)]
    pub fn home<'a, A: Atom>(&'a mut self, pool: &Pool<'a, A>, from: Tag) -> Home<'a, A> {
        if self.len > CAPACITY.wrapping_sub(RUN) {
            self.put_back(*pool, CAPACITY.wrapping_sub(RUN));
        }
        let end = self.len.saturating_add(RUN);
        Home {
            room: self
                .buffers
                .get_mut(self.len..end)
                .unwrap_or(&mut [])
                .iter_mut(),
            len: &mut self.len,
            end,
            pool: *pool,
            from,
            to: self.tag,
        }
    }

    /// Gives all buffers at hand back to the pool: when the engine stops, or was idle for long.
    pub fn release<A: Atom>(&mut self, pool: &Pool<'_, A>) {
        self.put_back(*pool, 0);
    }

    /// How many buffers there are at hand, up to `count`, after the pool was asked for what is missing.
    #[inline(always)]
    pub fn secure<A: Atom>(&mut self, pool: &Pool<'_, A>, count: usize) -> usize {
        while self.len < count {
            let before = self.len;
            self.fetch(*pool);
            if self.len == before {
                return before;
            }
        }
        count
    }

    #[cold]
    // By value, so that the account of others need not be in memory.
    fn fetch<A: Atom>(&mut self, pool: Pool<'_, A>) {
        let room = self.buffers.get_mut(self.len..);
        if let Some(room) = room.and_then(<[BufferId]>::first_chunk_mut) {
            let taken = pool.take(Owner::Engine(self.cpu), room);
            self.len = self.len.wrapping_add(taken);
        }
    }

    #[cold]
    fn put_back<A: Atom>(&mut self, pool: Pool<'_, A>, keep: usize) {
        while self.len > keep {
            let from = self.len.saturating_sub(CHAIN).max(keep);
            if let Some(chain) = self.buffers.get(from..self.len) {
                pool.give(Owner::Engine(self.cpu), chain);
            }
            self.len = from;
        }
    }
}

/// Buffers on their way out of a magazine.
#[derive(Debug)]
pub struct Run<'a, A> {
    left: slice::Iter<'a, BufferId>,
    len: &'a mut usize,
    below: usize,
    pool: Pool<'a, A>,
    to: Tag,
}

impl<A: Atom> Iterator for Run<'_, A> {
    type Item = (BufferId, u64);

    #[inline(always)]
    fn next(&mut self) -> Option<(BufferId, u64)> {
        let buffer = *self.left.next_back()?;
        Some((buffer, self.pool.pass(buffer, self.to)?))
    }
}

impl<A> Drop for Run<'_, A> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.len = self.below.wrapping_add(self.left.len());
    }
}

/// Buffers on their way into a magazine.
#[derive(Debug)]
pub struct Home<'a, A> {
    room: slice::IterMut<'a, BufferId>,
    len: &'a mut usize,
    end: usize,
    pool: Pool<'a, A>,
    from: Tag,
    to: Tag,
}

impl<A: Atom> Home<'_, A> {
    /// How many more there is room for.
    #[inline(always)]
    pub fn room(&self) -> usize {
        self.room.len()
    }

    /// Takes a buffer back, if there is room, and if the pool says that it was given away.
    #[inline(always)]
    pub fn give(&mut self, buffer: BufferId) {
        if self.pool.hand(buffer, self.from, self.to).is_ok() {
            if let Some(place) = self.room.next() {
                *place = buffer;
            }
        }
    }
}

impl<A> Drop for Home<'_, A> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.len = self.end.wrapping_sub(self.room.len());
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_pool))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::TestAtom;
    use super::super::super::frame::PortId;
    use super::super::pool::{Record, Shared};
    use super::*;

    const RX: Owner = Owner::Rx(PortId(3));
    const TX: Owner = Owner::Tx(PortId(4));

    fn records<const N: usize>() -> [Record<TestAtom>; N] {
        ::core::array::from_fn(|at| Record::new(at as u64))
    }

    fn count(pool: &Pool<'_, TestAtom>, owner: Owner) -> usize {
        pool.owners().filter(|found| *found == owner).count()
    }

    #[test]
    fn a_buffer_goes_round() -> Result<(), Misuse> {
        let (records, shared) = (records::<80>(), Shared::default());
        let pool = Pool::new(&records, &shared);
        let mut magazine = Magazine::new(1);
        let buffer = magazine.take_for(&pool, RX).ok_or(Misuse::NoSuchBuffer)?;
        assert_eq!(pool.owner(buffer), Some(RX));
        assert_eq!(pool.hand(buffer, RX, TX)?, u64::from(buffer.0));
        assert_eq!(count(&pool, Owner::Engine(1)), CHAIN - 1);
        assert_eq!(count(&pool, Owner::Free), 80 - CHAIN);
        // Twice is once too often.
        assert_eq!(pool.hand(buffer, RX, TX), Err(Misuse::WrongOwner));
        assert_eq!(
            magazine.give_from(&pool, buffer, RX),
            Err(Misuse::WrongOwner)
        );
        assert_eq!(pool.hand(BufferId(80), RX, TX), Err(Misuse::NoSuchBuffer));
        assert_eq!(pool.misuses(), 3);
        magazine.give_from(&pool, buffer, TX)?;
        magazine.release(&pool);
        assert_eq!(count(&pool, Owner::Free), 80);
        // What is free cannot be handed.
        let free = Owner::Free;
        assert_eq!(pool.hand(buffer, free, RX), Err(Misuse::WrongOwner));
        assert_eq!(pool.hand(buffer, free, free), Err(Misuse::WrongOwner));
        Ok(())
    }

    #[test]
    fn all_buffers_are_taken_and_given_again() -> Result<(), Misuse> {
        let (records, shared) = (records::<400>(), Shared::default());
        let pool = Pool::new(&records, &shared);
        let mut magazine = Magazine::new(7);
        for _ in 0..3 {
            let mut seen = [false; 400];
            for _ in 0..400 {
                let buffer = magazine.take_for(&pool, RX).ok_or(Misuse::NoSuchBuffer)?;
                if let Some(seen) = seen.get_mut(buffer.0 as usize) {
                    assert!(!*seen);
                    *seen = true;
                }
            }
            assert_eq!(magazine.take_for(&pool, RX), None);
            assert_eq!(count(&pool, RX), 400);
            for buffer in 0..400 {
                magazine.give_from(&pool, BufferId(buffer), RX)?;
            }
            assert_eq!(magazine.len(), CAPACITY - 16);
        }
        magazine.release(&pool);
        assert!(magazine.is_empty());
        assert_eq!(count(&pool, Owner::Free), pool.len());
        assert_eq!(pool.misuses(), 0);
        Ok(())
    }

    /// As an engine does it, a run at a time.
    #[test]
    fn runs_of_buffers() -> Result<(), Misuse> {
        let (records, shared) = (records::<400>(), Shared::default());
        let pool = Pool::new(&records, &shared);
        let (rx, tx) = (Tag::new(RX), Tag::new(TX));
        let (rx, tx) = (rx.ok_or(Misuse::WrongOwner)?, tx.ok_or(Misuse::WrongOwner)?);
        let mut magazine = Magazine::new(7);
        while magazine.run(&pool, rx, RUN).count() > 0 {}
        assert_eq!(count(&pool, RX), 400);
        for from in (0..400).step_by(RUN) {
            let mut home = magazine.home(&pool, rx);
            assert_eq!(home.room(), RUN);
            (from..400)
                .take(RUN)
                .for_each(|number| home.give(BufferId(number)));
        }
        assert_eq!((magazine.len(), count(&pool, RX)), (CAPACITY - RUN + 16, 0));
        // Those that are not taken stay, and who gave none gets none back.
        assert_eq!(magazine.run(&pool, tx, RUN).take(3).count(), 3);
        assert_eq!((magazine.len(), count(&pool, TX)), (CAPACITY - RUN + 13, 3));
        // (Making room, it gave some to the pool.)
        magazine.home(&pool, rx).give(BufferId(0));
        assert_eq!((magazine.len(), pool.misuses()), (CAPACITY - RUN, 1));
        Ok(())
    }

    /// An engine that gave a buffer away but kept its number.
    #[test]
    fn what_is_secured_is_there() {
        let (records, shared) = (records::<80>(), Shared::default());
        let pool = Pool::new(&records, &shared);
        let (mut magazine, mut other) = (Magazine::new(1), Magazine::new(2));
        assert_eq!(magazine.secure(&pool, 1), 1);
        assert_eq!(magazine.secure(&pool, CHAIN + 1), CHAIN + 1);
        assert_eq!(count(&pool, Owner::Engine(1)), 2 * CHAIN);
        // There are no more than these.
        assert_eq!(other.secure(&pool, CHAIN), 80 - 2 * CHAIN);
        let mut taken = 0usize;
        while magazine.take_for(&pool, RX).is_some() {
            taken = taken.wrapping_add(1);
        }
        assert_eq!((taken, magazine.secure(&pool, 1)), (2 * CHAIN, 0));
        // Those of the other one are as they were.
        while let Some(buffer) = other.take(&pool) {
            assert_eq!(pool.owner(buffer), Some(Owner::Engine(2)));
        }
        assert_eq!((count(&pool, RX), pool.misuses()), (2 * CHAIN, 0));
    }

    #[test]
    fn a_stale_number_does_no_harm() -> Result<(), Misuse> {
        let (records, shared) = (records::<80>(), Shared::default());
        let pool = Pool::new(&records, &shared);
        let mut magazine = Magazine::new(0);
        let buffer = magazine.take_for(&pool, RX).ok_or(Misuse::NoSuchBuffer)?;
        magazine.give(&pool, buffer);
        magazine.release(&pool);
        assert_eq!((pool.owner(buffer), pool.misuses()), (Some(RX), 1));
        assert_eq!(count(&pool, Owner::Free), 79);
        Ok(())
    }
}
