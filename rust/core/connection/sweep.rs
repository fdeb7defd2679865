// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Forgetting connections that are over, and listing those that are not. Both run on the control
//! CPU.

use super::super::config::view::View;
use super::super::config::{BackendId, Mode, ServiceId};
use super::super::counters::Lane;
use super::super::env::Atom;
use super::entry::{generation_of, Entry};
use super::key::{Endpoint, Key};
use super::stash::Stash;
use super::table::Connections;
use super::tcp_state::{Life, State};

/// Seconds without a packet after which a connection whose backend is gone is forgotten.
const GONE: u32 = 60;

/// A connection as a user sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// IP protocol number.
    pub protocol: u8,
    /// Address and port of the client.
    pub client: Endpoint,
    /// Virtual address and port.
    pub vip: Endpoint,
    /// Address and port of the backend.
    pub to: Endpoint,
    /// State.
    pub state: State,
    /// What is rewritten.
    pub mode: Mode,
    /// Generation that made it.
    pub generation: u64,
    /// Seconds until it is forgotten when nothing more comes.
    pub expires: u32,
    /// Place of the service in the tables when it was made.
    pub service: ServiceId,
    /// Place of the backend in the tables when it was made.
    pub backend: BackendId,
}

/// What [`Connections::sweep`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Pairs looked at.
    pub visited: u32,
    /// Connections removed.
    pub removed: u32,
}

struct Pair {
    version: u64,
    key: Key,
    back: Key,
    life: Life,
    generation: u64,
    seen: u32,
}

impl<A: Atom> Connections<'_, A> {
    /// Reads a pair whose connection is complete.
    fn pair(&self, pair: u32, now: u32) -> Option<Pair> {
        let index = (pair as usize).wrapping_mul(2);
        let (original, reply) = (
            self.entries.get(index)?,
            self.entries.get(index.wrapping_add(1))?,
        );
        let version = original.version.load_acquire();
        if !Entry::<A>::in_use(version) {
            return None;
        }
        let (key, back) = (original.key(), reply.key());
        let life = Life(original.life.load_acquire());
        let generation = generation_of(reply.life.load_acquire());
        let seen = later(
            original.seen.load_acquire() as u32,
            reply.seen.load_acquire() as u32,
            now,
        );
        if original.version.load() != version || life.is_building() {
            return None;
        }
        Some(Pair {
            version,
            key,
            back,
            life,
            generation,
            seen,
        })
    }

    /// Seconds a connection may be idle.
    fn patience(&self, pair: &Pair, config: &View<'_>) -> u32 {
        let backend = config.backend(BackendId((pair.version >> 32) as u16));
        let service = backend
            .filter(|backend| backend.epoch == pair.life.epoch())
            .and_then(|backend| config.service(backend.service));
        match service {
            Some(service) => pair.life.state().timeout(service.params.timeout),
            None => pair.life.state().timeout(GONE).min(GONE),
        }
    }

    /// Looks at the next pairs from `cursor` on, at most `budget`, and removes the connections that
    /// are over.
    ///
    /// `lane` and `stash` belong to the caller. It holds locks of buckets: call it with preemption
    /// disabled, and so with a modest budget. The cursor goes round; a visit shorter than the
    /// budget has reached the end.
    pub fn sweep(
        &self,
        config: &View<'_>,
        lane: &Lane<'_, A>,
        stash: &mut Stash,
        now: u32,
        cursor: &mut u32,
        budget: u32,
    ) -> Swept {
        let end = self.free.end();
        let mut swept = Swept::default();
        while swept.visited < budget && *cursor < end {
            let place = *cursor;
            *cursor = cursor.saturating_add(1);
            swept.visited = swept.visited.saturating_add(1);
            let Some(pair) = self.pair(place, now) else {
                continue;
            };
            if now.wrapping_sub(pair.seen) < self.patience(&pair, config) {
                continue;
            }
            if self.remove_pair(stash, place, pair.version) {
                lane.connection_removed(BackendId((pair.version >> 32) as u16));
                swept.removed = swept.removed.saturating_add(1);
            }
        }
        if *cursor >= end {
            *cursor = 0;
        }
        stash.release(self.free, self.entries);
        swept
    }

    /// The next connection at or after `cursor`, which moves behind it. Begin with 0.
    pub fn list(&self, config: &View<'_>, now: u32, cursor: &mut u32) -> Option<ConnectionInfo> {
        let end = self.free.end();
        while *cursor < end {
            let place = *cursor;
            *cursor = cursor.saturating_add(1);
            let Some(pair) = self.pair(place, now) else {
                continue;
            };
            let idle = now.wrapping_sub(pair.seen);
            return Some(ConnectionInfo {
                protocol: pair.key.protocol(),
                client: pair.key.source(),
                vip: pair.key.dest(),
                to: pair.back.source(),
                state: pair.life.state(),
                mode: if pair.life.is_direct() {
                    Mode::Dr
                } else {
                    Mode::Nat
                },
                generation: pair.generation,
                expires: self.patience(&pair, config).saturating_sub(idle),
                service: ServiceId((pair.version >> 48) as u16),
                backend: BackendId((pair.version >> 32) as u16),
            });
        }
        None
    }
}

/// The later of two seconds, neither after `now` (an engine's clock may be a moment ahead of the
/// caller's).
fn later(a: u32, b: u32, now: u32) -> u32 {
    let age = |second: u32| match now.wrapping_sub(second) {
        ahead if ahead > u32::MAX >> 1 => 0,
        age => age,
    };
    now.wrapping_sub(age(a).min(age(b)))
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_sweep))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::super::super::fake::{
        service_key, Counters, Half, Table, TestAtom, CLIENT, SERVER, VIP,
    };
    use super::super::make::NewConnection;
    use super::*;

    fn insert(table: &Connections<'_, TestAtom>, stash: &mut Stash, epoch: u32) {
        let key = Key::new(17, (CLIENT.0, epoch as u16), VIP);
        let new = NewConnection {
            key,
            hash: table.secret.hash(key),
            service: ServiceId(0),
            backend: BackendId(0),
            epoch,
            to: SERVER,
            mode: Mode::Nat,
            generation: 1,
            state: State::Established,
            now: 100,
        };
        assert!(table.insert(stash, &new).is_ok());
    }

    #[test]
    fn connections_end_when_it_is_time() {
        let (mut half, before) = (Half::default(), Half::default());
        let mut change = half.lend();
        change.begin(&before.view(), 1);
        assert!(change
            .service_add(service_key(17), Default::default())
            .is_ok());
        assert!(change
            .backend_add(service_key(17), SERVER.0, SERVER.1, 1)
            .is_ok());
        assert!(change.finish(&before.view()).is_ok());
        let (table, counters, mut stash) =
            (Table::default(), Counters::default(), Stash::default());
        let (table, config, lane) = (table.lend(), half.view(), counters.lane());
        // One of the backend that is there, one of another that was in its place.
        insert(&table, &mut stash, 1);
        insert(&table, &mut stash, 2);
        let mut cursor = 0;
        let first = table.list(&config, 110, &mut cursor);
        assert!(first.is_some_and(|info| info.expires == 290 || info.expires == 50));
        assert!(table.list(&config, 110, &mut cursor).is_some());
        assert!(table.list(&config, 110, &mut cursor).is_none());
        for (now, removed) in [
            (100, 0),
            (99, 0),
            (159, 0),
            (160, 1),
            (399, 0),
            (400, 1),
            (500, 0),
        ] {
            let mut cursor = 0;
            let swept = table.sweep(&config, &lane, &mut stash, now, &mut cursor, 100);
            assert_eq!(swept.removed, removed);
        }
        assert!(table.list(&config, 500, &mut 0).is_none());
        assert!(stash.is_empty());
    }

    #[test]
    fn a_clock_that_wraps() {
        assert_eq!(later(u32::MAX, 5, 7), 5);
        assert_eq!(later(5, u32::MAX, 7), 5);
        assert_eq!(later(8, 3, 7), 7);
        assert_eq!(later(u32::MAX, u32::MAX, 1), u32::MAX);
    }
}
