// SPDX-License-Identifier: MIT OR Apache-2.0
//! A server as it is configured.

/// A server of the service, from the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its weight next to the others when nothing better is known. 0 drains it, whatever anybody says.
    pub weight: u32,
    /// What it can do, besides what it advertises itself.
    pub labels: Vec<String>,
}
