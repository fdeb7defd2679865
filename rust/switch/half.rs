// SPDX-License-Identifier: GPL-2.0

//! The memory of one half of the configuration table.

use crate::core_::config::build::HalfMut;
use crate::core_::config::view::View;
use crate::core_::config::{
    Backend, Header, Service, Vip, INDEX_LEN, MAX_BACKENDS, MAX_SERVICES, MAX_SLOTS, VIPS_LEN,
};
use kernel::alloc::flags::GFP_KERNEL_ACCOUNT;
use kernel::prelude::*;

/// One half, empty at first.
pub(crate) struct Half {
    header: Header,
    services: KVVec<Service>,
    backends: KVVec<Backend>,
    index: KVVec<u16>,
    vips: KVVec<Vip>,
    slots: KVVec<u16>,
}

impl Half {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            header: Header::default(),
            services: KVVec::from_elem(Service::default(), MAX_SERVICES, GFP_KERNEL_ACCOUNT)?,
            backends: KVVec::from_elem(Backend::default(), MAX_BACKENDS, GFP_KERNEL_ACCOUNT)?,
            index: KVVec::from_elem(0, INDEX_LEN, GFP_KERNEL_ACCOUNT)?,
            vips: KVVec::from_elem(Vip::default(), VIPS_LEN, GFP_KERNEL_ACCOUNT)?,
            slots: KVVec::from_elem(0, MAX_SLOTS, GFP_KERNEL_ACCOUNT)?,
        })
    }

    /// To read.
    #[inline(always)]
    pub(crate) fn view(&self) -> View<'_> {
        View {
            header: &self.header,
            services: &self.services,
            backends: &self.backends,
            index: &self.index,
            vips: &self.vips,
            slots: &self.slots,
        }
    }

    /// To build.
    pub(super) fn build(&mut self) -> HalfMut<'_> {
        HalfMut {
            header: &mut self.header,
            services: &mut self.services,
            backends: &mut self.backends,
            index: &mut self.index,
            vips: &mut self.vips,
            slots: &mut self.slots,
        }
    }
}
