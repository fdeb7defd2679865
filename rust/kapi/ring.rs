// SPDX-License-Identifier: GPL-2.0

//! A ring of packets between one producer and one consumer (the packet store
//! of seed figure 8).

use core::cell::Cell;
use core::marker::PhantomData;
use kernel::alloc::flags::GFP_KERNEL_ACCOUNT;
use kernel::bindings::sk_buff;
use kernel::prelude::*;
use kernel::sync::atomic::{Acquire, Atomic, Relaxed, Release};

use super::skb::Skb;

/// Keeps what one side writes off the lines of the other side, and off the
/// neighbour line that hardware prefetches with it.
#[repr(align(128))]
struct Line<T>(T);

/// What a ring can carry: something owned that fits into a word.
///
/// # Safety
///
/// A value may be sent to another thread, and `from_word` is sound for what
/// `into_word` returned, once.
pub(crate) unsafe trait Parcel: Sized {
    /// Gives up the value.
    fn into_word(self) -> usize;

    /// Takes the value back.
    ///
    /// # Safety
    ///
    /// `word` came from [`Parcel::into_word`] and is used once.
    unsafe fn from_word(word: usize) -> Self;
}

// SAFETY: A packet may be handled on any CPU; the word is its address.
unsafe impl Parcel for Skb {
    #[inline(always)]
    fn into_word(self) -> usize {
        self.into_raw().expose_provenance()
    }

    #[inline(always)]
    unsafe fn from_word(word: usize) -> Self {
        // SAFETY: The address of a packet that was owned and given up.
        unsafe { Self::from_raw(core::ptr::with_exposed_provenance_mut::<sk_buff>(word)) }
    }
}

/// A ring of packets as the kernel knows them.
pub(crate) type SkbRing = Ring<Skb>;

struct Producer {
    index: Atomic<u32>,
    /// The consumer's index as last read; saves the shared line most times.
    consumer_seen: Cell<u32>,
    /// Parcels refused since the ring exists.
    refused: Atomic<u64>,
}

/// A bounded single-producer single-consumer ring of owned parcels.
///
/// # Invariants
///
/// - `slots.len()` is a power of two of at most 2^31.
/// - `producer.index - consumer` (wrapping) is at most `slots.len()`; the slots
///   from `consumer` up to `producer.index` each own one parcel, all others
///   none.
/// - Only the producer touches `producer.consumer_seen` and slots outside of
///   that range, only the consumer slots inside of it.
pub(crate) struct Ring<T: Parcel> {
    producer: Line<Producer>,
    consumer: Line<Atomic<u32>>,
    slots: KVVec<Atomic<usize>>,
    parcels: PhantomData<T>,
}

// SAFETY: A parcel may be sent to any thread, and the one `Cell` is touched by
// the producer alone, by the safety requirement of `push`.
unsafe impl<T: Parcel> Send for Ring<T> {}
// SAFETY: As above.
unsafe impl<T: Parcel> Sync for Ring<T> {}

impl<T: Parcel> Ring<T> {
    /// Allocates a ring of `size` parcels, rounded up to a power of two.
    pub(crate) fn new(size: u32) -> Result<Self> {
        let size = size.clamp(2, 1 << 20).next_power_of_two();
        let mut slots = KVVec::with_capacity(size as usize, GFP_KERNEL_ACCOUNT)?;
        for _ in 0..size {
            slots.push(Atomic::new(0), GFP_KERNEL_ACCOUNT)?;
        }
        // INVARIANT: A power of two; producer and consumer are equal.
        Ok(Self {
            producer: Line(Producer {
                index: Atomic::new(0),
                consumer_seen: Cell::new(0),
                refused: Atomic::new(0),
            }),
            consumer: Line(Atomic::new(0)),
            slots,
            parcels: PhantomData,
        })
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> Option<&Atomic<usize>> {
        // Size is a power of two by the type invariants.
        self.slots
            .get(index as usize & self.slots.len().wrapping_sub(1))
    }

    #[inline]
    fn full(&self, index: u32) -> bool {
        let p = &self.producer.0;
        let size = self.slots.len() as u32;
        if index.wrapping_sub(p.consumer_seen.get()) < size {
            return false;
        }
        p.consumer_seen.set(self.consumer.0.load(Acquire));
        index.wrapping_sub(p.consumer_seen.get()) >= size
    }

    /// Puts a parcel on the ring, or gives it back when the ring is full.
    ///
    /// # Safety
    ///
    /// Only one caller at a time may be in `push` or `has_room`.
    #[inline]
    pub(crate) unsafe fn push(&self, parcel: T) -> Result<(), T> {
        let p = &self.producer.0;
        let index = p.index.load(Relaxed);
        if self.full(index) {
            return Err(parcel);
        }
        let Some(slot) = self.slot(index) else {
            return Err(parcel);
        };
        // INVARIANT: The slot is outside of the consumer's range; the release
        // store hands it and its parcel over.
        slot.store(parcel.into_word(), Relaxed);
        p.index.store(index.wrapping_add(1), Release);
        Ok(())
    }

    /// Whether a parcel would be taken now.
    ///
    /// # Safety
    ///
    /// As for [`SkbRing::push`].
    pub(crate) unsafe fn has_room(&self) -> bool {
        !self.full(self.producer.0.index.load(Relaxed))
    }

    /// Counts `n` parcels as refused. By the producer only.
    pub(crate) fn count_refused(&self, n: u64) {
        let refused = &self.producer.0.refused;
        refused.store(refused.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Parcels refused since the ring exists.
    pub(crate) fn refused(&self) -> u64 {
        self.producer.0.refused.load(Relaxed)
    }

    /// Whether there is nothing to take.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.producer.0.index.load(Acquire) == self.consumer.0.load(Relaxed)
    }

    /// How many parcels there are: no fewer for the consumer, no more for the
    /// producer.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        let consumer = self.consumer.0.load(Acquire);
        self.producer.0.index.load(Acquire).wrapping_sub(consumer) as usize
    }

    /// Hands up to `max` parcels to `take`, oldest first; returns how many.
    ///
    /// # Safety
    ///
    /// Only one caller at a time may take parcels from the ring.
    #[inline(always)]
    pub(crate) unsafe fn pop_burst(&self, max: usize, mut take: impl FnMut(T)) -> usize {
        let from = self.consumer.0.load(Relaxed);
        let ready = self.producer.0.index.load(Acquire).wrapping_sub(from);
        let n = (ready as usize).min(max);
        for i in 0..n {
            let Some(slot) = self.slot(from.wrapping_add(i as u32)) else {
                break;
            };
            // SAFETY: By the type invariants the slot owns a parcel, which
            // leaves it here: the consumer index moves past it below.
            take(unsafe { T::from_word(slot.load(Relaxed)) });
        }
        self.consumer.0.store(from.wrapping_add(n as u32), Release);
        n
    }
}

impl<T: Parcel> Drop for Ring<T> {
    fn drop(&mut self) {
        // SAFETY: `&mut self`: nobody else is at the ring.
        while unsafe { self.pop_burst(64, drop) } > 0 {}
    }
}

#[kernel::macros::kunit_tests(smplb_ring)]
mod tests {
    use super::super::burst::Packet;
    use super::*;

    /// A frame whose first octet is `mark`.
    fn marked(mark: u8) -> Result<Skb> {
        let mut frame = [0; 60];
        frame[0] = mark;
        Skb::from_frame(&frame)
    }

    #[test]
    fn packets_come_out_in_order_and_a_full_ring_gives_them_back() -> Result {
        let ring = SkbRing::new(4)?;
        for round in 0..3u8 {
            for i in 0..4 {
                // SAFETY: The only producer.
                assert!(unsafe { ring.push(marked(round * 4 + i)?) }.is_ok());
            }
            // SAFETY: As above.
            assert!(unsafe { ring.push(marked(99)?) }.is_err());
            // SAFETY: As above.
            assert!(!unsafe { ring.has_room() });
            let mut next = round * 4;
            let mut in_order = true;
            // SAFETY: The only consumer.
            let taken = unsafe {
                ring.pop_burst(3, |mut skb| {
                    in_order &= skb.frame().head.first() == Some(&next);
                    next += 1;
                })
            };
            assert_eq!(taken, 3);
            // SAFETY: As above.
            assert_eq!(unsafe { ring.pop_burst(64, drop) }, 1);
            assert!(in_order);
            assert!(ring.is_empty());
        }
        Ok(())
    }

    #[test]
    fn sizes_are_rounded_up_and_packets_left_are_freed() -> Result {
        let ring = SkbRing::new(3)?;
        for i in 0..4 {
            // SAFETY: The only producer.
            assert!(unsafe { ring.push(marked(i)?) }.is_ok());
        }
        ring.count_refused(2);
        assert_eq!(ring.refused(), 2);
        Ok(())
    }
}
