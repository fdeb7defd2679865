// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Tests of building a half of the configuration table.

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_config))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod cases {
    use super::super::super::fake::{service_key, Half, SERVER, VIP};
    use super::super::build::{HalfMut, Summary};
    use super::super::error::ConfigError;
    use super::super::{BackendId, Mode, Scheduler, ServiceId, ServiceKey, ServiceOptions};

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
