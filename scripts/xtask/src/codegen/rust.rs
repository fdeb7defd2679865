// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes `userspace/smplb-nl/src/generated.rs` from the netlink specification.
//!
//! [`spec`] reads the YAML and refuses every key it does not know, so that nothing the
//! specification says can be left out silently; [`enums`] and [`sets`] write Rust.

mod enums;
mod sets;
mod spec;

use anyhow::{Context, Result};

use spec::Spec;

/// Turns the text of `smplb.yaml` into the text of `generated.rs`.
pub fn generate(spec_yaml: &str) -> Result<String> {
    let spec: Spec = serde_yaml_ng::from_str(spec_yaml).context("cannot read the specification")?;
    spec.check()?;
    let mut out = Source::default();
    head(&mut out, &spec);
    enums::commands(&mut out, &spec);
    for definition in &spec.definitions {
        enums::definition(&mut out, definition);
    }
    for set in &spec.attribute_sets {
        sets::constants(&mut out, set);
        sets::structure(&mut out, set)?;
    }
    Ok(out.text)
}

fn head(out: &mut Source, spec: &Spec) {
    out.line("// SPDX-License-Identifier: MIT OR Apache-2.0");
    out.line("//! Written by `cargo xtask codegen` from `Documentation/netlink/specs/smplb.yaml`.");
    out.line("//! Do not edit; change the specification.");
    out.line("//!");
    for line in spec.doc.trim().lines() {
        out.line(format!("//! {line}").trim_end());
    }
    out.blank();
    out.line("use std::fmt;");
    out.line("use std::net::Ipv4Addr;");
    out.blank();
    out.line("use crate::attr::{Attributes, DecodeError, Value, Writer};");
    out.line("use crate::set::{Attribute, AttributeSet};");
    out.blank();
    out.line("/// Name of the generic netlink family.");
    out.line(&format!("pub const FAMILY: &str = {:?};", spec.name));
    out.line("/// Version in the generic netlink header.");
    out.line("pub const VERSION: u8 = 1;");
    for group in &spec.mcast_groups.list {
        out.line(&format!(
            "/// Name of the multicast group `{}`.",
            group.name
        ));
        let name = screaming(&group.name);
        out.line(&format!("pub const GROUP_{name}: &str = {:?};", group.name));
    }
}

/// Lines of Rust, indented by the braces that are open.
#[derive(Default)]
struct Source {
    text: String,
    depth: usize,
}

impl Source {
    fn line(&mut self, line: &str) {
        if line.starts_with(['}', ']', ')']) {
            self.depth = self.depth.saturating_sub(1);
        }
        if !line.is_empty() {
            self.text.push_str(&"    ".repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
        if line.ends_with(['{', '[', '(']) {
            self.depth += 1;
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A doc comment; `fallback` where the specification has none.
    fn doc(&mut self, doc: Option<&str>, fallback: &str) {
        let text = doc.unwrap_or(fallback).trim();
        for line in text.replace("``", "`").lines() {
            self.line(format!("/// {line}").trim_end());
        }
    }
}

/// `drop-reason` as a type or a variant: `DropReason`.
fn camel(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
    };
    name.split('-').map(word).collect()
}

/// `drop-reason` as a field: `drop_reason`.
fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `drop-reason` as a constant: `DROP_REASON`.
fn screaming(name: &str) -> String {
    snake(name).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: &str = "
name: toy
protocol: genetlink
doc: A toy.
definitions:
  - {type: enum, name: colour, doc: A colour., entries: [red, {name: dark-blue, doc: Blue.}]}
attribute-sets:
  -
    name: thing
    attributes:
      - {name: ifname, type: string, doc: Its name., checks: {max-len: 15}}
      - {name: rx-bytes, type: uint}
      - {name: addr, type: u32, byte-order: big-endian, display-hint: ipv4}
      - {name: port, type: u16, byte-order: big-endian}
      - {name: colour, type: u32, enum: colour}
      - {name: quiet, type: flag}
      - {name: part, type: nest, nested-attributes: part, multi-attr: true}
  - {name: part, attributes: [{name: weight, type: u8}]}
operations:
  list:
    - name: thing-get
      attribute-set: thing
      doc: Get.
      do: {request: {attributes: [ifname]}, reply: {attributes: [rx-bytes]}}
    - {name: thing-ntf, notify: thing-get, mcgrp: all, doc: News.}
mcast-groups: {list: [{name: all}]}
";

    #[test]
    fn writes_names_numbers_and_types() {
        let text = generate(SPEC).unwrap();
        for wanted in [
            "pub const FAMILY: &str = \"toy\";",
            "pub const GROUP_ALL: &str = \"all\";",
            "    ThingGet = 1,",
            "    ThingNtf = 2,",
            "            1 => Self::DarkBlue,",
            "    pub const RX_BYTES: u16 = 2;",
            "    pub rx_bytes: Option<u64>,",
            "    pub addr: Option<Ipv4Addr>,",
            "    pub colour: Option<Colour>,",
            "    pub quiet: bool,",
            "    pub part: Vec<Part>,",
            "        out.u16_be(thing::PORT, self.port);",
            "            thing::ADDR => self.addr = Some(value.ipv4()?),",
            "            Attribute::nests(\"part\", Part::SET),",
        ] {
            assert!(text.contains(wanted), "{wanted} is not in\n{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_express() {
        for (from, to, reason) in [
            ("type: flag", "type: s8", "thing.quiet: type s8"),
            ("doc: A toy.", "dock: A toy.", "dock"),
            ("checks: {max-len: 15}", "multi-attr: true", "thing.ifname"),
            ("enum: colour}", "enum: color}", "no enum color"),
            (
                "nested-attributes: part,",
                "nested-attributes: p,",
                "no attribute set p",
            ),
            (
                "attributes: [ifname]",
                "attributes: [name]",
                "thing-get: no attribute name",
            ),
            (
                "notify: thing-get",
                "notify: thing-put",
                "no operation thing-put",
            ),
            ("mcgrp: all", "mcgrp: some", "no multicast group some"),
        ] {
            assert!(SPEC.contains(from));
            let error = format!("{:#}", generate(&SPEC.replace(from, to)).unwrap_err());
            assert!(error.contains(reason), "{error:?} lacks {reason:?}");
        }
    }
}
