// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel's reason for a refusal (extended acknowledgement).

use std::fmt;
use std::io;

use netlink_packet_core::NLMSG_ALIGNTO;
use rustix::io::Errno;

use crate::attr::{Attributes, DecodeError, Value, Writer};
use crate::set::{Attribute, AttributeSet, Path};

/// Bytes before the attributes of a generic netlink message.
pub const GENL_HEAD: usize = 16 + 4;
/// Bytes before the attributes of a link message: header and `struct ifinfomsg`.
pub const LINK_HEAD: usize = 16 + 16;

/// A request as the kernel got it, to give names to the offsets in its answer.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The whole message.
    pub bytes: &'a [u8],
    /// Where the attributes begin.
    pub head: usize,
    /// The names of the attributes.
    pub set: &'static AttributeSet,
}

/// The kernel understood the request and said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The error number.
    pub errno: Errno,
    /// The reason in words.
    pub message: Option<String>,
    /// The attribute that was refused.
    pub attribute: Option<Path>,
    /// The attribute that was missing.
    pub missing: Option<Path>,
    /// The least and the greatest value that would have done.
    pub range: Option<(u64, u64)>,
}

impl Refusal {
    /// A refusal without a reason.
    pub fn bare(errno: Errno) -> Self {
        Self {
            errno,
            message: None,
            attribute: None,
            missing: None,
            range: None,
        }
    }

    /// Reads the attributes that follow the error number, and what they say of `request`.
    pub fn read(errno: i32, tlvs: &[u8], request: Request<'_>) -> Self {
        // What the kernel says of an error may be damaged; the error itself still counts.
        let extack = Extack::decode(tlvs).unwrap_or_default();
        let attributes = request.bytes.get(request.head..).unwrap_or_default();
        let inside = |offset: u32| usize::try_from(offset).ok()?.checked_sub(request.head);
        let locate = |offset| request.set.locate(attributes, inside(offset)?);
        let missing = |kind: u32| {
            let nest = extack.miss_nest.and_then(inside);
            request
                .set
                .locate_missing(attributes, nest, u16::try_from(kind).ok()?)
        };
        Self {
            errno: Errno::from_raw_os_error(errno.saturating_abs()),
            attribute: extack.offset.and_then(locate),
            missing: extack.miss_type.and_then(missing),
            range: extack
                .policy
                .as_ref()
                .and_then(|policy| policy.min.zip(policy.max)),
            message: extack.message,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.message, &self.missing) {
            (Some(message), _) => write!(f, "{message}")?,
            (None, Some(missing)) => return write!(f, "attribute {missing} is missing"),
            (None, None) => write!(f, "{}", describe(self.errno))?,
        }
        match (&self.attribute, self.range) {
            (Some(path), Some((min, max))) => write!(f, " ({path}: {min} to {max})"),
            (Some(path), None) => write!(f, " ({path})"),
            (None, _) => Ok(()),
        }
    }
}

/// The words of an error number, without the number.
fn describe(errno: Errno) -> String {
    let text = io::Error::from(errno).to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// Warning that may come with an acknowledgement.
pub fn warning(tlvs: &[u8]) -> Option<String> {
    Extack::decode(tlvs).ok()?.message
}

/// The attributes after the header that an error message returns. With `NETLINK_CAP_ACK` only
/// the header of the request comes back; `capped` says whether that is so.
pub fn tlvs(returned: &[u8], capped: bool) -> &[u8] {
    let header = 16;
    let len = match returned.first_chunk() {
        Some(len) if !capped => u32::from_ne_bytes(*len) as usize,
        _ => header,
    };
    let start = len.next_multiple_of(usize::from(NLMSG_ALIGNTO)).max(header);
    returned.get(start..).unwrap_or_default()
}

/// `enum nlmsgerr_attrs` of `linux/netlink.h`.
#[derive(Debug, Default)]
struct Extack {
    message: Option<String>,
    offset: Option<u32>,
    policy: Option<Policy>,
    miss_type: Option<u32>,
    miss_nest: Option<u32>,
}

impl Attributes for Extack {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "extack",
        attributes: &[
            Attribute::plain("msg"),
            Attribute::plain("offs"),
            Attribute::plain("cookie"),
            Attribute::nest("policy", Policy::SET),
            Attribute::plain("miss-type"),
            Attribute::plain("miss-nest"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.string(1, self.message.as_deref());
        out.u32(2, self.offset);
        out.nest(4, self.policy.as_ref());
        out.u32(5, self.miss_type);
        out.u32(6, self.miss_nest);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            1 => self.message = Some(value.string()?),
            2 => self.offset = Some(value.u32()?),
            4 => self.policy = Some(value.nest()?),
            5 => self.miss_type = Some(value.u32()?),
            6 => self.miss_nest = Some(value.u32()?),
            _ => {}
        }
        Ok(())
    }
}

/// The range of `enum netlink_policy_type_attr`.
#[derive(Debug, Default)]
struct Policy {
    min: Option<u64>,
    max: Option<u64>,
}

impl Attributes for Policy {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "policy",
        attributes: &[
            Attribute::plain("type"),
            Attribute::plain("min-value-s"),
            Attribute::plain("max-value-s"),
            Attribute::plain("min-value-u"),
            Attribute::plain("max-value-u"),
        ],
    };

    fn encode(&self, out: &mut Writer) {
        out.uint(4, self.min);
        out.uint(5, self.max);
    }

    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {
        match kind {
            4 => self.min = Some(value.uint()?),
            5 => self.max = Some(value.uint()?),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::Backend;

    fn refusal(extack: &Extack) -> String {
        let backend = Backend {
            weight: Some(70_000),
            ..Backend::default()
        };
        let mut bytes = vec![0; GENL_HEAD];
        bytes.extend(Writer::write(&backend).unwrap());
        let request = Request {
            bytes: &bytes,
            head: GENL_HEAD,
            set: Backend::SET,
        };
        Refusal::read(-34, &Writer::write(extack).unwrap(), request).to_string()
    }

    #[test]
    fn every_part_of_the_reason_is_told() {
        let message = Some("integer out of range".to_owned());
        let policy = Some(Policy {
            min: Some(0),
            max: Some(65_535),
        });
        let offset = Some(GENL_HEAD as u32);
        for (extack, wanted) in [
            (Extack::default(), "Numerical result out of range"),
            (
                Extack {
                    offset,
                    ..Extack::default()
                },
                "Numerical result out of range (weight)",
            ),
            (
                Extack {
                    miss_type: Some(2),
                    ..Extack::default()
                },
                "attribute addr is missing",
            ),
            (
                Extack {
                    message,
                    offset,
                    policy,
                    ..Extack::default()
                },
                "integer out of range (weight: 0 to 65535)",
            ),
        ] {
            assert_eq!(refusal(&extack), wanted);
        }
    }

    #[test]
    fn nonsense_offsets_are_passed_over() {
        for offset in [0, 15, 19, 28, u32::MAX] {
            let extack = Extack {
                offset: Some(offset),
                ..Extack::default()
            };
            assert_eq!(refusal(&extack), "Numerical result out of range");
        }
        let nest = Extack {
            miss_type: Some(70_000),
            miss_nest: Some(3),
            ..Extack::default()
        };
        assert_eq!(refusal(&nest), "Numerical result out of range");
    }

    #[test]
    fn attributes_follow_the_returned_request() {
        let mut capped = vec![0; 16];
        capped[..4].copy_from_slice(&400_000u32.to_ne_bytes());
        capped.extend([1, 2, 3, 4]);
        assert_eq!(tlvs(&capped, true), [1, 2, 3, 4]);
        assert_eq!(tlvs(&capped, false), [0; 0]);
        let mut whole = vec![0; 18];
        whole[..4].copy_from_slice(&18u32.to_ne_bytes());
        whole.extend([0, 0, 5, 6]);
        assert_eq!(tlvs(&whole, false), [5, 6]);
        assert_eq!(tlvs(&[], true), [0; 0]);
    }

    #[test]
    fn damaged_attributes_leave_the_error() {
        let request = Request {
            bytes: &[],
            head: GENL_HEAD,
            set: Backend::SET,
        };
        let refusal = Refusal::read(-1, &[7, 0, 1], request);
        assert_eq!(refusal, Refusal::bare(Errno::PERM));
    }
}
