// SPDX-License-Identifier: MIT OR Apache-2.0

//! A web server whose TCP is in user space: smoltcp on a channel.

use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;
use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::socket::tcp;
use smoltcp::time::Instant as At;
use smoltcp::wire::{HardwareAddress, IpCidr, Ipv4Cidr};
use smplb_examples::phy::Phy;
use smplb_examples::serving::Serving;
use smplb_examples::wait;
use smplb_ring::{Options, Want};

/// Serves one file by HTTP, by a channel of smplb and a TCP of its own.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The address and port to serve at. The address is one of the host, which answers ARP for it.
    at: SocketAddrV4,
    /// The file [default: a line that says who serves].
    file: Option<PathBuf>,
    /// Connections at a time.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Octets of the longest packet.
    #[arg(long, default_value_t = 1500)]
    mtu: usize,
    #[command(flatten)]
    serving: Serving,
}

/// One connection.
struct Connection {
    socket: SocketHandle,
    request: Vec<u8>,
    /// What is to be sent, and how much of it was.
    answer: Option<(Vec<u8>, usize)>,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let body = match &args.file {
        Some(file) => fs::read(file).with_context(|| file.display().to_string())?,
        None => b"smplb-http\n".to_vec(),
    };
    let channel = args.serving.open(Options {
        ring_size: 4096,
        buffers: 4096,
        receive: 2048,
        ..Options::default()
    })?;
    channel.want(Want::tcp(args.at))?;
    let mut phy = Phy::new(channel, args.mtu);
    let start = Instant::now();
    let now = || At::from_micros(start.elapsed().as_micros() as i64);
    let mut interface = Interface::new(Config::new(HardwareAddress::Ip), &mut phy, now());
    interface.update_ip_addrs(|addrs| {
        // Every peer is next to it: where packets go is known from where they came.
        let addr = IpCidr::Ipv4(Ipv4Cidr::new(*args.at.ip(), 0));
        addrs.push(addr).expect("room for one address");
    });
    let mut sockets = SocketSet::new(Vec::new());
    let mut connections = Vec::new();
    for _ in 0..args.connections {
        let buffer = || tcp::SocketBuffer::new(vec![0; 65_536]);
        connections.push(Connection {
            socket: sockets.add(tcp::Socket::new(buffer(), buffer())),
            request: Vec::new(),
            answer: None,
        });
    }
    println!(
        "serving at {} by the engine of CPU {}",
        args.at,
        phy.channel().cpu()
    );
    loop {
        let busy = phy.turn();
        interface.poll(now(), &mut phy, &mut sockets);
        for connection in &mut connections {
            connection.serve(sockets.get_mut(connection.socket), &args, &body)?;
        }
        interface.poll(now(), &mut phy, &mut sockets);
        if args.serving.sleep && busy == 0 && phy.turn() == 0 {
            let due = interface.poll_delay(now(), &sockets);
            let due = due.map_or(Duration::from_millis(200), Duration::from);
            wait::for_frames(phy.channel(), Some(due.min(Duration::from_millis(200))))?;
        }
    }
}

impl Connection {
    fn serve(&mut self, socket: &mut tcp::Socket<'_>, args: &Args, body: &[u8]) -> Result<()> {
        if !socket.is_open() {
            self.request.clear();
            self.answer = None;
            let at = (
                smoltcp::wire::IpAddress::Ipv4(*args.at.ip()),
                args.at.port(),
            );
            socket.listen(at).ok().context("cannot listen")?;
        }
        if self.answer.is_none() && socket.can_recv() {
            let request = &mut self.request;
            socket
                .recv(|octets| {
                    request.extend_from_slice(octets);
                    (octets.len(), ())
                })
                .ok();
            if request.windows(4).any(|end| end == b"\r\n\r\n") {
                self.answer = Some((answer(request, body), 0));
            } else if request.len() > 16_384 {
                socket.abort();
            }
        }
        if let Some((text, sent)) = &mut self.answer {
            if socket.can_send() {
                *sent += socket.send_slice(&text[*sent..]).unwrap_or(0);
            }
            if *sent == text.len() {
                socket.close();
            }
        } else if socket.state() == tcp::State::CloseWait {
            socket.close();
        }
        Ok(())
    }
}

/// The answer to a request.
fn answer(request: &[u8], body: &[u8]) -> Vec<u8> {
    let method = request.split(|octet| *octet == b' ').next();
    let (status, body) = match method {
        Some(b"GET") => ("200 OK", body),
        Some(b"HEAD") => ("200 OK", &b""[..]),
        _ => ("405 Method Not Allowed", &b"GET and HEAD only\n"[..]),
    };
    let mut text = String::new();
    let _ = write!(
        text,
        "HTTP/1.1 {status}\r\nServer: smplb-http\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut answer = text.into_bytes();
    answer.extend_from_slice(body);
    answer
}
