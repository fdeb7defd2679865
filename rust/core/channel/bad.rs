// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What an application can do wrong.

use super::super::wire::ethernet::ETH_HLEN;
use super::entry::{Entry, Owner};

/// Why a buffer that an application has put on a ring is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bad {
    /// There is no buffer of that number.
    NoSuchBuffer,
    /// The application does not own it, or has put it on a ring twice.
    NotOwned,
    /// The entry says that the application still owns it, or is of another buffer.
    NotHandedOver,
    /// The frame is not inside of what an application may use of the buffer.
    OutOfBuffer,
    /// The frame is shorter than an Ethernet header, or longer than any port sends.
    WrongLength,
    /// Flags or reserved octets that have no meaning are set.
    UnknownFlags,
    /// The channel may not send by that port, or there is none.
    NoSuchPort,
}

impl Bad {
    /// Number of reasons.
    pub const COUNT: usize = 7;

    /// Whether an application is to blame. A port may go while frames for it are on their way.
    fn is_fault(self) -> bool {
        !matches!(self, Self::NoSuchPort)
    }
}

/// What is true of all frames of a channel.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Octets of a buffer.
    pub size: u16,
    /// The least offset of a frame: what is before it is for headers of NICs.
    pub headroom: u16,
    /// Octets of the longest frame.
    pub longest: u16,
}

impl Limits {
    /// Checks the entry of a buffer that is to be sent (figure 12, steps 322 and 323). That the
    /// application has the buffer, and the port, are other questions.
    #[inline]
    pub fn check(&self, buffer: u32, entry: &Entry) -> Result<(), Bad> {
        if entry.buffer != buffer || entry.owner != Owner::Nic as u16 {
            return Err(Bad::NotHandedOver);
        }
        if entry.flags != 0 || entry.reserved != 0 {
            return Err(Bad::UnknownFlags);
        }
        if !(ETH_HLEN as u16..=self.longest).contains(&entry.len) {
            return Err(Bad::WrongLength);
        }
        let end = entry.offset.checked_add(entry.len);
        match end {
            Some(end) if entry.offset >= self.headroom && end <= self.size => Ok(()),
            _ => Err(Bad::OutOfBuffer),
        }
    }
}

/// How often a channel has been wrong, and whether it is still served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conduct {
    counts: [u64; Bad::COUNT],
    /// How often in `second`, the last one in which it was.
    recent: u32,
    second: u32,
}

/// A channel that is wrong more often than this in one second is closed: a bug in a loop, or malice.
pub const PATIENCE: u32 = 1024;

impl Conduct {
    /// Counts a mistake made at `now`, in seconds; false when it was one too many.
    pub fn note(&mut self, bad: Bad, now: u32) -> bool {
        if let Some(count) = self.counts.get_mut(bad as usize) {
            *count = count.wrapping_add(1);
        }
        if !bad.is_fault() {
            return true;
        }
        if self.second != now {
            (self.second, self.recent) = (now, 0);
        }
        self.recent = self.recent.saturating_add(1);
        self.recent <= PATIENCE
    }

    /// How often it was wrong in each way, in the order of [`Bad`].
    pub fn counts(&self) -> &[u64; Bad::COUNT] {
        &self.counts
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_channel_bad))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        size: 2048,
        headroom: 128,
        longest: 1518,
    };

    fn entry() -> Entry {
        Entry {
            buffer: 7,
            offset: 128,
            len: 60,
            ..Entry::default()
        }
    }

    #[test]
    fn every_mistake_has_a_name() {
        let check = |change: fn(&mut Entry)| {
            let mut entry = entry();
            change(&mut entry);
            LIMITS.check(7, &entry)
        };
        assert_eq!(check(|_| {}), Ok(()));
        assert_eq!(check(|e| e.buffer = 8), Err(Bad::NotHandedOver));
        assert_eq!(check(|e| e.owner = 1), Err(Bad::NotHandedOver));
        assert_eq!(check(|e| e.owner = 0x100), Err(Bad::NotHandedOver));
        assert_eq!(check(|e| e.flags = 1), Err(Bad::UnknownFlags));
        assert_eq!(check(|e| e.reserved = 1), Err(Bad::UnknownFlags));
        assert_eq!(check(|e| e.len = 13), Err(Bad::WrongLength));
        assert_eq!(check(|e| e.len = 1519), Err(Bad::WrongLength));
        assert_eq!(check(|e| e.offset = 127), Err(Bad::OutOfBuffer));
        assert_eq!(check(|e| e.offset = 1988), Ok(()));
        assert_eq!(check(|e| e.offset = 1989), Err(Bad::OutOfBuffer));
        assert_eq!(check(|e| e.offset = u16::MAX), Err(Bad::OutOfBuffer));
    }

    #[test]
    fn patience_ends() {
        let mut conduct = Conduct::default();
        for _ in 0..PATIENCE {
            assert!(conduct.note(Bad::NotOwned, 1));
        }
        // In the next second it is there again.
        assert!(conduct.note(Bad::WrongLength, 2));
        for _ in 1..PATIENCE {
            assert!(conduct.note(Bad::NotOwned, 2));
        }
        assert!(!conduct.note(Bad::NotOwned, 2));
        // It is nobody's fault that a port goes.
        let mut others = Conduct::default();
        assert!((0..=PATIENCE).all(|_| others.note(Bad::NoSuchPort, 1)));
        let [first, second, ..] = *conduct.counts();
        assert_eq!((first, second), (0, 2 * u64::from(PATIENCE)));
    }
}
