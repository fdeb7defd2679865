// SPDX-License-Identifier: MIT OR Apache-2.0
//! How a connection to a server is made.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{ready, Context, Poll};
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{lookup_host, TcpStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::TlsConnector;

use crate::trouble::printable;
use crate::Trouble;

/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;

/// `work`, if it ends within `limit`; `step` is what to call it.
pub(crate) async fn within<T>(
    limit: Duration,
    step: &'static str,
    work: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    timeout(limit, work)
        .await
        .unwrap_or(Err(Trouble::Timeout { step, after: limit }))
}

/// Connects to `addr` (`HOST:PORT`), one address of the name after the other.
pub(crate) async fn tcp(addr: &str, limit: Duration) -> Result<TcpStream, Trouble> {
    let found = within(limit, "name's resolution", async {
        let found = lookup_host(addr).await;
        found.map_err(|error| Trouble::Unresolved {
            why: printable(&error.to_string()),
        })
    });
    let found: Vec<_> = found.await?.take(ADDRESSES).collect();
    let mut last = Trouble::Unresolved {
        why: "it has no address".into(),
    };
    let limit = limit / u32::try_from(found.len().max(1)).unwrap_or(1);
    for addr in found {
        let stream = within(limit, "connect", async {
            TcpStream::connect(addr)
                .await
                .map_err(|error| Trouble::of_io(&error))
        });
        match stream.await {
            Ok(stream) => {
                // Without it a request merely goes out later.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(trouble) => last = trouble,
        }
    }
    Err(last)
}

/// The first trouble that was seen on a connection, under whatever errors were made of it above.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Option<Trouble>>>);

impl Seen {
    pub(crate) fn note(&self, trouble: Trouble) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(trouble);
    }

    /// Notes what says more than whatever was seen before it.
    pub(crate) fn insert(&self, trouble: Trouble) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }

    pub(crate) fn first(&self) -> Option<Trouble> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A connection, secured or not, that notes what goes wrong with it.
pub(crate) struct Io {
    stream: Stream,
    seen: Seen,
}

enum Stream {
    Plain(TcpStream),
    Secured(Box<TlsStream<TcpStream>>),
}

impl Io {
    /// A connection as it is.
    pub(crate) fn plain(stream: TcpStream) -> Self {
        Self {
            stream: Stream::Plain(stream),
            seen: Seen::default(),
        }
    }

    /// Secures a connection to the server called `name`.
    pub(crate) async fn secured(
        stream: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> Result<Self, Trouble> {
        match TlsConnector::from(config).connect(name, stream).await {
            Ok(stream) => Ok(Self {
                stream: Stream::Secured(Box::new(stream)),
                seen: Seen::default(),
            }),
            Err(error) => Err(Trouble::of_io(&error)),
        }
    }

    /// What goes wrong with it.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.clone()
    }

    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            self.seen.note(Trouble::of_io(error));
        }
        result
    }
}

impl AsyncRead for Io {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let result = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Stream::Secured(stream) => Pin::new(stream.as_mut()).poll_read(cx, buffer),
        });
        if result.is_ok() && buffer.filled().len() == before && buffer.remaining() > 0 {
            self.seen.note(Trouble::Closed);
        }
        Poll::Ready(self.noted(result))
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, data),
            Stream::Secured(stream) => Pin::new(stream.as_mut()).poll_write(cx, data),
        });
        Poll::Ready(self.noted(result))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Secured(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        });
        Poll::Ready(self.noted(result))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Secured(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
