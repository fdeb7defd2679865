// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel counts at one moment.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use smplb_nl::socket::Transport;
use smplb_nl::{Backend, Client, Engine, Generation, Service, Stats};

use super::load::Load;
use crate::key::ServiceKey;

/// A back-end of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The service.
    pub service: ServiceKey,
    /// Address of the server.
    pub addr: Ipv4Addr,
    /// Port of the server.
    pub port: u16,
}

impl Key {
    /// The key of a back-end that came, where it is whole.
    pub fn of(backend: &Backend) -> Option<Self> {
        let service = ServiceKey::of_def(backend.service.as_ref()?)?;
        Some(Self {
            service,
            addr: backend.addr?,
            port: backend.port.unwrap_or(service.port),
        })
    }
}

/// All of it.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// When, since the program began.
    pub at: Duration,
    /// The services.
    pub services: BTreeMap<ServiceKey, Service>,
    /// The back-ends.
    pub backends: BTreeMap<Key, Backend>,
    /// The engines, by their CPUs.
    pub engines: BTreeMap<u32, Engine>,
    /// Totals, and drops.
    pub stats: Stats,
    /// The generations.
    pub generation: Generation,
    /// What smplbd tells of the back-ends; none when it tells nothing.
    pub load: Option<BTreeMap<Key, Load>>,
}

impl Snapshot {
    /// Asks the kernel.
    pub fn take<T: Transport>(client: &mut Client<T>, at: Duration) -> smplb_nl::Result<Self> {
        let generation = client.generation()?;
        let services = client.services()?.into_iter();
        let backends = client.backends(None)?.into_iter();
        let engines = client.engines()?.into_iter();
        Ok(Self {
            at,
            services: services
                .filter_map(|service| Some((ServiceKey::of(&service)?, service)))
                .collect(),
            backends: backends
                .filter_map(|backend| Some((Key::of(&backend)?, backend)))
                .collect(),
            engines: engines
                .filter_map(|engine| Some((engine.cpu?, engine)))
                .collect(),
            stats: client.stats()?,
            generation,
            load: None,
        })
    }
}
