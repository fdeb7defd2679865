// SPDX-License-Identifier: MIT OR Apache-2.0
//! One HTTP/2 connection for gRPC calls.
//!
//! A channel of tonic would connect again behind our back, keeps a stream that the server has
//! announced to end (GOAWAY), and hides what went wrong. So this is one connection, driven by who
//! uses it: no task outlives a follower.

use std::future::{poll_fn, Future};
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use h2::client::{Connection, SendRequest};
use h2::RecvStream;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use hyper::header::{HeaderValue, USER_AGENT};
use hyper::{Request, Response};
use tokio::time::timeout;
use tonic::codegen::{Bytes, Service, StdError};

use crate::connect::{Io, Seen};
use crate::Trouble;

/// What the followers call themselves to a server.
pub(crate) const AGENT: &str = concat!("smplb/", env!("CARGO_PKG_VERSION"));
/// Octets that a server may send ahead on a stream. Few, so that what a too fast server has sent is
/// not old when it is read.
const WINDOW: u32 = 4 * 1024;
/// What h2 may count, at most 256 a frame, for frames that wait to be read. A window full of the smallest
/// ones is a server that is held back, and nothing to break the connection for.
const OVERHEAD: usize = 256 * WINDOW as usize;
/// Octets of headers that are taken.
const HEADERS: u32 = 16 * 1024;
/// How long the server is given to see that a call was cancelled.
const FAREWELL: Duration = Duration::from_millis(200);

/// Opens HTTP/2 on a connection: what makes calls, and what must be driven meanwhile.
pub(crate) async fn open(io: Io) -> Result<(Wire, Driver), Trouble> {
    let seen = io.seen();
    let (send, connection) = h2::client::Builder::new()
        .enable_push(false)
        .initial_window_size(WINDOW)
        .data_frame_budget(OVERHEAD)
        .max_header_list_size(HEADERS)
        .handshake(io)
        .await
        .map_err(|error| seen.first().unwrap_or_else(|| Trouble::of_h2(&error)))?;
    let driver = Driver {
        connection,
        watch: Some(send.clone()),
        seen: seen.clone(),
        over: false,
    };
    Ok((Wire { send, seen }, driver))
}

/// Drives a connection.
pub(crate) struct Driver {
    connection: Connection<Io, Bytes>,
    watch: Option<SendRequest<Bytes>>,
    seen: Seen,
    over: bool,
}

impl Driver {
    /// Drives the connection until it ends, or until the server announces that it will.
    pub(crate) async fn run(&mut self) -> Trouble {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Drives the connection while `work` is done with it.
    ///
    /// # Errors
    ///
    /// How the connection ended, before `work` was done.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Trouble> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Ok(done),
            end = self.run() => {
                // What arrived before the end is still there to be read.
                match timeout(FAREWELL, work).await {
                    Ok(done) => Ok(done),
                    Err(_) => Err(end),
                }
            }
        }
    }

    /// What went wrong with the connection, if anything was seen.
    pub(crate) fn seen(&self) -> Option<Trouble> {
        self.seen.first()
    }

    /// Lets the server know that the connection is not used any more.
    pub(crate) async fn close(mut self) {
        self.watch = None;
        if !self.over {
            // It ends by itself now; if it takes too long, it is cut.
            let _ = timeout(FAREWELL, &mut self.connection).await;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Trouble> {
        if self.over {
            return Poll::Ready(Trouble::Closed);
        }
        let end = Pin::new(&mut self.connection).poll(cx);
        self.over = end.is_ready();
        // Something arrived; if it was GOAWAY, no other call can be made.
        if let Some(Poll::Ready(Err(error))) = self.watch.as_mut().map(|it| it.poll_ready(cx)) {
            let trouble = Trouble::of_h2(&error);
            if !self.over || matches!(trouble, Trouble::GoAway { .. }) {
                self.seen.insert(trouble.clone());
                return Poll::Ready(trouble);
            }
        }
        let end = ready!(end)
            .as_ref()
            .map_or_else(Trouble::of_h2, |()| Trouble::Closed);
        Poll::Ready(self.seen.first().unwrap_or(end))
    }
}

/// Makes calls on a connection, as a service for tonic's clients.
#[derive(Clone)]
pub(crate) struct Wire {
    send: SendRequest<Bytes>,
    seen: Seen,
}

impl Service<Request<tonic::body::Body>> for Wire {
    type Response = Response<Answer>;
    type Error = StdError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, StdError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let Self { send, seen } = self.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            parts
                .headers
                .insert(USER_AGENT, HeaderValue::from_static(AGENT));
            let body = body.collect().await?.to_bytes();
            let noted = |error: h2::Error| {
                seen.note(Trouble::of_h2(&error));
                error
            };
            let mut send = send.ready().await.map_err(noted)?;
            let request = Request::from_parts(parts, ());
            let (answer, mut stream) = send.send_request(request, false).map_err(noted)?;
            stream.send_data(body, true).map_err(noted)?;
            let answer = answer.await.map_err(noted)?;
            Ok(answer.map(|stream| Answer {
                stream,
                seen,
                data: true,
            }))
        })
    }
}

/// The body of an answer.
pub(crate) struct Answer {
    stream: RecvStream,
    seen: Seen,
    data: bool,
}

impl Answer {
    fn noted<T>(&self, result: Result<T, h2::Error>) -> Result<T, h2::Error> {
        if let Err(error) = &result {
            self.seen.note(Trouble::of_h2(error));
        }
        result
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if self.data {
            if let Some(data) = ready!(self.stream.poll_data(cx)) {
                let data = self.noted(data).and_then(|data| {
                    self.stream.flow_control().release_capacity(data.len())?;
                    Ok(Frame::data(data))
                });
                return Poll::Ready(Some(data));
            }
            self.data = false;
        }
        let trailers = ready!(self.stream.poll_trailers(cx));
        Poll::Ready(
            self.noted(trailers)
                .transpose()
                .map(|map| map.map(Frame::trailers)),
        )
    }
}
