// SPDX-License-Identifier: MIT OR Apache-2.0
//! Configurations against switches.

use super::*;
use crate::switch::Backend;

fn web() -> ServiceKey {
    "tcp:192.0.2.1:80".parse().unwrap()
}

fn server(last: u8) -> BackendKey {
    BackendKey::parse(&format!("10.0.0.{last}"), 80).unwrap()
}

/// Servers 1, 2, ... with their configured and their known weight.
fn wanted(backends: &[(u32, Option<u32>)]) -> Wanted {
    let backend = |(at, (configured, known)): (usize, &(u32, Option<u32>))| {
        let backend = WantedBackend {
            configured: *configured,
            known: *known,
        };
        (server(at as u8 + 1), backend)
    };
    Wanted {
        key: web(),
        definition: Definition {
            timeout: Some(5),
            ..Definition::default()
        },
        backends: backends.iter().enumerate().map(backend).collect(),
    }
}

fn switch(backends: &[(u8, u32)]) -> State {
    let backends = backends.iter().map(|(last, weight)| {
        let weight = *weight;
        (
            server(*last),
            Backend {
                weight,
                ..Backend::default()
            },
        )
    });
    let service = Service {
        backends: backends.collect(),
        ..Service::default()
    };
    State {
        services: [(web(), service)].into(),
        ..State::default()
    }
}

#[test]
fn an_empty_switch_gets_everything() {
    let wanted = wanted(&[(10, None), (0, None)]);
    let plan = service(&wanted, &State::default());
    assert_eq!(
        plan.changes,
        [
            Change::AddService(web(), wanted.definition),
            Change::AddBackend(web(), server(1), 10),
            Change::AddBackend(web(), server(2), 0),
        ]
    );
    assert_eq!(plan.notices, [Notice::NewService(web())].into());
    assert!(!plan.notices.first().unwrap().is_warning());
}

#[test]
fn a_running_switch_is_taken_over_unchanged() {
    let plan = service(
        &wanted(&[(1, None), (1, None)]),
        &switch(&[(1, 700), (2, 1300)]),
    );
    assert_eq!(plan.changes, []);
    assert_eq!(plan.adopt, [(server(1), 700), (server(2), 1300)].into());
    assert!(plan.notices.is_empty());
}

#[test]
fn nothing_is_done_when_all_is_as_it_was_published() {
    let wanted = wanted(&[(1, Some(700)), (1, Some(1300))]);
    let plan = service(&wanted, &switch(&[(1, 700), (2, 1300)]));
    assert_eq!(plan, Plan::default());
}

#[test]
fn what_was_deleted_comes_back_with_its_weight() {
    let wanted = wanted(&[(1, Some(700)), (1, Some(1300))]);
    let plan = service(&wanted, &switch(&[(1, 700)]));
    assert_eq!(plan.changes, [Change::AddBackend(web(), server(2), 1300)]);
    assert_eq!(plan.notices, [Notice::LostBackend(web(), server(2))].into());

    let plan = service(&wanted, &State::default());
    assert_eq!(plan.notices, [Notice::LostService(web())].into());
    assert!(plan.notices.first().unwrap().is_warning());
    assert_eq!(
        plan.changes[1..],
        [
            Change::AddBackend(web(), server(1), 700),
            Change::AddBackend(web(), server(2), 1300),
        ]
    );
}

#[test]
fn a_new_backend_has_a_weight_in_the_unit_of_the_others() {
    // Weight 2 in the file is 1,000 in the switch, so 1 is 500.
    let plan = service(
        &wanted(&[(2, Some(900)), (2, Some(1100)), (1, None)]),
        &switch(&[(1, 900), (2, 1100)]),
    );
    assert_eq!(plan.changes, [Change::AddBackend(web(), server(3), 500)]);
    // One that is drained in the file says nothing of the unit, and gets no connections.
    let plan = service(&wanted(&[(2, Some(900)), (0, None)]), &switch(&[(1, 900)]));
    assert_eq!(plan.changes, [Change::AddBackend(web(), server(2), 0)]);
}

#[test]
fn a_weight_of_somebody_else_is_set_back() {
    let plan = service(&wanted(&[(1, Some(700))]), &switch(&[(1, 3)]));
    assert_eq!(plan.changes, [Change::SetWeight(web(), server(1), 700)]);
    assert_eq!(
        plan.notices,
        [Notice::OtherWeight(web(), server(1), 3)].into()
    );
}

#[test]
fn what_belongs_to_others_is_left_alone() {
    let mut state = switch(&[(1, 700), (9, 5)]);
    let other = ServiceKey { port: 81, ..web() };
    state.services.insert(other, Service::default());
    let plan = service(&wanted(&[(1, Some(700))]), &state);
    assert_eq!(plan.changes, []);
    assert_eq!(plan.notices, [Notice::Foreign(web(), server(9))].into());
}

#[test]
fn what_a_reload_took_out_is_deleted_once() {
    let other = ServiceKey { port: 81, ..web() };
    let mut state = switch(&[(1, 700), (2, 5)]);
    state.services.insert(other, Service::default());
    let gone = [
        Gone::Backend(web(), server(2)),
        Gone::Backend(web(), server(3)),
        Gone::Service(other),
    ]
    .into();
    let changes = leftovers(&gone, &state);
    assert_eq!(
        changes,
        [
            Change::RemoveService(other),
            Change::RemoveBackend(web(), server(2)),
        ]
    );
    for change in &changes {
        state.change(change);
    }
    assert_eq!(leftovers(&gone, &state), []);
}
