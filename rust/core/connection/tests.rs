// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Tests of making and removing connections.

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_connection))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod cases {
    use super::super::super::config::{BackendId, Mode, ServiceId};
    use super::super::super::fake::{Table, TestAtom, CLIENT, SERVER, VIP};
    use super::super::entry::Hit;
    use super::super::key::{raw_addrs, Key};
    use super::super::make::{NewConnection, Refused};
    use super::super::stash::Stash;
    use super::super::table::Connections;
    use super::super::tcp_state::State;

    fn new(client_port: u16, now: u32) -> NewConnection {
        let key = Key::new(6, (CLIENT.0, client_port), VIP);
        NewConnection {
            key,
            hash: Table::default().lend().secret.hash(key),
            service: ServiceId(3),
            backend: BackendId(5),
            epoch: 9,
            to: SERVER,
            mode: Mode::Nat,
            generation: 77,
            state: State::SynSent,
            now,
        }
    }

    fn back(client_port: u16) -> Key {
        Key::new(6, SERVER, (CLIENT.0, client_port))
    }

    fn find<'a>(table: &Connections<'a, TestAtom>, key: Key) -> Option<Hit<'a, TestAtom>> {
        table.find(key, table.secret.hash(key))
    }

    #[test]
    fn both_directions() -> Result<(), ()> {
        let (table, mut stash) = (Table::default(), Stash::default());
        let table = table.lend();
        let new = new(1, 10);
        assert!(find(&table, new.key).is_none());
        assert!(table.insert(&mut stash, &new).is_ok());
        let hit = find(&table, new.key).ok_or(())?;
        assert!(!hit.is_reply());
        assert_eq!((hit.service(), hit.backend()), (ServiceId(3), BackendId(5)));
        assert_eq!(hit.rewrite.addrs, raw_addrs(CLIENT.0, SERVER.0));
        assert_eq!(table.life(&hit).epoch(), 9);
        let reply = find(&table, back(1)).ok_or(())?;
        assert!(reply.is_reply());
        assert_eq!(reply.rewrite.addrs, raw_addrs(VIP.0, CLIENT.0));
        assert_eq!(table.life(&reply), table.life(&hit));
        assert_eq!(table.insert(&mut stash, &new).err(), Some(Refused::Exists));
        Ok(())
    }

    #[test]
    fn a_removed_one_is_gone() -> Result<(), ()> {
        let (table, mut stash) = (Table::default(), Stash::default());
        let table = table.lend();
        let made = table.insert(&mut stash, &new(1, 10));
        let hit = made.map_err(|_| ())?;
        let reply = find(&table, back(1)).ok_or(())?;
        assert!(table.remove(&mut stash, &reply));
        assert!(!table.remove(&mut stash, &hit));
        assert!(find(&table, hit_key(1)).is_none());
        assert!(find(&table, back(1)).is_none());
        // Who still holds what it read cannot change what comes after it.
        assert!(table.insert(&mut stash, &new(1, 11)).is_ok());
        assert!(!table.remove(&mut stash, &hit));
        table.close(&hit);
        hit.set_hop(1, 2);
        let again = find(&table, hit_key(1)).ok_or(())?;
        assert_eq!(table.life(&again).state(), State::SynSent);
        assert!(again.entry.hop(again.version, 1).is_none());
        Ok(())
    }

    fn hit_key(client_port: u16) -> Key {
        new(client_port, 0).key
    }

    #[test]
    fn full_and_refilled() -> Result<(), ()> {
        let (table, mut stash) = (Table::default(), Stash::default());
        let table = table.lend();
        for round in 0..100u16 {
            for port in 1..=7 {
                assert!(table.insert(&mut stash, &new(port, 0)).is_ok());
            }
            assert_eq!(
                table.insert(&mut stash, &new(8, 0)).err(),
                Some(Refused::Full)
            );
            for port in 1..=7 {
                let hit = find(&table, hit_key(port)).ok_or(())?;
                assert!(table.remove(&mut stash, &hit));
            }
            if round & 1 == 0 {
                stash.release(table.free, table.entries);
            }
        }
        for bucket in table.buckets {
            assert_eq!(bucket.used(), 0);
        }
        Ok(())
    }

    #[test]
    fn a_server_has_one_reply_for_a_client_port() {
        let (table, mut stash) = (Table::default(), Stash::default());
        let table = table.lend();
        assert!(table.insert(&mut stash, &new(1, 0)).is_ok());
        let key = Key::new(6, (CLIENT.0, 1), ([192, 0, 2, 2], 80));
        let other = NewConnection {
            key,
            hash: table.secret.hash(key),
            ..new(1, 0)
        };
        assert_eq!(
            table.insert(&mut stash, &other).err(),
            Some(Refused::Conflict)
        );
        assert!(find(&table, key).is_none());
        let direct = NewConnection {
            mode: Mode::Dr,
            ..other
        };
        assert!(table.insert(&mut stash, &direct).is_ok());
    }

    #[test]
    fn what_is_remembered_of_the_way() -> Result<(), ()> {
        let (table, mut stash) = (Table::default(), Stash::default());
        let table = table.lend();
        let hit = table.insert(&mut stash, &new(1, 10)).map_err(|_| ())?;
        for stamp in [0, 1, u32::MAX, 0u32.wrapping_sub(hit.version as u32)] {
            let slot = hit.entry.hop(hit.version, stamp);
            assert!(slot.is_none() || slot == Some(u32::MAX));
        }
        hit.set_hop(5, 1234);
        assert_eq!(hit.entry.hop(hit.version, 5), Some(1234));
        assert!(hit.entry.hop(hit.version, 6).is_none());
        Ok(())
    }
}
