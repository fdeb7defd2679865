// SPDX-License-Identifier: MIT OR Apache-2.0

//! Generations of the configuration, and what they do to connections that are there.

mod world;

use smplb_core::config::error::ConfigError;
use smplb_core::config::{Mode, Scheduler, ServiceKey, ServiceOptions, MAX_SERVICES};
use smplb_core::connection::tcp_state::State;
use smplb_core::counters::sum;
use smplb_core::frame::PortId;
use smplb_core::verdict::{DropReason, Verdict};

use world::packet::{tuple, Packet};
use world::{World, CLIENT, SERVER, VIP};

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

fn key(protocol: u8) -> ServiceKey {
    ServiceKey {
        protocol,
        addr: VIP.0,
        port: VIP.1,
    }
}

/// The server that gets a client's packet.
fn server_of(world: &mut World, packet: Packet) -> u8 {
    let (verdict, out) = world.client(packet.frame());
    assert_eq!(verdict, Verdict::Forward(PortId(1)));
    tuple(&out).1 .0[3]
}

#[test]
fn a_deleted_backend_resets_its_tcp_connections() {
    let mut world = World::with_service(6, Mode::Nat, 2);
    for port in 1..=2 {
        world.client(Packet::tcp((CLIENT.0, port), VIP, SYN).frame());
    }
    let gone = world
        .list()
        .iter()
        .find(|made| made.to.0 == SERVER)
        .copied()
        .expect("one is there");
    assert!(world
        .change(|half| half.backend_del(key(6), SERVER, 80))
        .is_ok());
    let (verdict, out) = world.client(Packet::tcp(gone.client, VIP, ACK).frame());
    assert_eq!(verdict, Verdict::Reply { len: 54 });
    assert_eq!(out[47], RST);
    let (verdict, _) = world.server(Packet::tcp(gone.to, gone.client, ACK).at(1).frame());
    assert_eq!(verdict, Verdict::Drop(DropReason::BackendGone));
    assert_eq!(world.drops(DropReason::BackendGone), 2);
    let closed = world
        .list()
        .into_iter()
        .find(|made| made.client == gone.client);
    assert_eq!(closed.map(|made| made.state), Some(State::Close));
    // The other backend's connection goes on; a new SYN of the reset client begins anew.
    assert_eq!(
        server_of(
            &mut world,
            Packet::tcp((CLIENT.0, 3 - gone.client.1), VIP, ACK)
        ),
        2
    );
    assert_eq!(server_of(&mut world, Packet::tcp(gone.client, VIP, SYN)), 2);
}

#[test]
fn a_deleted_backend_loses_its_udp_connections_to_others() {
    let mut world = World::with_service(17, Mode::Nat, 2);
    let first = server_of(&mut world, Packet::udp(CLIENT, VIP));
    let deleted = [10, 0, 0, first];
    assert!(world
        .change(|half| half.backend_del(key(17), deleted, 80))
        .is_ok());
    assert_eq!(server_of(&mut world, Packet::udp(CLIENT, VIP)), 3 - first);
    assert_eq!(sum::connections(world.lanes()), 1);
}

#[test]
fn a_place_that_is_used_again_is_another_backend() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    // Deleted and added in one generation: the same address, but another object.
    let changed = world.change(|half| {
        half.backend_del(key(17), SERVER, 80)?;
        half.backend_add(key(17), SERVER, 80, 1).map(|_| ())
    });
    assert!(changed.is_ok());
    let made = world.list()[0].generation;
    assert_eq!(server_of(&mut world, Packet::udp(CLIENT, VIP)), 1);
    let list = world.list();
    assert_eq!(list.len(), 1);
    assert!(list[0].generation > made, "made anew");
}

#[test]
fn an_old_place_with_a_new_backend() {
    for protocol in [6, 17] {
        let mut world = World::small(8);
        let (key, keep) = (key(protocol), [10, 0, 0, 200]);
        let built = world.change(|half| {
            half.service_add(key, Default::default())?;
            half.backend_add(key, SERVER, 80, 1).map(|_| ())
        });
        assert!(built.is_ok());
        let packet = |port, flags| {
            Packet {
                flags,
                ..Packet::new(protocol, (CLIENT.0, port), VIP)
            }
            .frame()
        };
        for port in [1, 2] {
            world.client(packet(port, SYN));
        }
        // Others come and go until one of them gets the place of the first.
        let mut places = vec![];
        while places.last() != Some(&0) {
            let number = places.len() as u8 + 1;
            let changed = world.change(|half| {
                let old = half
                    .view()
                    .backends_of(smplb_core::config::ServiceId(0))
                    .next();
                let (addr, port) = old.map_or((keep, 80), |(_, old)| (old.addr, old.port));
                half.backend_del(key, addr, port)?;
                let place = half.backend_add(key, [10, 0, 0, 100 + number], 80, 1)?;
                places.push(place.0);
                Ok(())
            });
            assert!(changed.is_ok());
        }
        assert_eq!(places.len(), 16);
        let (verdict, out) = world.client(packet(1, ACK));
        match protocol {
            6 => assert_eq!(verdict, Verdict::Reply { len: 54 }),
            _ => assert_eq!(tuple(&out).1 .0, [10, 0, 0, 116]),
        }
        // The other connection is forgotten after a minute, not after the time of the service.
        world.now += 60;
        world.sweep();
        let left = world.list().into_iter().find(|made| made.client.1 == 2);
        assert_eq!(left, None);
    }
}

#[test]
fn weights_change_without_moving_connections() {
    let mut world = World::with_service(17, Mode::Nat, 2);
    let before: Vec<u8> = (0..20)
        .map(|port| server_of(&mut world, Packet::udp((CLIENT.0, port + 1), VIP)))
        .collect();
    let summary = world.change(|half| half.backend_set(key(17), SERVER, 80, 0).map(|_| ()));
    assert_eq!(summary.expect("a change of weight").slots_moved, 1);
    for (port, server) in before.iter().enumerate() {
        let packet = Packet::udp((CLIENT.0, port as u16 + 1), VIP);
        assert_eq!(server_of(&mut world, packet), *server);
    }
    for port in 100..110 {
        assert_eq!(server_of(&mut world, Packet::udp((CLIENT.0, port), VIP)), 2);
    }
}

#[test]
fn rolling_back_brings_the_old_half_back() {
    let mut world = World::with_service(6, Mode::Nat, 1);
    world.client(Packet::tcp(CLIENT, VIP, SYN).frame());
    assert!(world
        .change(|half| half.backend_del(key(6), SERVER, 80))
        .is_ok());
    world.roll_back();
    assert_eq!(
        server_of(&mut world, Packet::tcp(CLIENT, VIP, ACK)),
        1,
        "nobody looked meanwhile"
    );
    // What was made in the generation rolled back is another object than what comes after it.
    assert!(world
        .change(|half| half.backend_add(key(6), [10, 0, 0, 2], 80, 9).map(|_| ()))
        .is_ok());
    let epoch = world
        .view()
        .backends_of(smplb_core::config::ServiceId(0))
        .last();
    assert_eq!(epoch.map(|(_, backend)| backend.epoch), Some(3));
}

#[test]
fn a_service_changes_its_mode() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    let direct = ServiceOptions {
        mode: Some(Mode::Dr),
        ..ServiceOptions::default()
    };
    assert!(world
        .change(|half| half.service_set(key(17), direct).map(|_| ()))
        .is_ok());
    let (_, out) = world.client(Packet::udp(CLIENT, VIP).frame());
    assert_eq!(
        tuple(&out).1 .0,
        SERVER,
        "the old connection keeps its mode"
    );
    let (_, out) = world.client(Packet::udp((CLIENT.0, 9), VIP).frame());
    assert_eq!(tuple(&out).1, VIP);
    let modes: Vec<Mode> = world.list().iter().map(|made| made.mode).collect();
    assert!(modes.contains(&Mode::Nat) && modes.contains(&Mode::Dr));
}

#[test]
fn a_deleted_service_is_gone_at_once() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    world.client(Packet::udp(CLIENT, VIP).frame());
    assert!(world.change(|half| half.service_del(key(17))).is_ok());
    // The address is no VIP any more, so it is not the switch's to judge.
    let frame = Packet::udp(CLIENT, VIP).frame();
    assert_eq!(world.client(frame.clone()), (Verdict::Stack, frame));
    assert_eq!(sum::connections(world.lanes()), 0);
    let mut world = World::with_service(6, Mode::Nat, 1);
    world.client(Packet::tcp(CLIENT, VIP, SYN).frame());
    assert!(world.change(|half| half.service_del(key(6))).is_ok());
    assert_eq!(
        world.client(Packet::tcp(CLIENT, VIP, ACK).frame()).0,
        Verdict::Reply { len: 54 }
    );
    assert_eq!(world.drops(DropReason::BackendGone), 1);
    world.now += 60;
    world.sweep();
    assert!(world.list().is_empty());
    assert_eq!(sum::connections(world.lanes()), 0);
}

#[test]
fn least_connections_looks_at_all_engines() {
    let mut world = World::with_service(17, Mode::Nat, 2);
    let least = ServiceOptions {
        scheduler: Some(Scheduler::Lc),
        ..ServiceOptions::default()
    };
    let changed = world.change(|half| {
        half.service_set(key(17), least)?;
        half.backend_set(key(17), SERVER, 80, 3).map(|_| ())
    });
    assert!(changed.is_ok());
    let mut count = [0; 3];
    for port in 1..=40 {
        let server = server_of(&mut world, Packet::udp((CLIENT.0, port), VIP));
        count[usize::from(server)] += 1;
    }
    assert_eq!(count, [0, 30, 10], "three to one, as the weights");
    // Ten of the heavier one's end; it gets the next ones until the ratio is right again.
    world.now += 200;
    let mut kept = 0;
    for made in world.list() {
        if made.to.0 != SERVER || kept < 20 {
            kept += u32::from(made.to.0 == SERVER);
            server_of(&mut world, Packet::udp(made.client, VIP));
        }
    }
    world.now += 100;
    assert_eq!(world.sweep().removed, 10);
    for port in 101..=110 {
        assert_eq!(server_of(&mut world, Packet::udp((CLIENT.0, port), VIP)), 1);
    }
}

#[test]
fn errors_leave_the_active_half_alone() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let failed = world.change(|half| {
        half.service_del(key(17))?;
        half.service_add(
            ServiceKey {
                protocol: 1,
                ..key(17)
            },
            Default::default(),
        )
        .map(|_| ())
    });
    assert_eq!(failed.err(), Some(ConfigError::BadProtocol));
    assert_eq!(server_of(&mut world, Packet::udp(CLIENT, VIP)), 1);
}

#[test]
fn a_full_table_of_services_can_be_replaced() {
    let mut world = World::new(4);
    let key = |round: u8, i: usize| ServiceKey {
        protocol: 17,
        addr: [192, 0, round, (i / 250) as u8 + 1],
        port: (i % 250) as u16 + 1,
    };
    for round in 1..=3 {
        // Half of the services stay from round to round.
        let wanted: Vec<_> = (0..MAX_SERVICES)
            .map(|i| if i % 2 == 0 { key(9, i) } else { key(round, i) })
            .collect();
        let built = world.change(|half| {
            half.apply_begin();
            for key in &wanted {
                half.keep_service(*key);
                half.keep_backend(*key, SERVER, 80);
            }
            half.apply_sweep();
            for key in &wanted {
                half.put_service(*key, Default::default())?;
                half.put_backend(*key, SERVER, 80, 1)?;
            }
            Ok(())
        });
        let moved = built.expect("it fits exactly").slots_moved;
        assert_eq!(moved, 1024, "all, or one half went and another came");
        assert_eq!(world.view().header.services, 1024);
        assert_eq!(world.view().header.backends, 1024);
        for key in &wanted {
            assert!(world
                .view()
                .lookup(key.protocol, key.addr, key.port)
                .is_some());
        }
    }
    let one_more = world.change(|half| half.service_add(key(7, 0), Default::default()).map(|_| ()));
    assert_eq!(one_more.err(), Some(ConfigError::ServicesFull));
}
