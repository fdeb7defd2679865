// SPDX-License-Identifier: GPL-2.0

//! Buffers of the pool that applications have.
//!
//! They map all of it, and may read and write any buffer at any time: that is what an administrator
//! who lets them share the pool trusts them not to do. The account is out of their reach: whose a
//! buffer is, and thus which memory a NIC or the kernel uses, they cannot change.

use kernel::sync::Arc;

use super::atom::KAtom;
use super::buffer::{Buf, Located};
use super::pool::{BufferPool, Stock};
use crate::core_::channel::bad::Bad;
use crate::core_::channel::ledger::Ledger;
use crate::core_::channel::lent::Lent;
use crate::core_::channel::wants::ChannelId;
use crate::core_::nic::pool::{Owner, Tag};

/// What one application has, for who acts for its channel now.
pub(crate) struct Lending<'a>(Lent<'a, KAtom>);

impl<'a> Lending<'a> {
    /// For the channel with a number, by the engine whose stock has `engine`'s buffers.
    #[inline(always)]
    pub(crate) fn new(pool: &'a BufferPool, id: ChannelId, engine: Tag) -> Self {
        Self(Lent::new(pool.account(), id, engine))
    }
}

impl Ledger for Lending<'_> {
    type Buffer = Buf;
    type Taken = Located;

    #[inline(always)]
    fn take(&mut self, buffer: u32) -> Result<Located, Bad> {
        let (id, place) = self.0.take_placed(buffer)?;
        // SAFETY: The account says that the application had the buffer, whose number was given up in
        // `give`, and has it no longer, so that this is done once. It also says where the buffer is,
        // by the invariants of the pool.
        Ok(unsafe { Located::new(Buf::from_id(id), place) })
    }

    #[inline(always)]
    fn give(&mut self, buffer: Buf) -> u32 {
        self.0.give(buffer.into_id())
    }
}

/// Takes back all that the application of a channel has. Nobody acts for it meanwhile.
pub(crate) fn reclaim(pool: &Arc<BufferPool>, id: ChannelId) {
    let mut stock = Stock::new(pool.clone(), 0);
    let mut lending = Lending::new(pool, id, stock.owner());
    for (number, owner) in (0u32..).zip(pool.account().owners()) {
        if owner == Owner::Channel(id) {
            if let Ok(buf) = lending.take(number) {
                stock.give(buf.into());
            }
        }
    }
}
