// SPDX-License-Identifier: MIT OR Apache-2.0
//! What one CPU did in a window, and what several did to the same lines.
//!
//! A window is written as lines of text:
//!
//! ```text
//! window
//! ran CPU INSTRUCTION COUNT
//! user CPU COUNT
//! wrote CPU COUNT
//! lines USERS WRITERS COUNT
//! shared USERS WRITERS CPU r|w INSTRUCTION COUNT LINES ADDRESS
//! moved OTHERS CPU r|w INSTRUCTION COUNT ADDRESS
//! device CPU r|w INSTRUCTION COUNT
//! end
//! ```
//!
//! `ran` has the instructions of the kernel, and `user` how many a CPU executed of
//! programs. `wrote` is the number of all stores of the kernel by a CPU. A cache
//! line is shared when a CPU has written it and another one has read or written it.
//! USERS and WRITERS are
//! the CPUs that have accessed and that have written a line, as a mask; `lines`
//! has how many lines are shared in the same way. `shared` is about all of these
//! that one instruction of one CPU has accessed: how many accesses, how many
//! lines, and the virtual address of one of them. INSTRUCTION, ADDRESS and masks
//! are hexadecimal.
//!
//! `moved` has the accesses for which a line came to this CPU's cache from that of
//! others, or had to go from theirs: see [`crate::cache`]. A line that two CPUs use
//! one after the other is shared, too, but moves once.
//!
//! `device` has the accesses to registers of devices, doorbells among them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, Write};

/// A hasher for addresses that nobody chooses to do harm.
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        // The low bits of a product have little of the high bits of its factors.
        self.0.rotate_left(32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(26) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_u8(&mut self, word: u8) {
        self.write_u64(u64::from(word));
    }
}

/// A map from addresses.
pub type Map<K, V> = HashMap<K, V, BuildHasherDefault<Mix>>;

/// An instruction and a line that it accessed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Access {
    line: u64,
    instruction: u64,
    write: bool,
}

/// How often, and by which virtual address at first.
#[derive(Clone, Copy)]
struct Times {
    count: u64,
    address: u64,
}

/// What one CPU did.
#[derive(Default)]
pub struct Tally {
    executed: u64,
    ran: Map<u64, u64>,
    user: u64,
    accesses: Map<Access, Times>,
    moves: Map<Move, Times>,
    /// By instruction and whether it writes.
    devices: Map<(u64, bool), u64>,
    wrote: u64,
}

/// An instruction that had lines moved, and from whose caches.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Move {
    instruction: u64,
    write: bool,
    others: u64,
}

impl Tally {
    /// The CPU executes an instruction of a program; how many that makes.
    pub fn execute_user(&mut self) -> u64 {
        self.user += 1;
        self.executed += 1;
        self.executed
    }

    /// The CPU executes an instruction of the kernel; how many that makes.
    pub fn execute(&mut self, instruction: u64) -> u64 {
        *self.ran.entry(instruction).or_default() += 1;
        self.executed += 1;
        self.executed
    }

    /// The instruction accesses a register of a device.
    pub fn access_device(&mut self, instruction: u64, write: bool) {
        *self.devices.entry((instruction, write)).or_default() += 1;
    }

    /// The instruction accesses a line, which the CPUs in `others` had.
    pub fn access(&mut self, instruction: u64, line: u64, address: u64, write: bool, others: u64) {
        self.wrote += u64::from(write);
        let access = Access {
            line,
            instruction,
            write,
        };
        let times = self
            .accesses
            .entry(access)
            .or_insert(Times { count: 0, address });
        times.count += 1;
        if others != 0 {
            let moved = Move {
                instruction,
                write,
                others,
            };
            let times = self
                .moves
                .entry(moved)
                .or_insert(Times { count: 0, address });
            times.count += 1;
        }
    }
}

/// Which CPUs have accessed a line, and which have written it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Sharing {
    users: u64,
    writers: u64,
}

impl Sharing {
    fn is_shared(self) -> bool {
        self.writers != 0 && !self.users.is_power_of_two()
    }
}

/// Writes what the CPUs did.
pub fn write(tallies: &[Tally], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "window")?;
    let mut lines: Map<u64, Sharing> = Map::default();
    for (cpu, tally) in tallies.iter().enumerate() {
        for (instruction, count) in &tally.ran {
            writeln!(out, "ran {cpu} {instruction:x} {count}")?;
        }
        writeln!(out, "user {cpu} {}", tally.user)?;
        writeln!(out, "wrote {cpu} {}", tally.wrote)?;
        for access in tally.accesses.keys() {
            let sharing = lines.entry(access.line).or_default();
            let bit = 1 << cpu;
            sharing.users |= bit;
            sharing.writers |= if access.write { bit } else { 0 };
        }
    }
    lines.retain(|_, sharing| sharing.is_shared());
    let mut classes: Map<Sharing, u64> = Map::default();
    for sharing in lines.values() {
        *classes.entry(*sharing).or_default() += 1;
    }
    for (Sharing { users, writers }, count) in classes {
        writeln!(out, "lines {users:x} {writers:x} {count}")?;
    }
    for (cpu, tally) in tallies.iter().enumerate() {
        write_shared(cpu, tally, &lines, out)?;
        for ((instruction, write), count) in &tally.devices {
            writeln!(out, "device {cpu} {} {instruction:x} {count}", kind(*write))?;
        }
    }
    writeln!(out, "end")
}

/// The word for a load or a store.
fn kind(write: bool) -> char {
    match write {
        true => 'w',
        false => 'r',
    }
}

/// What one CPU did to lines that are shared.
fn write_shared(
    cpu: usize,
    tally: &Tally,
    shared: &Map<u64, Sharing>,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut rows: Map<(Sharing, bool, u64), (u64, u64, u64)> = Map::default();
    for (access, times) in &tally.accesses {
        if let Some(sharing) = shared.get(&access.line) {
            let key = (*sharing, access.write, access.instruction);
            let (count, lines, address) = rows.entry(key).or_default();
            *count += times.count;
            *lines += 1;
            *address = times.address;
        }
    }
    for ((Sharing { users, writers }, write, instruction), (count, lines, address)) in rows {
        let kind = kind(write);
        writeln!(
            out,
            "shared {users:x} {writers:x} {cpu} {kind} {instruction:x} {count} {lines} {address:x}"
        )?;
    }
    for (moved, Times { count, address }) in &tally.moves {
        let kind = kind(moved.write);
        let Move {
            instruction,
            others,
            ..
        } = moved;
        writeln!(
            out,
            "moved {others:x} {cpu} {kind} {instruction:x} {count} {address:x}"
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_that_one_writes_and_another_uses_are_shared() {
        let mut tallies = [Tally::default(), Tally::default()];
        let [a, b] = &mut tallies;
        a.execute(0x10);
        assert_eq!((a.execute_user(), a.execute(0x10)), (2, 3));
        // Read by both, written by one alone, and written by one and read by the
        // other.
        a.access(0x10, 1, 0x40, false, 0);
        b.access(0x20, 1, 0x40, false, 0);
        a.access(0x11, 2, 0x80, true, 0);
        a.access(0x12, 3, 0xc8, true, 0);
        a.access(0x12, 3, 0xc8, true, 0);
        b.access(0x22, 3, 0xc0, false, 1);
        b.access_device(0x24, true);
        b.access_device(0x24, true);
        let mut out = Vec::new();
        write(&tallies, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "window",
                "ran 0 10 2",
                "user 0 1",
                "wrote 0 3",
                "user 1 0",
                "wrote 1 0",
                "lines 3 1 1",
                "shared 3 1 0 w 12 2 1 c8",
                "shared 3 1 1 r 22 1 1 c0",
                "moved 1 1 r 22 1 c0",
                "device 1 w 24 2",
                "end"
            ]
        );
    }
}
