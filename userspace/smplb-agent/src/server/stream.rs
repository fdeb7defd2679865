// SPDX-License-Identifier: MIT OR Apache-2.0
//! One stream of reports.

use std::future::Future;
use std::pin::Pin;
use std::task::{ready, Context, Poll};
use std::time::Duration;

use smplb_orca::OrcaLoadReport;
use tokio::sync::{watch, OwnedSemaphorePermit};
use tokio::time::{interval, Interval, MissedTickBehavior};
use tokio_stream::Stream;
use tonic::Status;

use super::demand::Asked;
use crate::report::Report;

/// The newest report at once and again every interval. A report is made when the transport has
/// room for it, so that none waits and gets old.
pub(super) struct Reports {
    ticks: Interval,
    newest: watch::Receiver<Report>,
    closed: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
    /// Its place among all streams.
    _place: (Asked, OwnedSemaphorePermit),
}

impl Reports {
    pub(super) fn new(
        every: Duration,
        newest: watch::Receiver<Report>,
        closing: watch::Receiver<bool>,
        place: (Asked, OwnedSemaphorePermit),
    ) -> Self {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            ticks,
            newest,
            closed: Box::pin(closed(closing)),
            ended: false,
            _place: place,
        }
    }
}

impl Stream for Reports {
    type Item = Result<OrcaLoadReport, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.closed.as_mut().poll(context).is_ready() {
            self.ended = true;
            return Poll::Ready(Some(Err(Status::unavailable(
                "the agent ends or starts anew",
            ))));
        }
        ready!(self.ticks.poll_tick(context));
        let report = self.newest.borrow().orca();
        Poll::Ready(Some(Ok(report)))
    }
}

/// Ends when the server does.
pub(super) async fn closed(mut closing: watch::Receiver<bool>) {
    // An error is that nobody is there any more to say so.
    let _ = closing.wait_for(|closing| *closing).await;
}
