// SPDX-License-Identifier: GPL-2.0

//! The generic netlink family `smplb`: decode a request, change or read the
//! switch of the asker's network namespace, answer. One file per object; the
//! entry points that the generated table names are in `entry.rs`.

mod apply;
mod backend;
mod connection;
mod decode;
mod engine;
mod entry;
mod generation;
mod pool;
mod port;
mod service;
mod stats;
#[rustfmt::skip]
#[allow(dead_code, missing_docs)]
pub(crate) mod uapi;

use crate::core_::config::error::ConfigError;
use crate::kapi::extack::Extack;
use crate::kapi::net::{Net, Rtnl};
use crate::kapi::netlink::Attr;
use crate::switch::{Refusal, Switch};
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;

/// The switch of `net` to read, if it has one.
fn switch(net: Net) -> Option<Arc<Switch>> {
    let rtnl = Rtnl::lock();
    crate::switch::of(net, false, &rtnl).ok()
}

/// The switch of `net` to change; made when there is none yet.
fn switch_to_change(net: Net) -> Result<Arc<Switch>> {
    let rtnl = Rtnl::lock();
    crate::switch::of(net, true, &rtnl)
}

/// The error number beside a reason.
fn errno(error: ConfigError) -> Error {
    match error {
        ConfigError::Exists => EEXIST,
        ConfigError::ServiceNotFound | ConfigError::BackendNotFound => ENOENT,
        ConfigError::ServicesFull | ConfigError::BackendsFull | ConfigError::SlotsFull => ENOSPC,
        ConfigError::WeightRange | ConfigError::TimeoutRange => ERANGE,
        _ => EINVAL,
    }
}

/// Refuses a request for a reason of the table, about the attribute `attr`.
fn refuse(extack: &Extack, refusal: Refusal, attr: Option<Attr<'_>>) -> Error {
    match refusal {
        Refusal::Config(error) => extack.refuse_attr(errno(error), error.reason(), attr),
        Refusal::Generation => extack.refuse_attr(
            ESTALE,
            c_str!("another generation is active; look at it and apply again"),
            attr,
        ),
    }
}
