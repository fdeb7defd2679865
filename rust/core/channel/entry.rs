// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! The buffer descriptor list: one entry of 16 octets for each buffer.

use super::shared::Shared;

/// Who owns a buffer (the ownership of figures 12 and 13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Owner {
    /// The NICs, that is, the kernel: `SMPLB_OWNER_NIC`.
    Nic = 0,
    /// The application: `SMPLB_OWNER_APPLICATION`.
    Application = 1,
}

/// Flag of a completion: the frame was not sent, as its entry was wrong (`SMPLB_DESC_REFUSED`).
pub const REFUSED: u16 = 1 << 0;

/// One entry.
///
/// In memory it is two words of 64 bits, of fields from the lowest bits up: number of the buffer (32),
/// offset (16), length (16); owner (16), flags (16), port (16), and 16 bits of 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The number of the buffer, which is that of the entry.
    pub buffer: u32,
    /// Octets from the start of the buffer to the frame.
    pub offset: u16,
    /// Octets of the frame, from the destination MAC address on, without FCS.
    pub len: u16,
    /// An [`Owner`] as a number: whatever the other side has written.
    pub owner: u16,
    /// [`REFUSED`].
    pub flags: u16,
    /// The port that it came from, or leaves by.
    pub port: u16,
    /// Octets that have no meaning yet.
    pub reserved: u16,
}

impl Entry {
    /// The two words.
    pub fn words(&self) -> [u64; 2] {
        let pack = |[a, b, c, d]: [u16; 4]| {
            u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
        };
        let (low, high) = (self.buffer as u16, (self.buffer >> 16) as u16);
        [
            pack([low, high, self.offset, self.len]),
            pack([self.owner, self.flags, self.port, self.reserved]),
        ]
    }

    /// The entry that two words are.
    pub fn of([first, second]: [u64; 2]) -> Self {
        Self {
            buffer: first as u32,
            offset: (first >> 32) as u16,
            len: (first >> 48) as u16,
            owner: second as u16,
            flags: (second >> 16) as u16,
            port: (second >> 32) as u16,
            reserved: (second >> 48) as u16,
        }
    }

    /// Reads entry `number` of a list, each word once. The halves may be of different moments, if the
    /// other side writes meanwhile: whoever reads checks all of it.
    #[inline]
    pub fn load(list: &impl Shared, number: u32) -> Self {
        Self::of(list.load_pair(number as usize))
    }

    /// The flags of entry `number` alone.
    #[inline]
    pub fn load_flags(list: &impl Shared, number: u32) -> u16 {
        let at = (number as usize).wrapping_mul(2);
        Self::of([0, list.load64(at.wrapping_add(1))]).flags
    }

    /// Writes entry `number` of a list.
    #[inline]
    pub fn store(&self, list: &impl Shared, number: u32) {
        list.store_pair(number as usize, self.words());
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_entry))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn fields_are_where_the_header_says() {
        let entry = Entry {
            buffer: 0x0403_0201,
            offset: 0x0605,
            len: 0x0807,
            owner: 0x0a09,
            flags: 0x0c0b,
            port: 0x0e0d,
            reserved: 0x100f,
        };
        assert_eq!(
            entry.words(),
            [0x0807_0605_0403_0201, 0x100f_0e0d_0c0b_0a09]
        );
        assert_eq!(Entry::of(entry.words()), entry);
    }
}
