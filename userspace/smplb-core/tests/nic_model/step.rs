// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can happen to an engine and its devices, at random.

use proptest::prelude::*;

use super::Lie;

/// One thing that happens; what the numbers mean depends on what has happened before.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Refill(usize),
    DeviceReceives {
        count: usize,
        which: usize,
        len: u32,
    },
    Receive(usize),
    Send(usize),
    DeviceSends {
        count: usize,
        which: usize,
    },
    Reclaim(usize),
    ArmRx,
    ArmTx,
    RxSleeps,
    TxSleeps,
    Wake,
}

pub fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..70usize).prop_map(Step::Refill),
        4 => (0..40usize, any::<usize>(), 0..=1514u32)
            .prop_map(|(count, which, len)| Step::DeviceReceives { count, which, len }),
        4 => (0..70usize).prop_map(Step::Receive),
        4 => (0..70usize).prop_map(Step::Send),
        4 => (0..40usize, any::<usize>())
            .prop_map(|(count, which)| Step::DeviceSends { count, which }),
        4 => (0..70usize).prop_map(Step::Reclaim),
        1 => Just(Step::ArmRx),
        1 => Just(Step::ArmTx),
        1 => Just(Step::RxSleeps),
        1 => Just(Step::TxSleeps),
        1 => Just(Step::Wake),
    ]
}

pub fn lie() -> impl Strategy<Value = Lie> {
    prop_oneof![
        any::<u32>().prop_map(Lie::NoSuchDescriptor),
        Just(Lie::Repeat),
        Just(Lie::NotGiven),
        (0..100_000u32).prop_map(Lie::TooLong),
        Just(Lie::TooLong(u32::MAX)),
        Just(Lie::TooShort),
        Just(Lie::TooMany),
    ]
}
