// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Changing the standby half of the configuration table.
//!
//! Every change is the same five steps: lend the standby half, [`HalfMut::begin`] with the number
//! of the new generation, change, [`HalfMut::finish`], publish. After an error the half is
//! unfinished: do not publish it, begin again.

use super::super::schedule::wrr;
use super::super::wire::ipv4;
use super::error::ConfigError;
use super::view::View;
use super::{
    spread, Backend, BackendId, Header, Mode, Service, ServiceId, ServiceKey, ServiceOptions,
    ServiceParams, Vip, MAX_TIMEOUT, MAX_WEIGHT,
};

/// What [`HalfMut::finish`] tells about a built half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Slots whose backend differs from the previous half.
    pub slots_moved: u64,
}

/// The standby half of the configuration table, while it is built. All elements of zero are an
/// empty half.
#[derive(Debug)]
pub struct HalfMut<'a> {
    /// Numbers of the half.
    pub header: &'a mut Header,
    /// [`MAX_SERVICES`](super::MAX_SERVICES) elements.
    pub services: &'a mut [Service],
    /// [`MAX_BACKENDS`](super::MAX_BACKENDS) elements.
    pub backends: &'a mut [Backend],
    /// [`INDEX_LEN`](super::INDEX_LEN) elements.
    pub index: &'a mut [u16],
    /// [`VIPS_LEN`](super::VIPS_LEN) elements.
    pub vips: &'a mut [Vip],
    /// [`MAX_SLOTS`](super::MAX_SLOTS) elements.
    pub slots: &'a mut [u16],
}

impl HalfMut<'_> {
    /// The half as engines would read it.
    pub fn view(&self) -> View<'_> {
        View {
            header: self.header,
            services: self.services,
            backends: self.backends,
            index: self.index,
            vips: self.vips,
            slots: self.slots,
        }
    }

    /// Makes the half a copy of `active` that is to become `generation`.
    ///
    /// The number must be above that of every generation that was ever published: it also tells a
    /// new object from an old one at the same place.
    pub fn begin(&mut self, active: &View<'_>, generation: u64) {
        copy(self.services, active.services);
        copy(self.backends, active.backends);
        copy(self.index, active.index);
        copy(self.vips, active.vips);
        copy(self.slots, active.slots);
        *self.header = *active.header;
        self.header.generation = generation;
    }

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

    /// Computes the slot lists and makes the half ready to be published.
    ///
    /// `previous` is the half given to [`HalfMut::begin`], for counting what moved.
    pub fn finish(&mut self, previous: &View<'_>) -> Result<Summary, ConfigError> {
        let mut start = 0usize;
        let mut moved = 0u64;
        for place in 0..self.services.len() {
            let id = ServiceId(place as u16);
            let Some(service) = self
                .services
                .get(place)
                .filter(|service| service.used)
                .copied()
            else {
                continue;
            };
            let room = self.slots.get_mut(start..).unwrap_or(&mut []);
            let len = wrr::fill(service.params.scheduler, self.backends, service.first, room)
                .ok_or(ConfigError::SlotsFull)?;
            let filled = room.get(..len).unwrap_or(&[]);
            let old = previous
                .service(id)
                .filter(|old| old.epoch == service.epoch);
            moved = moved.saturating_add(count_moved(
                filled,
                old.map_or(&[], |old| previous.slots(old)),
            ));
            if let Some(service) = self.services.get_mut(place) {
                service.slots_start = start as u32;
                service.slots_len = len as u32;
                service.seen = false;
            }
            start = start.saturating_add(len);
        }
        for (_, old) in previous.iter().filter(|(id, old)| {
            !self
                .services
                .get(usize::from(id.0))
                .is_some_and(|now| now.used && now.epoch == old.epoch)
        }) {
            moved = moved.saturating_add(u64::from(old.slots_len));
        }
        self.header.slots = start as u32;
        self.rebuild_vips();
        Ok(Summary { slots_moved: moved })
    }

    pub(super) fn find_service(&self, key: ServiceKey) -> Option<ServiceId> {
        self.view()
            .lookup(key.protocol, key.addr, key.port)
            .map(|(id, _)| id)
    }

    pub(super) fn service_mut(&mut self, id: ServiceId) -> Option<&mut Service> {
        self.services
            .get_mut(usize::from(id.0))
            .filter(|service| service.used)
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

    fn index_insert(&mut self, id: ServiceId) {
        let Some(service) = self
            .services
            .get(usize::from(id.0))
            .filter(|service| service.used)
        else {
            return;
        };
        let key = service.key;
        let len = self.index.len();
        let start = spread(u32::from_be_bytes(key.addr), key.port, key.protocol, len);
        for step in 0..len {
            if let Some(element) = self
                .index
                .get_mut(start.wrapping_add(step) & len.wrapping_sub(1))
            {
                if *element == 0 {
                    *element = id.0.wrapping_add(1);
                    return;
                }
            }
        }
    }

    /// Makes the hash from keys to services anew.
    pub(super) fn reindex(&mut self) {
        self.index.fill(0);
        for place in 0..self.services.len() {
            self.index_insert(ServiceId(place as u16));
        }
    }

    fn rebuild_vips(&mut self) {
        self.vips.fill(Vip::default());
        let len = self.vips.len();
        for service in self.services.iter().filter(|service| service.used) {
            let addr = u32::from_be_bytes(service.key.addr);
            let start = spread(addr, 0, 0, len);
            for step in 0..len {
                let Some(vip) = self
                    .vips
                    .get_mut(start.wrapping_add(step) & len.wrapping_sub(1))
                else {
                    break;
                };
                if vip.addr == 0 || vip.addr == addr {
                    vip.addr = addr;
                    vip.announce |= service.params.announce;
                    break;
                }
            }
        }
    }
}

fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

fn count_moved(now: &[u16], before: &[u16]) -> u64 {
    let same = now
        .iter()
        .zip(before)
        .filter(|(now, before)| now == before)
        .count();
    now.len().max(before.len()).saturating_sub(same) as u64
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
