// SPDX-License-Identifier: MIT OR Apache-2.0
//! `capacity`: shares follow what servers could answer at a utilization of 1.
//!
//! That is requests per second by utilization, with errors counted as load (gRFC A58), so that a
//! server which fails fast does not look like a fast one. It does not depend on how much the server
//! is given, so old reports and shares that moved in between do no harm.

use super::{Distribution, Measure};
use crate::evidence::Sum;

/// Part of the requests that are most of them.
const MOSTLY: f64 = 0.5;

/// Shares follow what servers could answer.
#[derive(Debug)]
pub(super) struct Capacity {
    /// Utilization that an error for each request counts as.
    pub penalty: f64,
}

impl Distribution for Capacity {
    fn measure(&self, sum: &Sum) -> Option<Measure> {
        let rate = sum.rate()?;
        let failed = sum.failed();
        // A server that does nothing but fail needs no utilization to be told from others.
        let fails = (failed > MOSTLY && self.penalty > 0.0).then_some(0.0);
        let utilization = sum.utilization().or(fails)?;
        // In units of utilization: what it did, and what its errors count as.
        let load = utilization + self.penalty * failed;
        let done = utilization / load;
        let blame = self.penalty / load;
        Some(Measure {
            log: (rate / load).ln(),
            variance: (2.0 * done * done + blame * blame * failed * (1.0 - failed)) / sum.requests,
        })
    }
}
