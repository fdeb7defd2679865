// SPDX-License-Identifier: GPL-2.0

//! Looking after a NIC that the module drives: its link, what it does when it has
//! failed, and when the machine sleeps.

use core::ptr::NonNull;
use kernel::bindings::{self, net_device};
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};

use super::cpu;
use super::ffi;
use super::keeper::Keep;
use super::power::Sleep;
use super::pseudo::Attached;
use super::worker::Tick;
use crate::channel::Channel;
use crate::core_::nic::backoff::Backoff;
use crate::port::io::Nic;
use crate::port::lease::Lease;
use crate::port::native::Health;
use crate::port::Port;

/// A device that can be reset, and brought back afterwards.
pub(crate) trait Revive: Send + Sync {
    /// Ends whatever the device does, and waits until it touches no memory any
    /// more.
    fn halt(&self) -> Result;

    /// Ends what the device does, for good. False if it may go on, and reach memory,
    /// some time: when it answers again. It is lost then.
    fn end(&self) -> bool;

    /// Resets the device, whatever state it is in, gives it rings anew, and starts
    /// it. Nobody is at the rings. When it fails, the device touches no memory.
    ///
    /// # Errors
    ///
    /// `ENODEV` when it is not on the bus.
    fn revive(&self, nic: &Nic) -> Result;
}

/// How it stands with a NIC.
struct State {
    /// It has failed, and the log says so.
    failed: bool,
    /// It could not be reset, and the log says so.
    lost: bool,
    /// The machine is going to sleep, or has not quite woken up.
    asleep: bool,
    backoff: Backoff,
    /// The application that has a queue pair, and the number of that.
    lent: Option<(usize, Arc<Channel>)>,
}

/// Looks after the NIC of a port.
///
/// # Invariants
///
/// `dev` is the registered interface of `port`.
#[pin_data]
pub(super) struct Watch<R> {
    dev: NonNull<net_device>,
    port: Arc<Port>,
    device: Arc<R>,
    #[pin]
    state: Mutex<State>,
}

// SAFETY: What is done with the interface may be done by any thread.
unsafe impl<R: Send + Sync> Send for Watch<R> {}
// SAFETY: As above.
unsafe impl<R: Send + Sync> Sync for Watch<R> {}

impl<R: Revive> Watch<R> {
    /// Of a NIC that works.
    ///
    /// # Safety
    ///
    /// It is dropped before `attached`.
    pub(super) unsafe fn new(attached: &Attached, device: Arc<R>) -> Result<Arc<Self>> {
        let state = State {
            failed: false,
            lost: false,
            asleep: false,
            backoff: Backoff::new(),
            lent: None,
        };
        // INVARIANT: By those of `Attached`, which goes later.
        Arc::pin_init(
            pin_init!(Self {
                dev: attached.dev,
                port: attached.port.clone(),
                device,
                state <- new_mutex!(state, "smplb_watch"),
            }),
            GFP_KERNEL,
        )
    }

    /// Tells the NIC what the host wants to receive and the host of the link, and
    /// brings back a NIC that works no more; whether there is a link.
    pub(super) fn look(&self) -> bool {
        let mut state = self.state.lock();
        let Some(nic) = self.port.io().native() else {
            return false;
        };
        if state.asleep {
            return false;
        }
        // SAFETY: Registered by the type invariants.
        nic.tend(unsafe { ffi::smplb_c_native_promisc(self.dev.as_ptr()) });
        match nic.look() {
            Health::Link(up) => self.carrier(up),
            Health::Failed(how) => {
                self.carrier(false);
                if !core::mem::replace(&mut state.failed, true) {
                    self.tell(how, 0);
                }
                let due = state.backoff.due(cpu::nanoseconds() / 1_000_000);
                due && self.revive(nic, &mut state)
            }
        }
    }

    /// Tries to bring the NIC back; whether it has a link. An application that has a
    /// queue pair loses it: it would not know of the new rings.
    fn revive(&self, nic: &Nic, state: &mut State) -> bool {
        self.close(nic);
        Self::revoke(nic, state);
        if let Err(e) = self.device.revive(nic) {
            state.failed = true;
            if !core::mem::replace(&mut state.lost, true) {
                let what = match e {
                    ENODEV => c"is not on the bus any more",
                    _ => c"could not be reset, which is tried again now and then",
                };
                self.tell(what, e.to_errno());
            }
            return false;
        }
        state.lost = false;
        if core::mem::replace(&mut state.failed, false) {
            self.port.count_reset();
            self.tell(c"was reset and works again", 1);
        }
        nic.open();
        // It sleeps as for a NIC of which nothing comes.
        (0..self.port.parts()).for_each(|part| self.port.kick(part));
        match nic.look() {
            Health::Link(up) => self.carrier(up),
            Health::Failed(_) => false,
        }
    }

    /// What an application has is not its any more. Nobody is at the rings, until there are others.
    fn revoke(nic: &Nic, state: &mut State) {
        if let Some((pair, channel)) = state.lent.take() {
            channel.revoke();
            // It was there before.
            let _ = nic.set_lent(pair, false);
        }
    }

    /// Keeps everybody away from the rings.
    fn close(&self, nic: &Nic) {
        nic.close();
        // Who has looked before that has gone: rings are used under RCU.
        // SAFETY: In process context, outside of RCU sections.
        unsafe { bindings::synchronize_rcu() };
    }

    fn carrier(&self, up: bool) -> bool {
        // SAFETY: Registered by the type invariants.
        unsafe { ffi::smplb_c_native_carrier(self.dev.as_ptr(), up) };
        up
    }

    /// Says in the log what the NIC does: an error, or 1 for good news.
    fn tell(&self, what: &CStr, code: i32) {
        // SAFETY: As above; the text is a string.
        unsafe { ffi::smplb_c_native_tell(self.dev.as_ptr(), what.as_char_ptr(), code) };
    }
}

impl<R: Revive> Keep for Watch<R> {
    fn lend(&self, pair: usize, to: Arc<Channel>) -> Result<Lease> {
        let mut state = self.state.lock();
        let nic = self.port.io().native().ok_or(EOPNOTSUPP)?;
        if state.asleep || state.failed {
            return Err(EAGAIN);
        }
        if state.lent.is_some() {
            return Err(EBUSY);
        }
        nic.set_lent(pair, true)?;
        self.revive(nic, &mut state);
        let lease = match state.failed {
            false => nic.lease(pair),
            true => Err(EIO),
        };
        match &lease {
            Ok(_) => state.lent = Some((pair, to)),
            Err(_) => {
                let _ = nic.set_lent(pair, false);
                self.revive(nic, &mut state);
            }
        }
        lease
    }

    fn take_back(&self, from: &Channel) {
        let mut state = self.state.lock();
        let its = |(_, channel): &(usize, Arc<Channel>)| core::ptr::eq(&**channel, from);
        if !state.lent.as_ref().is_some_and(its) {
            return;
        }
        match self.port.io().native() {
            Some(nic) if !state.asleep => {
                self.revive(nic, &mut state);
            }
            Some(nic) => Self::revoke(nic, &mut state),
            None => {}
        }
    }

    fn revoke(&self) {
        let mut state = self.state.lock();
        // The pair stays lent: the NIC still has what the application has told it.
        if let Some((_, channel)) = state.lent.take() {
            channel.revoke();
        }
    }
}

impl<R: Revive> Tick for Watch<R> {
    fn tick(&self) {
        self.look();
    }
}

impl<R: Revive> Sleep for Watch<R> {
    fn fall_asleep(&self) {
        let mut state = self.state.lock();
        state.asleep = true;
        if let Some(nic) = self.port.io().native() {
            self.carrier(false);
            self.close(nic);
            // What does not reset now may do so later.
            let _ = self.device.halt();
        }
    }

    fn wake_up(&self) {
        let mut state = self.state.lock();
        if core::mem::replace(&mut state.asleep, false) {
            if let Some(nic) = self.port.io().native() {
                self.revive(nic, &mut state);
            }
        }
    }
}
