// SPDX-License-Identifier: MIT OR Apache-2.0
//! A frame on the terminal.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Row, Table, TableState};

use super::frame::Frame;
use super::text::{head, Texts};
use super::view::{Pane, View};

/// With fewer lines only the chosen list is shown.
const ALL_LISTS: u16 = 16;

const HELP: &str = "\
q       leave
?       this help
p       freeze, and go on
Tab     next list
arrows  move in the list
s, S    sort by the next column, the one before
r       reverse the order
/       filter: services and back-ends with this text
Enter   on a service: only its back-ends
Esc     no filter

WANT  part of the weights of the service
GOT   part of its new connections, of the last seconds
UTIL, AGE, STATE  what smplbd tells of the server";

/// Draws all of it.
pub fn draw(screen: &mut ratatui::Frame<'_>, frame: &Frame, view: &View) {
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(screen.area());
    screen.render_widget(title(frame, view), top);
    screen.render_widget(foot(view), bottom);
    if middle.height + 2 < ALL_LISTS {
        list(screen, middle, frame, view, view.pane);
    } else {
        lists(screen, middle, frame, view);
    }
    if view.help {
        help(screen, middle);
    }
}

/// The four lists: services, back-ends, and below them engines beside drops.
fn lists(screen: &mut ratatui::Frame<'_>, area: Rect, frame: &Frame, view: &View) {
    // A list has a line for its name and one for its headings.
    let lines = |rows: usize, most: u16| u16::try_from(rows + 2).unwrap_or(most).clamp(3, most);
    let services = lines(frame.services.len(), area.height / 3);
    let below = lines(frame.engines.len().max(frame.drops.len()), area.height / 3);
    let [top, middle, bottom] = Layout::vertical([
        Constraint::Length(services),
        Constraint::Fill(1),
        Constraint::Length(below),
    ])
    .areas(area);
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)])
        .spacing(1)
        .areas(bottom);
    list(screen, top, frame, view, Pane::Services);
    list(screen, middle, frame, view, Pane::Backends);
    list(screen, left, frame, view, Pane::Engines);
    list(screen, right, frame, view, Pane::Drops);
}

fn list(screen: &mut ratatui::Frame<'_>, area: Rect, frame: &Frame, view: &View, pane: Pane) {
    let all = match pane {
        Pane::Services => frame.services.len(),
        Pane::Backends => frame.backends.len(),
        Pane::Engines => frame.engines.len(),
        Pane::Drops => frame.drops.len(),
    };
    let mut table = |texts| table(screen, area, view, pane, texts, all);
    let room = usize::from(area.width);
    let columns = pane.columns();
    match pane {
        Pane::Services => table(Texts::fit(columns, &view.services(frame), room)),
        Pane::Backends => table(Texts::fit(columns, &view.backends(frame), room)),
        Pane::Engines => {
            let rows = view.sorted(pane, frame.engines.iter());
            table(Texts::fit(columns, &rows, room));
        }
        Pane::Drops => {
            let rows = view.sorted(pane, frame.drops.iter());
            table(Texts::fit(columns, &rows, room));
        }
    }
}

fn table(
    screen: &mut ratatui::Frame<'_>,
    area: Rect,
    view: &View,
    pane: Pane,
    texts: Texts,
    all: usize,
) {
    let chosen = view.pane == pane;
    let shape = view.list(pane);
    let sorted = shape.sort.map(|at| pane.columns()[at].name);
    let style = match chosen {
        true => Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED),
        false => Style::new().add_modifier(Modifier::BOLD),
    };
    let mut name = format!(" {} {}", pane.name(), texts.rows.len());
    if texts.rows.len() < all {
        name += &format!(" of {all}");
    }
    if let Some(column) = sorted {
        name += &format!(" by {column}");
    }
    name += if shape.reverse { ", reversed " } else { " " };
    let block = Block::new()
        .borders(Borders::TOP)
        .title(Span::styled(name, style));

    let padded = |cells: &[String]| -> Vec<String> {
        let columns = texts.columns.iter().zip(&texts.widths);
        cells
            .iter()
            .zip(columns)
            .map(|(cell, (column, width))| match column.words {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            })
            .collect()
    };
    let headings: Vec<_> = texts
        .columns
        .iter()
        .map(|column| column.name.to_owned())
        .collect();
    let headings = padded(&headings).into_iter().zip(&texts.columns);
    let headings = headings.map(|(text, column)| match sorted == Some(column.name) {
        true => Span::styled(text, Style::new().add_modifier(Modifier::UNDERLINED)),
        false => Span::raw(text),
    });
    let header = Row::new(headings.map(Line::from)).style(Style::new().fg(Color::Cyan));
    let widths = texts.widths.iter();
    let widths = widths.map(|&width| Constraint::Length(u16::try_from(width).unwrap_or(u16::MAX)));
    let rows = texts.rows.iter().map(|cells| Row::new(padded(cells)));
    let table = Table::new(rows, widths)
        .column_spacing(2)
        .header(header)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
        .block(block);
    // Only the chosen list has a marked row.
    let row = shape.row.min(texts.rows.len().saturating_sub(1));
    let marked = (chosen && !texts.rows.is_empty()).then_some(row);
    let mut state = TableState::new().with_selected(marked);
    screen.render_stateful_widget(table, area, &mut state);
}

fn title<'a>(frame: &Frame, view: &View) -> Line<'a> {
    let frozen = match view.frozen {
        true => Span::styled(
            "FROZEN ",
            Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD),
        ),
        false => Span::raw(""),
    };
    Line::from(vec![frozen, Span::raw(head(frame))])
}

fn foot<'a>(view: &View) -> Line<'a> {
    let filter = match (view.typing, view.filter.is_empty()) {
        (true, _) => format!("/{}_", view.filter),
        (false, true) => String::new(),
        (false, false) => format!("/{}  Esc: all", view.filter),
    };
    match filter.is_empty() {
        true => Line::raw("q quit  ? help  p freeze  s sort  r reverse  / filter  Tab"),
        false => Line::styled(filter, Style::new().fg(Color::Yellow)),
    }
}

fn help(screen: &mut ratatui::Frame<'_>, area: Rect) {
    let lines = HELP.lines().count();
    let widest = HELP.lines().map(str::len).max().unwrap_or(0);
    let [area] = Layout::horizontal([Constraint::Max(widest as u16 + 2)]).areas(area);
    let [area] = Layout::vertical([Constraint::Max(lines as u16 + 2)]).areas(area);
    let block = Block::bordered().title(" Help: any key goes on ");
    screen.render_widget(Clear, area);
    screen.render_widget(Paragraph::new(HELP).block(block), area);
}
