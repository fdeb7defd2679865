// SPDX-License-Identifier: GPL-2.0

//! Who polls something: a part of a port, or the channels of a desk.
#![forbid(unsafe_code)]

use super::{Engine, Reply};
use crate::kapi::rcu_arc::RcuArc;
use kernel::prelude::*;
use kernel::sync::atomic::{Atomic, Relaxed};
use kernel::sync::{new_mutex, rcu, Arc, Mutex};

/// The place of an engine at what it polls.
#[pin_data]
pub(crate) struct Seat {
    /// Whom producers wake.
    engine: RcuArc<Engine>,
    /// The reply to the request that will end the polling.
    #[pin]
    detach: Mutex<Option<Arc<Reply>>>,
    cpu: Atomic<u32>,
}

impl Seat {
    /// Nobody is there yet.
    pub(crate) fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            engine: RcuArc::empty(),
            detach <- new_mutex!(None, "smplb_seat_detach"),
            cpu: Atomic::new(u32::MAX),
        })
    }

    /// The CPU of the engine that polls, or did last.
    pub(crate) fn cpu(&self) -> u32 {
        self.cpu.load(Relaxed)
    }

    /// Whether an engine is there.
    pub(crate) fn is_taken(&self) -> bool {
        let guard = rcu::read_lock();
        self.engine.read(&guard).is_some()
    }

    /// Wakes the engine when that sleeps; by a producer after publishing.
    #[inline]
    pub(crate) fn kick(&self) {
        let guard = rcu::read_lock();
        if let Some(engine) = self.engine.read(&guard) {
            engine.kick();
        }
    }

    /// Changes whom producers wake. Returns the engine before, with the reply for
    /// the request that ends its polling. Changes are serialised by the engine
    /// registry.
    pub(crate) fn set_engine(
        &self,
        new: Option<(Arc<Engine>, Arc<Reply>)>,
    ) -> Option<(Arc<Engine>, Arc<Reply>)> {
        let (engine, reply) = match new {
            Some((engine, reply)) => {
                self.cpu.store(engine.cpu(), Relaxed);
                (Some(engine), Some(reply))
            }
            None => (None, None),
        };
        let old_reply = core::mem::replace(&mut *self.detach.lock(), reply);
        Some((self.engine.replace(engine)?, old_reply?))
    }
}
