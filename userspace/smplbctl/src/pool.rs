// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl pool`: who has the buffers that all native ports share.

use anyhow::Result;
use serde::Serialize;
use smplb_nl::socket::Transport;
use smplb_nl::{Pool, PoolEngine, PoolPort};

use crate::failure::Cannot;
use crate::session::Session;
use crate::table::{cell, render, Column, Row};

const AFTER: &str = "\
The counts are of one moment for each buffer: free, those of the ports, those of the engines and
those of applications always add up to the size of the pool. There is a pool while there is a native
port, or an application with buffers of it.

With -j, an object with these keys; a value is null when the kernel told none:

  buffers   size of the pool; 0 without a native port
  free      buffers that nobody has
  channels  buffers of applications that share the pool
  other     buffers of an owner that cannot be, always 0
  misuses   hand-overs that were refused, since another one had the buffer; a bug when it is not 0
  ports     array of the ports that have buffers
  engines   array of the engines that have buffers

Each of ports has these keys:

  id      number of the port inside the switch
  ifname  name of the pseudo interface; null while the port goes
  rx      buffers on the receive ring
  tx      buffers on the transmit ring
  host    buffers on the rings to and from the pseudo interface

Each of engines has these keys:

  cpu      switching CPU
  buffers  buffers at hand, or with frames that it works on";

/// Show who has the buffers that all native ports share.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let pool = session.client().and_then(|mut client| client.pool());
        let report = Report::from(pool.cannot(|| "show the pool")?);
        match session.json() {
            true => session.print_json(&report),
            false => session.print(&report.text()),
        }
    }
}

#[derive(Debug, Serialize)]
struct Report {
    buffers: Option<u32>,
    free: Option<u32>,
    channels: Option<u32>,
    other: Option<u32>,
    misuses: Option<u64>,
    ports: Vec<PortRow>,
    engines: Vec<EngineRow>,
}

impl From<Pool> for Report {
    fn from(pool: Pool) -> Self {
        let mut ports: Vec<_> = pool.port.into_iter().map(PortRow::from).collect();
        ports.sort_by_key(|port| port.id);
        let mut engines: Vec<_> = pool.engine.iter().map(EngineRow::from).collect();
        engines.sort_by_key(|engine| engine.cpu);
        Self {
            buffers: pool.buffers,
            free: pool.free,
            channels: pool.channels,
            other: pool.other,
            misuses: pool.misuses,
            ports,
            engines,
        }
    }
}

impl Report {
    fn text(&self) -> String {
        if self.buffers == Some(0) {
            return "no pool, since there is no native port\n".to_owned();
        }
        let mut text = format!(
            "buffers {}  free {}  channels {}  misuses {}\n\n",
            cell(&self.buffers),
            cell(&self.free),
            cell(&self.channels),
            cell(&self.misuses)
        );
        text += &render(&self.ports);
        text.push('\n');
        text += &render(&self.engines);
        text
    }
}

#[derive(Debug, Serialize)]
struct PortRow {
    id: Option<u32>,
    ifname: Option<String>,
    rx: Option<u32>,
    tx: Option<u32>,
    host: Option<u32>,
}

impl From<PoolPort> for PortRow {
    fn from(port: PoolPort) -> Self {
        let PoolPort {
            id,
            ifname,
            rx,
            tx,
            host,
        } = port;
        Self {
            id,
            ifname,
            rx,
            tx,
            host,
        }
    }
}

impl Row for PortRow {
    const COLUMNS: &'static [Column] = &[
        Column::Left("PORT"),
        Column::Right("RX"),
        Column::Right("TX"),
        Column::Right("HOST"),
    ];

    fn cells(&self) -> Vec<String> {
        vec![
            cell(&self.ifname),
            cell(&self.rx),
            cell(&self.tx),
            cell(&self.host),
        ]
    }
}

#[derive(Debug, Serialize)]
struct EngineRow {
    cpu: Option<u32>,
    buffers: Option<u32>,
}

impl From<&PoolEngine> for EngineRow {
    fn from(engine: &PoolEngine) -> Self {
        Self {
            cpu: engine.cpu,
            buffers: engine.buffers,
        }
    }
}

impl Row for EngineRow {
    const COLUMNS: &'static [Column] = &[Column::Right("CPU"), Column::Right("BUFFERS")];

    fn cells(&self) -> Vec<String> {
        vec![cell(&self.cpu), cell(&self.buffers)]
    }
}

#[cfg(test)]
mod tests;
