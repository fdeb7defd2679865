// SPDX-License-Identifier: GPL-2.0

//! `config-apply`: the whole configuration in one generation.
#![forbid(unsafe_code)]

use super::decode::SERVICE_DEF;
use super::uapi::*;
use super::{refuse, switch_to_change};
use crate::core_::config::build::HalfMut;
use crate::core_::config::error::ConfigError;
use crate::core_::config::{ServiceKey, ServiceOptions, MAX_BACKENDS, MAX_SERVICES};
use crate::kapi::netlink::{Attr, Attrs, Request};
use crate::switch::Edit;
use kernel::c_str;
use kernel::prelude::*;

/// A service of the message.
struct Service<'a> {
    key: ServiceKey,
    options: ServiceOptions,
    from: Attr<'a>,
}

/// A backend of the message.
struct Backend<'a> {
    service: ServiceKey,
    addr: [u8; 4],
    port: u16,
    weight: u32,
    from: Attr<'a>,
}

/// The decoded message.
struct Apply<'a> {
    services: KVVec<Service<'a>>,
    backends: KVVec<Backend<'a>>,
    dry_run: bool,
    expects: Option<u64>,
    /// What the edit was at when it was refused.
    at: Option<Attr<'a>>,
}

impl Edit for Apply<'_> {
    fn edit(&mut self, half: &mut HalfMut<'_>) -> Result<(), ConfigError> {
        half.apply_begin();
        for service in &self.services {
            half.keep_service(service.key);
        }
        for b in &self.backends {
            half.keep_backend(b.service, b.addr, b.port);
        }
        half.apply_sweep();
        for service in &self.services {
            self.at = Some(service.from);
            half.put_service(service.key, service.options)?;
        }
        for b in &self.backends {
            self.at = Some(b.from);
            half.put_backend(b.service, b.addr, b.port, b.weight)?;
        }
        self.at = None;
        Ok(())
    }

    fn dry_run(&self) -> bool {
        self.dry_run
    }

    fn expects(&self) -> Option<u64> {
        self.expects
    }
}

fn decode<'a>(request: &Request<'a>) -> Result<Apply<'a>> {
    let extack = request.extack();
    let mut services = KVVec::new();
    for from in request.multi(SMPLB_A_CONFIG_SERVICE) {
        if services.len() == MAX_SERVICES {
            let why = ConfigError::ServicesFull.reason();
            return Err(extack.refuse_attr(ENOSPC, why, Some(from)));
        }
        let attrs = request.service_def(from)?;
        let service = Service {
            key: SERVICE_DEF.key(&attrs, &extack)?,
            options: SERVICE_DEF.options(&attrs),
            from,
        };
        services.push(service, GFP_KERNEL)?;
    }
    let mut backends = KVVec::new();
    for from in request.multi(SMPLB_A_CONFIG_BACKEND) {
        if backends.len() == MAX_BACKENDS {
            let why = ConfigError::BackendsFull.reason();
            return Err(extack.refuse_attr(ENOSPC, why, Some(from)));
        }
        let attrs = request.backend_def(from)?;
        let service = attrs
            .get(SMPLB_A_BACKEND_DEF_SERVICE)
            .and_then(|place| services.get(place.u32() as usize))
            .map(|service: &Service<'_>| service.key)
            .ok_or_else(|| {
                extack.refuse_attr(
                    EINVAL,
                    c_str!("the backend names no service of this message"),
                    Some(from),
                )
            })?;
        let addr = attrs.get(SMPLB_A_BACKEND_DEF_ADDR).ok_or_else(|| {
            extack.missing(
                SMPLB_A_BACKEND_DEF_ADDR,
                c_str!("addr of the backend is missing"),
            )
        })?;
        let backend = Backend {
            service,
            addr: addr.ipv4(),
            port: attrs
                .get(SMPLB_A_BACKEND_DEF_PORT)
                .map_or(service.port, Attr::be16),
            weight: attrs.get(SMPLB_A_BACKEND_DEF_WEIGHT).map_or(1, Attr::u32),
            from,
        };
        backends.push(backend, GFP_KERNEL)?;
    }
    Ok(Apply {
        services,
        backends,
        dry_run: request.get(SMPLB_A_CONFIG_DRY_RUN).is_some(),
        expects: request
            .get(SMPLB_A_CONFIG_EXPECT_GENERATION)
            .map(Attr::uint),
        at: None,
    })
}

pub(super) fn apply(request: &Request<'_>) -> Result {
    let mut apply = decode(request)?;
    let mut reply = request.reply()?;
    let switch = switch_to_change(request.net())?;
    let applied = switch
        .change(&mut apply)
        .map_err(|e| refuse(&request.extack(), e, apply.at))?;
    if !apply.dry_run {
        super::generation::tell(&switch);
    }
    let message = &mut reply.message;
    message.uint(SMPLB_A_CONFIG_GENERATION, applied.generation)?;
    message.uint(SMPLB_A_CONFIG_SLOTS_MOVED, applied.slots_moved)?;
    reply.send()
}
