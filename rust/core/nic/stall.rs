// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! A device that takes frames and sends none, whatever its registers say.

use super::queue::Queue;

/// Looks in a row without progress after which a queue has stalled.
pub const PATIENCE: u8 = 3;

/// Looks at a transmit queue now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stall {
    /// What had come back at the last look.
    taken: u64,
    /// Looks since without progress.
    looks: u8,
}

impl Stall {
    /// Whether the device has had frames for [`PATIENCE`] looks, and finished none. So far, `taken`
    /// of the queue's buffers were taken back.
    ///
    /// What has come back and waits to be taken is progress: the engine may be asleep.
    pub fn look(&mut self, queue: &impl Queue, taken: u64) -> bool {
        let waits = queue.fault().is_none() && queue.outstanding() > 0 && !queue.has_finished();
        self.looks = match waits && taken == self.taken {
            true => self.looks.saturating_add(1),
            false => 0,
        };
        self.taken = taken;
        self.looks >= PATIENCE
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_stall))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::dma::Dma;
    use super::super::fake::Memory;
    use super::super::intel::{tx::Tx, E1000e};
    use super::super::queue::{BufferId, Fault, Transmit, TxQueue};
    use super::super::shadow::Slot;
    use super::*;

    /// In the second word of a descriptor: its frame was sent.
    const TX_DD: u64 = 1 << 32;

    fn frame(buffer: u32) -> Transmit {
        Transmit {
            buffer: BufferId(buffer),
            len: 60,
            address: 0,
        }
    }

    #[test]
    fn a_queue_that_finishes_nothing_stalls() -> Result<(), Fault> {
        let (memory, mut slots) = (Memory::<64>::default(), [Slot::default(); 8]);
        let mut tx: Tx<_, _, E1000e> =
            Tx::new(&memory, slots.as_mut_slice()).ok_or(Fault::Stopped)?;
        let mut stall = Stall::default();
        // Nothing to do is no stall.
        for _ in 0..9 {
            assert!(!stall.look(&tx, 0));
        }
        assert_eq!(tx.send([frame(1)].into_iter()).count, 1);
        assert_eq!(tx.send([frame(2)].into_iter()).count, 1);
        assert!(!stall.look(&tx, 0) && !stall.look(&tx, 0));
        // One is sent at the last moment, and its buffer not taken yet.
        memory.store64(1, TX_DD);
        for _ in 0..9 {
            assert!(!stall.look(&tx, 0));
        }
        assert_eq!(tx.reclaim(9, |_| ())?, 1);
        // The other is not. More that is queued does not help.
        assert!(!stall.look(&tx, 1));
        assert_eq!(tx.send([frame(3)].into_iter()).count, 1);
        assert!(!stall.look(&tx, 1) && !stall.look(&tx, 1));
        assert!(stall.look(&tx, 1) && stall.look(&tx, 1));
        tx.stop(|_| ());
        assert!(!stall.look(&tx, 1));
        Ok(())
    }
}
