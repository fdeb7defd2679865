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
    parts.sort_by(|a, b| b.instructions.total_cmp(&a.instructions));
    parts
}

/// A function's path, without what it is generic in and the trait it is of.
fn short(name: &str) -> String {
    // A path may begin with a type in angle brackets.
    let (mut kept, mut depth) = (usize::from(name.starts_with('<')), 0);
    let mut path = String::new();
    for c in name.chars() {
        match c {
            '<' => depth += 1,
            '>' => {
                depth -= 1;
                kept = kept.min(depth);
            }
            c if depth <= kept => path.push(c),
            _ => {}
        }
    }
    let path = match path.split_once(" as ") {
        Some((of, rest)) => format!("{of}{}", last(rest)),
        None => path,
    };
    let path = path.trim_end_matches(':');
    path.strip_prefix("smplb::").unwrap_or(path).to_owned()
}

/// The last part of a path, with the colons in front of it.
fn last(path: &str) -> &str {
    path.rfind("::").map_or("", |at| &path[at..])
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
