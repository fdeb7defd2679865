// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Doorbells: by which channels of an engine there is something to do.
//!
//! One bit for each channel, in words that applications can write, and above them one word with a
//! bit for each of those: an engine with a thousand idle channels looks at one word in a turn. An
//! application that sets bits of others, or all, has the engine look at rings on which there is
//! nothing new, once for each bit.

use super::super::bits;
use super::super::env::Atom;

/// Bits of a word, and words with a bit for each channel.
const BITS: usize = u64::BITS as usize;

/// Channels of one engine.
pub const CHANNELS: usize = BITS * BITS;

/// The words: the first is the one above.
pub const WORDS: usize = 1 + BITS;

/// The doorbells of an engine.
#[derive(Debug)]
pub struct Bells<'a, A> {
    top: &'a A,
    words: &'a [A],
}

impl<'a, A: Atom> Bells<'a, A> {
    /// Doorbells in [`WORDS`] words, at first 0.
    pub fn new(words: &'a [A]) -> Option<Self> {
        let (top, words) = words.split_first()?;
        (words.len() >= BITS).then_some(Self { top, words })
    }

    /// Rings for a channel; by the application, after it has put something on a ring.
    pub fn ring(&self, channel: u16) {
        let channel = usize::from(channel) % CHANNELS;
        let (nth, bit) = (channel / BITS, channel % BITS);
        if let Some(word) = self.words.get(nth) {
            set(word, 1u64.wrapping_shl(bit as u32));
            set(self.top, 1u64.wrapping_shl(nth as u32));
        }
    }

    /// Whether one may have rung. Cheap, and asked in every turn.
    #[inline(always)]
    pub fn any(&self) -> bool {
        self.top.load() != 0
    }

    /// Tells `serve` the channels of one word that have rung, each once, and forgets that they have:
    /// those of the first such word from number `from` on, going round. Returns the number to go on
    /// from. What is put on a ring after its channel was served has rung again.
    pub fn answer(&self, from: u32, mut serve: impl FnMut(u16)) -> u32 {
        let (rung, from) = (self.top.load(), from % u64::BITS);
        let ahead = rung.rotate_right(from).trailing_zeros();
        let nth = ahead.wrapping_add(from) % u64::BITS;
        let Some(word) = self.words.get(nth as usize).filter(|_| rung != 0) else {
            return from;
        };
        clear(self.top, 1u64.wrapping_shl(nth));
        let first = nth.wrapping_mul(u64::BITS);
        bits::each(clear(word, u64::MAX), |bit| {
            serve(first.wrapping_add(bit) as u16);
        });
        nth.wrapping_add(1)
    }
}

/// Sets a bit. A word in which it is set is written all the same: that orders what was put on the
/// ring before.
fn set<A: Atom>(word: &A, bit: u64) {
    loop {
        let old = word.load();
        if word.compare_exchange(old, old | bit) {
            return;
        }
    }
}

/// Takes some bits of a word.
fn clear<A: Atom>(word: &A, bits: u64) -> u64 {
    loop {
        let old = word.load();
        if old & bits == 0 || word.compare_exchange(old, old & !bits) {
            return old & bits;
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_bells))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::TestAtom;
    use super::*;

    #[test]
    fn every_bell_is_answered_once() -> Result<(), ()> {
        let words: [TestAtom; WORDS] = ::core::array::from_fn(|_| TestAtom::new(0));
        let bells = Bells::new(&words).ok_or(())?;
        assert!(!bells.any());
        for channel in [0, 63, 64, 4095, 63] {
            bells.ring(channel);
        }
        let answered = |from| {
            let (mut count, mut sum) = (0u32, 0u32);
            let next = bells.answer(from, |channel| {
                (count, sum) = (count.wrapping_add(1), sum.wrapping_add(channel.into()));
            });
            (next, count, sum)
        };
        assert!(bells.any());
        // One word after the other, from the one that is asked for, going round.
        assert_eq!(answered(1), (2, 1, 64));
        assert_eq!(answered(2), (64, 1, 4095));
        assert_eq!(answered(64), (1, 2, 63));
        assert!(!bells.any());
        assert_eq!(answered(5), (5, 0, 0));
        // Numbers that no engine has mean some other one.
        bells.ring(u16::MAX);
        assert_eq!(answered(0), (64, 1, 4095));
        Ok(())
    }
}
