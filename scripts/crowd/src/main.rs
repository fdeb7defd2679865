// SPDX-License-Identifier: MIT OR Apache-2.0

//! For the benches: so many channels, each of which wants a UDP port of its own, and gets nothing.
//!
//! `crowd ADDR FIRST-PORT COUNT`

use std::env::args;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::thread;

use anyhow::{Context, Result};
use smplb_ring::{Channel, Options, Want};

fn main() -> Result<()> {
    let arg = |nth| args().nth(nth).context("crowd ADDR FIRST-PORT COUNT");
    let (addr, first): (Ipv4Addr, u16) = (arg(1)?.parse()?, arg(2)?.parse()?);
    let count: u16 = arg(3)?.parse()?;
    let options = Options {
        ring_size: 32,
        buffers: 1,
        receive: 1,
        ..Options::default()
    };
    let mut channels = Vec::new();
    for nth in 0..count {
        let channel = Channel::open(&options)?;
        channel.want(Want::udp(SocketAddrV4::new(addr, first + nth)))?;
        channels.push(channel);
    }
    println!("{} channels", channels.len());
    loop {
        thread::park();
    }
}
