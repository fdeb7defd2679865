// SPDX-License-Identifier: MIT OR Apache-2.0
//! `static`: configured weights, whatever servers report.

use super::{Distribution, Measure};
use crate::evidence::Sum;

/// Configured weights.
#[derive(Debug)]
pub(super) struct Fixed;

impl Distribution for Fixed {
    fn measure(&self, _sum: &Sum) -> Option<Measure> {
        None
    }

    fn learns(&self) -> bool {
        false
    }
}
