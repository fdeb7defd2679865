// SPDX-License-Identifier: GPL-2.0

//! Attributes that name or describe services and backends.
#![forbid(unsafe_code)]

use super::uapi::*;
use crate::core_::config::{Mode, Scheduler, ServiceKey, ServiceOptions};
use crate::kapi::extack::Extack;
use crate::kapi::netlink::{Attr, Attrs, Request};
use kernel::c_str;
use kernel::prelude::*;

/// The attribute numbers of the set a service is described with: it comes as
/// `service` and, inside of other messages, as `service-def`.
pub(super) struct ServiceSet {
    protocol: u32,
    addr: u32,
    port: u32,
    scheduler: u32,
    mode: u32,
    timeout: u32,
    announce: u32,
}

/// The set `service`.
pub(super) const SERVICE: ServiceSet = ServiceSet {
    protocol: SMPLB_A_SERVICE_PROTOCOL,
    addr: SMPLB_A_SERVICE_ADDR,
    port: SMPLB_A_SERVICE_PORT,
    scheduler: SMPLB_A_SERVICE_SCHEDULER,
    mode: SMPLB_A_SERVICE_MODE,
    timeout: SMPLB_A_SERVICE_TIMEOUT,
    announce: SMPLB_A_SERVICE_ANNOUNCE,
};

/// The set `service-def`.
pub(super) const SERVICE_DEF: ServiceSet = ServiceSet {
    protocol: SMPLB_A_SERVICE_DEF_PROTOCOL,
    addr: SMPLB_A_SERVICE_DEF_ADDR,
    port: SMPLB_A_SERVICE_DEF_PORT,
    scheduler: SMPLB_A_SERVICE_DEF_SCHEDULER,
    mode: SMPLB_A_SERVICE_DEF_MODE,
    timeout: SMPLB_A_SERVICE_DEF_TIMEOUT,
    announce: SMPLB_A_SERVICE_DEF_ANNOUNCE,
};

impl ServiceSet {
    /// The key of a service; all three attributes are needed.
    pub(super) fn key<'a>(&self, attrs: &impl Attrs<'a>, extack: &Extack) -> Result<ServiceKey> {
        let protocol = attrs.get(self.protocol).ok_or_else(|| {
            extack.missing(self.protocol, c_str!("protocol of the service is missing"))
        })?;
        let addr = attrs
            .get(self.addr)
            .ok_or_else(|| extack.missing(self.addr, c_str!("addr of the service is missing")))?;
        let port = attrs
            .get(self.port)
            .ok_or_else(|| extack.missing(self.port, c_str!("port of the service is missing")))?;
        Ok(ServiceKey {
            protocol: protocol.u8(),
            addr: addr.ipv4(),
            port: port.be16(),
        })
    }

    /// The parameters that were given. The policy has checked the ranges.
    pub(super) fn options<'a>(&self, attrs: &impl Attrs<'a>) -> ServiceOptions {
        ServiceOptions {
            scheduler: attrs.get(self.scheduler).map(|a| match a.u32() {
                SMPLB_SCHEDULER_LC => Scheduler::Lc,
                _ => Scheduler::Wrr,
            }),
            mode: attrs.get(self.mode).map(|a| match a.u32() {
                SMPLB_MODE_DR => Mode::Dr,
                _ => Mode::Nat,
            }),
            timeout: attrs.get(self.timeout).map(Attr::u32),
            announce: attrs.get(self.announce).map(|a| a.u8() != 0),
        }
    }

    /// The attribute that a refusal of the service is about: its address.
    pub(super) fn blame<'a>(&self, attrs: &impl Attrs<'a>) -> Option<Attr<'a>> {
        attrs.get(self.addr)
    }
}

/// The key of a backend.
#[derive(Clone, Copy)]
pub(super) struct BackendKey {
    pub(super) service: ServiceKey,
    pub(super) addr: [u8; 4],
    pub(super) port: u16,
}

/// The service that a request about backends names, when it names one.
pub(super) fn backend_service(request: &Request<'_>) -> Result<Option<ServiceKey>> {
    let Some(nest) = request.get(SMPLB_A_BACKEND_SERVICE) else {
        return Ok(None);
    };
    let service = request.service_def(nest)?;
    Ok(Some(SERVICE_DEF.key(&service, &request.extack())?))
}

/// The key of the backend a request is about; without a port, that of the
/// service.
pub(super) fn backend_key(request: &Request<'_>) -> Result<BackendKey> {
    let extack = request.extack();
    let service = backend_service(request)?.ok_or_else(|| {
        extack.missing(
            SMPLB_A_BACKEND_SERVICE,
            c_str!("service of the backend is missing"),
        )
    })?;
    let addr = request.get(SMPLB_A_BACKEND_ADDR).ok_or_else(|| {
        extack.missing(
            SMPLB_A_BACKEND_ADDR,
            c_str!("addr of the backend is missing"),
        )
    })?;
    Ok(BackendKey {
        service,
        addr: addr.ipv4(),
        port: request
            .get(SMPLB_A_BACKEND_PORT)
            .map_or(service.port, Attr::be16),
    })
}
