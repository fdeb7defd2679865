// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Making and removing connections, under the locks of their buckets.

use super::super::config::{BackendId, Mode, ServiceId};
use super::super::env::Atom;
use super::bucket::slot_word;
use super::entry::{reply_life, retired, Entry, Hit, Rewrite};
use super::key::{raw_addrs, raw_ports, Endpoint, Key};
use super::stash::Stash;
use super::table::Connections;
use super::tcp_state::{Life, State};

/// Slots of the first bucket that are filled before the second bucket is looked at.
const FIRST_CHOICE: usize = 4;

/// A connection to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewConnection {
    /// Key of the packets of the client.
    pub key: Key,
    /// Its hash.
    pub hash: u64,
    /// The service.
    pub service: ServiceId,
    /// The backend.
    pub backend: BackendId,
    /// Epoch of the backend.
    pub epoch: u32,
    /// Address and port of the backend.
    pub to: Endpoint,
    /// What is rewritten.
    pub mode: Mode,
    /// Generation of the configuration.
    pub generation: u64,
    /// State to begin with.
    pub state: State,
    /// Second of its first packet.
    pub now: u32,
}

/// Why a connection was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The client's direction is there already: look it up again.
    Exists,
    /// The reply direction belongs to another connection.
    Conflict,
    /// No pair of entries or no slot is left.
    Full,
}

impl<'a, A: Atom> Connections<'a, A> {
    /// Makes a connection: both directions for `nat`, one for `dr`.
    pub fn insert(&self, stash: &mut Stash, new: &NewConnection) -> Result<Hit<'a, A>, Refused> {
        let pair = stash.take(self.free, self.entries).ok_or(Refused::Full)?;
        let made = self.build(pair, new);
        if made.is_err() {
            stash.give(self.free, self.entries, pair);
        }
        made
    }

    fn build(&self, pair: u32, new: &NewConnection) -> Result<Hit<'a, A>, Refused> {
        let index = pair.wrapping_mul(2);
        let original = self.entries.get(index as usize).ok_or(Refused::Full)?;
        let reply = self
            .entries
            .get(index.wrapping_add(1) as usize)
            .ok_or(Refused::Full)?;
        let (client, vip, key) = (new.key.source(), new.key.dest(), new.key);
        let direct = new.mode == Mode::Dr;
        let rewrite = if direct {
            Rewrite::new(key, key.addrs, key.raw_ports())
        } else {
            Rewrite::new(
                key,
                raw_addrs(client.0, new.to.0),
                raw_ports(client.1, new.to.1),
            )
        };
        let back = Key::new(key.protocol(), new.to, client);
        let rewrite_back =
            Rewrite::new(back, raw_addrs(vip.0, client.0), raw_ports(vip.1, client.1));
        let tag = original.version.load() as u16;
        let life = Life::new(new.state, direct, tag, new.epoch);

        reply.fill(back, rewrite_back, new.now, reply_life(new.generation));
        original.fill(key, rewrite, new.now, life.0);
        if !direct {
            reply.publish(new.service, new.backend);
        }
        original.publish(new.service, new.backend);
        if let Err(refused) = self.link(index, key, new.hash) {
            self.retire(original, reply);
            return Err(refused);
        }
        if !direct {
            let linked = self.link_back(index.wrapping_add(1), back);
            if let Err(refused) = linked {
                self.retire(original, reply);
                self.unlink(index, new.hash);
                return Err(if refused == Refused::Exists {
                    Refused::Conflict
                } else {
                    refused
                });
            }
        }
        // Nobody removes it before it is complete, so it can be read; the next moment it may be gone.
        let hit = original.read(index, key).ok_or(Refused::Full)?;
        original.life.store_release(life.completed().0);
        Ok(hit)
    }

    /// Puts an entry in use into one of its buckets, unless another one with its key is there.
    fn link(&self, index: u32, key: Key, hash: u64) -> Result<(), Refused> {
        let (first, second) = self.both(hash).ok_or(Refused::Full)?;
        let (low, high) = if self.first(hash) < self.second(hash) {
            (first, second)
        } else {
            (second, first)
        };
        low.locked(|_| {
            high.locked(|_| {
                if self.is_taken(key, hash) {
                    return Err(Refused::Exists);
                }
                let word = slot_word(hash, index);
                let used = first.used();
                let balanced = used < FIRST_CHOICE || used <= second.used();
                let (one, other) = if balanced {
                    (first, second)
                } else {
                    (second, first)
                };
                let put = one.put(word) || other.put(word);
                if put {
                    Ok(())
                } else {
                    Err(Refused::Full)
                }
            })
        })
    }

    /// Puts the entry of the reply direction in use into one of its buckets. Another one with its key
    /// whose connection is being removed at this moment is waited for: its owner is not preempted.
    fn link_back(&self, index: u32, back: Key) -> Result<(), Refused> {
        let hash = self.secret.hash(back);
        loop {
            match self.link(index, back, hash) {
                Err(Refused::Exists) if self.is_leaving(back, hash) => ::core::hint::spin_loop(),
                result => return result,
            }
        }
    }

    /// Whether the reply entry with a key is gone, or will be in a moment, since the original entry
    /// of its pair is out of use.
    fn is_leaving(&self, back: Key, hash: u64) -> bool {
        let Some(hit) = self.find(back, hash) else {
            return true;
        };
        let in_use = self
            .entries
            .get(hit.index as usize & !1)
            .is_some_and(|original| Entry::<A>::in_use(original.version.load_acquire()));
        // The pair may have been given away since the reply entry was read.
        !in_use || hit.entry.version.load() != hit.version
    }

    /// Whether a connection has an entry with this key. One that is being removed, but whose reply
    /// entry is still in use, does not count.
    fn is_taken(&self, key: Key, hash: u64) -> bool {
        let taken = self.search(hash, |index| {
            self.read(index, key)?;
            Entry::<A>::in_use(self.entry(index & !1)?.version.load()).then_some(())
        });
        taken.is_some()
    }

    /// Takes an entry out of its bucket.
    fn unlink(&self, index: u32, hash: u64) {
        if let Some((first, second)) = self.both(hash) {
            if !first.locked(|bucket| bucket.clear(index)) {
                second.locked(|bucket| bucket.clear(index));
            }
        }
    }

    /// Takes both entries of a pair out of use.
    fn retire(&self, original: &Entry<A>, reply: &Entry<A>) {
        for entry in [original, reply] {
            let version = entry.version.load();
            if Entry::<A>::in_use(version) {
                entry.version.store_release(retired(version));
            }
        }
    }

    /// Removes a connection. False if someone else removes it or has not finished making it.
    pub fn remove(&self, stash: &mut Stash, hit: &Hit<'a, A>) -> bool {
        let version = if hit.is_reply() {
            let Some(original) = self.entries.get(hit.index as usize & !1) else {
                return false;
            };
            let version = original.version.load_acquire();
            // The pair may have been given away since the reply entry was read.
            if hit.entry.version.load() != hit.version {
                return false;
            }
            version
        } else {
            hit.version
        };
        self.remove_pair(stash, hit.index >> 1, version)
    }

    /// Removes the connection of a pair, if the version of its original entry is still this one.
    pub(super) fn remove_pair(&self, stash: &mut Stash, pair: u32, version: u64) -> bool {
        let index = pair.wrapping_mul(2);
        let back = index.wrapping_add(1);
        let (Some(original), Some(reply)) = (
            self.entries.get(index as usize),
            self.entries.get(back as usize),
        ) else {
            return false;
        };
        if !Entry::<A>::in_use(version) || Life(original.life.load_acquire()).is_building() {
            return false;
        }
        // Whoever takes the original entry out of use owns the pair.
        if !original.version.compare_exchange(version, retired(version)) {
            return false;
        }
        let linked_back = Entry::<A>::in_use(reply.version.load());
        self.retire(original, reply);
        self.unlink(index, self.secret.hash(original.key()));
        if linked_back {
            self.unlink(back, self.secret.hash(reply.key()));
        }
        stash.give(self.free, self.entries, pair);
        true
    }
}
