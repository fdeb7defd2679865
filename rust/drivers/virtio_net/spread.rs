// SPDX-License-Identifier: GPL-2.0

//! How a device spreads what it receives over several queue pairs.
#![forbid(unsafe_code)]

use super::transport::{config, feature};
use super::VirtioNet;
use crate::core_::nic::virtio::control::command::{rss_config, vq_pairs_set};
use crate::core_::nic::virtio::control::COMMAND;
use crate::kapi::cpu;
use kernel::device::Bound;
use kernel::pci;
use kernel::prelude::*;

/// Octets of a hash key: for the two addresses and ports of IPv6, and 32 bits.
const KEY: usize = 40;

/// `VIRTIO_NET_HASH_TYPE_*` for IPv4 and IPv6, with ports of TCP and UDP.
const HASH_TYPES: u32 = 0x3f;

impl VirtioNet {
    /// Has the device use so many queue pairs. Packets of a flow go to one of them:
    /// by a hash where the device has RSS, else as it likes.
    pub(super) fn spread(&self, pdev: &pci::Device<Bound>, pairs: u16) -> Result {
        if pairs == 1 {
            // As it is after a reset.
            return Ok(());
        }
        let mut room = [0; COMMAND];
        let by_hash = self.has(feature::NET_RSS) && pairs.is_power_of_two();
        let told = if by_hash {
            self.rss(pdev, pairs, &mut room)
                .and_then(|command| self.command(command))
        } else if self.has(feature::NET_MQ) {
            self.command(&vq_pairs_set(pairs))
        } else {
            dev_err!(pdev, "by RSS alone it has 2, 4, 8, ... queue pairs only\n");
            return Err(EOPNOTSUPP);
        };
        told.inspect_err(|e| self.complain(pdev, *e, "queue pairs"))
    }

    /// The command for RSS with a new key.
    fn rss<'a>(
        &self,
        pdev: &pci::Device<Bound>,
        pairs: u16,
        room: &'a mut [u8; COMMAND],
    ) -> Result<&'a [u8]> {
        let (mut most, mut types) = ([0], [0; 4]);
        let read = |at: usize, out: &mut [u8]| self.transport.config(pdev, at, out);
        read(config::RSS_MAX_KEY_SIZE, &mut most)?;
        read(config::RSS_HASH_TYPES, &mut types)?;
        let [most] = most;
        let mut key = [0; KEY];
        for octets in key.chunks_mut(8) {
            for (octet, random) in octets.iter_mut().zip(cpu::random().to_ne_bytes()) {
                *octet = random;
            }
        }
        let key = key.get(..KEY.min(most.into())).ok_or(EINVAL)?;
        let types = u32::from_le_bytes(types) & HASH_TYPES;
        rss_config(room, types, pairs, key).ok_or(EOPNOTSUPP)
    }
}
