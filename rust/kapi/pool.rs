// SPDX-License-Identifier: GPL-2.0

//! The one pool of buffers, and the stock of it that an engine has at hand.

use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

use super::atom::KAtom;
use super::buffer::{Buf, Located, Memory};
use super::ffi;
use crate::core_::nic::magazine::{Home, Magazine};
use crate::core_::nic::pool::{Owner, Pool, Record, Shared, Tag};
use crate::core_::nic::queue::BufferId;

/// Buffers of one memory, and the account of who owns each.
///
/// # Invariants
///
/// The place in each record is that of the buffer with its number in `memory`.
pub(crate) struct BufferPool {
    memory: Arc<Memory>,
    records: KVVec<Record<KAtom>>,
    shared: Shared<KAtom>,
    /// No port uses it any more.
    retired: Atomic<bool>,
}

impl BufferPool {
    /// A pool of at least `buffers` buffers.
    pub(crate) fn new(buffers: usize) -> Result<Arc<Self>> {
        let memory = Arc::new(Memory::new(buffers)?, GFP_KERNEL)?;
        let mut records = KVVec::with_capacity(memory.len(), GFP_KERNEL)?;
        for number in 0..memory.len() {
            let place = memory.place(number).ok_or(EINVAL)?;
            records.push(Record::new(place), GFP_KERNEL)?;
        }
        // INVARIANT: The memory said where they are.
        let pool = Self {
            memory,
            records,
            shared: Shared::default(),
            retired: Atomic::new(false),
        };
        Ok(Arc::new(pool, GFP_KERNEL)?)
    }

    /// A device that is lost has buffers: the pool stays for ever, and they with it.
    pub(crate) fn keep(self: &Arc<Self>) {
        match KBox::new(self.clone(), GFP_KERNEL) {
            // SAFETY: Valid memory, which is never freed.
            Ok(kept) => unsafe { ffi::smplb_c_lost(KBox::into_raw(kept).cast_const().cast()) },
            Err(_) => core::mem::forget(self.clone()),
        }
    }

    /// No port uses it any more: who has buffers of it at hand is to give them back.
    pub(crate) fn retire(&self) {
        self.retired.store(true, Relaxed);
    }

    /// Whether no port uses it any more.
    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Relaxed)
    }

    /// The memory.
    #[inline(always)]
    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The account.
    #[inline(always)]
    pub(crate) fn account(&self) -> Pool<'_, KAtom> {
        Pool::new(&self.records, &self.shared)
    }
}

impl Drop for BufferPool {
    fn drop(&mut self) {
        // Who has a buffer has the pool, or gave it back: one that is missing now was
        // lost by somebody.
        let lost = self.account().owners().any(|owner| owner != Owner::Free);
        kernel::warn_on!(lost);
    }
}

/// Free buffers that an engine has at hand.
pub(crate) struct Stock {
    pool: Arc<BufferPool>,
    magazine: Magazine,
}

impl Stock {
    /// An empty stock of the engine on `cpu`.
    pub(crate) fn new(pool: Arc<BufferPool>, cpu: u32) -> Self {
        Self {
            pool,
            magazine: Magazine::new(cpu as u16),
        }
    }

    /// The pool it is from.
    #[inline(always)]
    pub(crate) fn pool(&self) -> &Arc<BufferPool> {
        &self.pool
    }

    /// Who owns the buffers at hand.
    #[inline(always)]
    pub(crate) fn owner(&self) -> Tag {
        self.magazine.owner()
    }

    /// Whether it is of that pool.
    #[inline(always)]
    pub(crate) fn is_of(&self, pool: &Arc<BufferPool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    /// For a burst of buffers that change hands.
    #[inline(always)]
    pub(crate) fn open(&mut self) -> Open<'_> {
        Open {
            account: self.pool.account(),
            memory: &self.pool.memory,
            magazine: &mut self.magazine,
        }
    }

    /// A buffer; `None` when the pool has no more.
    pub(crate) fn take(&mut self) -> Option<Buf> {
        self.open().take()
    }

    /// How many buffers there are, up to `count`, that nobody else can take.
    #[inline(always)]
    pub(crate) fn secure(&mut self, count: usize) -> usize {
        self.magazine.secure(&self.pool.account(), count)
    }

    /// Puts a buffer of the engine back.
    #[inline(always)]
    pub(crate) fn give(&mut self, buf: Buf) {
        self.open().give(buf);
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        self.magazine.release(&self.pool.account());
    }
}

/// A stock at work: what does not change during a burst is looked up once.
pub(crate) struct Open<'a> {
    account: Pool<'a, KAtom>,
    memory: &'a Memory,
    magazine: &'a mut Magazine,
}

impl<'a> Open<'a> {
    /// The memory of the buffers.
    #[inline(always)]
    pub(crate) fn memory(&self) -> &'a Memory {
        self.memory
    }

    /// A buffer; `None` when the pool has no more.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Buf> {
        let id = self.magazine.take(&self.account)?;
        // SAFETY: The magazine had it, from a `Buf` that was given up or as one
        // that nobody had yet, and gives it out once.
        Some(unsafe { Buf::from_id(id) })
    }

    /// A buffer that belongs to `to` from now on; `None` when the pool has no
    /// more.
    #[inline(always)]
    pub(crate) fn take_for(&mut self, to: Tag) -> Option<Buf> {
        let id = self.magazine.take_for(&self.account, to)?;
        // SAFETY: As in `take`.
        Some(unsafe { Buf::from_id(id) })
    }

    /// Up to `most` buffers that belong to `to` as soon as they are taken; none when
    /// the pool has no more.
    #[inline(always)]
    pub(crate) fn run(&mut self, to: Tag, most: usize) -> impl Iterator<Item = Located> + '_ {
        let run = self.magazine.run(&self.account, to, most);
        // SAFETY: As in `take`. The account says where the buffer is, by the
        // invariants of the pool.
        run.map(|(id, place)| unsafe { Located::new(Buf::from_id(id), place) })
    }

    /// Up to `most` numbers of buffers that belong to `to` as soon as they are taken, and are given
    /// up; none when the pool has no more.
    #[inline(always)]
    pub(crate) fn numbers(&mut self, to: Tag, most: usize) -> impl Iterator<Item = u32> + '_ {
        let run = self.magazine.run(&self.account, to, most);
        run.map(|(id, _)| id.0)
    }

    /// The account alone, for a loop.
    #[inline(always)]
    pub(crate) fn ledger(&self) -> Ledger<'a> {
        Ledger {
            account: self.account,
            engine: self.magazine.owner(),
        }
    }

    /// Room for a burst of buffers that come back from `from`. One that the
    /// account says is not its is left alone, and counted.
    #[inline(always)]
    pub(crate) fn home(&mut self, from: Tag) -> Home<'_, KAtom> {
        self.magazine.home(&self.account, from)
    }

    /// Puts a buffer of the engine back.
    #[inline(always)]
    pub(crate) fn give(&mut self, buf: Buf) {
        self.magazine.give(&self.account, buf.into_id());
    }

    /// Takes a buffer back from `from`. One that the account says is not its is
    /// left alone, and counted.
    #[inline(always)]
    pub(crate) fn give_from(&mut self, id: BufferId, from: Tag) {
        let _ = self.magazine.give_from(&self.account, id, from);
    }

    /// Hands a buffer of the engine to `to`. One that is not the engine's is
    /// refused, and counted.
    #[inline(always)]
    pub(crate) fn hand_to(&self, buf: &Buf, to: Tag) {
        // What is refused here is a `Buf` with another owner in the account: a
        // bug that the count of misuses shows.
        let _ = self.account.hand(buf.id(), self.magazine.owner(), to);
    }

    /// Hands a buffer of `from` to the engine, likewise.
    #[inline(always)]
    pub(crate) fn hand_back(&self, buf: &Buf, from: Tag) {
        let _ = self.account.hand(buf.id(), from, self.magazine.owner());
    }
}

/// The account, as an engine writes it while buffers go by. A copy of it lives in
/// registers.
#[derive(Clone, Copy)]
pub(crate) struct Ledger<'a> {
    account: Pool<'a, KAtom>,
    engine: Tag,
}

impl Ledger<'_> {
    /// Hands a buffer of the engine to `to`; `None` if the pool does not have it.
    #[inline(always)]
    pub(crate) fn pass(self, buf: &Buf, to: Tag) -> Option<()> {
        self.account.pass(buf.id(), to).map(|_| ())
    }

    /// Takes over a buffer that a NIC gave back, if the account says that it had
    /// it.
    ///
    /// # Safety
    ///
    /// `from` is a ring of a NIC whose buffers came from [`Buf::into_id`], and
    /// the caller is the one who acts for it.
    #[inline(always)]
    pub(crate) unsafe fn take_over(self, id: BufferId, from: Tag) -> Option<Located> {
        let place = self.account.hand(id, from, self.engine).ok()?;
        // SAFETY: The account says that the ring had the buffer, whose number was
        // thus given up, and has it no longer, so that this is done once. It also says
        // where the buffer is, by the invariants of the pool.
        Some(unsafe { Located::new(Buf::from_id(id), place) })
    }
}
