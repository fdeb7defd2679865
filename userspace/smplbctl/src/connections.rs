// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl connections`: the tracked connections.

use std::net::{Ipv4Addr, SocketAddrV4};

use anyhow::Result;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Connection, ConnectionState, Mode};

use crate::failure::Cannot;
use crate::key::{shown, Protocol};
use crate::session::Session;
use crate::table::{cell, Column, Row};

const AFTER: &str = "\
With -j, an array of objects with these keys; a value is null when the kernel told none:

  protocol      tcp or udp
  client_addr   address of the client
  client_port   port of the client
  addr          virtual address
  port          virtual port
  backend_addr  address of the backend
  backend_port  port of the backend
  state         none, syn-sent, syn-recv, established, fin-wait, time-wait or close
  mode          nat or dr
  generation    generation that made the connection
  expires       seconds until it is forgotten when nothing more comes";

/// List the tracked connections.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let connections = session.client().and_then(|mut client| client.connections());
        let connections = connections.cannot(|| "list connections")?;
        let rows: Vec<_> = connections.into_iter().map(ConnectionRow::from).collect();
        session.list(&rows)
    }
}

/// A connection as it is listed.
#[derive(Debug, Serialize)]
struct ConnectionRow {
    #[serde(serialize_with = "shown")]
    protocol: Option<Protocol>,
    client_addr: Option<Ipv4Addr>,
    client_port: Option<u16>,
    addr: Option<Ipv4Addr>,
    port: Option<u16>,
    backend_addr: Option<Ipv4Addr>,
    backend_port: Option<u16>,
    #[serde(serialize_with = "shown")]
    state: Option<ConnectionState>,
    #[serde(serialize_with = "shown")]
    mode: Option<Mode>,
    generation: Option<u64>,
    expires: Option<u32>,
}

impl From<Connection> for ConnectionRow {
    fn from(connection: Connection) -> Self {
        Self {
            protocol: connection.protocol.map(Protocol),
            client_addr: connection.client_addr,
            client_port: connection.client_port,
            addr: connection.addr,
            port: connection.port,
            backend_addr: connection.backend_addr,
            backend_port: connection.backend_port,
            state: connection.state,
            mode: connection.mode,
            generation: connection.generation,
            expires: connection.expires,
        }
    }
}

impl Row for ConnectionRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("PROTO"),
        Column::Left("CLIENT"),
        Column::Left("VIRTUAL"),
        Column::Left("BACKEND"),
        Column::Left("STATE"),
        Column::Left("MODE"),
        Column::Right("GENERATION"),
        Column::Right("EXPIRES"),
    ];

    fn cells(&self) -> Vec<String> {
        let end = |addr: Option<Ipv4Addr>, port: Option<u16>| {
            cell(
                &addr
                    .zip(port)
                    .map(|(addr, port)| SocketAddrV4::new(addr, port)),
            )
        };
        vec![
            cell(&self.protocol),
            end(self.client_addr, self.client_port),
            end(self.addr, self.port),
            end(self.backend_addr, self.backend_port),
            cell(&self.state),
            cell(&self.mode),
            cell(&self.generation),
            cell(&self.expires),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{keys_of, Bench};
    use smplb_nl::Command;

    fn connection() -> Connection {
        Connection {
            protocol: Some(6),
            client_addr: Some(Ipv4Addr::new(198, 51, 100, 7)),
            client_port: Some(40_001),
            addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
            port: Some(80),
            backend_addr: Some(Ipv4Addr::new(10, 0, 0, 1)),
            backend_port: Some(8080),
            state: Some(ConnectionState::Established),
            mode: Some(Mode::Nat),
            generation: Some(3),
            expires: Some(899),
        }
    }

    #[test]
    fn a_table() {
        let mut bench = Bench::default();
        let odd = Connection {
            protocol: Some(132),
            state: None,
            ..connection()
        };
        bench
            .kernel()
            .list(Command::ConnectionGet, &[connection(), odd]);
        assert_eq!(
            bench.run("connections").unwrap(),
            "\
PROTO  CLIENT              VIRTUAL       BACKEND        STATE        MODE  GENERATION  EXPIRES
tcp    198.51.100.7:40001  192.0.2.1:80  10.0.0.1:8080  established  nat            3      899
132    198.51.100.7:40001  192.0.2.1:80  10.0.0.1:8080  -            nat            3      899
"
        );
    }

    #[test]
    fn json() {
        let mut bench = Bench::default();
        bench.kernel().list(Command::ConnectionGet, &[connection()]);
        let json = bench.run("connections -j").unwrap();
        assert_eq!(
            json,
            "[{\"protocol\":\"tcp\",\"client_addr\":\"198.51.100.7\",\"client_port\":40001,\
             \"addr\":\"192.0.2.1\",\"port\":80,\"backend_addr\":\"10.0.0.1\",\
             \"backend_port\":8080,\"state\":\"established\",\"mode\":\"nat\",\
             \"generation\":3,\"expires\":899}]\n"
        );
        assert_eq!(keys_of(&json), crate::testing::documented(AFTER));
    }
}
