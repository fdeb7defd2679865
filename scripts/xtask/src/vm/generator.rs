// SPDX-License-Identifier: MIT OR Apache-2.0
//! A generator of frames, cabled to a NIC of the guest. It runs on the host, so
//! that it costs the guest no instruction, and sends as fast as the NIC takes
//! frames: none is lost.
//!
//! The guest tells it what to send by lines on the port `generator`:
//! `send COUNT FLOWS MAC ADDRESS PORT`, and is told `sent` when the last frame
//! has been handed to QEMU.

use std::io::{copy, sink, BufRead, BufReader, BufWriter, Write};
use std::net::Ipv4Addr;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result};

/// Octets of a frame, without FCS: the smallest.
const FRAME: usize = 60;
const ETH_HLEN: usize = 14;
const IP_HLEN: usize = 20;
/// Where the flows come from: this address and those after it,
const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// so many of each,
const FLOWS_PER_ADDRESS: u64 = 60_000;
/// by this port and those after it.
const FIRST_PORT: u16 = 1024;

/// The sockets that QEMU connects to.
pub struct Generator {
    /// Frames, each after its length (`-netdev stream`).
    pub wire: PathBuf,
    /// Lines to and from the guest.
    pub control: PathBuf,
}

impl Generator {
    /// Waits for QEMU in threads of its own; they end with it.
    pub fn start(dir: &Path) -> Result<Self> {
        let generator = Self {
            wire: dir.join("wire"),
            control: dir.join("generator"),
        };
        let bind = |path: &Path| {
            UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))
        };
        let (wire, control) = (bind(&generator.wire)?, bind(&generator.control)?);
        thread::spawn(move || serve(&wire, &control));
        Ok(generator)
    }
}

/// One guest. Any error is its end.
fn serve(wire: &UnixListener, control: &UnixListener) -> Result<()> {
    let (control, _) = control.accept()?;
    let (wire, _) = wire.accept()?;
    let mut back = wire.try_clone()?;
    // What the guest sends has arrived when it has been read.
    thread::spawn(move || copy(&mut back, &mut sink()));
    obey(&control, &wire)
}

fn obey(control: &UnixStream, wire: &UnixStream) -> Result<()> {
    let mut reply = control.try_clone()?;
    let mut out = BufWriter::with_capacity(1 << 16, wire);
    for line in BufReader::new(control).lines() {
        match Order::parse(&line?) {
            Some(order) => {
                order.send(&mut out)?;
                writeln!(reply, "sent")?;
            }
            None => writeln!(reply, "not understood")?,
        }
    }
    Ok(())
}

/// What to send.
struct Order {
    count: u64,
    flows: u64,
    mac: [u8; 6],
    address: Ipv4Addr,
    port: u16,
}

impl Order {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let ["send", count, flows, mac, address, port] = words[..] else {
            return None;
        };
        let mut octets = mac.split(':').map(|octet| u8::from_str_radix(octet, 16));
        let mut parsed = [0; 6];
        for place in &mut parsed {
            *place = octets.next()?.ok()?;
        }
        Some(Self {
            count: count.parse().ok()?,
            flows: flows.parse().ok().filter(|&flows| flows > 0)?,
            mac: parsed,
            address: address.parse().ok()?,
            port: port.parse().ok()?,
        })
    }

    fn send(&self, out: &mut impl Write) -> Result<()> {
        for number in 0..self.count {
            out.write_all(&(FRAME as u32).to_be_bytes())?;
            out.write_all(&self.frame(number % self.flows))?;
        }
        Ok(out.flush()?)
    }

    /// The frame of one flow.
    fn frame(&self, flow: u64) -> [u8; FRAME] {
        let source = u32::from(SOURCE) + (flow / FLOWS_PER_ADDRESS) as u32;
        let source_port = FIRST_PORT + (flow % FLOWS_PER_ADDRESS) as u16;
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
        ip[12..16].copy_from_slice(&source.to_be_bytes());
        ip[16..20].copy_from_slice(&self.address.octets());
        let check = checksum(ip, 0);
        ip[10..12].copy_from_slice(&check.to_be_bytes());

        udp[..2].copy_from_slice(&source_port.to_be_bytes());
        udp[2..4].copy_from_slice(&self.port.to_be_bytes());
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

    #[test]
    fn frames_are_valid_and_of_their_flow() {
        let mut out = Vec::new();
        Order::parse(LINE).unwrap().send(&mut out).unwrap();
        let frames: Vec<_> = out.chunks_exact(4 + FRAME).collect();
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
            assert!(Order::parse(line).is_none(), "{line}");
        }
    }
}
