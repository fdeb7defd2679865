// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl top`: what the switch does now, as `top` shows processes.
//!
//! Two [`Snapshot`]s make a [`Frame`], which is drawn on a terminal ([`draw`]), printed as text
//! ([`plain`]) or as JSON. Only [`live`] knows of keys and terminals.

mod draw;
mod fetch;
mod frame;
mod live;
mod load;
mod plain;
mod samples;
mod snapshot;
#[cfg(test)]
mod tests;
mod text;
mod view;

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{bail, Result};
use smplb_nl::socket::Transport;
use smplb_nl::Client;

use crate::failure::Cannot;
use crate::session::Session;
use fetch::Url;
use frame::Frame;
use load::Loads;
use snapshot::Snapshot;

const AFTER: &str = "\
Back-ends are shown with the share that their weights want (WANT) and the share of the new
connections of the last seconds that they got (GOT). Their load (UTIL, AGE, STATE) is what smplbd
tells by its metrics endpoint; without it these stay empty.

Keys:

  q, Ctrl-C: leave
  ?: help
  p: freeze, and go on
  Tab: next list
  Up, Down, PgUp, PgDn, Home, End: move in the list
  s: sort by the next column, S by the one before
  r: reverse the order
  /: show only services and back-ends with this text; Enter keeps it, Esc drops it
  Enter: on a service, show only its back-ends

With -j, an object with these keys; a value is null when it is not known:

  generation       generation that engines use
  standby          generation that a rollback would make active
  flips            how often the tables have been exchanged
  connections      connections tracked now
  connections_max  connections there is room for
  seconds          time that rates and shares are of
  load             whether smplbd told the load of the back-ends
  services         array of the services
  backends         array of the back-ends
  engines          array of the engines
  drops            array of the reasons for which something was dropped, ever

Each of services has these keys:

  service      the service as PROTO:ADDR:PORT
  scheduler    wrr or lc
  mode         nat or dr
  backends     number of its back-ends
  weighted     number of its back-ends with a weight above 0
  active       connections that its back-ends have now
  connections  new connections per second
  packets      packets from clients per second
  bytes        bytes of them per second

Each of backends has these keys:

  service      the service as PROTO:ADDR:PORT
  backend      the server as ADDR:PORT
  weight       its weight
  wanted       its part of the weights of its service, 0 to 1
  got          its part of the new connections of its service, 0 to 1
  active       connections it has now
  connections  new connections per second
  packets      packets to it per second
  bytes        bytes of them per second
  utilization  how much of the server is used, 1 when it is full
  age          seconds since its last load report
  state        its state, as smplbd tells it

Each of engines has these keys:

  cpu          switching CPU
  ports        ports of this network namespace that it polls
  isolated     whether the scheduler keeps other tasks off its CPU
  busy         part of the time in turns that found packets, 0 to 1
  busy_rounds  part of the turns that found packets, 0 to 1
  packets      packets per second

Each of drops has these keys:

  reason   why
  packets  packets dropped for it per second
  total    packets dropped for it since the module was loaded";

/// How long back shares and rates reach when frames come more often.
const WINDOW: Duration = Duration::from_secs(5);

/// Watch services, back-ends, their load and the engines, live.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// Time from one frame to the next
    #[arg(long, short, value_name = "SECONDS", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Print so many frames as text instead of drawing on the terminal; 0 until interrupted
    #[arg(long, short, value_name = "N")]
    batch: Option<u64>,
    /// Print one frame as text, the same as --batch 1
    #[arg(long, conflicts_with = "batch")]
    once: bool,
    /// Where smplbd tells the load of the back-ends
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9472/metrics"
    )]
    metrics: Url,
}

fn interval(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "no number of seconds".to_owned())?;
    match (0.01..=3600.0).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("not between 0.01 and 3600 seconds".to_owned()),
    }
}

impl Args {
    /// Does it.
    pub fn run<T: Transport>(self, session: &mut Session<'_, T>) -> Result<()> {
        let frames = match (self.once, self.batch) {
            (true, _) => Some(1),
            (false, None) if session.json() => Some(1),
            (false, batch) => batch,
        };
        let client = session.client().cannot(|| "watch the switch")?;
        let mut watch = Watch::new(client, self.metrics, self.interval);
        let Some(frames) = frames else {
            if !io::stdout().is_terminal() {
                bail!("cannot draw: standard output is no terminal; print frames with --batch N");
            }
            return live::run(&mut watch, self.interval);
        };
        let frames = if frames == 0 { u64::MAX } else { frames };
        watch.look()?;
        for number in 0..frames {
            sleep(self.interval);
            watch.look()?;
            let frame = watch.frame();
            let text = match session.json() {
                true => serde_json::to_string(&frame)? + "\n",
                false if number == 0 => plain::text(&frame),
                false => format!("\n{}", plain::text(&frame)),
            };
            session.print_now(&text)?;
        }
        Ok(())
    }
}

/// Looks at the switch again and again, and remembers the last seconds.
struct Watch<T> {
    client: Client<T>,
    loads: Loads,
    start: Instant,
    window: Duration,
    seen: VecDeque<Snapshot>,
}

impl<T: Transport> Watch<T> {
    fn new(client: Client<T>, metrics: Url, interval: Duration) -> Self {
        Self {
            client,
            loads: Loads::new(metrics),
            start: Instant::now(),
            window: WINDOW.max(interval),
            seen: VecDeque::new(),
        }
    }

    /// Takes a snapshot, and forgets those that are older than the window.
    fn look(&mut self) -> Result<()> {
        let at = self.start.elapsed();
        let mut snapshot = Snapshot::take(&mut self.client, at).cannot(|| "watch the switch")?;
        snapshot.load = self.loads.now(at);
        self.seen.push_back(snapshot);
        let Some(oldest) = at.checked_sub(self.window) else {
            return Ok(());
        };
        // The first of the others is old enough to compare with.
        while self.seen.len() > 2 && self.seen.get(1).is_some_and(|next| next.at <= oldest) {
            self.seen.pop_front();
        }
        Ok(())
    }

    /// What happened from the oldest snapshot to the newest.
    fn frame(&self) -> Frame {
        let empty = Snapshot::default();
        let newest = self.seen.back().unwrap_or(&empty);
        Frame::between(self.seen.front().unwrap_or(newest), newest)
    }
}
