// SPDX-License-Identifier: MIT OR Apache-2.0

//! Both sides of a channel in one thread, for tests and the fuzzer.

#![allow(dead_code)]

pub mod hostile;

use std::cell::Cell;
use std::ops::Range;
use std::rc::Rc;

use smplb_core::channel::bad::Limits;
use smplb_core::channel::end::{Broken, End, Received};
use smplb_core::channel::entry::Entry;
use smplb_core::channel::layout::{Layout, Ring};
use smplb_core::channel::ledger::Bits;
use smplb_core::channel::shared::{Shared, Word};
use smplb_core::ring::{Consumer, Producer};

/// Buffers of a channel.
pub const BUFFERS: u32 = 24;
/// What frames may be.
pub const LIMITS: Limits = Limits {
    size: 2048,
    headroom: 128,
    longest: 1518,
};

/// Memory of both sides, kept inside by a remainder.
#[derive(Clone, Debug)]
pub struct Memory(Rc<[Cell<u32>]>);

impl Memory {
    pub fn new(octets: usize) -> Self {
        Self((0..octets / 4).map(|_| Cell::new(0)).collect())
    }

    fn word(&self, i: usize) -> &Cell<u32> {
        &self.0[i % self.0.len()]
    }
}

impl Shared for Memory {
    type View<'a> = &'a Self;

    fn view(&self) -> &Self {
        self
    }

    fn load32(&self, i: usize) -> u32 {
        self.word(i).get()
    }

    fn load64(&self, i: usize) -> u64 {
        u64::from(self.load32(2 * i)) | u64::from(self.load32(2 * i + 1)) << 32
    }

    fn store32(&self, i: usize, value: u32) {
        self.word(i).set(value);
    }

    fn store64(&self, i: usize, value: u64) {
        self.store32(2 * i, value as u32);
        self.store32(2 * i + 1, (value >> 32) as u32);
    }

    fn load32_acquire(&self, i: usize) -> u32 {
        self.load32(i)
    }

    fn store32_release(&self, i: usize, value: u32) {
        self.store32(i, value);
    }
}

/// The application's ends of the rings.
pub struct App {
    pub memory: Memory,
    pub list: Memory,
    pub layout: Layout,
    fill: Producer<Word<Memory>, Word<Memory>>,
    transmit: Producer<Word<Memory>, Word<Memory>>,
    receive: Consumer<Word<Memory>, Word<Memory>>,
    completion: Consumer<Word<Memory>, Word<Memory>>,
}

impl App {
    pub fn new(memory: &Memory, list: &Memory, layout: Layout) -> Self {
        let produce = |ring| {
            let (producer, consumer) = layout.places(ring).counters(memory);
            Producer::new(producer, consumer, layout.size()).unwrap()
        };
        let consume = |ring| {
            let (producer, consumer) = layout.places(ring).counters(memory);
            Consumer::new(producer, consumer, layout.size()).unwrap()
        };
        Self {
            fill: produce(Ring::Fill),
            transmit: produce(Ring::Transmit),
            receive: consume(Ring::Receive),
            completion: consume(Ring::Completion),
            memory: memory.clone(),
            list: list.clone(),
            layout,
        }
    }

    /// Puts a number on a ring; false if that is full.
    pub fn put(&mut self, ring: Ring, buffer: u32) -> bool {
        let elements = self.layout.places(ring).elements;
        let producer = match ring {
            Ring::Fill => &mut self.fill,
            _ => &mut self.transmit,
        };
        let span = producer.reserve(1).unwrap();
        if span.is_empty() {
            return false;
        }
        self.memory.store32(elements + span.position(0), buffer);
        producer.publish(1);
        true
    }

    /// Hands a frame over (figure 12, steps 322 to 324).
    pub fn send(&mut self, entry: Entry) -> bool {
        entry.store(&self.list, entry.buffer);
        self.put(Ring::Transmit, entry.buffer)
    }

    /// Takes all that is on a ring.
    pub fn take(&mut self, ring: Ring) -> Vec<Entry> {
        let elements = self.layout.places(ring).elements;
        let consumer = match ring {
            Ring::Receive => &mut self.receive,
            _ => &mut self.completion,
        };
        let span = consumer.available(u32::MAX).unwrap();
        let numbers = span.positions().map(|at| self.memory.load32(elements + at));
        let entries = numbers.map(|number| Entry::load(&self.list, number));
        let entries: Vec<_> = entries.collect();
        consumer.release(span.len());
        entries
    }
}

/// A frame that may be sent.
pub fn frame(buffer: u32) -> Entry {
    Entry {
        buffer,
        offset: 128,
        len: 60,
        ..Entry::default()
    }
}

/// One that was received.
pub const RECEIVED: Received = Received {
    offset: 128,
    len: 60,
    port: 0,
};

/// Buffers of those that the kernel keeps at first.
pub const KEPT: Range<u32> = BUFFERS - 4..BUFFERS;

/// What the application receives of a frame, which goes into a buffer that it has given.
pub fn receive(
    end: &mut End<Memory>,
    bits: &mut Bits<'_>,
    frame: Received,
) -> Result<Option<u32>, Broken> {
    let mut got = None;
    let given = end.deliver(1, 1, bits, &mut [frame].into_iter(), |frame, buffer| {
        got = Some(buffer);
        (buffer, frame)
    })?;
    let (frames, octets) = (got.iter().len() as u32, u64::from(frame.len));
    assert_eq!(
        (given.frames, given.octets),
        (frames, octets * u64::from(frames))
    );
    Ok(got)
}

/// A channel whose application has all buffers but [`KEPT`].
pub fn open(words: &mut [u64], ring: u32) -> (End<Memory>, App, Bits<'_>) {
    let layout = Layout::new(ring).unwrap();
    let (memory, list) = (Memory::new(layout.octets()), Memory::new(16 * 32));
    let app = App::new(&memory, &list, layout);
    let mut end = End::new(memory, list, layout).unwrap();
    let mut bits = Bits::new(words, BUFFERS);
    for buffer in 0..KEPT.start {
        end.grant(&mut bits, buffer);
    }
    assert_eq!(end.flush(), KEPT.start);
    (end, app, bits)
}
