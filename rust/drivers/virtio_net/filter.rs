// SPDX-License-Identifier: GPL-2.0

//! Which frames a device receives: those for its own address, for all and for
//! groups, and those for other stations when the host wants them.
#![forbid(unsafe_code)]

use super::transport::feature;
use super::VirtioNet;
use crate::core_::nic::virtio::control::command::{rx_allmulti, rx_promisc};
use kernel::device::Bound;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::atomic::Relaxed;

impl VirtioNet {
    /// Frames for other stations are not received from now on.
    pub(super) fn filter(&self, pdev: &pci::Device<Bound>) -> Result {
        if !self.has(feature::NET_CTRL_RX) {
            return Ok(());
        }
        let told = self
            .command(&rx_allmulti(true))
            .and_then(|()| self.command(&rx_promisc(false)));
        self.receives_all.store(false, Relaxed);
        told.inspect_err(|e| self.complain(pdev, *e, "what to receive"))
    }

    /// Frames for other stations are received, or not, as far as the device has a
    /// say in that. One that does not obey is not asked again.
    pub(super) fn receive_all(&self, on: bool) {
        if self.has(feature::NET_CTRL_RX) && self.receives_all.load(Relaxed) != on {
            self.receives_all.store(on, Relaxed);
            // Who wanted them sees that they do not come.
            let _ = self.command(&rx_promisc(on));
        }
    }

    /// Says which command failed.
    pub(super) fn complain(&self, pdev: &pci::Device<Bound>, error: Error, what: &str) {
        let how = match error {
            ETIMEDOUT => "does not answer",
            _ => "refuses",
        };
        dev_err!(pdev, "the device {how} the command about {what}\n");
    }
}
