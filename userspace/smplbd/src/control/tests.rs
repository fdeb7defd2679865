// SPDX-License-Identifier: MIT OR Apache-2.0
//! The loop against a switch in memory, with followers that say what a test tells them to. Time is
//! simulated.

mod faults;
mod loads;
mod reloads;

use std::path::Path;
use std::sync::Mutex;

use smplb_master::Report;
use smplb_probe::Event;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::*;
use crate::config::Config;
use crate::key::BackendKey;
use crate::manager::{Part, Spec, QUEUE};
use crate::notify::tests::recorder;
use crate::switch::memory::Memory;
use crate::switch::{Backend, Change};

type Followers = Arc<Mutex<Vec<(Spec, mpsc::Sender<Event>)>>>;

struct Bench {
    switch: Memory,
    followers: Followers,
    told: Arc<Mutex<Vec<String>>>,
    board: Board,
    orders: mpsc::Sender<Command>,
    control: JoinHandle<()>,
}

impl Bench {
    fn new(text: &str, state: State) -> Self {
        let switch = Memory::new(state);
        let followers = Followers::default();
        let keep = followers.clone();
        let (tell, news) = mpsc::channel(QUEUE);
        let manager = Manager::with(tell, move |spec, events| {
            keep.lock().unwrap().push((spec, events.clone()));
            Box::pin(async move {
                let _events = events;
                std::future::pending().await
            })
        });
        let (notify, told) = recorder(Some(Duration::from_secs(4)));
        let board = Board::default();
        let control = Control::new(
            Arc::new(switch.clone()),
            manager,
            notify,
            board.clone(),
            &services(text),
        );
        let (orders, commands) = mpsc::channel(1);
        Self {
            switch,
            followers,
            told,
            board,
            orders,
            control: tokio::spawn(control.run(news, commands)),
        }
    }

    /// The follower that was started last for a server.
    fn follower(&self, last: u8, part: Part) -> mpsc::Sender<Event> {
        let followers = self.followers.lock().unwrap();
        let ours = followers.iter().rfind(|(spec, _)| match (spec, part) {
            (Spec::Orca(target, _), Part::Load) => target.addr == format!("10.0.0.{last}:9470"),
            (Spec::Check(_, target), Part::Health) => {
                target.ip().to_string() == format!("10.0.0.{last}")
            }
            _ => false,
        });
        ours.unwrap().1.clone()
    }

    fn report(&self, last: u8, rate: f64, utilization: f64) {
        let report = Report {
            rate: Some(rate),
            application: Some(utilization),
            ..Report::default()
        };
        self.event(last, Event::Report(report));
    }

    fn health(&self, last: u8, up: bool) {
        let why = "the test says so".to_owned();
        let events = self.follower(last, Part::Health);
        events.try_send(Event::Health { up, why }).unwrap();
    }

    fn event(&self, last: u8, event: Event) {
        drop(self.follower(last, Part::Load).try_send(event));
    }

    fn weight(&self, service: ServiceKey, last: u8) -> u32 {
        let inner = self.switch.inner();
        inner.state.backend(service, server(last)).unwrap().weight
    }

    fn publications(&self) -> usize {
        self.switch.inner().published.len()
    }

    async fn reload(&self, text: &str) {
        let (done, taken) = oneshot::channel();
        let reload = Command::Reload(services(text), done);
        self.orders.send(reload).await.unwrap();
        taken.await.unwrap();
    }

    fn told(&self, line: &str) -> usize {
        let told = self.told.lock().unwrap();
        told.iter().filter(|told| told.contains(line)).count()
    }
}

fn services(text: &str) -> Vec<Service> {
    Config::parse("test", text, Path::new("")).unwrap().services
}

fn web() -> ServiceKey {
    "tcp:192.0.2.1:80".parse().unwrap()
}

fn server(last: u8) -> BackendKey {
    BackendKey::parse(&format!("10.0.0.{last}"), 80).unwrap()
}

/// A service with checked and followed servers, each with its weight in the file.
fn file(servers: &[(u8, u32)]) -> String {
    let mut text = "[[service]]\naddress = 'tcp:192.0.2.1:80'\n\
                    [service.check]\ntype = 'tcp'\n"
        .to_owned();
    for (last, weight) in servers {
        text += &format!(
            "[[service.backend]]\naddress = '10.0.0.{last}'\nweight = {weight}\n\
             load = 'orca:10.0.0.{last}:9470'\n"
        );
    }
    text
}

/// A switch that has the service with these weights.
fn switch(weights: &[(u8, u32)]) -> State {
    let backends = weights.iter().map(|(last, weight)| {
        let backend = Backend {
            weight: *weight,
            ..Backend::default()
        };
        (server(*last), backend)
    });
    let service = crate::switch::Service {
        backends: backends.collect(),
        ..crate::switch::Service::default()
    };
    State {
        generation: 7,
        services: [(web(), service)].into(),
        ..State::default()
    }
}

async fn seconds(seconds: f64) {
    sleep(Duration::from_secs_f64(seconds)).await;
}
