// SPDX-License-Identifier: MIT OR Apache-2.0
//! Line and column of a byte of a text.

use std::fmt;

/// A place in a named file, both numbers counted from 1; columns count characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
}

impl<'a> Place<'a> {
    /// The place of byte `offset` of the text of `file`.
    pub fn new(file: &'a str, text: &str, offset: usize) -> Self {
        let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
        let line_start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let newlines = before.iter().filter(|byte| **byte == b'\n').count();
        let column = String::from_utf8_lossy(&before[line_start..])
            .chars()
            .count();
        Self {
            file,
            line: newlines + 1,
            column: column + 1,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let text = "ab\n\nä c";
        for (offset, wanted) in [
            (0, "f:1:1"),
            (2, "f:1:3"),
            (3, "f:2:1"),
            (4, "f:3:1"),
            (6, "f:3:2"),
            (7, "f:3:3"),
            (99, "f:3:4"),
        ] {
            assert_eq!(Place::new("f", text, offset).to_string(), wanted);
        }
    }
}
