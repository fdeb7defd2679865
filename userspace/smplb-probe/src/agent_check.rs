// SPDX-License-Identifier: MIT OR Apache-2.0
//! Follows an agent that speaks HAProxy's agent-check protocol.
//!
//! It is asked by a connection, to which it answers with one line of words. The line must be ended:
//! `maxconn:10` may be the start of `maxconn:100`.

use std::time::Duration;

use smplb_master::Word;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{sleep, sleep_until, Instant};

use crate::connect::{tcp, within};
use crate::outlet::while_heard;
use crate::trouble::printable;
use crate::{Event, Trouble};

mod parse;

pub use parse::parse;

/// Longest line of an agent, in octets and with its end.
pub const LONGEST: usize = 512;
/// How often an agent may be asked.
const EVERY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3600));
/// How long one question takes at most.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the agent at `addr` (`HOST:PORT`) every so often, with the words `send` if there are any.
///
/// It runs until it is dropped or nobody listens.
pub async fn follow(
    addr: String,
    every: Duration,
    send: Option<String>,
    events: mpsc::Sender<Event>,
) {
    let every = every.clamp(EVERY.0, EVERY.1);
    while_heard(events, |outlet| async move {
        // Agents of many servers are not asked all in the same moment.
        sleep(every.min(PATIENCE).mul_f64(rand::random())).await;
        loop {
            let start = Instant::now();
            let answer = ask(&addr, send.as_deref().unwrap_or_default());
            match within(PATIENCE, "agent's line", answer).await {
                Ok(word) => outlet.offer(Event::Word(word)),
                Err(trouble) => outlet.trouble(trouble),
            }
            sleep_until(start + every).await;
        }
    })
    .await;
}

async fn ask(addr: &str, send: &str) -> Result<Word, Trouble> {
    let mut stream = tcp(addr, PATIENCE).await?;
    let failed = |error: std::io::Error| Trouble::of_io(&error);
    stream.write_all(send.as_bytes()).await.map_err(failed)?;
    let mut line = [0; LONGEST];
    let mut filled = 0;
    let ended = |octet: &u8| matches!(octet, b'\n' | b'\r');
    loop {
        let read = stream.read(&mut line[filled..]).await.map_err(failed)?;
        if read == 0 {
            return Err(match filled {
                0 => Trouble::Closed,
                _ => bad("a line without an end", &line[..filled]),
            });
        }
        let end = line[filled..filled + read].iter().position(ended);
        filled += read;
        if let Some(end) = end {
            let line = &line[..=filled - read + end];
            return parse(line).ok_or_else(|| bad("no word that is known", line));
        }
        if filled == LONGEST {
            return Err(Trouble::TooLarge { limit: LONGEST });
        }
    }
}

fn bad(what: &str, line: &[u8]) -> Trouble {
    let line = printable(String::from_utf8_lossy(line).trim_end());
    Trouble::BadReport {
        why: format!("{what}: {line:?}"),
    }
}
