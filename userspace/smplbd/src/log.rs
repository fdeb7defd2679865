// SPDX-License-Identifier: MIT OR Apache-2.0
//! The log: one line per decision, for people or as JSON, on standard error.

use std::collections::BTreeMap;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{fmt, reload, EnvFilter, Registry};

use crate::config::Format;

/// The filter of the running log.
#[derive(Clone, Debug)]
pub struct Filter(reload::Handle<EnvFilter, Registry>);

/// Starts the log of the program.
///
/// # Errors
/// When the filter is none, or a log is there already.
pub fn start(filter: &str, format: Format) -> anyhow::Result<Filter> {
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(filter)?);
    let registry = tracing_subscriber::registry().with(filter);
    // Under systemd the journal has the time of each line.
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    match (format, journal) {
        (Format::Json, _) => registry.with(lines.json().flatten_event(true)).try_init()?,
        (Format::Text, true) => registry.with(lines.without_time()).try_init()?,
        (Format::Text, false) => registry.with(lines).try_init()?,
    }
    Ok(Filter(handle))
}

impl Filter {
    /// Goes on with another filter.
    pub fn set(&self, filter: &str) -> anyhow::Result<()> {
        Ok(self.0.reload(EnvFilter::try_new(filter)?)?)
    }
}

/// Keeps what was said last of each thing, so that a trouble that lasts is told once.
#[derive(Debug)]
pub struct Once<K> {
    last: BTreeMap<K, String>,
}

impl<K> Default for Once<K> {
    fn default() -> Self {
        Self {
            last: BTreeMap::new(),
        }
    }
}

impl<K: Ord> Once<K> {
    /// Whether this is news of `key`.
    pub fn changed(&mut self, key: K, text: &str) -> bool {
        match self.last.get_mut(&key) {
            Some(last) if last == text => false,
            Some(last) => {
                text.clone_into(last);
                true
            }
            None => {
                self.last.insert(key, text.to_owned());
                true
            }
        }
    }

    /// It is over; whether there was anything.
    pub fn over(&mut self, key: &K) -> bool {
        self.last.remove(key).is_some()
    }

    /// Forgets what is no longer there.
    pub fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.last.retain(|key, _| keep(key));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_once_per_change() {
        let mut once = Once::default();
        assert!(once.changed("a", "refused"));
        assert!(!once.changed("a", "refused"));
        assert!(once.changed("b", "refused"));
        assert!(once.changed("a", "timeout"));
        assert!(once.over(&"a"));
        assert!(!once.over(&"a"));
        assert!(once.changed("a", "timeout"));
        once.retain(|key| *key == "b");
        assert!(once.changed("a", "timeout"));
        assert!(!once.changed("b", "refused"));
    }
}
