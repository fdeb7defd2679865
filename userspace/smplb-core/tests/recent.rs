// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an engine remembers of the flows it saw last.

mod world;

use smplb_core::config::Mode;
use smplb_core::connection::key::Key;
use smplb_core::recent::{recall, remember, Mark, RECENT_LEN};

use world::packet::Packet;
use world::{World, CLIENT, VIP};

fn mark(number: u32) -> Mark {
    let [a, b, c, d] = number.to_be_bytes();
    let (addr, port) = ([198, 18, a, b], u16::from_be_bytes([c, d]));
    Mark::of(Key::new(17, (addr, port), ([192, 0, 2, 1], 80)))
}

/// A flow stays known until another one takes its place, and is never taken for that one.
#[test]
fn the_last_one_is_remembered() {
    let mut recent = Box::new([0; RECENT_LEN]);
    assert_eq!(recall(&*recent, mark(1)), 0);
    remember(&mut *recent, mark(1), 77);
    assert_eq!(recall(&*recent, mark(1)), 77);
    let mut others = 2..;
    let displaced = others.by_ref().find(|&number| {
        assert_eq!(recall(&*recent, mark(number)), 0, "flow {number}");
        remember(&mut *recent, mark(number), number);
        recall(&*recent, mark(1)) == 0
    });
    let number = displaced.expect("there are more flows than places");
    assert_eq!(recall(&*recent, mark(number)), number);
}

/// What is remembered of a flow is its entry after the first packet, and again after a packet for which
/// it was another flow's.
#[test]
fn what_is_wrong_is_mended() {
    let mut world = World::with_service(17, Mode::Nat, 1);
    let mark = Mark::of(Key::new(17, CLIENT, VIP));
    let frame = Packet::new(17, CLIENT, VIP).frame();
    world.client(frame.clone());
    let entry = recall(&world.engine.recent, mark);
    assert_ne!(entry, 0);
    for wrong in [0, entry + 2] {
        remember(&mut world.engine.recent, mark, wrong);
        world.client(frame.clone());
        assert_eq!(recall(&world.engine.recent, mark), entry);
    }
}
