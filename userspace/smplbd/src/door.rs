// SPDX-License-Identifier: MIT OR Apache-2.0
//! The door of a server: a bounded number of connections, also of those that never finish a handshake
//! or a request.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::{Connected, TcpConnectInfo};

/// Before another attempt when a connection cannot be taken, since files have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener with a bounded number of seats; who comes late waits in the kernel's queue.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    seats: Arc<Semaphore>,
}

impl Door {
    /// At most `limit` connections at once.
    pub fn new(listener: TcpListener, limit: usize) -> Self {
        Self {
            listener,
            seats: Arc::new(Semaphore::new(limit)),
        }
    }

    async fn guest(&mut self) -> (Guest, SocketAddr) {
        loop {
            // Nobody closes the semaphore, so there is a seat some time.
            let Ok(seat) = self.seats.clone().acquire_owned().await else {
                continue;
            };
            let Ok((stream, peer)) = self.listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Answers are small and wanted at once.
            drop(stream.set_nodelay(true));
            let guest = Guest {
                stream,
                _seat: seat,
            };
            return (guest, peer);
        }
    }

    /// Connections one after another.
    pub fn guests(mut self) -> ReceiverStream<io::Result<Guest>> {
        let (enter, guests) = mpsc::channel(1);
        tokio::spawn(async move {
            loop {
                let guest = tokio::select! {
                    (guest, _) = self.guest() => guest,
                    () = enter.closed() => return,
                };
                if enter.send(Ok(guest)).await.is_err() {
                    return;
                }
            }
        });
        ReceiverStream::new(guests)
    }
}

impl axum::serve::Listener for Door {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        self.guest().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection, which gives its seat back when it ends.
#[derive(Debug)]
pub struct Guest {
    stream: TcpStream,
    _seat: OwnedSemaphorePermit,
}

impl Connected for Guest {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test]
    async fn who_comes_late_waits_for_a_seat() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let mut guests = Door::new(listener, 2).guests();
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(TcpStream::connect(addr).await.unwrap());
        }
        let first = guests.next().await.unwrap();
        let _second = guests.next().await.unwrap();
        let late = tokio::time::timeout(Duration::from_millis(200), guests.next()).await;
        assert!(late.is_err());
        drop(first);
        guests.next().await.unwrap().unwrap();
    }
}
