// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: events on standard error, as text or as JSON lines.

use std::io;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, registry, Layer};

use crate::config::{Config, Format};

/// Begins to log as `config` says.
pub(crate) fn start(config: &Config) {
    // The journal writes the time itself.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let events = fmt::layer().with_writer(io::stderr).with_ansi(false);
    let events = match (config.format, journal) {
        (Format::Json, _) => events.json().flatten_event(true).boxed(),
        (Format::Text, true) => events.without_time().with_target(false).boxed(),
        (Format::Text, false) => events.with_target(false).boxed(),
    };
    registry().with(events).with(config.log.clone()).init();
}
