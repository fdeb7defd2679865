// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rust enums of the operations and of the specification's enumerations.

use super::spec::{Definition, Spec};
use super::{camel, Source};

/// The operations, numbered from 1 in the order of the specification.
pub fn commands(out: &mut Source, spec: &Spec) {
    out.blank();
    out.line("/// An operation of the family, by its number in the generic netlink header.");
    out.line("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]");
    out.line("#[repr(u8)]");
    out.line("pub enum Command {");
    for (number, operation) in (1..).zip(&spec.operations.list) {
        out.doc(operation.doc.as_deref(), &format!("`{}`.", operation.name));
        out.line(&format!("{} = {number},", camel(&operation.name)));
    }
    out.line("}");
    out.blank();
    out.line("impl Command {");
    out.line("/// The name in the specification.");
    out.line("pub const fn name(self) -> &'static str {");
    out.line("match self {");
    for operation in &spec.operations.list {
        out.line(&format!(
            "Self::{} => {:?},",
            camel(&operation.name),
            operation.name
        ));
    }
    for _ in 0..3 {
        out.line("}");
    }
}

/// An enumeration; a number this client does not know is kept, for a newer kernel.
pub fn definition(out: &mut Source, definition: &Definition) {
    let name = camel(&definition.name);
    out.blank();
    out.doc(
        definition.doc.as_deref(),
        &format!("`{}`.", definition.name),
    );
    out.line("#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]");
    out.line(&format!("pub enum {name} {{"));
    for entry in &definition.entries {
        out.doc(entry.doc(), &format!("`{}`.", entry.name()));
        out.line(&format!("{},", camel(entry.name())));
    }
    out.line("/// A number that a newer kernel has given a meaning.");
    out.line("Other(u32),");
    out.line("}");
    out.blank();
    out.line(&format!("impl {name} {{"));
    out.line("/// Every known value, in the order of the numbers.");
    out.line("pub const ALL: &'static [Self] = &[");
    for entry in &definition.entries {
        out.line(&format!("Self::{},", camel(entry.name())));
    }
    out.line("];");
    out.blank();
    out.line("/// The value of a number.");
    out.line("pub const fn from_number(number: u32) -> Self {");
    out.line("match number {");
    for (number, entry) in definition.entries.iter().enumerate() {
        out.line(&format!("{number} => Self::{},", camel(entry.name())));
    }
    out.line("other => Self::Other(other),");
    out.line("}");
    out.line("}");
    out.blank();
    out.line("/// The number on the wire.");
    out.line("pub const fn number(self) -> u32 {");
    out.line("match self {");
    for (number, entry) in definition.entries.iter().enumerate() {
        out.line(&format!("Self::{} => {number},", camel(entry.name())));
    }
    out.line("Self::Other(other) => other,");
    out.line("}");
    out.line("}");
    out.blank();
    out.line("/// The name in the specification, if the value is known.");
    out.line("pub const fn name(self) -> Option<&'static str> {");
    out.line("match self {");
    for entry in &definition.entries {
        out.line(&format!(
            "Self::{} => Some({:?}),",
            camel(entry.name()),
            entry.name()
        ));
    }
    out.line("Self::Other(_) => None,");
    out.line("}");
    out.line("}");
    out.line("}");
    display(out, &name);
}

fn display(out: &mut Source, name: &str) {
    out.blank();
    out.line(&format!("impl fmt::Display for {name} {{"));
    out.line("fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {");
    out.line("match self.name() {");
    out.line("Some(name) => f.pad(name),");
    out.line("None => f.pad(&format!(\"unknown-{}\", self.number())),");
    for _ in 0..3 {
        out.line("}");
    }
}
