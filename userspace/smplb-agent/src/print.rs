// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplb-agent --print`: one report, for who sets the agent up.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use anyhow::{bail, Result};
use tokio::time::sleep;

use crate::config::Config;
use crate::sampler;
use crate::source::{self, Source};
use crate::system::System;

/// Looks for a second, since rates need two looks, and prints what would be reported. A source
/// that fails is an error after the report of the rest.
pub(crate) async fn once(config: Config) -> Result<()> {
    let mut system = System::of_this_machine(&config.system);
    let mut sources: Vec<Box<dyn Source>> = config.sources.iter().map(|s| s.open()).collect();
    system.sample(Instant::now());
    for (source, settings) in sources.iter_mut().zip(&config.sources) {
        // Its trouble is told on the second look.
        let _ = source::read(source.as_mut(), settings.timeout).await;
    }
    sleep(Duration::from_secs(1)).await;
    let mut readings = Vec::new();
    let mut troubles = Vec::new();
    for (source, settings) in sources.iter_mut().zip(&config.sources) {
        match source::read(source.as_mut(), settings.timeout).await {
            Ok(reading) => {
                let missing = reading.missing.iter();
                troubles.extend(missing.map(|what| format!("{}: {what}", settings.name)));
                readings.push(reading.report);
            }
            Err(error) => troubles.push(format!("{}: {error}", settings.name)),
        }
    }
    let figures = system.sample(Instant::now());
    let report = sampler::compose(&figures, &config.labels, &readings).0;
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report.json())?;
    writeln!(out)?;
    if !troubles.is_empty() {
        bail!("{}", troubles.join("; "));
    }
    Ok(())
}
