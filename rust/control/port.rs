// SPDX-License-Identifier: GPL-2.0

//! Ports: `port-get`, `port-set`, `port-plan`. They are made and deleted by
//! rtnetlink, or by the bus of their NIC.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
use crate::drivers::wish;
use crate::kapi::net::Rtnl;
use crate::kapi::netlink::{Attr, Attrs, Dump, Message, Request};
use crate::port::Port;
use crate::switch::Switch;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The port that a request names by `ifindex` or `ifname`.
fn find(request: &Request<'_>, switch: Option<&Switch>) -> Result<Arc<Port>> {
    let index = request.get(SMPLB_A_PORT_IFINDEX);
    let name = request.get(SMPLB_A_PORT_IFNAME);
    let blame = index.or(name);
    if blame.is_none() {
        return Err(request.extack().missing(
            SMPLB_A_PORT_IFNAME,
            c_str!("name the port by ifindex or ifname of its pseudo interface"),
        ));
    }
    let index = index.map(Attr::u32);
    let name = name.map(Attr::payload);
    switch
        .and_then(|switch| {
            switch.find_port(|info| {
                index.is_none_or(|index| index == info.ifindex)
                    && name.is_none_or(|name| text(name) == text(&info.name))
            })
        })
        .ok_or_else(|| {
            request.extack().refuse_attr(
                ENODEV,
                c_str!("no such pseudo interface in this network namespace"),
                blame,
            )
        })
}

/// The octets before the first zero.
fn text(octets: &[u8]) -> &[u8] {
    octets.split(|&octet| octet == 0).next().unwrap_or(octets)
}

pub(super) fn get(request: &Request<'_>) -> Result {
    let switch = switch(request.net());
    // RTNL keeps the port's devices while they are read.
    let _rtnl = Rtnl::lock();
    let port = find(request, switch.as_deref())?;
    let mut reply = request.reply()?;
    put(&mut reply.message, &port)?;
    reply.send()
}

pub(super) fn set(request: &Request<'_>) -> Result {
    let extack = request.extack();
    let mut cpus = KVec::new();
    for cpu in request.multi(SMPLB_A_PORT_CPU) {
        cpus.push(cpu.u32(), GFP_KERNEL)?;
    }
    if cpus.is_empty() {
        return Err(extack.missing(
            SMPLB_A_PORT_CPU,
            c_str!("cpu is missing; there is nothing else to set"),
        ));
    }
    let switch = switch(request.net());
    // RTNL keeps the port from going meanwhile.
    let _rtnl = Rtnl::lock();
    let port = find(request, switch.as_deref())?;
    crate::engine::move_port(&port, &cpus, &extack)
}

/// Takes note of how many queue pairs a NIC is to have when it is claimed.
pub(super) fn plan(request: &Request<'_>) -> Result {
    let extack = request.extack();
    if !request.net().is_initial() {
        return Err(extack.refuse(
            EOPNOTSUPP,
            c_str!("such ports are in the initial network namespace only"),
        ));
    }
    let (Some(device), Some(queues)) = (
        request.get(SMPLB_A_PORT_LOWER_IFNAME),
        request.get(SMPLB_A_PORT_QUEUES),
    ) else {
        return Err(extack.missing(
            SMPLB_A_PORT_QUEUES,
            c_str!("lower-ifname, a PCI address, and queues are both needed"),
        ));
    };
    // The policy has checked the range.
    wish::make(device.payload(), queues.u32() as u16)
        .map_err(|e| extack.refuse_attr(e, c_str!("no PCI address"), Some(device)))
}

pub(super) fn dump(dump: &mut Dump) {
    let Some(switch) = switch(dump.net()) else {
        return;
    };
    // RTNL keeps the ports' devices while they are read.
    let _rtnl = Rtnl::lock();
    while let Some(port) = switch.port_from(dump.cursor()) {
        if !dump.add(|message| put(message, &port)) {
            return;
        }
        dump.set_cursor(u64::from(port.id().0) + 1);
    }
}

fn put(message: &mut Message, port: &Port) -> Result {
    let info = port.devices().info();
    let stats = port.stats();
    message.u32(SMPLB_A_PORT_IFINDEX, info.ifindex)?;
    message.string(SMPLB_A_PORT_IFNAME, &info.name)?;
    message.u32(SMPLB_A_PORT_LOWER_IFINDEX, info.lower_ifindex)?;
    message.string(SMPLB_A_PORT_LOWER_IFNAME, &info.lower_name)?;
    message.string(SMPLB_A_PORT_DRIVER, port.io().driver().to_bytes_with_nul())?;
    for cpu in port.cpus() {
        message.u32(SMPLB_A_PORT_CPU, cpu)?;
    }
    message.u32(SMPLB_A_PORT_ID, port.id().0.into())?;
    message.uint(SMPLB_A_PORT_RX_PACKETS, stats.rx_packets)?;
    message.uint(SMPLB_A_PORT_RX_BYTES, stats.rx_bytes)?;
    message.uint(SMPLB_A_PORT_TX_PACKETS, stats.tx_packets)?;
    message.uint(SMPLB_A_PORT_TX_BYTES, stats.tx_bytes)?;
    message.uint(SMPLB_A_PORT_STACK_PACKETS, stats.stack_packets)?;
    message.uint(SMPLB_A_PORT_HOST_PACKETS, stats.host_packets)?;
    message.uint(SMPLB_A_PORT_DROPPED, stats.dropped)?;
    message.uint(SMPLB_A_PORT_RESETS, port.resets())?;
    match port.io().native() {
        Some(nic) => message.u32(SMPLB_A_PORT_QUEUES, nic.pairs() as u32),
        None => Ok(()),
    }
}
