// SPDX-License-Identifier: MIT OR Apache-2.0

//! What the switch answers by itself, and what goes to the host and comes from it.

mod world;

use smplb_core::config::{Mode, ServiceKey, ServiceOptions};
use smplb_core::counters::sum;
use smplb_core::frame::{Checksum, Origin, PortId};
use smplb_core::reply::arp_announcement;
use smplb_core::route::{Hop, PortInfo, Prefix};
use smplb_core::verdict::{DropReason, Verdict};

use world::packet::{checksums_hold, partial_l4, tuple, Packet};
use world::{mac, Sent, World, CLIENT, SERVER, VIP};

const ASKER: [u8; 6] = [2, 0, 0, 0, 0xcc, 9];
const HOST: Origin = Origin::Host(PortId(0));

fn who_has(sender: [u8; 4], target: [u8; 4]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend(ASKER);
    frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend(ASKER);
    frame.extend(sender);
    frame.extend([0; 6]);
    frame.extend(target);
    frame.resize(60, 0);
    frame
}

#[test]
fn arp_for_a_vip() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    for sender in [[192, 0, 2, 9], [0, 0, 0, 0]] {
        let (verdict, out) = world.client(who_has(sender, VIP.0));
        assert_eq!(verdict, Verdict::Reply { len: 42 });
        let mut expected = ASKER.to_vec();
        expected.extend(mac(0));
        expected.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
        expected.extend(mac(0));
        expected.extend(VIP.0);
        expected.extend(ASKER);
        expected.extend(sender);
        assert_eq!(out[..42], expected[..]);
    }
    // Addressed to the port alone, as hosts do to confirm what they know.
    let mut frame = who_has([192, 0, 2, 9], VIP.0);
    frame[..6].copy_from_slice(&mac(0));
    assert_eq!(world.client(frame).0, Verdict::Reply { len: 42 });
}

#[test]
fn arp_that_is_the_hosts() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let asked = who_has([192, 0, 2, 9], VIP.0);
    let changed = |at: usize, value: u8| {
        let mut frame = asked.clone();
        frame[at] = value;
        frame
    };
    let frames = [
        who_has([192, 0, 2, 9], [192, 0, 2, 8]),
        who_has(VIP.0, VIP.0),
        who_has([224, 0, 0, 1], VIP.0),
        changed(21, 2),
        changed(22, 3),
        changed(0, 2),
        changed(14, 9),
        asked[..41].to_vec(),
    ];
    for (number, frame) in frames.into_iter().enumerate() {
        assert_eq!(
            world.client(frame.clone()),
            (Verdict::Stack, frame),
            "case {number}"
        );
    }
    let silent = ServiceOptions {
        announce: Some(false),
        ..ServiceOptions::default()
    };
    let key = ServiceKey {
        protocol: 17,
        addr: VIP.0,
        port: VIP.1,
    };
    assert!(world
        .change(|half| half.service_set(key, silent).map(|_| ()))
        .is_ok());
    assert_eq!(world.client(asked).0, Verdict::Stack);
    assert_eq!(world.view().announced().count(), 0);
}

#[test]
fn an_announcement() {
    let mut frame = [0; 42];
    arp_announcement(mac(0), VIP.0, &mut frame);
    let mut expected = vec![0xff; 6];
    expected.extend(mac(0));
    expected.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    expected.extend(mac(0));
    expected.extend(VIP.0);
    expected.extend([0; 6]);
    expected.extend(VIP.0);
    assert_eq!(frame[..], expected[..]);
}

#[test]
fn ping_a_vip() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    for size in [0, 1, 56, 1472] {
        let asked = Packet::udp(CLIENT, VIP).icmp(8, 0, [0x12, 0x34, 0, 1], &vec![0xa5; size]);
        let (verdict, out) = world.client(asked.clone());
        assert_eq!(
            verdict,
            Verdict::Reply {
                len: asked.len() as u16
            }
        );
        assert_eq!(tuple(&out).0 .0, VIP.0);
        assert_eq!(tuple(&out).1 .0, CLIENT.0);
        assert_eq!(out[34..36], [0, 0]);
        assert_eq!(out[38..], asked[38..]);
        assert!(checksums_hold(&out));
    }
    // To another address, or something else than a ping.
    let other = Packet::udp(CLIENT, ([192, 0, 2, 77], 0)).icmp(8, 0, [0; 4], b"x");
    assert_eq!(world.client(other).0, Verdict::Stack);
    let stamp = Packet::udp(CLIENT, VIP).icmp(13, 0, [0; 4], &[0; 12]);
    assert_eq!(
        world.client(stamp.clone()).0,
        Verdict::Drop(DropReason::NoService)
    );
    world.prefixes.push(Prefix::new(0xc000_0201, 32, Hop::Host));
    world.publish_routes();
    assert_eq!(world.client(stamp).0, Verdict::Stack);
}

#[test]
fn a_backend_on_the_host_itself() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    world.prefixes.push(Prefix::new(0x0a00_0001, 32, Hop::Host));
    world.publish_routes();
    let mut request = Packet::tcp(CLIENT, VIP, 2);
    request.ttl = 1;
    for _ in 0..2 {
        let frame = request.frame();
        let (verdict, out) = world.client(frame.clone());
        assert_eq!(verdict, Verdict::Stack);
        assert_eq!(out[..12], frame[..12]);
        assert_eq!(tuple(&out), (CLIENT, (SERVER, 80)));
        assert_eq!(out[22], 1, "delivered, not forwarded");
        assert!(checksums_hold(&out));
    }
    // The host's answer leaves the checksum to the NIC.
    let answer = Packet::tcp((SERVER, 80), CLIENT, 0x12);
    let mut frame = answer.frame();
    partial_l4(&mut frame);
    let (verdict, out) = world.send(
        HOST,
        Sent {
            checksum: Checksum::Partial,
            ..frame.into()
        },
    );
    assert_eq!(verdict, Verdict::Forward(PortId(0)));
    assert_eq!(tuple(&out), (VIP, CLIENT));
    assert_eq!(out[..6], [2, 0, 0, 0, 0xcc, 254]);
    let lanes = world.lanes();
    assert_eq!(sum::port(lanes.iter().copied(), PortId(0)).stack_packets, 2);
    assert_eq!(sum::port(lanes.iter().copied(), PortId(0)).host_packets, 1);
}

#[test]
fn what_the_host_sends_leaves_as_it_is() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    world.client(Packet::tcp(CLIENT, VIP, 2).frame());
    let frames = [
        Packet::tcp(([192, 0, 2, 5], 22), CLIENT, 0x10).frame(),
        Packet::tcp(CLIENT, VIP, 0x10).frame(),
        Packet::tcp(([192, 0, 2, 5], 22), VIP, 2).frame(),
        who_has([192, 0, 2, 5], VIP.0),
        vec![1, 2, 3],
    ];
    for frame in frames {
        assert_eq!(
            world.send(HOST, frame.clone()),
            (Verdict::Forward(PortId(0)), frame)
        );
    }
}

#[test]
fn the_host_is_not_answered() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    world.ports[0] = PortInfo::new(mac(0), 100, true);
    world.publish_routes();
    let answer = Packet::udp((SERVER, 80), CLIENT).payload(&[1; 200]);
    let (verdict, _) = world.send(Origin::Host(PortId(1)), answer.frame());
    assert_eq!(verdict, Verdict::Drop(DropReason::MtuExceeded));
}

#[test]
fn foreign_traffic_is_passed_up_untouched() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    let frames = [
        Packet::tcp(CLIENT, ([192, 0, 2, 5], 22), 0x10).frame(),
        Packet::udp((SERVER, 53), ([10, 0, 0, 200], 9)).frame(),
        vec![0; 14],
    ];
    for frame in frames {
        assert_eq!(world.client(frame.clone()), (Verdict::Stack, frame));
    }
}
