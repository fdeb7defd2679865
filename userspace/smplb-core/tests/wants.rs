// SPDX-License-Identifier: MIT OR Apache-2.0

//! Packets that applications want, through the whole data path.

mod world;

use smplb_core::channel::wants::{arrange, ChannelId, Rule, Want};
use smplb_core::config::Mode;
use smplb_core::counters::sum::{self, TotalsSum};
use smplb_core::frame::{Origin, PortId};
use smplb_core::verdict::Verdict;

use world::packet::Packet;
use world::{Frames, Sent, World, CLIENT, VIP};

/// An address of the host.
const HOST: [u8; 4] = [192, 0, 2, 9];
const UDP: u8 = 17;
const ONE: Verdict = Verdict::Channel(ChannelId(1));
const TWO: Verdict = Verdict::Channel(ChannelId(2));

fn world(wants: &[(Want, u16)]) -> World {
    let mut world = World::with_service(UDP, Mode::Nat, 1);
    let rules = wants
        .iter()
        .map(|(want, channel)| Rule::new(*want, ChannelId(*channel)));
    world.rules = rules.collect();
    assert!(arrange(&mut world.rules));
    world
}

fn local(addr: [u8; 4], port: u16) -> Want {
    Want::Local {
        protocol: UDP,
        addr,
        port,
    }
}

#[test]
fn a_local_port_is_taken_from_the_host() {
    let mut world = world(&[(local(HOST, 7), 1)]);
    let wanted = Packet::udp(CLIENT, (HOST, 7)).payload(b"hello").frame();
    assert_eq!(world.client(wanted.clone()), (ONE, wanted.clone()));
    for other in [
        Packet::udp(CLIENT, (HOST, 8)),
        Packet::udp(CLIENT, ([192, 0, 2, 8], 7)),
        Packet::tcp(CLIENT, (HOST, 7), 2),
    ] {
        assert_eq!(world.client(other.frame()).0, Verdict::Stack);
    }
    // What the host sends is not for applications.
    let (verdict, _) = world.send(Origin::Host(PortId(0)), wanted);
    assert_eq!(verdict, Verdict::Forward(PortId(0)));
    let mut sum = TotalsSum::default();
    world.lanes().iter().for_each(|lane| sum.add(lane));
    assert_eq!(
        (sum.channel, sum.stack, sum.forwarded, sum.dropped()),
        (1, 3, 1, 0)
    );
}

#[test]
fn a_connection_stays_with_its_backend() {
    let mut world = world(&[]);
    let packet = Packet::udp(CLIENT, VIP).frame();
    assert_eq!(world.client(packet.clone()).0, Verdict::Forward(PortId(1)));
    world.rules = vec![Rule::new(Want::Address(VIP.0), ChannelId(2))];
    assert_eq!(world.client(packet).0, Verdict::Forward(PortId(1)));
    // Unless it wants that port.
    world.rules = vec![
        Rule::new(local(VIP.0, VIP.1), ChannelId(1)),
        Rule::new(Want::Address(VIP.0), ChannelId(2)),
    ];
    assert!(arrange(&mut world.rules));
    let packet = Packet::udp(CLIENT, VIP).frame();
    for (verdict, _) in world.burst(&[packet.clone(), packet]) {
        assert_eq!(verdict, ONE);
    }
    world.rules.remove(0);
    // A new one, and whatever else comes to the address, goes to the application.
    let (addr, port) = CLIENT;
    let client = (addr, port + 1);
    assert_eq!(world.client(Packet::udp(client, VIP).frame()).0, TWO);
    assert_eq!(world.client(Packet::new(47, client, VIP).frame()).0, TWO);
    let echo = Packet::new(1, CLIENT, VIP).icmp(8, 0, [0; 4], b"ping");
    assert_eq!(world.client(echo).0, TWO);
}

/// The shell carries a burst out as a whole if all of it leaves by one port, or is for one channel.
#[test]
fn what_becomes_of_a_whole_burst_is_told() {
    let mut world = world(&[]);
    let known = Packet::udp(CLIENT, VIP).frame();
    world.client(known.clone());
    world.rules = vec![
        Rule::new(local(HOST, 7), ChannelId(1)),
        Rule::new(Want::Address([192, 0, 2, 8]), ChannelId(2)),
    ];
    assert!(arrange(&mut world.rules));
    let to_one = Packet::udp(CLIENT, (HOST, 7)).frame();
    let to_two = Packet::udp(CLIENT, ([192, 0, 2, 8], 7)).frame();
    let to_host = Packet::udp(CLIENT, (HOST, 8)).frame();
    let mut whole = |packets: &[&Vec<u8>]| {
        let packets = packets.iter().map(|packet| Sent::from((*packet).clone()));
        world.run(Origin::Port(PortId(0)), &mut Frames(packets.collect()))
    };
    let ways = [
        (&known, Some(Verdict::Forward(PortId(1)))),
        (&to_one, Some(ONE)),
        (&to_two, Some(TWO)),
        (&to_host, None),
    ];
    for (packet, way) in ways {
        assert_eq!(whole(&[packet, packet, packet]), way);
        for (other, _) in ways.iter().filter(|(other, _)| *other != packet) {
            assert_eq!(whole(&[packet, packet, other]), None);
            assert_eq!(whole(&[packet, other, packet]), None);
        }
    }
}

#[test]
fn frames_of_a_type_are_those_of_one_port() {
    let mut world = world(&[(Want::EtherType(PortId(1), 0x88cc), 2)]);
    let mut frame = Packet::udp(CLIENT, VIP).frame();
    frame[..6].copy_from_slice(&[1, 0x80, 0xc2, 0, 0, 0x0e]);
    frame[12..14].copy_from_slice(&[0x88, 0xcc]);
    assert_eq!(world.client(frame.clone()).0, Verdict::Stack);
    assert_eq!(world.server(frame).0, TWO);
}

#[test]
fn all_of_a_port_is_taken_unseen() {
    let mut world = world(&[(Want::Port(PortId(0)), 1), (local(HOST, 7), 2)]);
    let packets = [
        Packet::udp(CLIENT, VIP).frame(),
        Packet::udp(CLIENT, (HOST, 7)).frame(),
        vec![0xff; 20],
        vec![],
    ];
    let taken = world.burst(&packets);
    for ((verdict, out), packet) in taken.iter().zip(&packets) {
        assert_eq!((*verdict, out), (ONE, packet));
    }
    assert_eq!(
        world.server(Packet::udp(CLIENT, (HOST, 7)).at(1).frame()).0,
        TWO
    );
    let mut sum = TotalsSum::default();
    world.lanes().iter().for_each(|lane| sum.add(lane));
    assert_eq!((sum.channel, sum.packets, sum.forwarded), (5, 5, 0));
    let lanes = world.lanes();
    let port = sum::port(lanes.iter().copied(), PortId(0));
    assert_eq!(port.rx_packets, 4);
}
