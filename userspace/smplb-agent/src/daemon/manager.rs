// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the service manager is told, if there is one.

use std::time::Duration;

use sd_notify::{notify, watchdog_enabled, NotifyState};
use tracing::debug;

use crate::server::Demand;

/// Reports are served.
pub(super) fn ready(demand: &Demand) {
    tell(&[NotifyState::Ready, NotifyState::Status(&words(demand))]);
}

/// The configuration is being read again.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // Newer managers want the time with it.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// Something has changed that people may want to see.
pub(super) fn status(demand: &Demand) {
    tell(&[NotifyState::Status(&words(demand))]);
}

/// The loop turns.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// It ends.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// How often to say that the loop turns: twice in the time that is given for it.
pub(super) fn watchdog() -> Option<Duration> {
    let mut limit = 0;
    (watchdog_enabled(false, &mut limit) && limit > 1).then(|| Duration::from_micros(limit / 2))
}

fn words(demand: &Demand) -> String {
    match demand.smallest() {
        Some(interval) => {
            let (streams, seconds) = (demand.streams(), interval.as_secs_f64());
            format!("{streams} streams of reports, the fastest every {seconds} s")
        }
        None => "no stream of reports".to_owned(),
    }
}

fn tell(state: &[NotifyState]) {
    if let Err(error) = notify(false, state) {
        debug!(%error, "the service manager does not hear");
    }
}
