// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl service` against bytes.

use std::net::Ipv4Addr;

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::attr::Attributes;
use smplb_nl::Command as Netlink;

fn service(port: u16) -> Service {
    Service {
        protocol: Some(6),
        addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
        port: Some(port),
        scheduler: Some(Scheduler::Wrr),
        mode: Some(Mode::Other(9)),
        timeout: Some(900),
        announce: Some(0),
        id: Some(1),
        generation: Some(2),
        packets: Some(3),
        bytes: Some(4),
        connections: Some(5),
        slots: Some(6),
    }
}

#[test]
fn a_table() {
    let mut bench = Bench::default();
    bench
        .kernel()
        .list(Netlink::ServiceGet, &[service(443), service(80)]);
    assert_eq!(
        bench.run("service list").unwrap(),
        "\
SERVICE            SCHEDULER  MODE       TIMEOUT  ANNOUNCE  CONNECTIONS  PACKETS  BYTES
tcp:192.0.2.1:80   wrr        unknown-9      900  no                  5        3      4
tcp:192.0.2.1:443  wrr        unknown-9      900  no                  5        3      4
"
    );
}

#[test]
fn json() {
    let mut bench = Bench::default();
    bench.kernel().list(Netlink::ServiceGet, &[service(80)]);
    let json = bench.run("-j service list").unwrap();
    assert_eq!(
        json,
        "[{\"service\":\"tcp:192.0.2.1:80\",\"protocol\":\"tcp\",\"addr\":\"192.0.2.1\",\
         \"port\":80,\"scheduler\":\"wrr\",\"mode\":\"unknown-9\",\"timeout\":900,\
         \"announce\":false,\"id\":1,\"generation\":2,\"packets\":3,\"bytes\":4,\
         \"connections\":5,\"slots\":6}]\n"
    );
    assert_eq!(keys_of(&json), documented(LIST_AFTER));
}

#[test]
fn only_what_is_given_is_sent() {
    for (line, wanted) in [
        (
            "service add udp:192.0.2.1:0",
            Service {
                protocol: Some(17),
                ..key(0)
            },
        ),
        (
            "service add tcp:192.0.2.1:80 --scheduler lc --mode dr --timeout 5 --no-announce",
            Service {
                scheduler: Some(Scheduler::Lc),
                mode: Some(Mode::Dr),
                timeout: Some(5),
                announce: Some(0),
                ..key(80)
            },
        ),
        (
            "service set tcp:192.0.2.1:80 --announce",
            Service {
                announce: Some(1),
                ..key(80)
            },
        ),
        ("service del tcp:192.0.2.1:80", key(80)),
    ] {
        let mut bench = Bench::default();
        bench.kernel().acknowledge();
        assert_eq!(bench.run(line).unwrap(), "");
        assert_eq!(
            Service::decode(bench.kernel().attributes(0)).unwrap(),
            wanted,
            "{line}"
        );
    }
}

fn key(port: u16) -> Service {
    let addr = Some(Ipv4Addr::new(192, 0, 2, 1));
    Service {
        protocol: Some(6),
        addr,
        port: Some(port),
        ..Service::default()
    }
}

#[test]
fn each_verb_has_its_command() {
    let mut bench = Bench::default();
    for verb in ["add", "set", "del"] {
        bench.kernel().acknowledge();
        let option = if verb == "set" { "--mode nat" } else { "" };
        bench
            .run(&format!("service {verb} tcp:192.0.2.1:80 {option}"))
            .unwrap();
    }
    let wanted = [
        Netlink::ServiceNew,
        Netlink::ServiceSet,
        Netlink::ServiceDel,
    ];
    assert_eq!(bench.commands(), wanted.map(|command| command as u8));
}

#[test]
fn refusals_name_the_service_and_the_reason() {
    for (line, offset, wanted) in [
        (
            "service add tcp:224.0.0.1:80",
            28,
            "cannot add service tcp:224.0.0.1:80: a reason (addr)",
        ),
        (
            "service set tcp:1.2.3.4:80 --timeout 0",
            44,
            "cannot set service tcp:1.2.3.4:80: a reason (timeout)",
        ),
        (
            "service del tcp:1.2.3.4:80",
            4,
            "cannot delete service tcp:1.2.3.4:80: a reason",
        ),
    ] {
        let mut bench = Bench::default();
        bench.kernel().refuse(22, "a reason", Some(offset));
        assert_eq!(bench.run(line).unwrap_err(), wanted);
    }
}
