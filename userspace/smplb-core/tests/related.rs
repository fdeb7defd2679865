// SPDX-License-Identifier: MIT OR Apache-2.0

//! ICMP errors about packets of connections.

mod world;

use smplb_core::config::Mode;
use smplb_core::frame::{Origin, PortId};
use smplb_core::verdict::{DropReason, Verdict};

use world::packet::{checksums_hold, finish_ip, tuple, Packet};
use world::{World, CLIENT, SERVER, VIP};

const ROUTER: ([u8; 4], u16) = ([203, 0, 113, 1], 0);

/// An error from `from` to `to` about the packet in `frame`.
fn error(from: [u8; 4], to: [u8; 4], kind: u8, code: u8, quoted: &[u8]) -> Vec<u8> {
    Packet::udp((from, 0), (to, 0)).icmp(kind, code, [0, 0, 5, 0], quoted)
}

/// Address and port of source and destination of the quoted packet.
fn quoted(frame: &[u8]) -> (([u8; 4], u16), ([u8; 4], u16)) {
    tuple(&frame[28..])
}

#[test]
fn a_router_tells_the_server_about_its_mtu() {
    for protocol in [6, 17] {
        let mut world = World::with_service(protocol, Mode::Nat, 1);
        let mut packet = Packet::new(protocol, CLIENT, VIP);
        packet.flags = 2;
        world.client(packet.frame());
        // As the packet of the server left the switch: from the VIP to the client.
        let answer = Packet::new(protocol, (SERVER, 80), CLIENT)
            .at(1)
            .payload(&[1; 900])
            .frame();
        let (_, answer) = world.server(answer);
        for size in [28, 548] {
            let frame = error(ROUTER.0, VIP.0, 3, 4, &answer[14..14 + size]);
            let (verdict, out) = world.client(frame.clone());
            assert_eq!(verdict, Verdict::Forward(PortId(1)));
            assert!(checksums_hold(&out));
            assert_eq!(out[..6], [2, 0, 0, 0, 0xbb, 1]);
            assert_eq!(out[22], 63);
            assert_eq!(
                (out[26..30].to_vec(), out[30..34].to_vec()),
                (ROUTER.0.to_vec(), SERVER.to_vec())
            );
            assert_eq!(out[34..36], [3, 4]);
            assert_eq!(out[38..42], frame[38..42], "the MTU");
            assert_eq!(quoted(&out), ((SERVER, 80), CLIENT));
            let mut inner = vec![0; 14];
            inner.extend(&out[42..62]);
            let check = inner[24..26].to_vec();
            finish_ip(&mut inner);
            assert_eq!(inner[24..26], check, "the quoted header's checksum");
        }
    }
}

#[test]
fn a_server_tells_the_client_that_nobody_listens() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let (_, asked) = world.client(Packet::udp(CLIENT, VIP).payload(b"anyone?").frame());
    let mut frame = error(SERVER, CLIENT.0, 3, 3, &asked[14..42]);
    frame[..6].copy_from_slice(&world::mac(1));
    let (verdict, out) = world.server(frame);
    assert_eq!(verdict, Verdict::Forward(PortId(0)));
    assert!(checksums_hold(&out));
    assert_eq!(
        out[26..34],
        [&VIP.0[..], &CLIENT.0[..]].concat()[..],
        "the server stays hidden"
    );
    assert_eq!(quoted(&out), (CLIENT, VIP));
    // The quoted UDP checksum is that of the packet the client sent.
    let sent = Packet::udp(CLIENT, VIP).payload(b"anyone?").frame();
    assert_eq!(out[42 + 26..42 + 28], sent[40..42]);
    assert_eq!(world.drops(DropReason::NoService), 0);
}

#[test]
fn direct_routing_hands_it_to_the_server() {
    let mut world = World::with_service(17, Mode::Dr, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    let answer = Packet::udp(VIP, CLIENT).frame();
    let frame = error(ROUTER.0, VIP.0, 3, 4, &answer[14..42]);
    let (verdict, out) = world.client(frame.clone());
    assert_eq!(verdict, Verdict::Forward(PortId(1)));
    assert_eq!(out[26..], frame[26..]);
    assert!(checksums_hold(&out));
}

#[test]
fn errors_about_nothing_known() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    let answer = Packet::udp(VIP, CLIENT).frame();
    let quote = &answer[14..42];
    let mut other = quote.to_vec();
    other[23] ^= 1;
    let mut fragment = quote.to_vec();
    fragment[7] = 9;
    let drop = Verdict::Drop(DropReason::NoService);
    let cases = [
        (error(ROUTER.0, VIP.0, 3, 4, &other), drop),
        (error(ROUTER.0, VIP.0, 3, 4, &fragment), drop),
        (error(ROUTER.0, VIP.0, 3, 4, &quote[..27]), drop),
        (error(ROUTER.0, VIP.0, 5, 1, quote), drop),
        (
            error(ROUTER.0, [192, 0, 2, 77], 3, 4, &other),
            Verdict::Stack,
        ),
    ];
    for (frame, verdict) in cases {
        assert_eq!(world.client(frame.clone()), (verdict, frame));
    }
    let mut broken = error(ROUTER.0, VIP.0, 3, 4, quote);
    broken[24] ^= 1;
    assert_eq!(
        world.client(broken).0,
        Verdict::Drop(DropReason::BadIpChecksum)
    );
    // An error about a packet the host sends is the host's.
    let frame = error(ROUTER.0, VIP.0, 3, 4, quote);
    let (verdict, _) = world.send(Origin::Host(PortId(0)), frame);
    assert_eq!(verdict, Verdict::Forward(PortId(0)));
}
