// SPDX-License-Identifier: MIT OR Apache-2.0

//! The rings of Intel's NICs against model devices: honest ones, lying ones, and ones that write
//! anything anywhere.

mod nic_model;

use proptest::prelude::*;
use smplb_core::nic::intel::rx::Rx;
use smplb_core::nic::intel::tx::Tx;
use smplb_core::nic::intel::{E1000e, Igb, Ixgbe, Layout, DESCRIPTOR};
use smplb_core::nic::queue::Fault;
use smplb_core::nic::shadow::Slot;

use nic_model::intel::{IntelDevice, Transmit};
use nic_model::memory::Memory;
use nic_model::step::{step, Step};
use nic_model::world::{Account, Ends, World};
use nic_model::{Device, Lie};

const POOL: usize = 200;
const CAPACITY: u16 = 1522;

type IntelEnds<L> =
    Ends<Rx<Memory, Vec<Slot>, L>, Tx<Memory, Vec<Slot>, L>, IntelDevice, IntelDevice>;

fn memory(size: u16) -> Memory {
    Memory::new(usize::from(size) * DESCRIPTOR)
}

fn slots(size: u16) -> Vec<Slot> {
    vec![Slot::default(); usize::from(size)]
}

fn ends<L: Layout>(sizes: (u16, u16), format: Transmit) -> IntelEnds<L> {
    let (rx, tx) = (memory(sizes.0), memory(sizes.1));
    Ends {
        rx: Rx::new(rx.clone(), slots(sizes.0), CAPACITY).unwrap(),
        tx: Tx::new(tx.clone(), slots(sizes.1)).unwrap(),
        rx_device: IntelDevice::new(rx, sizes.0, CAPACITY, None),
        tx_device: IntelDevice::new(tx, sizes.1, 0, Some(format)),
    }
}

fn size() -> impl Strategy<Value = u16> {
    prop_oneof![Just(8u16), Just(64), Just(256)]
}

fn honest<L: Layout>(sizes: (u16, u16), format: Transmit, steps: &[Step]) {
    let account = Account::new(POOL);
    let mut world = World::new(&account, ends::<L>(sizes, format));
    world.run_all(steps);
    world.end();
}

fn lying<L: Layout>(format: Transmit, steps: &[Step], more: u32) {
    let account = Account::new(POOL);
    let mut world = World::new(&account, ends::<L>((32, 32), format));
    world.run_all(steps.iter().chain(&[Step::Refill(4)]));
    if !world.ends.rx_device.held().is_empty() {
        let fault = world.ends.rx_device.lie(Lie::TooLong(more));
        assert_eq!(fault, Some(Fault::TooLong));
        world.meet(true, Fault::TooLong);
        world.end();
    }
}

fn mad<L: Layout>(writes: &[(u16, u16)]) {
    let (rx, tx) = (memory(16), memory(16));
    let queues = (
        Rx::<_, _, L>::new(rx.clone(), slots(16), CAPACITY).unwrap(),
        Tx::<_, _, L>::new(tx.clone(), slots(16)).unwrap(),
    );
    nic_model::mad::run(queues, &[rx, tx], CAPACITY, writes);
}

proptest! {
    #[test]
    fn honest_devices(
        sizes in (size(), size()),
        steps in prop::collection::vec(step(), 0..80),
    ) {
        honest::<E1000e>(sizes, Transmit::Legacy, &steps);
        honest::<Igb>(sizes, Transmit::Advanced, &steps);
        honest::<Ixgbe>(sizes, Transmit::Advanced, &steps);
    }

    #[test]
    fn lying_devices(steps in prop::collection::vec(step(), 0..40), more: u32) {
        lying::<E1000e>(Transmit::Legacy, &steps, more);
        lying::<Igb>(Transmit::Advanced, &steps, more);
        lying::<Ixgbe>(Transmit::Advanced, &steps, more);
    }

    #[test]
    fn mad_devices(
        writes in prop::collection::vec((any::<u16>(), any::<u16>()), 1..200),
    ) {
        mad::<E1000e>(&writes);
        mad::<Igb>(&writes);
        mad::<Ixgbe>(&writes);
    }
}

#[test]
fn a_lie_about_the_length() {
    lying::<E1000e>(Transmit::Legacy, &[], 0);
    lying::<Igb>(Transmit::Advanced, &[], 0);
}

#[test]
fn a_device_that_never_answers() {
    let account = Account::new(POOL);
    World::new(&account, ends::<E1000e>((32, 32), Transmit::Legacy)).silent(31);
    World::new(&account, ends::<Igb>((32, 32), Transmit::Advanced)).silent(31);
}

#[test]
fn indices_wrap_twice() {
    let account = Account::new(600);
    World::new(&account, ends::<E1000e>((256, 128), Transmit::Legacy)).long((0, 0));
}
