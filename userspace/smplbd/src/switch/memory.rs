// SPDX-License-Identifier: MIT OR Apache-2.0
//! A switch in memory, for tests: it keeps what it is told, and fails on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::watch;
use tokio::time::Instant;

use super::{Change, Published, State, Switch, SwitchError};
use crate::key::ServiceKey;

/// A switch in memory.
#[derive(Clone, Debug)]
pub struct Memory {
    inner: Arc<Mutex<Inner>>,
    tell: watch::Sender<u64>,
}

/// What it remembers.
#[derive(Debug, Default)]
pub struct Inner {
    /// What it has.
    pub state: State,
    /// Every publication, and when it was.
    pub published: Vec<(Instant, Vec<Change>)>,
    /// How often it was read.
    pub reads: usize,
    /// How often it refused.
    pub refusals: usize,
    /// What comes of the next publications, before they are done.
    pub failures: VecDeque<SwitchError>,
    /// Nothing works while this is set.
    pub down: Option<SwitchError>,
    /// It refuses every change of this service.
    pub refuses: Option<ServiceKey>,
    /// It never answers while this is set.
    pub hangs: bool,
}

impl Memory {
    /// A switch that has this.
    pub fn new(state: State) -> Self {
        let inner = Inner {
            state,
            ..Inner::default()
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            tell: watch::Sender::new(0),
        }
    }

    /// What it remembers.
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Somebody else changes it.
    pub fn meddle(&self, change: Change) {
        let mut inner = self.inner();
        inner.state.change(&change);
        inner.state.generation += 1;
        self.tell.send_replace(inner.state.generation);
    }

    async fn answer(&self) -> Result<(), SwitchError> {
        if self.inner().hangs {
            std::future::pending::<()>().await;
        }
        match &self.inner().down {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

#[tonic::async_trait]
impl Switch for Memory {
    async fn read(&self) -> Result<State, SwitchError> {
        self.answer().await?;
        let mut inner = self.inner();
        inner.reads += 1;
        Ok(inner.state.clone())
    }

    async fn publish(
        &self,
        changes: Vec<Change>,
        expect_generation: u64,
    ) -> Result<Published, SwitchError> {
        self.answer().await?;
        let mut inner = self.inner();
        if let Some(failure) = inner.failures.pop_front() {
            return Err(failure);
        }
        if inner.state.generation != expect_generation {
            return Err(SwitchError::Conflict(expect_generation));
        }
        if changes
            .iter()
            .any(|change| Some(change.service()) == inner.refuses)
        {
            inner.refusals += 1;
            return Err(SwitchError::Refused("no room".to_owned()));
        }
        for change in &changes {
            inner.state.change(change);
        }
        inner.state.generation += 1;
        let slots_moved = changes.len() as u64;
        inner.published.push((Instant::now(), changes));
        let generation = inner.state.generation;
        self.tell.send_replace(generation);
        Ok(Published {
            generation,
            slots_moved,
        })
    }

    fn news(&self) -> Option<watch::Receiver<u64>> {
        Some(self.tell.subscribe())
    }
}
