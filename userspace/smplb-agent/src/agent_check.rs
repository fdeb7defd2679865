// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers HAProxy's agent-check: a line with the part of its configured weight that the server
//! should have.
//!
//! It is what is free of the server, by the application's own word or else by CPU or memory,
//! whichever is fuller: `70%` at a utilization of 0.3. A full server says `1%`, never `0%`, which
//! would take all its clients away. When nothing is known, the word is `up`.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{watch, Semaphore};
use tokio::time::{sleep, timeout};
use tracing::warn;

use crate::report::Report;

/// Most checks at a time.
const MOST: usize = 32;

/// Longest time for one.
const LIMIT: Duration = Duration::from_secs(1);

/// Answers for ever.
pub async fn serve(listener: TcpListener, newest: watch::Receiver<Report>) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                warn!(%error, "cannot take an agent-check");
                sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        // Who is one too many may ask again.
        if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
            let line = word(&newest.borrow());
            tokio::spawn(async move {
                let _ = timeout(LIMIT, answer(stream, &line)).await;
                drop(place);
            });
        }
    }
}

async fn answer(mut stream: TcpStream, line: &str) -> std::io::Result<()> {
    stream.write_all(line.as_bytes()).await?;
    stream.shutdown().await?;
    // What the checker has sent must be read, or closing would reset the connection and might
    // take the answer with it.
    let mut said = [0; 512];
    while stream.read(&mut said).await? > 0 {}
    Ok(())
}

fn word(report: &Report) -> String {
    match report.utilization() {
        Some(used) => format!("{:.0}%\n", ((1.0 - used) * 100.0).clamp(1.0, 100.0)),
        None => "up\n".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Field;

    #[test]
    fn the_word_is_what_is_free() {
        assert_eq!(word(&Report::default()), "up\n");
        for (used, wanted) in [
            (0.0, "100%\n"),
            (0.3, "70%\n"),
            (0.996, "1%\n"),
            (1.0, "1%\n"),
            (1.8, "1%\n"),
        ] {
            let mut report = Report::default();
            report.set(Field::Cpu, used).unwrap();
            assert_eq!(word(&report), wanted);
        }
    }

    #[tokio::test]
    async fn a_check_is_answered_whatever_it_says() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, newest) = watch::channel(Report::default());
        let task = tokio::spawn(serve(listener, newest));
        sender.send_modify(|report| report.set(Field::Cpu, 0.25).unwrap());
        for says in ["", "status\n"] {
            let mut check = TcpStream::connect(address).await.unwrap();
            check.write_all(says.as_bytes()).await.unwrap();
            let mut line = String::new();
            check.read_to_string(&mut line).await.unwrap();
            assert_eq!(line, "75%\n");
        }
        task.abort();
    }
}
