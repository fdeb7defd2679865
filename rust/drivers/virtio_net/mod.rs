// SPDX-License-Identifier: GPL-2.0

//! Modern virtio network devices (VIRTIO 1.2, section 5.1) over PCI.

mod caps;
mod transport;

use super::supply::Share;
use crate::core_::nic::shadow::Slot;
use crate::core_::nic::virtio::net_header::{self, Header};
use crate::core_::nic::virtio::split::Split;
use crate::core_::nic::virtio::{Areas, Rx, Tx};
use crate::kapi::buffer::{Mapping, FRAME, HEADROOM, SIZE};
use crate::kapi::dma::RingMemory;
use crate::kapi::pseudo::{self, Attached, Retired};
use crate::kapi::vector::Vector;
use crate::port::io::Io;
use crate::port::native::{Driver, Native};
use kernel::device::{Bound, Core};
use kernel::io::Io as _;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

use transport::{feature, status, Doorbell, Transport};

/// The device of VIRTIO 1.2, 4.1.2: 0x1040 and the number of the device type.
const DEVICE_ID: u16 = 0x1041;

/// Most descriptors of a queue.
const QUEUE: u16 = 256;

/// MTU that is offered at first, and the largest.
const MTU: u32 = 1500;
const MAX_MTU: u32 = FRAME as u32 - 18;

const PCI_COMMAND: usize = 0x04;
const PCI_COMMAND_MASTER: u16 = 0x4;
const PCI_COMMAND_INTX_DISABLE: u16 = 0x400;

type Ring = Split<RingMemory, KVVec<Slot>>;

/// What the data path has of a device: its doorbells.
pub(crate) struct Virtio {
    transport: Arc<Transport>,
    rx: Doorbell,
    tx: Doorbell,
}

impl Driver for Virtio {
    type Rx = Rx<Ring>;
    type Tx = Tx<Ring>;
    type Header = Header;
    const NAME: &'static CStr = kernel::c_str!("virtio_net");
    const HEADER: Header = net_header::PLAIN;

    #[inline]
    fn ring_rx(&self, _index: u16) {
        self.transport.ring(&self.rx);
    }

    #[inline]
    fn ring_tx(&self, _index: u16) {
        self.transport.ring(&self.tx);
    }
}

/// A claimed device. The fields are dropped in their order: the port goes, the
/// device is reset, the buffers come back, the device is disabled.
pub(crate) struct Claimed<'a> {
    _attached: Attached,
    _reset: Reset<'a>,
    _rings: Option<Retired<Virtio>>,
    _share: Share,
    _enabled: Enabled<'a>,
}

/// Resets the device on drop, so that it touches no memory any more.
struct Reset<'a> {
    pdev: &'a pci::Device<Bound>,
    transport: Arc<Transport>,
}

impl Drop for Reset<'_> {
    fn drop(&mut self) {
        if self.transport.reset(self.pdev).is_err() {
            // Without bus mastering it cannot reach memory either.
            master(self.pdev, false);
            dev_err!(self.pdev, "the device does not reset\n");
        }
    }
}

/// Disables the device on drop.
struct Enabled<'a>(&'a pci::Device<Bound>);

impl Drop for Enabled<'_> {
    fn drop(&mut self) {
        master(self.0, false);
        pseudo::disable(self.0);
    }
}

/// Lets the device reach memory or not. It pulls no interrupt line either way:
/// nobody would answer.
fn master(pdev: &pci::Device<Bound>, on: bool) {
    let config = pdev.config_space();
    let command = config.read16(PCI_COMMAND) & !PCI_COMMAND_MASTER & !PCI_COMMAND_INTX_DISABLE;
    let bits = if on {
        PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE
    } else {
        0
    };
    config.write16(command | bits, PCI_COMMAND);
}

kernel::pci_device_table!(NOTHING, (), []);

/// The PCI driver.
pub(crate) struct VirtioNet;

impl VirtioNet {
    fn claim<'a>(pdev: &'a pci::Device<Core<'_>>) -> Result<Claimed<'a>> {
        if pdev.vendor_id() != pci::Vendor::REDHAT_QUMRANET || pdev.device_id() != DEVICE_ID {
            dev_err!(pdev, "not a modern virtio network device\n");
            return Err(ENODEV);
        }
        pdev.enable_device_mem()?;
        let enabled = Enabled(pdev);
        pseudo::address_64_bits(pdev)?;
        master(pdev, true);

        let share = Share::new()?;
        let transport = Arc::new(Transport::new(pdev)?, GFP_KERNEL)?;
        transport.reset(pdev)?;
        // Before `reset`, so that what fails below resets first, and then takes
        // the rings apart.
        let mut rings = None;
        let reset = Reset {
            pdev,
            transport: transport.clone(),
        };
        transport.add_status(pdev, status::ACKNOWLEDGE)?;
        transport.add_status(pdev, status::DRIVER)?;
        let physical = Self::negotiate(pdev, &transport)?;
        let mapping = Mapping::new(share.pool().memory().clone(), pdev.as_ref(), physical)
            .inspect_err(|_| {
                dev_err!(
                    pdev,
                    "the buffers cannot be mapped for the device as they are\n"
                );
            })?;
        // SAFETY: Goes with the rings, before `enabled`.
        let vector = unsafe { Vector::new(pdev) }
            .inspect_err(|_| {
                dev_info!(
                    pdev,
                    "no MSI-X: polled even while nothing comes
"
                )
            })
            .ok();
        transport.no_config_vector(pdev)?;
        let (rx, rx_bell) = Self::queue(pdev, &transport, 0, vector.is_some().then_some(0))?;
        let (tx, tx_bell) = Self::queue(pdev, &transport, 1, None)?;
        let capacity = (SIZE - HEADROOM + net_header::LEN) as u16;
        let (rx, tx) = (Rx::new(rx, capacity).ok_or(EINVAL)?, Tx::new(tx));
        let mut config = [0; 8];
        transport.config(pdev, &mut config)?;

        let [a, b, c, d, e, f, up, _] = config;
        let driver = Virtio {
            transport: transport.clone(),
            rx: rx_bell,
            tx: tx_bell,
        };
        let attached = Attached::new(pdev.as_ref(), &[a, b, c, d, e, f], MTU, MAX_MTU, |id| {
            let native = Native::new(driver, id, share.pool().clone(), mapping, vector, rx, tx)?;
            // SAFETY: Dropped after `attached`, in this function and in `Claimed`.
            rings = Some(unsafe { Retired::new(native.clone()) });
            // From here on the device reaches memory.
            transport.add_status(pdev, status::DRIVER_OK)?;
            Ok(Io::Virtio(native))
        })?;
        attached.set_carrier(up & 1 != 0);
        Ok(Claimed {
            _attached: attached,
            _reset: reset,
            _rings: rings,
            _share: share,
            _enabled: enabled,
        })
    }

    /// Agrees on features; whether the device uses physical addresses.
    fn negotiate(pdev: &pci::Device<Core<'_>>, transport: &Transport) -> Result<bool> {
        let wanted =
            feature::VERSION_1 | feature::ACCESS_PLATFORM | feature::NET_MAC | feature::NET_STATUS;
        let features = transport.offered(pdev)? & wanted;
        if features & (feature::VERSION_1 | feature::NET_MAC)
            != feature::VERSION_1 | feature::NET_MAC
        {
            dev_err!(
                pdev,
                "the device has no VIRTIO_F_VERSION_1 or no MAC address\n"
            );
            return Err(ENODEV);
        }
        transport.accept(pdev, features)?;
        Ok(features & feature::ACCESS_PLATFORM == 0)
    }

    fn queue(
        pdev: &pci::Device<Core<'_>>,
        transport: &Transport,
        index: u16,
        vector: Option<u16>,
    ) -> Result<(Ring, Doorbell)> {
        let most = transport.queue_size(pdev, index)?.min(QUEUE);
        // A power of two, as VIRTIO has it for split rings; 0 is no queue.
        let size = most.checked_ilog2().map(|log| 1u16 << log).ok_or(ENODEV)?;
        let areas: Areas = Ring::areas(size);
        let memory = RingMemory::new(pdev.as_ref(), areas.len)?;
        let address = |offset: usize| memory.address().wrapping_add(offset as u64);
        let addresses = [
            address(areas.desc),
            address(areas.driver),
            address(areas.device),
        ];
        let mut slots = KVVec::with_capacity(size.into(), GFP_KERNEL)?;
        for _ in 0..size {
            slots.push(Slot::default(), GFP_KERNEL)?;
        }
        let ring = Ring::new(memory, slots, false).ok_or(EINVAL)?;
        let bell = transport.enable_queue(pdev, index, size, addresses, vector)?;
        Ok((ring, bell))
    }
}

impl pci::Driver for VirtioNet {
    type IdInfo = ();
    type Data<'bound> = Claimed<'bound>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = &NOTHING;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        Self::claim(pdev)
    }
}
