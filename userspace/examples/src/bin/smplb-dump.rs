// SPDX-License-Identifier: MIT OR Apache-2.0

//! Writes the frames that a port receives to a file that tcpdump and Wireshark read.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use clap::Parser;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::DataLink;
use smplb_examples::wait;
use smplb_ring::{Channel, Options, Want};

/// Writes the frames that a port of smplb receives to a file, as pcapng.
///
/// The frames go nowhere else: this is for a port that a mirror of other traffic is cabled to, or for
/// one Ethernet type that nobody else is interested in.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The port, such as smplb1.
    port: String,
    /// The file to write, or - for standard output.
    file: PathBuf,
    /// Frames of this Ethernet type only, such as 0x88cc.
    #[arg(long, value_parser = ethertype)]
    ethertype: Option<u16>,
    /// Frames after which to end.
    #[arg(long)]
    count: Option<u64>,
    /// Seconds after which to end.
    #[arg(long)]
    seconds: Option<u64>,
    /// The CPU of the engine that serves the channel [default: that of the first port].
    #[arg(long)]
    cpu: Option<u32>,
}

fn ethertype(text: &str) -> Result<u16> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    u16::from_str_radix(digits, 16).with_context(|| format!("{text:?} is no Ethernet type"))
}

fn main() -> Result<()> {
    let args = Args::parse();
    let out: Box<dyn Write> = match args.file.as_os_str() == "-" {
        true => Box::new(std::io::stdout()),
        false => {
            Box::new(File::create(&args.file).with_context(|| args.file.display().to_string())?)
        }
    };
    let mut out = PcapNgWriter::new(BufWriter::new(out))?;
    let mut channel = Channel::open(&Options {
        ring_size: 4096,
        buffers: 4096,
        receive: 4096,
        cpu: args.cpu,
        ..Options::default()
    })?;
    let port = channel.port(&args.port)?;
    let name = InterfaceDescriptionOption::IfName(Cow::Borrowed(&args.port));
    out.write_pcapng_block(InterfaceDescriptionBlock {
        linktype: DataLink::ETHERNET,
        snaplen: 0,
        options: vec![name],
    })?;
    channel.want(match args.ethertype {
        Some(ethertype) => Want::EtherType(port, ethertype),
        None => Want::All(port),
    })?;

    let (begun, mut written) = (Instant::now(), 0);
    let more = |written: u64| {
        args.count.is_none_or(|count| written < count)
            && args
                .seconds
                .is_none_or(|seconds| begun.elapsed().as_secs() < seconds)
    };
    let mut frames = Vec::new();
    while more(written) {
        if channel.rx_burst(&mut frames) == 0 {
            out.get_mut().flush()?;
            wait::for_frames(&channel, Some(Duration::from_millis(200)))?;
        }
        let timestamp = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        for frame in frames.drain(..) {
            if !more(written) {
                break;
            }
            out.write_pcapng_block(EnhancedPacketBlock {
                interface_id: 0,
                timestamp,
                original_len: frame.len() as u32,
                data: Cow::Borrowed(frame.as_ref()),
                options: Vec::new(),
            })?;
            written += 1;
        }
    }
    out.get_mut().flush()?;
    let dropped = channel.stats()?.rx_dropped;
    eprintln!("{written} frames written, {dropped} dropped for want of buffers");
    Ok(())
}
