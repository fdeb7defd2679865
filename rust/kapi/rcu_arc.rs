// SPDX-License-Identifier: GPL-2.0

//! A shared reference that can be exchanged while others read through it.

use core::marker::PhantomData;
use core::ptr;
use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};
use kernel::sync::{rcu, Arc};

/// An optional `Arc` read under RCU.
///
/// # Invariants
///
/// `value` is null or holds one reference of an `Arc<T>`, which is given up
/// only after every RCU reader that could have loaded it has gone.
pub(crate) struct RcuArc<T: Send + Sync + 'static> {
    value: Atomic<*mut T>,
    _owns: PhantomData<Arc<T>>,
}

impl<T: Send + Sync + 'static> RcuArc<T> {
    /// Makes an empty one.
    pub(crate) fn empty() -> Self {
        // INVARIANT: Null.
        Self {
            value: Atomic::new(ptr::null_mut()),
            _owns: PhantomData,
        }
    }

    /// What it refers to, for as long as the RCU section lasts.
    #[inline(always)]
    pub(crate) fn read<'a>(&'a self, _guard: &'a rcu::Guard) -> Option<&'a T> {
        // SAFETY: By the type invariants the reference is held for longer than
        // this RCU section.
        unsafe { self.value.load(Acquire).as_ref() }
    }

    /// Exchanges the reference; changes are serialised by the caller's lock.
    /// Returns the old one when no reader can have it any more. Sleeps.
    pub(crate) fn replace(&self, new: Option<Arc<T>>) -> Option<Arc<T>> {
        let new = new.map_or(ptr::null_mut(), |arc| Arc::into_raw(arc).cast_mut());
        let old = self.value.load(Relaxed);
        self.value.store(new, Release);
        if old.is_null() {
            return None;
        }
        // SAFETY: Called from process context outside of RCU sections.
        unsafe { kernel::bindings::synchronize_rcu() };
        // SAFETY: `old` held a reference, and all readers have gone.
        Some(unsafe { Arc::from_raw(old) })
    }
}

impl<T: Send + Sync + 'static> Drop for RcuArc<T> {
    fn drop(&mut self) {
        drop(self.replace(None));
    }
}
