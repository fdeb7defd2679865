// SPDX-License-Identifier: GPL-2.0

//! Engines: one thread per switching CPU that polls its ports in turn, or queue
//! pairs of them (seed figure 5).

mod burst;
mod hands;
mod hotplug;
mod idle;
mod native;
mod netdev;
mod out;
mod pace;
mod poll;
mod polled;
mod registry;
mod seat;
mod serve;

use crate::kapi::cpu::{self, Interrupts};
use crate::kapi::kthread::Waker;
use crate::switch::Local;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Full, Relaxed, Release};
use kernel::sync::barrier::smp_mb;
use kernel::sync::{new_mutex, Arc, Completion, Mutex, SetOnce};

use hands::Hands;

pub(crate) use hotplug::{comes_online, goes_offline, set_asleep};
pub(crate) use polled::Polled;
pub(crate) use registry::{
    choose, for_each, move_port, place, place_desk, remove, remove_desk, tidy_all, Info, Registry,
};
pub(crate) use seat::Seat;

/// Counters of an engine; written by its thread alone.
pub(crate) struct Counters {
    /// Turns over all ports.
    pub(crate) rounds: Atomic<u64>,
    /// Turns that found nothing.
    pub(crate) idle_rounds: Atomic<u64>,
    /// Times the thread slept.
    pub(crate) sleeps: Atomic<u64>,
    /// Bursts switched.
    pub(crate) bursts: Atomic<u64>,
    /// Nanoseconds of turns that found something.
    pub(crate) busy_time: Atomic<u64>,
    /// The most nanoseconds from one turn to the next without sleep.
    pub(crate) longest_gap: Atomic<u64>,
}

/// What there was when an engine started, to tell what came since.
pub(crate) struct Start {
    nanoseconds: u64,
    interrupts: Interrupts,
}

/// Adds to a counter that only the current thread writes.
#[inline(always)]
fn add(counter: &Atomic<u64>, n: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(n), Relaxed);
}

/// A change of what an engine polls.
enum Change {
    /// Begin to poll, with state for the port's switch.
    Attach(Polled, KBox<Local>),
    /// Stop polling; the engine holds nothing of the port afterwards.
    Detach(Polled),
}

/// How a change went, and who waits for it. Allocated before the change is
/// asked for, so that ending the polling of a port cannot fail.
#[pin_data]
pub(crate) struct Reply {
    #[pin]
    done: Completion,
    /// Non-zero when the engine had no memory for the change.
    failed: Atomic<u32>,
}

impl Reply {
    fn new() -> Result<Arc<Self>> {
        Arc::pin_init(
            pin_init!(Self {
                done <- Completion::new(),
                failed: Atomic::new(0),
            }),
            GFP_KERNEL,
        )
    }
}

/// A change and its reply.
struct Request {
    change: Change,
    reply: Arc<Reply>,
}

/// The part of an engine that others see.
#[pin_data]
pub(crate) struct Engine {
    cpu: u32,
    /// The CPU also does other work: never spin, sleep when the rings are empty.
    shared: bool,
    /// Non-zero while the thread sleeps or is about to: producers must wake it.
    armed: Atomic<u32>,
    /// Non-zero when `inbox` is not empty.
    pending: Atomic<u32>,
    #[pin]
    inbox: Mutex<KVec<Request>>,
    counters: Counters,
    start: Start,
    waker: SetOnce<Waker>,
}

impl Engine {
    fn new(cpu: u32, shared: bool) -> Result<Arc<Self>> {
        let start = Start {
            nanoseconds: cpu::nanoseconds(),
            interrupts: Interrupts::of(cpu),
        };
        Arc::pin_init(
            pin_init!(Self {
                cpu,
                shared,
                armed: Atomic::new(0),
                pending: Atomic::new(0),
                inbox <- new_mutex!(KVec::new(), "smplb_engine_inbox"),
                counters: Counters {
                    rounds: Atomic::new(0),
                    idle_rounds: Atomic::new(0),
                    sleeps: Atomic::new(0),
                    bursts: Atomic::new(0),
                    busy_time: Atomic::new(0),
                    longest_gap: Atomic::new(0),
                },
                start,
                waker: SetOnce::new(),
            }),
            GFP_KERNEL,
        )
    }

    /// The switching CPU.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu
    }

    /// What the thread has counted.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Nanoseconds since it started.
    pub(crate) fn age(&self) -> u64 {
        cpu::nanoseconds().saturating_sub(self.start.nanoseconds)
    }

    /// Interrupts of devices and ticks on its CPU since it started.
    pub(crate) fn interrupts(&self) -> (u64, Option<u32>) {
        let now = Interrupts::of(self.cpu);
        let start = &self.start.interrupts;
        (now.devices_since(start), now.ticks_since(start))
    }

    /// Tells the engine that a ring of one of its ports is no longer empty. By
    /// a producer, after it has published what is on the ring.
    #[inline]
    pub(crate) fn kick(&self) {
        // Pairs with the barrier of going to sleep: either this sees the engine
        // armed, or the engine sees the ring.
        smp_mb(Full);
        if self.armed.load(Relaxed) != 0 {
            self.wake();
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.as_ref() {
            waker.wake();
        }
    }

    /// Has the thread give back what is of no use any more.
    fn tidy(&self) {
        self.pending.store(1, Release);
        self.wake();
    }

    /// Makes sure that `n` requests fit in the inbox without memory.
    fn reserve(&self, n: usize) -> Result {
        Ok(self.inbox.lock().reserve(n, GFP_KERNEL)?)
    }

    /// Has the thread make a change and waits until it has. Room for the request
    /// has been reserved.
    fn request(&self, change: Change, reply: Arc<Reply>) -> Result {
        self.inbox.lock().push(
            Request {
                change,
                reply: reply.clone(),
            },
            GFP_KERNEL,
        )?;
        self.pending.store(1, Release);
        self.wake();
        reply.done.wait_for_completion();
        match reply.failed.load(Relaxed) {
            0 => Ok(()),
            _ => Err(ENOMEM),
        }
    }
}
