// SPDX-License-Identifier: MIT OR Apache-2.0
//! Names of a guest's instructions, out of its /proc/kallsyms.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rustc_demangle::demangle;

/// The mark of the module's symbols.
const MODULE: &str = "[smplb]";

/// The functions of a kernel with its modules.
pub struct Symbols(BTreeMap<u64, Symbol>);

struct Symbol {
    name: String,
    is_ours: bool,
}

impl Symbols {
    /// Reads a copy of /proc/kallsyms.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::parse(&text))
    }

    /// Whether the module was loaded.
    pub fn has_ours(&self) -> bool {
        self.0.values().any(|symbol| symbol.is_ours)
    }

    /// What is in such a copy.
    pub fn parse(text: &str) -> Self {
        let symbol = |line: &str| {
            let mut words = line.split_whitespace();
            let address = u64::from_str_radix(words.next()?, 16).ok()?;
            let is_code = matches!(words.next()?, "t" | "T" | "w" | "W");
            let name = words.next()?;
            let is_ours = words.next() == Some(MODULE);
            let name = match is_ours {
                true => format!("{:#}", demangle(name)),
                false => name.to_owned(),
            };
            is_code.then_some((address, Symbol { name, is_ours }))
        };
        Self(text.lines().filter_map(symbol).collect())
    }

    /// The function that an instruction is in, and where that begins.
    fn find(&self, instruction: u64) -> Option<(u64, &Symbol)> {
        let before = self.0.range(..=instruction).next_back();
        before.map(|(start, symbol)| (*start, symbol))
    }

    /// Where a function begins.
    pub fn address(&self, name: &str) -> Option<u64> {
        let mut named = self.0.iter().filter(|(_, symbol)| symbol.name == name);
        named.next().map(|(start, _)| *start)
    }

    /// Whether an instruction is one of the module's.
    pub fn is_ours(&self, instruction: u64) -> bool {
        self.find(instruction)
            .is_some_and(|(_, symbol)| symbol.is_ours)
    }

    /// Function of an instruction.
    pub fn function(&self, instruction: u64) -> Option<&str> {
        self.find(instruction).map(|(_, symbol)| &*symbol.name)
    }

    /// Function and offset of an instruction.
    pub fn name(&self, instruction: u64) -> String {
        match self.find(instruction) {
            Some((start, symbol)) => format!("{}+{:#x}", symbol.name, instruction - start),
            None => format!("{instruction:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_have_names() {
        let text = "ffffffff81000000 T _text\nffffffff81000010 D data\n\
                    ffffffffa0000000 t _RNvNtCs1_5smplb6engine3run\t[smplb]\n";
        let symbols = Symbols::parse(text);
        assert_eq!(symbols.name(0xffff_ffff_8100_0020), "_text+0x20");
        assert_eq!(
            symbols.name(0xffff_ffff_a000_0008),
            "smplb::engine::run+0x8"
        );
        assert!(symbols.is_ours(0xffff_ffff_a000_0008));
        assert!(!symbols.is_ours(0xffff_ffff_8100_0020));
        assert_eq!(symbols.name(1), "0x1");
        assert_eq!(symbols.address("_text"), Some(0xffff_ffff_8100_0000));
        assert_eq!(symbols.address("data"), None);
    }
}
