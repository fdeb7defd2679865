// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tests of servers.

use super::*;

fn depart(server: &mut Server, next: Next) -> (Vec<Done>, Option<Next>) {
    let mut over = Vec::new();
    let after = server.depart(next.at, next, &mut over);
    (over, after)
}

#[test]
fn first_come_first_served() {
    let mut server = Server::new(Plan::of_speed(2.0), f64::INFINITY);
    let first = server.arrive(0.0, 4.0).unwrap();
    assert_eq!(first.at, 2.0);
    assert_eq!(server.arrive(1.0, 2.0), None);
    assert_eq!(server.open(), 2);
    let (over, second) = depart(&mut server, first);
    assert_eq!((over[0].wait, over[0].response), (0.0, 2.0));
    let (over, none) = depart(&mut server, second.unwrap());
    assert_eq!((over[0].wait, over[0].response), (1.0, 2.0));
    assert_eq!((none, server.open()), (None, 0));
    let totals = server.totals(10.0);
    assert_eq!((totals.busy, totals.answered), (3.0, 2));
    assert_eq!(totals.response, 4.0);
}

#[test]
fn a_change_of_speed_moves_the_departure() {
    let mut server = Server::new(Plan::of_speed(1.0), f64::INFINITY);
    let old = server.arrive(0.0, 4.0).unwrap();
    let new = server.set_speed(1.0, 0.5)[0];
    assert_eq!(new.at, 7.0);
    assert_eq!(depart(&mut server, old), (vec![], None));
    assert_eq!(server.open(), 1);
    assert_eq!(depart(&mut server, new).0[0].response, 7.0);
}

#[test]
fn the_queue_drops_what_is_too_late() {
    let mut server = Server::new(Plan::of_speed(1.0), 5.0);
    let first = server.arrive(0.0, 7.0).unwrap();
    assert!(server.arrive(1.0, 1.0).is_none() && server.arrive(6.0, 1.0).is_none());
    let (over, next) = depart(&mut server, first);
    let late: Vec<_> = over.iter().map(|done| (done.response, done.late)).collect();
    assert_eq!(late, [(5.0, true), (5.0, true)]);
    assert_eq!(next.unwrap().at, 8.0);
    assert_eq!(server.totals(8.0).errors, 2);
}

#[test]
fn several_workers() {
    let plan = Plan {
        speed: 1.0,
        workers: 2,
    };
    let mut server = Server::new(plan, f64::INFINITY);
    let one = server.arrive(0.0, 3.0).unwrap();
    let two = server.arrive(0.0, 1.0).unwrap();
    assert!(one.worker != two.worker && server.arrive(0.0, 1.0).is_none());
    let (over, three) = depart(&mut server, two);
    assert_eq!((over.len(), three.unwrap().at), (1, 2.0));
    depart(&mut server, three.unwrap());
    assert_eq!(server.totals(2.0).busy, 4.0);
}

#[test]
fn errors_and_death() {
    let mut server = Server::new(Plan::of_speed(1.0), f64::INFINITY);
    server.refuse();
    let next = server.arrive(0.0, 1.0).unwrap();
    assert_eq!(server.open(), 2);
    assert_eq!(server.refused(0.5, 0.0).response, 0.5);
    assert_eq!((server.open(), server.crash(0.6)), (1, 1));
    assert_eq!(depart(&mut server, next), (vec![], None));
    assert_eq!(server.totals(1.0).errors, 1);
}
