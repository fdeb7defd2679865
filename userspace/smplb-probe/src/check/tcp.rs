// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check that connects.

use std::net::SocketAddr;
use std::time::Instant;

use tokio::net::TcpStream;

use crate::Trouble;

/// Connects, and no more.
pub(super) async fn probe(target: SocketAddr) -> Result<String, Trouble> {
    let start = Instant::now();
    connect(target).await?;
    Ok(format!(
        "connected in {:.1} ms",
        start.elapsed().as_secs_f64() * 1e3
    ))
}

/// Connects; the time is limited by who asks for the check.
pub(super) async fn connect(target: SocketAddr) -> Result<TcpStream, Trouble> {
    let stream = TcpStream::connect(target)
        .await
        .map_err(|error| Trouble::of_io(&error))?;
    // Without it a request merely goes out later.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
