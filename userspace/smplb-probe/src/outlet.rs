// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a follower's events go out.

use std::future::Future;

use tokio::sync::mpsc::Sender;

use crate::{Event, Trouble};

/// Where a follower's events go out.
pub(crate) struct Outlet(Sender<Event>);

impl Outlet {
    /// Tells `event`, unless the listener is behind.
    pub(crate) fn offer(&self, event: Event) {
        if self.0.try_send(event).is_err() {
            tracing::debug!("the listener is behind: an event was left out");
        }
    }

    /// Tells `trouble`, unless the listener is behind.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.offer(Event::Trouble(trouble));
    }

    /// Tells `event` when the listener has a place for it.
    pub(crate) async fn tell(&self, event: Event) {
        // It fails when nobody listens any more, and then the follower ends anyway.
        let _ = self.0.send(event).await;
    }
}

/// Runs a follower for as long as somebody listens.
pub(crate) async fn while_heard<F>(events: Sender<Event>, follow: impl FnOnce(Outlet) -> F)
where
    F: Future<Output = ()>,
{
    let follow = follow(Outlet(events.clone()));
    tokio::select! {
        () = events.closed() => {}
        () = follow => {}
    }
}
