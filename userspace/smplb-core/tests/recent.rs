// SPDX-License-Identifier: MIT OR Apache-2.0

//! What an engine remembers of the flows it saw last.

use smplb_core::connection::key::Key;
use smplb_core::recent::{recall, remember, Mark, RECENT_LEN};

fn mark(port: u16) -> Mark {
    Mark::of(Key::new(17, ([198, 18, 0, 1], port), ([192, 0, 2, 1], 80)))
}

/// A flow stays known until another one takes its place, and is never taken for that one.
#[test]
fn the_last_one_is_remembered() {
    let mut recent = Box::new([0; RECENT_LEN]);
    assert_eq!(recall(&recent, mark(1)), 0);
    remember(&mut *recent, mark(1), 77);
    assert_eq!(recall(&recent, mark(1)), 77);
    let mut others = 2..;
    let displaced = others.by_ref().find(|&port| {
        assert_eq!(recall(&recent, mark(port)), 0, "port {port}");
        remember(&mut *recent, mark(port), u32::from(port));
        recall(&recent, mark(1)) == 0
    });
    let port = displaced.expect("there are more ports than places");
    assert_eq!(recall(&recent, mark(port)), u32::from(port));
}
