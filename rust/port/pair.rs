// SPDX-License-Identifier: GPL-2.0

//! A queue pair of a NIC that the module drives itself: what one engine polls.

use super::lease::Deed;
use super::native::Driver;
use crate::core_::frame::PortId;
use crate::core_::nic::pool::Owner;
use crate::core_::nic::queue::Queue;
use crate::kapi::cpu::BhGuard;
use crate::kapi::nic::{Rx, Tx};
use crate::kapi::pool::Stock;
use crate::kapi::store::Store;
use crate::kapi::vector::Vector;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{new_mutex, new_spinlock, Mutex, SpinLock};

/// The queues of a pair, as a driver makes them.
pub(crate) struct Queues<D: Driver> {
    pub(crate) rx: D::Rx,
    pub(crate) tx: D::Tx,
    pub(crate) bells: D::Bells,
    /// What an application has to know that is to have them, if one can.
    pub(crate) deed: Option<Deed>,
}

/// A receive and a transmit queue, and the rings between who polls them and the
/// host.
#[pin_data]
pub(crate) struct Pair<D: Driver> {
    pub(super) bells: D::Bells,
    /// Without one the engine never sleeps.
    vector: Option<Vector>,
    #[pin]
    pub(super) rx: SpinLock<Rx<D::Rx>>,
    /// Of whoever polls the pair, and of engines that have no pair of the port.
    #[pin]
    pub(super) tx: SpinLock<Tx<D::Tx>>,
    /// Rings to and from the pseudo interface.
    pub(crate) store: Store,
    /// Frames that came damaged.
    damaged: Atomic<u64>,
    /// For who gets it the next time.
    #[pin]
    deed: Mutex<Option<Deed>>,
    /// An application has it: nobody else is at its queues.
    lent: Atomic<bool>,
}

impl<D: Driver> Pair<D> {
    /// Without buffers. With `offload` the NIC finishes checksums.
    pub(super) fn new(
        id: PortId,
        vector: Option<Vector>,
        queues: Queues<D>,
        offload: bool,
    ) -> Result<Pin<KBox<Self>>> {
        let Queues {
            rx,
            tx,
            bells,
            deed,
        } = queues;
        let store = Store::new(id)?;
        let (rx, tx) = (
            Rx::new(rx, Owner::Rx(id))?,
            Tx::new(tx, Owner::Tx(id), offload)?,
        );
        KBox::pin_init(
            pin_init!(Self {
                bells,
                vector,
                rx <- new_spinlock!(rx, "smplb_rx"),
                tx <- new_spinlock!(tx, "smplb_tx"),
                store,
                damaged: Atomic::new(0),
                deed <- new_mutex!(deed, "smplb_deed"),
                lent: Atomic::new(false),
            }),
            GFP_KERNEL,
        )
    }

    /// What wakes its engine.
    pub(super) fn vector(&self) -> Option<&Vector> {
        self.vector.as_ref()
    }

    /// Whether the receive queue is armed: the NIC interrupts when a frame comes,
    /// and there is none yet. `ask` has it do so by its registers.
    pub(super) fn arm(&self, ask: impl FnOnce()) -> bool {
        let Some(vector) = &self.vector else {
            return false;
        };
        vector.arm();
        ask();
        let mut rx = self.rx.lock();
        // Without a buffer the NIC cannot receive, and never interrupts.
        rx.queue().outstanding() > 0 && rx.queue().arm()
    }

    /// Masks the interrupt again: the engine polls.
    pub(super) fn disarm(&self) {
        if let Some(vector) = &self.vector {
            if !self.is_lent() {
                self.rx.lock().queue().disarm();
            }
            vector.disarm();
        }
    }

    /// Takes the buffers back that the device had. It has been reset.
    pub(super) fn stop(&self, stock: &mut Stock) {
        self.rx.lock().stop(stock);
        self.tx.lock().stop(stock);
    }

    /// Takes other queues in place of those that were stopped, with the same
    /// doorbells.
    pub(super) fn renew(&self, queues: Queues<D>) -> Result {
        let Queues {
            rx,
            tx,
            bells,
            deed,
        } = queues;
        if bells != self.bells {
            return Err(EINVAL);
        }
        // Freed when nothing is locked any more.
        let rx = core::mem::replace(self.rx.lock().queue(), rx);
        let tx = core::mem::replace(self.tx.lock().queue(), tx);
        drop((rx, tx));
        *self.deed.lock() = deed;
        Ok(())
    }

    /// Whether an application has it.
    #[inline(always)]
    pub(super) fn is_lent(&self) -> bool {
        self.lent.load(Relaxed)
    }

    /// Says whether an application is to have it. Nobody is at its queues, which are
    /// made anew before somebody is again.
    pub(super) fn set_lent(&self, lent: bool) {
        self.lent.store(lent, Relaxed);
    }

    /// What an application has to know to use the queues, once for each time they
    /// are made.
    pub(super) fn take_deed(&self) -> Option<Deed> {
        self.deed.lock().take()
    }

    /// Whether an application can have it.
    pub(super) fn can_be_lent(&self) -> bool {
        self.deed.lock().is_some()
    }

    /// Asked now and then: whether the NIC has stopped sending.
    pub(super) fn stalls(&self) -> bool {
        // See `BhGuard`.
        let _bh = BhGuard::new();
        self.tx.lock().stalls()
    }

    /// Counts frames that came damaged; by whoever polls the pair.
    pub(super) fn count_damaged(&self, damaged: u64) {
        let sum = self.damaged.load(Relaxed).wrapping_add(damaged);
        self.damaged.store(sum, Relaxed);
    }

    /// Frames that came damaged.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged.load(Relaxed)
    }
}
