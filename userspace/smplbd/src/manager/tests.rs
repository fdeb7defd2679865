// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is started and stopped, and what is heard.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::config::Config;

fn services(text: &str) -> Vec<config::Service> {
    Config::parse("test", text, Path::new("")).unwrap().services
}

const BOTH: &str = "
[[service]]
address = 'tcp:192.0.2.1:80'
[[service.backend]]
address = '10.0.0.1'
load = 'orca:10.0.0.1:9470'
[[service.backend]]
address = '10.0.0.2'
load = 'agent-check:10.0.0.2:5555'
";

type Started = Arc<Mutex<Vec<(Spec, mpsc::Sender<Event>)>>>;

fn manager() -> (Manager, Started, mpsc::Receiver<News>) {
    let started = Started::default();
    let keep = started.clone();
    let (tell, heard) = mpsc::channel(2);
    let manager = Manager::with(tell, move |spec, events| {
        keep.lock().unwrap().push((spec, events.clone()));
        Box::pin(async move {
            let _events = events;
            std::future::pending().await
        })
    });
    (manager, started, heard)
}

#[tokio::test]
async fn a_reload_starts_and_stops_only_what_changed() {
    let (mut manager, started, _heard) = manager();
    manager.follow(&services(BOTH));
    assert_eq!(started.lock().unwrap().len(), 2);
    manager.follow(&services(BOTH));
    assert_eq!(started.lock().unwrap().len(), 2);

    // Another port of the one; the other goes on.
    manager.follow(&services(&BOTH.replace("5555", "5556")));
    assert_eq!(started.lock().unwrap().len(), 3);
    assert_eq!(manager.running.len(), 2);
    let (spec, _) = started.lock().unwrap()[2].clone();
    assert!(matches!(spec, Spec::AgentCheck { addr, .. } if addr == "10.0.0.2:5556"));

    manager.follow(&[]);
    assert!(manager.running.is_empty());
    assert_eq!(started.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn news_of_a_stopped_follower_are_not_current() {
    let (mut manager, started, mut heard) = manager();
    manager.follow(&services(BOTH));
    let events = started.lock().unwrap()[0].1.clone();
    events
        .try_send(Event::Report(smplb_master::Report::default()))
        .unwrap();
    let news = heard.recv().await.unwrap();
    assert!(manager.is_current(&news));
    manager.follow(&services(&BOTH.replace("9470", "9471")));
    assert!(!manager.is_current(&news));
}

#[tokio::test]
async fn a_control_loop_that_does_not_listen_bounds_the_queue() {
    let (mut manager, started, mut heard) = manager();
    manager.follow(&services(BOTH));
    let events = started.lock().unwrap()[0].1.clone();
    let mut sent = 0;
    for _ in 0..1000 {
        let event = Event::Report(smplb_master::Report::default());
        sent += usize::from(events.try_send(event).is_ok());
        tokio::task::yield_now().await;
    }
    // Those that wait here, those that wait for the loop, and the one on its way.
    assert!((3..=WAITING + 3).contains(&sent), "{sent}");
    for _ in 0..sent {
        heard.recv().await.unwrap();
    }
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn a_follower_that_ended_is_started_again() {
    let (tell, _heard) = mpsc::channel(1);
    let count = Arc::new(Mutex::new(0));
    let counted = count.clone();
    let mut manager = Manager::with(tell, move |_, _| {
        *counted.lock().unwrap() += 1;
        Box::pin(async { panic!("a fault of the test's") })
    });
    manager.follow(&services(
        &BOTH[..BOTH
            .find("[[service.backend]]\naddress = '10.0.0.2'")
            .unwrap()],
    ));
    assert_eq!(*count.lock().unwrap(), 1);
    while !manager
        .running
        .values()
        .all(|running| running.task.is_finished())
    {
        tokio::task::yield_now().await;
    }
    manager.mend();
    assert_eq!(*count.lock().unwrap(), 2);
}
