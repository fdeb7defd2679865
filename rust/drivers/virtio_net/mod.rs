// SPDX-License-Identifier: GPL-2.0

//! Modern virtio network devices (VIRTIO 1.2, section 5.1) over PCI.
#![forbid(unsafe_code)]

mod caps;
mod control;
mod filter;
mod spread;
mod transport;

use core::marker::PhantomData;

use super::claim::{Device, Identity};
use super::rings::{capacity, slots, Slots, MOST};
use crate::core_::nic::virtio::control as control_queue;
use crate::core_::nic::virtio::net_header::{self, Header};
use crate::core_::nic::virtio::packed::Packed;
use crate::core_::nic::virtio::split::Split;
use crate::core_::nic::virtio::{Areas, Ring, Rx, Tx};
use crate::kapi::buffer::FRAME;
use crate::kapi::dma::{Fate, RingMemory};
use crate::port::io::Nic;
use crate::port::lease::{self, Deed};
use crate::port::native::{Driver, Native, Parts};
use crate::port::pair::Queues;
use kernel::device::{Bound, Core};
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::atomic::Atomic;
use kernel::sync::{new_mutex, Arc, Mutex};

use control::ControlQueue;
use transport::{config, feature, status, Doorbell, Transport};

/// The device of VIRTIO 1.2, 4.1.2: 0x1040 and the number of the device type.
const DEVICE_ID: u16 = 0x1041;

/// MTU that is offered at first, and the largest.
const MTU: u32 = 1500;
const MAX_MTU: u32 = FRAME as u32 - 18;

/// Features without which nothing goes.
const NEEDED: u64 = feature::VERSION_1 | feature::NET_MAC;
/// Those that are of use.
const WANTED: u64 = NEEDED
    | feature::ACCESS_PLATFORM
    | feature::RING_PACKED
    | feature::RING_EVENT_IDX
    | feature::NET_STATUS
    | feature::NET_MTU
    | feature::NET_CSUM
    | feature::NET_GUEST_CSUM
    | feature::NET_CTRL_VQ
    | feature::NET_CTRL_RX
    | SPREADING;
/// Each of them is for several queue pairs.
const SPREADING: u64 = feature::NET_MQ | feature::NET_RSS;

/// A format of virtqueues.
pub(crate) trait Format: Ring + Send + Unpin + Sized + 'static {
    /// What the core calls it.
    const CONTROL: control_queue::Format;

    /// Where the parts of a ring of `size` descriptors are.
    fn areas(size: u16) -> Areas;

    /// An empty ring, with `VIRTIO_F_EVENT_IDX` or without.
    fn new(memory: RingMemory, slots: Slots, event_idx: bool) -> Option<Self>;
}

macro_rules! format {
    ($($format:ident),*) => {
        $(impl Format for $format<RingMemory, Slots> {
            const CONTROL: control_queue::Format = control_queue::Format::$format;

            fn areas(size: u16) -> Areas {
                Self::areas(size)
            }

            fn new(memory: RingMemory, slots: Slots, event_idx: bool) -> Option<Self> {
                Self::new(memory, slots, event_idx)
            }
        })*
    };
}

format!(Split, Packed);

/// A device.
pub(crate) struct VirtioNet {
    transport: Transport,
    /// Those that both have.
    features: u64,
    fate: Arc<Fate>,
    /// Whether it was last told to receive frames for other stations, as it does
    /// after a reset.
    receives_all: Atomic<bool>,
    /// Once there are rings, if the device has one.
    control: Pin<KBox<Mutex<Option<ControlQueue>>>>,
}

impl VirtioNet {
    /// Whether both have a feature.
    fn has(&self, feature: u64) -> bool {
        self.features & feature != 0
    }

    /// Agrees on features.
    fn negotiate(
        pdev: &pci::Device<Bound>,
        transport: &Transport,
        (wanted, needed): (u64, u64),
    ) -> Result<u64> {
        transport.add_status(pdev, status::ACKNOWLEDGE)?;
        transport.add_status(pdev, status::DRIVER)?;
        let mut features = transport.offered(pdev)? & wanted;
        if features & feature::NET_CTRL_VQ == 0 {
            features &= !(SPREADING | feature::NET_CTRL_RX);
        }
        if features & needed != needed {
            dev_err!(
                pdev,
                "the device lacks features {:#x}\n",
                needed & !features
            );
            return Err(ENODEV);
        }
        transport.accept(pdev, features)?;
        Ok(features)
    }

    fn queue<F: Format>(
        &self,
        pdev: &pci::Device<Bound>,
        index: u16,
        vector: Option<u16>,
    ) -> Result<(F, Doorbell, Option<lease::Queue>)> {
        let most = self.transport.queue_size(pdev, index)?.min(MOST);
        // A power of two, as VIRTIO has it for split rings; 0 is no queue.
        let size = most.checked_ilog2().map(|log| 1u16 << log).ok_or(ENODEV)?;
        let areas = F::areas(size);
        let memory = RingMemory::new(pdev.as_ref(), areas.len, &self.fate)?;
        let addresses = [areas.desc, areas.driver, areas.device]
            .map(|offset| memory.address().wrapping_add(offset as u64));
        let event_idx = self.has(feature::RING_EVENT_IDX);
        let pages = memory.pages();
        let ring = F::new(memory, slots(size)?, event_idx).ok_or(EINVAL)?;
        let transport = &self.transport;
        let bell = transport.enable_queue(pdev, index, size, addresses, vector)?;
        let queue = transport
            .physical(pdev, &bell)?
            .map(|physical| lease::Queue {
                ring: pages,
                areas,
                size,
                bell: physical,
                value: index,
            });
        Ok((ring, bell, queue))
    }

    /// Makes the control queue, if there is to be one, of a device that was reset.
    fn set_up(&self, pdev: &pci::Device<Bound>) -> Result {
        self.transport.no_config_vector(pdev)?;
        if !self.has(feature::NET_CTRL_VQ) {
            return Ok(());
        }
        let index = self.pairs(pdev)?.saturating_mul(2);
        let format = match self.has(feature::RING_PACKED) {
            true => <Packed<RingMemory, Slots> as Format>::CONTROL,
            false => <Split<RingMemory, Slots> as Format>::CONTROL,
        };
        let format = (format, self.has(feature::RING_EVENT_IDX));
        let control = ControlQueue::new((&self.transport, &self.fate), pdev, index, format)?;
        *self.control.lock() = Some(control);
        Ok(())
    }

    /// So many queue pairs as were asked for.
    fn native<F: Format>(
        device: Arc<Self>,
        pdev: &pci::Device<Bound>,
        parts: Parts,
    ) -> Result<Arc<Native<Virtio<F>>>> {
        let virtio = Virtio {
            device,
            format: PhantomData,
        };
        Native::new(virtio, pdev, parts)
    }

    /// Has the device do something that its control queue is for.
    fn command(&self, command: &[u8]) -> Result {
        let mut control = self.control.lock();
        let Some(control) = &mut *control else {
            return Err(EOPNOTSUPP);
        };
        control.command(&self.transport, command)
    }
}

impl Device for VirtioNet {
    const DEVICES: &'static [(pci::Vendor, u16)] = &[(pci::Vendor::REDHAT_QUMRANET, DEVICE_ID)];
    const INTERRUPTS: bool = true;

    fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        // Memory first: what cannot be had leaves the device untouched.
        let control = KBox::pin_init(new_mutex!(None, "smplb_virtio_control"), GFP_KERNEL)?;
        let fate = Fate::new()?;
        let transport = Transport::new(pdev)?;
        transport.reset(pdev)?;
        let features = (WANTED, NEEDED);
        let features = Self::negotiate(pdev, &transport, features).inspect_err(|_| {
            // Best effort: it has no rings to work with.
            let _ = transport.reset(pdev);
        })?;
        Ok(Self {
            transport,
            features,
            fate,
            receives_all: Atomic::new(true),
            control,
        })
    }

    fn fate(&self) -> &Arc<Fate> {
        &self.fate
    }

    fn reset(&self, pdev: &pci::Device<Bound>) -> Result {
        self.transport.reset(pdev)
    }

    fn prepare(&self, pdev: &pci::Device<Bound>) -> Result {
        let same = (self.features, self.features);
        Self::negotiate(pdev, &self.transport, same)?;
        self.set_up(pdev)
    }

    fn is_physical(&self) -> bool {
        !self.has(feature::ACCESS_PLATFORM)
    }

    fn identity(&self, pdev: &pci::Device<Bound>) -> Result<Identity> {
        let mut mac = [0; 6];
        self.transport.config(pdev, config::MAC, &mut mac)?;
        let mut mtu = MAX_MTU;
        if self.has(feature::NET_MTU) {
            let mut most = [0; 2];
            self.transport.config(pdev, config::MTU, &mut most)?;
            mtu = mtu.min(u16::from_le_bytes(most).into());
        }
        Ok(Identity {
            mac,
            mtu: mtu.min(MTU),
            max_mtu: mtu,
        })
    }

    fn pairs(&self, pdev: &pci::Device<Bound>) -> Result<u16> {
        if self.features & SPREADING == 0 {
            return Ok(1);
        }
        let mut most = [0; 2];
        self.transport.config(pdev, config::MAX_PAIRS, &mut most)?;
        match u16::from_le_bytes(most) {
            // What VIRTIO 1.2, 5.1.4.1, allows.
            most @ 1..=0x8000 => Ok(most),
            _ => Err(ENODEV),
        }
    }

    fn rings(device: Arc<Self>, pdev: &pci::Device<Bound>, parts: Parts) -> Result<Nic> {
        device.set_up(pdev)?;
        Ok(match device.has(feature::RING_PACKED) {
            true => Nic::VirtioPacked(Self::native(device, pdev, parts)?),
            false => Nic::Virtio(Self::native(device, pdev, parts)?),
        })
    }

    fn start(&self, pdev: &pci::Device<Bound>, pairs: u16) -> Result {
        self.transport.add_status(pdev, status::DRIVER_OK)?;
        self.filter(pdev)?;
        self.spread(pdev, pairs)
    }
}

/// What the data path has of a device.
pub(crate) struct Virtio<F> {
    device: Arc<VirtioNet>,
    format: PhantomData<fn() -> F>,
}

/// The doorbells of a queue pair.
#[derive(PartialEq, Eq)]
pub(crate) struct Bells {
    rx: Doorbell,
    tx: Doorbell,
}

impl<F: Format> Driver for Virtio<F> {
    type Rx = Rx<F, { capacity(net_header::LEN) }>;
    type Tx = Tx<F>;
    type Header = Header;
    type Bells = Bells;
    const NAME: &'static CStr = kernel::c_str!("virtio_net");

    #[inline]
    fn ring_rx(&self, bells: &Bells, _index: u16) {
        self.device.transport.ring(&bells.rx);
    }

    #[inline]
    fn ring_tx(&self, bells: &Bells, _index: u16) {
        self.device.transport.ring(&bells.tx);
    }

    fn queues(
        &self,
        pdev: &pci::Device<Bound>,
        pair: u16,
        vector: Option<u16>,
    ) -> Result<Queues<Self>> {
        let (rx, rx_bell, rx_queue) = self.device.queue::<F>(pdev, pair * 2, vector)?;
        let (tx, tx_bell, tx_queue) = self.device.queue::<F>(pdev, pair * 2 + 1, None)?;
        Ok(Queues {
            rx: Rx::new(rx),
            tx: Tx::new(tx),
            bells: Bells {
                rx: rx_bell,
                tx: tx_bell,
            },
            deed: rx_queue.zip(tx_queue).map(|(rx, tx)| Deed {
                packed: matches!(F::CONTROL, control_queue::Format::Packed),
                event_idx: self.device.has(feature::RING_EVENT_IDX),
                rx,
                tx,
            }),
        })
    }

    fn finishes_checksums(&self) -> bool {
        self.device.has(feature::NET_CSUM)
    }

    fn nudge(&self, bells: &Bells) {
        if self.device.has(feature::NET_RSS) {
            // QEMU without eBPF hashes what it read from one queue of a tap device,
            // keeps it when the ring it is for is empty, and reads no more from that
            // queue until the doorbell of its own ring rings.
            self.device.transport.ring(&bells.rx);
        }
    }

    fn receive_all(&self, on: bool) {
        self.device.receive_all(on);
    }

    fn link(&self) -> Option<bool> {
        let status = self.device.transport.try_status()?;
        if status & status::DRIVER_OK == 0 || status & status::NEEDS_RESET != 0 {
            return None;
        }
        if !self.device.has(feature::NET_STATUS) {
            return Some(true);
        }
        let link = self.device.transport.try_config8(config::STATUS)?;
        Some(link & config::STATUS_LINK_UP != 0)
    }
}
