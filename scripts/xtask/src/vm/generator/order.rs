// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a generator is told to send, and how it does.

use std::io::{BufWriter, Write};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::frame;
use super::round::Rounds;
use super::wire::{Arrived, Wire};

/// Where the flows come from unless it is said: this address and those after it,
const SOURCE: Ipv4Addr = Ipv4Addr::new(10, 1, 0, 2);
/// so many of each,
const FLOWS_PER_ADDRESS: u64 = 60_000;
/// by this port and those after it.
const FIRST_PORT: u16 = 1024;

/// After so long without one that arrives, those under way are lost:
const LOST: Duration = Duration::from_millis(200);
/// those that are answered, by a program that may have to wait for its turn, after so long.
const UNANSWERED: Duration = Duration::from_secs(5);

/// What to send.
pub struct Order {
    count: u64,
    flows: u64,
    mac: [u8; 6],
    /// Where to.
    to: SocketAddrV4,
    /// By which wire.
    pub wire: usize,
    /// The first address of the flows.
    from: Ipv4Addr,
    /// Frames that may be under way.
    window: u64,
    /// Whether the frames go to the flows.
    back: bool,
    /// Whether they are answered: they are under way until then.
    answered: bool,
}

impl Order {
    pub fn parse(words: &str) -> Option<Self> {
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
            to: SocketAddrV4::new(address.parse().ok()?, port.parse().ok()?),
            wire: 0,
            from: SOURCE,
            window: u64::MAX,
            back: false,
            answered: false,
        };
        for option in options {
            match option.split_once('=') {
                Some(("wire", wire)) => order.wire = wire.parse().ok()?,
                Some(("from", from)) => order.from = from.parse().ok()?,
                Some(("window", frames)) => {
                    order.window = frames.parse().ok().filter(|&frames| frames > 0)?
                }
                None if *option == "back" => order.back = true,
                None if *option == "answered" => order.answered = true,
                _ => return None,
            }
        }
        Some(order)
    }

    /// Sends all; how the rounds were if they are answered.
    pub fn carry_out(&self, wires: &[Wire]) -> Result<Option<Rounds>> {
        let wire = &wires[self.wire];
        let mut out = BufWriter::with_capacity(1 << 16, &wire.start);
        if !self.answered {
            self.send(&mut out, &wire.through)?;
            return Ok(None);
        }
        wire.back.answers().clear();
        let before = wire.back.count();
        let sent = self.send(&mut out, &wire.back)?;
        let mut count = before;
        while count - before < self.count && wire.back.another(count, UNANSWERED) {
            count = wire.back.count();
        }
        Ok(Some(Rounds::of(&sent, &wire.back.answers())))
    }

    /// Sends all; when each was.
    fn send(&self, out: &mut impl Write, arrived: &Arrived) -> Result<Vec<Instant>> {
        let before = arrived.count();
        let patience = if self.answered { UNANSWERED } else { LOST };
        let (mut lost, mut sent) = (0, Vec::new());
        for number in 0..self.count {
            loop {
                let count = arrived.count();
                let missing = (before + number).saturating_sub(count);
                if missing.saturating_sub(lost) < self.window {
                    break;
                }
                out.flush()?;
                if !arrived.another(count, patience) {
                    lost = missing;
                }
            }
            if self.answered {
                sent.push(Instant::now());
            }
            out.write_all(&(frame::LEN as u32).to_be_bytes())?;
            out.write_all(&self.frame(number))?;
        }
        out.flush()?;
        Ok(sent)
    }

    /// The frame with this number.
    fn frame(&self, number: u64) -> [u8; frame::LEN] {
        let flow = number % self.flows;
        let client = SocketAddrV4::new(
            Ipv4Addr::from(u32::from(self.from) + (flow / FLOWS_PER_ADDRESS) as u32),
            FIRST_PORT + (flow % FLOWS_PER_ADDRESS) as u16,
        );
        // Those of a flow are all the same where no answer is to be told from another.
        let number = if self.answered { number } else { 0 };
        match self.back {
            true => frame::make(self.mac, self.to, client, number),
            false => frame::make(self.mac, client, self.to, number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "3 2 52:54:00:00:00:0a 192.0.2.10 9";
    /// Where source and destination begin: those of IPv4, and those of UDP.
    const ADDRS: usize = 14 + 12;

    fn frames(words: &str) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let order = Order::parse(words).unwrap();
        order.send(&mut out, &Arrived::default()).unwrap();
        let frames = out.chunks_exact(4 + frame::LEN);
        frames
            .map(|frame| {
                assert_eq!(frame[..4], 60_u32.to_be_bytes());
                frame[4..].to_vec()
            })
            .collect()
    }

    #[test]
    fn flows_take_turns() {
        let frames = frames(LINE);
        assert_eq!(frames.len(), 3);
        assert_eq!(frames[0], frames[2]);
        for (flow, frame) in frames[..2].iter().enumerate() {
            assert_eq!(frame[ADDRS..ADDRS + 8], [10, 1, 0, 2, 192, 0, 2, 10]);
            assert_eq!(
                frame[ADDRS + 8..ADDRS + 10],
                (1024 + flow as u16).to_be_bytes()
            );
        }
    }

    #[test]
    fn other_words_are_not_understood() {
        for words in ["", "1 0 52:54:00:00:00:0a 192.0.2.10 9"] {
            assert!(Order::parse(words).is_none(), "{words}");
        }
        for option in ["wire", "wire=x", "from=1", "window=0", "forth"] {
            assert!(Order::parse(&format!("{LINE} {option}")).is_none());
        }
    }

    #[test]
    fn orders_have_wires_and_directions() {
        let words = "1 1 52:54:00:00:00:0b 10.2.0.2 9 wire=1 from=10.1.7.2 back";
        assert_eq!(Order::parse(words).unwrap().wire, 1);
        let frame = &frames(words)[0];
        assert_eq!(frame[ADDRS..ADDRS + 8], [10, 2, 0, 2, 10, 1, 7, 2]);
        assert_eq!(frame[ADDRS + 8..ADDRS + 12], [0, 9, 4, 0]);
    }

    #[test]
    fn frames_that_are_answered_have_numbers() {
        let frames = frames(&format!("{LINE} answered"));
        assert_ne!(frames[0], frames[2]);
    }
}
