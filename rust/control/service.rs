// SPDX-License-Identifier: GPL-2.0

//! Services: `service-new`, `-set`, `-del`, `-get`.
#![forbid(unsafe_code)]

use super::decode::SERVICE;
use super::uapi::*;
use super::{refuse, switch, switch_to_change};
use crate::core_::config::build::HalfMut;
use crate::core_::config::{Mode, Scheduler, Service, ServiceId, ServiceKey};
use crate::kapi::netlink::{Dump, Message, Request};
use crate::switch::Sums;
use kernel::c_str;
use kernel::prelude::*;

pub(super) fn new(request: &Request<'_>) -> Result {
    let key = SERVICE.key(request, &request.extack())?;
    let options = SERVICE.options(request);
    change(request, |half| half.service_add(key, options).map(drop))
}

pub(super) fn set(request: &Request<'_>) -> Result {
    let key = SERVICE.key(request, &request.extack())?;
    let options = SERVICE.options(request);
    change(request, |half| half.service_set(key, options).map(drop))
}

pub(super) fn del(request: &Request<'_>) -> Result {
    let key = SERVICE.key(request, &request.extack())?;
    change(request, |half| half.service_del(key))
}

fn change(
    request: &Request<'_>,
    mut edit: impl FnMut(&mut HalfMut<'_>) -> Result<(), crate::core_::config::error::ConfigError>,
) -> Result {
    let switch = switch_to_change(request.net())?;
    switch
        .change(&mut edit)
        .map_err(|e| refuse(&request.extack(), e, SERVICE.blame(request)))?;
    super::generation::tell(&switch);
    Ok(())
}

pub(super) fn get(request: &Request<'_>) -> Result {
    let key = SERVICE.key(request, &request.extack())?;
    let mut reply = request.reply()?;
    let found = switch(request.net()).is_some_and(|switch| {
        switch.inspect(|view, sums| {
            let Some((id, service)) = view.lookup(key.protocol, key.addr, key.port) else {
                return false;
            };
            put(&mut reply.message, id, service, &sums).is_ok()
        })
    });
    if !found {
        return Err(request.extack().refuse(ENOENT, c_str!("no such service")));
    }
    reply.send()
}

pub(super) fn dump(dump: &mut Dump) {
    let Some(switch) = switch(dump.net()) else {
        return;
    };
    let from = dump.cursor();
    switch.inspect(|view, sums| {
        for (id, service) in view.iter().filter(|(id, _)| u64::from(id.0) >= from) {
            if !dump.add(|message| put(message, id, service, &sums)) {
                return;
            }
            dump.set_cursor(u64::from(id.0) + 1);
        }
    });
}

/// Writes the key of a service as `service-def`.
pub(super) fn put_key(message: &mut Message, key: ServiceKey) -> Result {
    message.u8(SMPLB_A_SERVICE_DEF_PROTOCOL, key.protocol)?;
    message.ipv4(SMPLB_A_SERVICE_DEF_ADDR, key.addr)?;
    message.be16(SMPLB_A_SERVICE_DEF_PORT, key.port)
}

/// The scheduler as the spec numbers it.
fn scheduler(scheduler: Scheduler) -> u32 {
    match scheduler {
        Scheduler::Wrr => SMPLB_SCHEDULER_WRR,
        Scheduler::Lc => SMPLB_SCHEDULER_LC,
    }
}

/// The mode as the spec numbers it.
pub(super) fn mode(mode: Mode) -> u32 {
    match mode {
        Mode::Nat => SMPLB_MODE_NAT,
        Mode::Dr => SMPLB_MODE_DR,
    }
}

fn put(message: &mut Message, id: ServiceId, service: &Service, sums: &Sums<'_>) -> Result {
    let sum = sums.service(id);
    message.u8(SMPLB_A_SERVICE_PROTOCOL, service.key.protocol)?;
    message.ipv4(SMPLB_A_SERVICE_ADDR, service.key.addr)?;
    message.be16(SMPLB_A_SERVICE_PORT, service.key.port)?;
    message.u32(
        SMPLB_A_SERVICE_SCHEDULER,
        scheduler(service.params.scheduler),
    )?;
    message.u32(SMPLB_A_SERVICE_MODE, mode(service.params.mode))?;
    message.u32(SMPLB_A_SERVICE_TIMEOUT, service.params.timeout)?;
    message.u8(SMPLB_A_SERVICE_ANNOUNCE, service.params.announce.into())?;
    message.u32(SMPLB_A_SERVICE_ID, id.0.into())?;
    message.uint(SMPLB_A_SERVICE_GENERATION, service.generation)?;
    message.uint(SMPLB_A_SERVICE_PACKETS, sum.packets)?;
    message.uint(SMPLB_A_SERVICE_BYTES, sum.bytes)?;
    message.uint(SMPLB_A_SERVICE_CONNECTIONS, sum.connections)?;
    message.u32(SMPLB_A_SERVICE_SLOTS, service.slots())
}
