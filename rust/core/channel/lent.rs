// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The ledger of an application that has buffers of the pool of all ports.

use super::super::env::Atom;
use super::super::nic::pool::{Misuse, Pool, Tag};
use super::super::nic::queue::BufferId;
use super::bad::Bad;
use super::ledger::Ledger;
use super::wants::ChannelId;

/// The account of the pool, as it is asked for an application. Who acts for the channel, one engine
/// at a time, has the buffers that it takes.
#[derive(Debug)]
pub struct Lent<'a, A> {
    account: Pool<'a, A>,
    application: Tag,
    engine: Tag,
}

impl<'a, A: Atom> Lent<'a, A> {
    /// For the channel with a number, by an engine.
    #[inline(always)]
    pub fn new(account: Pool<'a, A>, id: ChannelId, engine: Tag) -> Self {
        Self {
            account,
            application: Tag::channel(id),
            engine,
        }
    }

    /// Takes a buffer from the application, and tells where it is. See [`Ledger::take`].
    #[inline(always)]
    pub fn take_placed(&mut self, buffer: u32) -> Result<(BufferId, u64), Bad> {
        let buffer = BufferId(buffer);
        let taken = self
            .account
            .take_from(buffer, self.application, self.engine);
        match taken {
            Ok(place) => Ok((buffer, place)),
            Err(Misuse::WrongOwner) => Err(Bad::NotOwned),
            Err(Misuse::NoSuchBuffer) => Err(Bad::NoSuchBuffer),
        }
    }
}

impl<A: Atom> Ledger for Lent<'_, A> {
    type Buffer = BufferId;
    type Taken = BufferId;

    fn take(&mut self, buffer: u32) -> Result<BufferId, Bad> {
        self.take_placed(buffer).map(|(buffer, _)| buffer)
    }

    #[inline(always)]
    fn give(&mut self, buffer: BufferId) -> u32 {
        // What is refused here is not the engine's: a bug that the count of misuses shows.
        let _ = self.account.hand(buffer, self.engine, self.application);
        buffer.0
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_lent))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::TestAtom;
    use super::super::super::nic::magazine::Magazine;
    use super::super::super::nic::pool::{Owner, Record, Shared};
    use super::*;

    #[test]
    fn what_an_application_has_is_told_by_the_account() -> Result<(), Misuse> {
        let records: [Record<TestAtom>; 40] = ::core::array::from_fn(|_| Record::new(0));
        let shared = Shared::default();
        let pool = Pool::new(&records, &shared);
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
