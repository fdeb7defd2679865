// SPDX-License-Identifier: GPL-2.0

//! The one pool of buffers, and the stock of it that an engine has at hand.

use kernel::prelude::*;
use kernel::sync::Arc;

use super::atom::KAtom;
use super::buffer::{Buf, Memory};
use crate::core_::env::Atom;
use crate::core_::nic::magazine::Magazine;
use crate::core_::nic::pool::{Owner, Pool, Shared};
use crate::core_::nic::queue::BufferId;

/// Buffers of one memory, and the account of who owns each.
pub(crate) struct BufferPool {
    memory: Arc<Memory>,
    words: KVVec<KAtom>,
    shared: Shared<KAtom>,
}

impl BufferPool {
    /// A pool of at least `buffers` buffers.
    pub(crate) fn new(buffers: usize) -> Result<Arc<Self>> {
        let memory = Arc::new(Memory::new(buffers)?, GFP_KERNEL)?;
        let mut words = KVVec::with_capacity(memory.len(), GFP_KERNEL)?;
        for _ in 0..memory.len() {
            words.push(KAtom::new(0), GFP_KERNEL)?;
        }
        let pool = Self {
            memory,
            words,
            shared: Shared::default(),
        };
        pool.account().ok_or(EINVAL)?;
        Ok(Arc::new(pool, GFP_KERNEL)?)
    }

    /// The memory.
    #[inline(always)]
    pub(crate) fn memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    /// The account; there is one unless the pool is larger than can be.
    #[inline(always)]
    pub(crate) fn account(&self) -> Option<Pool<'_, KAtom>> {
        Pool::new(&self.words, &self.shared)
    }

    /// Hands a buffer over in the account. One that is not the owner's is
    /// refused, and counted.
    #[inline(always)]
    pub(crate) fn hand(&self, buf: &Buf, from: Owner, to: Owner) {
        if let Some(account) = self.account() {
            // What is refused here is a `Buf` with another owner in the account:
            // a bug that the count of misuses shows.
            let _ = account.hand(buf.id(), from, to);
        }
    }

    /// Takes over a buffer that a NIC gave back, if the account says that it had
    /// it.
    ///
    /// # Safety
    ///
    /// `from` is a ring of a NIC whose buffers came from [`Buf::into_id`], and
    /// the caller is the one who acts for it.
    #[inline(always)]
    pub(crate) unsafe fn take_over(&self, id: BufferId, from: Owner, to: Owner) -> Option<Buf> {
        self.account()?.hand(id, from, to).ok()?;
        // SAFETY: The account says that the ring had the buffer, whose number was
        // thus given up, and has it no longer, so that this is done once.
        Some(unsafe { Buf::from_id(id) })
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

    /// Whether it is of that pool.
    #[inline(always)]
    pub(crate) fn is_of(&self, pool: &Arc<BufferPool>) -> bool {
        Arc::ptr_eq(&self.pool, pool)
    }

    /// Who owns what is taken from it.
    #[inline(always)]
    pub(crate) fn owner(&self) -> Owner {
        self.magazine.owner()
    }

    /// A buffer; `None` when the pool has no more.
    #[inline(always)]
    pub(crate) fn take(&mut self) -> Option<Buf> {
        let account = self.pool.account()?;
        let id = self.magazine.take(&account)?;
        // SAFETY: The magazine had it, from a `Buf` that was given up or as one
        // that nobody had yet, and gives it out once.
        Some(unsafe { Buf::from_id(id) })
    }

    /// A buffer that belongs to `to` from now on; `None` when the pool has no
    /// more.
    #[inline(always)]
    pub(crate) fn take_for(&mut self, to: Owner) -> Option<Buf> {
        let account = self.pool.account()?;
        let id = self.magazine.take_for(&account, to)?;
        // SAFETY: As in `take`.
        Some(unsafe { Buf::from_id(id) })
    }

    /// Takes a buffer back from `from`. One that the account says is not its is
    /// left alone, and counted.
    #[inline(always)]
    pub(crate) fn give_from(&mut self, id: BufferId, from: Owner) {
        if let Some(account) = self.pool.account() {
            let _ = self.magazine.give_from(&account, id, from);
        }
    }

    /// Puts a buffer of the engine back.
    #[inline(always)]
    pub(crate) fn give(&mut self, buf: Buf) {
        if let Some(account) = self.pool.account() {
            self.magazine.give(&account, buf.into_id());
        }
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        if let Some(account) = self.pool.account() {
            self.magazine.release(&account);
        }
    }
}
