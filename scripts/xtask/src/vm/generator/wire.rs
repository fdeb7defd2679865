// SPDX-License-Identifier: MIT OR Apache-2.0
//! A cable from a generator to a NIC of the guest, and another one from the next
//! NIC to where frames end.

use std::io::{copy, sink, BufReader, Read};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::frame;

/// Longer than any frame that a NIC of the guest sends.
const LONGEST: u32 = 1 << 16;

/// A wire, and what arrived.
pub struct Wire {
    pub start: UnixStream,
    /// At its other end.
    pub through: Arc<Arrived>,
    /// Back at its start: answers.
    pub back: Arc<Arrived>,
}

/// Frames that arrived somewhere.
#[derive(Default)]
pub struct Arrived {
    count: AtomicU64,
    /// The numbers of answers, and when they came.
    answers: Mutex<Vec<(u64, Instant)>>,
}

impl Arrived {
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Waits until there are others than there were, for some time. Whether there are.
    pub fn another(&self, than: u64, patience: Duration) -> bool {
        let start = Instant::now();
        while self.count() == than {
            if start.elapsed() > patience {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    pub fn answers(&self) -> MutexGuard<'_, Vec<(u64, Instant)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    pub fn accept((start, end): (UnixListener, UnixListener)) -> Result<Self> {
        let (start, _) = start.accept()?;
        let wire = Self {
            through: Arc::default(),
            back: Arc::default(),
            start,
        };
        let (answers, back) = (wire.start.try_clone()?, wire.back.clone());
        thread::spawn(move || receive(answers, |frame| answer(frame, &back)));
        let through = wire.through.clone();
        // Without a NIC at the other end nobody comes.
        thread::spawn(move || {
            receive(end.accept()?.0, |_| {
                through.count.fetch_add(1, Ordering::Release);
            })
        });
        Ok(wire)
    }
}

/// What the guest sends by the NIC that it gets frames by.
fn answer(frame: &[u8], back: &Arrived) {
    if let Some(number) = frame::answered(frame) {
        back.answers().push((number, Instant::now()));
        back.count.fetch_add(1, Ordering::Release);
    }
}

/// Reads frames until QEMU goes.
fn receive(from: UnixStream, mut then: impl FnMut(&[u8])) -> Result<()> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut frame = Vec::new();
    loop {
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len);
        if len > LONGEST {
            // Not a frame: nothing that follows can be trusted to be one.
            return Ok(copy(&mut from, &mut sink()).map(drop)?);
        }
        frame.resize(len as usize, 0);
        from.read_exact(&mut frame)?;
        then(&frame);
    }
}
