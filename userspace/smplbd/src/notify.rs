// SPDX-License-Identifier: MIT OR Apache-2.0
//! What systemd is told. Without systemd it goes nowhere.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sd_notify::NotifyState;

type Way = dyn Fn(&[NotifyState<'_>]) + Send + Sync;

/// The way to systemd.
#[derive(Clone)]
pub struct Notify(Arc<Inner>);

struct Inner {
    send: Box<Way>,
    ready: AtomicBool,
    status: Mutex<String>,
    watchdog: Option<Duration>,
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

impl Notify {
    /// To the systemd that started the program, if one did.
    pub fn systemd() -> Self {
        let mut usec = 0;
        let wanted = sd_notify::watchdog_enabled(false, &mut usec);
        let send = |state: &[NotifyState<'_>]| {
            if let Err(error) = sd_notify::notify(false, state) {
                tracing::debug!(%error, "cannot tell systemd");
            }
        };
        Self::new(send, wanted.then_some(Duration::from_micros(usec)))
    }

    /// To a function of the caller's, which is told the watchdog's time too.
    pub fn new(
        send: impl Fn(&[NotifyState<'_>]) + Send + Sync + 'static,
        watchdog: Option<Duration>,
    ) -> Self {
        Self(Arc::new(Inner {
            send: Box::new(send),
            ready: AtomicBool::new(false),
            status: Mutex::default(),
            watchdog,
        }))
    }

    /// The first table was published or taken over.
    pub fn ready(&self) {
        if !self.0.ready.swap(true, Ordering::Relaxed) {
            (self.0.send)(&[NotifyState::Ready]);
        }
    }

    /// A reload begins. systemd 253 and newer insists on the time of it.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => (self.0.send)(&[NotifyState::Reloading, now]),
            Err(_) => (self.0.send)(&[NotifyState::Reloading]),
        }
    }

    /// A reload has ended, well or not: what runs is in order.
    pub fn reloaded(&self) {
        if self.0.ready.load(Ordering::Relaxed) {
            (self.0.send)(&[NotifyState::Ready]);
        }
    }

    /// The line that `systemctl status` shows, if it is another one than before.
    pub fn status(&self, text: String) {
        let mut last = self.0.status.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            (self.0.send)(&[NotifyState::Status(&text)]);
            *last = text;
        }
    }

    /// How often [`Notify::alive`] must be called at least, if systemd watches.
    pub fn watchdog(&self) -> Option<Duration> {
        self.0.watchdog
    }

    /// The control loop goes round.
    pub fn alive(&self) {
        if self.0.watchdog.is_some() {
            (self.0.send)(&[NotifyState::Watchdog]);
        }
    }

    /// The end.
    pub fn stopping(&self) {
        (self.0.send)(&[NotifyState::Stopping]);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What was told, one line a message.
    pub fn recorder(watchdog: Option<Duration>) -> (Notify, Arc<Mutex<Vec<String>>>) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = told.clone();
        let send = move |state: &[NotifyState<'_>]| {
            let words: Vec<_> = state.iter().map(ToString::to_string).collect();
            keep.lock().unwrap().push(words.join("\n"));
        };
        (Notify::new(send, watchdog), told)
    }

    #[test]
    fn a_reload_carries_its_time_and_ends() {
        let (notify, told) = recorder(None);
        notify.reloading();
        // Not ready yet: the end of the reload must not say so.
        notify.reloaded();
        notify.ready();
        notify.ready();
        notify.reloading();
        notify.reloaded();
        let told = told.lock().unwrap();
        let shape: Vec<_> = told.iter().map(|line| line.split('\n').count()).collect();
        assert_eq!(shape, [2, 1, 2, 1]);
        assert!(
            told[0].starts_with("RELOADING=1\nMONOTONIC_USEC="),
            "{told:?}"
        );
        assert_eq!((&*told[1], &*told[3]), ("READY=1", "READY=1"));
    }

    #[test]
    fn a_status_is_told_when_it_changes() {
        let (notify, told) = recorder(None);
        for text in ["a", "a", "b"] {
            notify.status(text.to_owned());
        }
        assert_eq!(*told.lock().unwrap(), ["STATUS=a", "STATUS=b"]);
        // Nobody watches.
        notify.alive();
        assert_eq!(told.lock().unwrap().len(), 2);
    }
}
