// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Changes of the standby half: single services and backends.

use super::super::wire::ipv4;
use super::build::HalfMut;
use super::error::ConfigError;
use super::{
    Backend, BackendId, Mode, Service, ServiceId, ServiceKey, ServiceOptions, ServiceParams,
    MAX_TIMEOUT, MAX_WEIGHT,
};

impl HalfMut<'_> {
    /// Adds a service.
    pub fn service_add(
        &mut self,
        key: ServiceKey,
        options: ServiceOptions,
    ) -> Result<ServiceId, ConfigError> {
        if key.protocol != ipv4::IPPROTO_TCP && key.protocol != ipv4::IPPROTO_UDP {
            return Err(ConfigError::BadProtocol);
        }
        check_endpoint(key.addr, key.port)?;
        let params = options.over(ServiceParams::for_protocol(key.protocol));
        check_params(params)?;
        if self.find_service(key).is_some() {
            return Err(ConfigError::Exists);
        }
        let count = self.services.len();
        let place = (0..count)
            .map(|step| {
                usize::from(self.header.next_service).wrapping_add(step) & count.wrapping_sub(1)
            })
            .find(|place| {
                self.services
                    .get(*place)
                    .is_some_and(|service| !service.used)
            })
            .ok_or(ConfigError::ServicesFull)?;
        let service = self
            .services
            .get_mut(place)
            .ok_or(ConfigError::ServicesFull)?;
        *service = Service {
            key,
            params,
            generation: self.header.generation,
            epoch: self.header.generation as u32,
            used: true,
            seen: true,
            ..Service::default()
        };
        self.header.services = self.header.services.saturating_add(1);
        self.header.next_service = place.wrapping_add(1) as u16;
        let id = ServiceId(place as u16);
        self.index_insert(id);
        Ok(id)
    }

    /// Changes the parameters of a service.
    pub fn service_set(
        &mut self,
        key: ServiceKey,
        options: ServiceOptions,
    ) -> Result<ServiceId, ConfigError> {
        let id = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        let generation = self.header.generation;
        let old = self
            .view()
            .service(id)
            .ok_or(ConfigError::ServiceNotFound)?
            .params;
        let params = options.over(old);
        check_params(params)?;
        if params.mode == Mode::Dr
            && self
                .view()
                .backends_of(id)
                .any(|(_, backend)| backend.port != key.port)
        {
            return Err(ConfigError::DrPort);
        }
        let service = self.service_mut(id).ok_or(ConfigError::ServiceNotFound)?;
        service.params = params;
        service.seen = true;
        if params != old {
            service.generation = generation;
        }
        Ok(id)
    }

    /// Deletes a service with its backends.
    pub fn service_del(&mut self, key: ServiceKey) -> Result<(), ConfigError> {
        let id = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        self.remove_service(id);
        self.reindex();
        Ok(())
    }

    /// Adds a backend to the service `key`. The port is in host byte order.
    pub fn backend_add(
        &mut self,
        key: ServiceKey,
        addr: [u8; 4],
        port: u16,
        weight: u32,
    ) -> Result<BackendId, ConfigError> {
        let id = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        check_endpoint(addr, port)?;
        let weight = check_weight(weight)?;
        let service = *self
            .view()
            .service(id)
            .ok_or(ConfigError::ServiceNotFound)?;
        if service.params.mode == Mode::Dr && port != key.port {
            return Err(ConfigError::DrPort);
        }
        if addr == key.addr && port == key.port {
            return Err(ConfigError::BackendIsVip);
        }
        if self.view().find_backend(id, addr, port).is_some() {
            return Err(ConfigError::Exists);
        }
        let count = self.backends.len();
        let place = (0..count)
            .map(|step| {
                usize::from(self.header.next_backend).wrapping_add(step) & count.wrapping_sub(1)
            })
            .find(|place| {
                self.backends
                    .get(*place)
                    .is_some_and(|backend| !backend.used)
            })
            .ok_or(ConfigError::BackendsFull)?;
        let generation = self.header.generation;
        let backend = self
            .backends
            .get_mut(place)
            .ok_or(ConfigError::BackendsFull)?;
        *backend = Backend {
            service: id,
            addr,
            port,
            weight,
            epoch: generation as u32,
            used: true,
            seen: true,
            ..Backend::default()
        };
        let link = place.wrapping_add(1) as u16;
        match service
            .last
            .checked_sub(1)
            .and_then(|last| self.backends.get_mut(usize::from(last)))
        {
            Some(last) => last.next = link,
            None => {
                if let Some(service) = self.service_mut(id) {
                    service.first = link;
                }
            }
        }
        if let Some(service) = self.service_mut(id) {
            service.last = link;
            service.backends = service.backends.saturating_add(1);
            service.generation = generation;
        }
        self.header.backends = self.header.backends.saturating_add(1);
        self.header.next_backend = link;
        Ok(BackendId(place as u16))
    }

    /// Changes the weight of a backend.
    pub fn backend_set(
        &mut self,
        key: ServiceKey,
        addr: [u8; 4],
        port: u16,
        weight: u32,
    ) -> Result<BackendId, ConfigError> {
        let service = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        let weight = check_weight(weight)?;
        let id = self
            .view()
            .find_backend(service, addr, port)
            .ok_or(ConfigError::BackendNotFound)?
            .0;
        let backend = self
            .backends
            .get_mut(usize::from(id.0))
            .ok_or(ConfigError::BackendNotFound)?;
        let changed = backend.weight != weight;
        backend.weight = weight;
        backend.seen = true;
        let generation = self.header.generation;
        if let Some(service) = self.service_mut(service).filter(|_| changed) {
            service.generation = generation;
        }
        Ok(id)
    }

    /// Deletes a backend; its connections end with a reset.
    pub fn backend_del(
        &mut self,
        key: ServiceKey,
        addr: [u8; 4],
        port: u16,
    ) -> Result<(), ConfigError> {
        let service = self.find_service(key).ok_or(ConfigError::ServiceNotFound)?;
        let id = self
            .view()
            .find_backend(service, addr, port)
            .ok_or(ConfigError::BackendNotFound)?
            .0;
        self.retain_backends(service, |place, _| place != id.0);
        Ok(())
    }

    /// Removes a service and its backends; the index must be rebuilt afterwards.
    pub(super) fn remove_service(&mut self, id: ServiceId) {
        self.retain_backends(id, |_, _| false);
        if let Some(service) = self.service_mut(id) {
            *service = Service::default();
            self.header.services = self.header.services.saturating_sub(1);
        }
    }

    /// Keeps only the backends of a service that were seen.
    pub(super) fn retain_seen(&mut self, id: ServiceId) {
        self.retain_backends(id, |_, backend| backend.seen);
    }

    /// Keeps only the backends of a service that `keep` wants.
    fn retain_backends(&mut self, id: ServiceId, keep: impl Fn(u16, &Backend) -> bool) {
        let Some(service) = self.view().service(id).copied() else {
            return;
        };
        let (mut first, mut last, mut kept, mut next) = (0u16, 0u16, 0u16, service.first);
        while let Some(place) = next.checked_sub(1) {
            let Some(backend) = self.backends.get_mut(usize::from(place)) else {
                break;
            };
            next = backend.next;
            if !keep(place, backend) {
                *backend = Backend::default();
                self.header.backends = self.header.backends.saturating_sub(1);
                continue;
            }
            backend.next = 0;
            kept = kept.saturating_add(1);
            let link = place.wrapping_add(1);
            match last
                .checked_sub(1)
                .and_then(|last| self.backends.get_mut(usize::from(last)))
            {
                Some(before) => before.next = link,
                None => first = link,
            }
            last = link;
        }
        let generation = self.header.generation;
        if let Some(service) = self.service_mut(id) {
            if service.backends != kept {
                service.generation = generation;
            }
            (service.first, service.last, service.backends) = (first, last, kept);
        }
    }
}

fn check_endpoint(addr: [u8; 4], port: u16) -> Result<(), ConfigError> {
    if !ipv4::is_unicast(addr) {
        return Err(ConfigError::BadAddress);
    }
    if port == 0 {
        return Err(ConfigError::PortZero);
    }
    Ok(())
}

fn check_params(params: ServiceParams) -> Result<(), ConfigError> {
    if params.timeout == 0 || params.timeout > MAX_TIMEOUT {
        return Err(ConfigError::TimeoutRange);
    }
    Ok(())
}

fn check_weight(weight: u32) -> Result<u16, ConfigError> {
    if weight > MAX_WEIGHT {
        return Err(ConfigError::WeightRange);
    }
    Ok(weight as u16)
}
