// SPDX-License-Identifier: GPL-2.0

//! Ports of NICs that the module drives itself: no packet of the kernel's kind
//! is made on a switching CPU.

use super::pair::{Pair, Queues};
use crate::core_::frame::PortId;
use crate::core_::nic::queue::{Fault, Queue, RxQueue, TxQueue};
use crate::kapi::batch::Batch;
use crate::kapi::buffer::{Buffered, Mapping};
use crate::kapi::burst::Packets;
use crate::kapi::nic::Header;
use crate::kapi::pool::{BufferPool, Stock};
use crate::kapi::vector::Vector;
use kernel::device::Bound;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::Arc;

/// What differs between drivers, as far as the data path has to do with it.
pub(crate) trait Driver: Send + Sync + 'static {
    /// Its receive queues.
    type Rx: RxQueue + Send + Unpin;
    /// Its transmit queues.
    type Tx: TxQueue + Send + Unpin;
    /// The name users know it by.
    const NAME: &'static CStr;
    /// What it has in front of each frame.
    type Header: Header;
    /// Where the doorbells of a queue pair are.
    type Bells: Send + Sync + PartialEq;

    /// Tells the device that the receive ring has buffers up to `index`.
    fn ring_rx(&self, bells: &Self::Bells, index: u16);

    /// Tells the device that the transmit ring has frames up to `index`.
    fn ring_tx(&self, bells: &Self::Bells, index: u16);

    /// Has the device interrupt when the receive ring has a frame, where its own
    /// registers have a say in that besides the ring.
    fn ask_rx(&self) {}

    /// Makes the queues of a pair, which interrupt by that vector if there is one,
    /// and tells the device, which has been reset, where they are.
    fn queues(
        &self,
        pdev: &pci::Device<Bound>,
        pair: u16,
        vector: Option<u16>,
    ) -> Result<Queues<Self>>
    where
        Self: Sized;

    /// Whether the NIC finishes partial checksums of frames that it sends.
    fn finishes_checksums(&self) -> bool {
        false
    }

    /// Now and then: has a NIC look for buffers that is known to forget to.
    fn nudge(&self, _bells: &Self::Bells) {}

    /// Has the NIC receive frames for other stations, too, or not, if it can. Slow,
    /// may sleep, and called again and again.
    fn receive_all(&self, _on: bool) {}

    /// Whether the NIC has a link; `None` when it is not there any more, or does
    /// not work any more. Slow, and from any thread.
    fn link(&self) -> Option<bool>;
}

/// The queue pairs of a NIC.
pub(crate) struct Native<D: Driver> {
    driver: D,
    pool: Arc<BufferPool>,
    pub(super) mapping: Mapping,
    pairs: KVec<Pin<KBox<Pair<D>>>>,
    /// The pair that the host looks at first the next time.
    first: Atomic<u32>,
    /// 1 + the number of the fault that broke a queue, or one of [`SILENT`],
    /// [`STALLED`], and [`CLOSED`] when it is not to be used.
    fault: Atomic<u32>,
}

/// The fault of a NIC that does not answer.
const SILENT: u32 = u32::MAX;
/// Not the NIC's fault.
const CLOSED: u32 = SILENT - 1;
/// The fault of a NIC that takes frames and sends none.
const STALLED: u32 = CLOSED - 1;

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
    /// Queue pairs that were asked for.
    pub(crate) pairs: u16,
    /// One for each pair, or none: then engines never sleep.
    pub(crate) vectors: KVec<Vector>,
}

impl<D: Driver> Native<D> {
    /// Pairs without buffers.
    pub(crate) fn new(driver: D, pdev: &pci::Device<Bound>, parts: Parts) -> Result<Arc<Self>> {
        let mut vectors = parts.vectors.into_iter();
        let mut pairs = KVec::with_capacity(parts.pairs.into(), GFP_KERNEL)?;
        for nth in 0..parts.pairs {
            let vector = vectors.next();
            let queues = driver.queues(pdev, nth, vector.as_ref().map(|_| nth))?;
            let offload = driver.finishes_checksums();
            pairs.push(Pair::new(parts.id, vector, queues, offload)?, GFP_KERNEL)?;
        }
        let native = Self {
            driver,
            pool: parts.pool,
            mapping: parts.mapping,
            pairs,
            first: Atomic::new(0),
            fault: Atomic::new(0),
        };
        Ok(Arc::new(native, GFP_KERNEL)?)
    }

    /// The pool its buffers are from.
    #[inline(always)]
    pub(crate) fn pool(&self) -> &Arc<BufferPool> {
        &self.pool
    }

    /// A pair by its number.
    #[inline(always)]
    pub(crate) fn pair(&self, nth: usize) -> Option<&Pair<D>> {
        Some(self.pairs.get(nth)?)
    }

    /// How many pairs it has.
    pub(crate) fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Which pair the host looks at first, each time another one: none has to wait
    /// for a busy one. By the thread that passes frames to the host.
    pub(crate) fn turn(&self) -> usize {
        let first = self.first.load(Relaxed);
        self.first.store(first.wrapping_add(1), Relaxed);
        first as usize
    }

    /// Takes back what was sent, takes what was received, and gives the NIC new
    /// buffers (figure 5, steps 102 and 104).
    // See `send`.
    #[inline(never)]
    pub(crate) fn receive(&self, pair: &Pair<D>, stock: &mut Stock, burst: &mut Packets<Buffered>) {
        if self.has_failed() || pair.is_lent() {
            return;
        }
        {
            let mut tx = pair.tx.lock();
            let queue = tx.queue();
            if queue.outstanding() > 0 || queue.fault().is_some() {
                if let Err(fault) = tx.reclaim(stock) {
                    self.broken(fault);
                }
            }
        }
        let mut rx = pair.rx.lock();
        match rx.receive::<D::Header>(stock, burst) {
            Ok(0) => {}
            Ok(damaged) => pair.count_damaged(damaged),
            Err(fault) => self.broken(fault),
        }
        if let Some(index) = rx.refill(stock, &self.mapping) {
            self.driver.ring_rx(&pair.bells, index);
        }
    }

    /// Sends frames by the transmit queue of a pair; returns how many went and
    /// their octets. The others are in the stock.
    // A call per burst, so that the loop has the registers for itself.
    #[inline(never)]
    pub(crate) fn send(
        &self,
        nth: usize,
        frames: &mut Batch<Buffered>,
        stock: &mut Stock,
    ) -> (usize, u64) {
        let Some(pair) = self.sender(nth).filter(|_| !self.has_failed()) else {
            frames
                .drain()
                .for_each(|frame| stock.give(frame.into_buf()));
            return (0, 0);
        };
        let mut tx = pair.tx.lock();
        let (sent, bytes, kick) = tx.send::<D::Header>(frames, stock, &self.mapping);
        if let Some(index) = kick {
            self.driver.ring_tx(&pair.bells, index);
        }
        (sent, bytes)
    }

    /// What wakes who polls a pair.
    pub(crate) fn vector(&self, nth: usize) -> Option<&Vector> {
        self.pair(nth)?.vector()
    }

    /// Has the NIC interrupt when a frame comes to a pair; whether its engine may
    /// sleep. It has prepared to, so that no wake-up is lost.
    pub(crate) fn arm(&self, nth: usize) -> bool {
        let Some(pair) = self.pair(nth) else {
            return true;
        };
        if pair.store.has_work() {
            return false;
        }
        // When it has failed, or is an application's, nothing will come.
        self.has_failed() || pair.is_lent() || pair.arm(|| self.driver.ask_rx())
    }

    /// Masks the interrupt of a pair again: its engine polls.
    pub(crate) fn disarm(&self, nth: usize) {
        if let Some(pair) = self.pair(nth) {
            pair.disarm();
        }
    }

    /// Takes the buffers back that the device had. It has been reset.
    pub(crate) fn stop(&self, stock: &mut Stock) {
        for pair in &self.pairs {
            pair.stop(stock);
        }
    }

    /// Has engines leave the rings alone: all do when the RCU readers of now have
    /// gone.
    pub(crate) fn close(&self) {
        // What failed before stays what it was.
        let _ = self.fault.cmpxchg(0, CLOSED, Relaxed);
    }

    /// Gives the device rings anew. It has been reset, and nobody is at those
    /// before, whose buffers go back to the pool.
    pub(crate) fn renew(&self, pdev: &pci::Device<Bound>) -> Result {
        let mut stock = Stock::new(self.pool.clone(), 0);
        self.stop(&mut stock);
        for (nth, pair) in (0u16..).zip(&self.pairs) {
            let vector = pair.vector().map(|_| nth);
            pair.renew(self.driver.queues(pdev, nth, vector)?)?;
        }
        Ok(())
    }

    /// Has engines use the rings again: the device has been started.
    pub(crate) fn open(&self) {
        self.fault.store(0, Relaxed);
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

    /// See [`Driver::receive_all`] and [`Driver::nudge`].
    pub(crate) fn tend(&self, receive_all: bool) {
        if self.has_failed() {
            return;
        }
        self.driver.receive_all(receive_all);
        for pair in &self.pairs {
            self.driver.nudge(&pair.bells);
        }
    }

    /// Asks the NIC how it is; one that does not answer, or does not send, has
    /// failed. Not on the data path, by one caller at a time.
    pub(crate) fn look(&self) -> Health {
        if !self.has_failed() {
            match self.driver.link() {
                Some(true) if self.stalls() => {
                    self.fault.store(STALLED, Relaxed);
                }
                Some(link) => return Health::Link(link),
                None => self.fault.store(SILENT, Relaxed),
            }
        }
        Health::Failed(match self.fault.load(Relaxed) {
            SILENT => c"does not answer",
            CLOSED => c"is not in use",
            STALLED => c"does not send",
            _ => c"broke one of its rings",
        })
    }

    /// Whether a pair has stopped sending. What an application does with its own is
    /// its business.
    fn stalls(&self) -> bool {
        let mut ours = self.pairs.iter().filter(|pair| !pair.is_lent());
        ours.any(|pair| pair.stalls())
    }

    /// Frames that came damaged.
    pub(crate) fn damaged(&self) -> u64 {
        self.pairs.iter().map(|pair| pair.damaged()).sum()
    }
}
