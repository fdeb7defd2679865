// SPDX-License-Identifier: MIT OR Apache-2.0
//! Generators of frames, each cabled to a NIC of the guest. They run on the host,
//! so that they cost the guest no instruction, and send as fast as the NIC takes
//! frames: none is lost.
//!
//! The guest tells them what to send by lines on the port `generator`, and is told
//! `sent` when the last frame has been handed to QEMU:
//!
//! ```text
//! send COUNT FLOWS MAC ADDRESS PORT [wire=N] [from=ADDRESS] [window=N] [back] [, …]
//! ```
//!
//! Orders behind commas are carried out at the same time. Wire 0 is that of eth0,
//! wire 1 that of eth2, and so on. With `back` it is the flows that are sent to,
//! from ADDRESS and PORT. With `window` no more than so many frames are under way
//! to eth1 (eth3, …), so that the rings between have room for all.

use std::io::{copy, sink, BufRead, BufReader, BufWriter, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, Context, Result};

/// Octets of a frame, without FCS: the smallest.
const FRAME: usize = 60;
const ETH_HLEN: usize = 14;
const IP_HLEN: usize = 20;
/// Where the flows come from unless it is said: this address and those after it,
const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// so many of each,
const FLOWS_PER_ADDRESS: u64 = 60_000;
/// by this port and those after it.
const FIRST_PORT: u16 = 1024;
/// After so long without one that arrives, those under way are lost.
const LOST: Duration = Duration::from_millis(200);

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

/// A wire, and how many frames have arrived at its other end.
struct Wire {
    start: UnixStream,
    arrived: Arc<AtomicU64>,
}

impl Wire {
    fn accept((start, end): (UnixListener, UnixListener)) -> Result<Self> {
        let (start, _) = start.accept()?;
        let mut back = start.try_clone()?;
        // What the guest sends has arrived when it has been read.
        thread::spawn(move || copy(&mut back, &mut sink()));
        let arrived = Arc::new(AtomicU64::new(0));
        let count = arrived.clone();
        // Without a NIC at the other end nobody comes.
        thread::spawn(move || receive(&end, &count));
        Ok(Self { start, arrived })
    }
}

/// Counts frames.
fn receive(end: &UnixListener, arrived: &AtomicU64) -> Result<()> {
    let mut end = BufReader::with_capacity(1 << 16, end.accept()?.0);
    loop {
        let mut len = [0; 4];
        end.read_exact(&mut len)?;
        copy(
            &mut (&mut end).take(u32::from_be_bytes(len).into()),
            &mut sink(),
        )?;
        arrived.fetch_add(1, Ordering::Release);
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
                carry_out(&orders, &wires)?;
                writeln!(reply, "sent")?;
            }
            None => writeln!(reply, "not understood")?,
        }
    }
    Ok(())
}

/// All of them at the same time.
fn carry_out(orders: &[Order], wires: &[Wire]) -> Result<()> {
    thread::scope(|scope| {
        let send = |order: &Order| {
            let wire = &wires[order.wire];
            let mut out = BufWriter::with_capacity(1 << 16, &wire.start);
            order.send(&mut out, &wire.arrived)
        };
        let threads: Vec<_> = orders
            .iter()
            .map(|order| scope.spawn(move || send(order)))
            .collect();
        let mut joined = threads.into_iter().map(|thread| thread.join());
        joined.try_for_each(|sent| sent.map_err(|_| anyhow!("a generator failed"))?)
    })
}

fn parse(line: &str) -> Option<Vec<Order>> {
    line.strip_prefix("send ")?
        .split(',')
        .map(Order::parse)
        .collect()
}

/// What to send.
struct Order {
    count: u64,
    flows: u64,
    mac: [u8; 6],
    address: Ipv4Addr,
    port: u16,
    /// By which wire.
    wire: usize,
    /// The first address of the flows.
    from: Ipv4Addr,
    /// Frames that may be under way.
    window: u64,
    /// Whether the frames go to the flows.
    back: bool,
}

impl Order {
    fn parse(words: &str) -> Option<Self> {
        let words: Vec<&str> = words.split_whitespace().collect();
        let [count, flows, mac, address, port, ref options @ ..] = words[..] else {
            return None;
        };
        let mut octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16));
        let mut parsed = [0; 6];
        for place in &mut parsed {
            *place = octets.next()?.ok()?;
        }
        let mut order = Self {
            count: count.parse().ok()?,
            flows: flows.parse().ok().filter(|&flows| flows > 0)?,
            mac: parsed,
            address: address.parse().ok()?,
            port: port.parse().ok()?,
            wire: 0,
            from: SOURCE,
            window: u64::MAX,
            back: false,
        };
        for option in options {
            match option.split_once('=') {
                Some(("wire", wire)) => order.wire = wire.parse().ok()?,
                Some(("from", from)) => order.from = from.parse().ok()?,
                Some(("window", frames)) => {
                    order.window = frames.parse().ok().filter(|&frames| frames > 0)?
                }
                None if *option == "back" => order.back = true,
                _ => return None,
            }
        }
        Some(order)
    }

    fn send(&self, out: &mut impl Write, arrived: &AtomicU64) -> Result<()> {
        let before = arrived.load(Ordering::Acquire);
        let mut lost = 0;
        for number in 0..self.count {
            let missing = || (before + number).saturating_sub(arrived.load(Ordering::Acquire));
            while missing().saturating_sub(lost) >= self.window {
                out.flush()?;
                if !another(arrived) {
                    lost = missing();
                }
            }
            out.write_all(&(FRAME as u32).to_be_bytes())?;
            out.write_all(&self.frame(number % self.flows))?;
        }
        Ok(out.flush()?)
    }

    /// The frame of one flow.
    fn frame(&self, flow: u64) -> [u8; FRAME] {
        let client = Ipv4Addr::from(u32::from(self.from) + (flow / FLOWS_PER_ADDRESS) as u32);
        let client = (client, FIRST_PORT + (flow % FLOWS_PER_ADDRESS) as u16);
        let server = (self.address, self.port);
        let (source, dest) = if self.back {
            (server, client)
        } else {
            (client, server)
        };
        let mut frame = [0; FRAME];
        let (ethernet, rest) = frame.split_at_mut(ETH_HLEN);
        ethernet[..6].copy_from_slice(&self.mac);
        ethernet[6..12].copy_from_slice(&[2, 0, 0, 0, 0, 1]);
        ethernet[12] = 8;

        let (ip, udp) = rest.split_at_mut(IP_HLEN);
        let udp_len = udp.len() as u16;
        ip[0] = 0x45;
        ip[2..4].copy_from_slice(&(udp_len + IP_HLEN as u16).to_be_bytes());
        ip[8..10].copy_from_slice(&[64, 17]);
        ip[12..16].copy_from_slice(&source.0.octets());
        ip[16..20].copy_from_slice(&dest.0.octets());
        let check = checksum(ip, 0);
        ip[10..12].copy_from_slice(&check.to_be_bytes());

        udp[..2].copy_from_slice(&source.1.to_be_bytes());
        udp[2..4].copy_from_slice(&dest.1.to_be_bytes());
        udp[4..6].copy_from_slice(&udp_len.to_be_bytes());
        let pseudo = u32::from(17 + udp_len) + sum(&ip[12..20]);
        let check = match checksum(udp, pseudo) {
            0 => 0xffff,
            check => check,
        };
        udp[6..8].copy_from_slice(&check.to_be_bytes());
        frame
    }
}

/// Waits until one more has arrived. Whether one has.
fn another(arrived: &AtomicU64) -> bool {
    let (start, before) = (Instant::now(), arrived.load(Ordering::Acquire));
    while arrived.load(Ordering::Acquire) == before {
        if start.elapsed() > LOST {
            return false;
        }
        thread::yield_now();
    }
    true
}

/// RFC 1071; the octets are an even number.
fn sum(octets: &[u8]) -> u32 {
    let words = octets.chunks_exact(2);
    words
        .map(|word| u32::from(u16::from_be_bytes([word[0], word[1]])))
        .sum()
}

fn checksum(octets: &[u8], start: u32) -> u16 {
    let mut sum = sum(octets) + start;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "send 3 2 52:54:00:00:00:0a 192.0.2.10 9";

    fn frames(line: &str, nth: usize) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let order = &parse(line).unwrap()[nth];
        order.send(&mut out, &AtomicU64::new(0)).unwrap();
        out.chunks_exact(4 + FRAME).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn frames_are_valid_and_of_their_flow() {
        let frames = frames(LINE, 0);
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0], frames[2]);
        for (flow, frame) in frames[..2].iter().enumerate() {
            assert_eq!(frame[..4], 60_u32.to_be_bytes());
            assert_eq!(frame[4..10], [0x52, 0x54, 0, 0, 0, 10]);
            let (ip, udp) = frame[4 + ETH_HLEN..].split_at(IP_HLEN);
            // A checksum over itself is 0 (RFC 1071, section 1).
            assert_eq!(checksum(ip, 0), 0);
            assert_eq!(checksum(udp, 17 + 26 + sum(&ip[12..20])), 0);
            assert_eq!(udp[..2], (1024 + flow as u16).to_be_bytes());
        }
    }

    #[test]
    fn other_lines_are_not_understood() {
        for line in ["", "send", "send 1 0 52:54:00:00:00:0a 192.0.2.10 9"] {
            assert!(parse(line).is_none(), "{line}");
        }
        for option in ["wire", "wire=x", "from=1", "window=0", "forth"] {
            assert!(parse(&format!("{LINE} {option}")).is_none(), "{option}");
        }
    }

    #[test]
    fn orders_have_wires_and_directions() {
        let line = format!("{LINE}, 1 1 52:54:00:00:00:0b 10.2.0.2 9 wire=1 from=10.1.7.2 back");
        let orders = parse(&line).unwrap();
        assert_eq!((orders[0].wire, orders[1].wire), (0, 1));
        let frame = &frames(&line, 1)[0][4 + ETH_HLEN..];
        assert_eq!(frame[12..20], [10, 2, 0, 2, 10, 1, 7, 2]);
        assert_eq!(frame[IP_HLEN..IP_HLEN + 4], [0, 9, 4, 0]);
    }
}
