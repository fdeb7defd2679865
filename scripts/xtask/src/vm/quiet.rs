// SPDX-License-Identifier: MIT OR Apache-2.0
//! Leaves out what QEMU says about NICs that are cabled only to each other, as
//! ours are: that they reach no host.

/// How such a line begins. QEMU writes it in pieces.
const HUB: &[u8] = b"qemu-system-x86_64: warning: hub ";

/// The start of a stream, until it is something else.
#[derive(Default)]
pub struct Quiet {
    held: Vec<u8>,
    over: bool,
}

impl Quiet {
    /// What of the stream so far can be passed on.
    pub fn pass(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        if self.over {
            return bytes;
        }
        self.held.extend(bytes);
        while self.held.starts_with(HUB) {
            let Some(end) = self.held.iter().position(|byte| *byte == b'\n') else {
                return Vec::new();
            };
            self.held.drain(..=end);
        }
        if HUB.starts_with(&self.held) {
            return Vec::new();
        }
        self.over = true;
        self.rest()
    }

    /// What was held back when the stream ended.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_only_the_warnings_at_the_start() {
        let mut quiet = Quiet::default();
        let mut passed = Vec::new();
        for piece in [
            "qemu-system-x86_64: ",
            "warning: hub 1 x\nqemu",
            "-system-x86_64: no\n",
            "a",
        ] {
            passed.extend(quiet.pass(piece.into()));
        }
        passed.extend(quiet.rest());
        assert_eq!(passed, b"qemu-system-x86_64: no\na");
    }
}
