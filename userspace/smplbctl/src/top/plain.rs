// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame as plain text, as `top -b` prints it.

use super::frame::Frame;
use super::text::{head, Cells, Column, Texts, BACKENDS, DROPS, ENGINES, SERVICES};

/// The whole frame. Back-ends stand in the order of their services.
pub fn text(frame: &Frame) -> String {
    let mut text = format!("{}  over {:.1}s\n\n", head(frame), frame.seconds);
    text += &list(SERVICES, &frame.services);
    text.push('\n');
    text += &list(BACKENDS, &frame.backends);
    text.push('\n');
    text += &list(ENGINES, &frame.engines);
    if !frame.drops.is_empty() {
        text.push('\n');
        text += &list(DROPS, &frame.drops);
    }
    text
}

fn list<R: Cells>(columns: &[Column], rows: &[R]) -> String {
    let texts = Texts::fit(columns, rows, usize::MAX - 2);
    let headings = columns
        .iter()
        .map(|column| column.name.to_owned())
        .collect();
    let mut text = String::new();
    for row in std::iter::once(&headings).chain(&texts.rows) {
        let row: &Vec<String> = row;
        let mut line = String::new();
        for ((cell, column), width) in row.iter().zip(columns).zip(&texts.widths) {
            line += if line.is_empty() { "" } else { "  " };
            line += &match column.words {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            };
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}
