// SPDX-License-Identifier: MIT OR Apache-2.0
//! The terminal: draws frames as they come, and takes keys.

use std::io;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use ratatui::backend::Backend;
use ratatui::crossterm::event::{self, Event};
use ratatui::{DefaultTerminal, Terminal};
use smplb_nl::socket::Transport;

use super::draw::draw;
use super::view::{Next, View};
use super::Watch;

/// The first frame with rates comes that soon.
const FIRST: Duration = Duration::from_millis(250);

/// Draws on the terminal until somebody leaves.
pub fn run<T: Transport>(watch: &mut Watch<T>, interval: Duration) -> Result<()> {
    // What is wrong is told before the screen is taken.
    watch.look()?;
    let mut screen = Screen::open().context("cannot draw on this terminal")?;
    follow(&mut screen.0, &mut Keyboard, watch, interval)
}

/// The terminal in its own mode; as it was when this goes, and when the program panics.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
        match ratatui::try_init() {
            Ok(terminal) => Ok(Self(terminal)),
            Err(error) => {
                // Half of it may be done.
                ratatui::try_restore().ok();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // There is nobody left to tell.
        ratatui::try_restore().ok();
    }
}

/// Where keys come from.
pub trait Keys {
    /// The next event, or none within this time.
    fn next(&mut self, within: Duration) -> io::Result<Option<Event>>;
}

struct Keyboard;

impl Keys for Keyboard {
    fn next(&mut self, within: Duration) -> io::Result<Option<Event>> {
        match event::poll(within)? {
            true => event::read().map(Some),
            false => Ok(None),
        }
    }
}

/// Draws, waits for a key or the time of the next frame, and so on.
pub fn follow<T: Transport, B: Backend>(
    terminal: &mut Terminal<B>,
    keys: &mut impl Keys,
    watch: &mut Watch<T>,
    interval: Duration,
) -> Result<()> {
    let mut view = View::default();
    let mut frame = watch.frame();
    let mut next = Instant::now() + interval.min(FIRST);
    loop {
        terminal.draw(|screen| draw(screen, &frame, &view))?;
        let within = next.saturating_duration_since(Instant::now());
        // Another event is one of size, which the next drawing takes up.
        if let Some(Event::Key(key)) = keys.next(within)? {
            if view.key(key, &frame) == Next::Leave {
                return Ok(());
            }
        }
        if Instant::now() >= next {
            watch.look()?;
            next = Instant::now() + interval;
        }
        if !view.frozen {
            frame = watch.frame();
        }
    }
}
