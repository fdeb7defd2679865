// SPDX-License-Identifier: GPL-2.0

//! The functions that the generated table of operations names.

use super::uapi::*;
use super::{apply, backend, connection, engine, generation, pool, port, service, stats};
use crate::kapi::netlink::{Dump, Request};
use kernel::bindings::{genl_info, netlink_callback, sk_buff};
use kernel::error::from_result;
use kernel::ffi::c_int;
use kernel::prelude::*;

/// Defines a `doit`: its name, the highest attribute its policy knows, and what
/// handles the request.
macro_rules! doit {
    ($($name:ident, $attrs:expr => $handler:path;)*) => {$(
        /// # Safety
        ///
        /// Only for generic netlink, by the generated table.
        #[no_mangle]
        unsafe extern "C" fn $name(_skb: *mut sk_buff, info: *mut genl_info) -> c_int {
            // SAFETY: The kernel calls this with the request; the number is
            // that of the operation in the generated table.
            let request = unsafe { Request::from_raw(info, $attrs) };
            from_result(|| {
                $handler(&request)?;
                Ok(0)
            })
        }
    )*};
}

/// Defines a `dumpit`.
macro_rules! dumpit {
    ($($name:ident => $handler:expr;)*) => {$(
        /// # Safety
        ///
        /// Only for generic netlink, by the generated table.
        #[no_mangle]
        unsafe extern "C" fn $name(skb: *mut sk_buff, cb: *mut netlink_callback) -> c_int {
            // SAFETY: The kernel calls this with the message and its state.
            let Some(mut dump) = (unsafe { Dump::from_raw(skb, cb) }) else {
                return EINVAL.to_errno();
            };
            let result: Result = ($handler)(&mut dump);
            match result {
                Ok(()) => dump.finish(),
                Err(e) => e.to_errno(),
            }
        }
    )*};
}

doit! {
    smplb_nl_port_get_doit, SMPLB_A_PORT_IFNAME => port::get;
    smplb_nl_port_set_doit, SMPLB_A_PORT_CPU => port::set;
    smplb_nl_service_new_doit, SMPLB_A_SERVICE_ANNOUNCE => service::new;
    smplb_nl_service_set_doit, SMPLB_A_SERVICE_ANNOUNCE => service::set;
    smplb_nl_service_del_doit, SMPLB_A_SERVICE_PORT => service::del;
    smplb_nl_service_get_doit, SMPLB_A_SERVICE_PORT => service::get;
    smplb_nl_backend_new_doit, SMPLB_A_BACKEND_WEIGHT => backend::new;
    smplb_nl_backend_set_doit, SMPLB_A_BACKEND_WEIGHT => backend::set;
    smplb_nl_backend_del_doit, SMPLB_A_BACKEND_PORT => backend::del;
    smplb_nl_backend_get_doit, SMPLB_A_BACKEND_PORT => backend::get;
    smplb_nl_config_apply_doit, SMPLB_A_CONFIG_EXPECT_GENERATION => apply::apply;
    smplb_nl_generation_get_doit, 0 => generation::get;
    smplb_nl_generation_rollback_doit, 0 => generation::rollback;
    smplb_nl_stats_get_doit, 0 => stats::get;
    smplb_nl_pool_get_doit, 0 => pool::get;
    smplb_nl_port_plan_doit, SMPLB_A_PORT_QUEUES => port::plan;
}

dumpit! {
    smplb_nl_port_get_dumpit => |dump| { port::dump(dump); Ok(()) };
    smplb_nl_service_get_dumpit => |dump| { service::dump(dump); Ok(()) };
    smplb_nl_backend_get_dumpit => backend::dump;
    smplb_nl_engine_get_dumpit => |dump| { engine::dump(dump); Ok(()) };
    smplb_nl_connection_get_dumpit => |dump| { connection::dump(dump); Ok(()) };
}
