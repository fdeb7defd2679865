// SPDX-License-Identifier: MIT OR Apache-2.0

//! Packets to a VIP that come to nothing: resets, and the reasons that are counted.

mod world;

use smplb_core::config::{Mode, ServiceKey};
use smplb_core::frame::{Origin, PortId};
use smplb_core::limiter::Limiter;
use smplb_core::route::{Hop, Prefix};
use smplb_core::verdict::{DropReason, Verdict};

use world::packet::{checksums_hold, finish_ip, tuple, Packet};
use world::{mac, World, CLIENT, SERVER, VIP};

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Sequence number, acknowledgment number and flags of a TCP frame.
fn segment(frame: &[u8]) -> (u32, u32, u8) {
    let word = |at: usize| u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
    (word(38), word(42), frame[47])
}

fn key(protocol: u8) -> ServiceKey {
    ServiceKey {
        protocol,
        addr: VIP.0,
        port: VIP.1,
    }
}

#[test]
fn a_segment_of_no_connection_is_reset() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    // With ACK: <SEQ=SEG.ACK><CTL=RST>. Without: <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>.
    let cases = [
        (ACK, 0, (5000, 0, RST)),
        (SYN | ACK, 0, (5000, 0, RST)),
        (FIN | ACK, 3, (5000, 0, RST)),
        (0, 0, (0, 1000, RST | ACK)),
        (0, 9, (0, 1009, RST | ACK)),
        (FIN, 9, (0, 1010, RST | ACK)),
        (SYN | FIN, 0, (0, 1002, RST | ACK)),
    ];
    for (flags, payload, expected) in cases {
        let packet = Packet::tcp(CLIENT, VIP, flags).payload(&vec![1; payload]);
        let (verdict, out) = world.client(packet.frame());
        assert_eq!(verdict, Verdict::Reply { len: 54 });
        let out = &out[..54];
        assert_eq!(segment(out), expected);
        assert_eq!(tuple(out), (VIP, CLIENT));
        assert_eq!(out[..12], [&packet.source_mac[..], &mac(0)].concat()[..]);
        assert!(checksums_hold(out));
    }
    assert_eq!(world.drops(DropReason::NoConnection), cases.len() as u64);
    // Never in answer to a reset.
    for flags in [RST, RST | ACK, RST | SYN] {
        let (verdict, _) = world.client(Packet::tcp(CLIENT, VIP, flags).frame());
        assert_eq!(verdict, Verdict::Drop(DropReason::ResetLimited));
    }
    assert!(world.list().is_empty());
}

#[test]
fn no_service_on_the_port() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    let (verdict, out) = world.client(Packet::tcp(CLIENT, (VIP.0, 81), SYN).frame());
    assert_eq!(verdict, Verdict::Reply { len: 54 });
    assert_eq!(segment(&out), (0, 1001, RST | ACK));
    let (verdict, _) = world.client(Packet::udp(CLIENT, VIP).frame());
    assert_eq!(verdict, Verdict::Drop(DropReason::NoService));
    assert_eq!(world.drops(DropReason::NoService), 2);
    // A VIP that is also an address of the host: what is no service is the host's.
    world.prefixes.push(Prefix::new(0xc000_0201, 32, Hop::Host));
    world.publish_routes();
    let packets = [
        Packet::tcp(CLIENT, (VIP.0, 81), SYN),
        Packet::udp(CLIENT, VIP),
    ];
    for packet in packets {
        let frame = packet.frame();
        assert_eq!(world.client(frame.clone()), (Verdict::Stack, frame));
    }
}

#[test]
fn no_backend_with_weight() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    let frame = |port| Packet::tcp((CLIENT.0, port), VIP, SYN).frame();
    assert_eq!(world.client(frame(1)).0, Verdict::Forward(PortId(1)));
    let quiesce = world.change(|half| half.backend_set(key(6), SERVER, 80, 0).map(|_| ()));
    assert!(quiesce.is_ok());
    assert_eq!(world.client(frame(2)).0, Verdict::Reply { len: 54 });
    assert_eq!(world.drops(DropReason::NoBackend), 1);
    assert_eq!(
        world.client(frame(1)).0,
        Verdict::Forward(PortId(1)),
        "old ones are kept"
    );
}

#[test]
fn answers_are_limited() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    world.engine.state.limiter = Limiter::new(3);
    let frame = Packet::tcp(CLIENT, VIP, ACK).frame();
    for _ in 0..2 {
        for _ in 0..3 {
            assert_eq!(world.client(frame.clone()).0, Verdict::Reply { len: 54 });
        }
        assert_eq!(
            world.client(frame.clone()).0,
            Verdict::Drop(DropReason::ResetLimited)
        );
        world.now += 1;
    }
    assert_eq!(world.drops(DropReason::NoConnection), 6);
    assert_eq!(world.drops(DropReason::ResetLimited), 2);
}

#[test]
fn the_table_is_full() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let frame = |port| Packet::udp((CLIENT.0, port), VIP).frame();
    for port in 1..=64 {
        assert_eq!(world.client(frame(port)).0, Verdict::Forward(PortId(1)));
    }
    assert_eq!(
        world.client(frame(65)).0,
        Verdict::Drop(DropReason::TableFull)
    );
    assert_eq!(world.drops(DropReason::TableFull), 1);
    world.now += 299;
    assert_eq!(
        world.client(frame(7)).0,
        Verdict::Forward(PortId(1)),
        "known ones go on"
    );
    world.now += 1;
    assert_eq!(world.sweep().removed, 63);
    assert_eq!(world.client(frame(65)).0, Verdict::Forward(PortId(1)));
    assert_eq!(world.list().len(), 2);
}

#[test]
fn two_services_share_a_server_and_a_client_port() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let other = ServiceKey {
        protocol: 17,
        addr: [192, 0, 2, 2],
        port: 80,
    };
    let built = world.change(|half| {
        half.service_add(other, Default::default())?;
        half.backend_add(other, SERVER, 80, 1).map(|_| ())
    });
    assert!(built.is_ok());
    assert_eq!(
        world.client(Packet::udp(CLIENT, VIP).frame()).0,
        Verdict::Forward(PortId(1))
    );
    let second = Packet::udp(CLIENT, (other.addr, 80)).frame();
    assert_eq!(
        world.client(second.clone()).0,
        Verdict::Drop(DropReason::TupleConflict)
    );
    assert_eq!(world.list().len(), 1);
    // The reply belongs to the first; the second gets its turn when that is forgotten.
    let (_, out) = world.server(Packet::udp((SERVER, 80), CLIENT).at(1).frame());
    assert_eq!(tuple(&out), (VIP, CLIENT));
    world.now += 300;
    world.sweep();
    assert_eq!(world.client(second).0, Verdict::Forward(PortId(1)));
}

/// A change of a frame.
type Change = Box<dyn FnOnce(&mut Vec<u8>)>;

/// Changes a frame, sends it, and tells the verdict.
fn broken(packet: &Packet, change: impl FnOnce(&mut Vec<u8>)) -> Verdict {
    let mut world = World::with_service(packet.protocol, Mode::Nat, 1);
    let mut frame = packet.frame();
    change(&mut frame);
    let sent = frame.clone();
    let (verdict, out) = world.client(frame);
    assert_eq!(out, sent, "what is dropped or passed up is not touched");
    verdict
}

#[test]
fn headers_that_are_wrong() {
    use DropReason::*;
    let udp = Packet::udp(CLIENT, VIP).payload(&[1; 30]);
    let tcp = Packet::tcp(CLIENT, VIP, SYN).payload(&[1; 30]);
    let ip = |at: usize, value: u8| {
        move |frame: &mut Vec<u8>| {
            frame[at] = value;
            finish_ip(frame);
        }
    };
    let cases: Vec<(&Packet, Change, DropReason)> = vec![
        (&udp, Box::new(ip(14, 0x44)), BadIpHeader),
        (&udp, Box::new(ip(14, 0x65)), BadIpHeader),
        (&udp, Box::new(ip(17, 19)), BadIpHeader),
        (&udp, Box::new(ip(16, 1)), BadIpHeader),
        (&udp, Box::new(|frame| frame.truncate(71)), BadIpHeader),
        (&udp, Box::new(|frame| frame[24] ^= 1), BadIpChecksum),
        (&udp, Box::new(ip(14, 0x46)), IpOptions),
        (&udp, Box::new(ip(20, 0x20)), Fragment),
        (&udp, Box::new(ip(21, 1)), Fragment),
        (&udp, Box::new(ip(17, 27)), ShortFrame),
        (&tcp, Box::new(ip(17, 39)), ShortFrame),
        (&udp, Box::new(|frame| frame[39] = 7), BadL4Header),
        (&udp, Box::new(|frame| frame[39] = 39), BadL4Header),
        (&tcp, Box::new(|frame| frame[46] = 0x40), BadL4Header),
        (&tcp, Box::new(|frame| frame[46] = 0xf0), BadL4Header),
    ];
    for (number, (packet, change, reason)) in cases.into_iter().enumerate() {
        assert_eq!(
            broken(packet, change),
            Verdict::Drop(reason),
            "case {number}"
        );
    }
    // The same packets to somebody else are the host's to judge.
    let foreign = Packet::udp(CLIENT, ([192, 0, 2, 77], 80));
    assert_eq!(broken(&foreign, |frame| frame[24] ^= 1), Verdict::Stack);
    assert_eq!(broken(&foreign, |frame| frame.truncate(30)), Verdict::Stack);
    assert_eq!(
        broken(&udp, |frame| frame.truncate(13)),
        Verdict::Drop(ShortFrame)
    );
    assert_eq!(broken(&udp, |frame| frame.truncate(33)), Verdict::Stack);
}

#[test]
fn not_for_the_switch() {
    let udp = Packet::udp(CLIENT, VIP);
    assert_eq!(
        broken(&udp, |frame| frame[0] ^= 4),
        Verdict::Stack,
        "another MAC address"
    );
    assert_eq!(
        broken(&udp, |frame| frame[..6].fill(0xff)),
        Verdict::Stack,
        "IP in a broadcast"
    );
    assert_eq!(
        broken(&udp, |frame| frame[12..14].copy_from_slice(&[0x81, 0])),
        Verdict::Stack
    );
    assert_eq!(
        broken(&udp, |frame| frame[12..14].copy_from_slice(&[0x86, 0xdd])),
        Verdict::Stack
    );
    assert_eq!(
        broken(&udp, |frame| {
            frame[23] = 47;
            finish_ip(frame);
        }),
        Verdict::Drop(DropReason::NoService)
    );
}

#[test]
fn impossible_sources_make_no_connection() {
    for source in [
        [0, 0, 0, 0],
        [127, 0, 0, 1],
        [224, 0, 0, 1],
        [255, 255, 255, 255],
        VIP.0,
    ] {
        let mut world = World::with_service(6, Mode::Nat, 1);
        let syn = Packet::tcp((source, 7), VIP, SYN).frame();
        assert_eq!(world.client(syn).0, Verdict::Drop(DropReason::BadIpHeader));
        let ack = Packet::tcp((source, 7), VIP, ACK).frame();
        assert_eq!(world.client(ack).0, Verdict::Drop(DropReason::NoConnection));
        assert!(world.list().is_empty());
    }
}

#[test]
fn padding_of_short_frames_is_carried_along() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let mut frame = Packet::udp(CLIENT, VIP).payload(b"ab").frame();
    frame.resize(60, 0);
    let (verdict, out) = world.send(Origin::Port(PortId(0)), frame);
    assert_eq!(verdict, Verdict::Forward(PortId(1)));
    assert_eq!(out.len(), 60);
    assert!(checksums_hold(&out));
}
