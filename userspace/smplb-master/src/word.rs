// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the agent of a server asks for, in the words of HAProxy's agent-check.

/// A word of an agent. What it does not say stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Word {
    /// Part of the share that it would have, 0 to 1. 0 drains.
    pub percent: Option<f64>,
    /// What its administrator wants.
    pub admin: Option<Admin>,
    /// Whether it works. It cannot overrule a health check that fails.
    pub up: Option<bool>,
    /// The most connections that it wants at a time; 0 is no bound.
    pub max_connections: Option<u32>,
}

/// What an administrator wants of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Admin {
    /// It takes connections.
    Ready,
    /// It takes no new connections.
    Drain,
    /// It is being worked on: no new connections.
    Maint,
}

impl Word {
    /// Takes over what a newer word says. A percentage that is no number is left aside.
    pub(crate) fn update(&mut self, newer: Word) {
        let percent = newer.percent.filter(|percent| percent.is_finite());
        self.percent = percent
            .map(|percent| percent.clamp(0.0, 1.0))
            .or(self.percent);
        self.admin = newer.admin.or(self.admin);
        self.up = newer.up.or(self.up);
        self.max_connections = newer.max_connections.or(self.max_connections);
    }
}
