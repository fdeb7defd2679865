// SPDX-License-Identifier: GPL-2.0

//! What the 82574 and the controllers of igb have in common: the registers of
//! the core's `regs::common`.

use super::registers::Registers;
use crate::core_::nic::intel::regs::common::*;
use kernel::prelude::*;
use kernel::time::{delay::fsleep, Delta};

/// Addresses that the device can filter by.
const ADDRESSES: u16 = 16;
/// Registers of the multicast table.
const MULTICAST: u16 = 128;

/// Masks all interrupts, and forgets those that were pending.
fn silence(r: &Registers<'_>) -> Result {
    r.write(IMC, u32::MAX)?;
    r.read(ICR)?;
    Ok(())
}

/// Ends whatever the device does, and resets all but the PHY.
pub(super) fn reset(r: &Registers<'_>) -> Result {
    silence(r)?;
    r.write(RCTL, 0)?;
    r.change(TCTL, 0, TCTL_EN)?;
    r.change(CTRL, CTRL_GIO_MASTER_DISABLE, 0)?;
    // If requests are pending for ever the reset ends them.
    let _ = r.wait(STATUS, STATUS_GIO_MASTER_ENABLE, 0, 80);
    r.change(CTRL, CTRL_RST, 0)?;
    // It must not be accessed for a while.
    fsleep(Delta::from_millis(1));
    r.wait(CTRL, CTRL_RST, 0, 100)?;
    // Address and settings are those of the EEPROM again.
    r.wait(EECD, EECD_AUTO_RD, EECD_AUTO_RD, 100)?;
    // A reset leaves this as it is.
    r.change(CTRL_EXT, 0, CTRL_EXT_DRV_LOAD)?;
    silence(r)
}

/// Frames for the first address, for all and for groups are received; the link
/// comes up.
pub(super) fn set_up(r: &Registers<'_>) -> Result {
    for i in 1..ADDRESSES {
        r.write(rah(i), 0)?;
        r.write(ral(i), 0)?;
    }
    for i in 0..MULTICAST {
        r.write(mta(i), 0)?;
    }
    // No frame is dropped for its checksum, as on other NICs: who it is for
    // looks at that.
    r.write(RXCSUM, 0)?;
    // Tags of VLANs stay in the frames.
    r.change(CTRL, CTRL_SLU, CTRL_VME | CTRL_RFCE | CTRL_TFCE)?;
    // The firmware leaves the device to us.
    r.change(CTRL_EXT, CTRL_EXT_DRV_LOAD, 0)
}

/// Sends and receives.
pub(super) fn start(r: &Registers<'_>) -> Result {
    r.change(
        TCTL,
        TCTL_EN | TCTL_PSP | TCTL_CT_15 | TCTL_COLD_63 | TCTL_RTLC,
        0,
    )?;
    r.write(RCTL, RCTL_EN | RCTL_MPE | RCTL_BAM | RCTL_SECRC)
}

/// The first address.
pub(super) fn mac(r: &Registers<'_>) -> Result<[u8; 6]> {
    let [a, b, c, d] = r.read(ral(0))?.to_le_bytes();
    let high = r.read(rah(0))?;
    let [e, f, ..] = high.to_le_bytes();
    let mac = [a, b, c, d, e, f];
    // No address that is a group's, or none at all.
    if high & RAH_AV == 0 || a & 1 != 0 || mac == [0; 6] {
        return Err(ENODEV);
    }
    Ok(mac)
}

/// Whether there is a link; `None` when the device does not answer: with all bits
/// set, or none, or reset by somebody else.
pub(super) fn link(r: &Registers<'_>) -> Option<bool> {
    let (status, control) = (r.read(STATUS).ok()?, r.read(RCTL).ok()?);
    let works = status != u32::MAX && control & RCTL_EN != 0;
    works.then_some(status & STATUS_LU != 0)
}
