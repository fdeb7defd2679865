// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Where the rings are in their memory.
//!
//! A ring is the counter of its producer and that of its consumer, each on lines of its own (two, as
//! processors fetch them in pairs), and then its elements: buffer numbers of 32 bits.

use super::shared::{Shared, Word};

/// Octets from the start of a ring to the counter of its producer,
const PRODUCER: usize = 0;
/// to that of its consumer,
const CONSUMER: usize = 128;
/// and to its elements.
const ELEMENTS: usize = 256;

/// Most elements of a ring.
pub const MOST: u32 = 1 << 15;

/// Which ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// Free buffers, from the application.
    Fill,
    /// Received frames, to the application.
    Receive,
    /// Frames to send, from the application.
    Transmit,
    /// Buffers for those that were sent, to the application.
    Completion,
}

impl Ring {
    /// All of them, in the order in which they lie in memory.
    pub const ALL: [Self; 4] = [Self::Fill, Self::Receive, Self::Transmit, Self::Completion];
}

/// The places of one ring, in words of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// Counter of the producer.
    pub producer: usize,
    /// Counter of the consumer.
    pub consumer: usize,
    /// First element.
    pub elements: usize,
}

impl Places {
    /// The counters of the producer and of the consumer.
    pub fn counters<M: Shared + Clone>(&self, memory: &M) -> (Word<M>, Word<M>) {
        let word = |at| Word::new(memory.clone(), at);
        (word(self.producer), word(self.consumer))
    }
}

/// Rings with the same number of elements, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    size: u32,
}

impl Layout {
    /// Rings of `size` elements; `None` unless that is a power of two, 32 to [`MOST`].
    pub fn new(size: u32) -> Option<Self> {
        (size.is_power_of_two() && (32..=MOST).contains(&size)).then_some(Self { size })
    }

    /// Elements of a ring.
    pub fn size(&self) -> u32 {
        self.size
    }

    /// Octets of one ring.
    fn octets_of_one(&self) -> usize {
        (self.size as usize).wrapping_mul(4).wrapping_add(ELEMENTS)
    }

    /// Octets of all rings.
    pub fn octets(&self) -> usize {
        self.octets_of_one().wrapping_mul(Ring::ALL.len())
    }

    /// Where a ring is.
    pub fn places(&self, ring: Ring) -> Places {
        let start = self.octets_of_one().wrapping_mul(ring as usize);
        let word = |octet: usize| start.wrapping_add(octet) >> 2;
        Places {
            producer: word(PRODUCER),
            consumer: word(CONSUMER),
            elements: word(ELEMENTS),
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_layout))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn rings_do_not_overlap() -> Result<(), ()> {
        let layout = Layout::new(64).ok_or(())?;
        assert_eq!(layout.octets(), 4 * 512);
        let mut end = 0;
        for ring in Ring::ALL {
            let places = layout.places(ring);
            assert_eq!(places.producer, end);
            assert_eq!(places.consumer, end.wrapping_add(32));
            assert_eq!(places.elements, end.wrapping_add(64));
            end = places.elements.wrapping_add(64);
        }
        assert_eq!(end.wrapping_mul(4), layout.octets());
        for size in [0, 31, 33, 16, 1 << 16] {
            assert_eq!(Layout::new(size), None);
        }
        Ok(())
    }
}
