// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! How many buffers of the pool each owner has.

use super::super::env::Atom;
use super::pool::{Owner, Pool};

/// Buffers that belong to a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortShare {
    /// On its receive ring.
    pub rx: u32,
    /// On its transmit ring.
    pub tx: u32,
    /// On the rings to and from its pseudo interface.
    pub host: u32,
}

impl PortShare {
    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The counts of one pass over the account. Each buffer is counted once, by the owner it has when it
/// is looked at; so the counts add up to the size of the pool whatever engines do meanwhile.
#[derive(Debug)]
pub struct Census<'a> {
    /// Buffers of the pool.
    pub size: u32,
    /// Those that nobody has.
    pub free: u32,
    /// Those of each port.
    pub ports: &'a mut [PortShare],
    /// Those of the engine on each CPU.
    pub engines: &'a mut [u32],
    /// Those of applications.
    pub channels: u32,
    /// Those of owners beyond both lists.
    pub other: u32,
}

impl<'a> Census<'a> {
    /// Counts the buffers of `pool`. The lists are for as many ports and CPUs as there can be.
    pub fn take<A: Atom>(
        pool: &Pool<'_, A>,
        ports: &'a mut [PortShare],
        engines: &'a mut [u32],
    ) -> Self {
        ports.fill(PortShare::default());
        engines.fill(0);
        let mut census = Self {
            size: pool.len() as u32,
            free: 0,
            ports,
            engines,
            channels: 0,
            other: 0,
        };
        for owner in pool.owners() {
            let count = census.count_of(owner);
            *count = count.wrapping_add(1);
        }
        census
    }

    fn count_of(&mut self, owner: Owner) -> &mut u32 {
        let count = match owner {
            Owner::Free => return &mut self.free,
            Owner::Channel(_) => return &mut self.channels,
            Owner::Rx(port) => self.ports.get_mut(port.0 as usize).map(|s| &mut s.rx),
            Owner::Tx(port) => self.ports.get_mut(port.0 as usize).map(|s| &mut s.tx),
            Owner::Host(port) => self.ports.get_mut(port.0 as usize).map(|s| &mut s.host),
            Owner::Engine(cpu) => self.engines.get_mut(cpu as usize),
        };
        count.unwrap_or(&mut self.other)
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_census))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::channel::wants::ChannelId;
    use super::super::super::fake::TestAtom;
    use super::super::super::frame::PortId;
    use super::super::magazine::Magazine;
    use super::super::pool::{Misuse, Record, Shared};
    use super::*;

    #[test]
    fn every_buffer_is_counted_once() -> Result<(), Misuse> {
        let records: [Record<TestAtom>; 50] = ::core::array::from_fn(|_| Record::new(0));
        let shared = Shared::default();
        let pool = Pool::new(&records, &shared);
        let mut magazine = Magazine::new(1);
        let one = PortId(1);
        for (owner, buffers) in [
            (Owner::Rx(one), 3),
            (Owner::Tx(one), 2),
            (Owner::Host(one), 4),
            (Owner::Rx(PortId(2)), 5),
            (Owner::Channel(ChannelId(700)), 6),
        ] {
            for _ in 0..buffers {
                magazine
                    .take_for(&pool, owner)
                    .ok_or(Misuse::NoSuchBuffer)?;
            }
        }
        let (mut ports, mut engines) = (
            [PortShare {
                rx: 9,
                tx: 9,
                host: 9,
            }; 2],
            [9; 2],
        );
        let census = Census::take(&pool, &mut ports, &mut engines);
        // The engine has taken a chain of 32.
        assert_eq!((census.size, census.free), (50, 18));
        // Port 2 is beyond the list.
        assert_eq!(census.other, 5);
        assert_eq!((census.channels, &*census.engines), (6, &[0, 12][..]));
        let due = PortShare {
            rx: 3,
            tx: 2,
            host: 4,
        };
        assert_eq!(census.ports, [PortShare::default(), due]);
        assert!(ports.first().is_some_and(PortShare::is_empty));
        Ok(())
    }
}
