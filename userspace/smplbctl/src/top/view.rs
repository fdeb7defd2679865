// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of a frame is shown, and how keys change that.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::frame::{BackendRow, Frame, ServiceRow};
use super::text::{Cells, Column, BACKENDS, DROPS, ENGINES, SERVICES};
use crate::key::ServiceKey;

/// How far PgUp and PgDn go.
const PAGE: usize = 10;

/// A list on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    Services,
    Backends,
    Engines,
    Drops,
}

impl Pane {
    /// In the order of the Tab key.
    pub const ALL: [Self; 4] = [Self::Services, Self::Backends, Self::Engines, Self::Drops];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Services => "Services",
            Self::Backends => "Back-ends",
            Self::Engines => "Engines",
            Self::Drops => "Drops",
        }
    }

    /// Its columns.
    pub fn columns(self) -> &'static [Column] {
        match self {
            Self::Services => SERVICES,
            Self::Backends => BACKENDS,
            Self::Engines => ENGINES,
            Self::Drops => DROPS,
        }
    }
}

/// How a list is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct List {
    /// The number of the row that is marked.
    pub row: usize,
    /// The column it is sorted by; none: by name.
    pub sort: Option<usize>,
    /// Whether the order is the other way round.
    pub reverse: bool,
}

/// All that keys have chosen.
#[derive(Clone, Debug)]
pub struct View {
    /// The list that keys act on.
    pub pane: Pane,
    lists: [List; Pane::ALL.len()],
    /// Only services and back-ends with this text are shown.
    pub filter: String,
    /// Whether keys go to the filter.
    pub typing: bool,
    /// Whether the frame stays.
    pub frozen: bool,
    /// Whether the help is shown.
    pub help: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            pane: Pane::Backends,
            lists: Default::default(),
            filter: String::new(),
            typing: false,
            frozen: false,
            help: false,
        }
    }
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Stay,
    Leave,
}

impl View {
    /// How a list is shown.
    pub fn list(&self, pane: Pane) -> List {
        self.lists[pane as usize]
    }

    fn list_mut(&mut self) -> &mut List {
        &mut self.lists[self.pane as usize]
    }

    /// The services to show, in order.
    pub fn services(&self, frame: &Frame) -> Vec<ServiceRow> {
        let wanted = |row: &&ServiceRow| {
            let mut of = frame.backends.iter().filter(|b| b.service == row.service);
            self.wants(row.service) || of.any(|b| self.contains(&b.backend.to_string()))
        };
        self.sorted(Pane::Services, frame.services.iter().filter(wanted))
    }

    /// The back-ends to show, in order.
    pub fn backends(&self, frame: &Frame) -> Vec<BackendRow> {
        let wanted =
            |row: &&BackendRow| self.wants(row.service) || self.contains(&row.backend.to_string());
        self.sorted(Pane::Backends, frame.backends.iter().filter(wanted))
    }

    /// Rows in the order that was chosen for their list: largest first.
    pub fn sorted<'a, R: Cells + Clone + 'a>(
        &self,
        pane: Pane,
        rows: impl Iterator<Item = &'a R>,
    ) -> Vec<R> {
        let list = self.list(pane);
        let mut rows: Vec<_> = rows.cloned().collect();
        if let Some(at) = list.sort {
            // What is not known is less than everything.
            let number = |row: &R| row.numbers()[at].unwrap_or(f64::NEG_INFINITY);
            rows.sort_by(|a, b| number(b).total_cmp(&number(a)));
        }
        if list.reverse {
            rows.reverse();
        }
        rows
    }

    /// Whether the filter lets a service through: the whole name of one means that one only.
    fn wants(&self, service: ServiceKey) -> bool {
        match self.filter.parse() {
            Ok(one) => service == one,
            Err(_) => self.contains(&service.to_string()),
        }
    }

    fn contains(&self, text: &str) -> bool {
        text.contains(&self.filter.to_ascii_lowercase())
    }

    fn rows(&self, frame: &Frame) -> usize {
        match self.pane {
            Pane::Services => self.services(frame).len(),
            Pane::Backends => self.backends(frame).len(),
            Pane::Engines => frame.engines.len(),
            Pane::Drops => frame.drops.len(),
        }
    }

    /// Does what a key means.
    pub fn key(&mut self, key: KeyEvent, frame: &Frame) -> Next {
        if key.kind != KeyEventKind::Press {
            return Next::Stay;
        }
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Next::Leave;
        }
        if self.typing {
            self.type_key(key.code);
            return Next::Stay;
        }
        if self.help {
            // Any key ends it.
            self.help = false;
            return Next::Stay;
        }
        match key.code {
            KeyCode::Char('q') => return Next::Leave,
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Char('p') => self.frozen = !self.frozen,
            KeyCode::Char('s') => self.sort(1),
            KeyCode::Char('S') => self.sort(-1),
            KeyCode::Char('r') => self.list_mut().reverse ^= true,
            KeyCode::Char('/') => self.typing = true,
            KeyCode::Esc => self.filter.clear(),
            KeyCode::Tab => self.turn(1),
            KeyCode::BackTab => self.turn(Pane::ALL.len() - 1),
            KeyCode::Enter if self.pane == Pane::Services => self.enter(frame),
            code => self.go(code, self.rows(frame)),
        }
        Next::Stay
    }

    fn type_key(&mut self, code: KeyCode) {
        match code {
            KeyCode::Enter => self.typing = false,
            KeyCode::Esc => {
                self.typing = false;
                self.filter.clear();
            }
            KeyCode::Backspace => {
                self.filter.pop();
            }
            KeyCode::Char(c) => self.filter.push(c),
            _ => {}
        }
    }

    /// Shows the back-ends of the marked service only.
    fn enter(&mut self, frame: &Frame) {
        let row = self.list(Pane::Services).row;
        if let Some(service) = self.services(frame).get(row) {
            self.filter = service.service.to_string();
            self.pane = Pane::Backends;
        }
    }

    fn turn(&mut self, steps: usize) {
        self.pane = Pane::ALL[(self.pane as usize + steps) % Pane::ALL.len()];
    }

    /// Sorts by the next column of numbers, or the one before; past the last, by name.
    fn sort(&mut self, step: isize) {
        let columns = self.pane.columns().iter().enumerate();
        let numbers = columns.filter(|(_, column)| !column.words);
        let choices: Vec<_> = std::iter::once(None)
            .chain(numbers.map(|(at, _)| Some(at)))
            .collect();
        let list = self.list_mut();
        let at = choices.iter().position(|choice| *choice == list.sort);
        let next = at.unwrap_or(0).checked_add_signed(step);
        list.sort = match next {
            Some(next) => choices[next % choices.len()],
            None => choices[choices.len() - 1],
        };
    }

    fn go(&mut self, code: KeyCode, rows: usize) {
        let last = rows.saturating_sub(1);
        let list = self.list_mut();
        // Rows may have gone since.
        let row = list.row.min(last);
        list.row = match code {
            KeyCode::Up | KeyCode::Char('k') => row.saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => (row + 1).min(last),
            KeyCode::PageUp => row.saturating_sub(PAGE),
            KeyCode::PageDown => (row + PAGE).min(last),
            KeyCode::Home => 0,
            KeyCode::End => last,
            _ => row,
        };
    }
}
