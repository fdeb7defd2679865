// SPDX-License-Identifier: MIT OR Apache-2.0

//! The switch as one would write it without a thought of speed: maps, no caches, no sharing.

use std::collections::{BTreeMap, HashMap};

use smplb_core::config::Mode;
use smplb_core::connection::tcp_state::State;
use smplb_core::verdict::DropReason;

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const ACK: u8 = 0x10;

/// Protocol and number of the VIP.
pub type Service = (u8, u8);
/// Protocol, number of the client, number of the VIP.
pub type Flow = (u8, u8, u8);

#[derive(Clone, Copy, Debug)]
pub struct Backend {
    pub id: u64,
    pub weight: u16,
}

#[derive(Clone, Debug)]
pub struct Config {
    pub mode: Mode,
    pub timeout: u32,
    pub backends: BTreeMap<u8, Backend>,
}

#[derive(Clone, Copy, Debug)]
pub struct Connection {
    pub server: u8,
    pub backend: u64,
    pub mode: Mode,
    pub state: State,
    fins: (bool, bool),
    seen: u32,
}

/// What is to become of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Rewritten, toward this server.
    Server(u8),
    /// Rewritten, toward this client, as from this VIP.
    Client(u8, u8),
    /// Toward one of the servers the model does not know; it is told by [`Naive::chosen`].
    Choice,
    Stack,
    Reset(DropReason),
    Drop(DropReason),
}

#[derive(Default)]
pub struct Naive {
    pub services: BTreeMap<Service, Config>,
    pub connections: HashMap<Flow, Connection>,
    pub capacity: usize,
    pub now: u32,
    pub next_id: u64,
}

impl Naive {
    fn alive(&self, flow: Flow, connection: &Connection) -> bool {
        let service = self.services.get(&(flow.0, flow.2));
        let backend = service.and_then(|service| service.backends.get(&connection.server));
        backend.is_some_and(|backend| backend.id == connection.backend)
    }

    fn is_vip(&self, vip: u8) -> bool {
        self.services.keys().any(|(_, other)| *other == vip)
    }

    /// Whether the server has a NAT connection with the client on the protocol.
    fn reply_taken(&self, flow: Flow, server: u8) -> bool {
        self.connections.iter().any(|(other, connection)| {
            (other.0, other.1) == (flow.0, flow.1)
                && connection.server == server
                && connection.mode == Mode::Nat
        })
    }

    /// A packet from a client to a VIP.
    pub fn request(&mut self, flow: Flow, flags: u8) -> Fate {
        let is_tcp = flow.0 == 6;
        let opens = is_tcp && flags & (SYN | ACK | RST | FIN) == SYN;
        if let Some(connection) = self.connections.get(&flow).copied() {
            let alive = self.alive(flow, &connection);
            let over = connection.state.is_closing();
            if (opens && (over || !alive)) || (!is_tcp && !alive) {
                self.connections.remove(&flow);
            } else if !alive {
                self.connections.get_mut(&flow).expect("just found").state = State::Close;
                return refuse(is_tcp, flags, DropReason::BackendGone);
            } else {
                let now = self.now;
                let connection = self.connections.get_mut(&flow).expect("just found");
                if is_tcp {
                    connection.segment(flags, false);
                }
                connection.seen = now;
                return Fate::Server(connection.server);
            }
        }
        if !self.is_vip(flow.2) {
            return Fate::Stack;
        }
        let Some(service) = self.services.get(&(flow.0, flow.2)) else {
            return refuse(is_tcp, flags, DropReason::NoService);
        };
        if is_tcp && !opens {
            return refuse(is_tcp, flags, DropReason::NoConnection);
        }
        if service.backends.values().all(|backend| backend.weight == 0) {
            return refuse(is_tcp, flags, DropReason::NoBackend);
        }
        if self.connections.len() == self.capacity {
            return Fate::Drop(DropReason::TableFull);
        }
        Fate::Choice
    }

    /// The servers a new connection may go to, and whether one of them cannot take it because of
    /// another connection.
    pub fn candidates(&self, flow: Flow) -> (Vec<u8>, bool) {
        let service = &self.services[&(flow.0, flow.2)];
        let wanted = service
            .backends
            .iter()
            .filter(|(_, backend)| backend.weight > 0);
        let (taken, free): (Vec<u8>, Vec<u8>) = wanted
            .map(|(server, _)| *server)
            .partition(|server| service.mode == Mode::Nat && self.reply_taken(flow, *server));
        (free, !taken.is_empty())
    }

    /// The switch has chosen a server for a new connection.
    pub fn chosen(&mut self, flow: Flow, server: u8) {
        let service = &self.services[&(flow.0, flow.2)];
        let connection = Connection {
            server,
            backend: service.backends[&server].id,
            mode: service.mode,
            state: if flow.0 == 6 {
                State::SynSent
            } else {
                State::Established
            },
            fins: (false, false),
            seen: self.now,
        };
        self.connections.insert(flow, connection);
    }

    /// A packet from a server to a client.
    pub fn reply(&mut self, protocol: u8, server: u8, client: u8, flags: u8) -> Fate {
        let mine = |(flow, connection): (&Flow, &Connection)| {
            let same = (flow.0, flow.1, connection.server) == (protocol, client, server);
            (same && connection.mode == Mode::Nat).then_some((*flow, *connection))
        };
        let Some((flow, connection)) = self.connections.iter().find_map(mine) else {
            return Fate::Stack;
        };
        let (alive, now) = (self.alive(flow, &connection), self.now);
        let connection = self.connections.get_mut(&flow).expect("just found");
        if !alive {
            connection.state = State::Close;
            return Fate::Drop(DropReason::BackendGone);
        }
        if protocol == 6 {
            connection.segment(flags, true);
        }
        connection.seen = now;
        Fate::Client(client, flow.2)
    }

    /// Forgets what is over.
    pub fn sweep(&mut self) {
        let over: Vec<Flow> = self
            .connections
            .iter()
            .filter(|(flow, connection)| {
                let established = match self.services.get(&(flow.0, flow.2)) {
                    Some(service) if self.alive(**flow, connection) => service.timeout,
                    _ => 60,
                };
                let patience = match connection.state {
                    State::Established => established,
                    State::FinWait if established == 60 && !self.alive(**flow, connection) => 60,
                    State::FinWait => 120,
                    State::Close => 10,
                    _ => 60,
                };
                self.now - connection.seen >= patience
            })
            .map(|(flow, _)| *flow)
            .collect();
        for flow in over {
            self.connections.remove(&flow);
        }
    }
}

fn refuse(is_tcp: bool, flags: u8, reason: DropReason) -> Fate {
    match (is_tcp, flags & RST != 0) {
        (false, _) => Fate::Drop(reason),
        (true, true) => Fate::Drop(DropReason::ResetLimited),
        (true, false) => Fate::Reset(reason),
    }
}

impl Connection {
    fn segment(&mut self, flags: u8, reply: bool) {
        if flags & RST != 0 {
            self.state = State::Close;
            return;
        }
        let plain = flags & (SYN | ACK);
        self.state = match (self.state, reply) {
            (State::SynSent, true) if plain == SYN | ACK => State::SynRecv,
            (State::SynSent, false) if self.mode == Mode::Dr && plain == ACK => State::Established,
            (State::SynRecv, false) if plain == ACK => State::Established,
            (state, _) => state,
        };
        if flags & FIN == 0 || self.state == State::Close {
            return;
        }
        let fin = if reply {
            &mut self.fins.1
        } else {
            &mut self.fins.0
        };
        *fin = true;
        let both = self.fins == (true, true);
        self.state = if both {
            State::TimeWait
        } else {
            State::FinWait
        };
    }
}
