// SPDX-License-Identifier: MIT OR Apache-2.0

//! Properties of single rooms, over random inputs.

mod world;

use proptest::prelude::*;
use smplb_core::config::{Mode, Scheduler, ServiceId, ServiceKey, ServiceOptions};
use smplb_core::connection::entry::Rewrite;
use smplb_core::connection::key::Key;
use smplb_core::frame::{Checksum, Origin, PortId, MAX_PORTS};
use smplb_core::rewrite;
use smplb_core::route::{flatten, Hop, PortInfo, Prefix, Range, Routes};
use smplb_core::verdict::Verdict;
use smplb_core::wire::checksum;

use world::packet::{checksums_hold, finish_l4, partial_l4, Packet};
use world::{Half, Sent, World, CLIENT, VIP};

fn endpoint() -> impl Strategy<Value = ([u8; 4], u16)> {
    any::<([u8; 4], u16)>()
}

fn protocol() -> impl Strategy<Value = u8> {
    prop_oneof![Just(6), Just(17)]
}

/// A frame that is more or less what the switch expects.
fn almost_a_frame() -> impl Strategy<Value = Vec<u8>> {
    let tcp =
        any::<u8>().prop_map(|flags| Packet::tcp(CLIENT, VIP, flags).payload(&[1; 40]).frame());
    let udp = Just(Packet::udp(CLIENT, VIP).payload(&[1; 40]).frame());
    let icmp = any::<(u8, u8)>().prop_map(|(kind, code)| {
        let inner = Packet::udp(VIP, CLIENT).frame();
        Packet::udp(CLIENT, VIP).icmp(kind, code, [0; 4], &inner[14..])
    });
    let change = prop::collection::vec((0..90usize, any::<u8>()), 0..4);
    (prop_oneof![tcp, udp, icmp], change, 0..120usize).prop_map(|(mut frame, changes, len)| {
        for (at, value) in changes {
            if let Some(octet) = frame.get_mut(at) {
                *octet = value;
            }
        }
        frame.truncate(len.max(1));
        frame
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn rewriting_keeps_checksums(
        (protocol, from, to) in (protocol(), endpoint(), endpoint()),
        (new_from, new_to) in (endpoint(), endpoint()),
        payload in prop::collection::vec(any::<u8>(), 0..60),
        ttl in 1..=255u8,
    ) {
        let mut packet = Packet::new(protocol, from, to).payload(&payload);
        packet.ttl = ttl;
        let target = Key::new(protocol, new_from, new_to);
        let change = Rewrite::new(Key::new(protocol, from, to), target.addrs, target.raw_ports());
        let expected = Packet { source: new_from, dest: new_to, ..packet.clone() };

        let mut frame = packet.frame();
        rewrite::local(&mut frame, Checksum::Complete, &change);
        prop_assert!(checksums_hold(&frame));
        let mut exact = expected.frame();
        exact[..12].copy_from_slice(&frame[..12]);
        prop_assert_eq!(&frame, &exact);

        rewrite::headers(&mut frame, |headers| {
            rewrite::forward(headers, Checksum::Complete, &change, 1, 2);
        });
        prop_assert_eq!(frame[22], ttl - 1);

        let mut partial = packet.frame();
        partial_l4(&mut partial);
        rewrite::local(&mut partial, Checksum::Partial, &change);
        finish_l4(&mut partial);
        prop_assert_eq!(partial, exact);
    }

    #[test]
    fn updates_are_new_sums(octets in prop::collection::vec(any::<u8>(), 4..40), new: u32) {
        let before = checksum::finish(checksum::add(0, &octets));
        let old = u32::from_ne_bytes(octets[..4].try_into().unwrap());
        let mut changed = octets;
        changed[..4].copy_from_slice(&new.to_ne_bytes());
        let after = checksum::update(before, checksum::fold(checksum::change32(old, new)));
        let expected = checksum::finish(checksum::add(0, &changed));
        prop_assert!(after % 0xffff == expected % 0xffff);
    }

    #[test]
    fn routes_are_the_longest_prefix(
        prefixes in prop::collection::vec((any::<u32>(), 0..=32u8, 0..5u16), 0..40),
        probes in prop::collection::vec(any::<u32>(), 0..40),
    ) {
        // Addresses close together, so that prefixes nest and meet.
        let prefixes: Vec<_> =
            prefixes.into_iter().map(|(addr, len, hop)| (addr & 0xc0f0_00ff, len, hop)).collect();
        let hop = |number: u16| match number {
            0 => Hop::None,
            1 => Hop::Host,
            number => Hop::Direct(PortId(number)),
        };
        let mut input: Vec<_> =
            prefixes.iter().map(|(addr, len, number)| Prefix::new(*addr, *len, hop(*number))).collect();
        let mut ranges = vec![Range::default(); input.len() * 2 + 1];
        let len = flatten(&mut input, &mut ranges).unwrap();
        ranges.truncate(len);
        prop_assert!(ranges.windows(2).all(|two| two[0].start < two[1].start && two[0].hop != two[1].hop));
        let ports = [PortInfo::default(); MAX_PORTS];
        let routes = Routes { generation: 0, ranges: &ranges, ports: &ports };
        let edges = prefixes.iter().flat_map(|(addr, len, _)| {
            let size = 1u64 << (32 - len);
            let first = u64::from(*addr) / size * size;
            [first.wrapping_sub(1), first, first + size - 1, first + size].map(|edge| edge as u32)
        });
        for probe in probes.into_iter().chain(edges) {
            let mut expected = (Hop::None, -1);
            for (addr, len, number) in &prefixes {
                let inside = u64::from(addr ^ probe) >> (32 - len) == 0;
                if inside && i32::from(*len) > expected.1 {
                    expected = (hop(*number), i32::from(*len));
                }
            }
            prop_assert_eq!(routes.lookup(probe.to_be_bytes()), expected.0);
        }
    }

    #[test]
    fn slots_follow_the_weights(weights in prop::collection::vec(0..3000u32, 1..60)) {
        let (mut half, empty) = (Half::new(), Half::new());
        let key = ServiceKey { protocol: 6, addr: VIP.0, port: 80 };
        let mut change = half.lend();
        change.begin(&empty.view(), 1);
        change.service_add(key, ServiceOptions::default()).unwrap();
        for (i, weight) in weights.iter().enumerate() {
            change.backend_add(key, [10, 0, 0, 1], 1 + i as u16, *weight).unwrap();
        }
        change.finish(&empty.view()).unwrap();
        let view = half.view();
        let slots = view.slots(view.service(ServiceId(0)).unwrap());
        let sum: u32 = weights.iter().sum();
        for (i, weight) in weights.iter().enumerate() {
            let count = slots.iter().filter(|slot| usize::from(**slot) == i).count();
            prop_assert_eq!(*weight == 0, count == 0);
            if *weight == 0 {
                continue;
            }
            let share = f64::from(*weight) / f64::from(sum) * slots.len() as f64;
            prop_assert!((count as f64 - share).abs() <= 1.5 + share * 0.06, "{} of {}: {}", count, slots.len(), share);
            // Evenly spread: in any stretch it has about its share.
            let longest = slots
                .iter()
                .chain(slots)
                .fold((0usize, 0usize), |(run, longest), slot| {
                    let run = if usize::from(*slot) == i { run + 1 } else { 0 };
                    (run, longest.max(run))
                })
                .1;
            prop_assert!(share * 2.0 > slots.len() as f64 || longest <= 2, "{} in a row", longest);
        }
    }

    #[test]
    fn lc_lists_each_backend_once(weights in prop::collection::vec(0..3u32, 1..60)) {
        let (mut half, empty) = (Half::new(), Half::new());
        let key = ServiceKey { protocol: 17, addr: VIP.0, port: 80 };
        let least = ServiceOptions { scheduler: Some(Scheduler::Lc), ..ServiceOptions::default() };
        let mut change = half.lend();
        change.begin(&empty.view(), 1);
        change.service_add(key, least).unwrap();
        for (i, weight) in weights.iter().enumerate() {
            change.backend_add(key, [10, 0, 0, 1], 1 + i as u16, *weight).unwrap();
        }
        change.finish(&empty.view()).unwrap();
        let view = half.view();
        let slots = view.slots(view.service(ServiceId(0)).unwrap()).to_vec();
        let expected: Vec<u16> =
            (0..).zip(&weights).filter(|(_, weight)| **weight > 0).map(|(i, _)| i).collect();
        prop_assert_eq!(slots, expected);
    }

    #[test]
    fn any_frame_gets_a_verdict(
        frames in prop::collection::vec(almost_a_frame(), 1..20),
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..130), 0..4),
        from_host: bool,
        partial: bool,
        direct: bool,
    ) {
        let mode = if direct { Mode::Dr } else { Mode::Nat };
        let mut world = World::with_service(17, mode, 2);
        let origin = if from_host { Origin::Host(PortId(0)) } else { Origin::Port(PortId(0)) };
        for frame in frames.into_iter().chain(noise) {
            let checksum = if partial { Checksum::Partial } else { Checksum::Complete };
            let before = Sent { checksum, ..Sent::from(frame) };
            let (verdict, after) = world.send(origin, before.clone());
            prop_assert_eq!(before.frame.len(), after.len());
            match verdict {
                Verdict::Drop(_) => prop_assert_eq!(before.frame, after),
                Verdict::Stack => prop_assert!(!from_host),
                // Nobody wants anything.
                Verdict::Channel(_) => prop_assert!(false),
                Verdict::Reply { len } => {
                    prop_assert!(!from_host && usize::from(len) <= after.len());
                    prop_assert_eq!(&after[..6], &before.frame[6..12]);
                }
                Verdict::Forward(port) | Verdict::Resolve { port, .. } => prop_assert!(port.0 < 2),
            }
        }
    }
}
