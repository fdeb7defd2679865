// SPDX-License-Identifier: GPL-2.0

//! Changing the configuration table A/B: build the standby half, then flip.

use super::half::Half;
use super::lanes::filled;
use super::Switch;
use crate::core_::config::build::HalfMut;
use crate::core_::config::error::ConfigError;
use crate::core_::config::view::View;
use crate::core_::config::{BackendId, ServiceId, MAX_BACKENDS, MAX_SERVICES};
use crate::core_::counters::sum::{self, BackendSum, ServiceSum};
use kernel::prelude::*;

/// What writers of the configuration table keep.
pub(crate) struct Control {
    /// Where a half is built before it takes the place of the standby one, so
    /// that a change that is refused leaves both halves as they are.
    scratch: Half,
    /// The highest generation ever made.
    last: u64,
    /// Whether the standby half is a generation that can be made active.
    standby: bool,
    flips: u64,
    /// Counters when the service or backend at a place was made.
    services: KVVec<ServiceSum>,
    backends: KVVec<BackendSum>,
}

impl Control {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            scratch: Half::new()?,
            last: 0,
            standby: false,
            flips: 0,
            services: filled(MAX_SERVICES, ServiceSum::default)?,
            backends: filled(MAX_BACKENDS, BackendSum::default)?,
        })
    }
}

/// A change of the configuration.
pub(crate) trait Edit {
    /// Changes the half that is to become active.
    fn edit(&mut self, half: &mut HalfMut<'_>) -> Result<(), ConfigError>;

    /// Build and check only.
    fn dry_run(&self) -> bool {
        false
    }

    /// Refuse unless this generation is active.
    fn expects(&self) -> Option<u64> {
        None
    }
}

impl<F: FnMut(&mut HalfMut<'_>) -> Result<(), ConfigError>> Edit for F {
    fn edit(&mut self, half: &mut HalfMut<'_>) -> Result<(), ConfigError> {
        self(half)
    }
}

/// Why a change was refused.
pub(crate) enum Refusal {
    /// The table said so.
    Config(ConfigError),
    /// Another generation is active than was expected.
    Generation,
}

/// What a change did, or would do.
pub(crate) struct Applied {
    /// The generation made.
    pub(crate) generation: u64,
    /// Slots whose backend differs from the generation before.
    pub(crate) slots_moved: u64,
}

/// The state of the two halves.
pub(crate) struct Generations {
    pub(crate) active: u64,
    pub(crate) standby: Option<u64>,
    pub(crate) services: u32,
    pub(crate) backends: u32,
    pub(crate) flips: u64,
}

impl Switch {
    /// Makes a change in one generation: engines see all of it or nothing.
    pub(crate) fn change(&self, edit: &mut impl Edit) -> Result<Applied, Refusal> {
        let mut control = self.control.lock();
        // SAFETY: `control` serialises the writers of the table.
        let mut writer = unsafe { self.config.writer() };
        if let Some(expected) = edit.expects() {
            if writer.active().view().header.generation != expected {
                return Err(Refusal::Generation);
            }
        }
        let generation = control.last.saturating_add(1);
        let previous = writer.active().view();
        let mut half = control.scratch.build();
        half.begin(&previous, generation);
        edit.edit(&mut half).map_err(Refusal::Config)?;
        let summary = half.finish(&previous).map_err(Refusal::Config)?;
        let applied = Applied {
            generation,
            slots_moved: summary.slots_moved,
        };
        if edit.dry_run() {
            return Ok(applied);
        }
        self.note_new(&mut control, generation);
        core::mem::swap(writer.edit(), &mut control.scratch);
        control.last = generation;
        control.standby = true;
        control.flips = control.flips.wrapping_add(1);
        writer.flip();
        drop(control);
        self.announce(Some(generation));
        Ok(applied)
    }

    /// Makes the standby half active again, when it holds a generation.
    pub(crate) fn rollback(&self) -> Option<Generations> {
        let mut control = self.control.lock();
        if !control.standby {
            return None;
        }
        // SAFETY: `control` serialises the writers of the table.
        let mut writer = unsafe { self.config.writer() };
        writer.flip();
        control.flips = control.flips.wrapping_add(1);
        drop(control);
        self.announce(None);
        Some(self.generations())
    }

    /// The state of the two halves.
    pub(crate) fn generations(&self) -> Generations {
        let control = self.control.lock();
        // SAFETY: `control` serialises the writers of the table.
        let writer = unsafe { self.config.writer() };
        let header = *writer.active().view().header;
        Generations {
            active: header.generation,
            standby: control
                .standby
                .then(|| writer.standby().view().header.generation),
            services: header.services,
            backends: header.backends,
            flips: control.flips,
        }
    }

    /// Calls `f` with the active half, which does not change meanwhile, and
    /// with the counters of its objects.
    pub(crate) fn inspect<T>(&self, f: impl FnOnce(View<'_>, Sums<'_>) -> T) -> T {
        let control = self.control.lock();
        // SAFETY: `control` serialises the writers of the table.
        let writer = unsafe { self.config.writer() };
        let view = writer.active().view();
        f(
            view,
            Sums {
                switch: self,
                control: &control,
            },
        )
    }

    /// Remembers where the counters of new objects begin.
    fn note_new(&self, control: &mut Control, generation: u64) {
        let epoch = generation as u32;
        let view = control.scratch.view();
        for (id, service) in view.iter() {
            if service.epoch == epoch {
                if let Some(base) = control.services.get_mut(usize::from(id.0)) {
                    *base = sum::service(self.lanes(), id);
                }
            }
            for (id, backend) in view.backends_of(id) {
                if backend.epoch == epoch {
                    if let Some(base) = control.backends.get_mut(usize::from(id.0)) {
                        *base = sum::backend(self.lanes(), id);
                    }
                }
            }
        }
    }
}

/// The counters of services and backends since they exist.
pub(crate) struct Sums<'a> {
    switch: &'a Switch,
    control: &'a Control,
}

impl Sums<'_> {
    /// Of a service.
    pub(crate) fn service(&self, id: ServiceId) -> ServiceSum {
        let base = self.control.services.get(usize::from(id.0));
        sum::service(self.switch.lanes(), id).since(base.copied().unwrap_or_default())
    }

    /// Of a backend.
    pub(crate) fn backend(&self, id: BackendId) -> BackendSum {
        let base = self.control.backends.get(usize::from(id.0));
        sum::backend(self.switch.lanes(), id).since(base.copied().unwrap_or_default())
    }

    /// Connections a backend has now.
    pub(crate) fn active(&self, id: BackendId) -> u64 {
        sum::active(self.switch.lanes(), id)
    }
}
