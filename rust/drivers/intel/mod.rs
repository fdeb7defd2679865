// SPDX-License-Identifier: GPL-2.0

//! Intel's Ethernet controllers. What a model has of its own is in a file with
//! its name; igb and ixgbe would be such files.
#![forbid(unsafe_code)]

mod e1000e;
mod gigabit;
mod registers;

use core::marker::PhantomData;

use super::claim::{Device, Identity};
use super::rings::{capacity, slots, Slots, MOST};
use crate::core_::nic::intel::regs::{Family, Register, RingRegisters};
use crate::core_::nic::intel::rx::Rx;
use crate::core_::nic::intel::tx::Tx;
use crate::core_::nic::intel::{self, Layout, DESCRIPTOR};
use crate::kapi::dma::{Fate, RingMemory};
use crate::port::io::Nic;
use crate::port::native::{Driver, Native, Parts};
use crate::port::pair::Queues;
use kernel::device::{Bound, Core};
use kernel::pci;
use kernel::prelude::*;
use kernel::sync::Arc;

use registers::{Bar, Registers};

/// The queue that is used, of each kind.
const QUEUE: u16 = 0;

/// MTU, at first and at most: no model is told to take frames of more than 1,522
/// octets, since none counts in less than kilobytes where a buffer ends.
const MTU: u32 = 1500;

/// A model, or several that are set up in the same way: what is not the same for
/// all of them.
pub(crate) trait Model: Family + Layout + Send + Sync + Unpin + 'static {
    /// PCI device numbers.
    const DEVICES: &'static [(pci::Vendor, u16)];

    /// Whether it can interrupt for received frames, by MSI-X.
    const INTERRUPTS: bool;

    /// Has received frames of [`QUEUE`] interrupt once, by vector 0.
    fn ask_rx(registers: &Registers<'_>) -> Result;

    /// Masks all interrupts, ends sending and receiving, waits until nothing is
    /// under way on the bus, and resets.
    fn reset(registers: &Registers<'_>) -> Result;

    /// Makes the settings that a reset does not, but for rings.
    fn set_up(registers: &Registers<'_>) -> Result;

    /// Begins to send and receive, on rings that are known to the device.
    fn start(registers: &Registers<'_>) -> Result;

    /// The address that the device has after a reset.
    fn mac(registers: &Registers<'_>) -> Result<[u8; 6]>;

    /// Whether there is a link; `None` when the device does not answer.
    fn link(registers: &Registers<'_>) -> Option<bool>;

    /// The NIC with such rings.
    fn nic(native: Arc<Native<Way<Self>>>) -> Nic
    where
        Self: Sized;
}

/// A device.
pub(crate) struct Controller<M> {
    bar: Bar,
    fate: Arc<Fate>,
    model: PhantomData<M>,
}

/// The 82574L and its kin.
pub(crate) type E1000e = Controller<intel::E1000e>;
/// What the data path has of one.
pub(crate) type Intel = Way<intel::E1000e>;

impl<M: Model> Controller<M> {
    /// Memory for a ring that the device knows of.
    fn ring(
        &self,
        registers: &Registers<'_>,
        pdev: &pci::Device<Bound>,
        at: &RingRegisters,
    ) -> Result<RingMemory> {
        let octets = usize::from(MOST) * DESCRIPTOR;
        let memory = RingMemory::new(pdev.as_ref(), octets, &self.fate)?;
        let address = memory.address();
        registers.write(at.base_low, address as u32)?;
        registers.write(at.base_high, (address >> 32) as u32)?;
        registers.write(at.len, octets as u32)?;
        registers.write(at.head, 0)?;
        registers.write(at.tail, 0)?;
        Ok(memory)
    }
}

impl<M: Model> Device for Controller<M> {
    const DEVICES: &'static [(pci::Vendor, u16)] = M::DEVICES;
    const INTERRUPTS: bool = M::INTERRUPTS;

    fn new(pdev: &pci::Device<Core<'_>>) -> Result<Self> {
        // Memory first: what cannot be had leaves the device untouched.
        let fate = Fate::new()?;
        let bar = Bar::new(pdev)?;
        M::reset(&bar.of(pdev)?)?;
        Ok(Self {
            bar,
            fate,
            model: PhantomData,
        })
    }

    fn fate(&self) -> &Arc<Fate> {
        &self.fate
    }

    fn reset(&self, pdev: &pci::Device<Bound>) -> Result {
        M::reset(&self.bar.of(pdev)?)
    }

    fn prepare(&self, pdev: &pci::Device<Bound>) -> Result {
        M::set_up(&self.bar.of(pdev)?)
    }

    fn is_physical(&self) -> bool {
        false
    }

    fn identity(&self, pdev: &pci::Device<Bound>) -> Result<Identity> {
        Ok(Identity {
            mac: M::mac(&self.bar.of(pdev)?)?,
            mtu: MTU,
            max_mtu: MTU,
        })
    }

    fn pairs(&self, _pdev: &pci::Device<Bound>) -> Result<u16> {
        Ok(1)
    }

    fn rings(device: Arc<Self>, pdev: &pci::Device<Bound>, parts: Parts) -> Result<Nic> {
        device.prepare(pdev)?;
        Ok(M::nic(Native::new(Way(device), pdev, parts)?))
    }

    fn start(&self, pdev: &pci::Device<Bound>, _pairs: u16) -> Result {
        M::start(&self.bar.of(pdev)?)
    }
}

/// What the data path has of a device.
pub(crate) struct Way<M>(Arc<Controller<M>>);

/// The tail registers of a queue pair.
#[derive(PartialEq, Eq)]
pub(crate) struct Tails {
    rx: Register,
    tx: Register,
}

impl<M: Model> Driver for Way<M> {
    type Rx = Rx<RingMemory, Slots, M>;
    type Tx = Tx<RingMemory, Slots, M>;
    type Header = ();
    const NAME: &'static CStr = kernel::c_str!("intel");
    type Bells = Tails;

    #[inline]
    fn ring_rx(&self, bells: &Tails, index: u16) {
        self.0.bar.ring(bells.rx, index);
    }

    #[inline]
    fn ring_tx(&self, bells: &Tails, index: u16) {
        self.0.bar.ring(bells.tx, index);
    }

    fn ask_rx(&self) {
        // Without the device there is nothing to wait for.
        self.0.bar.try_with(|registers| M::ask_rx(&registers));
    }

    fn queues(
        &self,
        pdev: &pci::Device<Bound>,
        _pair: u16,
        _vector: Option<u16>,
    ) -> Result<Queues<Self>> {
        let registers = self.0.bar.of(pdev)?;
        let (rx_at, tx_at) = M::rx(QUEUE).zip(M::tx(QUEUE)).ok_or(EINVAL)?;
        let rx = self.0.ring(&registers, pdev, &rx_at)?;
        let tx = self.0.ring(&registers, pdev, &tx_at)?;
        Ok(Queues {
            rx: Rx::new(rx, slots(MOST)?, capacity(0)).ok_or(EINVAL)?,
            tx: Tx::new(tx, slots(MOST)?).ok_or(EINVAL)?,
            bells: Tails {
                rx: rx_at.tail,
                tx: tx_at.tail,
            },
            // The page of its doorbells has registers that say where its rings are, too.
            deed: None,
        })
    }

    fn link(&self) -> Option<bool> {
        self.0.bar.try_with(|registers| M::link(&registers))?
    }
}
