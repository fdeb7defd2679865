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

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_apply))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::{service_key, Half, SERVER};
    use super::super::build::Summary;
    use super::*;

    /// Makes `standby` the configuration of one UDP service with backends on these ports.
    fn apply(active: &Half, standby: &mut Half, generation: u64, ports: &[u16]) -> Option<Summary> {
        let (key, mut half) = (service_key(17), standby.lend());
        half.begin(&active.view(), generation);
        half.apply_begin();
        half.keep_service(key);
        for port in ports {
            half.keep_backend(key, SERVER.0, *port);
        }
        half.apply_sweep();
        half.put_service(key, ServiceOptions::default()).ok()?;
        for port in ports {
            half.put_backend(key, SERVER.0, *port, 1).ok()?;
        }
        half.finish(&active.view()).ok()
    }

    #[test]
    fn what_stays_keeps_its_place() {
        let (mut a, mut b) = (Half::default(), Half::default());
        assert_eq!(
            apply(&b, &mut a, 1, &[1, 2, 3]),
            Some(Summary { slots_moved: 3 })
        );
        assert_eq!(
            apply(&a, &mut b, 2, &[4, 2]),
            Some(Summary { slots_moved: 2 })
        );
        let place = |half: &Half, port| {
            let found = half.view().find_backend(ServiceId(0), SERVER.0, port);
            found.map(|(id, backend)| (id, *backend))
        };
        let (old, new) = (place(&a, 2), place(&b, 2));
        assert!(old.is_some() && old.map(|found| found.0) == new.map(|found| found.0));
        assert_eq!(new.map(|found| found.1.epoch), Some(1));
        assert_eq!(place(&b, 4).map(|found| found.1.epoch), Some(2));
        assert!(place(&b, 1).is_none());
        assert_eq!(
            b.view().service(ServiceId(0)).map(|service| service.epoch),
            Some(1)
        );
    }

    #[test]
    fn twice_is_once_too_often() {
        let (a, mut b) = (Half::default(), Half::default());
        assert!(apply(&a, &mut b, 1, &[1, 1]).is_none());
        let mut half = b.lend();
        half.begin(&a.view(), 2);
        half.apply_begin();
        half.apply_sweep();
        assert!(half
            .put_service(service_key(17), ServiceOptions::default())
            .is_ok());
        let again = half.put_service(service_key(17), ServiceOptions::default());
        assert_eq!(again.err(), Some(ConfigError::Exists));
    }
}
