// SPDX-License-Identifier: GPL-2.0

//! The 82574L: e1000e.

use super::registers::Registers;
use super::{gigabit, Model, Way};
use crate::core_::nic::intel::regs::common::{CTRL_EXT, IMS};
use crate::core_::nic::intel::regs::e1000e::*;
use crate::core_::nic::intel::regs::Family;
use crate::core_::nic::intel::E1000e;
use crate::port::io::Nic;
use crate::port::native::Native;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;
use kernel::time::{delay::fsleep, Delta};

impl Model for E1000e {
    const DEVICES: &'static [(pci::Vendor, u16)] = &[(pci::Vendor::INTEL, 0x10d3)];
    const INTERRUPTS: bool = true;

    fn ask_rx(r: &Registers<'_>) -> Result {
        // Sent with the vector, and masked again by that: see `EIAC` below.
        r.write(IMS, INT_RXQ0)
    }

    fn reset(r: &Registers<'_>) -> Result {
        gigabit::reset(r)?;
        // The PHY reads its settings.
        fsleep(Delta::from_millis(25));
        Ok(())
    }

    fn set_up(r: &Registers<'_>) -> Result {
        let [rx, tx] = [Self::rx(super::QUEUE), Self::tx(super::QUEUE)].map(|at| at.ok_or(EINVAL));
        let (rx, tx) = (rx?, tx?);
        r.change(tx.control, TXDCTL_GRAN | TXDCTL_COUNT_DESC, 0)?;
        r.change(rx.control, RXDCTL_GRAN, 0)?;
        r.change(TARC0, TARC0_ERRATA, TARC0_ERRATA_CLEAR)?;
        let set = CTRL_EXT_ERRATA_SET | CTRL_EXT_PBA_CLR;
        r.change(CTRL_EXT, set, CTRL_EXT_ERRATA_CLEAR)?;
        r.change(GCR, GCR_ERRATA, 0)?;
        r.change(GCR2, GCR2_ERRATA, 0)?;
        r.write(TIPG, TIPG_COPPER)?;
        // Descriptors of the kind that the core's ring reads.
        r.change(RFCTL, RFCTL_EXTEN, 0)?;
        let route = Self::rx_route(super::QUEUE).ok_or(EINVAL)?;
        r.write(route.register, route.set(0, 0))?;
        r.write(EIAC, INT_RXQ0)?;
        gigabit::set_up(r)
    }

    fn start(r: &Registers<'_>) -> Result {
        gigabit::start(r)
    }

    fn mac(r: &Registers<'_>) -> Result<[u8; 6]> {
        gigabit::mac(r)
    }

    fn link(r: &Registers<'_>) -> Option<bool> {
        gigabit::link(r)
    }

    fn nic(native: Arc<Native<Way<Self>>>) -> Nic {
        Nic::Intel(native)
    }
}
