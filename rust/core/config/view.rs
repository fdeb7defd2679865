// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Reading a half of the configuration table.

use super::{spread, Backend, BackendId, Header, Service, ServiceId, ServiceKey, Vip};

/// A half of the configuration table, read-only: what engines use for a burst.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// Numbers of the half.
    pub header: &'a Header,
    /// [`MAX_SERVICES`](super::MAX_SERVICES) elements.
    pub services: &'a [Service],
    /// [`MAX_BACKENDS`](super::MAX_BACKENDS) elements.
    pub backends: &'a [Backend],
    /// [`INDEX_LEN`](super::INDEX_LEN) elements.
    pub index: &'a [u16],
    /// [`VIPS_LEN`](super::VIPS_LEN) elements.
    pub vips: &'a [Vip],
    /// [`MAX_SLOTS`](super::MAX_SLOTS) elements.
    pub slots: &'a [u16],
}

impl<'a> View<'a> {
    /// The service of `protocol` (IP protocol number), `addr` and `port` (host byte order).
    #[inline]
    pub fn lookup(
        &self,
        protocol: u8,
        addr: [u8; 4],
        port: u16,
    ) -> Option<(ServiceId, &'a Service)> {
        let key = ServiceKey {
            protocol,
            addr,
            port,
        };
        let start = spread(u32::from_be_bytes(addr), port, protocol, self.index.len());
        for step in 0..self.index.len() {
            let at = start.wrapping_add(step) & self.index.len().wrapping_sub(1);
            let place = self.index.get(at)?.checked_sub(1)?;
            let service = self.services.get(usize::from(place))?;
            if service.key == key {
                return Some((ServiceId(place), service));
            }
        }
        None
    }

    #[inline]
    fn vip(&self, addr: [u8; 4]) -> Option<&'a Vip> {
        let addr = u32::from_be_bytes(addr);
        let start = spread(addr, 0, 0, self.vips.len());
        for step in 0..self.vips.len() {
            let vip = self
                .vips
                .get(start.wrapping_add(step) & self.vips.len().wrapping_sub(1))?;
            if vip.addr == 0 {
                return None;
            }
            if vip.addr == addr {
                return Some(vip);
            }
        }
        None
    }

    /// Whether a service has this address.
    #[inline]
    pub fn is_vip(&self, addr: [u8; 4]) -> bool {
        self.vip(addr).is_some()
    }

    /// Whether the switch answers ARP for this address.
    #[inline]
    pub fn announces(&self, addr: [u8; 4]) -> bool {
        self.vip(addr).is_some_and(|vip| vip.announce)
    }

    /// All addresses the switch answers ARP for, each once.
    pub fn announced(&self) -> impl Iterator<Item = [u8; 4]> + 'a {
        let vips = self.vips;
        vips.iter()
            .filter(|vip| vip.addr != 0 && vip.announce)
            .map(|vip| vip.addr.to_be_bytes())
    }

    /// The service at a place, if there is one.
    #[inline]
    pub fn service(&self, id: ServiceId) -> Option<&'a Service> {
        self.services
            .get(usize::from(id.0))
            .filter(|service| service.used)
    }

    /// The backend at a place, if there is one.
    #[inline]
    pub fn backend(&self, id: BackendId) -> Option<&'a Backend> {
        self.backends
            .get(usize::from(id.0))
            .filter(|backend| backend.used)
    }

    /// All services with their places, in order of place.
    pub fn iter(&self) -> impl Iterator<Item = (ServiceId, &'a Service)> {
        let services = self.services;
        services
            .iter()
            .enumerate()
            .filter(|(_, service)| service.used)
            .map(|(place, service)| (ServiceId(place as u16), service))
    }

    /// The backends of a service, in the order they were added.
    pub fn backends_of(&self, id: ServiceId) -> BackendsOf<'a> {
        let next = self.service(id).map_or(0, |service| service.first);
        BackendsOf {
            backends: self.backends,
            next,
            left: self.service(id).map_or(0, |service| service.backends),
        }
    }

    /// The backend of a service with this address and port (host byte order).
    pub fn find_backend(
        &self,
        id: ServiceId,
        addr: [u8; 4],
        port: u16,
    ) -> Option<(BackendId, &'a Backend)> {
        self.backends_of(id)
            .find(|(_, backend)| backend.addr == addr && backend.port == port)
    }

    /// The slot list of a service: places of backends. For `lc` each backend with a weight above
    /// zero once.
    #[inline]
    pub fn slots(&self, service: &Service) -> &'a [u16] {
        let start = service.slots_start as usize;
        let end = start.saturating_add(service.slots_len as usize);
        self.slots.get(start..end).unwrap_or(&[])
    }
}

/// The backends of a service. Made by [`View::backends_of`].
#[derive(Clone, Debug)]
pub struct BackendsOf<'a> {
    backends: &'a [Backend],
    next: u16,
    left: u16,
}

impl<'a> Iterator for BackendsOf<'a> {
    type Item = (BackendId, &'a Backend);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let place = self.next.checked_sub(1)?;
        let backend = self.backends.get(usize::from(place))?;
        self.next = backend.next;
        Some((BackendId(place), backend))
    }
}
