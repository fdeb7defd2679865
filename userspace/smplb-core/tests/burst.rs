// SPDX-License-Identifier: MIT OR Apache-2.0

//! Bursts: what is found once for packets that follow each other is right for each of them.

mod world;

use proptest::collection::vec;
use proptest::prelude::*;
use smplb_core::config::{BackendId, Mode, ServiceId};
use smplb_core::counters::sum;
use smplb_core::frame::PortId;

use world::packet::Packet;
use world::{World, CLIENT, VIP};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;
const FIN: u8 = 0x01;

/// Flow, flags, octets of payload, time to live of a packet.
type Spec = (u16, u8, usize, u8);

fn frame(protocol: u8, (flow, flags, len, ttl): Spec) -> Vec<u8> {
    let source = (CLIENT.0, CLIENT.1 + flow);
    let mut packet = Packet::new(protocol, source, VIP).payload(&vec![7; len]);
    (packet.flags, packet.ttl) = (flags, ttl);
    packet.frame()
}

fn spec() -> impl Strategy<Value = Spec> {
    let flags = prop_oneof![12 => Just(ACK), 2 => Just(SYN), 1 => Just(FIN | ACK), 1 => Just(RST)];
    (
        0..3u16,
        flags,
        // The longest has no room in a frame of the port.
        prop_oneof![20 => 0..40usize, 1 => Just(1480)],
        prop_oneof![1 => Just(1u8), 20 => Just(64)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    /// Packets that come in one burst have the fate of packets that come one by one.
    #[test]
    fn a_burst_is_its_packets(
        protocol in prop_oneof![Just(6u8), Just(17)],
        bursts in vec(vec(spec(), 1..64), 1..4),
    ) {
        let mut worlds = [(); 2].map(|()| World::with_service(protocol, Mode::Nat, 2));
        for burst in bursts {
            let frames: Vec<_> = burst.into_iter().map(|spec| frame(protocol, spec)).collect();
            let [together, apart] = &mut worlds;
            let together = together.burst(&frames);
            let apart: Vec<_> = frames.into_iter().map(|frame| apart.client(frame)).collect();
            prop_assert_eq!(together, apart);
        }
        let [together, apart] = worlds.each_ref().map(|world| {
            let lanes = world.lanes();
            let backends = [0, 1].map(|id| sum::backend(lanes.iter().copied(), BackendId(id)));
            let service = sum::service(lanes.iter().copied(), ServiceId(0));
            let port = sum::port(lanes.iter().copied(), PortId(0));
            format!("{backends:?} {service:?} {port:?} {:?}", world.list())
        });
        prop_assert_eq!(together, apart);
    }
}
