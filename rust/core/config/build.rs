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

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_config))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::{service_key, Half, SERVER, VIP};
    use super::super::{Mode, Scheduler, ServiceOptions};
    use super::*;

    /// A half of one service with two backends.
    fn half() -> Half {
        let mut half = Half::default();
        let before = Half::default();
        let mut change = half.lend();
        change.begin(&before.view(), 1);
        assert!(change
            .service_add(service_key(6), ServiceOptions::default())
            .is_ok());
        assert!(change.backend_add(service_key(6), SERVER.0, 80, 2).is_ok());
        assert!(change.backend_add(service_key(6), SERVER.0, 81, 1).is_ok());
        assert!(change.finish(&before.view()).is_ok());
        half
    }

    #[test]
    fn what_was_added_is_found() -> Result<(), ()> {
        let half = half();
        let view = half.view();
        let (id, service) = view.lookup(6, VIP.0, VIP.1).ok_or(())?;
        assert_eq!(
            (service.params.timeout, service.params.announce),
            (900, true)
        );
        assert_eq!(
            (service.backends, service.slots(), service.epoch),
            (2, 3, 1)
        );
        assert!(view.lookup(17, VIP.0, VIP.1).is_none());
        assert!(view.lookup(6, VIP.0, 81).is_none());
        assert!(view.is_vip(VIP.0) && view.announces(VIP.0) && !view.is_vip(SERVER.0));
        assert_eq!(view.backends_of(id).count(), 2);
        assert_eq!(
            view.find_backend(id, SERVER.0, 81).map(|found| found.0),
            Some(BackendId(1))
        );
        assert_eq!(view.slots(service), [0, 1, 0]);
        assert_eq!(
            (
                view.header.services,
                view.header.backends,
                view.header.slots
            ),
            (1, 2, 3)
        );
        Ok(())
    }

    #[test]
    fn refusals() {
        let mut half = half();
        let mut change = half.lend();
        let key = service_key(6);
        let none = ServiceOptions::default();
        let add = |change: &mut HalfMut<'_>, key| change.service_add(key, none).err();
        assert_eq!(add(&mut change, key), Some(ConfigError::Exists));
        let bad = ServiceKey { protocol: 1, ..key };
        assert_eq!(add(&mut change, bad), Some(ConfigError::BadProtocol));
        let bad = ServiceKey {
            addr: [127, 0, 0, 1],
            ..key
        };
        assert_eq!(add(&mut change, bad), Some(ConfigError::BadAddress));
        let bad = ServiceKey { port: 0, ..key };
        assert_eq!(add(&mut change, bad), Some(ConfigError::PortZero));
        let long = ServiceOptions {
            timeout: Some(0),
            ..none
        };
        assert_eq!(
            change.service_set(key, long).err(),
            Some(ConfigError::TimeoutRange)
        );
        let direct = ServiceOptions {
            mode: Some(Mode::Dr),
            ..none
        };
        assert_eq!(
            change.service_set(key, direct).err(),
            Some(ConfigError::DrPort)
        );
        let absent = service_key(17);
        assert_eq!(
            change.service_del(absent).err(),
            Some(ConfigError::ServiceNotFound)
        );
        let backend = |change: &mut HalfMut<'_>, addr, port, weight| {
            change.backend_add(key, addr, port, weight).err()
        };
        assert_eq!(
            backend(&mut change, SERVER.0, 80, 1),
            Some(ConfigError::Exists)
        );
        assert_eq!(
            backend(&mut change, SERVER.0, 0, 1),
            Some(ConfigError::PortZero)
        );
        assert_eq!(
            backend(&mut change, [224, 0, 0, 1], 1, 1),
            Some(ConfigError::BadAddress)
        );
        assert_eq!(
            backend(&mut change, SERVER.0, 9, 65_536),
            Some(ConfigError::WeightRange)
        );
        assert_eq!(
            backend(&mut change, VIP.0, VIP.1, 1),
            Some(ConfigError::BackendIsVip)
        );
        let set = change.backend_set(key, SERVER.0, 9, 1);
        assert_eq!(set.err(), Some(ConfigError::BackendNotFound));
        let deleted = change.backend_del(key, SERVER.0, 9);
        assert_eq!(deleted.err(), Some(ConfigError::BackendNotFound));
    }

    #[test]
    fn full_tables() {
        let mut half = half();
        let mut change = half.lend();
        for port in 90..96 {
            let added = change.backend_add(service_key(6), SERVER.0, port, 1);
            assert!(added.is_ok());
        }
        let added = change.backend_add(service_key(6), SERVER.0, 99, 1);
        assert_eq!(added.err(), Some(ConfigError::BackendsFull));
        for port in 81..84 {
            let key = ServiceKey {
                port,
                ..service_key(6)
            };
            assert!(change.service_add(key, ServiceOptions::default()).is_ok());
        }
        let added = change.service_add(service_key(17), ServiceOptions::default());
        assert_eq!(added.err(), Some(ConfigError::ServicesFull));
        assert!(change
            .backend_set(service_key(6), SERVER.0, 80, 999)
            .is_ok());
        assert_eq!(
            change.finish(&Half::default().view()).err(),
            Some(ConfigError::SlotsFull)
        );
    }

    #[test]
    fn generations_tell_what_changed() {
        let active = half();
        let mut standby = Half::default();
        let mut change = standby.lend();
        change.begin(&active.view(), 2);
        let least = ServiceOptions {
            scheduler: Some(Scheduler::Lc),
            ..Default::default()
        };
        assert!(change
            .service_set(service_key(6), ServiceOptions::default())
            .is_ok());
        assert!(change.service_add(service_key(17), least).is_ok());
        let summary = change.finish(&active.view());
        assert_eq!(summary, Ok(Summary { slots_moved: 0 }));
        let generations = |half: &Half| -> (u64, u64) {
            let of = |protocol| {
                half.view()
                    .lookup(protocol, VIP.0, VIP.1)
                    .map_or(0, |found| found.1.generation)
            };
            (of(6), of(17))
        };
        assert_eq!(generations(&standby), (1, 2));
        let mut change = standby.lend();
        change.begin(&active.view(), 3);
        assert!(change.backend_del(service_key(6), SERVER.0, 80).is_ok());
        assert_eq!(
            change.finish(&active.view()),
            Ok(Summary { slots_moved: 2 })
        );
        assert_eq!(generations(&standby), (3, 0));
        assert_eq!(standby.view().backends_of(ServiceId(0)).count(), 1);
    }
}
