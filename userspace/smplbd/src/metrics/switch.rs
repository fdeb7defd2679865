// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switch: services, backends, ports, engines, drops. Also those that smplbd does not follow.

use std::fmt::Result;

use smplb_nl::{Engine, Port};

use super::page::{backend, service, Labels, Page};
use crate::switch::{Backend, Service, State};

/// A name, its help, and the value.
type Figure<T> = (&'static str, &'static str, fn(&T) -> u64);

const SERVICE: &[Figure<Service>] = &[
    ("smplb_service_packets", "Packets from clients.", |s| {
        s.packets
    }),
    ("smplb_service_bytes", "Bytes from clients.", |s| s.bytes),
    ("smplb_service_connections", "Connections made.", |s| {
        s.connections
    }),
];

const BACKEND: &[Figure<Backend>] = &[
    (
        "smplb_backend_connections",
        "Connections given to it.",
        |b| b.connections,
    ),
    ("smplb_backend_packets", "Packets to it.", |b| b.packets),
    ("smplb_backend_bytes", "Bytes to it.", |b| b.bytes),
    ("smplb_backend_reply_packets", "Packets from it.", |b| {
        b.reply_packets
    }),
    ("smplb_backend_reply_bytes", "Bytes from it.", |b| {
        b.reply_bytes
    }),
];

const PORT: &[Figure<Port>] = &[
    (
        "smplb_port_receive_packets",
        "Packets taken from the NIC.",
        |p| p.rx_packets.unwrap_or(0),
    ),
    (
        "smplb_port_receive_bytes",
        "Bytes taken from the NIC.",
        |p| p.rx_bytes.unwrap_or(0),
    ),
    (
        "smplb_port_transmit_packets",
        "Packets put on the NIC.",
        |p| p.tx_packets.unwrap_or(0),
    ),
    ("smplb_port_transmit_bytes", "Bytes put on the NIC.", |p| {
        p.tx_bytes.unwrap_or(0)
    }),
    (
        "smplb_port_stack_packets",
        "Packets passed up to the host.",
        |p| p.stack_packets.unwrap_or(0),
    ),
    (
        "smplb_port_host_packets",
        "Packets that the host sent.",
        |p| p.host_packets.unwrap_or(0),
    ),
    (
        "smplb_port_dropped_packets",
        "Packets dropped at the port.",
        |p| p.dropped.unwrap_or(0),
    ),
    (
        "smplb_port_resets",
        "Resets of a NIC that had failed.",
        |p| p.resets.unwrap_or(0),
    ),
];

const ENGINE: &[Figure<Engine>] = &[
    ("smplb_engine_packets", "Packets it switched.", |e| {
        e.packets.unwrap_or(0)
    }),
    (
        "smplb_engine_forwarded_packets",
        "Packets it forwarded.",
        |e| e.forwarded.unwrap_or(0),
    ),
    (
        "smplb_engine_stack_packets",
        "Packets it passed up to the host.",
        |e| e.stack.unwrap_or(0),
    ),
    (
        "smplb_engine_replied_packets",
        "Packets it answered itself.",
        |e| e.replied.unwrap_or(0),
    ),
    ("smplb_engine_dropped_packets", "Packets it dropped.", |e| {
        e.dropped.unwrap_or(0)
    }),
    (
        "smplb_engine_channel_packets",
        "Packets to applications.",
        |e| e.channel.unwrap_or(0),
    ),
    ("smplb_engine_rounds", "Turns over its ports.", |e| {
        e.rounds.unwrap_or(0)
    }),
    ("smplb_engine_sleeps", "Times it slept.", |e| {
        e.sleeps.unwrap_or(0)
    }),
    (
        "smplb_engine_preemptions",
        "Times it had to give its CPU away.",
        |e| e.preemptions.unwrap_or(0),
    ),
    (
        "smplb_engine_interrupts",
        "Interrupts of devices on its CPU.",
        |e| e.interrupts.unwrap_or(0),
    ),
];

/// Writes it.
pub fn write(page: &mut Page<'_>, state: &State) -> Result {
    let one = |value: f64| [(Labels::new(), value)];
    page.gauge(
        "smplb_generation",
        "Active generation.",
        one(state.generation as f64),
    )?;
    page.gauge(
        "smplb_connections",
        "Connections tracked now.",
        one(state.connections as f64),
    )?;
    let max = one(state.connections_max as f64);
    page.gauge(
        "smplb_connections_max",
        "Connections that can be tracked.",
        max,
    )?;
    let drops = state.drops.iter().filter_map(|drop| {
        let reason = drop.reason?.to_string();
        Some((vec![("reason", reason)], drop.packets?))
    });
    page.counter(
        "smplb_dropped_packets",
        "Packets dropped, by reason.",
        drops,
    )?;
    let pool = &state.pool;
    let buffers = pool.buffers.map(|value| (Labels::new(), f64::from(value)));
    page.gauge("smplb_pool_buffers", "Buffers of the pool.", buffers)?;
    let free = pool.free.map(|value| (Labels::new(), f64::from(value)));
    page.gauge("smplb_pool_free_buffers", "Buffers that nobody has.", free)?;
    services(page, state)?;
    backends(page, state)?;
    let port = |port: &Port| {
        vec![
            ("port", port.ifname.clone().unwrap_or_default()),
            ("device", port.lower_ifname.clone().unwrap_or_default()),
        ]
    };
    for (name, help, value) in PORT {
        let rows = state.ports.iter().map(|each| (port(each), value(each)));
        page.counter(name, help, rows)?;
    }
    engines(page, state)
}

fn services(page: &mut Page<'_>, state: &State) -> Result {
    for (name, help, value) in SERVICE {
        let rows = state.services.iter();
        page.counter(
            name,
            help,
            rows.map(|(key, each)| (service(*key), value(each))),
        )?;
    }
    let slots = state.services.iter();
    let slots = slots.map(|(key, each)| (service(*key), each.slots as f64));
    page.gauge("smplb_service_slots", "Length of its slot list.", slots)
}

fn backends(page: &mut Page<'_>, state: &State) -> Result {
    let all = || {
        let services = state.services.iter();
        services.flat_map(|(key, service)| {
            let total: u64 = service
                .backends
                .values()
                .map(|each| u64::from(each.weight))
                .sum();
            let backends = service.backends.iter();
            backends.map(move |(name, each)| (backend(*key, *name), each, total))
        })
    };
    for (name, help, value) in BACKEND {
        page.counter(
            name,
            help,
            all().map(|(labels, each, _)| (labels, value(each))),
        )?;
    }
    page.gauge(
        "smplb_backend_weight",
        "Weight in the switch.",
        all().map(|(labels, each, _)| (labels, f64::from(each.weight))),
    )?;
    page.gauge(
        "smplb_backend_effective_share",
        "Part of new connections that its weight gives it, 0 to 1.",
        all().map(|(labels, each, total)| (labels, f64::from(each.weight) / (total.max(1) as f64))),
    )?;
    page.gauge(
        "smplb_backend_connections_active",
        "Connections it has now.",
        all().map(|(labels, each, _)| (labels, each.active as f64)),
    )
}

fn engines(page: &mut Page<'_>, state: &State) -> Result {
    let cpu = |engine: &Engine| vec![("cpu", engine.cpu.unwrap_or(0).to_string())];
    for (name, help, value) in ENGINE {
        let rows = state.engines.iter().map(|each| (cpu(each), value(each)));
        page.counter(name, help, rows)?;
    }
    let seconds = |nanos: Option<u64>| nanos.unwrap_or(0) as f64 / 1e9;
    let rows = state.engines.iter();
    let time = rows.map(|each| (cpu(each), seconds(each.time)));
    page.counter("smplb_engine_seconds", "Time since it started.", time)?;
    let rows = state.engines.iter();
    let busy = rows.map(|each| (cpu(each), seconds(each.busy_time)));
    page.counter(
        "smplb_engine_busy_seconds",
        "Time of turns that found packets.",
        busy,
    )
}
