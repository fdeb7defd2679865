// SPDX-License-Identifier: MIT OR Apache-2.0

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::atomic::{fence, Ordering};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{socket, AddressFamily, SocketType};
use smplb_core::channel::bells::{Bells, WORDS};
use smplb_core::channel::entry::{Entry, Owner, REFUSED};
use smplb_core::channel::layout::{Layout, Ring};
use smplb_core::channel::shared::{Shared, Word};
use smplb_core::channel::uapi::{self, Stats};
use smplb_core::ring::{Consumer, Producer};

use crate::device::Device;
use crate::frame::{Frame, Pool};
use crate::memory::{Memory, Words};
use crate::{Error, Port, Want};

/// Most frames of one burst.
const BURST: u32 = 64;

/// What a channel is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Elements of each ring: a power of two, 32 to 32768.
    pub ring_size: u32,
    /// Buffers: no more than elements of a ring.
    pub buffers: u32,
    /// Buffers that wait for frames to be received; the others are for sending.
    pub receive: u32,
    /// The CPU of the engine that is to serve the channel.
    pub cpu: Option<u32>,
    /// Share the buffers of the switch, so that nothing is copied. For root and the group of
    /// `/dev/smplb`: the application could read and write all that is switched.
    pub trusted: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            ring_size: 1024,
            buffers: 1024,
            receive: 512,
            cpu: None,
            trusted: false,
        }
    }
}

/// What a channel is made of: what the kernel has told, and what is shared.
pub(crate) struct Parts {
    pub(crate) device: Device,
    pub(crate) open: uapi::Open,
    pub(crate) rings: Words,
    pub(crate) list: Words,
    pub(crate) bells: Arc<Memory>,
    pub(crate) state: Words,
    pub(crate) memory: Arc<Memory>,
}

/// A channel: rings that are shared with an engine, and buffers.
pub struct Channel {
    device: Device,
    list: Words,
    rings: Words,
    bells: Arc<Memory>,
    state: Words,
    pool: Rc<Pool>,
    layout: Layout,
    fill: Producer<Word<Words>, Word<Words>>,
    receive: Consumer<Word<Words>, Word<Words>>,
    transmit: Producer<Word<Words>, Word<Words>>,
    completion: Consumer<Word<Words>, Word<Words>>,
    bell: u16,
    /// Buffers on the fill ring and in the kernel's hands for receiving, and how many there are to
    /// be.
    waiting: u32,
    wanted: u32,
    refused: u64,
    /// What was asked for.
    wants: RefCell<Vec<Want>>,
}

impl Channel {
    /// Opens a channel of this network namespace's switch.
    pub fn open(options: &Options) -> Result<Self, Error> {
        let device = Device::open().map_err(Error::Node)?;
        let mut open = uapi::Open {
            version: uapi::VERSION,
            flags: if options.trusted { uapi::TRUSTED } else { 0 },
            ring_size: options.ring_size,
            buffers: options.buffers,
            cpu: options.cpu.unwrap_or(uapi::ANY_CPU),
            ..uapi::Open::default()
        };
        device.make(&mut open).map_err(Error::Make)?;
        let map = |part, writable| Memory::map(&device, part, writable).map_err(Error::Map);
        let parts = Parts {
            rings: Words(map(open.rings, true)?),
            list: Words(map(open.list, true)?),
            bells: map(open.bells, true)?,
            state: Words(map(open.state, false)?),
            memory: map(open.memory, true)?,
            device,
            open,
        };
        Self::assemble(parts, options)
    }

    /// The application's ends of what is shared.
    pub(crate) fn assemble(parts: Parts, options: &Options) -> Result<Self, Error> {
        let Parts {
            device,
            open,
            rings,
            list,
            bells,
            state,
            memory,
        } = parts;
        let layout = Layout::new(options.ring_size).ok_or(Error::Make(Errno::INVAL))?;
        let counters = |ring| layout.places(ring).counters(&rings);
        let produce = |ring| {
            let (producer, consumer) = counters(ring);
            Producer::new(producer, consumer, layout.size()).ok_or(Error::Closed)
        };
        let consume = |ring| {
            let (producer, consumer) = counters(ring);
            Consumer::new(producer, consumer, layout.size()).ok_or(Error::Closed)
        };
        let pool = Pool {
            memory,
            size: open.buffer_size as usize,
            headroom: open.headroom as u16,
            longest: open.longest as u16,
            free: RefCell::new(Vec::with_capacity(options.buffers as usize)),
        };
        let mut channel = Self {
            fill: produce(Ring::Fill)?,
            receive: consume(Ring::Receive)?,
            transmit: produce(Ring::Transmit)?,
            completion: consume(Ring::Completion)?,
            list,
            rings,
            bells,
            state,
            pool: Rc::new(pool),
            layout,
            bell: open.bell as u16,
            waiting: 0,
            wanted: options.receive.min(options.buffers),
            refused: 0,
            wants: RefCell::new(Vec::new()),
            device,
        };
        channel.complete();
        channel.refill();
        Ok(channel)
    }

    /// A port of the switch, by the name of its pseudo interface.
    pub fn port(&self, name: &str) -> Result<Port, Error> {
        let failed = |source| Error::Port {
            name: name.to_owned(),
            source,
        };
        let mut port = uapi::Port {
            ifindex: ifindex(name).map_err(failed)?,
            ..uapi::Port::default()
        };
        self.device.port(&mut port).map_err(failed)?;
        Ok(Port {
            number: port.port,
            ifindex: port.ifindex,
            mtu: port.mtu,
            mac: port.mac,
        })
    }

    /// Asks for traffic.
    pub fn want(&self, want: Want) -> Result<(), Error> {
        self.device.want(want.asked()).map_err(Error::Want)?;
        self.wants.borrow_mut().push(want);
        Ok(())
    }

    /// Does so no more.
    pub fn unwant(&self, want: Want) -> Result<(), Error> {
        self.wants.borrow_mut().retain(|other| *other != want);
        self.device.unwant(want.asked()).map_err(Error::Want)
    }

    /// What the kernel has counted.
    pub fn stats(&self) -> Result<Stats, Error> {
        Ok(self.device.stats()?)
    }

    /// The CPU of the engine that serves the channel.
    pub fn cpu(&self) -> u32 {
        self.state.load32(uapi::STATE_CPU)
    }

    /// Frames that the kernel has refused to send: to a port that is not there, say.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Octets of the longest frame.
    pub fn longest(&self) -> usize {
        self.pool.longest.into()
    }

    /// A free buffer for a frame of `len` octets, which have any value; `None` if there is none, or
    /// it is too small.
    pub fn alloc(&mut self, len: usize) -> Option<Frame> {
        if len > self.longest() {
            return None;
        }
        if self.pool.free.borrow().is_empty() {
            self.complete();
        }
        let buffer = self.pool.free.borrow_mut().pop()?;
        let place = (self.pool.headroom, len as u16);
        // SAFETY: It was free, and is not any more; such a frame fits in.
        Some(unsafe { Frame::new(&self.pool, buffer, place, 0) })
    }

    /// Appends the frames that have come to `frames`, 64 at most, and returns how many (figure 13,
    /// steps 340 to 348).
    pub fn rx_burst(&mut self, frames: &mut Vec<Frame>) -> usize {
        // A kernel that breaks its rings has closed the channel: nothing comes any more.
        let Ok(span) = self.receive.available(BURST) else {
            return 0;
        };
        let elements = self.layout.places(Ring::Receive).elements;
        let count = span.len();
        for position in span.positions() {
            let buffer = self.rings.load32(elements + position);
            let entry = Entry::load(&self.list, buffer);
            let place = (entry.offset, entry.len);
            // SAFETY: The kernel gives each buffer once, and says where the frame is.
            frames.push(unsafe { Frame::new(&self.pool, buffer, place, entry.port) });
        }
        if count > 0 {
            self.receive.release(count);
            self.waiting = self.waiting.saturating_sub(count);
        }
        self.refill();
        count as usize
    }

    /// Sends frames from the front of `frames`, as many as there is room for, and takes them out;
    /// returns how many (figure 12, steps 320 to 324). One of another channel is sent as a copy.
    pub fn tx_burst(&mut self, frames: &mut Vec<Frame>) -> usize {
        self.complete();
        let ours = |frame: &Frame| frame.is_of(&self.pool);
        let most = match frames.iter().position(|frame| !ours(frame)) {
            Some(0) => match self.adopt(&frames[0]) {
                Some(copy) => {
                    frames[0] = copy;
                    1
                }
                None => return 0,
            },
            Some(first) => first,
            None => frames.len(),
        };
        let most = most.min(self.layout.size() as usize) as u32;
        let Ok(span) = self.transmit.reserve(most) else {
            return 0;
        };
        let elements = self.layout.places(Ring::Transmit).elements;
        let count = span.len();
        for (position, frame) in span.positions().zip(frames.drain(..count as usize)) {
            let (buffer, offset, len, port) = frame.into_parts();
            let entry = Entry {
                buffer,
                offset,
                len,
                owner: Owner::Nic as u16,
                port,
                ..Entry::default()
            };
            entry.store(&self.list, buffer);
            self.rings.store32(elements + position, buffer);
        }
        if count > 0 {
            self.transmit.publish(count);
            self.ring();
        }
        count as usize
    }

    /// A copy of a frame of another channel.
    fn adopt(&mut self, frame: &Frame) -> Option<Frame> {
        let mut copy = self.alloc(frame.len())?;
        copy.as_mut().copy_from_slice(frame.as_ref());
        copy.set_port(frame.port());
        Some(copy)
    }

    /// Takes back the buffers of frames that were sent.
    fn complete(&mut self) {
        let Ok(span) = self.completion.available(self.layout.size()) else {
            return;
        };
        let elements = self.layout.places(Ring::Completion).elements;
        let mut free = self.pool.free.borrow_mut();
        for position in span.positions() {
            let buffer = self.rings.load32(elements + position);
            let entry = Entry::load(&self.list, buffer);
            self.refused += u64::from(entry.flags & REFUSED);
            free.push(buffer);
        }
        if !span.is_empty() {
            self.completion.release(span.len());
        }
    }

    /// Has as many buffers wait for frames as there are to be.
    fn refill(&mut self) {
        let missing = self.wanted.saturating_sub(self.waiting);
        // Not for each one.
        if missing < BURST.min(self.wanted / 2 + 1) {
            return;
        }
        if (self.pool.free.borrow().len() as u32) < missing {
            self.complete();
        }
        let mut free = self.pool.free.borrow_mut();
        let Ok(span) = self.fill.reserve(missing.min(free.len() as u32)) else {
            return;
        };
        let elements = self.layout.places(Ring::Fill).elements;
        let count = span.len();
        for (position, buffer) in span.positions().zip(free.drain(..count as usize)) {
            self.rings.store32(elements + position, buffer);
        }
        if count > 0 {
            self.fill.publish(count);
            self.waiting += count;
        }
    }

    /// Rings, and wakes the engine if it sleeps: the one system call there is.
    fn ring(&self) {
        if let Some(bells) = Bells::new(self.bells.atoms(WORDS)) {
            bells.ring(self.bell);
        }
        // Either this sees that the engine goes to sleep, or that sees the ring.
        fence(Ordering::SeqCst);
        if self.state.load32(uapi::STATE_ASLEEP) != 0 {
            // A channel that is closed sends nothing.
            let _ = self.device.kick();
        }
    }
}

/// Frames may live on, and the file with them: nothing is received any more.
impl Drop for Channel {
    fn drop(&mut self) {
        for want in self.wants.take() {
            // One that has gone with its port.
            let _ = self.device.unwant(want.asked());
        }
    }
}

/// For `poll(2)`: readable when a frame has come, hung up when the channel is closed.
impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

/// The index of an interface.
fn ifindex(name: &str) -> Result<u32, Errno> {
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    name_to_index(&socket, name)
}
