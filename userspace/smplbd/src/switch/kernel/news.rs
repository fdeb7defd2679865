// SPDX-License-Identifier: MIT OR Apache-2.0
//! News of generations from the kernel, so that what somebody else changes is seen at once.

use std::io;
use std::thread;
use std::time::Duration;

use smplb_nl::Monitor;
use tokio::sync::watch;

/// Between attempts to listen.
const PAUSE: Duration = Duration::from_secs(2);

/// Listens until nobody wants the news any more.
pub fn listen() -> io::Result<watch::Receiver<u64>> {
    let (tell, news) = watch::channel(0);
    thread::Builder::new()
        .name("news".to_owned())
        .spawn(move || {
            while !tell.is_closed() {
                // The control loop tells that the kernel is not there; here it is only waited for.
                if let Ok(mut monitor) = Monitor::connect() {
                    hear(&mut monitor, &tell);
                }
                thread::sleep(PAUSE);
            }
        })?;
    Ok(news)
}

fn hear(monitor: &mut Monitor, tell: &watch::Sender<u64>) {
    while !tell.is_closed() {
        match monitor.wait() {
            Ok(news) => drop(tell.send_replace(news.active.unwrap_or(0))),
            // Something was missed; a generation that is never active makes the reader look.
            Err(error) if error.is_overrun() => drop(tell.send_replace(u64::MAX)),
            Err(_) => return,
        }
    }
}
