// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Which buffers an application has, in memory that it cannot reach.

use super::bad::Bad;

/// What the kernel knows of the owners of a channel's buffers.
pub trait Ledger {
    /// A buffer that the kernel has,
    type Buffer;
    /// and what is known of it when it has just been taken.
    type Taken: Into<Self::Buffer>;

    /// Takes a buffer from the application.
    ///
    /// # Errors
    ///
    /// [`Bad::NoSuchBuffer`], [`Bad::NotOwned`].
    fn take(&mut self, buffer: u32) -> Result<Self::Taken, Bad>;

    /// Gives it one; tells its number.
    fn give(&mut self, buffer: Self::Buffer) -> u32;
}

/// The ledger of a pool that one channel has for itself: a bit for each buffer, set while it is the
/// application's.
#[derive(Debug)]
pub struct Bits<'a> {
    words: &'a mut [u64],
    buffers: u32,
}

impl<'a> Bits<'a> {
    /// The ledger of `buffers` buffers, but no more than there are bits in `words`, which are 0 at
    /// first: the kernel has all.
    #[inline(always)]
    pub fn new(words: &'a mut [u64], buffers: u32) -> Self {
        Self { words, buffers }
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
    type Buffer = u32;
    type Taken = u32;

    fn take(&mut self, buffer: u32) -> Result<u32, Bad> {
        let (at, bit) = self.word(buffer)?;
        match self.words.get_mut(at) {
            Some(word) if *word & bit != 0 => *word &= !bit,
            Some(_) => return Err(Bad::NotOwned),
            None => return Err(Bad::NoSuchBuffer),
        }
        Ok(buffer)
    }

    fn give(&mut self, buffer: u32) -> u32 {
        if let Ok((at, bit)) = self.word(buffer) {
            if let Some(word) = self.words.get_mut(at) {
                *word |= bit;
            }
        }
        buffer
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_ledger))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_taken_once() -> Result<(), ()> {
        let mut words = [0; 2];
        assert_eq!(Bits::new(&mut words, 200).take(129), Err(Bad::NoSuchBuffer));
        let mut bits = Bits::new(&mut words, 100);
        for buffer in 0..100 {
            assert_eq!(bits.take(buffer), Err(Bad::NotOwned));
            bits.give(buffer);
        }
        // Beyond the last one there is room in the words.
        bits.give(100);
        assert_eq!(bits.count(), 100);
        assert_eq!(bits.take(100), Err(Bad::NoSuchBuffer));
        assert_eq!(bits.take(u32::MAX), Err(Bad::NoSuchBuffer));
        assert_eq!((bits.take(63), bits.take(64)), (Ok(63), Ok(64)));
        assert_eq!(bits.take(63), Err(Bad::NotOwned));
        assert_eq!(bits.count(), 98);
        Ok(())
    }
}
