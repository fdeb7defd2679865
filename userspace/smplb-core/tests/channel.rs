// SPDX-License-Identifier: MIT OR Apache-2.0

//! The kernel's end of a channel against applications: one that keeps to the rules, those that make
//! every mistake there is, and one that writes anything anywhere.

mod channel_model;

use channel_model::hostile::{self, Step};
use channel_model::{frame, open, receive, Memory, BUFFERS, KEPT, LIMITS, RECEIVED};
use proptest::prelude::*;
use smplb_core::channel::bad::{Bad, PATIENCE};
use smplb_core::channel::end::{Broken, End, Received, Sent, Taken};
use smplb_core::channel::entry::{Entry, Owner, REFUSED};
use smplb_core::channel::layout::Ring;
use smplb_core::channel::ledger::{Bits, Ledger};
use smplb_core::channel::shared::Shared;

#[test]
fn frames_go_both_ways() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    let mut free: Vec<u32> = app
        .take(Ring::Completion)
        .iter()
        .map(|e| e.buffer)
        .collect();
    assert_eq!(free, (0..KEPT.start).collect::<Vec<_>>());
    let mut spare = KEPT.start;
    for round in 0..1000u16 {
        // Received: three, in buffers that the application gave.
        for _ in 0..3 {
            assert!(app.put(Ring::Fill, free.pop().unwrap()));
        }
        for nth in 0..3 {
            let frame = Received {
                len: 60 + nth,
                port: round,
                offset: 128,
            };
            assert!(receive(&mut end, &mut bits, frame).unwrap().is_some());
        }
        // Before `flush` the application sees nothing.
        assert_eq!(app.take(Ring::Receive), []);
        assert_eq!(end.flush(), 3);
        let received = app.take(Ring::Receive);
        assert_eq!(
            received.iter().map(|e| (e.len, e.port)).collect::<Vec<_>>(),
            [(60, round), (61, round), (62, round)]
        );
        // Sent: the same three. The engine keeps the first and the last one, for which the application
        // gets others, at once or after all of the burst.
        for entry in received {
            // Step 344.
            assert_eq!(entry.owner, Owner::Application as u16);
            assert!(app.send(Entry {
                owner: Owner::Nic as u16,
                ..entry
            }));
        }
        let mut kept = Vec::new();
        let mut send = |end: &mut End<Memory>, bits: &mut Bits<'_>, most| {
            end.transmit(&LIMITS, most, 1, bits, |buffer, entry| {
                assert_eq!(entry.buffer, buffer);
                kept.push(buffer);
                match kept.len() {
                    1 => Sent::For(spare),
                    2 => Sent::For(buffer),
                    _ => Sent::Kept,
                }
            })
        };
        let sent = send(&mut end, &mut bits, 2).map(|taken| (taken.sent, taken.octets));
        assert_eq!((sent, end.owed()), (Ok((2, 121)), 0));
        let sent = send(&mut end, &mut bits, 9).map(|taken| (taken.sent, taken.octets));
        assert_eq!((sent, end.owed()), (Ok((1, 62)), 1));
        // It gets no more than it is to get.
        bits.give(kept[0]);
        end.repay([kept[0], 99].into_iter());
        assert_eq!(end.owed(), 0);
        end.repay([99].into_iter());
        assert_eq!(end.flush(), 3);
        let back: Vec<u32> = app
            .take(Ring::Completion)
            .iter()
            .map(|e| e.buffer)
            .collect();
        assert_eq!(back, [spare, kept[1], kept[0]]);
        let last = kept[2];
        free.extend(back);
        // What was sent last is the kernel's now: it has it for `kept[0]`.
        assert_eq!(bits.take(last), Err(Bad::NotOwned));
        spare = last;
        assert_eq!((free.len() as u32, bits.count()), (KEPT.start, KEPT.start));
    }
    assert_eq!(end.conduct().counts(), &[0; Bad::COUNT]);
}

#[test]
fn no_room_and_no_buffers() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    assert_eq!(receive(&mut end, &mut bits, RECEIVED), Ok(None));
    app.take(Ring::Completion);
    // Nobody takes what is received: 32 find room.
    for nth in 0..32 {
        let buffer = nth % KEPT.start;
        assert!(app.put(Ring::Fill, buffer));
        assert_eq!(receive(&mut end, &mut bits, RECEIVED), Ok(Some(buffer)));
        end.flush();
    }
    assert!(app.put(Ring::Fill, 0));
    assert_eq!(receive(&mut end, &mut bits, RECEIVED), Ok(None));
    // And of what was sent: the rest stays where it is.
    for nth in 0..40 {
        let sent = app.send(frame(nth % KEPT.start));
        assert!(sent || nth >= 32);
        end.transmit(&LIMITS, 9, 1, &mut bits, |buffer, _| Sent::For(buffer))
            .unwrap();
        end.flush();
    }
    // Who has made no room gets no turn, and no engine waits for it.
    assert_eq!(end.has_to_send(), Ok(false));
    assert_eq!(app.take(Ring::Completion).len(), 32);
    assert_eq!(end.has_to_send(), Ok(true));
    let sent = end.transmit(&LIMITS, 9, 1, &mut bits, |buffer, _| Sent::For(buffer));
    let octets = 8 * 60;
    assert_eq!(
        sent,
        Ok(Taken {
            seen: 8,
            sent: 8,
            octets
        })
    );
    assert_eq!(end.has_to_send(), Ok(false));
}

/// The buffers that frames are in go to the application, and its own come for them.
#[test]
fn buffers_are_exchanged() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    app.take(Ring::Completion);
    let numbered = |len| Received { len, ..RECEIVED };
    let mut frames = (60..64).map(numbered);
    let (mut ours, mut got) = (KEPT, Vec::new());
    // 5 is one that it has only once.
    for buffer in [5, 5, 7] {
        assert!(app.put(Ring::Fill, buffer));
    }
    let given = end.deliver(4, 1, &mut bits, &mut frames, |frame, free| {
        got.push(free);
        (ours.next().unwrap(), frame)
    });
    let given = given.unwrap();
    assert_eq!((given.frames, given.octets, got), (2, 121, vec![5, 7]));
    assert_eq!(end.conduct().counts()[Bad::NotOwned as usize], 1);
    // Those for which there are none stay.
    assert_eq!(frames.next(), Some(numbered(62)));
    end.flush();
    let received = app.take(Ring::Receive);
    let received: Vec<_> = received.iter().map(|e| (e.buffer, e.len)).collect();
    assert_eq!(received, [(20, 60), (21, 61)]);
    assert_eq!((bits.take(7), bits.take(20)), (Err(Bad::NotOwned), Ok(20)));
    bits.give(20);
    // What is given when there is no frame stays on the ring.
    assert!(app.put(Ring::Fill, 3));
    let none = end.deliver(4, 1, &mut bits, &mut [].into_iter(), |(), free| {
        (free, RECEIVED)
    });
    assert_eq!(none.map(|given| given.frames), Ok(0));
    end.flush();
    assert_eq!(receive(&mut end, &mut bits, RECEIVED), Ok(Some(3)));
    // Of one that breaks a ring nothing is taken.
    let places = app.layout.places(Ring::Fill);
    app.memory.store32(places.producer, 77);
    assert_eq!(receive(&mut end, &mut bits, RECEIVED), Err(Broken));
    assert_eq!(bits.count(), KEPT.start);
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
    let sent = end.transmit(&LIMITS, 64, 1, &mut bits, |buffer, entry| {
        if entry.port == 9 {
            return Sent::Refused(Bad::NoSuchPort, buffer);
        }
        taken.push(buffer);
        Sent::For(buffer)
    });
    let seen = bad.len() as u32;
    let octets = 60;
    let expected = Taken {
        seen,
        sent: 1,
        octets,
    };
    assert_eq!((sent, taken), (Ok(expected), vec![3]));
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
    assert_eq!(bits.count(), KEPT.start);
}

#[test]
fn one_that_keeps_lying_is_broken() {
    let mut words = [0; 1];
    let (mut end, mut app, mut bits) = open(&mut words, 32);
    for _ in 0..PATIENCE {
        assert!(app.put(Ring::Fill, 99));
        assert_eq!(receive(&mut end, &mut bits, RECEIVED), Ok(None));
        end.flush();
    }
    assert!(app.put(Ring::Fill, 99));
    assert_eq!(receive(&mut end, &mut bits, RECEIVED), Err(Broken));
    // A counter that cannot be.
    let (mut end, app, mut bits) = open(&mut words, 32);
    let places = app.layout.places(Ring::Transmit);
    app.memory.store32(places.producer, 33);
    let sent = end.transmit(&LIMITS, 9, 1, &mut bits, |buffer, _| Sent::For(buffer));
    assert_eq!(sent, Err(Broken));
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

    #[test]
    fn anything_anywhere(steps in prop::collection::vec(step(), 1..300)) {
        hostile::run(steps);
    }
}
