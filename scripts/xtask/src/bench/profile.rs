// SPDX-License-Identifier: MIT OR Apache-2.0
//! In which functions engines executed their instructions.

use std::collections::HashMap;

use serde::Serialize;

use super::symbols::Symbols;
use super::windows::Ran;

/// Functions that are listed: with at least so many instructions a packet.
const WORTH_TELLING: f64 = 0.5;

/// A function, with what is inline in it.
#[derive(Debug, PartialEq, Serialize)]
pub struct Part {
    function: String,
    /// Per packet.
    instructions: f64,
}

/// Where so many packets spent the instructions that `ran`: most first.
pub fn parts<'a>(ran: impl Iterator<Item = &'a Ran>, symbols: &Symbols, packets: u64) -> Vec<Part> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for ran in ran {
        let function = symbols.function(ran.instruction).unwrap_or("unknown");
        *counts.entry(function).or_default() += ran.count;
    }
    let mut parts: Vec<_> = counts
        .into_iter()
        .map(|(function, count)| Part {
            function: function.to_owned(),
            instructions: count as f64 / packets as f64,
        })
        .filter(|part| part.instructions >= WORTH_TELLING)
        .collect();
    parts.sort_by(|a, b| {
        let most = b.instructions.total_cmp(&a.instructions);
        most.then_with(|| a.function.cmp(&b.function))
    });
    parts
}

/// A function's path, without what it is generic in and the trait it is of.
fn short(name: &str) -> String {
    let mut path = String::new();
    // A path may begin with a type in angle brackets, maybe `as` a trait.
    let mut rest = name;
    if let Some(inside) = name.strip_prefix('<') {
        let end = closing(inside);
        let (of, _) = inside[..end]
            .split_once(" as ")
            .unwrap_or((&inside[..end], ""));
        path.push_str(&plain(of));
        rest = inside.get(end + 1..).unwrap_or("");
    }
    path.push_str(&plain(rest));
    let path = path.strip_prefix("smplb::").unwrap_or(&path);
    path.trim_end_matches(':').to_owned()
}

/// Where the angle bracket closes that was opened before this text.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in brackets(text) {
        depth = if c == '<' { depth + 1 } else { depth - 1 };
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// A path without what is in angle brackets, and the colons in front of them.
fn plain(path: &str) -> String {
    let (mut plain, mut depth, mut from) = (String::new(), 0, 0);
    for (at, c) in brackets(path) {
        if c == '<' {
            if depth == 0 {
                plain.push_str(path[from..at].trim_end_matches(':'));
            }
            depth += 1;
        } else {
            depth -= i32::from(depth > 0);
            from = at + 1;
        }
    }
    if depth == 0 {
        plain.push_str(&path[from..]);
    }
    plain
}

/// The angle brackets of a text, but those of arrows.
fn brackets(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let is_arrow = |at: usize| text[..at].ends_with('-');
    text.char_indices()
        .filter(move |(at, c)| *c == '<' || (*c == '>' && !is_arrow(*at)))
}

/// A line for each function.
pub fn text(parts: &[Part]) -> String {
    let line = |part: &Part| format!("{:9.1} {}\n", part.instructions, short(&part.function));
    parts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_short() {
        for (name, expected) in [
            ("__local_bh_enable_ip", "__local_bh_enable_ip"),
            ("smplb::a::read::<smplb::B, C<D>>", "a::read"),
            (
                "<smplb::a::Rx<B<C>, 1932>>::receive::<[u8; 12]>",
                "a::Rx::receive",
            ),
            (
                "<smplb::a::Engine as smplb::b::Main>::main",
                "a::Engine::main",
            ),
        ] {
            assert_eq!(short(name), expected);
        }
    }

    #[test]
    fn instructions_of_a_function_are_added_up() {
        let symbols = Symbols::parse("1000 t a\t[smplb]\n2000 T b\n3000 T c\n");
        let ran = [(0x1000, 10), (0x1004, 20), (0x2000, 90), (0x3000, 2)];
        let ran = ran.map(|(instruction, count)| Ran {
            cpu: 1,
            instruction,
            count,
        });
        let parts = parts(ran.iter(), &symbols, 10);
        assert_eq!(text(&parts), "      9.0 b\n      3.0 a\n");
    }
}
