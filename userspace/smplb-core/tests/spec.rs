// SPDX-License-Identifier: MIT OR Apache-2.0

//! The numbers and names of the core are those of the netlink specification.

use smplb_core::connection::tcp_state::State;
use smplb_core::verdict::DropReason;

const SPEC: &str = include_str!("../../../Documentation/netlink/specs/smplb.yaml");

/// The names of the entries of an enum of the specification, in order.
fn entries(name: &str) -> Vec<&'static str> {
    let (_, rest) = SPEC
        .split_once(&format!("    name: {name}\n"))
        .expect("the enum is there");
    let end = rest.find("\n  -\n").unwrap_or(rest.len());
    let body = &rest[..end];
    if let Some((_, list)) = body.split_once("entries: [") {
        let (list, _) = list.split_once(']').expect("the list ends");
        return list.split(',').map(str::trim).collect();
    }
    body.lines()
        .filter_map(|line| line.trim().strip_prefix("name: "))
        .collect()
}

#[test]
fn drop_reasons() {
    let names: Vec<_> = DropReason::ALL.iter().map(|reason| reason.name()).collect();
    assert_eq!(names, entries("drop-reason"));
}

#[test]
fn connection_states() {
    let states = [
        State::None,
        State::SynSent,
        State::SynRecv,
        State::Established,
        State::FinWait,
        State::TimeWait,
        State::Close,
    ];
    assert_eq!(states.len(), State::COUNT);
    let names: Vec<_> = states.iter().map(|state| state.name()).collect();
    assert_eq!(names, entries("connection-state"));
}
