// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where the load of a backend is told: `orca:HOST:PORT`, `orcas:HOST:PORT`,
//! `agent-check:HOST:PORT`.

use std::path::{Path, PathBuf};

use smplb_probe::{Target, Tls};

/// Who tells the load of a backend.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// An ORCA server.
    Orca(Target),
    /// A responder of HAProxy's agent-check protocol.
    AgentCheck {
        /// `HOST:PORT`.
        addr: String,
        /// What is said to it first.
        send: Option<String>,
    },
}

const SHAPE: &str = "write orca:HOST:PORT, orcas:HOST:PORT or agent-check:HOST:PORT";

impl Load {
    /// Reads the text of a backend's `load`.
    pub fn parse(text: &str, tls: Option<Tls>, send: Option<String>) -> Result<Self, String> {
        let Some((kind, addr)) = text.split_once(':') else {
            return Err(format!("{text:?} names no source: {SHAPE}"));
        };
        if send.is_some() && kind != "agent-check" {
            return Err("agent-send is only for agent-check: leave it out".to_owned());
        }
        let target = Target {
            addr: addr.to_owned(),
            tls: (kind == "orcas").then(|| tls.unwrap_or_default()),
        };
        target.verify()?;
        match kind {
            "orca" | "orcas" => Ok(Self::Orca(target)),
            "agent-check" => Ok(Self::AgentCheck {
                addr: target.addr,
                send,
            }),
            _ => Err(format!("{kind:?} is no source: {SHAPE}")),
        }
    }
}

/// TLS settings with files that are named relative to a directory.
pub fn beside(dir: &Path, tls: Tls) -> Tls {
    let beside = |file: Option<PathBuf>| file.map(|file| dir.join(file));
    Tls {
        ca: beside(tls.ca),
        certificate: beside(tls.certificate),
        key: beside(tls.key),
        server_name: tls.server_name,
    }
}
