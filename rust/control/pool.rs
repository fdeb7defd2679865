// SPDX-License-Identifier: GPL-2.0

//! The pool of buffers: `pool-get`.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
use crate::core_::frame::MAX_PORTS;
use crate::core_::nic::census::{Census, PortShare};
use crate::drivers::supply;
use crate::kapi::cpu;
use crate::kapi::net::Rtnl;
use crate::kapi::netlink::{Message, Request};
use crate::switch::Switch;
use kernel::prelude::*;

/// At least what a port and an engine take in a message.
const PORT_OCTETS: usize = 64;
const ENGINE_OCTETS: usize = 20;

pub(super) fn get(request: &Request<'_>) -> Result {
    let cpus = cpu::count() as usize;
    let mut ports = KVec::from_elem(PortShare::default(), MAX_PORTS, GFP_KERNEL)?;
    let mut engines = KVec::from_elem(0, cpus, GFP_KERNEL)?;
    // All in one message: the counts of one pass add up.
    let mut reply = request.reply_of(256 + MAX_PORTS * PORT_OCTETS + cpus * ENGINE_OCTETS)?;
    let switch = switch(request.net());
    // Native ports are in the initial namespace, and nobody else's business.
    let pool = request.net().is_initial().then(supply::pool).flatten();
    match pool.as_ref().map(|pool| pool.account()) {
        Some(account) => {
            let census = Census::take(&account, &mut ports, &mut engines);
            put(&mut reply.message, &census, account.misuses())?;
            put_ports(&mut reply.message, &census, switch.as_deref())?;
        }
        None => {
            let none = Census {
                size: 0,
                free: 0,
                ports: &mut [],
                engines: &mut [],
                channels: 0,
                other: 0,
            };
            put(&mut reply.message, &none, 0)?;
        }
    }
    reply.send()
}

fn put(message: &mut Message, census: &Census<'_>, misuses: u64) -> Result {
    message.u32(SMPLB_A_POOL_BUFFERS, census.size)?;
    message.u32(SMPLB_A_POOL_FREE, census.free)?;
    message.u32(SMPLB_A_POOL_OTHER, census.other)?;
    message.u32(SMPLB_A_POOL_CHANNELS, census.channels)?;
    message.uint(SMPLB_A_POOL_MISUSES, misuses)?;
    for (cpu, &buffers) in (0u32..).zip(&*census.engines) {
        if buffers == 0 {
            continue;
        }
        message.nest(SMPLB_A_POOL_ENGINE, |message| {
            message.u32(SMPLB_A_POOL_ENGINE_CPU, cpu)?;
            message.u32(SMPLB_A_POOL_ENGINE_BUFFERS, buffers)
        })?;
    }
    Ok(())
}

fn put_ports(message: &mut Message, census: &Census<'_>, switch: Option<&Switch>) -> Result {
    // RTNL keeps the ports' devices while their names are read.
    let _rtnl = Rtnl::lock();
    for (id, share) in (0u32..).zip(&*census.ports) {
        if share.is_empty() {
            continue;
        }
        // None when the port has gone meanwhile, or is going: its buffers are
        // the last to come back.
        let port = switch
            .and_then(|switch| switch.port_from(id.into()))
            .filter(|port| u32::from(port.id().0) == id);
        message.nest(SMPLB_A_POOL_PORT, |message| {
            message.u32(SMPLB_A_POOL_PORT_ID, id)?;
            if let Some(port) = &port {
                message.string(SMPLB_A_POOL_PORT_IFNAME, &port.devices().info().name)?;
            }
            message.u32(SMPLB_A_POOL_PORT_RX, share.rx)?;
            message.u32(SMPLB_A_POOL_PORT_TX, share.tx)?;
            message.u32(SMPLB_A_POOL_PORT_HOST, share.host)
        })?;
    }
    Ok(())
}
