// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Which buffers an application has, in memory that it cannot reach.

use super::bad::Bad;

/// What the kernel knows of the owners of a channel's buffers.
pub trait Ledger {
    /// Whether the application has a buffer.
    ///
    /// # Errors
    ///
    /// [`Bad::NoSuchBuffer`], [`Bad::NotOwned`].
    fn look(&self, buffer: u32) -> Result<(), Bad>;

    /// Takes a buffer from the application, as [`Ledger::look`] would allow.
    fn take(&mut self, buffer: u32) -> Result<(), Bad>;

    /// Gives it one that is the kernel's.
    fn give(&mut self, buffer: u32);
}

/// The ledger of a pool that one channel has for itself: a bit for each buffer, set while it is the
/// application's.
#[derive(Debug)]
pub struct Bits<'a> {
    words: &'a mut [u64],
    buffers: u32,
}

impl<'a> Bits<'a> {
    /// The ledger of `buffers` buffers, which the kernel has all: the words are 0. `None` if those are
    /// too few.
    pub fn new(words: &'a mut [u64], buffers: u32) -> Option<Self> {
        (words.len() >= Self::words(buffers)).then_some(Self { words, buffers })
    }

    /// How many words it takes.
    pub fn words(buffers: u32) -> usize {
        buffers.div_ceil(64) as usize
    }

    /// Buffers that the application has.
    pub fn count(&self) -> u32 {
        self.words
            .iter()
            .fold(0, |sum, word| sum.wrapping_add(word.count_ones()))
    }

    fn bit(buffer: u32) -> (usize, u64) {
        ((buffer >> 6) as usize, 1u64.wrapping_shl(buffer & 63))
    }

    fn word(&self, buffer: u32) -> Result<(usize, u64), Bad> {
        if buffer >= self.buffers {
            return Err(Bad::NoSuchBuffer);
        }
        Ok(Self::bit(buffer))
    }
}

impl Ledger for Bits<'_> {
    fn look(&self, buffer: u32) -> Result<(), Bad> {
        let (at, bit) = self.word(buffer)?;
        match self.words.get(at) {
            Some(word) if word & bit != 0 => Ok(()),
            Some(_) => Err(Bad::NotOwned),
            None => Err(Bad::NoSuchBuffer),
        }
    }

    fn take(&mut self, buffer: u32) -> Result<(), Bad> {
        self.look(buffer)?;
        let (at, bit) = Self::bit(buffer);
        if let Some(word) = self.words.get_mut(at) {
            *word &= !bit;
        }
        Ok(())
    }

    fn give(&mut self, buffer: u32) {
        if let Ok((at, bit)) = self.word(buffer) {
            if let Some(word) = self.words.get_mut(at) {
                *word |= bit;
            }
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_ledger))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_taken_once() -> Result<(), ()> {
        let mut words = [0; 2];
        assert!(Bits::new(&mut words, 129).is_none());
        let mut bits = Bits::new(&mut words, 100).ok_or(())?;
        for buffer in 0..100 {
            assert_eq!(bits.take(buffer), Err(Bad::NotOwned));
            bits.give(buffer);
        }
        // Beyond the last one there is room in the words.
        bits.give(100);
        assert_eq!(bits.count(), 100);
        assert_eq!(bits.look(100), Err(Bad::NoSuchBuffer));
        assert_eq!(bits.take(u32::MAX), Err(Bad::NoSuchBuffer));
        assert_eq!((bits.take(63), bits.take(64)), (Ok(()), Ok(())));
        assert_eq!(bits.take(63), Err(Bad::NotOwned));
        assert_eq!(bits.count(), 98);
        Ok(())
    }
}
