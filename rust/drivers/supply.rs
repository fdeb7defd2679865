// SPDX-License-Identifier: GPL-2.0

//! The one pool: there while a native port is, or an application that shares it.

use crate::engine;
use crate::kapi::pool::BufferPool;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The pool, and how many ports and applications use it.
struct Held {
    pool: Option<Arc<BufferPool>>,
    users: usize,
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module's `init` before anything uses it.
    unsafe(uninit) static SUPPLY: Mutex<Held> = Held { pool: None, users: 0 };
}

/// The supply while the module is loaded.
pub(crate) struct Global(());

impl Global {
    /// Without a pool yet.
    ///
    /// # Safety
    ///
    /// Called once, before anything else of this file.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: By the safety requirement.
        unsafe { SUPPLY.init() };
        Self(())
    }
}

/// A share in the pool; when the last one goes, so does the pool. Dropped where it may sleep.
pub(crate) struct Share(Arc<BufferPool>);

impl Share {
    /// For one more port.
    pub(crate) fn new() -> Result<Self> {
        let mut held = SUPPLY.lock();
        let pool = match &held.pool {
            Some(pool) => pool.clone(),
            None => BufferPool::new(crate::buffers() as usize)?,
        };
        held.pool = Some(pool.clone());
        held.users += 1;
        Ok(Self(pool))
    }

    /// For an application; `None` if there is no pool.
    pub(crate) fn join() -> Option<Self> {
        let mut held = SUPPLY.lock();
        let pool = held.pool.clone()?;
        held.users += 1;
        Some(Self(pool))
    }

    /// The pool.
    pub(crate) fn pool(&self) -> &Arc<BufferPool> {
        &self.0
    }
}

/// The pool, if a port uses it now.
pub(crate) fn pool() -> Option<Arc<BufferPool>> {
    SUPPLY.lock().pool.clone()
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = SUPPLY.lock();
        held.users = held.users.saturating_sub(1);
        if held.users > 0 {
            return;
        }
        held.pool = None;
        drop(held);
        // Engines of ports with other drivers have buffers of it, if they have sent by a
        // native port.
        self.0.retire();
        engine::tidy_all();
    }
}
