// SPDX-License-Identifier: MIT OR Apache-2.0

//! Packets for tests: built and checked here without any help of the core.

/// Length of Ethernet and IPv4 header.
pub const L4: usize = 34;

/// The Internet checksum, the slow and plain way.
pub fn checksum(octets: &[u8]) -> u16 {
    !sum(octets)
}

fn sum(octets: &[u8]) -> u16 {
    let mut sum = 0u32;
    for pair in octets.chunks(2) {
        sum += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

fn pseudo(ip: &[u8]) -> Vec<u8> {
    let len = u16::from_be_bytes([ip[2], ip[3]]) - 20;
    let mut octets = ip[12..20].to_vec();
    octets.extend([0, ip[9]]);
    octets.extend(len.to_be_bytes());
    octets
}

/// A description of a packet, with something sensible everywhere.
#[derive(Clone, Debug)]
pub struct Packet {
    pub dest_mac: [u8; 6],
    pub source_mac: [u8; 6],
    pub source: ([u8; 4], u16),
    pub dest: ([u8; 4], u16),
    pub protocol: u8,
    pub flags: u8,
    pub seq: u32,
    pub ack: u32,
    pub ttl: u8,
    pub df: bool,
    pub payload: Vec<u8>,
    pub no_udp_checksum: bool,
}

impl Packet {
    pub fn new(protocol: u8, source: ([u8; 4], u16), dest: ([u8; 4], u16)) -> Self {
        Self {
            dest_mac: super::mac(0),
            source_mac: [2, 0, 0, 0, 0xcc, 1],
            source,
            dest,
            protocol,
            flags: 0,
            seq: 1000,
            ack: 0,
            ttl: 64,
            df: true,
            payload: Vec::new(),
            no_udp_checksum: false,
        }
    }

    pub fn tcp(source: ([u8; 4], u16), dest: ([u8; 4], u16), flags: u8) -> Self {
        let ack = if flags & 0x10 != 0 { 5000 } else { 0 };
        Self {
            flags,
            ack,
            ..Self::new(6, source, dest)
        }
    }

    pub fn udp(source: ([u8; 4], u16), dest: ([u8; 4], u16)) -> Self {
        Self::new(17, source, dest)
    }

    /// The same packet as one that arrives at another port.
    pub fn at(mut self, port: u16) -> Self {
        self.dest_mac = super::mac(port);
        self
    }

    pub fn payload(mut self, payload: &[u8]) -> Self {
        self.payload = payload.to_vec();
        self
    }

    /// The frame, with all checksums.
    pub fn frame(&self) -> Vec<u8> {
        let mut l4 = Vec::new();
        l4.extend(self.source.1.to_be_bytes());
        l4.extend(self.dest.1.to_be_bytes());
        if self.protocol == 6 {
            l4.extend(self.seq.to_be_bytes());
            l4.extend(self.ack.to_be_bytes());
            l4.extend([0x50, self.flags, 0xfa, 0xf0, 0, 0, 0, 0]);
        } else {
            l4.extend((8 + self.payload.len() as u16).to_be_bytes());
            l4.extend([0, 0]);
        }
        l4.extend(&self.payload);
        let mut frame = ipv4(self, self.protocol, &l4);
        if !(self.protocol == 17 && self.no_udp_checksum) {
            finish_l4(&mut frame);
        }
        frame
    }

    /// An ICMP packet with the addresses of this one.
    pub fn icmp(&self, kind: u8, code: u8, rest: [u8; 4], body: &[u8]) -> Vec<u8> {
        let mut l4 = vec![kind, code, 0, 0];
        l4.extend(rest);
        l4.extend(body);
        let check = checksum(&l4);
        l4[2..4].copy_from_slice(&check.to_be_bytes());
        ipv4(self, 1, &l4)
    }
}

fn ipv4(packet: &Packet, protocol: u8, l4: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend(packet.dest_mac);
    frame.extend(packet.source_mac);
    frame.extend([8, 0]);
    let len = 20 + l4.len() as u16;
    let flags = if packet.df { 0x40 } else { 0 };
    frame.extend([0x45, 0, (len >> 8) as u8, len as u8, 0x12, 0x34, flags, 0]);
    frame.extend([packet.ttl, protocol, 0, 0]);
    frame.extend(packet.source.0);
    frame.extend(packet.dest.0);
    finish_ip(&mut frame);
    frame.extend(l4);
    frame
}

/// Writes the header checksum of an IPv4 header at its usual place.
pub fn finish_ip(frame: &mut [u8]) {
    let end = 14 + usize::from(frame[14] & 15) * 4;
    frame[24..26].fill(0);
    let check = checksum(&frame[14..end]);
    frame[24..26].copy_from_slice(&check.to_be_bytes());
}

/// Writes the checksum of the TCP or UDP packet in a frame.
pub fn finish_l4(frame: &mut [u8]) {
    let tcp = frame[23] == 6;
    let at = L4 + if tcp { 16 } else { 6 };
    frame[at..at + 2].fill(0);
    let mut octets = pseudo(&frame[14..34]);
    octets.extend(&frame[L4..]);
    let mut check = checksum(&octets);
    if check == 0 && !tcp {
        check = 0xffff;
    }
    frame[at..at + 2].copy_from_slice(&check.to_be_bytes());
}

/// Writes the sum of the pseudo header, as a stack does that leaves the checksum to the NIC.
pub fn partial_l4(frame: &mut [u8]) {
    let at = L4 + if frame[23] == 6 { 16 } else { 6 };
    let sum = sum(&pseudo(&frame[14..34]));
    frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
}

/// Whether all checksums of an IPv4 frame hold, up to the length of the IPv4 packet.
pub fn checksums_hold(frame: &[u8]) -> bool {
    let total = usize::from(u16::from_be_bytes([frame[16], frame[17]]));
    let ip = &frame[14..14 + total];
    if sum(&ip[..20]) != 0xffff {
        return false;
    }
    match ip[9] {
        1 => sum(&ip[20..]) == 0xffff,
        17 if ip[26..28] == [0, 0] => true,
        6 | 17 => {
            let mut octets = pseudo(ip);
            octets.extend(&ip[20..]);
            sum(&octets) == 0xffff
        }
        _ => true,
    }
}

/// Source and destination address and port of an IPv4 frame.
pub fn tuple(frame: &[u8]) -> (([u8; 4], u16), ([u8; 4], u16)) {
    let addr = |at: usize| [frame[at], frame[at + 1], frame[at + 2], frame[at + 3]];
    let port = |at: usize| u16::from_be_bytes([frame[at], frame[at + 1]]);
    ((addr(26), port(34)), (addr(30), port(36)))
}
