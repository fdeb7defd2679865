// SPDX-License-Identifier: MIT OR Apache-2.0
//! The words of an agent's line, as HAProxy takes them.

use smplb_master::{Admin, Word};

use super::LONGEST;

/// What a line says, or `None` when it has no end, is too long, or has no word that is known.
///
/// Words stand in any order, parted by spaces, tabs or commas, and in any case; of several of one kind the
/// last counts, and unknown ones are left out. A `#` starts a remark. A percentage over 100 is 100:
/// the configured weight is the most that an agent can ask for.
pub fn parse(line: &[u8]) -> Option<Word> {
    let end = line
        .iter()
        .take(LONGEST)
        .position(|octet| matches!(octet, b'\n' | b'\r'))?;
    let line = line[..end].split(|octet| *octet == b'#').next()?;
    let mut word = Word::default();
    for text in line.split(|octet| matches!(octet, b' ' | b'\t' | b',')) {
        let text = text.to_ascii_lowercase();
        match text.as_slice() {
            b"up" => word.up = Some(true),
            b"down" | b"fail" | b"stopped" => word.up = Some(false),
            b"ready" => word.admin = Some(Admin::Ready),
            b"drain" => word.admin = Some(Admin::Drain),
            b"maint" => word.admin = Some(Admin::Maint),
            text => {
                if let Some(percent) = text.strip_suffix(b"%").and_then(number) {
                    word.percent = Some(f64::from(percent.min(100)) / 100.0);
                } else if let Some(most) = text.strip_prefix(b"maxconn:").and_then(number) {
                    word.max_connections = Some(most);
                }
            }
        }
    }
    (word != Word::default()).then_some(word)
}

/// A number in digits; one that is too large is the largest.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |number: u32, digit: &u8| {
        number
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    };
    Some(digits.iter().fold(0, digit))
}

#[cfg(test)]
mod tests;
