// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generators of frames, each cabled to a NIC of the guest. They run on the host,
//! so that they cost the guest no instruction, and send as fast as the NIC takes
//! frames: none is lost.
//!
//! The guest tells them what to send by lines on the port `generator`, and is told
//! `sent` when the last frame has been handed to QEMU:
//!
//! ```text
//! send COUNT FLOWS MAC ADDRESS PORT [wire=N] [from=ADDRESS] [window=N] [back] [answered] [, …]
//! ```
//!
//! Orders behind commas are carried out at the same time. Wire 0 is that of eth0,
//! wire 1 that of eth2, and so on. With `back` it is the flows that are sent to,
//! from ADDRESS and PORT. With `window` no more than so many frames are under way
//! to eth1 (eth3, …), so that the rings between have room for all; with `answered`
//! they are under way until they come back by the NIC that they were sent to, and
//! `sent` is followed by how many did and how long it took:
//!
//! ```text
//! sent answered=COUNT elapsed=NS p50=NS p99=NS max=NS
//! ```

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{anyhow, Context, Result};

use order::Order;
use round::Rounds;
use wire::Wire;

mod frame;
mod order;
mod round;
mod wire;

/// The sockets that QEMU connects to.
pub struct Generator {
    /// For each wire: frames, each after its length (`-netdev stream`).
    pub wires: Vec<PathBuf>,
    /// For each wire the other end: what left by the NIC after it, likewise.
    pub ends: Vec<PathBuf>,
    /// Lines to and from the guest.
    pub control: PathBuf,
}

impl Generator {
    /// Waits for QEMU in threads of its own; they end with it.
    pub fn start(dir: &Path, wires: usize) -> Result<Self> {
        let sockets = |name| (0..wires).map(|n| dir.join(format!("{name}{n}"))).collect();
        let generator = Self {
            wires: sockets("wire"),
            ends: sockets("end"),
            control: dir.join("generator"),
        };
        let bind = |path: &PathBuf| {
            UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))
        };
        let pairs = generator.wires.iter().zip(&generator.ends);
        let wires = pairs
            .map(|(wire, end)| Ok((bind(wire)?, bind(end)?)))
            .collect::<Result<_>>()?;
        let control = bind(&generator.control)?;
        thread::spawn(move || serve(wires, &control));
        Ok(generator)
    }
}

/// One guest. Any error is its end.
fn serve(wires: Vec<(UnixListener, UnixListener)>, control: &UnixListener) -> Result<()> {
    let (control, _) = control.accept()?;
    let wires: Vec<_> = wires.into_iter().map(Wire::accept).collect::<Result<_>>()?;
    let mut reply = control.try_clone()?;
    for line in BufReader::new(control).lines() {
        match parse(&line?).filter(|orders| orders.iter().all(|order| order.wire < wires.len())) {
            Some(orders) => {
                let rounds = carry_out(&orders, &wires)?;
                let told = rounds.iter().map(|rounds| format!(" {rounds}"));
                writeln!(reply, "sent{}", told.collect::<String>())?;
            }
            None => writeln!(reply, "not understood")?,
        }
    }
    Ok(())
}

/// All of them at the same time.
fn carry_out(orders: &[Order], wires: &[Wire]) -> Result<Vec<Rounds>> {
    thread::scope(|scope| {
        let begin = |order| scope.spawn(move || Order::carry_out(order, wires));
        let threads: Vec<_> = orders.iter().map(begin).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        let rounds = joined.map(|rounds| rounds.map_err(|_| anyhow!("a generator failed"))?);
        rounds.filter_map(Result::transpose).collect()
    })
}

fn parse(line: &str) -> Option<Vec<Order>> {
    line.strip_prefix("send ")?
        .split(',')
        .map(Order::parse)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_orders_behind_commas() {
        let order = "3 2 52:54:00:00:00:0a 192.0.2.10 9";
        assert_eq!(parse(&format!("send {order}, {order}")).unwrap().len(), 2);
        for line in ["", "send", order, "send , "] {
            assert!(parse(line).is_none(), "{line}");
        }
    }
}
