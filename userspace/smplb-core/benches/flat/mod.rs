// SPDX-License-Identifier: MIT OR Apache-2.0

//! A burst as cheap as a ring of buffers, and traffic for benches.

#![allow(dead_code)]

use smplb_core::config::{Mode, ServiceKey, ServiceOptions};
use smplb_core::frame::{Burst, Checksum, Frame, PortId, BURST};
use smplb_core::verdict::Verdict;

use crate::world::World;

/// The VIP of the service in benches.
pub const VIP: [u8; 4] = [192, 0, 2, 1];

/// The client of a flow.
pub fn client(flow: u32) -> ([u8; 4], u16) {
    let [_, a, b, c] = flow.to_be_bytes();
    ([198, 18 + (a & 1), b, c], 1024 + (flow % 60000) as u16)
}

/// Adds a service with four servers.
pub fn service(world: &mut World, protocol: u8, mode: Mode) {
    let key = ServiceKey {
        protocol,
        addr: VIP,
        port: 80,
    };
    let options = ServiceOptions {
        mode: Some(mode),
        ..ServiceOptions::default()
    };
    world
        .change(|half| {
            half.service_add(key, options)?;
            for host in 1..=4 {
                half.backend_add(key, [10, 0, 0, host], 80, 1)?;
            }
            Ok(())
        })
        .expect("a small configuration");
    for host in 1..=4 {
        world
            .neighbours()
            .set(PortId(1), [10, 0, 0, host], [2, 0, 0, 0, 0xbb, host]);
    }
}

/// A burst in plain arrays, about as cheap as a ring of buffers.
pub struct Flat {
    heads: Box<[[u8; 128]; BURST]>,
    lens: [u32; BURST],
    pub verdicts: [Verdict; BURST],
    pub count: usize,
}

#[inline(always)]
fn frame(head: &mut [u8; 128], len: u32) -> Frame<'_> {
    Frame {
        head,
        len,
        checksum: Checksum::Complete,
        segment_len: 0,
    }
}

impl Burst for Flat {
    fn len(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn frames(&mut self) -> impl Iterator<Item = Frame<'_>> {
        let heads = self.heads.iter_mut().zip(self.lens.iter()).take(self.count);
        heads.map(|(head, len)| frame(head, *len))
    }

    #[inline(always)]
    fn decide<T>(
        &mut self,
        notes: impl Iterator<Item = T>,
        mut decide: impl FnMut(T, Frame<'_>) -> Verdict,
    ) {
        let heads = self
            .heads
            .iter_mut()
            .zip(self.lens.iter())
            .zip(self.verdicts.iter_mut());
        for (((head, len), verdict), note) in heads.zip(notes) {
            *verdict = decide(note, frame(head, *len));
        }
    }
}

impl Flat {
    pub fn new(frames: &[Vec<u8>]) -> Self {
        let mut flat = Self {
            heads: Box::new([[0; 128]; BURST]),
            lens: [0; BURST],
            verdicts: [Verdict::Stack; BURST],
            count: frames.len(),
        };
        for (i, frame) in frames.iter().enumerate() {
            flat.heads[i][..frame.len()].copy_from_slice(frame);
            flat.lens[i] = frame.len() as u32;
        }
        flat
    }
}
