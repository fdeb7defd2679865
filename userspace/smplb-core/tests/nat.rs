// SPDX-License-Identifier: MIT OR Apache-2.0

//! Forwarding through the whole data path: NAT and DR, both directions.

mod world;

use smplb_core::config::{BackendId, Mode, ServiceId};
use smplb_core::connection::tcp_state::State;
use smplb_core::counters::sum;
use smplb_core::frame::{Checksum, PortId};
use smplb_core::route::{Hop, PortInfo, Prefix};
use smplb_core::verdict::{DropReason, Verdict};

use world::packet::{checksums_hold, finish_l4, partial_l4, tuple, Packet};
use world::{mac, Sent, World, CLIENT, SERVER, VIP};

const ACK: u8 = 0x10;
const SYN: u8 = 0x02;
const FIN: u8 = 0x01;

#[test]
fn udp_there_and_back() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let request = Packet::udp(CLIENT, VIP).payload(b"hello").frame();
    // The first packet makes the connection, the second finds it, the third takes the short way.
    for _ in 0..3 {
        let (verdict, out) = world.client(request.clone());
        assert_eq!(verdict, Verdict::Forward(PortId(1)));
        assert_eq!(tuple(&out), (CLIENT, (SERVER, 80)));
        assert_eq!(out[..6], [2, 0, 0, 0, 0xbb, 1]);
        assert_eq!(out[6..12], mac(1));
        assert_eq!(out[22], 63, "time to live");
        assert!(checksums_hold(&out));
        assert_eq!(out[42..], *b"hello");
    }
    let answer = Packet::udp((SERVER, 80), CLIENT)
        .at(1)
        .payload(b"world!")
        .frame();
    for _ in 0..3 {
        let (verdict, out) = world.server(answer.clone());
        assert_eq!(verdict, Verdict::Forward(PortId(0)));
        assert_eq!(tuple(&out), (VIP, CLIENT));
        assert_eq!(out[..6], [2, 0, 0, 0, 0xcc, 254], "by the gateway");
        assert!(checksums_hold(&out));
    }
    let lanes = world.lanes();
    let backend = sum::backend(lanes.iter().copied(), BackendId(0));
    assert_eq!(
        (backend.packets, backend.reply_packets, backend.connections),
        (3, 3, 1)
    );
    assert_eq!((backend.bytes, backend.reply_bytes), (3 * 47, 3 * 48));
    let service = sum::service(lanes.iter().copied(), ServiceId(0));
    assert_eq!(
        (service.packets, service.bytes, service.connections),
        (3, 3 * 47, 1)
    );
    assert_eq!(
        (
            sum::active(lanes.iter().copied(), BackendId(0)),
            sum::connections(lanes.iter().copied())
        ),
        (1, 1)
    );
    assert_eq!(sum::port(lanes.iter().copied(), PortId(0)).rx_packets, 3);
}

#[test]
fn tcp_from_syn_to_time_wait() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    let back = (SERVER, 80);
    let steps = [
        (true, SYN, State::SynSent),
        (false, SYN | ACK, State::SynRecv),
        (true, ACK, State::Established),
        (true, ACK, State::Established),
        (false, ACK, State::Established),
        (true, FIN | ACK, State::FinWait),
        (false, FIN | ACK, State::TimeWait),
        (true, ACK, State::TimeWait),
    ];
    for (from_client, flags, state) in steps {
        let (verdict, out) = if from_client {
            world.client(Packet::tcp(CLIENT, VIP, flags).payload(b"x").frame())
        } else {
            world.server(Packet::tcp(back, CLIENT, flags).at(1).frame())
        };
        let port = if from_client { 1 } else { 0 };
        assert_eq!(verdict, Verdict::Forward(PortId(port)));
        assert!(checksums_hold(&out));
        assert_eq!(world.list()[0].state, state);
    }
    // A new SYN begins a new connection, though the old one has not been forgotten.
    let (verdict, _) = world.client(Packet::tcp(CLIENT, VIP, SYN).frame());
    assert_eq!(verdict, Verdict::Forward(PortId(1)));
    let list = world.list();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].state, State::SynSent);
    let lanes = world.lanes();
    assert_eq!(
        sum::backend(lanes.iter().copied(), BackendId(0)).connections,
        2
    );
    assert_eq!(sum::active(lanes.iter().copied(), BackendId(0)), 1);
}

#[test]
fn a_burst_can_hold_a_whole_conversation() {
    let mut world = World::with_service(6, Mode::Dr, 1);
    let frames = [SYN, ACK, ACK, ACK].map(|flags| Packet::tcp(CLIENT, VIP, flags).frame());
    for (verdict, _) in world.burst(&frames) {
        assert_eq!(verdict, Verdict::Forward(PortId(1)));
    }
    assert_eq!(world.list()[0].state, State::Established);
}

#[test]
fn direct_routing_changes_only_the_mac_addresses() {
    let mut world = World::with_service(17, Mode::Dr, 1);
    let request = Packet::udp(CLIENT, VIP).payload(b"hello").frame();
    for _ in 0..3 {
        let (verdict, out) = world.client(request.clone());
        assert_eq!(verdict, Verdict::Forward(PortId(1)));
        assert_eq!(out[..6], [2, 0, 0, 0, 0xbb, 1]);
        assert_eq!(out[26..], request[26..]);
        assert_eq!(out[22], 63);
        assert!(checksums_hold(&out));
    }
    // The answer does not pass here; if it does, it is none of ours.
    let (verdict, _) = world.server(Packet::udp((SERVER, 80), CLIENT).at(1).frame());
    assert_eq!(verdict, Verdict::Stack);
}

#[test]
fn checksums_that_others_finish() {
    for protocol in [6, 17] {
        let mut world = World::with_service(protocol, Mode::Nat, 1);
        let mut packet = Packet::new(protocol, CLIENT, VIP);
        packet.flags = SYN;
        for _ in 0..2 {
            let mut frame = packet.frame();
            partial_l4(&mut frame);
            let sent = Sent {
                checksum: Checksum::Partial,
                ..Sent::from(frame)
            };
            let (verdict, out) = world.client(sent);
            assert_eq!(verdict, Verdict::Forward(PortId(1)));
            let mut expected = out.clone();
            partial_l4(&mut expected);
            assert!(same_sum(&out, &expected, protocol));
            let mut finished = out;
            finish_l4(&mut finished);
            assert!(checksums_hold(&finished));
        }
    }
}

/// Whether the checksum fields are equal, 0 and 0xffff being the same sum.
fn same_sum(a: &[u8], b: &[u8], protocol: u8) -> bool {
    let at = if protocol == 6 { 50 } else { 40 };
    let field = |frame: &[u8]| u16::from_be_bytes([frame[at], frame[at + 1]]) % 0xffff;
    field(a) == field(b)
}

#[test]
fn no_udp_checksum_stays_none() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let mut packet = Packet::udp(CLIENT, VIP);
    packet.no_udp_checksum = true;
    for _ in 0..2 {
        let (_, out) = world.client(packet.frame());
        assert_eq!(out[40..42], [0, 0]);
    }
}

#[test]
fn a_computed_udp_checksum_is_never_zero() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let mut found = false;
    for word in 0..=u16::MAX {
        let packet = Packet::udp(CLIENT, VIP).payload(&word.to_be_bytes());
        let (_, out) = world.client(packet.frame());
        assert!(out[40..42] != [0, 0]);
        found |= out[40..42] == [0xff, 0xff];
        if word % 97 == 0 || found {
            assert!(checksums_hold(&out));
        }
    }
    assert!(found, "one of the words makes the sum 0xffff");
}

#[test]
fn the_time_to_live_ends() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let mut packet = Packet::udp(CLIENT, VIP).payload(&[7; 40]);
    world.client(packet.frame());
    packet.ttl = 1;
    let (verdict, out) = world.client(packet.frame());
    assert_eq!(verdict, Verdict::Reply { len: 70 });
    assert!(checksums_hold(&out[..70]));
    assert_eq!(out[34..36], [11, 0], "time exceeded");
    assert_eq!(world.drops(DropReason::TtlExpired), 1);
    packet.ttl = 2;
    assert_eq!(world.client(packet.frame()).0, Verdict::Forward(PortId(1)));
}

#[test]
fn too_large_for_the_way_out() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.ports[1] = PortInfo::new(mac(1), 1400, true);
    world.publish_routes();
    let mut packet = Packet::udp(CLIENT, VIP).payload(&[7; 1372]);
    assert_eq!(
        world.client(packet.frame()).0,
        Verdict::Forward(PortId(1)),
        "exactly fits"
    );
    packet.payload.push(7);
    let original = packet.frame();
    let (verdict, out) = world.client(original.clone());
    assert_eq!(verdict, Verdict::Reply { len: 70 });
    assert!(checksums_hold(&out[..70]));
    assert_eq!(out[..6], original[6..12]);
    assert_eq!(out[26..34], [&VIP.0[..], &CLIENT.0[..]].concat()[..]);
    assert_eq!(
        out[34..42],
        [3, 4, out[36], out[37], 0, 0, 0x05, 0x78],
        "next-hop MTU 1400"
    );
    assert_eq!(
        out[42..70],
        original[14..42],
        "quotes the packet as it came"
    );
    packet.df = false;
    assert_eq!(
        world.client(packet.frame()).0,
        Verdict::Drop(DropReason::MtuExceeded)
    );
    assert_eq!(world.drops(DropReason::MtuExceeded), 2);
    // A super-packet is judged by its segments.
    let sent = |segment_len| Sent {
        segment_len,
        ..Sent::from(packet.frame())
    };
    assert_eq!(world.client(sent(1400)).0, Verdict::Forward(PortId(1)));
    assert_eq!(
        world.client(sent(1401)).0,
        Verdict::Drop(DropReason::MtuExceeded)
    );
}

#[test]
fn a_port_goes_down_and_up() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let frame = Packet::udp(CLIENT, VIP).frame();
    world.client(frame.clone());
    world.ports[1] = PortInfo::new(mac(1), 1500, false);
    world.publish_routes();
    assert_eq!(
        world.client(frame.clone()).0,
        Verdict::Drop(DropReason::PortDown)
    );
    world.ports[1] = PortInfo::default();
    world.publish_routes();
    assert_eq!(
        world.client(frame.clone()).0,
        Verdict::Drop(DropReason::PortDown)
    );
    world.ports[1] = PortInfo::new(mac(1), 1500, true);
    world.publish_routes();
    assert_eq!(world.client(frame).0, Verdict::Forward(PortId(1)));
}

#[test]
fn an_unknown_neighbour_is_resolved() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.neighbours().invalidate(PortId(1), SERVER);
    let frame = Packet::udp(CLIENT, VIP).frame();
    for _ in 0..2 {
        let (verdict, out) = world.client(frame.clone());
        assert_eq!(
            verdict,
            Verdict::Resolve {
                port: PortId(1),
                addr: SERVER
            }
        );
        assert_eq!(out[..12], [&[0; 6][..], &mac(1)].concat()[..]);
        assert_eq!(tuple(&out), (CLIENT, (SERVER, 80)));
        assert!(checksums_hold(&out));
    }
    let learned = [2, 0, 0, 0, 0xdd, 1];
    assert!(world.neighbours().set(PortId(1), SERVER, learned));
    assert_eq!(world.client(frame.clone()).1[..6], learned);
    // A change of the neighbour is on the wire at once, without a new generation.
    assert!(world
        .neighbours()
        .set(PortId(1), SERVER, [2, 0, 0, 0, 0xdd, 2]));
    assert_eq!(world.client(frame.clone()).1[..6], [2, 0, 0, 0, 0xdd, 2]);
    world.neighbours().invalidate_port(PortId(1));
    assert_eq!(
        world.client(frame).0,
        Verdict::Resolve {
            port: PortId(1),
            addr: SERVER
        }
    );
}

#[test]
fn routes_change_under_a_connection() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let frame = Packet::udp(CLIENT, VIP).frame();
    assert_eq!(world.client(frame.clone()).0, Verdict::Forward(PortId(1)));
    world.prefixes[1] = Prefix::new(0x0a00_0000, 24, Hop::None);
    world.publish_routes();
    assert_eq!(
        world.client(frame.clone()).0,
        Verdict::Drop(DropReason::NoRoute)
    );
    world.prefixes[1] = Prefix::new(0x0a00_0000, 24, Hop::Gateway(PortId(0), [192, 0, 2, 254]));
    world.publish_routes();
    assert_eq!(world.client(frame).0, Verdict::Forward(PortId(0)));
}
