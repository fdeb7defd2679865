// SPDX-License-Identifier: GPL-2.0

//! NICs that the module drives, while they are claimed: the order in which they go,
//! and who looks after them.

use kernel::device::{Bound, Device};
use kernel::prelude::*;
use kernel::sync::Arc;

use super::keeper::Keeper;
use super::pool::Stock;
use super::power::Sleeper;
use super::pseudo::{Attached, Shape};
use super::watch::{Revive, Watch};
use super::worker::Ticker;
use crate::core_::frame::PortId;
use crate::port::io::{Io, Nic};

/// The rings of a NIC, taken apart when this is dropped: after its port has gone
/// and the device was stopped, or is lost with the buffers that are on them.
///
/// # Invariants
///
/// Neither engine nor host is at the rings when this is dropped.
struct Retired {
    nic: Nic,
    lost: bool,
}

impl Drop for Retired {
    fn drop(&mut self) {
        let nic = &self.nic;
        let mut stock = Stock::new(nic.pool().clone(), 0);
        match self.lost {
            false => nic.stop(&mut stock),
            true => nic.pool().keep(),
        }
        for store in (0..nic.pairs()).filter_map(|pair| nic.store(pair)) {
            // SAFETY: By the type invariants.
            unsafe { store.stop(&mut stock) };
        }
    }
}

/// A device, and the rings that it uses; stopped on drop, before these are taken
/// apart.
struct End<R: Revive> {
    device: Arc<R>,
    rings: Option<Retired>,
}

impl<R: Revive> Drop for End<R> {
    fn drop(&mut self) {
        let stopped = self.device.end();
        if let Some(rings) = &mut self.rings {
            rings.lost = !stopped;
        }
    }
}

/// The keeper of a port, until this is dropped.
struct Kept(Arc<Keeper>);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.clear();
    }
}

/// How often a NIC is looked after, milliseconds.
const LOOK_PERIOD: u32 = 250;

/// A NIC that works, and its port. The fields are dropped in their order: nobody
/// asks for anything or looks any more, the port goes, the device leaves memory
/// alone, the buffers come back from its rings.
pub(crate) struct Live<R: Revive> {
    _kept: Kept,
    _sleeper: Sleeper,
    _ticker: Ticker,
    watch: Arc<Watch<R>>,
    _attached: Attached,
    _end: End<R>,
}

impl<R: Revive> Live<R> {
    /// Makes a port of a NIC. `make` makes the rings for its number, and `start`
    /// starts the device.
    ///
    /// # Safety
    ///
    /// The result is dropped before what `revive` borrows ends.
    pub(crate) unsafe fn new(
        device: &Device<Bound>,
        shape: &Shape,
        revive: Arc<R>,
        make: impl FnOnce(PortId) -> Result<Nic>,
        start: impl FnOnce() -> Result,
    ) -> Result<Self> {
        let mut end = End {
            device: revive.clone(),
            rings: None,
        };
        let attached = Attached::new(device, shape, |id| {
            let nic = make(id)?;
            // INVARIANT: Dropped after what attaches them, below and in `Self`.
            end.rings = Some(Retired {
                nic: nic.clone(),
                lost: false,
            });
            start()?;
            Ok(Io::Native(nic))
        });
        // What was made goes in the reverse order when something fails.
        let attached = attached?;
        // SAFETY: The watch goes before what is attached, by the order here and of the
        // fields.
        let watch = unsafe { Watch::new(&attached, revive) }?;
        // SAFETY: By the safety requirement: `Self` has both.
        let (ticker, sleeper) = unsafe {
            (
                Ticker::start_borrowing(&watch, LOOK_PERIOD)?,
                Sleeper::start_borrowing(&watch)?,
            )
        };
        // SAFETY: By the safety requirement, and `Kept` goes before the watch.
        unsafe { attached.port.keeper().set(&*watch) };
        Ok(Self {
            _kept: Kept(attached.port.keeper().clone()),
            _sleeper: sleeper,
            _ticker: ticker,
            watch,
            _attached: attached,
            _end: end,
        })
    }

    /// Looks after the NIC now; whether it has a link.
    pub(crate) fn look(&self) -> bool {
        self.watch.look()
    }
}
