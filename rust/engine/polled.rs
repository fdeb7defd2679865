// SPDX-License-Identifier: GPL-2.0

//! What an engine polls.
#![forbid(unsafe_code)]

use super::Seat;
use crate::channel::Desk;
use crate::port::Port;
use crate::switch::Switch;
use kernel::sync::Arc;

/// What an engine polls.
#[derive(Clone)]
pub(crate) enum Polled {
    /// A port, and which of its parts.
    Part(Arc<Port>, usize),
    /// Channels of applications.
    Desk(Arc<Desk>),
}

impl Polled {
    /// The switch that it belongs to.
    pub(super) fn switch(&self) -> &Arc<Switch> {
        match self {
            Self::Part(port, _) => port.switch(),
            Self::Desk(desk) => desk.switch(),
        }
    }

    /// The place of the engine.
    pub(super) fn seat(&self) -> Option<&Seat> {
        match self {
            Self::Part(port, part) => port.seat(*part),
            Self::Desk(desk) => Some(desk.seat()),
        }
    }

    /// Whether both are the same.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Part(a, m), Self::Part(b, n)) => Arc::ptr_eq(a, b) && m == n,
            (Self::Desk(a), Self::Desk(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }

    /// Has whatever comes wake the engine; false if something is there already.
    pub(super) fn arm(&self) -> bool {
        match self {
            Self::Part(port, part) => port.arm(*part),
            Self::Desk(desk) => desk.arm(),
        }
    }

    /// The engine is awake.
    pub(super) fn disarm(&self) {
        match self {
            Self::Part(port, part) => port.disarm(*part),
            Self::Desk(desk) => desk.disarm(),
        }
    }

    /// Another engine polls it now.
    pub(super) fn moved(&self) {
        match self {
            Self::Part(port, _) => port.seats_changed(),
            Self::Desk(desk) => desk.moved(),
        }
    }
}
