// SPDX-License-Identifier: MIT OR Apache-2.0

//! The fuzz targets of `userspace/smplb-core/fuzz` on some random inputs, so
//! that they are known to work where there is no fuzzer.

mod channel_model;
mod fuzz;
mod world;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn frames(data in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::frames(&data);
    }

    #[test]
    fn talk(data in prop::collection::vec(any::<u8>(), 0..400)) {
        fuzz::talk(&data);
    }

    #[test]
    fn channel(data in prop::collection::vec(any::<u8>(), 0..900)) {
        fuzz::channel(&data);
    }
}
