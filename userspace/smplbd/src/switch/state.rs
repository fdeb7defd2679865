// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a switch has, and what can be changed of it.

use std::collections::BTreeMap;
use std::fmt;

use smplb_nl::{Drop, Engine, Mode, Pool, Port, Scheduler};

use crate::key::{BackendKey, ServiceKey};

/// A switch at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The active generation.
    pub generation: u64,
    /// Every service, also those of others.
    pub services: BTreeMap<ServiceKey, Service>,
    /// Its engines.
    pub engines: Vec<Engine>,
    /// Its ports.
    pub ports: Vec<Port>,
    /// Dropped packets by reason.
    pub drops: Vec<Drop>,
    /// Connections tracked now.
    pub connections: u64,
    /// Connections that could be tracked.
    pub connections_max: u64,
    /// Its pool of buffers.
    pub pool: Pool,
}

/// How a service is made; what has no value has the default of the kernel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// How a new connection finds its backend.
    pub scheduler: Option<Scheduler>,
    /// What is rewritten.
    pub mode: Option<Mode>,
    /// Idle time after which a connection is forgotten, seconds.
    pub timeout: Option<u32>,
    /// Whether the switch answers for the address.
    pub announce: Option<bool>,
}

/// A service of a switch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// How it was made.
    pub definition: Definition,
    /// Packets from clients.
    pub packets: u64,
    /// Bytes from clients.
    pub bytes: u64,
    /// Connections made since it exists.
    pub connections: u64,
    /// Length of its slot list.
    pub slots: u64,
    /// Its servers.
    pub backends: BTreeMap<BackendKey, Backend>,
}

/// A backend of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backend {
    /// Share of new connections.
    pub weight: u32,
    /// Connections it has now.
    pub active: u64,
    /// Connections given to it since it exists.
    pub connections: u64,
    /// Packets to it.
    pub packets: u64,
    /// Bytes to it.
    pub bytes: u64,
    /// Packets from it.
    pub reply_packets: u64,
    /// Bytes from it.
    pub reply_bytes: u64,
}

/// One thing to do, as part of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Makes a service.
    AddService(ServiceKey, Definition),
    /// Deletes a service with its backends.
    RemoveService(ServiceKey),
    /// Adds a backend with a weight.
    AddBackend(ServiceKey, BackendKey, u32),
    /// Deletes a backend.
    RemoveBackend(ServiceKey, BackendKey),
    /// Changes a weight.
    SetWeight(ServiceKey, BackendKey, u32),
}

impl Change {
    /// The service it is about.
    pub fn service(&self) -> ServiceKey {
        match *self {
            Self::AddService(key, _)
            | Self::RemoveService(key)
            | Self::AddBackend(key, ..)
            | Self::RemoveBackend(key, _)
            | Self::SetWeight(key, ..) => key,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(service, _) => write!(f, "add {service}"),
            Self::RemoveService(service) => write!(f, "delete {service}"),
            Self::AddBackend(service, backend, weight) => {
                write!(f, "add {backend} to {service} with weight {weight}")
            }
            Self::RemoveBackend(service, backend) => write!(f, "delete {backend} of {service}"),
            Self::SetWeight(service, backend, weight) => {
                write!(f, "weight {weight} for {backend} of {service}")
            }
        }
    }
}

impl State {
    /// What it is after a change. A change of what is not there does nothing: in the meantime
    /// somebody deleted it, which the next look at the switch tells.
    pub fn change(&mut self, change: &Change) {
        match *change {
            Change::AddService(service, definition) => {
                self.services.entry(service).or_default().definition = definition;
            }
            Change::RemoveService(service) => {
                self.services.remove(&service);
            }
            Change::AddBackend(service, backend, weight) => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.backends.entry(backend).or_default().weight = weight;
                }
            }
            Change::RemoveBackend(service, backend) => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.backends.remove(&backend);
                }
            }
            Change::SetWeight(service, backend, weight) => {
                if let Some(backend) = self.backend_mut(service, backend) {
                    backend.weight = weight;
                }
            }
        }
    }

    /// A backend of it.
    pub fn backend(&self, service: ServiceKey, backend: BackendKey) -> Option<&Backend> {
        self.services.get(&service)?.backends.get(&backend)
    }

    fn backend_mut(&mut self, service: ServiceKey, backend: BackendKey) -> Option<&mut Backend> {
        self.services.get_mut(&service)?.backends.get_mut(&backend)
    }
}
