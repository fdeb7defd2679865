// SPDX-License-Identifier: GPL-2.0

//! Queues of a NIC that the module drives itself: the core's descriptor engines,
//! with buffers that are owned instead of numbers.

use kernel::prelude::*;
use kernel::transmute::AsBytes;

use super::batch::Batch;
use super::buffer::{Buf, Buffered, Mapping, Memory, HEADROOM};
use super::burst::Packets;
use super::pool::{Open, Stock};
use crate::core_::frame::BURST;
use crate::core_::nic::pool::{Owner, Tag};
use crate::core_::nic::queue::{BufferId, Condition, Fault, RxQueue, Transmit, TxQueue};
use crate::core_::nic::stall::Stall;
use crate::core_::nic::virtio::net_header;
use crate::core_::rewrite;

/// What a NIC has in front of each frame, be it received or to be sent.
pub(crate) trait Header: AsBytes + Copy {
    /// That of a frame about which nothing is to be said.
    const PLAIN: Self;

    /// That of a frame whose checksum the NIC is to finish; `None` if it has no word
    /// for that.
    fn partial(start: u16, offset: u16) -> Option<Self>;

    /// The start of the header of a received frame,
    fn note(frame: &Buffered) -> u16;

    /// and which of it ask for something.
    const ASKS: u16;

    /// What it says.
    fn read(frame: &Buffered) -> Condition;
}

impl Header for () {
    const PLAIN: Self = ();

    fn partial(_start: u16, _offset: u16) -> Option<Self> {
        None
    }

    const ASKS: u16 = 0;

    #[inline(always)]
    fn note(_frame: &Buffered) -> u16 {
        0
    }

    fn read(_frame: &Buffered) -> Condition {
        Condition::Unchecked
    }
}

impl Header for net_header::Header {
    const PLAIN: Self = net_header::PLAIN;

    fn partial(start: u16, offset: u16) -> Option<Self> {
        Some(net_header::make(Condition::Partial { start, offset }))
    }

    const ASKS: u16 = u16::from_ne_bytes(net_header::ASKS);

    #[inline(always)]
    fn note(frame: &Buffered) -> u16 {
        let [flags, gso_type, ..] = frame.header::<{ net_header::LEN }>();
        u16::from_ne_bytes([flags, gso_type])
    }

    fn read(frame: &Buffered) -> Condition {
        net_header::read(&frame.header(), frame.len())
    }
}

/// A receive queue.
pub(crate) struct Rx<Q> {
    queue: Q,
    /// Who owns what the device holds.
    owner: Tag,
}

impl<Q: RxQueue> Rx<Q> {
    /// A queue without buffers.
    pub(crate) fn new(queue: Q, owner: Owner) -> Result<Self> {
        Ok(Self {
            queue,
            owner: Tag::new(owner).ok_or(EINVAL)?,
        })
    }

    /// The descriptor engine.
    #[inline(always)]
    pub(crate) fn queue(&mut self) -> &mut Q {
        &mut self.queue
    }

    /// Takes frames, up to a burst, and hands them to `burst`; those that the
    /// device says are damaged go to `stock`. Tells how many of those there were.
    ///
    /// # Errors
    ///
    /// What the device did wrong; nothing can be received any more.
    // A call per burst, so that the loop has the registers for itself.
    #[inline(never)]
    pub(crate) fn receive<H: Header>(
        &mut self,
        stock: &mut Stock,
        burst: &mut Packets<Buffered>,
    ) -> Result<u64, Fault> {
        let owner = self.owner;
        let mut stock = stock.open();
        let (ledger, mut damaged, mut notes) = (stock.ledger(), 0, 0);
        let mut filling = burst.fill();
        let taken = self.queue.receive_each(BURST, |received| {
            // SAFETY: This queue is the ring of its owner, and was filled by
            // `refill`.
            let Some(buf) = (unsafe { ledger.take_over(received.buffer, owner) }) else {
                return;
            };
            let whole = !matches!(
                received.condition,
                Condition::Damaged | Condition::BadChecksum
            );
            let frame = match buf.frame(HEADROOM as u16, received.len) {
                Ok(frame) if whole => frame,
                Ok(frame) => return put_back(&mut stock, frame.into_buf(), &mut damaged),
                Err(buf) => return put_back(&mut stock, buf, &mut damaged),
            };
            notes |= H::note(&frame);
            if let Err(frame) = filling.push(frame) {
                put_back(&mut stock, frame.into_buf(), &mut damaged);
            }
        });
        drop(filling);
        if notes & H::ASKS != 0 {
            heed::<H>(burst.all(), &mut stock, &mut damaged);
        }
        taken.map(|_| damaged)
    }

    /// Gives the device buffers to write to; whether its doorbell is to be rung,
    /// and with what.
    #[inline(always)]
    pub(crate) fn refill(&mut self, stock: &mut Stock, mapping: &Mapping) -> Option<u16> {
        // Addresses are computed in the cheapest way, once for all.
        match mapping.common() {
            Some(distance) => self.refill_at(stock, move |_, addr| distance.wrapping_add(addr)),
            None => self.refill_at(stock, |buffer, addr| mapping.address(buffer, addr)),
        }
    }

    /// See [`Rx::refill`]; `address` tells where the device finds an octet of a buffer.
    // See `receive`.
    #[inline(never)]
    fn refill_at(
        &mut self,
        stock: &mut Stock,
        address: impl Fn(BufferId, u64) -> u64 + Copy,
    ) -> Option<u16> {
        // Whatever the device writes there is in front of where frames begin.
        let (owner, base) = (self.owner, const { HEADROOM as u16 - Q::OFFSET });
        let mut stock = stock.open();
        loop {
            let room = self.queue.room() as usize;
            if room == 0 {
                break;
            }
            let filled = self.queue.refill(stock.run(owner, room).map(move |buf| {
                let (id, addr) = buf.into_parts(base);
                (id, address(id, addr))
            }));
            if filled == 0 {
                break;
            }
        }
        self.queue.kick()
    }

    /// Takes all buffers back from a device that can no longer reach them.
    pub(crate) fn stop(&mut self, stock: &mut Stock) {
        let owner = self.owner;
        let mut stock = stock.open();
        self.queue.stop(|id| stock.give_from(id, owner));
    }
}

/// Does what the headers of received frames ask for. A checksum that the data path
/// leaves partial is noted, any other one finished.
#[cold]
#[inline(never)]
fn heed<H: Header>(frames: &mut Batch<Buffered>, stock: &mut Open<'_>, damaged: &mut u64) {
    let mut sound = Batch::new();
    for mut frame in frames.drain() {
        let whole = match H::read(&frame) {
            Condition::Damaged | Condition::BadChecksum => false,
            Condition::Unchecked | Condition::Good => true,
            Condition::Partial { start, offset } => {
                let octets = frame.octets_mut();
                if rewrite::checksum_place(octets) == Some((start, offset)) {
                    frame.set_partial(true);
                    true
                } else {
                    net_header::complete(octets, start, offset)
                }
            }
        };
        let kept = match whole {
            true => sound.push(frame),
            false => Err(frame),
        };
        if let Err(frame) = kept {
            put_back(stock, frame.into_buf(), damaged);
        }
    }
    *frames = sound;
}

/// The header of a frame whose checksum is partial. Without `offload` it is finished.
// Given are the octets, so that the frame need not be in memory for the others.
#[cold]
#[inline(never)]
fn announce<H: Header>(octets: &mut [u8], offload: bool) -> H {
    let Some((start, offset)) = rewrite::checksum_place(octets) else {
        return H::PLAIN;
    };
    let header = H::partial(start, offset).filter(|_| offload);
    header.unwrap_or_else(|| {
        net_header::complete(octets, start, offset);
        H::PLAIN
    })
}

/// A transmit queue.
pub(crate) struct Tx<Q> {
    queue: Q,
    owner: Tag,
    /// Whether the NIC finishes checksums.
    offload: bool,
    /// Buffers taken back so far.
    taken: u64,
    stall: Stall,
}

impl<Q: TxQueue> Tx<Q> {
    /// An empty queue of a NIC that finishes checksums, with `offload`.
    pub(crate) fn new(queue: Q, owner: Owner, offload: bool) -> Result<Self> {
        Ok(Self {
            queue,
            owner: Tag::new(owner).ok_or(EINVAL)?,
            offload,
            taken: 0,
            stall: Stall::default(),
        })
    }

    /// The descriptor engine.
    #[inline(always)]
    pub(crate) fn queue(&mut self) -> &mut Q {
        &mut self.queue
    }

    /// Puts frames on the ring, each with a header of type `H` in front of it. Those that
    /// there is no room for go to `stock`. Returns how many went and their
    /// octets, and what to ring the doorbell with.
    #[inline(always)]
    pub(crate) fn send<H: Header>(
        &mut self,
        frames: &mut Batch<Buffered>,
        stock: &mut Stock,
        mapping: &Mapping,
    ) -> (usize, u64, Option<u16>) {
        if self.queue.room() < BURST as u32 {
            // A fault leaves no room, and is told by the engine's next turn.
            let _ = self.reclaim(stock);
        }
        // See `Rx::refill`.
        match mapping.common() {
            Some(distance) => {
                self.send_at::<H>(frames, stock, move |_, addr| distance.wrapping_add(addr))
            }
            None => self.send_at::<H>(frames, stock, |buffer, addr| mapping.address(buffer, addr)),
        }
    }

    /// See [`Tx::send`]; `address` tells where the device finds an octet of a buffer.
    // See `Rx::receive`.
    #[inline(never)]
    fn send_at<H: Header>(
        &mut self,
        frames: &mut Batch<Buffered>,
        stock: &mut Stock,
        address: impl Fn(BufferId, u64) -> u64 + Copy,
    ) -> (usize, u64, Option<u16>) {
        let mut stock = stock.open();
        let (owner, ledger, offload) = (self.owner, stock.ledger(), self.offload);
        let (first, others) = frames.drain_in_two(self.queue.room() as usize);
        let given = self.queue.send(first.map_while(move |mut frame| {
            if frame.is_partial() {
                let header = announce::<H>(frame.octets_mut(), offload);
                frame.set_header(header);
            } else {
                frame.set_header(H::PLAIN);
            }
            let (len, addr) = (frame.len(), frame.addr(size_of::<H>() as u16));
            // There is no end before the last one: the pool has what there is a `Buf` of.
            ledger.pass(frame.buf(), owner)?;
            let buffer = frame.into_buf().into_id();
            Some(Transmit {
                buffer,
                len: u32::from(len).wrapping_add(size_of::<H>() as u32),
                address: address(buffer, addr),
            })
        }));
        others.for_each(|frame| stock.give(frame.into_buf()));
        let headers = given.count.wrapping_mul(size_of::<H>()) as u64;
        let octets = given.octets.wrapping_sub(headers);
        (given.count, octets, self.queue.kick())
    }

    /// Takes back what was sent.
    ///
    /// # Errors
    ///
    /// What the device did wrong; nothing can be sent any more.
    // See `Rx::receive`.
    #[inline(never)]
    pub(crate) fn reclaim(&mut self, stock: &mut Stock) -> Result<(), Fault> {
        let owner = self.owner;
        let mut stock = stock.open();
        let mut home = stock.home(owner);
        let most = home.room();
        let reclaimed = self.queue.reclaim(most, |id| home.give(id))?;
        self.taken = self.taken.wrapping_add(reclaimed as u64);
        Ok(())
    }

    /// Asked now and then: whether the device has stopped sending.
    pub(crate) fn stalls(&mut self) -> bool {
        self.stall.look(&self.queue, self.taken)
    }

    /// Takes all buffers back from a device that can no longer reach them.
    pub(crate) fn stop(&mut self, stock: &mut Stock) {
        let owner = self.owner;
        let mut stock = stock.open();
        self.queue.stop(|id| stock.give_from(id, owner));
    }
}

/// Apart, so that what it needs is not in memory for the loop around it.
#[cold]
#[inline(never)]
fn put_back(stock: &mut Open<'_>, buf: Buf, count: &mut u64) {
    *count += 1;
    stock.give(buf);
}

/// Frames on their way to the same NIC.
pub(crate) type FrameOut = Batch<Buffered>;

/// A buffer out of the stock with a copy of `octets`; `None` when there is no
/// buffer or they do not fit.
pub(crate) fn copy_in(stock: &mut Stock, octets: &[u8]) -> Option<Buffered> {
    let buf = stock.take()?;
    settle(stock, |memory| memory.copy(buf, octets))
}

/// A buffer out of the stock with a frame of `len` octets that `fill` writes;
/// `None` when there is no buffer, they do not fit, or it cannot.
pub(crate) fn copy_with(
    stock: &mut Stock,
    len: usize,
    fill: impl FnOnce(&mut [u8]) -> bool,
) -> Option<Buffered> {
    let buf = stock.take()?;
    settle(stock, |memory| memory.filled(buf, len, fill))
}

/// The frame that `make` made, or nothing, and its buffer is back in the stock.
fn settle(
    stock: &mut Stock,
    make: impl FnOnce(&Memory) -> Result<Buffered, Buf>,
) -> Option<Buffered> {
    match make(stock.pool().memory()) {
        Ok(frame) => Some(frame),
        Err(buf) => {
            stock.give(buf);
            None
        }
    }
}
