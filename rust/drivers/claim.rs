// SPDX-License-Identifier: GPL-2.0

//! Claiming a device: the same for all drivers, in the order in which it can be
//! undone.

use core::marker::PhantomData;
use kernel::device::{Bound, Core};
use kernel::io::poll::read_poll_timeout;
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::{new_mutex, Arc, Mutex, UniqueArc};
use kernel::time::Delta;

use super::guard::{Enabled, Reset};
use super::supply::Share;
use super::wish;
use crate::kapi::buffer::Mapping;
use crate::kapi::dma::Fate;
use crate::kapi::live::Live;
use crate::kapi::pseudo::Shape;
use crate::kapi::vector::Vector;
use crate::port::io::Nic;
use crate::port::native::Parts;

/// What a device is to the network.
pub(crate) struct Identity {
    pub(crate) mac: [u8; 6],
    /// MTU that is offered at first.
    pub(crate) mtu: u32,
    pub(crate) max_mtu: u32,
}

/// The registers of one kind of device.
pub(crate) trait Device: Send + Sync + Sized + 'static {
    /// The devices it knows.
    const DEVICES: &'static [(pci::Vendor, u16)];

    /// Whether it can interrupt for received frames; others are polled for ever.
    const INTERRUPTS: bool;

    /// Finds the registers, resets the device, and agrees with it on what both
    /// can. A device that this fails for has been reset.
    fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self>;

    /// What the memory of its rings shares with it.
    fn fate(&self) -> &Arc<Fate>;

    /// Ends whatever the device does, and waits until it touches no memory any
    /// more.
    fn reset(&self, pdev: &pci::Device<Bound>) -> Result;

    /// Brings a device that was reset to where [`Self::new`] and [`Self::rings`]
    /// have it before there are rings.
    fn prepare(&self, pdev: &pci::Device<Bound>) -> Result;

    /// Whether the device uses physical addresses, whatever the kernel says.
    fn is_physical(&self) -> bool;

    /// Its address, as it is after a reset.
    fn identity(&self, pdev: &pci::Device<Bound>) -> Result<Identity>;

    /// How many queue pairs it can use.
    fn pairs(&self, pdev: &pci::Device<Bound>) -> Result<u16>;

    /// Makes rings of such parts, and tells the device where they are. Vectors, if
    /// there are any, are for the frames that the pair of the same number
    /// receives.
    fn rings(device: Arc<Self>, pdev: &pci::Device<Bound>, parts: Parts) -> Result<Nic>;

    /// Starts it with that many queue pairs: from here on it reaches memory.
    fn start(&self, pdev: &pci::Device<Bound>, pairs: u16) -> Result;
}

/// A device in use. The fields are dropped in their order: the port goes, the
/// device is reset, the buffers come back, the device is disabled.
struct Used<'a, D: Device> {
    _live: Live<Reset<'a, D>>,
    _share: Share,
    _enabled: Enabled<'a>,
}

impl<'a, D: Device> Used<'a, D> {
    fn new(pdev: &'a pci::Device<Core<'_>>) -> Result<Self> {
        let pairs = wish::take(pdev.as_ref().name());
        if !D::DEVICES.contains(&(pdev.vendor_id(), pdev.device_id())) {
            dev_err!(pdev, "not a device of this driver\n");
            return Err(ENODEV);
        }
        let enabled = Enabled::new(pdev)?;
        let share = Share::new()?;
        // Memory first: what cannot be had leaves the device untouched.
        let place = UniqueArc::new_uninit(GFP_KERNEL)?;
        let device: Arc<D> = place.write(D::new(pdev)?).into();
        Self::start(pdev, device.clone(), pairs, share, enabled).inspect_err(|_| {
            // Best effort: it has no rings any more, if it ever had.
            let _ = device.reset(pdev);
        })
    }

    fn start(
        pdev: &'a pci::Device<Core<'_>>,
        device: Arc<D>,
        pairs: u16,
        share: Share,
        enabled: Enabled<'a>,
    ) -> Result<Self> {
        let most = device.pairs(pdev)?;
        if pairs > most {
            dev_err!(
                pdev,
                "{pairs} queue pairs were asked for, and it has {most}\n"
            );
            return Err(EOPNOTSUPP);
        }
        // Before there is memory of rings: it would be as unreachable.
        let memory = share.pool().memory().clone();
        let mapping =
            Mapping::new(memory, pdev.as_ref(), device.is_physical()).inspect_err(|_| {
                dev_err!(
                    pdev,
                    "the buffers cannot be mapped for the device as they are\n"
                );
            })?;
        let Identity { mac, mtu, max_mtu } = device.identity(pdev)?;
        let shape = Shape {
            mac,
            mtu,
            max_mtu,
            queues: pairs,
        };
        let (vectors, pool) = (Self::vectors(pdev, pairs), share.pool().clone());
        let rings = |id| {
            let parts = Parts {
                id,
                pool,
                mapping,
                pairs,
                vectors,
            };
            D::rings(device.clone(), pdev, parts)
        };
        let revive = Arc::new(Reset::new(pdev, device.clone()), GFP_KERNEL)?;
        // SAFETY: It is the driver's data, and goes before the device is unbound.
        let live = unsafe {
            Live::new(pdev.as_ref(), &shape, revive, rings, || {
                device.start(pdev, pairs)
            })
        }?;
        Self::await_link(&live);
        Ok(Self {
            _live: live,
            _share: share,
            _enabled: enabled,
        })
    }
}

impl<D: Device> Used<'_, D> {
    /// Gives a link that the reset took down the time to come back. One that does
    /// not is told of when it does.
    fn await_link(live: &Live<Reset<'_, D>>) {
        let _ = read_poll_timeout(
            || Ok(live.look()),
            |link| *link,
            Delta::from_millis(20),
            Delta::from_secs(3),
        );
    }

    /// What wakes engines that sleep; none if there are not enough.
    fn vectors(pdev: &pci::Device<Core<'_>>, pairs: u16) -> KVec<Vector> {
        if !D::INTERRUPTS {
            return KVec::new();
        }
        // SAFETY: They go with the rings, before the device is disabled.
        unsafe { Vector::all(pdev, pairs) }
            .inspect_err(|_| {
                dev_info!(
                    pdev,
                    "fewer MSI-X vectors than queue pairs: polled even while nothing comes\n"
                );
            })
            .unwrap_or_default()
    }
}

/// A claimed device.
#[pin_data]
pub(crate) struct Claimed<'a, D: Device> {
    /// Until it is given back.
    #[pin]
    used: Mutex<Option<Used<'a, D>>>,
}

impl<'a, D: Device> Claimed<'a, D> {
    fn new(pdev: &'a pci::Device<Core<'_>>) -> impl PinInit<Self, Error> + 'a {
        let used = Used::new(pdev);
        try_pin_init!(Self {
            used <- new_mutex!(Some(used?), "smplb_claimed"),
        })
    }
}

kernel::pci_device_table!(NOTHING, (), []);

/// The PCI driver of a kind of NIC.
pub(crate) struct Claims<D>(PhantomData<D>);

impl<D: Device> pci::Driver for Claims<D> {
    type IdInfo = ();
    type Data<'bound> = Claimed<'bound, D>;
    const ID_TABLE: pci::IdTable<Self::IdInfo> = &NOTHING;

    fn probe<'bound>(
        pdev: &'bound pci::Device<Core<'_>>,
        _info: Option<&'bound Self::IdInfo>,
    ) -> impl PinInit<Self::Data<'bound>, Error> + 'bound {
        Claimed::new(pdev)
    }

    // The data itself is dropped later, when the PCI core has let go of the device: it may
    // sleep by then, and somebody else may own what it reaches.
    fn unbind<'bound>(_pdev: &'bound pci::Device<Core<'_>>, this: Pin<&Self::Data<'bound>>) {
        let used = this.used.lock().take();
        drop(used);
    }
}
