// SPDX-License-Identifier: MIT OR Apache-2.0
//! Agents that answer, and agents that do not.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use smplb_master::{Admin, Word};
use smplb_probe::agent_check::{self, LONGEST};
use smplb_probe::Trouble;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::sleep;

use super::peer::{nobody, serve, Follower};

fn follow(addr: SocketAddr, send: Option<&str>) -> Follower {
    let send = send.map(str::to_owned);
    Follower::start(|events| {
        agent_check::follow(addr.to_string(), Duration::from_millis(100), send, events)
    })
}

/// An agent that always says the same, and then ends the connection.
async fn says(line: &'static [u8]) -> SocketAddr {
    let treat = move |mut stream: tokio::net::TcpStream| async move {
        let _ = stream.write_all(line).await;
    };
    serve(treat).await.0
}

#[tokio::test]
async fn an_agent_is_asked_again_and_again() {
    let (addr, count) = serve(|mut stream| async move {
        // It keeps the connection open; its line is enough.
        let _ = stream.write_all(b"up 50% maxconn:30 drain\n").await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let mut follower = follow(addr, None);
    let word = Word {
        percent: Some(0.5),
        admin: Some(Admin::Drain),
        up: Some(true),
        max_connections: Some(30),
    };
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(follower.word().await, word);
    }
    assert!(count.load(Ordering::SeqCst) >= 5);
    assert!(
        start.elapsed() >= Duration::from_millis(400),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn an_agent_is_sent_what_it_wants_to_hear() {
    let (addr, _) = serve(|mut stream| async move {
        let mut line = String::new();
        BufReader::new(&mut stream)
            .read_line(&mut line)
            .await
            .unwrap();
        let answer: &[u8] = if line == "web/s1\n" {
            b"up\n"
        } else {
            b"down\n"
        };
        let _ = stream.write_all(answer).await;
    })
    .await;
    assert_eq!(follow(addr, Some("web/s1\n")).word().await.up, Some(true));
    assert_eq!(follow(addr, Some("other\n")).word().await.up, Some(false));
}

#[tokio::test]
async fn a_line_that_comes_in_pieces_is_one() {
    let (addr, _) = serve(|mut stream| async move {
        for piece in ["maxc", "onn:10", "0 7", "5%", "\n"] {
            let _ = stream.write_all(piece.as_bytes()).await;
            sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let word = follow(addr, None).word().await;
    assert_eq!(
        (word.max_connections, word.percent),
        (Some(100), Some(0.75))
    );
}

#[tokio::test]
async fn a_line_without_an_end_is_not_taken() {
    let trouble = follow(says(b"maxconn:10").await, None).trouble().await;
    assert!(
        trouble
            .to_string()
            .contains("without an end: \"maxconn:10\""),
        "{trouble}"
    );
    let trouble = follow(says(b"").await, None).trouble().await;
    assert_eq!(trouble, Trouble::Closed);
}

#[tokio::test]
async fn a_line_without_a_known_word_is_told() {
    let trouble = follow(says(b"HTTP/1.1 400 Bad\x1b[2J Request\r\n").await, None)
        .trouble()
        .await;
    let expected =
        "a report that cannot be used: no word that is known: \"HTTP/1.1 400 Bad [2J Request\"";
    assert_eq!(trouble.to_string(), expected);
}

#[tokio::test]
async fn ten_kilobytes_without_an_end_are_not_read() {
    let (addr, _) = serve(|mut stream| async move {
        let _ = stream.write_all(&b"up ".repeat(3500)).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(
        follow(addr, None).trouble().await,
        Trouble::TooLarge { limit: LONGEST }
    );
}

#[tokio::test]
async fn an_agent_that_never_answers_is_left() {
    let (mute, count) = serve(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let (slow, _) = serve(|mut stream| async move {
        while stream.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let (mut mute, mut slow) = (follow(mute, None), follow(slow, None));
    for trouble in [mute.trouble().await, slow.trouble().await] {
        assert_eq!(trouble.name(), "timeout", "{trouble}");
    }
    // One connection at a time.
    assert!(count.load(Ordering::SeqCst) <= 2);
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_told() {
    assert_eq!(
        follow(nobody().await, None).trouble().await,
        Trouble::Refused
    );
}
