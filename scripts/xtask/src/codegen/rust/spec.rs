// SPDX-License-Identifier: MIT OR Apache-2.0
//! The part of the YNL schema that smplb uses.
//!
//! Fields with a leading underscore are known and have no meaning for user space.

use anyhow::{bail, ensure, Result};
use serde::de::IgnoredAny;
use serde::Deserialize;

/// A netlink family.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Spec {
    pub name: String,
    pub protocol: String,
    pub doc: String,
    pub definitions: Vec<Definition>,
    pub attribute_sets: Vec<Set>,
    pub operations: List<Operation>,
    pub mcast_groups: List<Group>,
}

/// The extra level YNL puts around some lists.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List<T> {
    pub list: Vec<T>,
}

/// An enumeration; its entries are numbered from 0.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    pub r#type: String,
    pub name: String,
    pub doc: Option<String>,
    pub entries: Vec<Entry>,
}

/// An entry of an enumeration, by name alone or with more.
#[derive(Deserialize)]
#[serde(untagged)]
pub enum Entry {
    Name(String),
    Full(FullEntry),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullEntry {
    pub name: String,
    pub doc: Option<String>,
}

impl Entry {
    pub fn name(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Full(full) => &full.name,
        }
    }

    pub fn doc(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Full(full) => full.doc.as_deref(),
        }
    }
}

/// A set of attributes; they are numbered from 1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    pub name: String,
    pub doc: Option<String>,
    pub attributes: Vec<Attr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Attr {
    pub name: String,
    pub r#type: String,
    pub doc: Option<String>,
    pub byte_order: Option<String>,
    pub display_hint: Option<String>,
    pub r#enum: Option<String>,
    pub nested_attributes: Option<String>,
    #[serde(default)]
    pub multi_attr: bool,
    #[serde(rename = "checks")]
    _checks: Option<IgnoredAny>,
}

/// An operation; they are numbered from 1, notifications included.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Operation {
    pub name: String,
    pub doc: Option<String>,
    pub attribute_set: Option<String>,
    pub r#do: Option<Exchange>,
    pub dump: Option<Exchange>,
    pub notify: Option<String>,
    pub mcgrp: Option<String>,
    #[serde(rename = "flags")]
    _flags: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub request: Option<Message>,
    pub reply: Option<Message>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub attributes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    pub name: String,
}

impl Spec {
    /// Every name that is used must be defined.
    pub fn check(&self) -> Result<()> {
        ensure!(
            self.protocol == "genetlink",
            "protocol {} is not genetlink",
            self.protocol
        );
        for definition in &self.definitions {
            let Definition { name, r#type, .. } = definition;
            ensure!(r#type == "enum", "{name}: definition of type {type}");
        }
        for set in &self.attribute_sets {
            for attr in &set.attributes {
                self.check_attribute(set, attr)?;
            }
        }
        for operation in &self.operations.list {
            self.check_operation(operation)?;
        }
        Ok(())
    }

    fn check_attribute(&self, set: &Set, attr: &Attr) -> Result<()> {
        let name = format!("{}.{}", set.name, attr.name);
        if let Some(wanted) = &attr.r#enum {
            let known = self.definitions.iter().any(|known| known.name == *wanted);
            ensure!(known, "{name}: no enum {wanted}");
        }
        if let Some(wanted) = &attr.nested_attributes {
            let known = self
                .attribute_sets
                .iter()
                .any(|known| known.name == *wanted);
            ensure!(known, "{name}: no attribute set {wanted}");
        }
        Ok(())
    }

    fn check_operation(&self, operation: &Operation) -> Result<()> {
        let name = &operation.name;
        if let Some(notify) = &operation.notify {
            let known = self
                .operations
                .list
                .iter()
                .any(|known| known.name == *notify);
            ensure!(known, "{name}: no operation {notify}");
        }
        if let Some(group) = &operation.mcgrp {
            let known = self
                .mcast_groups
                .list
                .iter()
                .any(|known| known.name == *group);
            ensure!(known, "{name}: no multicast group {group}");
        }
        let exchanges = [&operation.r#do, &operation.dump].into_iter().flatten();
        let messages = exchanges.flat_map(|exchange| [&exchange.request, &exchange.reply]);
        for attribute in messages.flatten().flat_map(|message| &message.attributes) {
            let set = operation.attribute_set.as_deref().unwrap_or_default();
            let Some(set) = self.attribute_sets.iter().find(|known| known.name == set) else {
                bail!("{name}: no attribute set {set:?}");
            };
            let known = set.attributes.iter().any(|known| known.name == *attribute);
            ensure!(known, "{name}: no attribute {attribute} in {}", set.name);
        }
        Ok(())
    }
}
