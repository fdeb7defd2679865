// SPDX-License-Identifier: GPL-2.0

//! The packet store of a queue pair of a native port (seed figure 8): rings of
//! buffers between who polls it and the host, each with one producer and one
//! consumer.

use super::buffer::{Buf, Buffered, Placed, FRAME};
use super::burst::Packets;
use super::pool::{BufferPool, Stock};
use super::ring::Ring;
use crate::core_::frame::PortId;
use crate::core_::nic::pool::{Owner, Tag};
use kernel::prelude::*;

/// Octets of an Ethernet header.
const ETH_HLEN: u16 = 14;

/// Buffers that a ring holds.
const RING: u32 = 512;

/// Free buffers that the host has at hand.
const SPARE: usize = 128;

/// What comes up to the host.
pub(crate) enum Up {
    /// A frame for it.
    Frame(Buffered),
    /// One to send to the neighbour with this address, on the device with this
    /// index, whose MAC address is not known.
    Resolve(Buffered, [u8; 4], u32),
}

impl Up {
    /// The buffer, without the frame.
    pub(crate) fn into_buf(self) -> Buf {
        match self {
            Self::Frame(frame) | Self::Resolve(frame, ..) => frame.into_buf(),
        }
    }
}

/// Where a packet is to be sent, in front of it.
type Target = [u8; 8];

fn target([a, b, c, d]: [u8; 4], ifindex: u32) -> Target {
    let [e, f, g, h] = ifindex.to_ne_bytes();
    [a, b, c, d, e, f, g, h]
}

/// The rings between engine and host.
pub(crate) struct Store {
    owner: Tag,
    /// From the engine: what comes up.
    up: KBox<Ring<Placed>>,
    /// From the host: buffers that it has emptied.
    emptied: KBox<Ring<Placed>>,
    /// From the host: frames that it sends.
    down: KBox<Ring<Placed>>,
    /// From the engine: buffers that the host may fill.
    spare: KBox<Ring<Placed>>,
}

/// A ring of its own memory: four of them would fill the stack on their way.
#[inline(never)]
fn ring(size: u32) -> Result<KBox<Ring<Placed>>> {
    Ok(KBox::new(Ring::new(size)?, GFP_KERNEL)?)
}

fn empty(buf: Buf) -> Placed {
    Placed {
        buf,
        place: 0,
        len: 0,
        marked: false,
    }
}

impl Store {
    pub(crate) fn new(port: PortId) -> Result<Self> {
        Ok(Self {
            owner: Tag::new(Owner::Host(port)).ok_or(EINVAL)?,
            up: ring(RING)?,
            // Whatever goes up comes back here: never full.
            emptied: ring(2 * RING)?,
            down: ring(RING)?,
            spare: ring(RING)?,
        })
    }

    /// Engine: passes a frame up; false when the host does not keep up, and the
    /// buffer is in the stock.
    ///
    /// # Safety
    ///
    /// By the engine that polls the pair.
    #[inline]
    pub(crate) unsafe fn pass_up(&self, up: Up, stock: &mut Stock) -> bool {
        let placed = match up {
            Up::Frame(frame) => frame.into(),
            Up::Resolve(mut frame, addr, ifindex) => {
                frame.finish_checksum();
                // They take the place of the Ethernet header's end.
                let marked = frame.pull(ETH_HLEN);
                if marked {
                    frame.set_header(target(addr, ifindex));
                }
                Placed {
                    marked,
                    ..frame.into()
                }
            }
        };
        let mut stock = stock.open();
        stock.hand_to(&placed.buf, self.owner);
        // SAFETY: The one producer, by the safety requirement.
        match unsafe { self.up.push(placed) } {
            Ok(()) => true,
            Err(placed) => {
                stock.give_from(placed.buf.into_id(), self.owner);
                false
            }
        }
    }

    /// Engine: takes a burst of what the host sends, takes back what it emptied,
    /// and gives it what it may fill. Returns whether there was something.
    ///
    /// # Safety
    ///
    /// By the engine that polls the pair.
    #[inline(always)]
    pub(crate) unsafe fn exchange(&self, stock: &mut Stock, burst: &mut Packets<Buffered>) -> bool {
        let idle = self.down.is_empty() && self.emptied.is_empty() && self.spare.len() >= SPARE;
        // SAFETY: By the safety requirement.
        !idle && unsafe { self.serve(stock, burst) }
    }

    /// See [`Store::exchange`].
    ///
    /// # Safety
    ///
    /// By the engine that polls the pair.
    #[inline(never)]
    unsafe fn serve(&self, stock: &mut Stock, burst: &mut Packets<Buffered>) -> bool {
        let mut stock = stock.open();
        // SAFETY: The one consumer, by the safety requirement.
        unsafe {
            self.emptied.pop_burst(RING as usize, |placed| {
                stock.give_from(placed.buf.into_id(), self.owner);
            })
        };
        // SAFETY: As above.
        let n = unsafe {
            self.down.pop_burst(crate::core_::frame::BURST, |placed| {
                stock.hand_back(&placed.buf, self.owner);
                let frame = stock.memory().frame(placed.buf, placed.place, placed.len);
                match frame.map(|frame| burst.push(frame)) {
                    Ok(Ok(())) => {}
                    Ok(Err(frame)) => stock.give(frame.into_buf()),
                    Err(buf) => stock.give(buf),
                }
            })
        };
        while self.spare.len() < SPARE {
            let Some(buf) = stock.take_for(self.owner) else {
                break;
            };
            // SAFETY: The one producer, by the safety requirement.
            if let Err(placed) = unsafe { self.spare.push(empty(buf)) } {
                stock.give_from(placed.buf.into_id(), self.owner);
                break;
            }
        }
        n > 0
    }

    /// Engine: whether the host has sent something, or waits for buffers.
    pub(crate) fn has_work(&self) -> bool {
        !self.down.is_empty() || self.spare.is_empty()
    }

    /// Host: whether it could send a frame now.
    pub(crate) fn has_room(&self) -> bool {
        !self.spare.is_empty() && self.down.len() < RING as usize
    }

    /// Host: sends a copy of `frame`. False when there is no buffer for it now.
    ///
    /// # Safety
    ///
    /// One caller at a time.
    pub(crate) unsafe fn send(&self, pool: &BufferPool, frame: &[u8]) -> Result<bool> {
        if frame.len() > FRAME {
            return Err(EMSGSIZE);
        }
        if !self.has_room() {
            return Ok(false);
        }
        let mut sent = false;
        // SAFETY: The one consumer of the one ring and the one producer of the
        // other, by the safety requirement.
        unsafe {
            self.spare.pop_burst(1, |placed| {
                // Neither can fail: size and room were looked at.
                if let Ok(frame) = pool.memory().copy(placed.buf, frame) {
                    sent = self.down.push(frame.into()).is_ok();
                }
            })
        };
        Ok(sent)
    }

    /// Host: takes up to `max` of what came up.
    ///
    /// # Safety
    ///
    /// One caller at a time.
    pub(crate) unsafe fn take(
        &self,
        pool: &BufferPool,
        max: usize,
        mut take: impl FnMut(&mut Buffered, Option<([u8; 4], u32)>),
    ) -> usize {
        // SAFETY: The one consumer of the one ring and the one producer of the
        // other, by the safety requirement.
        unsafe {
            self.up.pop_burst(max, |placed| {
                let marked = placed.marked;
                let buf = match pool.memory().frame(placed.buf, placed.place, placed.len) {
                    Ok(mut frame) => {
                        let target: Option<Target> = marked.then(|| frame.header());
                        let target = target.map(|[a, b, c, d, e, f, g, h]| {
                            ([a, b, c, d], u32::from_ne_bytes([e, f, g, h]))
                        });
                        take(&mut frame, target);
                        frame.into_buf()
                    }
                    Err(buf) => buf,
                };
                // Never full: it holds more than there are spares and what can
                // be under way.
                let _ = self.emptied.push(empty(buf));
            })
        }
    }

    /// Takes all buffers back.
    ///
    /// # Safety
    ///
    /// Nobody else is at the rings.
    pub(crate) unsafe fn stop(&self, stock: &mut Stock) {
        let mut stock = stock.open();
        for ring in [&self.up, &self.emptied, &self.down, &self.spare] {
            // SAFETY: By the safety requirement.
            while unsafe {
                ring.pop_burst(RING as usize, |placed| {
                    stock.give_from(placed.buf.into_id(), self.owner);
                })
            } > 0
            {}
        }
    }
}
