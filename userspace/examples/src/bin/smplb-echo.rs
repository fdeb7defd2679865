// SPDX-License-Identifier: MIT OR Apache-2.0

//! A UDP responder on a channel: each packet goes back to whom it came from.

use std::net::SocketAddrV4;

use anyhow::{ensure, Result};
use clap::Parser;
use smplb_examples::serving::Serving;
use smplb_examples::{arp, wait};
use smplb_ring::{Channel, Frame, Options, Want};

/// Sends UDP packets back to whom they came from, by a channel of smplb.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The address and port to answer for, such as 192.0.2.1:7. The address is one of the host or a
    /// VIP: the switch or the host answers for it by ARP.
    to: SocketAddrV4,
    #[command(flatten)]
    serving: Serving,
    /// Have the first queue pair of this port's NIC for itself, and no engine between. What the NIC
    /// puts there is for nobody else. It takes CAP_SYS_RAWIO, and smplb loaded with raw_pairs=1.
    #[arg(
        long,
        value_name = "PORT",
        requires = "trusted",
        conflicts_with = "sleep"
    )]
    pair: Option<String>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    match &args.pair {
        Some(name) => by_pair(&args, name),
        None => by_engine(&args),
    }
}

fn by_engine(args: &Args) -> Result<()> {
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

/// How often nothing comes before it is asked whether the NIC is still there.
const PATIENCE: u32 = 1 << 20;

fn by_pair(args: &Args, name: &str) -> Result<()> {
    let mut channel = args.serving.open(Options {
        receive: 0,
        ..Options::default()
    })?;
    let port = channel.port(name)?;
    let mut pair = channel.pair(name, 0)?;
    println!("answering for {} by a queue pair of {name}", args.to);
    let (mut frames, mut idle) = (Vec::with_capacity(128), 0);
    loop {
        let received = pair.rx_burst(&mut frames)?;
        let new = frames.len() - received;
        // There may be anything.
        let kept = frames.split_off(new).into_iter().filter_map(|mut frame| {
            if is_to(frame.as_ref(), args.to) {
                turn(&mut frame);
                return Some(frame);
            }
            arp::answer(frame.as_mut(), *args.to.ip(), port.mac).then_some(frame)
        });
        frames.extend(kept);
        pair.tx_burst(&mut frames)?;
        idle = if received == 0 { idle + 1 } else { 0 };
        if idle == PATIENCE {
            idle = 0;
            still_there(&channel, name)?;
        }
    }
}

fn still_there(channel: &Channel, name: &str) -> Result<()> {
    ensure!(
        channel.is_open(),
        "the NIC of {name} has gone, or was reset"
    );
    Ok(())
}

/// Whether it is a UDP packet to an address and port, without IP options.
fn is_to(octets: &[u8], to: SocketAddrV4) -> bool {
    octets.get(12..15) == Some(&[8, 0, 0x45])
        && octets.get(23) == Some(&17)
        && octets.get(30..34) == Some(&to.ip().octets())
        && octets.get(36..38) == Some(&to.port().to_be_bytes())
}

/// Exchanges source and destination. Neither checksum changes by that.
fn turn(frame: &mut Frame) {
    let Some((ethernet, packet)) = frame.as_mut().split_first_chunk_mut::<14>() else {
        return;
    };
    let (to, from) = ethernet[..12].split_at_mut(6);
    to.swap_with_slice(from);
    let Some((header, packet)) = packet.split_first_chunk_mut::<20>() else {
        return;
    };
    let (from, to) = header[12..].split_at_mut(4);
    from.swap_with_slice(to);
    let options = (usize::from(header[0] & 15) * 4).saturating_sub(20);
    if let Some([a, b, c, d]) = packet
        .get_mut(options..)
        .and_then(|udp| udp.first_chunk_mut())
    {
        (*a, *b, *c, *d) = (*c, *d, *a, *b);
    }
}
