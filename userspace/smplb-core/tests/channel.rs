// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's end of a channel against applications: one that keeps to the rules, those that make
//! every mistake there is, and one that writes anything anywhere.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::prelude::*;
use smplb_core::channel::bad::{Bad, Limits, PATIENCE};
use smplb_core::channel::end::{Broken, End, Sent, Taken};
use smplb_core::channel::entry::{Entry, Owner, REFUSED};
use smplb_core::channel::layout::{Layout, Ring};
use smplb_core::channel::ledger::{Bits, Ledger};
use smplb_core::channel::shared::{Shared, Word};
use smplb_core::ring::{Consumer, Producer};

const BUFFERS: u32 = 24;
const LIMITS: Limits = Limits {
    size: 2048,
    headroom: 128,
    longest: 1518,
};

/// Memory of both sides, kept inside by a remainder.
#[derive(Clone, Debug)]
struct Memory(Rc<[Cell<u32>]>);

impl Memory {
    fn new(octets: usize) -> Self {
        Self((0..octets / 4).map(|_| Cell::new(0)).collect())
    }

    fn word(&self, i: usize) -> &Cell<u32> {
        &self.0[i % self.0.len()]
    }
}

impl Shared for Memory {
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
struct App {
    memory: Memory,
    list: Memory,
    layout: Layout,
    fill: Producer<Word<Memory>, Word<Memory>>,
    transmit: Producer<Word<Memory>, Word<Memory>>,
    receive: Consumer<Word<Memory>, Word<Memory>>,
    completion: Consumer<Word<Memory>, Word<Memory>>,
}

impl App {
    fn new(memory: &Memory, list: &Memory, layout: Layout) -> Self {
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
    fn put(&mut self, ring: Ring, buffer: u32) -> bool {
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
    fn send(&mut self, entry: Entry) -> bool {
        entry.store(&self.list, entry.buffer);
        self.put(Ring::Transmit, entry.buffer)
    }

    /// Takes all that is on a ring.
    fn take(&mut self, ring: Ring) -> Vec<Entry> {
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
fn frame(buffer: u32) -> Entry {
    Entry {
        buffer,
        offset: 128,
        len: 60,
        ..Entry::default()
    }
}

/// A channel whose application has all buffers.
fn open(words: &mut [u64], ring: u32) -> (End<Memory>, App, Bits<'_>) {
    let layout = Layout::new(ring).unwrap();
    let (memory, list) = (Memory::new(layout.octets()), Memory::new(16 * 32));
    let app = App::new(&memory, &list, layout);
    let mut end = End::new(memory, list, layout, LIMITS).unwrap();
    let mut bits = Bits::new(words, BUFFERS).unwrap();
    for buffer in 0..BUFFERS {
        assert_eq!(end.grant(&mut bits, buffer), Ok(true));
    }
    assert_eq!(end.flush(), BUFFERS);
    (end, app, bits)
}

#[test]
fn frames_go_both_ways() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    let mut free: Vec<u32> = app
        .take(Ring::Completion)
        .iter()
        .map(|e| e.buffer)
        .collect();
    assert_eq!(free, (0..BUFFERS).collect::<Vec<_>>());
    for round in 0..1000u16 {
        // Received: three, in buffers that the application gave.
        for _ in 0..4 {
            assert!(app.put(Ring::Fill, free.pop().unwrap()));
        }
        for nth in 0..3 {
            let buffer = end.free(1, &mut bits).unwrap().unwrap();
            let entry = Entry {
                len: 60 + nth,
                port: round,
                ..frame(buffer)
            };
            end.receive(entry, &mut bits).unwrap();
        }
        // Before `flush` the application sees nothing.
        assert_eq!(app.take(Ring::Receive), []);
        assert_eq!(end.flush(), 3);
        let received = app.take(Ring::Receive);
        assert_eq!(
            received.iter().map(|e| (e.len, e.port)).collect::<Vec<_>>(),
            [(60, round), (61, round), (62, round)]
        );
        // Sent: the same three. The engine keeps one, and gives another one for it, as long as there
        // is room.
        for entry in received {
            // Step 344.
            assert_eq!(entry.owner, Owner::Application as u16);
            assert!(app.send(Entry {
                owner: Owner::Nic as u16,
                ..entry
            }));
        }
        let spare = end.free(1, &mut bits).unwrap().unwrap();
        let mut kept = Vec::new();
        let sent = end.transmit(9, 1, &mut bits, |buffer, entry| {
            assert_eq!(entry.buffer, buffer);
            if kept.len() == 2 {
                return Sent::Later;
            }
            kept.push(buffer);
            Sent::For(if kept.len() == 1 { spare } else { buffer })
        });
        assert_eq!(sent.map(|taken| taken.sent), Ok(2));
        let sent = end.transmit(9, 1, &mut bits, |_, _| Sent::For(kept[0]));
        assert_eq!(sent.map(|taken| taken.sent), Ok(1));
        assert_eq!(end.flush(), 3);
        let back: Vec<u32> = app
            .take(Ring::Completion)
            .iter()
            .map(|e| e.buffer)
            .collect();
        assert_eq!(back, [spare, kept[1], kept[0]]);
        free.extend(back);
        // What was sent last is the kernel's now: it has it for `kept[0]`.
        let missing = (0..BUFFERS).find(|buffer| !free.contains(buffer)).unwrap();
        assert_eq!(bits.look(missing), Err(Bad::NotOwned));
        bits.give(missing);
        free.push(missing);
        assert_eq!((free.len(), bits.count()), (24, BUFFERS));
    }
    assert_eq!(end.conduct().counts(), &[0; Bad::COUNT]);
}

#[test]
fn no_room_and_no_buffers() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    assert_eq!(end.free(1, &mut bits), Ok(None));
    app.take(Ring::Completion);
    // Nobody takes what is received: 32 find room.
    for nth in 0..32 {
        let buffer = nth % BUFFERS;
        assert!(app.put(Ring::Fill, buffer));
        assert_eq!(end.free(1, &mut bits), Ok(Some(buffer)));
        end.receive(frame(buffer), &mut bits).unwrap();
        end.flush();
    }
    assert!(app.put(Ring::Fill, 0));
    assert_eq!(end.free(1, &mut bits), Ok(None));
    // And of what was sent: the rest stays where it is.
    for nth in 0..40 {
        let sent = app.send(frame(nth % BUFFERS));
        assert!(sent || nth >= 32);
        end.transmit(9, 1, &mut bits, |buffer, _| Sent::For(buffer))
            .unwrap();
        end.flush();
    }
    // Who has made no room gets no turn, and no engine waits for it.
    assert_eq!(end.has_to_send(), Ok(false));
    assert_eq!(app.take(Ring::Completion).len(), 32);
    assert_eq!(end.has_to_send(), Ok(true));
    let sent = end.transmit(9, 1, &mut bits, |buffer, _| Sent::For(buffer));
    assert_eq!(sent, Ok(Taken { seen: 8, sent: 8 }));
    assert_eq!(end.has_to_send(), Ok(false));
}

#[test]
fn mistakes_are_counted_and_handed_back() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    app.take(Ring::Completion);
    let bad = [
        (frame(3), None),
        (frame(BUFFERS), Some(Bad::NoSuchBuffer)),
        // The first time it was right.
        (
            Entry {
                len: 13,
                ..frame(4)
            },
            Some(Bad::WrongLength),
        ),
        (
            Entry {
                owner: 1,
                ..frame(5)
            },
            Some(Bad::NotHandedOver),
        ),
        (
            Entry {
                flags: 8,
                ..frame(6)
            },
            Some(Bad::UnknownFlags),
        ),
        (
            Entry {
                offset: 2000,
                ..frame(7)
            },
            Some(Bad::OutOfBuffer),
        ),
        (
            Entry {
                port: 9,
                ..frame(8)
            },
            Some(Bad::NoSuchPort),
        ),
    ];
    for (entry, _) in bad {
        // The entry of a buffer that is not there is that of another one here.
        entry.store(&app.list, entry.buffer);
        assert!(app.put(Ring::Transmit, entry.buffer));
    }
    let mut taken = Vec::new();
    let sent = end.transmit(64, 1, &mut bits, |buffer, entry| {
        if entry.port == 9 {
            return Sent::Refused(Bad::NoSuchPort);
        }
        taken.push(buffer);
        Sent::For(buffer)
    });
    let seen = bad.len() as u32;
    assert_eq!((sent, taken), (Ok(Taken { seen, sent: 1 }), vec![3]));
    end.flush();
    let back = app.take(Ring::Completion);
    let back: Vec<_> = back.iter().map(|e| (e.buffer, e.flags)).collect();
    assert_eq!(
        back,
        [
            (3, 0),
            (4, REFUSED),
            (5, REFUSED),
            (6, REFUSED),
            (7, REFUSED),
            (8, REFUSED)
        ]
    );
    for (_, bad) in bad {
        if let Some(bad) = bad {
            assert_eq!(end.conduct().counts()[bad as usize], 1, "{bad:?}");
        }
    }
    // Twice on the fill ring.
    assert!(app.put(Ring::Fill, 3) && app.put(Ring::Fill, 3) && app.put(Ring::Fill, 4));
    assert_eq!(end.free(1, &mut bits), Ok(Some(3)));
    assert_eq!(end.free(1, &mut bits), Ok(Some(4)));
    assert_eq!(end.conduct().counts()[Bad::NotOwned as usize], 1);
    assert_eq!(bits.count(), BUFFERS - 2);
}

#[test]
fn one_that_keeps_lying_is_broken() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    for _ in 0..PATIENCE {
        assert!(app.put(Ring::Fill, 99));
        assert_eq!(end.free(1, &mut bits), Ok(None));
        end.flush();
    }
    assert!(app.put(Ring::Fill, 99));
    assert_eq!(end.free(1, &mut bits), Err(Broken));
    // A counter that cannot be.
    let (mut end, app, mut bits) = open(&mut words, 32);
    let places = app.layout.places(Ring::Transmit);
    app.memory.store32(places.producer, 33);
    let sent = end.transmit(9, 1, &mut bits, |buffer, _| Sent::For(buffer));
    assert_eq!(sent, Err(Broken));
}

/// What happens next in a channel with a hostile application.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// It writes a word of the rings,
    Scribble(usize, u32),
    /// moves a counter a little,
    Nudge(usize, i8),
    /// writes a word of the list,
    Describe(usize, u32),
    /// or a good entry, and puts it on a ring.
    Send(u32),
    Fill(u32),
    /// The engine takes what is sent, or has received something.
    Transmit(u32),
    Receive,
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let number = prop_oneof![0..BUFFERS + 2, any::<u32>()];
    prop_oneof![
        1 => (any::<usize>(), number.clone()).prop_map(|(at, value)| Step::Scribble(at, value)),
        2 => (0..8usize, -2..3i8).prop_map(|(at, by)| Step::Nudge(at, by)),
        4 => (0..4 * 32usize, any::<u32>()).prop_map(|(at, value)| Step::Describe(at, value)),
        8 => (0..BUFFERS + 2).prop_map(Step::Send),
        8 => (0..BUFFERS + 2).prop_map(Step::Fill),
        8 => (1..9u32).prop_map(Step::Transmit),
        8 => Just(Step::Receive),
        4 => Just(Step::Flush),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever it writes, the kernel gets each buffer once, uses no entry that it has not checked,
    /// and what both have adds up.
    #[test]
    fn anything_anywhere(steps in prop::collection::vec(step(), 1..300)) {
        let mut words = [0; 1];
        let (mut end, app, mut bits) = open(&mut words, 32);
        let mut ours: BTreeSet<u32> = BTreeSet::new();
        let counters = Ring::ALL.map(|ring| app.layout.places(ring));
        for step in steps {
            let counter = |at: usize| match at & 1 {
                0 => counters[at / 2].producer,
                _ => counters[at / 2].consumer,
            };
            let push = |ring: usize, buffer: u32| {
                let places = counters[ring];
                let produced = app.memory.load32(places.producer);
                let at = places.elements + produced as usize % 32;
                app.memory.store32(at, buffer);
                app.memory.store32(places.producer, produced.wrapping_add(1));
            };
            let done = match step {
                Step::Scribble(at, value) => {
                    app.memory.store32(at, value);
                    Ok(())
                }
                Step::Nudge(at, by) => {
                    let at = counter(at);
                    let value = app.memory.load32(at).wrapping_add_signed(by.into());
                    app.memory.store32(at, value);
                    Ok(())
                }
                Step::Describe(at, value) => {
                    app.list.store32(at, value);
                    Ok(())
                }
                Step::Send(buffer) => {
                    frame(buffer).store(&app.list, buffer);
                    push(2, buffer);
                    Ok(())
                }
                Step::Fill(buffer) => {
                    push(0, buffer);
                    Ok(())
                }
                Step::Transmit(most) => {
                    let other = ours.first().copied();
                    let mut swapped = None;
                    let sent = end.transmit(most, 1, &mut bits, |buffer, entry| {
                        assert!(!ours.contains(&buffer) && buffer < BUFFERS);
                        assert!(entry.offset >= 128 && entry.offset + entry.len <= 2048);
                        match other.filter(|_| swapped.is_none()) {
                            // What is sent stays with the kernel for one that it has.
                            Some(other) => {
                                swapped = Some((other, buffer));
                                Sent::For(other)
                            }
                            None => Sent::For(buffer),
                        }
                    });
                    if let Some((given, kept)) = swapped {
                        ours.remove(&given);
                        ours.insert(kept);
                    }
                    sent.map(|_| ())
                }
                Step::Receive => match end.free(1, &mut bits) {
                    Ok(Some(buffer)) => {
                        assert!(buffer < BUFFERS && ours.insert(buffer));
                        if ours.len() > 3 {
                            ours.remove(&buffer);
                            end.receive(frame(buffer), &mut bits)
                        } else {
                            Ok(())
                        }
                    }
                    Ok(None) => Ok(()),
                    Err(broken) => Err(broken),
                },
                Step::Flush => {
                    end.flush();
                    Ok(())
                }
            };
            prop_assert_eq!(bits.count() as usize + ours.len(), BUFFERS as usize);
            if done.is_err() {
                break;
            }
        }
    }
}
