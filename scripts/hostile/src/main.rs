// SPDX-License-Identifier: MIT OR Apache-2.0

//! For the scenarios: an application that writes anything anywhere in the memory of its channel, for
//! so many seconds, and opens another one whenever the kernel has had enough of it; or, to `stay`, keeps
//! the one that is closed open; or, `mute`, sends a frame and rings no bell, as if another one had cleared
//! that, and says when it is sent nevertheless.
//!
//! `hostile ADDR PORT SECONDS SEED [stay|mute]`

use std::env::args;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use rustix::fs::{open, Mode, OFlags};
use rustix::ioctl::{self, opcode, Opcode};
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use smplb_core::channel::entry::Entry;
use smplb_core::channel::layout::{Layout, Ring};
use smplb_core::channel::uapi::{Map, Open, Stats, Want, ANY_CPU, MAGIC, VERSION, WANT_LOCAL};

const OPEN: Opcode = opcode::read_write::<Open>(MAGIC, 0);
const WANT: Opcode = opcode::write::<Want>(MAGIC, 1);
const KICK: Opcode = opcode::none(MAGIC, 3);
const STATS: Opcode = opcode::read::<Stats>(MAGIC, 5);

const SIZE: u32 = 64;

/// Random numbers: SplitMix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, most: usize) -> usize {
        (self.roll() % most as u64) as usize
    }
}

/// A part of the channel's memory.
struct Part {
    start: *mut AtomicU32,
    words: usize,
}

impl Part {
    fn map(file: &OwnedFd, part: Map) -> Result<Self> {
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        let len = part.len as usize;
        // SAFETY: A new mapping.
        let start = unsafe { mmap(null_mut(), len, prot, MapFlags::SHARED, file, part.offset)? };
        Ok(Self {
            start: start.cast(),
            words: len / 4,
        })
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: A word of the mapping, which lives as long as `self`.
        unsafe { &*self.start.add(at % self.words) }
    }

    fn set(&self, at: usize, value: u32) {
        self.word(at).store(value, Ordering::Relaxed);
    }

    fn get(&self, at: usize) -> u32 {
        self.word(at).load(Ordering::Relaxed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // SAFETY: Mapped in `map`, and not used any more.
        let _ = unsafe { munmap(self.start.cast(), self.words * 4) };
    }
}

/// One channel.
struct Victim {
    file: OwnedFd,
    parts: [Part; 4],
}

impl Victim {
    fn open(addr: Ipv4Addr, port: u16) -> Result<Self> {
        let file = open("/dev/smplb", OFlags::RDWR, Mode::empty()).context("/dev/smplb")?;
        let mut told = Open {
            version: VERSION,
            ring_size: SIZE,
            buffers: SIZE,
            cpu: ANY_CPU,
            ..Open::default()
        };
        let want = Want {
            kind: WANT_LOCAL,
            addr: addr.octets(),
            port: port.to_be_bytes(),
            protocol: 17,
            ..Want::default()
        };
        // SAFETY: The ioctls take these structs.
        unsafe {
            ioctl::ioctl(&file, ioctl::Updater::<OPEN, _>::new(&mut told))?;
            ioctl::ioctl(&file, ioctl::Setter::<WANT, _>::new(want))?;
        }
        let parts = [told.rings, told.list, told.bells, told.memory];
        let [rings, list, bells, memory] = parts.map(|part| Part::map(&file, part));
        Ok(Self {
            parts: [rings?, list?, bells?, memory?],
            file,
        })
    }

    /// Writes an entry to its place in the list.
    fn describe(&self, entry: &Entry) {
        let [_, list, ..] = &self.parts;
        let words = entry.words();
        let halves = words
            .iter()
            .flat_map(|word| [*word as u32, (word >> 32) as u32]);
        for (nth, half) in halves.enumerate() {
            list.set(entry.buffer as usize * 4 + nth, half);
        }
    }

    /// One thing that no application should do.
    fn harm(&self, dice: &mut Dice) {
        let [rings, list, bells, memory] = &self.parts;
        match dice.below(10) {
            // A number on a ring, near the ends of what there is or not, and a counter to go with it.
            0..4 => {
                let Some(layout) = Layout::new(SIZE) else {
                    return;
                };
                let ring = [Ring::Fill, Ring::Transmit][dice.below(2)];
                let places = layout.places(ring);
                let counter = rings.get(places.producer);
                let number = dice.below(SIZE as usize + 2) as u32;
                rings.set(places.elements + (counter % SIZE) as usize, number);
                let entry = Entry {
                    buffer: number,
                    offset: 128 + dice.below(3) as u16,
                    len: dice.below(100) as u16,
                    owner: u16::from(dice.below(20) == 0),
                    flags: u16::from(dice.below(20) == 0),
                    port: dice.below(4) as u16,
                    reserved: u16::from(dice.below(20) == 0),
                };
                self.describe(&entry);
                rings.set(places.producer, counter.wrapping_add(1));
            }
            // What was received and completed is taken, by a step that may be too long.
            4 | 5 => {
                let Some(layout) = Layout::new(SIZE) else {
                    return;
                };
                let ring = [Ring::Receive, Ring::Completion][dice.below(2)];
                let places = layout.places(ring);
                let step = u32::from(dice.below(100) != 0) * rings.get(places.producer);
                rings.set(places.consumer, step);
            }
            6 => list.set(dice.below(1 << 16), dice.roll() as u32),
            7 => bells.set(dice.below(1 << 10), dice.roll() as u32),
            8 => memory.set(dice.below(1 << 20), dice.roll() as u32),
            // Anything anywhere: this breaks a ring soon.
            _ => {
                if dice.below(50) == 0 {
                    rings.set(dice.below(1 << 12), dice.roll() as u32);
                }
            }
        }
        bells.set(2, u32::MAX);
        bells.set(0, u32::MAX);
    }

    /// Puts a frame on the transmit ring, to leave by the first port.
    fn send(&self) -> Result<()> {
        let [rings, ..] = &self.parts;
        let layout = Layout::new(SIZE).context("no such size")?;
        let (given, sent) = (
            layout.places(Ring::Completion),
            layout.places(Ring::Transmit),
        );
        let buffer = rings.get(given.elements);
        // The ring was full of free buffers, and nothing is sent without room for its completion.
        rings.set(given.consumer, 1);
        self.describe(&Entry {
            buffer,
            offset: 128,
            len: 60,
            ..Entry::default()
        });
        rings.set(sent.elements, buffer);
        rings.set(sent.producer, 1);
        Ok(())
    }

    /// Frames that the kernel has sent.
    fn sent(&self) -> Result<u64> {
        // SAFETY: The ioctl fills in this struct.
        let stats = unsafe { ioctl::ioctl(&self.file, ioctl::Getter::<STATS, Stats>::new()) };
        Ok(stats?.tx_packets)
    }

    /// Whether the kernel has closed it.
    fn is_closed(&self) -> Result<bool> {
        let mut wanted = [PollFd::from_borrowed_fd(self.file.as_fd(), PollFlags::IN)];
        poll(&mut wanted, Some(&Timespec::default()))?;
        Ok(wanted[0].revents().contains(PollFlags::HUP))
    }
}

fn main() -> Result<()> {
    let arg = |nth| args().nth(nth).context("ADDR PORT SECONDS SEED");
    let (addr, port) = (arg(1)?.parse()?, arg(2)?.parse()?);
    let end = Instant::now() + Duration::from_secs(arg(3)?.parse()?);
    let mut dice = Dice(arg(4)?.parse()?);
    let word = args().nth(5).unwrap_or_default();
    let stays = word == "stay";
    if word == "mute" {
        let victim = Victim::open(addr, port)?;
        // The engine falls asleep.
        thread::sleep(Duration::from_secs(1));
        ensure!(victim.sent()? == 0, "nobody has asked for that");
        victim.send()?;
        println!("waiting");
        while victim.sent()? == 0 {
            ensure!(Instant::now() < end, "it was never sent");
            thread::sleep(Duration::from_millis(10));
        }
        println!("sent");
        return Ok(());
    }
    let (mut channels, mut deeds) = (0u64, 0u64);
    while Instant::now() < end {
        let victim = Victim::open(addr, port)?;
        channels += 1;
        for _ in 0..1000 {
            for _ in 0..64 {
                victim.harm(&mut dice);
                deeds += 1;
            }
            // SAFETY: It takes nothing. A closed channel refuses.
            let _ = unsafe { ioctl::ioctl(&victim.file, ioctl::NoArg::<KICK>::new()) };
            if victim.is_closed()? || Instant::now() >= end {
                break;
            }
        }
        if stays {
            println!("closed: {}", victim.is_closed()?);
            thread::sleep(end.saturating_duration_since(Instant::now()));
        }
    }
    println!("{deeds} deeds on {channels} channels");
    Ok(())
}
