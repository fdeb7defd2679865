// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reading the kernel, and making one generation of changes.

use smplb_nl::socket::Transport;
use smplb_nl::{BackendDef, Client, Config, Error, ServiceDef};

use crate::key::{BackendKey, ServiceKey};
use crate::switch::{Backend, Change, Definition, Published, Service, State, SwitchError};

/// `ESTALE`, by which the kernel says that another generation is active.
const STALE: i32 = 116;

/// A client that is made again when it fails.
pub struct Desk<T, F> {
    connect: F,
    client: Option<Client<T>>,
    /// What the kernel had when it was last read or changed. A generation never changes, so this
    /// is what it has as long as its generation is active; and only then is it used.
    known: Option<State>,
}

impl<T: Transport, F: FnMut() -> smplb_nl::Result<Client<T>>> Desk<T, F> {
    /// Nothing is asked yet.
    pub fn new(connect: F) -> Self {
        Self {
            connect,
            client: None,
            known: None,
        }
    }

    /// Reads everything.
    pub fn read(&mut self) -> Result<State, SwitchError> {
        let state = self.with(|client| {
            let mut state = configuration(client)?;
            state.engines = client.engines()?;
            state.ports = client.ports()?;
            let stats = client.stats()?;
            state.connections = stats.connections.unwrap_or(0).into();
            state.connections_max = stats.connections_max.unwrap_or(0).into();
            state.drops = stats.drop;
            state.pool = client.pool()?;
            Ok(state)
        })?;
        self.known = Some(state.clone());
        Ok(state)
    }

    /// Makes one generation of changes.
    pub fn publish(&mut self, changes: &[Change], expect: u64) -> Result<Published, SwitchError> {
        let known = self.known.take().filter(|state| state.generation == expect);
        let mut state = match known {
            Some(state) => state,
            None => self.with(configuration)?,
        };
        if state.generation != expect {
            self.known = Some(state);
            return Err(SwitchError::Conflict(expect));
        }
        for change in changes {
            state.change(change);
        }
        let request = Config {
            expect_generation: Some(expect),
            ..request(&state)
        };
        let done = self.with(|client| client.apply(&request));
        let done = done.map_err(|error| match error {
            SwitchError::Conflict(_) => SwitchError::Conflict(expect),
            other => other,
        })?;
        let missing = |what| SwitchError::Unavailable(format!("the kernel told no {what}"));
        let published = Published {
            generation: done.generation.ok_or_else(|| missing("generation"))?,
            slots_moved: done.slots_moved.unwrap_or(0),
        };
        state.generation = published.generation;
        self.known = Some(state);
        Ok(published)
    }

    fn with<R>(
        &mut self,
        ask: impl FnOnce(&mut Client<T>) -> smplb_nl::Result<R>,
    ) -> Result<R, SwitchError> {
        let client = match &mut self.client {
            Some(client) => client,
            slot => slot.insert((self.connect)().map_err(|error| told(&error))?),
        };
        let result = ask(client);
        for warning in client.take_warnings() {
            tracing::warn!(warning, "the kernel warns");
        }
        result.map_err(|error| {
            // After a refusal the socket is as good as before; after anything else who knows.
            if !matches!(error, Error::Refused(_)) {
                self.client = None;
            }
            self.known = None;
            told(&error)
        })
    }
}

fn told(error: &Error) -> SwitchError {
    match error.errno().map(|errno| errno.raw_os_error()) {
        Some(STALE) => SwitchError::Conflict(0),
        _ => match error {
            Error::Refused(refusal) => SwitchError::Refused(refusal.to_string()),
            other => SwitchError::Unavailable(other.to_string()),
        },
    }
}

/// Services and backends. Somebody may change them between one list and the next; then the
/// generation that is read first is no longer active, and no change is made on top of it.
fn configuration<T: Transport>(client: &mut Client<T>) -> smplb_nl::Result<State> {
    let mut state = State {
        generation: client.generation()?.active.unwrap_or(0),
        ..State::default()
    };
    for service in client.services()? {
        let Some(key) = ServiceKey::of(&service) else {
            continue;
        };
        let entry = Service {
            definition: Definition {
                scheduler: service.scheduler,
                mode: service.mode,
                timeout: service.timeout,
                announce: service.announce.map(|announce| announce != 0),
            },
            packets: service.packets.unwrap_or(0),
            bytes: service.bytes.unwrap_or(0),
            connections: service.connections.unwrap_or(0),
            slots: service.slots.unwrap_or(0).into(),
            ..Service::default()
        };
        state.services.insert(key, entry);
    }
    for backend in client.backends(None)? {
        let key = backend.service.as_ref().and_then(ServiceKey::of_def);
        let (Some(key), Some(addr)) = (key, backend.addr) else {
            continue;
        };
        let Some(service) = state.services.get_mut(&key) else {
            continue;
        };
        let name = BackendKey {
            addr,
            port: backend.port.unwrap_or(key.port),
        };
        let entry = Backend {
            weight: backend.weight.unwrap_or(1),
            active: backend.active.unwrap_or(0),
            connections: backend.connections.unwrap_or(0),
            packets: backend.packets.unwrap_or(0),
            bytes: backend.bytes.unwrap_or(0),
            reply_packets: backend.reply_packets.unwrap_or(0),
            reply_bytes: backend.reply_bytes.unwrap_or(0),
        };
        service.backends.insert(name, entry);
    }
    Ok(state)
}

/// A state as the whole configuration that the kernel takes.
fn request(state: &State) -> Config {
    let service = |(key, service): (&ServiceKey, &Service)| ServiceDef {
        scheduler: service.definition.scheduler,
        mode: service.definition.mode,
        timeout: service.definition.timeout,
        announce: service.definition.announce.map(u8::from),
        ..key.def()
    };
    let backends = state.services.iter().enumerate();
    let backends = backends.flat_map(|(at, (_, service))| {
        service
            .backends
            .iter()
            .map(move |(key, backend)| BackendDef {
                service: u32::try_from(at).ok(),
                addr: Some(key.addr),
                port: Some(key.port),
                weight: Some(backend.weight),
            })
    });
    Config {
        service: state.services.iter().map(service).collect(),
        backend: backends.collect(),
        ..Config::default()
    }
}

#[cfg(test)]
mod tests;
