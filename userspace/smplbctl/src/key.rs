// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of services and backends, as they are typed and shown.

use std::fmt;

use serde::{Serialize, Serializer};

pub use smplb_nl::key::{BackendKey, Protocol, ServiceKey};

/// Writes a value as it is shown.
pub fn shown<T: fmt::Display, S: Serializer>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(out)
}
