// SPDX-License-Identifier: MIT OR Apache-2.0

//! What hostile octets are tried on. The fuzzer and `cargo test` run the same.

use smplb_core::config::{Mode, ServiceKey};
use smplb_core::frame::{Checksum, Origin, PortId};
use smplb_core::verdict::Verdict;

use super::channel_model::hostile;
use super::world::packet::Packet;
use super::world::{Frames, Sent, World, CLIENT, SERVER, VIP};

/// Octets, until there are none.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn octets(&mut self, len: usize) -> Vec<u8> {
        let (octets, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        octets.to_vec()
    }
}

fn origin(choice: u8) -> Origin {
    let port = PortId(u16::from(choice >> 1 & 1));
    match choice & 1 {
        0 => Origin::Port(port),
        _ => Origin::Host(port),
    }
}

/// Runs a burst; every frame must have one verdict that can be carried out.
fn run(world: &mut World, origin: Origin, frames: Vec<Sent>) {
    let mut burst = Frames(frames);
    world.run(origin, &mut burst);
    for sent in &burst.0 {
        match sent.verdict.expect("every frame gets a verdict") {
            Verdict::Reply { len } => assert!(len as usize <= sent.frame.len()),
            Verdict::Forward(port) | Verdict::Resolve { port, .. } => assert!(port.0 < 2),
            Verdict::Stack | Verdict::Channel(_) | Verdict::Drop(_) => {}
        }
    }
}

/// Frames of any octets, alone and in bursts, in every state of the checksum.
pub fn frames(data: &[u8]) {
    let mut world = World::with_service(6, Mode::Nat, 2);
    let mut input = Input(data);
    while let Some(choice) = input.octet() {
        let mut frames = Vec::new();
        for _ in 0..=(choice >> 2 & 3) {
            let len = usize::from(input.octet().unwrap_or(0));
            let mut sent = Sent::from(input.octets(len));
            if choice & 16 != 0 {
                sent.checksum = Checksum::Partial;
            }
            sent.segment_len = u32::from(choice >> 6) * 100;
            frames.push(sent);
        }
        run(&mut world, origin(choice), frames);
    }
}

/// Clients, servers, time, sweeps and changes of the configuration in any order.
/// The table of connections must add up all the time.
pub fn talk(data: &[u8]) {
    let (mut world, room) = (World::with_service(6, Mode::Nat, 3), 64);
    let key = ServiceKey {
        protocol: 6,
        addr: VIP.0,
        port: VIP.1,
    };
    let mut input = Input(data);
    while let (Some(what), Some(which)) = (input.octet(), input.octet()) {
        let client = (CLIENT.0, CLIENT.1 + u16::from(which & 15));
        let server = ([10, 0, 0, SERVER[3] + (which >> 4) % 3], VIP.1);
        match what & 7 {
            0..=2 => {
                let packet = Packet::tcp(client, VIP, what >> 3).frame();
                run(&mut world, origin(0), vec![packet.into()]);
            }
            3..=4 => {
                let packet = Packet::tcp(server, client, what >> 3).frame();
                run(&mut world, origin(2), vec![packet.into()]);
            }
            5 => world.now = world.now.wrapping_add(u32::from(which)),
            6 => _ = world.sweep(),
            _ => {
                // What the configuration refuses leaves it as it was.
                let _ = world.change(|half| match what >> 3 & 3 {
                    0 => half.backend_del(key, server.0, server.1),
                    1 => half
                        .backend_add(key, server.0, server.1, u32::from(which))
                        .map(drop),
                    2 => half
                        .backend_set(key, server.0, server.1, u32::from(which))
                        .map(drop),
                    _ => Ok(()),
                });
            }
        }
        let listed = world.list().len() as u64;
        let counted = smplb_core::counters::sum::connections(world.lanes());
        assert!(listed <= room && counted <= room, "{listed} of {counted}");
    }
    // When all is over, all is forgotten.
    world.now = world.now.wrapping_add(1 << 20);
    for _ in 0..4 {
        world.sweep();
    }
    assert_eq!(world.list().len(), 0);
    assert_eq!(smplb_core::counters::sum::connections(world.lanes()), 0);
}

/// An application on a channel that writes anything anywhere.
pub fn channel(data: &[u8]) {
    hostile::run(hostile::steps(data));
}
