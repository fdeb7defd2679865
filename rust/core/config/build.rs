// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Changing the standby half of the configuration table.
//!
//! Every change is the same five steps: lend the standby half, [`HalfMut::begin`] with the number
//! of the new generation, change, [`HalfMut::finish`], publish. After an error the half is
//! unfinished: do not publish it, begin again.

use super::super::schedule::wrr;
use super::error::ConfigError;
use super::view::View;
use super::{spread, Backend, BackendId, Header, Service, ServiceId, ServiceKey, Vip};

/// What [`HalfMut::finish`] tells about a built half.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Slots that have another backend than in the previous half, or that it did not have; the order
    /// of the slots of a service does not count.
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
            let old = previous
                .service(id)
                .filter(|old| old.epoch == service.epoch);
            let before = old.map_or(&[][..], |old| previous.slots(old));
            let kept = self.slots_kept(before, previous);
            moved = moved.saturating_add(len.max(before.len()).saturating_sub(kept) as u64);
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

    /// Counts the slots of a list of the previous half whose backends have them still, in whatever
    /// order.
    fn slots_kept(&mut self, before: &[u16], previous: &View<'_>) -> usize {
        let same = |place: u16, backend: &Backend| {
            let old = previous.backend(BackendId(place));
            backend.used && old.is_some_and(|old| old.epoch == backend.epoch)
        };
        for place in before {
            if let Some(backend) = self.backends.get_mut(usize::from(*place)) {
                backend.credit = if same(*place, backend) {
                    backend.share as i32
                } else {
                    0
                };
            }
        }
        let mut kept = 0usize;
        for place in before {
            if let Some(backend) = self.backends.get_mut(usize::from(*place)) {
                if backend.credit > 0 {
                    backend.credit = backend.credit.saturating_sub(1);
                    kept = kept.saturating_add(1);
                }
            }
        }
        kept
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

    pub(super) fn index_insert(&mut self, id: ServiceId) {
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
