// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's side of a channel in user space, to test applications without the module: the same
//! code decides about rings and descriptors.
//!
//! ```
//! use smplb_ring::{mock::Kernel, Options};
//!
//! let (kernel, mut channel) = Kernel::new(&Options::default());
//! assert!(kernel.deliver(b"a frame of fourteen octets or more", 3));
//! let mut frames = Vec::new();
//! channel.rx_burst(&mut frames);
//! assert_eq!(frames[0].port(), 3);
//! channel.tx_burst(&mut frames);
//! assert_eq!(kernel.sent(), [(3, b"a frame of fourteen octets or more".to_vec())]);
//! ```

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::event::{eventfd, EventfdFlags};
use rustix::io::Errno;
use smplb_core::channel::bad::{Bad, Limits};
use smplb_core::channel::bells::{Bells, WORDS};
use smplb_core::channel::end::{Broken, End, Sent};
use smplb_core::channel::layout::Layout;
use smplb_core::channel::ledger::Bits;
use smplb_core::channel::shared::Shared;
use smplb_core::channel::uapi::{self, Stats};

use crate::channel::Parts;
use crate::device::Device;
use crate::frame::{HEADROOM, SIZE};
use crate::memory::{Memory, Words};
use crate::{Channel, Options};

/// Ports, as the module has them.
const PORTS: u16 = 64;

/// The kernel's side of a channel. It may be another thread's than the channel.
pub struct Kernel(Arc<Mock>);

/// What [`Kernel`] and its channel share.
pub(crate) struct Mock {
    memory: Arc<Memory>,
    bells: Arc<Memory>,
    state: Words,
    /// Readable when something was delivered.
    event: OwnedFd,
    inner: Mutex<Inner>,
}

/// What is true of all frames.
const LIMITS: Limits = Limits {
    size: SIZE as u16,
    headroom: HEADROOM,
    longest: SIZE as u16 - HEADROOM,
};

struct Inner {
    end: End<Words>,
    owned: Vec<u64>,
    buffers: u32,
    wants: Vec<uapi::Want>,
    stats: Stats,
    kicks: u64,
    open: bool,
}

impl Kernel {
    /// A kernel, and a channel to it, of which the CPU means nothing.
    ///
    /// # Panics
    ///
    /// When the module would not make such a channel.
    pub fn new(options: &Options) -> (Self, Channel) {
        let layout = Layout::new(options.ring_size).expect("a size that rings can have");
        let buffers = options.buffers;
        assert!((1..=layout.size()).contains(&buffers), "as many buffers");
        let rings = Words(Memory::allocate(layout.octets()));
        let list = Words(Memory::allocate(buffers as usize * 16));
        let mut inner = Inner {
            end: End::new(rings.clone(), list.clone(), layout).expect("rings"),
            owned: vec![0; Bits::words(buffers)],
            buffers,
            wants: Vec::new(),
            stats: Stats::default(),
            kicks: 0,
            open: true,
        };
        let mut owned = Bits::new(&mut inner.owned, buffers);
        for buffer in 0..buffers {
            inner.end.grant(&mut owned, buffer);
        }
        inner.end.flush();
        let mock = Arc::new(Mock {
            memory: Memory::allocate(buffers as usize * SIZE),
            bells: Memory::allocate(WORDS * 8),
            state: Words(Memory::allocate(8)),
            event: eventfd(0, EventfdFlags::NONBLOCK).expect("an eventfd"),
            inner: Mutex::new(inner),
        });
        let parts = Parts {
            device: Device::Mock(Arc::clone(&mock)),
            open: uapi::Open {
                buffer_size: SIZE as u32,
                headroom: HEADROOM.into(),
                longest: LIMITS.longest.into(),
                ..uapi::Open::default()
            },
            rings,
            list,
            bells: Arc::clone(&mock.bells),
            state: mock.state.clone(),
            memory: Arc::clone(&mock.memory),
        };
        let channel = Channel::assemble(parts, options).expect("rings");
        (Self(mock), channel)
    }

    /// A frame comes to a port that the application wants; false if there is no buffer for it.
    pub fn deliver(&self, frame: &[u8], port: u16) -> bool {
        let mut inner = self.0.inner();
        let inner = &mut *inner;
        let mut owned = Bits::new(&mut inner.owned, inner.buffers);
        if !inner.open {
            return false;
        }
        // One that is too long is dropped, too.
        let received = LIMITS.place(frame.len(), port);
        let mut frames = received.into_iter();
        let given = inner
            .end
            .deliver(1, 0, &mut owned, &mut frames, |received, buffer| {
                let at = buffer as usize * SIZE + usize::from(received.offset);
                // SAFETY: The buffer is the kernel's: the ledger says so.
                unsafe { self.0.memory.octets(at, frame.len()) }.copy_from_slice(frame);
                (buffer, received)
            });
        inner.open &= given.is_ok();
        inner.end.flush();
        let put = given.is_ok_and(|given| given.frames == 1);
        match put {
            true => inner.stats.rx_packets += 1,
            false => inner.stats.rx_dropped += 1,
        }
        if put {
            // It counts to 2^64.
            let _ = rustix::io::write(&self.0.event, &1u64.to_ne_bytes());
        }
        put
    }

    /// What the application has sent since this was asked, if its bell has rung: ports and frames.
    pub fn sent(&self) -> Vec<(u16, Vec<u8>)> {
        let mut sent = Vec::new();
        let bells = Bells::new(self.0.bells.atoms(WORDS)).expect("words");
        let mut rung = false;
        bells.answer(0, |_| rung = true);
        let mut inner = self.0.inner();
        let inner = &mut *inner;
        if !rung || !inner.open {
            return sent;
        }
        let mut owned = Bits::new(&mut inner.owned, inner.buffers);
        let done = inner
            .end
            .transmit(&LIMITS, u32::MAX, 0, &mut owned, |buffer, entry| {
                if entry.port >= PORTS {
                    return Sent::Refused(Bad::NoSuchPort, buffer);
                }
                let at = buffer as usize * SIZE + usize::from(entry.offset);
                // SAFETY: The entry was checked, and the buffer is not the application's any more.
                let frame = unsafe { self.0.memory.octets(at, entry.len.into()) };
                sent.push((entry.port, frame.to_vec()));
                Sent::For(buffer)
            });
        match done {
            Ok(count) => inner.stats.tx_packets += u64::from(count.sent),
            Err(Broken) => inner.open = false,
        }
        inner.end.flush();
        sent
    }

    /// The engine sleeps from now on, or is awake.
    pub fn set_asleep(&self, asleep: bool) {
        self.0.state.store32(uapi::STATE_ASLEEP, asleep.into());
    }

    /// How often the application has woken the engine.
    pub fn kicks(&self) -> u64 {
        self.0.inner().kicks
    }

    /// Whether the application has broken nothing.
    pub fn is_open(&self) -> bool {
        self.0.inner().open
    }
}

impl Mock {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("nobody has panicked with it")
    }

    pub(crate) fn want(&self, want: uapi::Want) -> Result<(), Errno> {
        let mut inner = self.inner();
        let wants = &mut inner.wants;
        if !wants.contains(&want) {
            wants.push(want);
        }
        Ok(())
    }

    pub(crate) fn unwant(&self, want: uapi::Want) -> Result<(), Errno> {
        let mut inner = self.inner();
        let wants = &mut inner.wants;
        let at = wants.iter().position(|other| *other == want);
        wants.remove(at.ok_or(Errno::NOENT)?);
        Ok(())
    }

    pub(crate) fn kick(&self) -> Result<(), Errno> {
        let mut inner = self.inner();
        inner.kicks += 1;
        match inner.open {
            true => Ok(()),
            false => Err(Errno::SHUTDOWN),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        let inner = self.inner();
        Stats {
            bad: *inner.end.conduct().counts(),
            ..inner.stats
        }
    }
}

impl AsFd for Mock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
