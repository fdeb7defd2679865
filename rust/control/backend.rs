// SPDX-License-Identifier: GPL-2.0

//! Backends: `backend-new`, `-set`, `-del`, `-get`.
#![forbid(unsafe_code)]

use super::decode::{backend_key, backend_service};
use super::uapi::*;
use super::{refuse, switch, switch_to_change};
use crate::core_::config::build::HalfMut;
use crate::core_::config::error::ConfigError;
use crate::core_::config::{Backend, BackendId, ServiceKey};
use crate::kapi::netlink::{Attr, Attrs, Dump, Message, Request};
use crate::switch::Sums;
use kernel::c_str;
use kernel::prelude::*;

/// The weight of a backend about which nothing was said.
const DEFAULT_WEIGHT: u32 = 1;

pub(super) fn new(request: &Request<'_>) -> Result {
    let key = backend_key(request)?;
    let weight = request
        .get(SMPLB_A_BACKEND_WEIGHT)
        .map_or(DEFAULT_WEIGHT, Attr::u32);
    change(request, |half| {
        half.backend_add(key.service, key.addr, key.port, weight)
            .map(drop)
    })
}

pub(super) fn set(request: &Request<'_>) -> Result {
    let key = backend_key(request)?;
    let weight = request.get(SMPLB_A_BACKEND_WEIGHT).ok_or_else(|| {
        request.extack().missing(
            SMPLB_A_BACKEND_WEIGHT,
            c_str!("weight is missing; there is nothing else to set"),
        )
    })?;
    change(request, |half| {
        half.backend_set(key.service, key.addr, key.port, weight.u32())
            .map(drop)
    })
}

pub(super) fn del(request: &Request<'_>) -> Result {
    let key = backend_key(request)?;
    change(request, |half| {
        half.backend_del(key.service, key.addr, key.port)
    })
}

fn change(
    request: &Request<'_>,
    mut edit: impl FnMut(&mut HalfMut<'_>) -> Result<(), ConfigError>,
) -> Result {
    let switch = switch_to_change(request.net())?;
    switch
        .change(&mut edit)
        .map_err(|e| refuse(&request.extack(), e, request.get(SMPLB_A_BACKEND_ADDR)))?;
    super::generation::tell(&switch);
    Ok(())
}

pub(super) fn get(request: &Request<'_>) -> Result {
    let key = backend_key(request)?;
    let mut reply = request.reply()?;
    let found = switch(request.net()).is_some_and(|switch| {
        switch.inspect(|view, sums| {
            let service = key.service;
            view.lookup(service.protocol, service.addr, service.port)
                .and_then(|(id, _)| view.find_backend(id, key.addr, key.port))
                .is_some_and(|(id, backend)| {
                    put(&mut reply.message, service, id, backend, &sums).is_ok()
                })
        })
    });
    if !found {
        return Err(request.extack().refuse(ENOENT, c_str!("no such backend")));
    }
    reply.send()
}

/// The cursor counts backends over all services that are asked for.
pub(super) fn dump(dump: &mut Dump) -> Result {
    let Some(switch) = switch(dump.net()) else {
        return Ok(());
    };
    let only = backend_service(&dump.request(SMPLB_A_BACKEND_SERVICE))?;
    let from = dump.cursor();
    switch.inspect(|view, sums| {
        let backends = view
            .iter()
            .filter(|(_, service)| only.is_none_or(|key| key == service.key))
            .flat_map(|(id, service)| view.backends_of(id).map(|b| (service.key, b)));
        for (nth, (key, (id, backend))) in (0u64..).zip(backends) {
            if nth < from {
                continue;
            }
            if !dump.add(|message| put(message, key, id, backend, &sums)) {
                return;
            }
            dump.set_cursor(nth + 1);
        }
    });
    Ok(())
}

fn put(
    message: &mut Message,
    service: ServiceKey,
    id: BackendId,
    backend: &Backend,
    sums: &Sums<'_>,
) -> Result {
    let sum = sums.backend(id);
    message.nest(SMPLB_A_BACKEND_SERVICE, |message| {
        super::service::put_key(message, service)
    })?;
    message.ipv4(SMPLB_A_BACKEND_ADDR, backend.addr)?;
    message.be16(SMPLB_A_BACKEND_PORT, backend.port)?;
    message.u32(SMPLB_A_BACKEND_WEIGHT, backend.weight.into())?;
    message.u32(SMPLB_A_BACKEND_ID, id.0.into())?;
    message.uint(SMPLB_A_BACKEND_PACKETS, sum.packets)?;
    message.uint(SMPLB_A_BACKEND_BYTES, sum.bytes)?;
    message.uint(SMPLB_A_BACKEND_CONNECTIONS, sum.connections)?;
    message.uint(SMPLB_A_BACKEND_ACTIVE, sums.active(id))?;
    message.uint(SMPLB_A_BACKEND_REPLY_PACKETS, sum.reply_packets)?;
    message.uint(SMPLB_A_BACKEND_REPLY_BYTES, sum.reply_bytes)
}
