// SPDX-License-Identifier: MIT OR Apache-2.0

//! A UDP responder on a channel: each packet goes back to whom it came from.

use std::net::SocketAddrV4;

use anyhow::Result;
use clap::Parser;
use smplb_examples::serving::Serving;
use smplb_examples::wait;
use smplb_ring::{Frame, Options, Want};

/// Sends UDP packets back to whom they came from, by a channel of smplb.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The address and port to answer for, such as 192.0.2.1:7. The address is one of the host or a
    /// VIP: the switch or the host answers for it by ARP.
    to: SocketAddrV4,
    #[command(flatten)]
    serving: Serving,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut channel = args.serving.open(Options::default())?;
    channel.want(Want::udp(args.to))?;
    println!(
        "answering for {} by the engine of CPU {}",
        args.to,
        channel.cpu()
    );
    let mut frames = Vec::with_capacity(128);
    loop {
        let received = channel.rx_burst(&mut frames);
        let new = frames.len() - received;
        frames[new..].iter_mut().for_each(turn);
        channel.tx_burst(&mut frames);
        if args.serving.sleep && received == 0 && frames.is_empty() {
            wait::for_frames(&channel, None)?;
        }
    }
}

/// Exchanges source and destination. Neither checksum changes by that.
fn turn(frame: &mut Frame) {
    let octets = frame.as_mut();
    swap(octets, 0, 6, 6);
    let ip = 14;
    let header = usize::from(octets.get(ip).copied().unwrap_or(0) & 15) * 4;
    swap(octets, ip + 12, ip + 16, 4);
    swap(octets, ip + header, ip + header + 2, 2);
}

/// Exchanges `len` octets at two places, if they are there.
fn swap(octets: &mut [u8], at: usize, to: usize, len: usize) {
    if let Some((left, right)) = octets.split_at_mut_checked(to) {
        if let (Some(left), Some(right)) = (left.get_mut(at..at + len), right.get_mut(..len)) {
            left.swap_with_slice(right);
        }
    }
}
