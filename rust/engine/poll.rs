// SPDX-License-Identifier: GPL-2.0

//! The poll loop (seed figure 5).

use super::idle::Idle;
use super::pace::Pace;
use super::{add, burst, serve, Change, Engine, Hands, Polled};
use crate::kapi::kthread::{self, Main};
use crate::kapi::pool::Stock;
use crate::switch::{Local, Switch};
use kernel::prelude::*;
use kernel::processor::cpu_relax;
use kernel::sync::atomic::{Acquire, Relaxed};
use kernel::sync::Arc;

/// What an engine keeps for one switch whose ports it polls.
struct Tenant {
    switch: Arc<Switch>,
    local: KBox<Local>,
    polled: KVec<Polled>,
}

/// The engine's thread.
struct Poller<'a> {
    engine: &'a Engine,
    tenants: KVec<Tenant>,
    /// Free buffers, once there has been use for them.
    stock: Option<Stock>,
}

impl Main for Engine {
    /// Step 100: the start-up tasks are the attach requests. Then the first
    /// processing loop until the module goes.
    fn main(&self) {
        let mut poller = Poller {
            engine: self,
            tenants: KVec::new(),
            stock: None,
        };
        let spin = if self.shared {
            0
        } else {
            crate::spin_nanoseconds()
        };
        let mut idle = Idle::new(spin);
        let mut pace = Pace::new();
        let mut last_quiescent = 0;

        while !kthread::should_stop() {
            if self.pending.load(Acquire) != 0 {
                poller.make_changes();
            }
            add(&self.counters.rounds, 1);
            let busy = poller.round();
            pace.round(busy, &self.counters);
            if busy {
                idle.busy();
            } else {
                add(&self.counters.idle_rounds, 1);
                if idle.empty() {
                    poller.sleep();
                    idle.busy();
                    pace.slept();
                } else {
                    cpu_relax();
                }
            }
            kthread::relax(&mut last_quiescent);
        }
        poller.make_changes();
    }
}

impl Poller<'_> {
    /// Steps 102 to 112 for every part in turn; whether any had packets.
    fn round(&mut self) -> bool {
        let mut bursts = 0;
        for tenant in self.tenants.iter_mut() {
            let mut hands = Hands::new(&mut tenant.local, &mut self.stock, self.engine.cpu);
            for polled in tenant.polled.iter() {
                bursts += match polled {
                    Polled::Part(port, part) => {
                        burst::poll(&tenant.switch, &mut hands, port, *part)
                    }
                    Polled::Desk(desk) => serve::poll(&tenant.switch, &mut hands, desk),
                };
            }
        }
        add(&self.engine.counters.bursts, bursts);
        bursts != 0
    }

    /// Sleeps until a producer or a request comes: arm, look again, sleep.
    fn sleep(&self) {
        self.engine.armed.store(1, Relaxed);
        // Preparing to sleep is a full barrier: it pairs with `Engine::kick`.
        let slept = kthread::sleep_unless(|| {
            self.engine.pending.load(Acquire) != 0 || !self.polled().all(Polled::arm)
        });
        self.engine.armed.store(0, Relaxed);
        self.polled().for_each(Polled::disarm);
        add(&self.engine.counters.sleeps, slept.into());
    }

    fn polled(&self) -> impl Iterator<Item = &Polled> {
        self.tenants.iter().flat_map(|tenant| tenant.polled.iter())
    }

    /// Begins and ends polling as requested.
    fn make_changes(&mut self) {
        self.engine.pending.store(0, Relaxed);
        loop {
            // Taken one by one: the inbox keeps the room that is reserved in it.
            let Some(request) = self.engine.inbox.lock().pop() else {
                break;
            };
            match request.change {
                Change::Attach(polled, local) => {
                    if self.attach(polled, local).is_err() {
                        request.reply.failed.store(1, Relaxed);
                    }
                }
                Change::Detach(polled) => {
                    self.detach(&polled);
                    // Who waits for the reply takes the port apart.
                    drop(polled);
                }
            }
            request.reply.done.complete_all();
        }
        if self.stock.as_ref().is_some_and(|s| s.pool().is_retired()) {
            self.stock = None;
        }
    }

    fn attach(&mut self, new: Polled, local: KBox<Local>) -> Result {
        let switch = new.switch().clone();
        let found = self
            .tenants
            .iter_mut()
            .find(|t| Arc::ptr_eq(&t.switch, &switch));
        if let Some(tenant) = found {
            return Ok(tenant.polled.push(new, GFP_KERNEL)?);
        }
        self.tenants.reserve(1, GFP_KERNEL)?;
        let mut polled = KVec::new();
        polled.push(new, GFP_KERNEL)?;
        Ok(self.tenants.push(
            Tenant {
                switch,
                local,
                polled,
            },
            GFP_KERNEL,
        )?)
    }

    fn detach(&mut self, polled: &Polled) {
        for tenant in self.tenants.iter_mut() {
            tenant.polled.retain(|other| !other.is(polled));
            if tenant.polled.is_empty() {
                tenant.switch.retire(&mut tenant.local);
            }
        }
        self.tenants.retain(|t| !t.polled.is_empty());
        // Free buffers go back to the pool, which may be about to go.
        self.stock = None;
    }
}
