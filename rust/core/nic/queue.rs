// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The words of receive and transmit queues, the same for every kind of NIC.

/// The number of a buffer in the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BufferId(pub u32);

/// What a NIC says about a frame it received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing: the checksums of the frame are not known to be right.
    #[default]
    Unchecked,
    /// The checksum of the transport header is right.
    Good,
    /// The field holds the sum of the pseudo header only; whoever sends the frame on finishes it.
    Partial {
        /// Where the part that is summed up begins, octets from the start of the frame.
        start: u16,
        /// Where the field is, octets from `start`.
        offset: u16,
    },
    /// A checksum is wrong, of the network or the transport header.
    BadChecksum,
    /// Not a whole frame, or one with errors: to be dropped.
    Damaged,
}

/// A frame that a NIC wrote into a buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Received {
    /// The buffer; it belongs to the caller again.
    pub buffer: BufferId,
    /// Length of the frame, octets, without FCS.
    pub len: u16,
    /// What the NIC says about it.
    pub condition: Condition,
}

/// A buffer as a descriptor points at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transmit {
    /// The buffer; once taken it belongs to the NIC until [`TxQueue::reclaim`] gives it back.
    pub buffer: BufferId,
    /// Octets the NIC reads: the frame without FCS, and what the NIC wants in front of it.
    pub len: u32,
    /// Address of the first of them, as the NIC sees it.
    pub address: u64,
}

/// What a ring was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// How many buffers.
    pub count: usize,
    /// Octets of all of them together, as in [`Transmit::len`].
    pub octets: u64,
}

/// Why a queue is broken. It stays so until its device has been reset and the queue made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// The device has finished more buffers than it was given.
    TooMany,
    /// The device returned a number that no descriptor of the ring has.
    NoSuchDescriptor,
    /// The device returned a descriptor that it was not given, or returned it twice.
    NotOutstanding,
    /// The device wrote more than the buffer holds.
    TooLong,
    /// The device wrote less than the header in front of each frame.
    TooShort,
    /// The queue has been stopped and its buffers taken back.
    Stopped,
}

impl Fault {
    /// Number of faults.
    pub const COUNT: usize = 6;

    /// All faults in order of their number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::TooMany,
        Self::NoSuchDescriptor,
        Self::NotOutstanding,
        Self::TooLong,
        Self::TooShort,
        Self::Stopped,
    ];

    /// Name in messages and statistics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooMany => "too-many-finished",
            Self::NoSuchDescriptor => "no-such-descriptor",
            Self::NotOutstanding => "not-outstanding",
            Self::TooLong => "too-long",
            Self::TooShort => "too-short",
            Self::Stopped => "stopped",
        }
    }
}

/// What receive and transmit queues have in common.
pub trait Queue {
    /// Descriptors that can be filled now; 0 if the queue is broken.
    fn room(&self) -> u32;

    /// Buffers the device holds.
    fn outstanding(&self) -> u32;

    /// What broke the queue.
    fn fault(&self) -> Option<Fault>;

    /// Whether the device has finished a buffer that was not taken yet.
    fn has_finished(&self) -> bool;

    /// Whether the doorbell must be rung for what was filled since the last call: once per burst,
    /// after everything was filled.
    ///
    /// The value is the index behind the last filled descriptor: what Intel's tail registers take,
    /// and the upper half of virtio's notification data.
    fn kick(&mut self) -> Option<u16>;

    /// Asks the device for an interrupt at its next buffer, and tells whether the engine may sleep.
    ///
    /// The shell unmasks the vector before it calls this. If a buffer has come meanwhile, or the
    /// queue is broken, the answer is no, the device is told to be silent again, and the shell masks
    /// the vector and polls on: no wake-up is lost.
    fn arm(&mut self) -> bool;

    /// Tells the device that no interrupt is wanted; the state in which a queue begins.
    fn disarm(&mut self);

    /// Ends the queue and gives all buffers that the device held to `sink`. Only when the device can
    /// no longer reach them: after its reset, or behind an IOMMU that refuses it.
    fn stop(&mut self, sink: impl FnMut(BufferId));
}

/// A queue of buffers that a NIC fills with frames.
pub trait RxQueue: Queue {
    /// Octets that the NIC writes in front of each frame: where that starts, from the address that
    /// [`RxQueue::refill`] is told.
    const OFFSET: u16;

    /// Hands up to `most` frames to `sink`, which must not look into them yet, and returns how many.
    /// Those before a lie are given out; the next call is refused.
    fn receive_each(&mut self, most: usize, sink: impl FnMut(Received)) -> Result<usize, Fault>;

    /// Takes up to `out.len()` frames, likewise.
    #[inline]
    fn receive(&mut self, out: &mut [Received]) -> Result<usize, Fault> {
        let most = out.len();
        let mut places = out.iter_mut();
        self.receive_each(most, |received| {
            if let Some(place) = places.next() {
                *place = received;
            }
        })
    }

    /// Fills free descriptors with `buffers`, no more than there is [`Queue::room`] for, each with the
    /// address the NIC writes to, of which the buffer must have room for as many octets as the queue
    /// was made for. Returns how many.
    fn refill(&mut self, buffers: impl Iterator<Item = (BufferId, u64)>) -> usize;
}

/// A queue of frames that a NIC sends.
pub trait TxQueue: Queue {
    /// Puts frames on the ring, no more than there is [`Queue::room`] for.
    fn send(&mut self, frames: impl Iterator<Item = Transmit>) -> Given;

    /// Gives up to `max` buffers whose frames were sent to `sink`, and returns how many. Those before
    /// a lie are given out; the next call is refused.
    fn reclaim(&mut self, max: usize, sink: impl FnMut(BufferId)) -> Result<usize, Fault>;
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_nic_queue))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn faults_are_numbered_in_order() {
        for (number, fault) in Fault::ALL.iter().enumerate() {
            assert_eq!(*fault as usize, number);
            assert!(!fault.name().is_empty());
        }
    }

    #[test]
    fn descriptions_are_small() {
        assert_eq!(::core::mem::size_of::<Received>(), 12);
        assert_eq!(::core::mem::size_of::<Transmit>(), 16);
    }
}
