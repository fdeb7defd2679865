// SPDX-License-Identifier: MIT OR Apache-2.0

//! A generator of UDP packets, and a sink for the answers: how many come back, and when.

use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use clap::Parser;
use hdrhistogram::Histogram;
use smplb_examples::serving::Serving;
use smplb_examples::udp::{self, Flow, HEADERS};
use smplb_examples::{mac, wait};
use smplb_ring::{Channel, Frame, Options, Port, Want};

/// Sends UDP packets by a channel of smplb, and measures how long answers take.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port to send by, such as smplb0.
    port: String,
    /// Where packets come from and answers go to: an address of the host, and a UDP port.
    from: SocketAddrV4,
    /// Where packets go to.
    to: SocketAddrV4,
    /// The MAC address of the next hop [default: what the host knows of TO].
    #[arg(long, value_parser = mac::parse)]
    mac: Option<[u8; 6]>,
    /// Packets in a second [default: as many as there are answers for].
    #[arg(long)]
    rate: Option<u32>,
    /// Packets that may be without an answer at a time.
    #[arg(long, default_value_t = 1)]
    window: u64,
    /// Packets to send.
    #[arg(long, default_value_t = 10_000)]
    count: u64,
    /// Octets of a frame, without FCS.
    #[arg(long, default_value_t = 60)]
    size: usize,
    #[command(flatten)]
    serving: Serving,
}

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Octets in front of the rest of a payload: the packet's number, and when it was sent.
const STAMP: usize = 16;

struct Generator {
    channel: Channel,
    flow: Flow,
    port: Port,
    start: Instant,
    sent: u64,
    answered: u64,
    latency: Histogram<u64>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    ensure!(args.count > 0 && args.window > 0, "nothing is to be sent");
    ensure!(
        args.size >= HEADERS + STAMP,
        "a frame has at least {} octets",
        HEADERS + STAMP
    );
    let channel = args.serving.open(Options::default())?;
    ensure!(
        args.size <= channel.longest(),
        "a frame has at most {} octets",
        channel.longest()
    );
    let port = channel.port(&args.port)?;
    let to = args.mac.map_or_else(|| mac::of(*args.to.ip()), Ok)?;
    channel.want(Want::udp(args.from))?;
    let mut generator = Generator {
        channel,
        flow: Flow {
            macs: (port.mac, to),
            addrs: (args.from, args.to),
        },
        port,
        start: Instant::now(),
        sent: 0,
        answered: 0,
        latency: Histogram::new(3)?,
    };
    generator.run(&args)?;
    generator.tell()
}

impl Generator {
    fn run(&mut self, args: &Args) -> Result<()> {
        let mut last = Instant::now();
        while self.answered < args.count {
            let before = (self.sent, self.answered);
            let due = args.rate.map_or(args.count, |rate| {
                let due = self.start.elapsed().as_nanos() * u128::from(rate) / 1_000_000_000 + 1;
                due as u64
            });
            let most = due.min(args.count).min(self.answered + args.window);
            self.send(most.saturating_sub(self.sent).min(64), args.size);
            self.receive()?;
            if before != (self.sent, self.answered) {
                last = Instant::now();
            } else if last.elapsed() > PATIENCE {
                break;
            } else if args.serving.sleep {
                let most = if args.rate.is_some() { 1 } else { 100 };
                wait::for_frames(&self.channel, Some(Duration::from_millis(most)))?;
            }
        }
        Ok(())
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn send(&mut self, count: u64, size: usize) {
        let mut frames = Vec::new();
        for number in self.sent..self.sent + count {
            let Some(mut frame) = self.channel.alloc(size) else {
                break;
            };
            let now = self.now();
            let octets = frame.as_mut();
            let payload = &mut octets[HEADERS..];
            payload.fill(0);
            payload[..8].copy_from_slice(&number.to_be_bytes());
            payload[8..STAMP].copy_from_slice(&now.to_be_bytes());
            udp::write_headers(octets, &self.flow);
            frame.set_port(self.port.number);
            frames.push(frame);
        }
        self.sent += self.channel.tx_burst(&mut frames) as u64;
    }

    fn receive(&mut self) -> Result<()> {
        let mut frames = Vec::new();
        self.channel.rx_burst(&mut frames);
        let now = self.now();
        for frame in &frames {
            if let Some(stamp) = self.stamp(frame) {
                self.answered += 1;
                self.latency.record(now.saturating_sub(stamp))?;
            }
        }
        Ok(())
    }

    /// When the packet was sent that this frame answers.
    fn stamp(&self, frame: &Frame) -> Option<u64> {
        let octets = frame.as_ref();
        let (flow, payload) = udp::parse(octets)?;
        let stamp = octets.get(payload)?.get(8..STAMP)?;
        let ours = flow.addrs == (self.flow.addrs.1, self.flow.addrs.0);
        ours.then(|| u64::from_be_bytes(stamp.try_into().unwrap_or_default()))
    }

    fn tell(&self) -> Result<()> {
        let seconds = self.start.elapsed().as_secs_f64();
        let lost = self.sent.saturating_sub(self.answered);
        println!(
            "sent {} answered {} lost {lost} in {seconds:.3} s, {:.0} round trips a second",
            self.sent,
            self.answered,
            self.answered as f64 / seconds
        );
        let at = |share| self.latency.value_at_quantile(share) as f64 / 1000.0;
        println!(
            "round trip in us: least {:.1} half {:.1} 90% {:.1} 99% {:.1} 99.9% {:.1} most {:.1}",
            self.latency.min() as f64 / 1000.0,
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            self.latency.max() as f64 / 1000.0
        );
        let stats = self.channel.stats().context("statistics")?;
        ensure!(
            self.answered > 0,
            "no answer came; dropped on the way here: {}",
            stats.rx_dropped
        );
        Ok(())
    }
}
