// SPDX-License-Identifier: GPL-2.0

//! Ports: `port-get`, `port-set`. They are made and deleted by rtnetlink.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
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
    let cpu = request
        .get(SMPLB_A_PORT_CPU)
        .ok_or_else(|| {
            extack.missing(
                SMPLB_A_PORT_CPU,
                c_str!("cpu is missing; there is nothing else to set"),
            )
        })?
        .u32();
    let switch = switch(request.net());
    // RTNL keeps the port from going meanwhile.
    let _rtnl = Rtnl::lock();
    let port = find(request, switch.as_deref())?;
    crate::engine::move_port(&port, cpu, &extack)
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
    message.u32(SMPLB_A_PORT_CPU, port.cpu())?;
    message.u32(SMPLB_A_PORT_ID, port.id().0.into())?;
    message.uint(SMPLB_A_PORT_RX_PACKETS, stats.rx_packets)?;
    message.uint(SMPLB_A_PORT_RX_BYTES, stats.rx_bytes)?;
    message.uint(SMPLB_A_PORT_TX_PACKETS, stats.tx_packets)?;
    message.uint(SMPLB_A_PORT_TX_BYTES, stats.tx_bytes)?;
    message.uint(SMPLB_A_PORT_STACK_PACKETS, stats.stack_packets)?;
    message.uint(SMPLB_A_PORT_HOST_PACKETS, stats.host_packets)?;
    message.uint(SMPLB_A_PORT_DROPPED, stats.dropped)
}
