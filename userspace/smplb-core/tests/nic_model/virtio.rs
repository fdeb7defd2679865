// SPDX-License-Identifier: MIT OR Apache-2.0

//! What model devices with virtqueues have in common.

use smplb_core::nic::queue::Fault;

use super::{Held, Lie};

/// What the lies of both formats have in common: the number and the length to write.
pub fn forged(
    lie: Lie,
    held: &mut Vec<Held>,
    last: Option<u16>,
    size: u16,
) -> Option<(u32, u32, Fault)> {
    Some(match lie {
        Lie::NoSuchDescriptor(number) => {
            let number = u32::from(size) + number % (u32::from(u16::MAX) - u32::from(size));
            (number, 100, Fault::NoSuchDescriptor)
        }
        Lie::Repeat => {
            let last = last.filter(|last| held.iter().all(|held| held.number != *last))?;
            (u32::from(last), 100, Fault::NotOutstanding)
        }
        Lie::NotGiven => {
            let free = (0..size).find(|n| held.iter().all(|held| held.number != *n))?;
            (u32::from(free), 100, Fault::NotOutstanding)
        }
        Lie::TooLong(more) => {
            let held = held.remove(0);
            let len = held.len.saturating_add(1).saturating_add(more);
            (u32::from(held.number), len, Fault::TooLong)
        }
        Lie::TooShort => (u32::from(held.remove(0).number), 11, Fault::TooShort),
        Lie::TooMany => return None,
    })
}
