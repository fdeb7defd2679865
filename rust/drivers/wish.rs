// SPDX-License-Identifier: GPL-2.0

//! What was asked for about a device before it is given to one of the drivers,
//! which `bind` in sysfs cannot be told: how many queue pairs to use.

use kernel::prelude::*;

/// Devices that something can be asked for at a time; a new wish takes the place
/// of the oldest one.
const MOST: usize = 16;

/// Octets of the longest name of a device, as 0000:00:02.0, and one.
const NAME: usize = 32;

/// A device, and how many queue pairs it is to have; 0 is no wish.
#[derive(Clone, Copy)]
struct Wish {
    device: [u8; NAME],
    pairs: u16,
}

/// Nothing.
const NONE: Wish = Wish {
    device: [0; NAME],
    pairs: 0,
};

/// The wishes, and which one is the oldest.
struct Wishes {
    all: [Wish; MOST],
    oldest: usize,
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module's `init` before anything uses it.
    unsafe(uninit) static WISHES: Mutex<Wishes> = Wishes { all: [NONE; MOST], oldest: 0 };
}

/// The wishes while the module is loaded.
pub(crate) struct Global(());

impl Global {
    /// None yet.
    ///
    /// # Safety
    ///
    /// Called once, before anything else of this file.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: By the safety requirement.
        unsafe { WISHES.init() };
        Self(())
    }
}

/// The octets before the first zero, as they are kept.
fn kept(name: &[u8]) -> Result<[u8; NAME]> {
    let mut device = [0; NAME];
    let name = name.split(|&octet| octet == 0).next().unwrap_or_default();
    if name.is_empty() || name.len() >= NAME {
        return Err(EINVAL);
    }
    for (to, from) in device.iter_mut().zip(name) {
        *to = *from;
    }
    Ok(device)
}

/// The next time the device of this name is claimed, it is to have so many queue
/// pairs. A wish before is forgotten.
pub(crate) fn make(name: &[u8], pairs: u16) -> Result {
    let device = kept(name)?;
    let mut wishes = WISHES.lock();
    let at = match wishes.all.iter().position(|wish| wish.device == device) {
        Some(at) => at,
        None => {
            let at = wishes.oldest;
            wishes.oldest = (at + 1) % MOST;
            at
        }
    };
    if let Some(wish) = wishes.all.get_mut(at) {
        *wish = Wish { device, pairs };
    }
    Ok(())
}

/// How many queue pairs the device of this name is to have, now that it is claimed:
/// one, if nothing was asked for.
pub(super) fn take(name: &CStr) -> u16 {
    let Ok(device) = kept(name.to_bytes()) else {
        return 1;
    };
    let mut wishes = WISHES.lock();
    let wish = wishes.all.iter_mut().find(|wish| wish.device == device);
    wish.map_or(1, |wish| core::mem::replace(wish, NONE).pairs.max(1))
}
