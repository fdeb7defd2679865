// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What the tests of the rooms need of a shell, small enough for a kernel stack.

use ::core::sync::atomic::{AtomicU64, Ordering};

use super::config::build::HalfMut;
use super::config::view::View;
use super::config::{Backend, Header, Service, ServiceKey, Vip};
use super::connection::bucket::Bucket;
use super::connection::entry::Entry;
use super::connection::free::Free;
use super::connection::key::{Endpoint, Key, Secret};
use super::connection::table::Connections;
use super::counters::{BackendCounters, Lane, PortCounters, ServiceCounters, Totals};
use super::env::Atom;
use super::frame::{Checksum, Frame};
use super::wire::ethernet::{ETH_HLEN, ETH_P_IP};
use super::wire::ipv4::{self, IPPROTO_TCP, IPPROTO_UDP, IP_HLEN};
use super::wire::{checksum, put};

/// An atom for tests.
#[derive(Debug)]
pub(super) struct TestAtom(AtomicU64);

impl Atom for TestAtom {
    fn new(value: u64) -> Self {
        Self(AtomicU64::new(value))
    }

    fn load(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn load_acquire(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    fn store(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    fn store_release(&self, value: u64) {
        self.0.store(value, Ordering::Release);
    }

    fn compare_exchange(&self, old: u64, new: u64) -> bool {
        self.0
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Relaxed)
            .is_ok()
    }
}

/// MAC address of the port in tests.
pub(super) const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// MAC address of who sends to it.
pub(super) const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];
/// A client.
pub(super) const CLIENT: Endpoint = ([198, 51, 100, 7], 40000);
/// A service.
pub(super) const VIP: Endpoint = ([192, 0, 2, 1], 80);
/// A server.
pub(super) const SERVER: Endpoint = ([10, 0, 0, 1], 8080);

/// The key of a service on [`VIP`].
pub(super) fn service_key(protocol: u8) -> ServiceKey {
    ServiceKey {
        protocol,
        addr: VIP.0,
        port: VIP.1,
    }
}

/// A frame of 64 octets with an IPv4 packet of 50, all checksums right.
pub(super) fn packet(protocol: u8, from: Endpoint, to: Endpoint, flags: u8) -> [u8; 64] {
    let mut octets = [0; 64];
    put(&mut octets, 0, MAC);
    put(&mut octets, 6, PEER);
    put(&mut octets, 12, ETH_P_IP.to_be_bytes());
    let mut ip = [0; IP_HLEN];
    ipv4::write(&mut ip, 50, protocol, from.0, to.0);
    put(&mut octets, ETH_HLEN, ip);
    let key = Key::new(protocol, from, to);
    put(&mut octets, 34, key.raw_ports().to_ne_bytes());
    let at = match protocol {
        IPPROTO_TCP => {
            put(&mut octets, 38, 1000u32.to_be_bytes());
            put(&mut octets, 46, [0x50, flags]);
            50
        }
        IPPROTO_UDP => {
            put(&mut octets, 38, 30u16.to_be_bytes());
            40
        }
        _ => return octets,
    };
    let check = checksum::finish(transport_sum(&octets));
    put(&mut octets, at, check.to_ne_bytes());
    octets
}

/// The sum of the transport packet in a frame of [`packet`] with its pseudo header.
pub(super) fn transport_sum(octets: &[u8; 64]) -> u64 {
    let Some(ip) = octets
        .get(ETH_HLEN..)
        .and_then(|rest| rest.first_chunk::<IP_HLEN>())
    else {
        return 0;
    };
    let pseudo = checksum::pseudo(ipv4::saddr(ip), ipv4::daddr(ip), ipv4::protocol(ip), 30);
    checksum::add(pseudo, octets.get(34..64).unwrap_or(&[]))
}

/// A frame over octets.
pub(super) fn frame(head: &mut [u8]) -> Frame<'_> {
    let len = head.len() as u32;
    Frame {
        head,
        len,
        checksum: Checksum::Complete,
        segment_len: 0,
    }
}

/// A small half of the configuration table.
#[derive(Debug, Default)]
pub(super) struct Half {
    header: Header,
    services: [Service; 4],
    backends: [Backend; 8],
    index: [u16; 8],
    vips: [Vip; 8],
    slots: [u16; 32],
}

impl Half {
    pub(super) fn view(&self) -> View<'_> {
        View {
            header: &self.header,
            services: &self.services,
            backends: &self.backends,
            index: &self.index,
            vips: &self.vips,
            slots: &self.slots,
        }
    }

    pub(super) fn lend(&mut self) -> HalfMut<'_> {
        HalfMut {
            header: &mut self.header,
            services: &mut self.services,
            backends: &mut self.backends,
            index: &mut self.index,
            vips: &mut self.vips,
            slots: &mut self.slots,
        }
    }
}

/// A small table of connections: room for seven.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) buckets: [Bucket<TestAtom>; 4],
    pub(super) entries: [Entry<TestAtom>; 16],
    pub(super) free: Free<TestAtom>,
}

impl Table {
    pub(super) fn lend(&self) -> Connections<'_, TestAtom> {
        Connections {
            buckets: &self.buckets,
            entries: &self.entries,
            free: &self.free,
            secret: Secret::new([1, 2]),
        }
    }
}

/// The counters of an engine, for a few objects.
#[derive(Debug)]
pub(super) struct Counters {
    totals: Totals<TestAtom>,
    ports: [PortCounters<TestAtom>; 2],
    services: [ServiceCounters<TestAtom>; 4],
    backends: [BackendCounters<TestAtom>; 8],
    active: [TestAtom; 8],
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            totals: Default::default(),
            ports: Default::default(),
            services: Default::default(),
            backends: Default::default(),
            active: ::core::array::from_fn(|_| TestAtom::new(0)),
        }
    }
}

impl Counters {
    pub(super) fn lane(&self) -> Lane<'_, TestAtom> {
        Lane {
            totals: &self.totals,
            ports: &self.ports,
            services: &self.services,
            backends: &self.backends,
            active: &self.active,
        }
    }
}
