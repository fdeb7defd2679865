// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Replacing the whole configuration in one generation.
//!
//! Between [`HalfMut::begin`] and [`HalfMut::finish`] the wanted objects are gone through twice:
//! [`HalfMut::apply_begin`]; [`HalfMut::keep_service`] and [`HalfMut::keep_backend`] for each;
//! [`HalfMut::apply_sweep`], which deletes all others; then [`HalfMut::put_service`] and
//! [`HalfMut::put_backend`] for each. Objects that were there before keep their places, and so
//! their connections; and a full table can be replaced by another one.

use super::build::HalfMut;
use super::error::ConfigError;
use super::{BackendId, ServiceId, ServiceKey, ServiceOptions, ServiceParams};

impl HalfMut<'_> {
    /// Takes every object for one to be deleted.
    pub fn apply_begin(&mut self) {
        self.mark_all(false);
    }

    /// Saves a service from [`HalfMut::apply_sweep`], if it exists.
    pub fn keep_service(&mut self, key: ServiceKey) {
        if let Some(service) = self.find_service(key).and_then(|id| self.service_mut(id)) {
            service.seen = true;
        }
    }

    /// Saves a backend of a saved service from [`HalfMut::apply_sweep`], if it exists.
    pub fn keep_backend(&mut self, key: ServiceKey, addr: [u8; 4], port: u16) {
        let place = self
            .find_service(key)
            .and_then(|id| self.view().find_backend(id, addr, port));
        if let Some(backend) = place
            .map(|(id, _)| id)
            .and_then(|id| self.backends.get_mut(usize::from(id.0)))
        {
            backend.seen = true;
        }
    }

    /// Deletes what was not saved.
    pub fn apply_sweep(&mut self) {
        for place in 0..self.services.len() {
            let id = ServiceId(place as u16);
            match self.service_mut(id).map(|service| service.seen) {
                None => {}
                Some(true) => self.retain_seen(id),
                Some(false) => self.remove_service(id),
            }
        }
        self.reindex();
        self.mark_all(false);
    }

    /// Adds a service or changes the one that was saved. Options that are left out get their
    /// default, whatever they were before.
    pub fn put_service(
        &mut self,
        key: ServiceKey,
        options: ServiceOptions,
    ) -> Result<ServiceId, ConfigError> {
        match self.find_service(key) {
            None => self.service_add(key, options),
            Some(id) if self.service_mut(id).is_some_and(|service| service.seen) => {
                Err(ConfigError::Exists)
            }
            Some(_) => {
                let all = options.over(ServiceParams::for_protocol(key.protocol));
                self.service_set(
                    key,
                    ServiceOptions {
                        scheduler: Some(all.scheduler),
                        mode: Some(all.mode),
                        timeout: Some(all.timeout),
                        announce: Some(all.announce),
                    },
                )
            }
        }
    }

    /// Adds a backend or changes the one that was saved. Its service has been put before.
    pub fn put_backend(
        &mut self,
        key: ServiceKey,
        addr: [u8; 4],
        port: u16,
        weight: u32,
    ) -> Result<BackendId, ConfigError> {
        let service = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        match self.view().find_backend(service, addr, port) {
            None => self.backend_add(key, addr, port, weight),
            Some((_, backend)) if backend.seen => Err(ConfigError::Exists),
            Some(_) => self.backend_set(key, addr, port, weight),
        }
    }

    fn mark_all(&mut self, seen: bool) {
        for service in self.services.iter_mut() {
            service.seen = seen;
        }
        for backend in self.backends.iter_mut() {
            backend.seen = seen;
        }
    }
}
