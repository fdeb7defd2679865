// SPDX-License-Identifier: GPL-2.0

//! smplb: a layer-4 packet switch and server load balancer.

use kernel::prelude::*;

#[allow(unreachable_pub, dead_code)]
#[path = "core/mod.rs"]
mod core_;

mod channel;
mod control;
mod drivers;
mod engine;
mod entry;
mod kapi;
mod port;
mod switch;

module! {
    type: Smplb,
    name: "smplb",
    authors: ["The smplb authors"],
    description: "Layer-4 packet switch and server load balancer",
    license: "GPL",
    params: {
        connections: u32 {
            default: 262144,
            description: "Connections that each network namespace can track (160 octets of memory each)",
        },
        buffers: u32 {
            default: 16384,
            description: "Buffers of the pool that native ports share (2048 octets each)",
        },
        rx_ring: u32 {
            default: 4096,
            description: "Packets that wait between a NIC of driver netdev and its engine, for each CPU",
        },
        spin_us: u32 {
            default: 1000,
            description: "Microseconds that an engine goes on polling empty rings before it sleeps",
        },
        share_control_cpu: u8 {
            default: 0,
            description: "1: an engine may run on the last CPU left for everything else; it never spins there",
        },
        raw_pairs: u8 {
            default: 0,
            description: "1: applications with CAP_SYS_RAWIO may have queue pairs of native ports, by which they reach all memory",
        },
    },
}

/// Whether applications may have queue pairs for themselves.
fn raw_pairs() -> bool {
    module_parameters::raw_pairs.value() != 0
}

/// Buffers of the pool.
fn buffers() -> u32 {
    module_parameters::buffers.value().clamp(1024, 1 << 22)
}

/// Packets on a ring from a NIC.
fn rx_ring() -> u32 {
    module_parameters::rx_ring.value()
}

/// Connections a switch can track.
fn connections() -> u32 {
    module_parameters::connections.value().clamp(64, 1 << 24)
}

/// How long engines spin.
fn spin_nanoseconds() -> u64 {
    u64::from(module_parameters::spin_us.value()).saturating_mul(1000)
}

/// Whether an engine may run on the control CPU.
fn share_control_cpu() -> bool {
    module_parameters::share_control_cpu.value() != 0
}

/// The module's registrations, taken back in order of the fields.
struct Smplb {
    _node: kapi::door::Node,
    _drivers: drivers::Drivers,
    _family: kapi::netlink::Family,
    _registrations: kapi::worker::Registrations,
    _engines: engine::Registry,
    _supply: drivers::supply::Global,
    _wishes: drivers::wish::Global,
}

impl kernel::Module for Smplb {
    fn init(module: &'static ThisModule) -> Result<Self> {
        // SAFETY: Once, before anything that uses the registry.
        let engines = unsafe { engine::Registry::new() };
        // SAFETY: Once, before anything that uses the supply.
        let supply = unsafe { drivers::supply::Global::new() };
        // SAFETY: Once, before anything that uses wishes.
        let wishes = unsafe { drivers::wish::Global::new() };
        let registrations = kapi::worker::Registrations::new()?;
        let family = kapi::netlink::Family::register()?;
        Ok(Self {
            // Fields are made in this order, and taken back in that of the type.
            _drivers: drivers::Drivers::register(module)?,
            _node: kapi::door::Node::register()?,
            _family: family,
            _registrations: registrations,
            _engines: engines,
            _supply: supply,
            _wishes: wishes,
        })
    }
}
