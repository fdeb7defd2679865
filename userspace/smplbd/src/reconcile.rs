// SPDX-License-Identifier: MIT OR Apache-2.0
//! What must be done so that the switch has what the configuration says. Pure.
//!
//! Services and backends that the switch lacks are added; those that it has are taken over as they
//! are, so that a restart of the daemon changes nothing. What was there and is gone, or has
//! another weight than was published, is put back. What is not in the configuration belongs to
//! somebody else and is left alone, unless it was in the configuration before a reload.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::key::{BackendKey, ServiceKey};
use crate::switch::{Change, Definition, Service, State};

/// A service as it should be.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub key: ServiceKey,
    /// How it is made when the switch lacks it.
    pub definition: Definition,
    /// Its backends.
    pub backends: BTreeMap<BackendKey, WantedBackend>,
}

/// A backend as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedBackend {
    /// The weight in the file.
    pub configured: u32,
    /// The weight that was found in the switch at first, or published since.
    pub known: Option<u32>,
}

/// What was in the configuration before a reload and is not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gone {
    /// A service with all its backends.
    Service(ServiceKey),
    /// One backend.
    Backend(ServiceKey, BackendKey),
}

impl Gone {
    /// Whether a change is the one that deletes it.
    pub fn is(&self, change: &Change) -> bool {
        match (*self, *change) {
            (Self::Service(a), Change::RemoveService(b)) => a == b,
            (Self::Backend(a, c), Change::RemoveBackend(b, d)) => (a, c) == (b, d),
            _ => false,
        }
    }
}

/// What is to be done, and what is to be said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be done, in this order.
    pub changes: Vec<Change>,
    /// Backends that the switch has, and whose weights are to be gone on from.
    pub adopt: BTreeMap<BackendKey, u32>,
    /// What is worth telling.
    pub notices: BTreeSet<Notice>,
}

/// Something that was found. Told once, as long as it stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Notice {
    /// The switch lacks the service, and never had it.
    NewService(ServiceKey),
    /// The switch lacks the backend, and never had it.
    NewBackend(ServiceKey, BackendKey),
    /// Somebody deleted the service.
    LostService(ServiceKey),
    /// Somebody deleted the backend.
    LostBackend(ServiceKey, BackendKey),
    /// Somebody changed the weight.
    OtherWeight(ServiceKey, BackendKey, u32),
    /// Somebody else's backend in a service of ours.
    Foreign(ServiceKey, BackendKey),
}

impl Notice {
    /// The service it is about.
    pub fn service(&self) -> ServiceKey {
        match *self {
            Self::NewService(key)
            | Self::NewBackend(key, _)
            | Self::LostService(key)
            | Self::LostBackend(key, _)
            | Self::OtherWeight(key, ..)
            | Self::Foreign(key, _) => key,
        }
    }

    /// Whether somebody works against the daemon.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::NewService(_) | Self::NewBackend(..))
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NewService(service) => write!(f, "{service} is added to the switch"),
            Self::NewBackend(service, backend) => write!(f, "{backend} is added to {service}"),
            Self::LostService(service) => {
                write!(f, "{service} was deleted by somebody else: it is put back")
            }
            Self::LostBackend(service, backend) => {
                write!(
                    f,
                    "{backend} of {service} was deleted by somebody else: it is put back"
                )
            }
            Self::OtherWeight(service, backend, weight) => write!(
                f,
                "somebody else gave {backend} of {service} the weight {weight}: it is set back"
            ),
            Self::Foreign(service, backend) => write!(
                f,
                "{backend} of {service} is not in the configuration: it is left alone, with a \
                 share that is not followed"
            ),
        }
    }
}

/// Compares one service with the switch.
pub fn service(wanted: &Wanted, state: &State) -> Plan {
    let mut plan = Plan::default();
    let key = wanted.key;
    let Some(found) = state.services.get(&key) else {
        let known = wanted
            .backends
            .values()
            .any(|backend| backend.known.is_some());
        plan.notices.insert(match known {
            true => Notice::LostService(key),
            false => Notice::NewService(key),
        });
        plan.changes
            .push(Change::AddService(key, wanted.definition));
        let add = |(name, backend): (&BackendKey, &WantedBackend)| {
            Change::AddBackend(key, *name, backend.first_weight(None))
        };
        plan.changes.extend(wanted.backends.iter().map(add));
        return plan;
    };
    let scale = Scale::of(wanted, found);
    for (name, backend) in &wanted.backends {
        match (found.backends.get(name), backend.known) {
            (None, known) => {
                let weight = backend.first_weight(scale);
                plan.changes.push(Change::AddBackend(key, *name, weight));
                plan.notices.insert(match known {
                    Some(_) => Notice::LostBackend(key, *name),
                    None => Notice::NewBackend(key, *name),
                });
            }
            (Some(found), None) => {
                plan.adopt.insert(*name, found.weight);
            }
            (Some(found), Some(known)) if found.weight != known => {
                plan.changes.push(Change::SetWeight(key, *name, known));
                plan.notices
                    .insert(Notice::OtherWeight(key, *name, found.weight));
            }
            (Some(_), Some(_)) => {}
        }
    }
    let foreign = found.backends.keys();
    let foreign = foreign.filter(|name| !wanted.backends.contains_key(name));
    plan.notices
        .extend(foreign.map(|name| Notice::Foreign(key, *name)));
    plan
}

/// What a reload took out of the configuration and the switch still has.
pub fn leftovers(gone: &BTreeSet<Gone>, state: &State) -> Vec<Change> {
    let still = |gone: &Gone| match *gone {
        Gone::Service(service) => {
            let there = state.services.contains_key(&service);
            there.then_some(Change::RemoveService(service))
        }
        Gone::Backend(service, backend) => {
            let there = state.backend(service, backend).is_some();
            there.then_some(Change::RemoveBackend(service, backend))
        }
    };
    gone.iter().filter_map(still).collect()
}

impl WantedBackend {
    /// The weight with which it is added: the one it had, or the configured one in the unit of its
    /// siblings' weights.
    fn first_weight(&self, scale: Option<Scale>) -> u32 {
        match (self.configured, self.known, scale) {
            (0, ..) => 0,
            (_, Some(known), _) => known,
            (configured, None, Some(scale)) => scale.apply(configured),
            (configured, None, None) => configured,
        }
    }
}

/// How weights in the switch relate to those in the file: published ones have a unit of their own.
#[derive(Clone, Copy, Debug)]
struct Scale {
    found: u64,
    configured: u64,
}

impl Scale {
    fn of(wanted: &Wanted, found: &Service) -> Option<Self> {
        let mut scale = Self {
            found: 0,
            configured: 0,
        };
        for (name, backend) in &wanted.backends {
            let weight = found.backends.get(name).map_or(0, |backend| backend.weight);
            if weight > 0 && backend.configured > 0 {
                scale.found += u64::from(weight);
                scale.configured += u64::from(backend.configured);
            }
        }
        (scale.configured > 0).then_some(scale)
    }

    fn apply(self, configured: u32) -> u32 {
        let weight = u64::from(configured) * self.found / self.configured;
        u32::try_from(weight.clamp(1, 65_535)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests;
