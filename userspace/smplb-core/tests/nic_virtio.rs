// SPDX-License-Identifier: MIT OR Apache-2.0

//! Virtqueues against model devices: honest ones in any order, lying ones, and ones that write
//! anything anywhere.

mod nic_model;

use proptest::prelude::*;
use smplb_core::nic::queue::Queue;
use smplb_core::nic::shadow::Slot;
use smplb_core::nic::virtio::packed::Packed;
use smplb_core::nic::virtio::split::Split;
use smplb_core::nic::virtio::{Areas, Ring, Rx, Tx};

use nic_model::memory::Memory;
use nic_model::packed::PackedDevice;
use nic_model::split::SplitDevice;
use nic_model::step::{lie, step, Step};
use nic_model::world::{Account, Ends, World, BUFFER};
use nic_model::{Device, Lie};

const POOL: usize = 200;

/// One format of virtqueues.
trait Format {
    type Ring: Ring;
    type Device: Device;
    fn areas(size: u16) -> Areas;
    fn ring(memory: Memory, size: u16, event_idx: bool) -> Self::Ring;
    fn device(memory: Memory, size: u16, event_idx: bool) -> Self::Device;
}

macro_rules! format {
    ($name:ident, $ring:ident, $device:ident) => {
        struct $name;

        impl Format for $name {
            type Ring = $ring<Memory, Vec<Slot>>;
            type Device = $device;

            fn areas(size: u16) -> Areas {
                Self::Ring::areas(size)
            }

            fn ring(memory: Memory, size: u16, event_idx: bool) -> Self::Ring {
                let slots = vec![Slot::default(); usize::from(size)];
                $ring::new(memory, slots, event_idx).unwrap()
            }

            fn device(memory: Memory, size: u16, event_idx: bool) -> Self::Device {
                $device::new(memory, Self::areas(size), size, event_idx)
            }
        }
    };
}

format!(SplitFormat, Split, SplitDevice);
format!(PackedFormat, Packed, PackedDevice);

type FormatEnds<F> = Ends<
    Rx<<F as Format>::Ring, { BUFFER as u16 }>,
    Tx<<F as Format>::Ring>,
    <F as Format>::Device,
    <F as Format>::Device,
>;

fn ends<F: Format>(sizes: (u16, u16), event_idx: bool) -> FormatEnds<F> {
    let [rx, tx] = [sizes.0, sizes.1].map(|size| Memory::new(F::areas(size).len));
    Ends {
        rx: Rx::new(F::ring(rx.clone(), sizes.0, event_idx)),
        tx: Tx::new(F::ring(tx.clone(), sizes.1, event_idx)),
        rx_device: F::device(rx, sizes.0, event_idx),
        tx_device: F::device(tx, sizes.1, event_idx),
    }
}

fn size() -> impl Strategy<Value = u16> {
    prop_oneof![Just(2u16), Just(8), Just(64), Just(256)]
}

fn honest<F: Format>(sizes: (u16, u16), event_idx: bool, steps: &[Step]) {
    let account = Account::new(POOL);
    let mut world = World::new(&account, ends::<F>(sizes, event_idx));
    world.run_all(steps);
    world.end();
}

/// After honest work, one queue meets a lie, if the device is able to tell it then.
fn lying<F: Format>(event_idx: bool, steps: &[Step], lie: Lie, receive: bool) -> bool {
    let account = Account::new(POOL);
    let mut world = World::new(&account, ends::<F>((32, 32), event_idx));
    let feed = [
        Step::Refill(4),
        Step::DeviceReceives {
            count: 1,
            which: 0,
            len: 60,
        },
        Step::Receive(64),
        Step::Refill(4),
        Step::DeviceReceives {
            count: 4,
            which: 1,
            len: 60,
        },
        Step::Receive(64),
        Step::Send(64),
        Step::DeviceSends { count: 1, which: 0 },
        Step::Refill(4),
    ];
    world.run_all(steps.iter().chain(&feed));
    let ends = &mut world.ends;
    let (held, outstanding) = if receive {
        (ends.rx_device.held().len(), ends.rx.outstanding())
    } else {
        (ends.tx_device.held().len(), ends.tx.outstanding())
    };
    let length = matches!(lie, Lie::TooLong(_) | Lie::TooShort);
    if held < 2 || outstanding >= 31 || (length && !receive) {
        return false;
    }
    let fault = if receive {
        ends.rx_device.lie(lie)
    } else {
        ends.tx_device.lie(lie)
    };
    let Some(fault) = fault else {
        return false;
    };
    world.meet(receive, fault);
    world.end();
    true
}

/// A device that writes anything anywhere.
fn mad<F: Format>(event_idx: bool, writes: &[(u16, u16)]) {
    let [rx, tx] = [(); 2].map(|()| Memory::new(F::areas(16).len));
    let queues = (
        Rx::<_, { BUFFER as u16 }>::new(F::ring(rx.clone(), 16, event_idx)),
        Tx::new(F::ring(tx.clone(), 16, event_idx)),
    );
    let most = BUFFER as u16 - 12;
    nic_model::mad::run(queues, &[rx, tx], most, writes);
}

proptest! {
    #[test]
    fn honest_devices(
        sizes in (size(), size()),
        event_idx: bool,
        steps in prop::collection::vec(step(), 0..80),
    ) {
        honest::<SplitFormat>(sizes, event_idx, &steps);
        honest::<PackedFormat>(sizes, event_idx, &steps);
    }

    #[test]
    fn lying_devices(
        event_idx: bool,
        steps in prop::collection::vec(step(), 0..40),
        lie in lie(),
        receive: bool,
    ) {
        lying::<SplitFormat>(event_idx, &steps, lie, receive);
        lying::<PackedFormat>(event_idx, &steps, lie, receive);
    }

    #[test]
    fn mad_devices(
        event_idx: bool,
        writes in prop::collection::vec((any::<u16>(), prop_oneof![0..20u16, any::<u16>()]), 1..200),
    ) {
        mad::<SplitFormat>(event_idx, &writes);
        mad::<PackedFormat>(event_idx, &writes);
    }
}

/// The lies that each format knows are met at least once, whatever the random tests did.
#[test]
fn every_lie() {
    let lies = [
        Lie::NoSuchDescriptor(0),
        Lie::NoSuchDescriptor(u32::MAX),
        Lie::Repeat,
        Lie::NotGiven,
        Lie::TooLong(0),
        Lie::TooLong(u32::MAX),
        Lie::TooShort,
        Lie::TooMany,
    ];
    for lie in lies {
        let length = matches!(lie, Lie::TooLong(_) | Lie::TooShort);
        for (receive, event_idx) in [(true, true), (true, false), (false, true), (false, false)] {
            let split = lying::<SplitFormat>(event_idx, &[], lie, receive);
            let packed = lying::<PackedFormat>(event_idx, &[], lie, receive);
            // What a device says it wrote of a frame to be sent does not matter.
            assert_eq!(split, receive || !length, "{lie:?}");
            assert_eq!(packed, split && lie != Lie::TooMany, "{lie:?}");
        }
    }
}

fn long<F: Format>() {
    let account = Account::new(600);
    World::new(&account, ends::<F>((256, 128), true)).long((5, 7));
}

#[test]
fn indices_wrap_twice() {
    long::<SplitFormat>();
    long::<PackedFormat>();
}

#[test]
fn a_device_that_never_answers() {
    let account = Account::new(POOL);
    for event_idx in [false, true] {
        World::new(&account, ends::<SplitFormat>((64, 64), event_idx)).silent(64);
        World::new(&account, ends::<PackedFormat>((64, 64), event_idx)).silent(64);
    }
}
