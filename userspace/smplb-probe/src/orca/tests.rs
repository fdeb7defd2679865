// SPDX-License-Identifier: MIT OR Apache-2.0
//! Servers that are silent, with less patience than there is for real ones.

use std::net::SocketAddr;

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;

const PACE: Pace = Pace {
    connect: Duration::from_secs(5),
    first: Duration::from_millis(900),
    least: Duration::from_millis(400),
    unimplemented: Duration::from_millis(100),
};

fn follow(addr: SocketAddr) -> mpsc::Receiver<Event> {
    let (sender, events) = mpsc::channel(8);
    let target = Target {
        addr: addr.to_string(),
        tls: None,
    };
    tokio::spawn(follow_at(PACE, target, Duration::from_millis(100), sender));
    events
}

async fn next(events: &mut mpsc::Receiver<Event>) -> Event {
    timeout(Duration::from_secs(30), events.recv())
        .await
        .unwrap()
        .unwrap()
}

/// One frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A server that answers each request with these frames, a pause after each, and then with nothing.
async fn server(frames: Vec<(Vec<u8>, Duration)>) -> (SocketAddr, mpsc::Receiver<()>) {
    use tokio::io::AsyncWriteExt;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (sender, accepted) = mpsc::channel(64);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = sender.try_send(());
            let frames = frames.clone();
            tokio::spawn(async move {
                for (frame, pause) in frames {
                    stream.write_all(&frame).await.unwrap();
                    sleep(pause).await;
                }
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    (addr, accepted)
}

/// Settings, which come first.
fn settings() -> (Vec<u8>, Duration) {
    // The pause is for the request to arrive.
    (frame(4, 0, 0, &[]), Duration::from_millis(100))
}

/// `:status: 200` and `content-type: application/grpc`.
fn headers() -> (Vec<u8>, Duration) {
    let mut block = vec![0x88, 0x0f, 0x10, 16];
    block.extend(b"application/grpc");
    (frame(1, 4, 1, &block), Duration::ZERO)
}

/// A report of `cpu_utilization` 0.5.
fn report(pause: Duration) -> (Vec<u8>, Duration) {
    let message = [&[0, 0, 0, 0, 9, 0x09], 0.5_f64.to_le_bytes().as_slice()].concat();
    (frame(0, 0, 1, &message), pause)
}

async fn silent(frames: Vec<(Vec<u8>, Duration)>, reports: usize, patience: Duration) {
    let (addr, mut accepted) = server(frames).await;
    let mut events = follow(addr);
    for _ in 0..2 {
        for _ in 0..reports {
            match next(&mut events).await {
                Event::Report(report) => assert_eq!(report.cpu, Some(0.5)),
                other => panic!("{other:?}"),
            }
        }
        match next(&mut events).await {
            Event::Trouble(Trouble::Silent { within }) => {
                assert!(within >= patience && within < 10 * patience, "{within:?}");
            }
            other => panic!("{other:?}"),
        }
        accepted.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_sends_nothing_at_all_is_silent() {
    silent(vec![], 0, PACE.first).await;
}

#[tokio::test]
async fn a_stream_without_a_report_is_silent() {
    silent(vec![settings(), headers()], 0, PACE.first).await;
}

#[tokio::test]
async fn a_server_that_stops_reporting_is_silent() {
    let pause = Duration::from_millis(100);
    let reports = [report(pause), report(pause), report(pause)];
    let frames = [vec![settings(), headers()], reports.to_vec()].concat();
    silent(frames, 3, PACE.least).await;
}

#[tokio::test]
async fn a_first_report_may_be_slow() {
    let wait = (frame(6, 0, 0, &[0; 8]), Duration::from_millis(600));
    let pause = Duration::from_millis(600);
    // Slower than a fast server may be, so only what was observed allows for it.
    let reports = [report(pause), report(pause), report(pause)];
    let frames = [vec![settings(), wait, headers()], reports.to_vec()].concat();
    silent(frames, 3, 3 * pause).await;
}

#[tokio::test]
async fn a_server_without_the_service_is_asked_again_in_time() {
    // Only trailers: `grpc-status: 12`.
    let mut block = vec![0x88, 0x0f, 0x10, 16];
    block.extend(b"application/grpc");
    block.extend([0x00, 11]);
    block.extend(b"grpc-status");
    block.extend([2, b'1', b'2']);
    let (addr, mut accepted) =
        server(vec![settings(), (frame(1, 5, 1, &block), Duration::ZERO)]).await;
    let mut events = follow(addr);
    for _ in 0..3 {
        assert_eq!(
            next(&mut events).await,
            Event::Trouble(Trouble::Unimplemented)
        );
        accepted.recv().await.unwrap();
    }
}

#[tokio::test]
async fn a_report_that_cannot_be_read_ends_the_stream() {
    let broken = (frame(0, 0, 1, &[0, 0, 0, 0, 2, 0x09, 0x00]), Duration::ZERO);
    let (addr, _accepted) = server(vec![settings(), headers(), broken]).await;
    match next(&mut follow(addr)).await {
        Event::Trouble(trouble) => assert_eq!(trouble.name(), "bad-report", "{trouble}"),
        other => panic!("{other:?}"),
    }
}
