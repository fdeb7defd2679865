// SPDX-License-Identifier: MIT OR Apache-2.0
//! Leaves out what QEMU says about NICs that is as it is meant to be: that those
//! that are cabled only to each other reach no host, and that it spreads packets
//! over queues by itself.

/// How such a line begins. QEMU writes some in pieces.
const KNOWN: &[&[u8]] = &[
    b"qemu-system-x86_64: warning: hub ",
    b"qemu-system-x86_64: warning: Can't load eBPF RSS",
    b"libbpf: ",
];

/// A stream, and its last line while that may become such a one.
#[derive(Default)]
pub struct Quiet {
    held: Vec<u8>,
    /// Whether the line that is under way is another one.
    other: bool,
}

impl Quiet {
    /// What of the stream so far can be passed on.
    pub fn pass(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        self.held.extend(bytes);
        let mut passed = Vec::new();
        while !self.held.is_empty() {
            let known = |line: &&[u8]| self.held.starts_with(line);
            let end = self.held.iter().position(|byte| *byte == b'\n');
            if !self.other && KNOWN.iter().any(known) {
                let Some(end) = end else { break };
                self.held.drain(..=end);
                continue;
            }
            if !self.other && KNOWN.iter().any(|line| line.starts_with(&self.held)) {
                break;
            }
            self.other = end.is_none();
            let until = end.map_or(self.held.len(), |end| end + 1);
            passed.extend(self.held.drain(..until));
        }
        passed
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
    fn drops_only_the_warnings_that_are_known() {
        let mut quiet = Quiet::default();
        let mut passed = Vec::new();
        for piece in [
            "qemu-system-x86_64: ",
            "warning: hub 1 x\nqemu",
            "-system-x86_64: no\n",
            "a ",
            "libbpf: b\nlibb",
            "pf: c\nlib",
        ] {
            passed.extend(quiet.pass(piece.into()));
        }
        passed.extend(quiet.rest());
        assert_eq!(passed, b"qemu-system-x86_64: no\na libbpf: b\nlib");
    }
}
