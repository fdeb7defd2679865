// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the plugin of scripts/lines has written: see `tally.rs` there.

use anyhow::{bail, Context, Result};

/// What the CPUs did while a window was open.
#[derive(Default)]
pub struct Window {
    /// Instructions that were executed.
    pub ran: Vec<Ran>,
    /// Instructions of programs that each CPU executed.
    pub user: Vec<u64>,
    /// Stores of each CPU.
    pub wrote: Vec<u64>,
    /// Accesses to lines that one CPU has written and another one used.
    pub shared: Vec<Shared>,
    /// Accesses that moved a line from one CPU's cache to another's.
    pub moved: Vec<Moved>,
    /// Accesses to registers of devices.
    pub devices: Vec<Device>,
}

/// An instruction that a CPU executed.
pub struct Ran {
    pub cpu: usize,
    pub instruction: u64,
    pub count: u64,
}

/// Accesses of an instruction to lines that the CPUs `users` accessed.
pub struct Shared {
    pub users: u64,
    pub cpu: usize,
    pub write: bool,
    pub count: u64,
}

/// Accesses of an instruction for which lines left the caches of `others`.
pub struct Moved {
    pub others: u64,
    pub cpu: usize,
    pub write: bool,
    pub instruction: u64,
    pub count: u64,
    /// Where one of the lines is.
    pub address: u64,
}

/// Accesses of an instruction to registers of devices.
pub struct Device {
    pub cpu: usize,
    pub write: bool,
    pub instruction: u64,
    pub count: u64,
}

/// All windows, in the order in which they were closed.
pub fn parse(text: &str) -> Result<Vec<Window>> {
    let mut windows = Vec::new();
    let mut window = Window::default();
    for line in text.lines() {
        let mut words = Words(line.split(' '));
        match words.word()? {
            "window" => window = Window::default(),
            "end" => windows.push(std::mem::take(&mut window)),
            kind => window
                .add(kind, &mut words)
                .with_context(|| format!("not of a window: {line}"))?,
        }
    }
    Ok(windows)
}

impl Window {
    fn add(&mut self, kind: &str, words: &mut Words<'_>) -> Result<()> {
        match kind {
            "ran" => self.ran.push(Ran {
                cpu: words.number(10)? as usize,
                instruction: words.number(16)?,
                count: words.number(10)?,
            }),
            // By CPU, in order.
            "user" => self.user.push(words.skip(1)?.number(10)?),
            "wrote" => self.wrote.push(words.skip(1)?.number(10)?),
            "shared" => self.shared.push(Shared {
                users: words.number(16)?,
                cpu: words.skip(1)?.number(10)? as usize,
                write: words.word()? == "w",
                count: words.skip(1)?.number(10)?,
            }),
            "moved" => self.moved.push(Moved {
                others: words.number(16)?,
                cpu: words.number(10)? as usize,
                write: words.word()? == "w",
                instruction: words.number(16)?,
                count: words.number(10)?,
                address: words.number(16)?,
            }),
            "device" => self.devices.push(Device {
                cpu: words.number(10)? as usize,
                write: words.word()? == "w",
                instruction: words.number(16)?,
                count: words.number(10)?,
            }),
            "lines" => {}
            _ => bail!("unknown"),
        }
        Ok(())
    }
}

struct Words<'a>(std::str::Split<'a, char>);

impl<'a> Words<'a> {
    fn word(&mut self) -> Result<&'a str> {
        self.0.next().context("too short")
    }

    fn skip(&mut self, count: usize) -> Result<&mut Self> {
        for _ in 0..count {
            self.word()?;
        }
        Ok(self)
    }

    fn number(&mut self, radix: u32) -> Result<u64> {
        Ok(u64::from_str_radix(self.word()?, radix)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_read() {
        let text = "window\nran 1 ffffffff81000000 7\nuser 0 4\nwrote 0 0\nuser 1 6\nwrote 1 5\nlines 6 2 1\n\
                    shared 6 2 1 w ffffffff81000000 7 1 ff11\n\
                    moved 2 2 r ffffffff81000004 3 ff11\n\
                    device 1 w ffffffff81000008 9\nend\n";
        let windows = parse(text).unwrap();
        let [window] = &windows[..] else {
            panic!("{} windows", windows.len())
        };
        assert_eq!(window.ran[0].count, 7);
        assert_eq!(
            (&window.user[..], &window.wrote[..]),
            (&[4, 6][..], &[0, 5][..])
        );
        assert_eq!((window.shared[0].count, window.shared[0].write), (7, true));
        let moved = &window.moved[0];
        assert_eq!((moved.others, moved.cpu, moved.address), (2, 2, 0xff11));
        let device = &window.devices[0];
        assert_eq!((device.cpu, device.write, device.count), (1, true, 9));
        assert!(parse("ran 1").is_err());
        assert!(parse("walked 1 2 3").is_err());
    }
}
