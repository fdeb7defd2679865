// SPDX-License-Identifier: MIT OR Apache-2.0

//! An RTP relay on a channel: Internet telephony is the use that the seeds name.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use smplb_examples::rtp::{Header, Stream};
use smplb_examples::serving::Serving;
use smplb_examples::udp::{self, Flow};
use smplb_examples::{mac, wait};
use smplb_ring::{Frame, Options, Want};

/// Passes RTP on, by a channel of smplb, and tells losses and jitter of each stream.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where packets come to: an address of the host or a VIP, and a UDP port.
    listen: SocketAddrV4,
    /// The port to pass them on by, such as smplb1.
    port: String,
    /// Where they go to.
    to: SocketAddrV4,
    /// The MAC address of the next hop [default: what the host knows of TO].
    #[arg(long, value_parser = mac::parse)]
    mac: Option<[u8; 6]>,
    /// Seconds between reports.
    #[arg(long, default_value_t = 5)]
    report: u64,
    /// Reports after which to end.
    #[arg(long)]
    reports: Option<u64>,
    #[command(flatten)]
    serving: Serving,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut channel = args.serving.open(Options::default())?;
    let port = channel.port(&args.port)?;
    let next_hop = args.mac.map_or_else(|| mac::of(*args.to.ip()), Ok)?;
    channel.want(Want::udp(args.listen))?;
    println!("passing {} on to {} by {}", args.listen, args.to, args.port);
    let flow = Flow {
        macs: (port.mac, next_hop),
        addrs: (args.listen, args.to),
    };

    let start = Instant::now();
    let mut streams = BTreeMap::<u32, Stream>::new();
    let (mut reports, mut frames) = (0, Vec::new());
    while args.reports.is_none_or(|most| reports < most) {
        let mut new = Vec::new();
        let received = channel.rx_burst(&mut new);
        let now = start.elapsed();
        for frame in new {
            frames.extend(pass(frame, &flow, port.number, now, &mut streams));
        }
        channel.tx_burst(&mut frames);
        if now.as_secs() / args.report.max(1) > reports {
            reports += 1;
            tell(&streams);
        }
        if args.serving.sleep && received == 0 && frames.is_empty() {
            wait::for_frames(&channel, Some(Duration::from_millis(200)))?;
        }
    }
    Ok(())
}

/// Readdresses a packet and takes note of it; what is not RTP goes no further.
fn pass(
    mut frame: Frame,
    flow: &Flow,
    port: u16,
    now: Duration,
    streams: &mut BTreeMap<u32, Stream>,
) -> Option<Frame> {
    let (_, payload) = udp::parse(frame.as_ref())?;
    let header = Header::parse(&frame.as_ref()[payload.clone()])?;
    streams.entry(header.ssrc).or_default().packet(&header, now);
    // IP options are not passed on: the payload moves up to where it is without.
    let len = payload.len();
    frame.as_mut().copy_within(payload, udp::HEADERS);
    frame.set_len(udp::HEADERS + len);
    udp::write_headers(frame.as_mut(), flow);
    frame.set_port(port);
    Some(frame)
}

fn tell(streams: &BTreeMap<u32, Stream>) {
    println!("      SSRC    PACKETS       LOST       LATE     JITTER");
    for (ssrc, stream) in streams {
        println!(
            "{ssrc:>10x} {:>10} {:>10} {:>10} {:>8.2}ms",
            stream.packets,
            stream.lost(),
            stream.late,
            stream.jitter().as_secs_f64() * 1000.0
        );
    }
}
