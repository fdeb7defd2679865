// SPDX-License-Identifier: MIT OR Apache-2.0

//! A channel as a device of smoltcp.

use std::collections::HashMap;
use std::net::Ipv4Addr;

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;
use smplb_ring::{Channel, Frame};

/// Octets of an Ethernet header.
const ETHER: usize = 14;

/// Neighbours that are remembered.
const MOST: usize = 65_536;

/// A channel as a device of IP packets. The host or the switch answers ARP for the address; packets
/// go back to the MAC address that those of their receiver came from.
pub struct Phy {
    channel: Channel,
    /// Of each peer: the Ethernet header that packets to it have, and the port.
    peers: HashMap<Ipv4Addr, ([u8; ETHER], u16)>,
    received: Vec<Frame>,
    sent: Vec<Frame>,
    mtu: usize,
}

impl Phy {
    /// With packets of at most `mtu` octets.
    pub fn new(channel: Channel, mtu: usize) -> Self {
        let mtu = mtu.min(channel.longest() - ETHER);
        Self {
            channel,
            peers: HashMap::new(),
            received: Vec::new(),
            sent: Vec::new(),
            mtu,
        }
    }

    /// Takes what has come, and sends what there is to send.
    pub fn turn(&mut self) -> usize {
        self.channel.tx_burst(&mut self.sent);
        if self.received.is_empty() {
            self.channel.rx_burst(&mut self.received);
            // The last one is taken first.
            self.received.reverse();
        }
        self.received.len() + self.sent.len()
    }

    /// The channel.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    fn learn(&mut self, frame: &Frame) {
        let octets = frame.as_ref();
        let (Some(ether), Some(source)) = (octets.first_chunk::<ETHER>(), octets.get(26..30))
        else {
            return;
        };
        let source = Ipv4Addr::new(source[0], source[1], source[2], source[3]);
        if self.peers.len() >= MOST && !self.peers.contains_key(&source) {
            self.peers.clear();
        }
        let mut back = *ether;
        back[..6].copy_from_slice(&ether[6..12]);
        back[6..12].copy_from_slice(&ether[..6]);
        self.peers.insert(source, (back, frame.port()));
    }
}

impl phy::Device for Phy {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sending<'_>)> {
        let frame = self.received.pop()?;
        self.learn(&frame);
        Some((Received(frame), Sending(self)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sending<'_>> {
        (self.sent.len() < 256).then_some(Sending(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ip;
        capabilities.max_transmission_unit = self.mtu;
        capabilities.max_burst_size = Some(64);
        capabilities
    }
}

/// A packet that has come.
pub struct Received(Frame);

impl phy::RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0.as_ref().get(ETHER..).unwrap_or_default())
    }
}

/// Room for a packet.
pub struct Sending<'a>(&'a mut Phy);

impl phy::TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        let phy = self.0;
        let Some(mut frame) = phy.channel.alloc(ETHER + len) else {
            // As on any wire that is full: TCP tries again.
            return f(&mut vec![0; len]);
        };
        let octets = frame.as_mut();
        let result = f(&mut octets[ETHER..]);
        let to = octets.get(30..34).unwrap_or(&[0; 4]);
        let to = Ipv4Addr::new(to[0], to[1], to[2], to[3]);
        if let Some((ether, port)) = phy.peers.get(&to) {
            octets[..ETHER].copy_from_slice(ether);
            frame.set_port(*port);
            phy.sent.push(frame);
        }
        result
    }
}
