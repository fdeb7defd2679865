// SPDX-License-Identifier: MIT OR Apache-2.0
//! All sources of an agent, each read by a task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinHandle;
use tokio::time::{interval, MissedTickBehavior};
use tracing::{info, warn};

use super::{read, Failure, Reading, Settings};
use crate::report::Report;

/// The sources that are being read.
#[derive(Default)]
pub struct Set {
    running: Vec<Running>,
}

struct Running {
    settings: Settings,
    newest: Arc<Newest>,
    task: JoinHandle<()>,
}

/// What the last reading gave.
#[derive(Default)]
struct Newest(Mutex<Report>);

impl Newest {
    fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Set {
    /// Reads these sources from now on. One that was there before, and is configured as before,
    /// goes on, since it knows what its rates are counted from.
    pub fn replace(&mut self, sources: &[Settings]) {
        let mut before = std::mem::take(&mut self.running);
        for settings in sources {
            let same = before
                .iter()
                .position(|running| running.settings == *settings);
            let running = match same {
                Some(index) => before.swap_remove(index),
                None => Running::start(settings.clone()),
            };
            self.running.push(running);
        }
    }

    /// The newest figures of each, in the order of the configuration.
    pub fn newest(&self) -> Vec<Report> {
        let newest = |running: &Running| running.newest.lock().clone();
        self.running.iter().map(newest).collect()
    }
}

impl Running {
    fn start(settings: Settings) -> Self {
        let newest = Arc::new(Newest::default());
        let task = tokio::spawn(follow(settings.clone(), Arc::clone(&newest)));
        Self {
            settings,
            newest,
            task,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a source for ever.
async fn follow(settings: Settings, newest: Arc<Newest>) {
    let mut source = settings.open();
    let mut ticks = interval(settings.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = String::new();
    let mut begun = false;
    loop {
        ticks.tick().await;
        let outcome = read(source.as_mut(), settings.timeout).await;
        let now = trouble(&outcome);
        if !begun || now != state {
            match now.as_str() {
                "" => info!(source = %settings.name, "gives its figures"),
                _ if outcome.is_ok() => warn!(source = %settings.name, "incomplete: {now}"),
                _ => warn!(source = %settings.name, "left out: {now}"),
            }
            (state, begun) = (now, true);
        }
        *newest.lock() = outcome.map(|reading| reading.report).unwrap_or_default();
    }
}

fn trouble(outcome: &Result<Reading, Failure>) -> String {
    match outcome {
        Ok(reading) => reading.missing.join("; "),
        Err(failure) => failure.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use tokio::time::sleep;

    use super::*;
    use crate::report::Field;

    fn file(path: &Path, field: &str) -> Settings {
        let text = format!("type = \"file\"\nfield = \"{field}\"\nevery = 0.05");
        let mut table: toml::Table = text.parse().unwrap();
        table.insert("path".to_owned(), path.to_str().unwrap().into());
        Settings::read(0, table).unwrap()
    }

    async fn wait_for(set: &Set, wanted: &[Option<f64>]) {
        for _ in 0..100 {
            let newest: Vec<_> = set.newest().iter().map(|r| r.get(&Field::Rps)).collect();
            if newest == wanted {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("{:?} is not {wanted:?}", set.newest());
    }

    #[tokio::test]
    async fn a_failing_source_leaves_the_others_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (good, bad) = (dir.path().join("good"), dir.path().join("bad"));
        fs::write(&good, "5").unwrap();
        let mut set = Set::default();
        set.replace(&[file(&bad, "rps"), file(&good, "rps")]);
        wait_for(&set, &[None, Some(5.0)]).await;
        fs::write(&bad, "7").unwrap();
        wait_for(&set, &[Some(7.0), Some(5.0)]).await;
        fs::write(&bad, "-7").unwrap();
        wait_for(&set, &[None, Some(5.0)]).await;
    }

    #[tokio::test]
    async fn a_source_that_stays_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let (stays, goes) = (dir.path().join("stays"), dir.path().join("goes"));
        fs::write(&stays, "1").unwrap();
        fs::write(&goes, "2").unwrap();
        let mut set = Set::default();
        set.replace(&[file(&goes, "rps"), file(&stays, "rps")]);
        wait_for(&set, &[Some(2.0), Some(1.0)]).await;
        set.replace(&[file(&stays, "rps")]);
        // No moment without its figure.
        assert_eq!(set.newest()[0].get(&Field::Rps), Some(1.0));
        set.replace(&[]);
        assert!(set.newest().is_empty());
    }
}
