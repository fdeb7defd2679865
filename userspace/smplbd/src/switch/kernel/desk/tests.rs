// SPDX-License-Identifier: MIT OR Apache-2.0
//! What goes to the kernel, and what becomes of its answers.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;

use smplb_nl::attr::Attributes;
use smplb_nl::fake::Fake;
use smplb_nl::{Command, Generation, Mode, Pool, Scheduler, Stats};

use super::*;

type Shared = Rc<RefCell<Fake>>;

fn service() -> ServiceKey {
    "tcp:192.0.2.1:80".parse().unwrap()
}

fn backend(last: u8) -> BackendKey {
    BackendKey::parse(&format!("10.0.0.{last}"), 80).unwrap()
}

fn configuration_of(kernel: &Shared, generation: u64) {
    let mut kernel = kernel.borrow_mut();
    let active = Some(generation);
    let generation = Generation {
        active,
        ..Generation::default()
    };
    kernel.reply(Command::GenerationGet, &generation);
    let services = [("192.0.2.1", Mode::Dr), ("192.0.2.9", Mode::Nat)];
    let services = services.map(|(addr, mode)| smplb_nl::Service {
        protocol: Some(6),
        addr: addr.parse().ok(),
        port: Some(80),
        scheduler: Some(Scheduler::Wrr),
        mode: Some(mode),
        timeout: Some(77),
        announce: Some(0),
        ..smplb_nl::Service::default()
    });
    kernel.list(Command::ServiceGet, &services);
    let backends = [
        ("192.0.2.1", 1, 10),
        ("192.0.2.1", 2, 20),
        ("192.0.2.9", 3, 30),
    ];
    let backends = backends.map(|(vip, last, weight)| smplb_nl::Backend {
        service: Some(
            ServiceKey {
                addr: vip.parse().unwrap(),
                ..service()
            }
            .def(),
        ),
        addr: Some(Ipv4Addr::new(10, 0, 0, last)),
        port: Some(80),
        weight: Some(weight),
        active: Some(weight.into()),
        ..smplb_nl::Backend::default()
    });
    kernel.list(Command::BackendGet, &backends);
}

fn whole(kernel: &Shared, generation: u64) {
    configuration_of(kernel, generation);
    let mut kernel = kernel.borrow_mut();
    kernel.list::<smplb_nl::Engine>(Command::EngineGet, &[]);
    kernel.list::<smplb_nl::Port>(Command::PortGet, &[]);
    let connections = Some(9);
    kernel.reply(
        Command::StatsGet,
        &Stats {
            connections,
            ..Stats::default()
        },
    );
    kernel.reply(Command::PoolGet, &Pool::default());
}

fn done(kernel: &Shared, generation: u64) {
    let done = Config {
        generation: Some(generation),
        slots_moved: Some(5),
        ..Config::default()
    };
    kernel.borrow_mut().reply(Command::ConfigApply, &done);
}

fn desk(kernel: &Shared) -> Desk<Shared, impl FnMut() -> smplb_nl::Result<Client<Shared>>> {
    let kernel = kernel.clone();
    Desk::new(move || Client::over(kernel.clone()))
}

fn weights(request: &Config) -> Vec<(u32, u8, u32)> {
    let each = request.backend.iter().map(|backend| {
        let last = backend.addr.unwrap().octets()[3];
        (backend.service.unwrap(), last, backend.weight.unwrap())
    });
    each.collect()
}

#[test]
fn a_weight_is_changed_and_all_else_is_kept() {
    let kernel = Shared::default();
    whole(&kernel, 7);
    done(&kernel, 8);
    let mut desk = desk(&kernel);
    let state = desk.read().unwrap();
    assert_eq!((state.generation, state.connections), (7, 9));
    assert_eq!(state.backend(service(), backend(2)).unwrap().active, 20);

    let change = Change::SetWeight(service(), backend(2), 500);
    let published = desk.publish(&[change], 7).unwrap();
    assert_eq!(
        published,
        Published {
            generation: 8,
            slots_moved: 5
        }
    );
    let asked = kernel.borrow().asked.len();
    // Six lists and figures were read; then one message, and no more reading.
    assert_eq!(asked, 8);
    let request = Config::decode(kernel.borrow().attributes(asked - 1)).unwrap();
    assert_eq!(request.expect_generation, Some(7));
    assert_eq!(weights(&request), [(0, 1, 10), (0, 2, 500), (1, 3, 30)]);
    let first = &request.service[0];
    assert_eq!(
        (first.mode, first.timeout, first.announce),
        (Some(Mode::Dr), Some(77), Some(0))
    );
    assert!(!request.dry_run);
}

#[test]
fn a_second_publication_builds_on_the_first() {
    let kernel = Shared::default();
    whole(&kernel, 7);
    done(&kernel, 8);
    done(&kernel, 9);
    let mut desk = desk(&kernel);
    desk.read().unwrap();
    desk.publish(&[Change::SetWeight(service(), backend(1), 1)], 7)
        .unwrap();
    desk.publish(&[Change::RemoveBackend(service(), backend(2))], 8)
        .unwrap();
    let asked = kernel.borrow().asked.len();
    let request = Config::decode(kernel.borrow().attributes(asked - 1)).unwrap();
    assert_eq!(request.expect_generation, Some(8));
    assert_eq!(weights(&request), [(0, 1, 1), (1, 3, 30)]);
}

#[test]
fn a_generation_of_somebody_else_is_a_conflict() {
    let kernel = Shared::default();
    whole(&kernel, 7);
    let mut desk = desk(&kernel);
    desk.read().unwrap();
    let change = [Change::SetWeight(service(), backend(1), 1)];
    // The kernel finds it ...
    kernel
        .borrow_mut()
        .refuse(STALE, "another generation is active", None);
    assert_eq!(desk.publish(&change, 7), Err(SwitchError::Conflict(7)));
    // ... or the reading before a change whose generation is not the known one.
    configuration_of(&kernel, 8);
    assert_eq!(desk.publish(&change, 7), Err(SwitchError::Conflict(7)));
}

#[test]
fn a_refusal_is_told_in_the_kernels_words() {
    let kernel = Shared::default();
    whole(&kernel, 7);
    let mut desk = desk(&kernel);
    desk.read().unwrap();
    kernel
        .borrow_mut()
        .refuse(28, "no room for more slots", None);
    let error = desk.publish(&[Change::SetWeight(service(), backend(1), 1)], 7);
    assert_eq!(
        error,
        Err(SwitchError::Refused("no room for more slots".to_owned()))
    );
}

#[test]
fn a_kernel_that_went_is_connected_to_again() {
    let kernel = Shared::default();
    let mut desk = desk(&kernel);
    // No answer is there: the socket fails.
    assert!(matches!(desk.read(), Err(SwitchError::Unavailable(_))));
    whole(&kernel, 3);
    assert_eq!(desk.read().unwrap().generation, 3);
}
