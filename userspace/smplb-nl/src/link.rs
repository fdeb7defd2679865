// SPDX-License-Identifier: MIT OR Apache-2.0
//! Ports are links of kind `smplb` above the claimed NIC, made and removed by rtnetlink.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::link::{InfoData, InfoKind, LinkAttribute, LinkInfo, LinkMessage};
use netlink_packet_route::RouteNetlinkMessage;
use rustix::io::Errno;
use rustix::net::{netdevice, socket, AddressFamily, SocketType};

use crate::attr::{Attributes, DecodeError, Value, Writer};
use crate::channel::{Ask, Channel};
use crate::error::{Error, Result};
use crate::extack::LINK_HEAD;
use crate::set::{Attribute, AttributeSet};
use crate::socket::{Kernel, Transport};

/// Kind of the links.
pub const KIND: &str = "smplb";

/// A port to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewPort {
    /// Index of the NIC to claim.
    pub lower: u32,
    /// Name of the pseudo interface; without one the kernel takes the first free `smplbN`.
    pub name: Option<String>,
    /// What the module is told.
    pub data: LinkData,
}

/// Attributes inside `IFLA_INFO_DATA`, `enum ifla_smplb` of the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkData {
    /// `IFLA_SMPLB_CPU`: switching CPU whose engine polls the port.
    pub cpu: Option<u32>,
    /// `IFLA_SMPLB_DRIVER`: port driver.
    pub driver: Option<String>,
}

const CPU: u16 = 1;
const DRIVER: u16 = 2;

impl Attributes for LinkData {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "linkinfo-smplb",
        attributes: &[Attribute::plain("cpu"), Attribute::plain("driver")],
    };

    fn encode(&self, out: &mut Writer) {
        out.u32(CPU, self.cpu);
        out.string(DRIVER, self.driver.as_deref());
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            CPU => self.cpu = Some(value.u32()?),
            DRIVER => self.driver = Some(value.string()?),
            _ => {}
        }
        Ok(())
    }
}

/// Attributes of a link message up to `IFLA_LINKINFO`, for the names in a refusal.
const LINK: AttributeSet = AttributeSet {
    name: "link",
    attributes: &[
        Attribute::plain("address"),
        Attribute::plain("broadcast"),
        Attribute::plain("ifname"),
        Attribute::plain("mtu"),
        Attribute::plain("link"),
        Attribute::plain("qdisc"),
        Attribute::plain("stats"),
        Attribute::plain("cost"),
        Attribute::plain("priority"),
        Attribute::plain("master"),
        Attribute::plain("wireless"),
        Attribute::plain("protinfo"),
        Attribute::plain("txqlen"),
        Attribute::plain("map"),
        Attribute::plain("weight"),
        Attribute::plain("operstate"),
        Attribute::plain("linkmode"),
        Attribute::nest("linkinfo", &LINK_INFO),
    ],
};

const LINK_INFO: AttributeSet = AttributeSet {
    name: "linkinfo",
    attributes: &[
        Attribute::plain("kind"),
        Attribute::nest("data", LinkData::SET),
    ],
};

/// Index of the network interface `name`.
pub fn index_of(name: &str) -> Result<u32> {
    let socket = socket(AddressFamily::INET, SocketType::DGRAM, None)
        .map_err(|errno| Error::Socket(errno.into()))?;
    netdevice::name_to_index(socket, name).map_err(|errno| match errno {
        Errno::NODEV | Errno::NAMETOOLONG | Errno::INVAL => Error::NoInterface(name.to_owned()),
        _ => Error::Socket(errno.into()),
    })
}

/// Makes, names and removes ports.
#[derive(Debug)]
pub struct Links<T = Kernel>(Channel<T>);

impl Links {
    /// Connects to rtnetlink in the network namespace of the caller.
    pub fn connect() -> Result<Self> {
        Ok(Self::over(Kernel::route()?))
    }
}

impl<T: Transport> Links<T> {
    /// Connects over a socket of the caller's.
    pub fn over(transport: T) -> Self {
        Self(Channel::new(transport))
    }

    /// Claims a NIC, and makes the pseudo interface it hides behind.
    ///
    /// # Errors
    /// [`Error::NoModule`] when the kernel does not know the link kind.
    pub fn add(&mut self, port: &NewPort) -> Result<()> {
        let message = RouteNetlinkMessage::NewLink(new_link(port)?);
        let ask = Ask::one(message, LINK_HEAD, &LINK).with(NLM_F_CREATE | NLM_F_EXCL);
        match self.0.ask(ask) {
            // The one refusal that comes before the module could have been asked.
            Err(Error::Refused(refusal))
                if refusal.errno == Errno::OPNOTSUPP
                    && refusal
                        .message
                        .as_deref()
                        .is_none_or(|text| text == "Unknown device type") =>
            {
                Err(Error::NoModule)
            }
            other => other.map(drop),
        }
    }

    /// Removes the pseudo interface of index `ifindex`, and gives its NIC back.
    pub fn delete(&mut self, ifindex: u32) -> Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = ifindex;
        let message = RouteNetlinkMessage::DelLink(link);
        self.0.ask(Ask::one(message, LINK_HEAD, &LINK)).map(drop)
    }

    /// Gives the interface of index `ifindex` another name.
    pub fn rename(&mut self, ifindex: u32, name: &str) -> Result<()> {
        let mut link = LinkMessage::default();
        link.header.index = ifindex;
        link.attributes.push(LinkAttribute::IfName(name.to_owned()));
        let message = RouteNetlinkMessage::SetLink(link);
        self.0.ask(Ask::one(message, LINK_HEAD, &LINK)).map(drop)
    }

    /// The warnings that the kernel gave with what it did since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.0.take_warnings()
    }
}

fn new_link(port: &NewPort) -> Result<LinkMessage> {
    let mut link = LinkMessage::default();
    link.attributes.push(LinkAttribute::Link(port.lower));
    if let Some(name) = &port.name {
        link.attributes.push(LinkAttribute::IfName(name.clone()));
    }
    let mut info = vec![LinkInfo::Kind(InfoKind::Other(KIND.to_owned()))];
    if port.data != LinkData::default() {
        let data = Writer::write(&port.data).ok_or(Error::TooLong)?;
        info.push(LinkInfo::Data(InfoData::Other(data)));
    }
    link.attributes.push(LinkAttribute::LinkInfo(info));
    Ok(link)
}

#[cfg(test)]
mod tests;
