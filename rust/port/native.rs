// SPDX-License-Identifier: GPL-2.0

//! Ports of NICs that the module drives itself: no packet of the kernel's kind
//! is made on a switching CPU.

use crate::core_::frame::PortId;
use crate::core_::nic::pool::Owner;
use crate::core_::nic::queue::{Fault, Queue, RxQueue, TxQueue};
use crate::kapi::batch::Batch;
use crate::kapi::buffer::{Buffered, Mapping};
use crate::kapi::burst::Packets;
use crate::kapi::nic::{Header, Rx, Tx};
use crate::kapi::pool::{BufferPool, Stock};
use crate::kapi::store::Store;
use crate::kapi::vector::Vector;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{new_spinlock, Arc, SpinLock};

/// What differs between drivers, as far as the data path has to do with it.
pub(crate) trait Driver: Send + Sync + 'static {
    /// Its receive queues.
    type Rx: RxQueue + Send + Unpin;
    /// Its transmit queues.
    type Tx: TxQueue + Send + Unpin;
    /// The name users know it by.
    const NAME: &'static CStr;
    /// What it wants in front of each frame that it sends.
    type Header: Header;

    /// Tells the device that the receive ring has buffers up to `index`.
    fn ring_rx(&self, index: u16);

    /// Tells the device that the transmit ring has frames up to `index`.
    fn ring_tx(&self, index: u16);

    /// Has the device interrupt when the receive ring has a frame, where its own
    /// registers have a say in that besides the ring.
    fn ask_rx(&self) {}

    /// Whether the NIC has a link; `None` when it is not there any more, or does
    /// not work any more. Slow, and from any thread.
    fn link(&self) -> Option<bool>;
}

/// The rings of a NIC and those to and from the host.
#[pin_data]
pub(crate) struct Native<D: Driver> {
    driver: D,
    pool: Arc<BufferPool>,
    mapping: Mapping,
    /// Without one the engine never sleeps.
    vector: Option<Vector>,
    #[pin]
    rx: SpinLock<Rx<D::Rx>>,
    #[pin]
    tx: SpinLock<Tx<D::Tx>>,
    /// Rings to and from the pseudo interface.
    pub(crate) store: Store,
    /// Frames that came damaged.
    damaged: Atomic<u64>,
    /// 1 + the number of the fault that broke a queue; [`SILENT`] when the NIC
    /// does not answer.
    fault: Atomic<u32>,
}

/// The fault of a NIC that does not answer.
const SILENT: u32 = u32::MAX;

/// How a NIC is.
pub(crate) enum Health {
    /// It works, and has a link or none.
    Link(bool),
    /// It works no more: what it did, for the log.
    Failed(&'static CStr),
}

/// What the rings of any NIC are made of.
pub(crate) struct Parts {
    /// The port's number.
    pub(crate) id: PortId,
    pub(crate) pool: Arc<BufferPool>,
    pub(crate) mapping: Mapping,
    /// Without one the engine never sleeps.
    pub(crate) vector: Option<Vector>,
}

impl<D: Driver> Native<D> {
    /// Rings without buffers.
    pub(crate) fn new(driver: D, parts: Parts, rx: D::Rx, tx: D::Tx) -> Result<Arc<Self>> {
        let Parts {
            id,
            pool,
            mapping,
            vector,
        } = parts;
        let store = Store::new(id)?;
        let (rx, tx) = (Rx::new(rx, Owner::Rx(id))?, Tx::new(tx, Owner::Tx(id))?);
        Arc::pin_init(
            pin_init!(Self {
                driver,
                pool,
                mapping,
                vector,
                rx <- new_spinlock!(rx, "smplb_rx"),
                tx <- new_spinlock!(tx, "smplb_tx"),
                store,
                damaged: Atomic::new(0),
                fault: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }

    /// The pool its buffers are from.
    #[inline(always)]
    pub(crate) fn pool(&self) -> &Arc<BufferPool> {
        &self.pool
    }

    /// Takes back what was sent, takes what was received, and gives the NIC new
    /// buffers (figure 5, steps 102 and 104).
    // See `send`.
    #[inline(never)]
    pub(crate) fn receive(&self, stock: &mut Stock, burst: &mut Packets<Buffered>) {
        if self.has_failed() {
            return;
        }
        {
            let mut tx = self.tx.lock();
            if tx.queue().outstanding() > 0 {
                if let Err(fault) = tx.reclaim(stock) {
                    self.broken(fault);
                }
            }
        }
        let mut rx = self.rx.lock();
        match rx.receive(stock, burst) {
            Ok(0) => {}
            Ok(damaged) => {
                let sum = self.damaged.load(Relaxed).wrapping_add(damaged);
                self.damaged.store(sum, Relaxed);
            }
            Err(fault) => self.broken(fault),
        }
        if let Some(index) = rx.refill(stock, &self.mapping) {
            self.driver.ring_rx(index);
        }
    }

    /// Sends frames; returns how many went and their octets. The others are in
    /// the stock.
    // A call per burst, so that the loop has the registers for itself.
    #[inline(never)]
    pub(crate) fn send(&self, frames: &mut Batch<Buffered>, stock: &mut Stock) -> (usize, u64) {
        if self.has_failed() {
            frames
                .drain()
                .for_each(|frame| stock.give(frame.into_buf()));
            return (0, 0);
        }
        let mut tx = self.tx.lock();
        let (sent, bytes, kick) = tx.send::<D::Header>(frames, stock, &self.mapping);
        if let Some(index) = kick {
            self.driver.ring_tx(index);
        }
        (sent, bytes)
    }

    /// What wakes its engine.
    pub(crate) fn vector(&self) -> Option<&Vector> {
        self.vector.as_ref()
    }

    /// Has the NIC interrupt when a frame comes; whether the engine may sleep. It
    /// has prepared to, so that no wake-up is lost.
    pub(crate) fn arm(&self) -> bool {
        if self.store.has_work() {
            return false;
        }
        if self.has_failed() {
            // Nothing will come.
            return true;
        }
        let Some(vector) = &self.vector else {
            return false;
        };
        vector.arm();
        self.driver.ask_rx();
        let mut rx = self.rx.lock();
        // Without a buffer the NIC cannot receive, and never interrupts.
        rx.queue().outstanding() > 0 && rx.queue().arm()
    }

    /// Masks the interrupt again: the engine polls.
    pub(crate) fn disarm(&self) {
        if let Some(vector) = &self.vector {
            self.rx.lock().queue().disarm();
            vector.disarm();
        }
    }

    /// Takes the buffers back that the device had. It has been reset.
    pub(crate) fn stop(&self, stock: &mut Stock) {
        self.rx.lock().stop(stock);
        self.tx.lock().stop(stock);
    }

    #[inline(always)]
    fn has_failed(&self) -> bool {
        self.fault.load(Relaxed) != 0
    }

    /// Whoever looks after the port finds the fault, and tells it.
    #[cold]
    fn broken(&self, fault: Fault) {
        self.fault.store(1 + fault as u32, Relaxed);
    }

    /// Asks the NIC how it is; one that does not answer has failed. Not on the
    /// data path.
    pub(crate) fn look(&self) -> Health {
        if !self.has_failed() {
            match self.driver.link() {
                Some(link) => return Health::Link(link),
                None => self.fault.store(SILENT, Relaxed),
            }
        }
        Health::Failed(match self.fault.load(Relaxed) {
            SILENT => c"does not answer",
            _ => c"broke one of its rings",
        })
    }

    /// Frames that came damaged.
    pub(crate) fn damaged(&self) -> u64 {
        self.damaged.load(Relaxed)
    }
}
