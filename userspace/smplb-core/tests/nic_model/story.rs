// SPDX-License-Identifier: MIT OR Apache-2.0

//! What every kind of queue goes through in the same way.

use smplb_core::nic::queue::{Fault, RxQueue, TxQueue};

use super::step::Step;
use super::world::World;
use super::Device;

impl<R: RxQueue, T: TxQueue, D: Device, E: Device> World<'_, R, T, D, E> {
    /// Steps that all go well.
    pub fn run_all<'s>(&mut self, steps: impl IntoIterator<Item = &'s Step>) {
        for step in steps {
            assert_eq!(self.run(*step), Ok(()));
        }
    }

    /// Indices wrap many times; the devices finish descriptors in an order that `which` decides.
    pub fn long(mut self, which: (usize, usize)) {
        let steps = [
            Step::Refill(256),
            Step::DeviceReceives {
                count: 64,
                which: which.0,
                len: 60,
            },
            Step::Receive(64),
            Step::Send(64),
            Step::DeviceSends {
                count: 64,
                which: which.1,
            },
            Step::Reclaim(64),
        ];
        for _ in 0..2200 {
            self.run_all(&steps);
        }
        assert_eq!(self.ends.tx.outstanding(), 0);
        self.end();
    }

    /// A device that takes buffers, `held` at most, and frames, and from some time on gives none
    /// back.
    pub fn silent(mut self, held: u32) {
        self.run_all(&[
            Step::Refill(70),
            Step::DeviceReceives {
                count: 9,
                which: 0,
                len: 60,
            },
            Step::Receive(9),
            Step::Send(9),
        ]);
        for _ in 0..1000 {
            self.run_all(&[Step::Refill(70), Step::Receive(70), Step::Reclaim(70)]);
            assert!(!self.ends.rx.has_finished() && !self.ends.tx.has_finished());
            // It asserts that the queue may sleep.
            self.run_all(&[Step::ArmRx]);
        }
        let (rx, tx) = (&self.ends.rx, &self.ends.tx);
        assert_eq!((rx.outstanding(), rx.room()), (held, 0));
        assert_eq!(tx.outstanding(), 9);
        assert_eq!((rx.fault(), tx.fault()), (None::<Fault>, None));
        self.end();
    }
}
