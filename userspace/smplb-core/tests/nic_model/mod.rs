// SPDX-License-Identifier: MIT OR Apache-2.0

//! Model devices: the NIC's side of each kind of ring, honest or not.

#![allow(dead_code)]

pub mod intel;
pub mod mad;
pub mod memory;
pub mod packed;
pub mod split;
pub mod step;
pub mod story;
pub mod virtio;
pub mod world;

use smplb_core::nic::queue::Fault;

/// A buffer the driver made available to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number in the ring.
    pub number: u16,
    pub address: u64,
    pub len: u32,
    /// Whether the device may write to it.
    pub write: bool,
}

/// What a device can lie about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    NoSuchDescriptor(u32),
    Repeat,
    NotGiven,
    TooLong(u32),
    TooShort,
    TooMany,
}

/// The device's side of a ring.
pub trait Device {
    /// Octets in front of each frame.
    const HEADER: u32;
    /// Whether interrupts and doorbells are wished for in the ring's memory.
    const EVENTS: bool;

    /// Takes what the driver made available, and returns how many buffers.
    fn poll(&mut self) -> usize;

    /// What it holds, in the order it was given.
    fn held(&self) -> &[Held];

    /// Finishes a held buffer: number `i` of them, if the format lets it choose, else the first.
    fn finish(&mut self, i: usize, written: u32) -> Held;

    /// Tells a lie, and which fault the driver must find, if the format knows the lie. It holds at
    /// least two buffers and not all of the ring.
    fn lie(&mut self, lie: Lie) -> Option<Fault>;

    /// The driver rang the doorbell with this value.
    fn doorbell(&mut self, value: u16);

    /// Whether the driver wants an interrupt for what was finished since the last call.
    fn interrupt(&mut self) -> bool;

    /// Asks for a doorbell, and tells whether nothing has been made available meanwhile.
    fn sleep(&mut self) -> bool;

    /// Asks for no doorbell.
    fn wake(&mut self);
}
