// SPDX-License-Identifier: MIT OR Apache-2.0

#![no_main]

#[path = "../../tests/channel_model/mod.rs"]
mod channel_model;
#[path = "../../tests/fuzz/mod.rs"]
mod fuzz;
#[path = "../../tests/world/mod.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::frames(data));
