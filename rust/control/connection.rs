// SPDX-License-Identifier: GPL-2.0

//! Tracked connections: `connection-get`.
#![forbid(unsafe_code)]

use super::service::mode;
use super::switch;
use super::uapi::*;
use crate::core_::connection::sweep::ConnectionInfo;
use crate::kapi::netlink::{Dump, Message};
use kernel::prelude::*;

pub(super) fn dump(dump: &mut Dump) {
    let Some(switch) = switch(dump.net()) else {
        return;
    };
    // The cursor is one of the connection table, which fits in 32 bits.
    let mut cursor = dump.cursor() as u32;
    while let Some(info) = switch.next_connection(&mut cursor) {
        if !dump.add(|message| put(message, &info)) {
            return;
        }
        dump.set_cursor(cursor.into());
    }
    dump.set_cursor(cursor.into());
}

fn put(message: &mut Message, info: &ConnectionInfo) -> Result {
    message.u8(SMPLB_A_CONNECTION_PROTOCOL, info.protocol)?;
    message.ipv4(SMPLB_A_CONNECTION_CLIENT_ADDR, info.client.0)?;
    message.be16(SMPLB_A_CONNECTION_CLIENT_PORT, info.client.1)?;
    message.ipv4(SMPLB_A_CONNECTION_ADDR, info.vip.0)?;
    message.be16(SMPLB_A_CONNECTION_PORT, info.vip.1)?;
    message.ipv4(SMPLB_A_CONNECTION_BACKEND_ADDR, info.to.0)?;
    message.be16(SMPLB_A_CONNECTION_BACKEND_PORT, info.to.1)?;
    message.u32(SMPLB_A_CONNECTION_STATE, info.state as u32)?;
    message.u32(SMPLB_A_CONNECTION_MODE, mode(info.mode))?;
    message.uint(SMPLB_A_CONNECTION_GENERATION, info.generation)?;
    message.u32(SMPLB_A_CONNECTION_EXPIRES, info.expires)
}
