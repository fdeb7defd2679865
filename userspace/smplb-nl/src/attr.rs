// SPDX-License-Identifier: MIT OR Apache-2.0
//! Netlink attributes: the writer and the reader that the generated structs use.

use std::net::Ipv4Addr;

use netlink_packet_core::{NlasIterator, NLA_F_NESTED, NLA_HEADER_SIZE};

use crate::set::AttributeSet;

/// Structs that are a set of attributes on the wire.
pub trait Attributes: Default {
    /// Names of the attributes.
    const SET: &'static AttributeSet;

    /// Appends every attribute that has a value.
    fn encode(&self, out: &mut Writer);

    /// Takes the value of one attribute; a number it does not know is passed over.
    fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError>;

    /// Reads a run of attributes.
    fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut out = Self::default();
        for attribute in NlasIterator::new(bytes) {
            let attribute = attribute.map_err(|error| DecodeError {
                path: Self::SET.name.to_owned(),
                reason: error.to_string(),
            })?;
            let value = Value(attribute.value());
            out.decode_one(attribute.kind(), value).map_err(|error| {
                let name = Self::SET.name_of(attribute.kind()).unwrap_or("?");
                error.inside(name)
            })?;
        }
        Ok(out)
    }
}

/// A set without attributes, for requests that carry none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Empty;

impl Attributes for Empty {
    const SET: &'static AttributeSet = &AttributeSet {
        name: "empty",
        attributes: &[],
    };

    fn encode(&self, _out: &mut Writer) {}

    fn decode_one(&mut self, _kind: u16, _value: Value<'_>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// A message of the kernel that is not what the specification says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DecodeError {
    path: String,
    reason: String,
}

impl DecodeError {
    fn inside(mut self, name: &str) -> Self {
        self.path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{name}.{path}"),
        };
        self
    }
}

/// Appends attributes to a message.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
    too_long: bool,
}

impl Writer {
    /// The attributes of `set`, or nothing when one is longer than netlink can carry.
    pub fn write(set: &impl Attributes) -> Option<Vec<u8>> {
        let mut out = Self::default();
        set.encode(&mut out);
        (!out.too_long).then_some(out.bytes)
    }

    /// The bytes written so far.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// A number of one byte.
    pub fn u8(&mut self, kind: u16, value: Option<u8>) {
        self.put(kind, value.map(|value| [value]));
    }

    /// A number of four bytes in host order.
    pub fn u32(&mut self, kind: u16, value: Option<u32>) {
        self.put(kind, value.map(u32::to_ne_bytes));
    }

    /// One number of four bytes in host order per value.
    pub fn u32s(&mut self, kind: u16, values: &[u32]) {
        for value in values {
            self.u32(kind, Some(*value));
        }
    }

    /// A `uint`; always written with eight bytes.
    pub fn uint(&mut self, kind: u16, value: Option<u64>) {
        self.put(kind, value.map(u64::to_ne_bytes));
    }

    /// A number of two bytes in network order.
    pub fn u16_be(&mut self, kind: u16, value: Option<u16>) {
        self.put(kind, value.map(u16::to_be_bytes));
    }

    /// An IPv4 address.
    pub fn ipv4(&mut self, kind: u16, value: Option<Ipv4Addr>) {
        self.put(kind, value.map(|value| value.octets()));
    }

    /// A string, with the zero byte that the kernel wants at its end.
    pub fn string(&mut self, kind: u16, value: Option<&str>) {
        self.put(kind, value.map(|value| [value.as_bytes(), &[0]].concat()));
    }

    /// An attribute without a value, when `value` is true.
    pub fn flag(&mut self, kind: u16, value: bool) {
        self.put(kind, value.then_some([]));
    }

    /// Attributes inside an attribute.
    pub fn nest(&mut self, kind: u16, value: Option<&impl Attributes>) {
        let Some(value) = value else { return };
        let start = self.bytes.len();
        self.bytes.extend([0; NLA_HEADER_SIZE]);
        value.encode(self);
        let len = self.bytes.len() - start;
        self.head(start, kind | NLA_F_NESTED, len);
    }

    /// One nest per value.
    pub fn nests(&mut self, kind: u16, values: &[impl Attributes]) {
        for value in values {
            self.nest(kind, Some(value));
        }
    }

    fn put(&mut self, kind: u16, value: Option<impl AsRef<[u8]>>) {
        let Some(value) = value else { return };
        let start = self.bytes.len();
        self.bytes.extend([0; NLA_HEADER_SIZE]);
        self.bytes.extend(value.as_ref());
        let len = self.bytes.len() - start;
        self.bytes.resize(start + len.next_multiple_of(4), 0);
        self.head(start, kind, len);
    }

    fn head(&mut self, start: usize, kind: u16, len: usize) {
        self.too_long |= len > usize::from(u16::MAX);
        // CAST: a length that does not fit is remembered in `too_long`, and nothing is sent.
        self.bytes[start..start + 2].copy_from_slice(&(len as u16).to_ne_bytes());
        self.bytes[start + 2..start + 4].copy_from_slice(&kind.to_ne_bytes());
    }
}

/// The value of one attribute as it came.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a>(&'a [u8]);

impl Value<'_> {
    /// A number of one byte.
    pub fn u8(self) -> Result<u8, DecodeError> {
        self.exactly().map(|[byte]| byte)
    }

    /// A number of four bytes in host order.
    pub fn u32(self) -> Result<u32, DecodeError> {
        self.exactly().map(u32::from_ne_bytes)
    }

    /// A `uint`, of four or eight bytes.
    pub fn uint(self) -> Result<u64, DecodeError> {
        match self.0.len() {
            4 => self.u32().map(u64::from),
            _ => self.exactly().map(u64::from_ne_bytes),
        }
    }

    /// A number of two bytes in network order.
    pub fn u16_be(self) -> Result<u16, DecodeError> {
        self.exactly().map(u16::from_be_bytes)
    }

    /// An IPv4 address.
    pub fn ipv4(self) -> Result<Ipv4Addr, DecodeError> {
        self.exactly::<4>().map(Ipv4Addr::from)
    }

    /// A string, up to its zero byte; bytes that are not UTF-8 are replaced.
    pub fn string(self) -> Result<String, DecodeError> {
        let text = self.0.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Attributes inside the attribute.
    pub fn nest<T: Attributes>(self) -> Result<T, DecodeError> {
        T::decode(self.0)
    }

    fn exactly<const N: usize>(self) -> Result<[u8; N], DecodeError> {
        self.0.try_into().map_err(|_| DecodeError {
            path: String::new(),
            reason: format!("{} bytes where {N} are due", self.0.len()),
        })
    }
}

#[cfg(test)]
mod tests;
