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

    /// Tells `serve` each channel that has rung, once, and forgets that it has. What is put on a ring
    /// after its channel was served has rung again.
    pub fn answer(&self, mut serve: impl FnMut(u16)) {
        bits::each(clear(self.top), |nth| {
            let Some(word) = self.words.get(nth as usize) else {
                return;
            };
            bits::each(clear(word), |bit| {
                serve(nth.wrapping_mul(u64::BITS).wrapping_add(bit) as u16)
            });
        });
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

/// Takes all bits of a word.
fn clear<A: Atom>(word: &A) -> u64 {
    loop {
        let old = word.load();
        if old == 0 || word.compare_exchange(old, 0) {
            return old;
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
        let mut sum = (0u32, 0u32);
        assert!(bells.any());
        bells.answer(|channel| {
            sum = (sum.0.wrapping_add(1), sum.1.wrapping_add(channel.into()));
        });
        assert_eq!(sum, (4, 63 + 64 + 4095));
        assert!(!bells.any());
        bells.answer(|_| sum.0 = 9);
        assert_eq!(sum.0, 4);
        // Numbers that no engine has mean some other one.
        bells.ring(u16::MAX);
        bells.answer(|channel| assert_eq!(channel, 4095));
        Ok(())
    }
}
