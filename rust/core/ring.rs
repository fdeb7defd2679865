// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Index arithmetic of single-producer, single-consumer rings in shared memory.
//!
//! Two 32-bit counters that only grow (and wrap) say how many elements were ever produced and ever
//! consumed. The producer writes `produced` and the elements from `produced` up to `consumed +
//! capacity`; the consumer writes `consumed` and reads the elements from `consumed` up to
//! `produced`. Nothing here touches an element: the owner of the memory does that between
//! [`Producer::reserve`] and [`Producer::publish`], and between [`Consumer::available`] and
//! [`Consumer::release`].
//!
//! The other side may be hostile (a program that maps the ring): its counter is read once, checked,
//! then used.

/// A counter both sides can see.
pub trait Index {
    /// Reads the counter of the other side; reads and writes of elements stay after it.
    fn load_acquire(&self) -> u32;

    /// Writes this side's counter; reads and writes of elements stay before it.
    fn store_release(&self, value: u32);
}

impl<I: Index + ?Sized> Index for &I {
    fn load_acquire(&self) -> u32 {
        (**self).load_acquire()
    }

    fn store_release(&self, value: u32) {
        (**self).store_release(value);
    }
}

/// The other side's counter cannot be true: it claims to have consumed what was not produced, or
/// produced what has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

/// The positions of elements in the ring: `len` of them from `start`, going round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u32,
    len: u32,
    mask: u32,
}

impl Span {
    /// Number of elements.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Position of element `i` of the span in the ring's memory; always inside the ring.
    #[inline]
    pub fn position(&self, i: u32) -> usize {
        place(self.start, i, self.mask)
    }

    /// All positions in order.
    pub fn positions(self) -> impl Iterator<Item = usize> {
        (0..self.len).map(move |i| self.position(i))
    }
}

/// Where in the ring's memory the element is that is `i` behind the one with number `first`.
#[inline(always)]
fn place(first: u32, i: u32, mask: u32) -> usize {
    (first.wrapping_add(i) & mask) as usize
}

fn mask_of(capacity: u32) -> Option<u32> {
    (capacity.is_power_of_two() && capacity <= 1 << 31).then(|| capacity.wrapping_sub(1))
}

/// The producing end.
#[derive(Debug)]
pub struct Producer<P, C> {
    produced: P,
    consumed: C,
    mask: u32,
    /// This side's counter; the shared one is never read back.
    next: u32,
    /// What the other side's counter was when it was last read.
    seen: u32,
}

impl<P: Index, C: Index> Producer<P, C> {
    /// The end of an empty ring whose counters are both 0. `capacity` is a power of two up to 2^31,
    /// or there is no end.
    pub fn new(produced: P, consumed: C, capacity: u32) -> Option<Self> {
        Some(Self {
            produced,
            consumed,
            mask: mask_of(capacity)?,
            next: 0,
            seen: 0,
        })
    }

    /// Room for up to `wanted` elements. Nothing is taken before [`Producer::publish`].
    pub fn reserve(&mut self, wanted: u32) -> Result<Span, Corrupt> {
        let capacity = self.mask.wrapping_add(1);
        let mut free = capacity.wrapping_sub(self.next.wrapping_sub(self.seen));
        if free < wanted {
            let consumed = self.consumed.load_acquire();
            // It may only have moved forward, and not beyond what was produced.
            if consumed.wrapping_sub(self.seen) > self.next.wrapping_sub(self.seen) {
                return Err(Corrupt);
            }
            self.seen = consumed;
            free = capacity.wrapping_sub(self.next.wrapping_sub(consumed));
        }
        Ok(Span {
            start: self.next,
            len: free.min(wanted),
            mask: self.mask,
        })
    }

    /// Position of element `i` of any span that is reserved before the next is published.
    #[inline(always)]
    pub fn position(&self, i: u32) -> usize {
        place(self.next, i, self.mask)
    }

    /// Shows the first `count` elements of the last reserved span to the consumer.
    pub fn publish(&mut self, count: u32) {
        let used = self.next.wrapping_sub(self.seen);
        let count = count.min(self.mask.wrapping_add(1).wrapping_sub(used));
        self.next = self.next.wrapping_add(count);
        self.produced.store_release(self.next);
    }
}

/// The consuming end.
#[derive(Debug)]
pub struct Consumer<P, C> {
    produced: P,
    consumed: C,
    mask: u32,
    /// This side's counter; the shared one is never read back.
    next: u32,
    /// What the other side's counter was when it was last read.
    seen: u32,
}

impl<P: Index, C: Index> Consumer<P, C> {
    /// The end of an empty ring whose counters are both 0. `capacity` is a power of two up to 2^31,
    /// or there is no end.
    pub fn new(produced: P, consumed: C, capacity: u32) -> Option<Self> {
        Some(Self {
            produced,
            consumed,
            mask: mask_of(capacity)?,
            next: 0,
            seen: 0,
        })
    }

    /// Up to `wanted` elements that can be read.
    pub fn available(&mut self, wanted: u32) -> Result<Span, Corrupt> {
        let mut ready = self.seen.wrapping_sub(self.next);
        if ready < wanted {
            let produced = self.produced.load_acquire();
            let claimed = produced.wrapping_sub(self.next);
            // It may only have moved forward, and not beyond the room there was.
            if claimed > self.mask.wrapping_add(1) || claimed < ready {
                return Err(Corrupt);
            }
            self.seen = produced;
            ready = claimed;
        }
        Ok(Span {
            start: self.next,
            len: ready.min(wanted),
            mask: self.mask,
        })
    }

    /// Position of element `i` of any span that is available before the next is released.
    #[inline(always)]
    pub fn position(&self, i: u32) -> usize {
        place(self.next, i, self.mask)
    }

    /// Gives the first `count` elements of the last span back to the producer.
    pub fn release(&mut self, count: u32) {
        let count = count.min(self.seen.wrapping_sub(self.next));
        self.next = self.next.wrapping_add(count);
        self.consumed.store_release(self.next);
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_ring))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use ::core::cell::Cell;

    use super::*;

    impl Index for Cell<u32> {
        fn load_acquire(&self) -> u32 {
            self.get()
        }

        fn store_release(&self, value: u32) {
            self.set(value);
        }
    }

    #[test]
    fn there_and_back_over_the_end() -> Result<(), ()> {
        let (produced, consumed, mut cells) = (Cell::new(0), Cell::new(0), [0u32; 4]);
        let mut producer = Producer::new(&produced, &consumed, 4).ok_or(())?;
        let mut consumer = Consumer::new(&produced, &consumed, 4).ok_or(())?;
        let (mut next, mut expected) = (0u32, 0u32);
        for round in 0..100u32 {
            let wanted = round % 6;
            let span = producer.reserve(wanted).map_err(|_| ())?;
            assert_eq!(span.len(), wanted.min(4));
            for position in span.positions() {
                if let Some(cell) = cells.get_mut(position) {
                    *cell = next;
                }
                next = next.wrapping_add(1);
            }
            producer.publish(span.len());
            let span = consumer.available(9).map_err(|_| ())?;
            assert_eq!(span.is_empty(), wanted == 0);
            for position in span.positions() {
                assert_eq!(cells.get(position).copied(), Some(expected));
                expected = expected.wrapping_add(1);
            }
            consumer.release(span.len());
        }
        assert_eq!(next, expected);
        Ok(())
    }

    #[test]
    fn counters_wrap() {
        let (produced, consumed) = (Cell::new(u32::MAX), Cell::new(u32::MAX));
        let start = u32::MAX;
        let mut producer = Producer {
            produced: &produced,
            consumed: &consumed,
            mask: 3,
            next: start,
            seen: start,
        };
        let mut consumer = Consumer {
            produced: &produced,
            consumed: &consumed,
            mask: 3,
            next: start,
            seen: start,
        };
        assert_eq!(producer.reserve(3).map(|span| span.len()), Ok(3));
        producer.publish(3);
        assert_eq!(produced.get(), 2);
        assert_eq!(
            consumer
                .available(8)
                .map(|span| (span.len(), span.position(0))),
            Ok((3, 3))
        );
        consumer.release(2);
        assert_eq!(producer.reserve(8).map(|span| span.len()), Ok(3));
    }

    #[test]
    fn a_peer_that_lies() -> Result<(), ()> {
        let (produced, consumed) = (Cell::new(0), Cell::new(0));
        let mut producer = Producer::new(&produced, &consumed, 8).ok_or(())?;
        let mut consumer = Consumer::new(&produced, &consumed, 8).ok_or(())?;
        producer.publish(5);
        consumed.set(6);
        assert_eq!(producer.reserve(8), Err(Corrupt));
        consumed.set(u32::MAX);
        assert_eq!(producer.reserve(8), Err(Corrupt));
        consumed.set(0);
        produced.set(9);
        assert_eq!(consumer.available(1), Err(Corrupt));
        produced.set(8);
        assert_eq!(consumer.available(1).map(|span| span.len()), Ok(1));
        produced.set(7);
        assert_eq!(consumer.available(9), Err(Corrupt));
        // No more is given back than was taken.
        consumer.release(100);
        assert_eq!(consumed.get(), 8);
        assert!(Producer::new(&produced, &consumed, 6).is_none());
        assert!(Producer::new(&produced, &consumed, 0).is_none());
        Ok(())
    }
}
