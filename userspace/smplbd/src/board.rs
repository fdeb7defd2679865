// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the control loop shows of itself, for metrics. It is put up as a whole once a second, so
//! that a reader who takes his time holds up nobody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use crate::key::{BackendKey, ServiceKey};
use crate::switch::State;

/// Counters by a name.
pub type Counts = BTreeMap<&'static str, u64>;

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// The switch when it was last read.
    pub state: Option<Arc<State>>,
    /// Whether the switch answers.
    pub up: bool,
    /// Services whose shares are followed.
    pub sites: Vec<SiteView>,
    /// What the control loop counted.
    pub counters: Counters,
}

/// A followed service.
#[derive(Clone, Debug)]
pub struct SiteView {
    /// Its name.
    pub key: ServiceKey,
    /// Its servers.
    pub servers: Vec<ServerView>,
    /// The whole site is overloaded: shares are frozen.
    pub overloaded: bool,
    /// Too few servers are healthy for health to be looked at.
    pub panic: bool,
    /// Tables made without load, since too few servers had told any.
    pub fallback: u64,
    /// Weights made while a report was too old.
    pub stale: u64,
    /// Weights made while a server's reports did not count yet.
    pub blackout: u64,
}

/// A server of a followed service.
#[derive(Clone, Debug)]
pub struct ServerView {
    /// Its name.
    pub key: BackendKey,
    /// Weight in the file.
    pub configured: u32,
    /// What it is.
    pub state: smplb_master::State,
    /// Utilization that it last told.
    pub utilization: Option<f64>,
    /// Requests a second that it last told.
    pub rate: Option<f64>,
    /// Age of its last report, seconds.
    pub age: Option<f64>,
    /// Share of new connections that it should have, 0 to 1.
    pub wanted: Option<f64>,
    /// Whether anybody tells its load.
    pub followed: bool,
    /// What was counted of it.
    pub tally: Tally,
}

/// What was counted of a server.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Reports and words that were taken.
    pub reports: u64,
    /// Reports that were not, by reason.
    pub rejected: Counts,
    /// Troubles with its follower, by name.
    pub troubles: Counts,
}

/// What the control loop counted since it started.
#[derive(Clone, Debug)]
pub struct Counters {
    /// Services in publications, by cause.
    pub published: Counts,
    /// Generations made.
    pub generations: u64,
    /// Publications that failed, by reason.
    pub failed: Counts,
    /// Looks at a service that ended without a publication, by reason.
    pub suppressed: Counts,
    /// Slots that got another backend.
    pub slots_moved: u64,
    /// How long publications took.
    pub duration: Histogram,
    /// How old reports were when shares were published on them.
    pub ages: Histogram,
    /// Whether the last reload was taken.
    pub reload_good: bool,
    /// Reloads taken.
    pub reloads: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            published: Counts::new(),
            generations: 0,
            failed: Counts::new(),
            suppressed: Counts::new(),
            slots_moved: 0,
            duration: Histogram::new(&[0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 1.0]),
            ages: Histogram::new(&[0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 180.0]),
            reload_good: true,
            reloads: 0,
        }
    }
}

/// Adds one to the count of a name.
pub fn count(counts: &mut Counts, name: &'static str) {
    *counts.entry(name).or_default() += 1;
}

/// How often a value was how great.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// Upper bound and count of each bucket; the last is without bound.
    pub buckets: Vec<(f64, u64)>,
    /// Sum of all values.
    pub sum: f64,
    /// Number of values.
    pub count: u64,
}

impl Histogram {
    fn new(bounds: &[f64]) -> Self {
        let bounds = bounds.iter().copied().chain([f64::MAX]);
        Self {
            buckets: bounds.map(|bound| (bound, 0)).collect(),
            sum: 0.0,
            count: 0,
        }
    }

    /// Counts a value.
    pub fn add(&mut self, value: f64) {
        if let Some(bucket) = self.buckets.iter_mut().find(|(bound, _)| value <= *bound) {
            bucket.1 += 1;
            self.sum += value;
            self.count += 1;
        }
    }
}

/// Where the snapshot hangs.
#[derive(Clone, Debug)]
pub struct Board(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    snapshot: RwLock<Arc<Snapshot>>,
    start: Instant,
    /// Milliseconds from `start` to the last turn of the control loop.
    turn: AtomicU64,
}

impl Default for Board {
    fn default() -> Self {
        Self(Arc::new(Inner {
            snapshot: RwLock::default(),
            start: Instant::now(),
            turn: AtomicU64::new(0),
        }))
    }
}

impl Board {
    /// Puts up another snapshot.
    pub fn show(&self, snapshot: Snapshot) {
        let mut slot = self
            .0
            .snapshot
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *slot = Arc::new(snapshot);
    }

    /// The one that hangs there.
    pub fn look(&self) -> Arc<Snapshot> {
        let slot = self
            .0
            .snapshot
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        slot.clone()
    }

    /// The control loop goes round.
    pub fn turn(&self) {
        let now = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.turn.store(now, Ordering::Relaxed);
    }

    /// How long ago it last did.
    pub fn idle(&self) -> Duration {
        let turn = Duration::from_millis(self.0.turn.load(Ordering::Relaxed));
        self.0.start.elapsed().saturating_sub(turn)
    }
}
