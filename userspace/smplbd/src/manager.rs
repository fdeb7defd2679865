// SPDX-License-Identifier: MIT OR Apache-2.0
//! The resource manager: follows the load and the health of every backend, one task each, and
//! hands what they tell to the control loop.
//!
//! Nothing here can grow: a follower that is not heard drops what it has to say, and a control loop
//! that is busy makes followers wait.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use smplb_probe::check::Check;
use smplb_probe::{agent_check, check, orca, Event, Target};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::config::{self, Load};
use crate::key::{BackendKey, ServiceKey};

/// Events of one follower that wait for the control loop.
const WAITING: usize = 8;
/// News of all followers that wait for the control loop.
pub const QUEUE: usize = 1024;

/// What a follower follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The load, told by an agent.
    Load,
    /// The health, found by checks.
    Health,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Health => "check",
        })
    }
}

/// A follower's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The service.
    pub service: ServiceKey,
    /// Its backend.
    pub backend: BackendKey,
    /// What of it.
    pub part: Part,
}

/// What a follower tells.
#[derive(Debug)]
pub struct News {
    /// Whose news.
    pub place: Place,
    /// The follower's number: a follower that was stopped may still have news under way.
    pub number: u64,
    /// What.
    pub event: Event,
}

/// How a place is followed.
#[derive(Clone, Debug, PartialEq)]
pub enum Spec {
    /// A stream of reports, asked for every so often.
    Orca(Target, Duration),
    /// A line now and then.
    AgentCheck {
        /// `HOST:PORT`.
        addr: String,
        /// Between two lines.
        every: Duration,
        /// What is said first.
        send: Option<String>,
    },
    /// Health checks.
    Check(Check, SocketAddr),
}

type Following = Pin<Box<dyn Future<Output = ()> + Send>>;
type Start = Box<dyn Fn(Spec, mpsc::Sender<Event>) -> Following + Send>;

/// All followers.
pub struct Manager {
    running: BTreeMap<Place, Running>,
    started: u64,
    tell: mpsc::Sender<News>,
    start: Start,
}

struct Running {
    spec: Spec,
    number: u64,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Manager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<_> = self.running.keys().collect();
        f.debug_tuple("Manager").field(&places).finish()
    }
}

impl Manager {
    /// Followers that ask servers.
    pub fn new(tell: mpsc::Sender<News>) -> Self {
        Self::with(tell, |spec, events| match spec {
            Spec::Orca(target, interval) => Box::pin(orca::follow(target, interval, events)),
            Spec::AgentCheck { addr, every, send } => {
                Box::pin(agent_check::follow(addr, every, send, events))
            }
            Spec::Check(check, target) => Box::pin(check::follow(check, target, events)),
        })
    }

    /// Followers of the caller's own making.
    pub fn with(
        tell: mpsc::Sender<News>,
        start: impl Fn(Spec, mpsc::Sender<Event>) -> Following + Send + 'static,
    ) -> Self {
        Self {
            running: BTreeMap::new(),
            started: 0,
            tell,
            start: Box::new(start),
        }
    }

    /// Follows what the configuration says: what is not in it is no longer followed, what is
    /// followed otherwise starts anew, and the rest goes on undisturbed.
    pub fn follow(&mut self, services: &[config::Service]) {
        let wanted: BTreeMap<_, _> = services.iter().flat_map(specs).collect();
        self.running
            .retain(|place, running| wanted.get(place) == Some(&running.spec));
        for (place, spec) in wanted {
            if !self.running.contains_key(&place) {
                self.start(place, spec);
            }
        }
    }

    /// Starts again what has ended by a fault.
    pub fn mend(&mut self) {
        let ended = self.running.iter();
        let ended = ended.filter(|(_, running)| running.task.is_finished());
        let ended: Vec<_> = ended
            .map(|(place, running)| (*place, running.spec.clone()))
            .collect();
        for (place, spec) in ended {
            let Place {
                service,
                backend,
                part,
            } = place;
            tracing::error!(%service, %backend, %part, "a follower ended: it is started again");
            self.start(place, spec);
        }
    }

    /// Whether news are of a follower that still follows.
    pub fn is_current(&self, news: &News) -> bool {
        let running = self.running.get(&news.place);
        running.is_some_and(|running| running.number == news.number)
    }

    /// Whether there is a follower.
    pub fn follows(&self, place: &Place) -> bool {
        self.running.contains_key(place)
    }

    fn start(&mut self, place: Place, spec: Spec) {
        self.started += 1;
        let number = self.started;
        let (events, mut heard) = mpsc::channel(WAITING);
        let following = (self.start)(spec.clone(), events);
        let tell = self.tell.clone();
        let forward = async move {
            while let Some(event) = heard.recv().await {
                let news = News {
                    place,
                    number,
                    event,
                };
                if tell.send(news).await.is_err() {
                    return;
                }
            }
        };
        let task = tokio::spawn(async move {
            tokio::select! {
                () = following => {}
                () = forward => {}
            }
        });
        let running = Running { spec, number, task };
        self.running.insert(place, running);
    }
}

/// How the backends of a service are followed.
fn specs(service: &config::Service) -> impl Iterator<Item = (Place, Spec)> + '_ {
    let interval = service.interval();
    service.backends.iter().flat_map(move |backend| {
        let place = |part| Place {
            service: service.key,
            backend: backend.key,
            part,
        };
        let load = backend.load.as_ref().map(|load| match load {
            Load::Orca(target) => Spec::Orca(target.clone(), interval),
            Load::AgentCheck { addr, send } => Spec::AgentCheck {
                addr: addr.clone(),
                every: interval,
                send: send.clone(),
            },
        });
        let health = service
            .check
            .as_ref()
            .map(|check| Spec::Check(check.clone(), backend.key.socket().into()));
        let load = load.map(|spec| (place(Part::Load), spec));
        let health = health.map(|spec| (place(Part::Health), spec));
        load.into_iter().chain(health)
    })
}

#[cfg(test)]
mod tests;
