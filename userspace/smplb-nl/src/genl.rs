// SPDX-License-Identifier: MIT OR Apache-2.0
//! Messages of the family, and the number the kernel has given to it.

use netlink_packet_core::{DecodeError, Emitable, ParseableParametrized};
use netlink_packet_generic::ctrl::nlas::{GenlCtrlAttrs, McastGrpAttrs};
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use rustix::io::Errno;

use crate::attr::{Attributes, Empty};
use crate::channel::{Ask, Channel};
use crate::error::{Error, Result};
use crate::extack::GENL_HEAD;
use crate::generated::{FAMILY, VERSION};
use crate::socket::Transport;

/// A message of the family: its command, and attributes that are not yet read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    pub command: u8,
    pub attributes: Vec<u8>,
}

impl GenlFamily for Body {
    fn family_name() -> &'static str {
        FAMILY
    }

    fn command(&self) -> u8 {
        self.command
    }

    fn version(&self) -> u8 {
        VERSION
    }
}

impl Emitable for Body {
    fn buffer_len(&self) -> usize {
        self.attributes.len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer[..self.attributes.len()].copy_from_slice(&self.attributes);
    }
}

impl ParseableParametrized<[u8], GenlHeader> for Body {
    fn parse_with_param(bytes: &[u8], header: GenlHeader) -> Result<Self, DecodeError> {
        Ok(Self {
            command: header.cmd,
            attributes: bytes.to_vec(),
        })
    }
}

/// What the kernel calls the family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The type of its messages.
    pub id: u16,
    /// Its multicast groups.
    pub groups: Vec<(String, u32)>,
}

impl Family {
    /// Asks the kernel, which loads the module if it can.
    pub fn resolve<T: Transport>(channel: &mut Channel<T>) -> Result<Self> {
        let name = GenlCtrlAttrs::FamilyName(FAMILY.to_owned());
        let ask = GenlCtrl {
            cmd: GenlCtrlCmd::GetFamily,
            nlas: vec![name],
        };
        let ask = Ask::one(GenlMessage::from_payload(ask), GENL_HEAD, Empty::SET);
        let answers = channel.ask(ask).map_err(|error| match error.errno() {
            Some(Errno::NOENT) => Error::NoModule,
            _ => error,
        })?;
        let mut family = Self::default();
        for attribute in answers.into_iter().flat_map(|answer| answer.payload.nlas) {
            match attribute {
                GenlCtrlAttrs::FamilyId(id) => family.id = id,
                GenlCtrlAttrs::McastGroups(groups) => {
                    family.groups = groups
                        .iter()
                        .filter_map(|group| name_and_id(group))
                        .collect();
                }
                _ => {}
            }
        }
        match family.id {
            0 => Err(Error::Unexpected("a family without a number".to_owned())),
            _ => Ok(family),
        }
    }

    /// The number of a multicast group.
    pub fn group(&self, name: &'static str) -> Result<u32> {
        let mut groups = self.groups.iter();
        let found = groups.find(|(known, _)| known == name).map(|(_, id)| *id);
        found.ok_or(Error::NoGroup(name))
    }
}

fn name_and_id(group: &[McastGrpAttrs]) -> Option<(String, u32)> {
    let name = group.iter().find_map(|attribute| match attribute {
        McastGrpAttrs::Name(name) => Some(name.clone()),
        McastGrpAttrs::Id(_) => None,
    })?;
    let id = group.iter().find_map(|attribute| match attribute {
        McastGrpAttrs::Id(id) => Some(*id),
        McastGrpAttrs::Name(_) => None,
    })?;
    Some((name, id))
}
