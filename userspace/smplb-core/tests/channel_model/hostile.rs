// SPDX-License-Identifier: MIT OR Apache-2.0

//! An application that writes anything anywhere, step by step.

use std::collections::BTreeSet;

use smplb_core::channel::end::Sent;
use smplb_core::channel::layout::Ring;
use smplb_core::channel::ledger::Ledger;
use smplb_core::channel::shared::Shared;

use super::{frame, open, BUFFERS, KEPT, LIMITS, RECEIVED};

/// What happens next in a channel with a hostile application.
#[derive(Clone, Copy, Debug)]
pub enum Step {
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

/// Steps that octets mean: whatever they are, they mean some.
pub fn steps(mut data: &[u8]) -> Vec<Step> {
    let mut octet = || {
        let (first, rest) = data.split_first()?;
        data = rest;
        Some(u32::from(*first))
    };
    let mut steps = Vec::new();
    while let Some(kind) = octet() {
        let (Some(a), Some(b)) = (octet(), octet()) else {
            break;
        };
        let (at, wide) = ((a << 8 | b) as usize, a << 24 | b);
        let number = a % (BUFFERS + 2);
        steps.push(match kind % 16 {
            0 => Step::Scribble(at, wide),
            1 => Step::Nudge((a % 8) as usize, (b % 5) as i8 - 2),
            2 => Step::Describe((a % 128) as usize, wide),
            3 => Step::Describe((a % 128) as usize, b << 16 | 0x80),
            4..7 => Step::Send(number),
            7..10 => Step::Fill(number),
            10..12 => Step::Transmit(1 + a % 8),
            12..15 => Step::Receive,
            _ => Step::Flush,
        });
    }
    steps
}

/// Whatever it writes, the kernel gets each buffer once, uses no entry that it has not checked, and
/// what both have adds up.
pub fn run(steps: impl IntoIterator<Item = Step>) {
    let mut words = [0; 1];
    let (mut end, app, mut bits) = open(&mut words, 32);
    let mut ours: BTreeSet<u32> = KEPT.collect();
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
            app.memory
                .store32(places.producer, produced.wrapping_add(1));
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
                // What is sent stays with the kernel for one that it has, as long as there are such.
                let (mut kept, mut left) = (Vec::new(), ours.len());
                let sent = end.transmit(&LIMITS, most, 1, &mut bits, |buffer, entry| {
                    assert!(!ours.contains(&buffer) && buffer < BUFFERS);
                    assert!(entry.offset >= 128 && entry.offset + entry.len <= 2048);
                    if left == 0 {
                        return Sent::For(buffer);
                    }
                    left -= 1;
                    kept.push(buffer);
                    Sent::Kept
                });
                if sent.is_ok() {
                    assert_eq!(end.owed() as usize, kept.len());
                }
                end.repay(std::iter::from_fn(|| {
                    let other = ours.pop_first()?;
                    bits.give(other);
                    Some(other)
                }));
                assert_eq!(end.owed(), 0);
                ours.extend(kept);
                sent.map(|_| ())
            }
            Step::Receive => {
                let frames = &mut [RECEIVED; 2].into_iter();
                let given = end.deliver(3, 1, &mut bits, frames, |frame, buffer| {
                    assert!(buffer < BUFFERS && ours.insert(buffer));
                    // The one that it is in goes, and the given one stays.
                    (ours.pop_first().expect("one"), frame)
                });
                given.map(|_| ())
            }
            Step::Flush => {
                end.flush();
                Ok(())
            }
        };
        assert_eq!(bits.count() as usize + ours.len(), BUFFERS as usize);
        if done.is_err() {
            break;
        }
    }
}
