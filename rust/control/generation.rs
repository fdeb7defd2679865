// SPDX-License-Identifier: GPL-2.0

//! Generations of the configuration table: `generation-get`, `-rollback` and
//! the notification of a new one.
#![forbid(unsafe_code)]

use super::switch;
use super::uapi::*;
use crate::kapi::netlink::{notify, Message, Request};
use crate::switch::{Generations, Switch};
use kernel::c_str;
use kernel::prelude::*;

const NONE: Generations = Generations {
    active: 0,
    standby: None,
    services: 0,
    backends: 0,
    flips: 0,
};

pub(super) fn get(request: &Request<'_>) -> Result {
    let generations = switch(request.net()).map_or(NONE, |switch| switch.generations());
    answer(request, &generations)
}

pub(super) fn rollback(request: &Request<'_>) -> Result {
    let switch = switch(request.net());
    let generations = switch
        .as_ref()
        .and_then(|switch| switch.rollback())
        .ok_or_else(|| {
            request.extack().refuse(
                ENOENT,
                c_str!("there is no earlier generation to go back to"),
            )
        })?;
    if let Some(switch) = switch {
        tell(&switch);
    }
    answer(request, &generations)
}

/// Tells listeners that another generation is active.
pub(super) fn tell(switch: &Switch) {
    let generations = switch.generations();
    notify(switch.net(), |message| put(message, &generations));
}

fn answer(request: &Request<'_>, generations: &Generations) -> Result {
    let mut reply = request.reply()?;
    put(&mut reply.message, generations)?;
    reply.send()
}

fn put(message: &mut Message, g: &Generations) -> Result {
    message.uint(SMPLB_A_GENERATION_ACTIVE, g.active)?;
    if let Some(standby) = g.standby {
        message.uint(SMPLB_A_GENERATION_STANDBY, standby)?;
    }
    message.u32(SMPLB_A_GENERATION_SERVICES, g.services)?;
    message.u32(SMPLB_A_GENERATION_BACKENDS, g.backends)?;
    message.uint(SMPLB_A_GENERATION_FLIPS, g.flips)
}
