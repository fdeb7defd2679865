// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of attributes, and which attribute of a request a byte offset falls on.

use std::fmt;

use netlink_packet_core::{NlaBuffer, NLA_HEADER_SIZE};

/// The attributes of a message or a nest, numbered from 1.
#[derive(Debug)]
pub struct AttributeSet {
    /// Name of the set.
    pub name: &'static str,
    /// The attributes; the first has number 1.
    pub attributes: &'static [Attribute],
}

/// What is known of an attribute besides its number.
#[derive(Debug)]
pub struct Attribute {
    /// Name in the specification.
    pub name: &'static str,
    /// The attributes inside it.
    pub nested: Option<&'static AttributeSet>,
    /// It may come more than once.
    pub multi: bool,
}

impl Attribute {
    /// An attribute with a plain value.
    pub const fn plain(name: &'static str) -> Self {
        Self {
            name,
            nested: None,
            multi: false,
        }
    }

    /// An attribute that holds attributes.
    pub const fn nest(name: &'static str, set: &'static AttributeSet) -> Self {
        Self {
            name,
            nested: Some(set),
            multi: false,
        }
    }

    /// An attribute that holds attributes and may come more than once.
    pub const fn nests(name: &'static str, set: &'static AttributeSet) -> Self {
        Self {
            name,
            nested: Some(set),
            multi: true,
        }
    }
}

impl AttributeSet {
    /// The attribute of number `kind`.
    pub fn get(&self, kind: u16) -> Option<&'static Attribute> {
        self.attributes.get(usize::from(kind).checked_sub(1)?)
    }

    /// The name of the attribute of number `kind`.
    pub fn name_of(&self, kind: u16) -> Option<&'static str> {
        self.get(kind).map(|attribute| attribute.name)
    }

    /// The attribute whose header or value byte `offset` of `bytes` belongs to; the innermost
    /// one, with the nests around it.
    pub fn locate(&self, bytes: &[u8], offset: usize) -> Option<Path> {
        let mut path = Path::default();
        let (mut set, mut bytes, mut offset) = (self, bytes, offset);
        loop {
            let found = find(bytes, offset)?;
            let attribute = set.get(found.kind)?;
            let index = attribute.multi.then_some(found.index);
            path.0.push(Step {
                name: attribute.name,
                index,
            });
            match (
                attribute.nested,
                offset.checked_sub(found.start + NLA_HEADER_SIZE),
            ) {
                (Some(nested), Some(inner)) => {
                    set = nested;
                    bytes = found.value;
                    offset = inner;
                }
                _ => return Some(path),
            }
        }
    }

    /// The attribute of number `kind` in the nest at `nest`, or at the top.
    pub fn locate_missing(&self, bytes: &[u8], nest: Option<usize>, kind: u16) -> Option<Path> {
        let mut path = match nest {
            Some(offset) => self.locate(bytes, offset)?,
            None => Path::default(),
        };
        let mut set = self;
        for step in &path.0 {
            set = set
                .attributes
                .iter()
                .find(|known| known.name == step.name)?
                .nested?;
        }
        path.0.push(Step {
            name: set.name_of(kind)?,
            index: None,
        });
        Some(path)
    }
}

struct Found<'a> {
    kind: u16,
    /// How many of the same number came before.
    index: usize,
    start: usize,
    value: &'a [u8],
}

fn find(bytes: &[u8], offset: usize) -> Option<Found<'_>> {
    let mut before = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let attribute = NlaBuffer::new_checked(&bytes[start..]).ok()?;
        let kind = attribute.kind();
        let end = start + usize::from(attribute.length()).next_multiple_of(4);
        if (start..end).contains(&offset) {
            let index = before.iter().filter(|other| **other == kind).count();
            let value = &bytes[start + NLA_HEADER_SIZE..start + usize::from(attribute.length())];
            return Some(Found {
                kind,
                index,
                start,
                value,
            });
        }
        before.push(kind);
        start = end;
    }
    None
}

/// An attribute and the nests it is in, from the outside in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(pub Vec<Step>);

/// One level of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Name of the attribute.
    pub name: &'static str,
    /// Place among those of the same name, where it may come more than once.
    pub index: Option<usize>,
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            let dot = if depth == 0 { "" } else { "." };
            write!(f, "{dot}{}", step.name)?;
            if let Some(index) = step.index {
                write!(f, "[{index}]")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::attr::{Attributes, Writer};
    use crate::generated::{BackendDef, Config, Service, ServiceDef};

    #[test]
    fn an_offset_has_a_name() {
        let service = Service {
            protocol: Some(6),
            port: Some(80),
            timeout: Some(5),
            ..Service::default()
        };
        let bytes = Writer::write(&service).unwrap();
        let name = |offset| {
            Service::SET
                .locate(&bytes, offset)
                .map(|path| path.to_string())
        };
        assert_eq!(name(0).as_deref(), Some("protocol"));
        assert_eq!(
            name(7).as_deref(),
            Some("protocol"),
            "padding belongs to it"
        );
        assert_eq!(name(8).as_deref(), Some("port"));
        assert_eq!(name(16 + 4).as_deref(), Some("timeout"));
        assert_eq!(name(bytes.len()), None);
        assert_eq!(name(usize::MAX), None);
    }

    #[test]
    fn an_offset_inside_nests_is_followed() {
        let service = ServiceDef {
            port: Some(80),
            timeout: Some(0),
            ..ServiceDef::default()
        };
        let backend = BackendDef {
            weight: Some(70_000),
            ..BackendDef::default()
        };
        let config = Config {
            service: vec![service.clone(), service],
            backend: vec![backend.clone(), backend.clone(), backend],
            ..Config::default()
        };
        let bytes = Writer::write(&config).unwrap();
        let name = |offset| {
            Config::SET
                .locate(&bytes, offset)
                .map(|path| path.to_string())
        };
        assert_eq!(name(0).as_deref(), Some("service[0]"));
        assert_eq!(name(20 + 4 + 8).as_deref(), Some("service[1].timeout"));
        assert_eq!(name(40 + 24 + 4).as_deref(), Some("backend[2].weight"));

        let missing = |nest, kind| Config::SET.locate_missing(&bytes, nest, kind);
        let addr = missing(Some(20), 2).map(|path| path.to_string());
        assert_eq!(addr.as_deref(), Some("service[1].addr"));
        assert_eq!(
            missing(None, 2).map(|path| path.to_string()).as_deref(),
            Some("backend")
        );
        assert_eq!(missing(Some(20), 99), None);
    }

    #[test]
    fn an_offset_into_garbage_has_no_name() {
        for bytes in [
            &[][..],
            &[1, 0],
            &[3, 0, 1, 0],
            &[9, 0, 1, 0],
            &[4, 0, 99, 0],
            &[4, 0, 0, 0],
        ] {
            assert_eq!(Service::SET.locate(bytes, 0), None, "{bytes:?}");
        }
    }
}
