// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes `rust/control/uapi.rs`: the numbers of the generated uapi header, for
//! the kernel side in Rust.

use std::fmt::Write;

use anyhow::{bail, Context, Result};

/// What a module in Rust has names of its own for.
const LEFT_OUT: &[&str] = &["SMPLB_DROP_REASON_"];

/// Turns the text of `smplb.h` into the text of `uapi.rs`.
pub fn generate(header: &str) -> Result<String> {
    let mut out = String::from(
        "// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)\n\
         // Do not edit directly, auto-generated from: rust/c/uapi/linux/smplb.h\n\
         // To regenerate run: cargo xtask codegen\n\n\
         //! The numbers of the netlink family, for the kernel side.\n\n",
    );
    // The value of the next name of the enum that is open.
    let mut next = None;
    for line in header.lines() {
        let line = line.trim();
        if line.starts_with("enum") && line.ends_with('{') {
            next = Some(0u32);
        } else if line.starts_with('}') {
            next = None;
        } else if let Some(value) = next {
            next = Some(entry(&mut out, line, value)?);
        }
    }
    Ok(out)
}

/// One line of an enum: writes its name, and returns the value of the next.
fn entry(out: &mut String, line: &str, next: u32) -> Result<u32> {
    if line.is_empty() || line.starts_with("/*") || line.contains("__") {
        return Ok(next);
    }
    let Some(entry) = line.strip_suffix(',') else {
        bail!("not an entry of an enum: '{line}'");
    };
    let (name, value) = match entry.split_once(" = ") {
        Some((name, value)) => (
            name,
            value
                .parse()
                .with_context(|| format!("not a number in '{line}'"))?,
        ),
        None => (entry, next),
    };
    if !LEFT_OUT.iter().any(|prefix| name.starts_with(prefix)) {
        writeln!(out, "pub(crate) const {name}: u32 = {value};")?;
    }
    Ok(value + 1)
}

#[cfg(test)]
mod tests {
    use super::generate;

    #[test]
    fn counts_as_c_does() {
        let header = "enum a {\n\tA,\n\tB,\n};\n\nenum {\n\tC = 1,\n\tD,\n\n\t__X_MAX,\n\
                      \tX_MAX = (__X_MAX - 1)\n};\n#define F\t1\n";
        let made = generate(header).unwrap();
        let lines: Vec<_> = made.lines().filter(|line| line.contains("const")).collect();
        assert_eq!(
            lines,
            [
                "pub(crate) const A: u32 = 0;",
                "pub(crate) const B: u32 = 1;",
                "pub(crate) const C: u32 = 1;",
                "pub(crate) const D: u32 = 2;",
            ]
        );
        assert!(generate("enum a {\n\tA = B,\n};\n").is_err());
    }
}
