// SPDX-License-Identifier: GPL-2.0

//! Who looks after the NIC of a port, as the port knows it.

use core::mem::transmute;
use core::ptr::NonNull;
use kernel::new_mutex;
use kernel::prelude::*;
use kernel::sync::{Arc, Mutex};

use crate::channel::Channel;
use crate::port::lease::Lease;

/// What can be asked of who looks after a NIC. May sleep.
pub(super) trait Keep: Send + Sync {
    /// Gives an application a queue pair for itself. The NIC is reset for that.
    ///
    /// # Errors
    ///
    /// `EBUSY` while another application has one, `EAGAIN` while the NIC does not work, `EINVAL`
    /// if it has no such pair, `EOPNOTSUPP` if nobody can have one, `EIO` if it does not start
    /// again.
    fn lend(&self, pair: usize, to: Arc<Channel>) -> Result<Lease>;

    /// Takes what an application has back. The NIC is reset for that: it touches no buffer of the
    /// application afterwards.
    fn take_back(&self, from: &Channel);

    /// Tells an application that it has nothing any more: the NIC goes.
    fn revoke(&self);
}

/// The keeper of a port's NIC, while there is one. Who has something of the NIC has this instead of
/// the port, which goes with the NIC.
///
/// # Invariants
///
/// The pointer is valid while the lock is held.
#[pin_data]
pub(crate) struct Keeper {
    #[pin]
    keep: Mutex<Option<NonNull<dyn Keep>>>,
}

// SAFETY: What is pointed at may be used by any thread.
unsafe impl Send for Keeper {}
// SAFETY: As above.
unsafe impl Sync for Keeper {}

impl Keeper {
    /// None yet.
    pub(crate) fn new() -> Result<Arc<Self>> {
        // INVARIANT: There is no pointer.
        Arc::pin_init(
            pin_init!(Self {
                keep <- new_mutex!(None, "smplb_keeper"),
            }),
            GFP_KERNEL,
        )
    }

    /// Asks the keeper for something.
    fn ask<T>(&self, ask: impl FnOnce(&dyn Keep) -> T) -> Option<T> {
        let keep = self.keep.lock();
        // SAFETY: By the type invariants.
        (*keep).map(|keep| ask(unsafe { keep.as_ref() }))
    }

    /// See [`Keep::lend`]. `EOPNOTSUPP` if there is no keeper.
    pub(crate) fn lend(&self, pair: usize, to: Arc<Channel>) -> Result<Lease> {
        self.ask(|keep| keep.lend(pair, to)).ok_or(EOPNOTSUPP)?
    }

    /// See [`Keep::take_back`].
    pub(crate) fn take_back(&self, from: &Channel) {
        self.ask(|keep| keep.take_back(from));
    }

    /// Makes `keep` the keeper, until [`Keeper::clear`].
    ///
    /// # Safety
    ///
    /// `keep` and what it borrows are there until then.
    pub(super) unsafe fn set(&self, keep: &(dyn Keep + '_)) {
        // SAFETY: Only the lifetime is another one, which is kept to by the safety requirement.
        let keep: NonNull<dyn Keep> = unsafe { transmute(NonNull::from(keep)) };
        // INVARIANT: By the safety requirement, and as `clear` takes the lock.
        *self.keep.lock() = Some(keep);
    }

    /// There is no keeper any more; who has something of the NIC is told so.
    pub(super) fn clear(&self) {
        let mut keep = self.keep.lock();
        if let Some(keep) = keep.take() {
            // SAFETY: By the type invariants.
            unsafe { keep.as_ref() }.revoke();
        }
    }
}
