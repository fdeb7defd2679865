// SPDX-License-Identifier: MIT OR Apache-2.0
//! Rust structs of the attribute sets, with their way to and from the wire.

use anyhow::{bail, Result};

use super::spec::{Attr, Set};
use super::{camel, screaming, snake, Source};

/// What an attribute is in Rust.
struct Shape {
    /// Type of the field.
    field: String,
    /// Expression that is handed to the writer.
    encode: String,
    /// Method of `Writer` and of `Value`.
    method: &'static str,
    /// Statement that stores a value that came.
    decode: String,
    /// Entry of the table of names.
    entry: String,
}

/// The numbers of the attributes, as a module of constants.
pub fn constants(out: &mut Source, set: &Set) {
    out.blank();
    out.line(&format!(
        "/// Numbers of the attributes of the set `{}`.",
        set.name
    ));
    out.line(&format!("pub mod {} {{", snake(&set.name)));
    for (number, attr) in (1..).zip(&set.attributes) {
        out.doc(attr.doc.as_deref(), &format!("`{}`.", attr.name));
        out.line(&format!(
            "pub const {}: u16 = {number};",
            screaming(&attr.name)
        ));
    }
    out.line("}");
}

/// The struct and its `Attributes` implementation.
pub fn structure(out: &mut Source, set: &Set) -> Result<()> {
    let name = camel(&set.name);
    let module = snake(&set.name);
    let shapes = set
        .attributes
        .iter()
        .map(|attr| shape(set, attr))
        .collect::<Result<Vec<_>>>()?;
    let attributes = || set.attributes.iter().zip(&shapes);

    out.blank();
    out.doc(
        set.doc.as_deref(),
        &format!("The attribute set `{}`.", set.name),
    );
    out.line("#[derive(Clone, Debug, Default, PartialEq, Eq)]");
    out.line(&format!("pub struct {name} {{"));
    for (attr, shape) in attributes() {
        out.doc(attr.doc.as_deref(), &format!("`{}`.", attr.name));
        out.line(&format!("pub {}: {},", snake(&attr.name), shape.field));
    }
    out.line("}");
    out.blank();
    out.line(&format!("impl Attributes for {name} {{"));
    out.line("const SET: &'static AttributeSet = &AttributeSet {");
    out.line(&format!("name: {:?},", set.name));
    out.line("attributes: &[");
    for (_, shape) in attributes() {
        out.line(&shape.entry);
    }
    out.line("],");
    out.line("};");
    out.blank();
    out.line("fn encode(&self, out: &mut Writer) {");
    for (attr, Shape { method, encode, .. }) in attributes() {
        out.line(&format!(
            "out.{method}({module}::{}, {encode});",
            screaming(&attr.name)
        ));
    }
    out.line("}");
    out.blank();
    out.line("fn decode_one(&mut self, kind: u16, value: Value<'_>) -> Result<(), DecodeError> {");
    out.line("match kind {");
    for (attr, shape) in attributes() {
        out.line(&format!(
            "{module}::{} => {},",
            screaming(&attr.name),
            shape.decode
        ));
    }
    out.line("_ => {}");
    out.line("}");
    out.line("Ok(())");
    out.line("}");
    out.line("}");
    Ok(())
}

fn shape(set: &Set, attr: &Attr) -> Result<Shape> {
    let field = snake(&attr.name);
    if attr.r#type == "nest" {
        return nest(set, attr, &field);
    }
    let (method, rust) = match (
        attr.r#type.as_str(),
        attr.byte_order.as_deref(),
        attr.display_hint.as_deref(),
    ) {
        ("u8", None, None) => ("u8", "u8"),
        ("u32", None, None) => ("u32", "u32"),
        ("uint", None, None) => ("uint", "u64"),
        ("u16", Some("big-endian"), None) => ("u16_be", "u16"),
        ("u32", Some("big-endian"), Some("ipv4")) => ("ipv4", "Ipv4Addr"),
        ("string", None, None) => ("string", "String"),
        ("flag", None, None) => ("flag", "bool"),
        (other, order, hint) => bail!(
            "{}.{}: type {other} with byte order {order:?} and display hint {hint:?}",
            set.name,
            attr.name,
        ),
    };
    if (attr.multi_attr || attr.r#enum.is_some()) && method != "u32" {
        bail!("{}.{}: a list or an enum of {method}", set.name, attr.name);
    }
    let entry = format!("Attribute::plain({:?}),", attr.name);
    if attr.multi_attr {
        return Ok(Shape {
            field: format!("Vec<{rust}>"),
            encode: format!("&self.{field}"),
            method: "u32s",
            decode: format!("self.{field}.push(value.u32()?)"),
            entry,
        });
    }
    let (rust, encode, decode) = match (&attr.r#enum, method) {
        (Some(name), _) => {
            let name = camel(name);
            let encode = format!("self.{field}.map({name}::number)");
            let decode = format!("self.{field} = Some({name}::from_number(value.u32()?))");
            (format!("Option<{name}>"), encode, decode)
        }
        (None, "flag") => (
            rust.to_owned(),
            format!("self.{field}"),
            format!("self.{field} = true"),
        ),
        (None, _) => {
            let by_reference = if method == "string" {
                ".as_deref()"
            } else {
                ""
            };
            let encode = format!("self.{field}{by_reference}");
            let decode = format!("self.{field} = Some(value.{method}()?)");
            (format!("Option<{rust}>"), encode, decode)
        }
    };
    Ok(Shape {
        field: rust,
        encode,
        method,
        decode,
        entry,
    })
}

fn nest(set: &Set, attr: &Attr, field: &str) -> Result<Shape> {
    let Some(nested) = &attr.nested_attributes else {
        bail!("{}.{}: a nest of unknown attributes", set.name, attr.name);
    };
    let rust = camel(nested);
    Ok(if attr.multi_attr {
        Shape {
            field: format!("Vec<{rust}>"),
            encode: format!("&self.{field}"),
            method: "nests",
            decode: format!("self.{field}.push(value.nest()?)"),
            entry: format!("Attribute::nests({:?}, {rust}::SET),", attr.name),
        }
    } else {
        Shape {
            field: format!("Option<{rust}>"),
            encode: format!("self.{field}.as_ref()"),
            method: "nest",
            decode: format!("self.{field} = Some(value.nest()?)"),
            entry: format!("Attribute::nest({:?}, {rust}::SET),", attr.name),
        }
    })
}
