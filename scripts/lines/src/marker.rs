// SPDX-License-Identifier: MIT OR Apache-2.0
//! How the guest opens and closes a window: by a `nop` with an operand that no
//! compiler and no linker makes.

/// `nopl disp32(%rax)`.
const NOPL: [u8; 3] = [0x0f, 0x1f, 0x80];
/// The displacement, up to its last octet,
const NAME: [u8; 3] = *b"smp";
/// which says what to do.
const OPEN: u8 = b'+';
const CLOSE: u8 = b'-';

/// What an instruction asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// Count from now on.
    Open,
    /// Write what was counted.
    Close,
}

impl Marker {
    /// What an instruction is, besides a `nop`.
    pub fn of(instruction: &[u8]) -> Option<Self> {
        let rest = instruction.strip_prefix(&NOPL)?.strip_prefix(&NAME)?;
        match *rest {
            [OPEN] => Some(Self::Open),
            [CLOSE] => Some(Self::Close),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nops_of_compilers_are_none() {
        assert_eq!(Marker::of(b"\x0f\x1f\x80smp+"), Some(Marker::Open));
        assert_eq!(Marker::of(b"\x0f\x1f\x80smp-"), Some(Marker::Close));
        assert_eq!(Marker::of(b"\x0f\x1f\x80\0\0\0\0"), None);
        assert_eq!(Marker::of(b"\x90"), None);
    }
}
