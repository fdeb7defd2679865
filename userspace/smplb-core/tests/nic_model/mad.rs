// SPDX-License-Identifier: MIT OR Apache-2.0

//! A device that writes anything anywhere: no panic, and each buffer comes back exactly once.

use smplb_core::nic::dma::Dma;
use smplb_core::nic::queue::{BufferId, Received, RxQueue, Transmit, TxQueue};

use super::memory::Memory;
use super::world::address;

/// The buffers that are with the engine.
struct Home(Vec<bool>);

impl Home {
    fn leave(&mut self) -> Option<BufferId> {
        let found = self.0.iter().position(|home| *home)?;
        self.0[found] = false;
        Some(BufferId(found as u32))
    }

    fn back(&mut self, buffer: BufferId) {
        let home = &mut self.0[buffer.0 as usize];
        assert!(!*home, "{buffer:?} came back twice");
        *home = true;
    }
}

/// Between each two things the driver does, a field of 16 bits is written in both rings. No frame is
/// longer than `most`.
pub fn run<R: RxQueue, T: TxQueue>(
    (mut rx, mut tx): (R, T),
    memories: &[Memory],
    most: u16,
    writes: &[(u16, u16)],
) {
    let mut home = Home(vec![true; 40]);
    for (at, value) in writes {
        for memory in memories {
            memory.store16(usize::from(*at) % memory.len16(), *value);
        }
        let room = rx.room() as usize;
        let leaving = std::iter::from_fn(|| home.leave()).take(room);
        rx.refill(leaving.map(|buffer| (buffer, address(buffer))));
        let mut out = [Received::default(); 8];
        let count = rx.receive(&mut out).unwrap_or(0);
        for frame in &out[..count] {
            assert!(frame.len <= most);
            home.back(frame.buffer);
        }
        let leaving = (tx.room() > 0).then(|| home.leave()).flatten();
        if let Some(buffer) = leaving {
            let frame = Transmit {
                buffer,
                len: 72,
                address: address(buffer),
            };
            if tx.send(std::iter::once(frame)).count == 0 {
                home.back(buffer);
            }
        }
        let _ = tx.reclaim(4, |buffer| home.back(buffer));
        let _ = (rx.kick(), tx.kick(), rx.arm(), tx.arm());
    }
    rx.stop(|buffer| home.back(buffer));
    tx.stop(|buffer| home.back(buffer));
    assert!(home.0.into_iter().all(|home| home));
}
