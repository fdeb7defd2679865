// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The ledger of an application that has buffers of the pool of all ports.

use super::super::env::Atom;
use super::super::nic::pool::{Owner, Pool, Tag};
use super::super::nic::queue::BufferId;
use super::bad::Bad;
use super::ledger::Ledger;
use super::wants::ChannelId;

/// The account of the pool, as it is asked for an application. Who acts for the channel, one engine
/// at a time, has the buffers that it takes.
#[derive(Debug)]
pub struct Lent<'a, A> {
    account: Pool<'a, A>,
    id: ChannelId,
    engine: Tag,
}

impl<'a, A: Atom> Lent<'a, A> {
    /// For the channel with a number, by an engine.
    pub fn new(account: Pool<'a, A>, id: ChannelId, engine: Tag) -> Self {
        Self {
            account,
            id,
            engine,
        }
    }
}

impl<A: Atom> Ledger for Lent<'_, A> {
    type Buffer = BufferId;

    fn take(&mut self, buffer: u32) -> Result<BufferId, Bad> {
        let buffer = BufferId(buffer);
        // A lie is no misuse: it is not for the account to count.
        match self.account.owner(buffer) {
            Some(Owner::Channel(id)) if id == self.id => {}
            Some(_) => return Err(Bad::NotOwned),
            None => return Err(Bad::NoSuchBuffer),
        }
        let handed = self
            .account
            .hand(buffer, Tag::channel(self.id), self.engine);
        handed.map(|_| buffer).map_err(|_| Bad::NotOwned)
    }

    fn give(&mut self, buffer: BufferId) -> u32 {
        // What is refused here is not the engine's: a bug that the count of misuses shows.
        let _ = self
            .account
            .hand(buffer, self.engine, Tag::channel(self.id));
        buffer.0
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_lent))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::TestAtom;
    use super::super::super::nic::magazine::Magazine;
    use super::super::super::nic::pool::{Misuse, Record, Shared};
    use super::*;

    #[test]
    fn what_an_application_has_is_told_by_the_account() -> Result<(), Misuse> {
        let records: [Record<TestAtom>; 40] = ::core::array::from_fn(|_| Record::new(0));
        let shared = Shared::default();
        let pool = Pool::new(&records, &shared).ok_or(Misuse::NoSuchBuffer)?;
        let mut magazine = Magazine::new(2);
        let (one, other) = (ChannelId(3), ChannelId(4));
        let mut lent = Lent::new(pool, one, magazine.owner());
        let buffer = magazine.take(&pool).ok_or(Misuse::NoSuchBuffer)?;
        assert_eq!(lent.take(buffer.0), Err(Bad::NotOwned));
        lent.give(buffer);
        assert_eq!(pool.owner(buffer), Some(Owner::Channel(one)));
        assert_eq!(
            Lent::new(pool, other, magazine.owner()).take(buffer.0),
            Err(Bad::NotOwned)
        );
        assert_eq!(lent.take(40), Err(Bad::NoSuchBuffer));
        assert_eq!(lent.take(buffer.0), Ok(buffer));
        assert_eq!(lent.take(buffer.0), Err(Bad::NotOwned));
        // None of this is the kernel's fault.
        assert_eq!(pool.misuses(), 0);
        magazine.give(&pool, buffer);
        magazine.release(&pool);
        assert_eq!(pool.owner(buffer), Some(Owner::Free));
        Ok(())
    }
}
