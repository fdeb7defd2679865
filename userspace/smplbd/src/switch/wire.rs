// SPDX-License-Identifier: MIT OR Apache-2.0
//! A switch in the messages of the channel to another host, and back.

use std::net::Ipv4Addr;

use smplb_nl::{DropReason, Mode, Scheduler};

use super::{Backend, Change, Definition, Service, State};
use crate::key;

/// What is made from the proto file.
#[allow(missing_docs, clippy::all)]
pub mod proto {
    tonic::include_proto!("smplb.switch.v1");
}

/// Why a message is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// A part that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A number is out of its range.
    #[error("{0} is out of range")]
    Range(&'static str),
}

/// Copies fields of the same name and type, both ways.
macro_rules! alike {
    ($ours:ty, $theirs:ty, $($field:ident),+ $(,)?) => {
        impl From<&$ours> for $theirs {
            fn from(ours: &$ours) -> Self {
                Self { $($field: ours.$field.clone()),+ }
            }
        }
        impl From<$theirs> for $ours {
            fn from(theirs: $theirs) -> Self {
                Self { $($field: theirs.$field),+, ..Self::default() }
            }
        }
    };
}

alike!(
    smplb_nl::Engine,
    proto::Engine,
    cpu,
    ports,
    rounds,
    idle_rounds,
    sleeps,
    bursts,
    packets,
    forwarded,
    stack,
    replied,
    dropped,
    resolved,
    time,
    busy_time,
    longest_gap,
    channel,
    preemptions,
    interrupts,
);
alike!(
    smplb_nl::Port,
    proto::Port,
    ifname,
    lower_ifname,
    driver,
    cpu,
    id,
    rx_packets,
    rx_bytes,
    tx_packets,
    tx_bytes,
    stack_packets,
    host_packets,
    dropped,
    resets,
);
alike!(
    smplb_nl::Pool,
    proto::Pool,
    buffers,
    free,
    channels,
    other,
    misuses
);

impl From<key::ServiceKey> for proto::ServiceKey {
    fn from(key: key::ServiceKey) -> Self {
        Self {
            protocol: key.protocol.0.into(),
            addr: key.addr.to_bits(),
            port: key.port.into(),
        }
    }
}

fn service_key(key: Option<proto::ServiceKey>) -> Result<key::ServiceKey, WireError> {
    let key = key.ok_or(WireError::Missing("the service"))?;
    let protocol = u8::try_from(key.protocol).map_err(|_| WireError::Range("the protocol"))?;
    Ok(key::ServiceKey {
        protocol: key::Protocol(protocol),
        addr: Ipv4Addr::from_bits(key.addr),
        port: u16::try_from(key.port).map_err(|_| WireError::Range("the port"))?,
    })
}

impl From<key::BackendKey> for proto::BackendKey {
    fn from(key: key::BackendKey) -> Self {
        Self {
            addr: key.addr.to_bits(),
            port: key.port.into(),
        }
    }
}

fn backend_key(key: Option<proto::BackendKey>) -> Result<key::BackendKey, WireError> {
    let key = key.ok_or(WireError::Missing("the backend"))?;
    Ok(key::BackendKey {
        addr: Ipv4Addr::from_bits(key.addr),
        port: u16::try_from(key.port).map_err(|_| WireError::Range("the port"))?,
    })
}

impl From<Definition> for proto::Definition {
    fn from(definition: Definition) -> Self {
        Self {
            scheduler: definition.scheduler.map(Scheduler::number),
            mode: definition.mode.map(Mode::number),
            timeout: definition.timeout,
            announce: definition.announce,
        }
    }
}

impl From<proto::Definition> for Definition {
    fn from(definition: proto::Definition) -> Self {
        Self {
            scheduler: definition.scheduler.map(Scheduler::from_number),
            mode: definition.mode.map(Mode::from_number),
            timeout: definition.timeout,
            announce: definition.announce,
        }
    }
}

impl From<&Change> for proto::Change {
    fn from(change: &Change) -> Self {
        use proto::change::What;
        let weight = |backend: key::BackendKey, weight| proto::Weight {
            backend: Some(backend.into()),
            weight,
        };
        let what = match *change {
            Change::AddService(_, definition) => What::AddService(definition.into()),
            Change::RemoveService(_) => What::RemoveService(proto::Nothing {}),
            Change::AddBackend(_, backend, w) => What::AddBackend(weight(backend, w)),
            Change::RemoveBackend(_, backend) => What::RemoveBackend(backend.into()),
            Change::SetWeight(_, backend, w) => What::SetWeight(weight(backend, w)),
        };
        Self {
            service: Some(change.service().into()),
            what: Some(what),
        }
    }
}

impl TryFrom<proto::Change> for Change {
    type Error = WireError;

    fn try_from(change: proto::Change) -> Result<Self, WireError> {
        use proto::change::What;
        let service = service_key(change.service)?;
        let what = change.what.ok_or(WireError::Missing("the change"))?;
        Ok(match what {
            What::AddService(definition) => Self::AddService(service, definition.into()),
            What::RemoveService(proto::Nothing {}) => Self::RemoveService(service),
            What::AddBackend(add) => {
                Self::AddBackend(service, backend_key(add.backend)?, add.weight)
            }
            What::RemoveBackend(key) => Self::RemoveBackend(service, backend_key(Some(key))?),
            What::SetWeight(set) => Self::SetWeight(service, backend_key(set.backend)?, set.weight),
        })
    }
}

impl From<&State> for proto::ReadReply {
    fn from(state: &State) -> Self {
        let drops = state.drops.iter().map(|drop| proto::Drop {
            reason: drop.reason.map_or(u32::MAX, DropReason::number),
            packets: drop.packets.unwrap_or(0),
        });
        Self {
            generation: state.generation,
            services: state.services.iter().map(service).collect(),
            engines: state.engines.iter().map(Into::into).collect(),
            ports: state.ports.iter().map(Into::into).collect(),
            drops: drops.collect(),
            connections: state.connections,
            connections_max: state.connections_max,
            pool: Some((&state.pool).into()),
        }
    }
}

fn service((key, service): (&key::ServiceKey, &Service)) -> proto::Service {
    let backends = service
        .backends
        .iter()
        .map(|(key, backend)| proto::Backend {
            key: Some((*key).into()),
            weight: backend.weight,
            active: backend.active,
            connections: backend.connections,
            packets: backend.packets,
            bytes: backend.bytes,
            reply_packets: backend.reply_packets,
            reply_bytes: backend.reply_bytes,
        });
    proto::Service {
        key: Some((*key).into()),
        definition: Some(service.definition.into()),
        packets: service.packets,
        bytes: service.bytes,
        connections: service.connections,
        slots: service.slots,
        backends: backends.collect(),
    }
}

impl TryFrom<proto::ReadReply> for State {
    type Error = WireError;

    fn try_from(reply: proto::ReadReply) -> Result<Self, WireError> {
        let mut state = Self {
            generation: reply.generation,
            engines: reply.engines.into_iter().map(Into::into).collect(),
            ports: reply.ports.into_iter().map(Into::into).collect(),
            connections: reply.connections,
            connections_max: reply.connections_max,
            pool: reply.pool.map(Into::into).unwrap_or_default(),
            ..Self::default()
        };
        let drops = reply.drops.into_iter().map(|drop| smplb_nl::Drop {
            reason: Some(DropReason::from_number(drop.reason)),
            packets: Some(drop.packets),
        });
        state.drops = drops.collect();
        for told in reply.services {
            let mut service = Service {
                definition: told.definition.unwrap_or_default().into(),
                packets: told.packets,
                bytes: told.bytes,
                connections: told.connections,
                slots: told.slots,
                ..Service::default()
            };
            for told in told.backends {
                let backend = Backend {
                    weight: told.weight,
                    active: told.active,
                    connections: told.connections,
                    packets: told.packets,
                    bytes: told.bytes,
                    reply_packets: told.reply_packets,
                    reply_bytes: told.reply_bytes,
                };
                service.backends.insert(backend_key(told.key)?, backend);
            }
            state.services.insert(service_key(told.key)?, service);
        }
        Ok(state)
    }
}
