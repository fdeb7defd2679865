// SPDX-License-Identifier: MIT OR Apache-2.0
//! A running QEMU: its output, its end, and what to say when it ends badly.

use std::fs;
use std::io::{stderr, stdout, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::quiet::Quiet;
use crate::progress::say;
use crate::run::tail;

/// How many of the console's last lines are shown when a guest dies.
const TAIL: usize = 40;

/// Where the command's output goes.
pub enum Sink<'a> {
    /// To our own.
    Pass,
    /// Nowhere.
    Drop,
    /// Both streams as one to a function.
    Call(&'a mut dyn FnMut(&[u8])),
}

/// How a boot ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The command ended; 99 when it did well and the kernel did not.
    Exit(u8),
    /// QEMU ended, and the guest had not said how the command did.
    Died,
    /// QEMU itself was ended by a signal before the guest said anything.
    Crashed,
    /// It took too long.
    TimedOut,
}

impl End {
    /// As an exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Exit(code) => code,
            Self::Died | Self::Crashed => 125,
            Self::TimedOut => 124,
        }
    }
}

/// Whether our output and our errors end in the same place, so that keeping
/// their order matters and keeping them apart does not.
pub fn one_stream(sink: &Sink<'_>) -> bool {
    let same = || {
        let out = rustix::fs::fstat(stdout().as_fd()).ok()?;
        let err = rustix::fs::fstat(stderr().as_fd()).ok()?;
        Some((out.st_dev, out.st_ino) == (err.st_dev, err.st_ino))
    };
    match sink {
        Sink::Pass => same().unwrap_or(false),
        Sink::Drop | Sink::Call(_) => true,
    }
}

/// One of the streams of QEMU.
#[derive(Clone, Copy)]
enum Stream {
    Out,
    Err,
}

/// Starts QEMU, passes its output on, and waits for the end.
pub fn watch(mut qemu: Command, dir: &Path, timeout: u64, sink: &mut Sink<'_>) -> Result<End> {
    let mut child = qemu
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start QEMU (setpriv qemu-system-x86_64)")?;
    let deadline = Instant::now() + Duration::from_secs(timeout);
    let (sender, receiver) = channel();
    let (out, err) = (child.stdout.take(), child.stderr.take());
    pump(
        Stream::Out,
        out.context("QEMU has no output")?,
        sender.clone(),
    );
    pump(Stream::Err, err.context("QEMU has no errors")?, sender);

    let mut quiet = Quiet::default();
    let (mut timed_out, mut heard) = (false, false);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let came = receiver.recv_timeout(left);
        heard |= came.is_ok();
        match came {
            Ok((Stream::Err, bytes)) => sink.write(Stream::Err, &quiet.pass(bytes))?,
            Ok((Stream::Out, bytes)) => sink.write(Stream::Out, &bytes)?,
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if timed_out => break,
            Err(RecvTimeoutError::Timeout) => {
                timed_out = true;
                child.kill()?;
            }
        }
    }
    sink.write(Stream::Err, &quiet.rest())?;
    let status = child.wait()?;
    let end = match fs::read_to_string(dir.join("status"))
        .unwrap_or_default()
        .trim()
        .parse()
    {
        Ok(code) => End::Exit(code),
        Err(_) if timed_out => End::TimedOut,
        Err(_) if !heard && status.signal().is_some() => End::Crashed,
        Err(_) => End::Died,
    };
    if matches!(sink, Sink::Drop) || matches!(end, End::Exit(_)) {
        return Ok(end);
    }
    match end {
        End::TimedOut => say(&format!("the guest was killed after {timeout} s")),
        _ => say(&format!("the guest died (QEMU: {status})")),
    }
    eprintln!("{}", tail(&dir.join("console.log"), TAIL));
    Ok(end)
}

impl Sink<'_> {
    fn write(&mut self, stream: Stream, bytes: &[u8]) -> Result<()> {
        match (self, stream) {
            (Self::Drop, _) => {}
            (Self::Call(function), _) => function(bytes),
            (Self::Pass, Stream::Out) => {
                let mut out = stdout().lock();
                out.write_all(bytes)?;
                out.flush()?;
            }
            (Self::Pass, Stream::Err) => stderr().lock().write_all(bytes)?,
        }
        Ok(())
    }
}

/// Sends on what comes, until the other side closes.
fn pump(stream: Stream, mut from: impl Read + Send + 'static, to: Sender<(Stream, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 16384];
        // An error of a pipe is its end, as far as we care.
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.send((stream, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}
