// SPDX-License-Identifier: MIT OR Apache-2.0
//! Aligned tables for people.

use std::fmt;

use serde::Serialize;

/// A column: its heading, and which side it is flush with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Words.
    Left(&'static str),
    /// Numbers.
    Right(&'static str),
}

impl Column {
    fn heading(self) -> &'static str {
        match self {
            Self::Left(heading) | Self::Right(heading) => heading,
        }
    }
}

/// What can be listed, as a row of a table or an object of JSON.
pub trait Row: Serialize {
    /// The columns of the table.
    const COLUMNS: &'static [Column];

    /// One text per column.
    fn cells(&self) -> Vec<String>;
}

/// A value, or `-` where the kernel told none.
pub fn cell(value: &Option<impl fmt::Display>) -> String {
    value
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string)
}

/// `yes`, `no`, or `-`.
pub fn yes_no(value: Option<bool>) -> String {
    cell(&value.map(|value| if value { "yes" } else { "no" }))
}

/// The share of a whole in percent, or `-`.
pub fn share(part: Option<u64>, whole: Option<u64>) -> String {
    cell(
        &part
            .zip(whole.filter(|&whole| whole != 0))
            .map(|(part, whole)| {
                let permille = u128::from(part) * 1000 / u128::from(whole);
                format!("{}.{}%", permille / 10, permille % 10)
            }),
    )
}

/// A number of nanoseconds in a unit that leaves it short, or `-`.
pub fn duration(nanoseconds: Option<u64>) -> String {
    let text = |n: u64| match [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")]
        .iter()
        .find(|(unit, _)| n >= *unit)
    {
        Some((unit, name)) => format!("{}.{}{name}", n / unit, n % unit * 10 / unit),
        None => format!("{n}ns"),
    };
    cell(&nanoseconds.map(text))
}

/// The table, with its headings even when it is empty.
pub fn render<R: Row>(rows: &[R]) -> String {
    let headings = R::COLUMNS
        .iter()
        .map(|column| column.heading().to_owned())
        .collect();
    let mut lines: Vec<Vec<String>> = vec![headings];
    lines.extend(rows.iter().map(Row::cells));
    let width = |at: usize| {
        lines
            .iter()
            .filter_map(|line| line.get(at))
            .map(|cell| width(cell))
            .max()
    };
    let widths: Vec<_> = (0..R::COLUMNS.len())
        .map(|at| width(at).unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in &lines {
        let mut padded = String::new();
        for (at, ((cell, column), width)) in line.iter().zip(R::COLUMNS).zip(&widths).enumerate() {
            padded += if at == 0 { "" } else { "  " };
            padded += &match column {
                Column::Left(_) => format!("{cell:<width$}"),
                Column::Right(_) => format!("{cell:>width$}"),
            };
        }
        text += padded.trim_end();
        text.push('\n');
    }
    text
}

fn width(cell: &str) -> usize {
    cell.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Fruit(&'static str, Option<u32>);

    impl Row for Fruit {
        const COLUMNS: &'static [Column] = &[Column::Left("NAME"), Column::Right("COUNT")];

        fn cells(&self) -> Vec<String> {
            vec![self.0.to_owned(), cell(&self.1)]
        }
    }

    #[test]
    fn words_are_flush_left_and_numbers_right() {
        let rows = [
            Fruit("fig", Some(7)),
            Fruit("äpfel", Some(1_000_000)),
            Fruit("", None),
        ];
        assert_eq!(
            render(&rows),
            "NAME     COUNT\n\
             fig          7\n\
             äpfel  1000000\n\
             \x20            -\n"
        );
    }

    #[test]
    fn shares_and_times() {
        assert_eq!(share(Some(1), Some(3)), "33.3%");
        assert_eq!(share(Some(u64::MAX), Some(u64::MAX)), "100.0%");
        assert_eq!(share(Some(1), Some(0)), "-");
        assert_eq!(share(None, Some(1)), "-");
        for (n, text) in [
            (999, "999ns"),
            (1000, "1.0us"),
            (1_999_999, "1.9ms"),
            (61_000_000_000, "61.0s"),
        ] {
            assert_eq!(duration(Some(n)), text);
        }
        assert_eq!(duration(None), "-");
    }

    #[test]
    fn an_empty_table_has_headings() {
        assert_eq!(render::<Fruit>(&[]), "NAME  COUNT\n");
    }
}
