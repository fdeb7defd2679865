// SPDX-License-Identifier: MIT OR Apache-2.0
//! What has to be known to give a NIC back, kept over the end of the program that claimed it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::pci::{Address, Bus};

/// A NIC as it was before it was claimed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Who had it reserved.
    pub reserved: Option<String>,
    /// Name of its interface.
    pub interface: Option<String>,
    /// Nobody had it.
    #[serde(default)]
    pub free: bool,
}

impl Note {
    fn path(bus: &Bus, address: Address) -> PathBuf {
        bus.run.join(address.to_string())
    }

    /// That of a device; empty when there is none.
    pub fn of(bus: &Bus, address: Address) -> Self {
        let text = fs::read_to_string(Self::path(bus, address)).ok();
        let note = text.and_then(|text| serde_json::from_str(&text).ok());
        note.unwrap_or_default()
    }

    /// Keeps it.
    pub fn save(&self, bus: &Bus, address: Address) -> Result<()> {
        let path = Self::path(bus, address);
        fs::create_dir_all(&bus.run).with_context(|| bus.run.display().to_string())?;
        fs::write(&path, serde_json::to_string(self)?).with_context(|| path.display().to_string())
    }

    /// Removes that of a device.
    pub fn forget(bus: &Bus, address: Address) {
        // What is not there need not go.
        let _ = fs::remove_file(Self::path(bus, address));
    }
}
