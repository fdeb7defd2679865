// SPDX-License-Identifier: MIT OR Apache-2.0

mod burst;

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::Arc;

use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::netdevice::name_to_index;
use rustix::net::{socket, AddressFamily, SocketType};
use smplb_core::channel::layout::{Layout, Ring};
use smplb_core::channel::shared::{Shared, Word};
use smplb_core::channel::uapi::{self, Stats};
use smplb_core::ring::{Consumer, Producer};

use crate::device::Device;
use crate::frame::{Frame, Pool};
use crate::memory::{Memory, Words};
use crate::pair::Pair;
use crate::{Error, Port, Want};

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

    /// A queue pair of a port's NIC, by the name of its pseudo interface, for this application alone:
    /// what the NIC puts there nobody else sees. Once for a channel, which has to be trusted.
    pub fn pair(&mut self, name: &str, pair: u16) -> Result<Pair, Error> {
        let failed = |source| Error::Pair {
            name: name.to_owned(),
            source,
        };
        let mut asked = uapi::Pair {
            ifindex: ifindex(name).map_err(failed)?,
            pair,
            ..uapi::Pair::default()
        };
        self.device.pair(&mut asked).map_err(failed)?;
        self.complete();
        Pair::new(&self.device, &asked, Rc::clone(&self.pool))
    }

    /// Whether the kernel has not closed it: the network namespace is there, and so is the NIC that
    /// the application has a pair of.
    pub fn is_open(&self) -> bool {
        let mut wanted = [PollFd::new(self, PollFlags::empty())];
        // What cannot be asked for has not been closed.
        poll(&mut wanted, Some(&Timespec::default())).is_err()
            || !wanted[0].revents().contains(PollFlags::HUP)
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
        if self.pool.free.borrow().is_empty() {
            self.complete();
        }
        Frame::take(&self.pool, len, 0)
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
