// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl backend` against bytes.

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::attr::Attributes;
use smplb_nl::{Command as Netlink, ServiceDef};

fn service() -> ServiceDef {
    let addr = Some(Ipv4Addr::new(192, 0, 2, 1));
    ServiceDef {
        protocol: Some(6),
        addr,
        port: Some(80),
        ..ServiceDef::default()
    }
}

fn backend(last: u8) -> Backend {
    Backend {
        service: Some(service()),
        addr: Some(Ipv4Addr::new(10, 0, 0, last)),
        port: Some(8080),
        weight: Some(5),
        id: Some(1),
        packets: Some(2),
        bytes: Some(3),
        connections: Some(4),
        active: Some(5),
        reply_packets: Some(6),
        reply_bytes: Some(7),
    }
}

#[test]
fn a_table() {
    let mut bench = Bench::default();
    bench
        .kernel()
        .list(Netlink::BackendGet, &[backend(10), backend(9)]);
    assert_eq!(
        bench.run("backend list").unwrap(),
        "\
SERVICE           BACKEND         WEIGHT  ACTIVE  CONNECTIONS  PACKETS  BYTES  REPLY-PACKETS  REPLY-BYTES
tcp:192.0.2.1:80  10.0.0.9:8080        5       5            4        2      3              6            7
tcp:192.0.2.1:80  10.0.0.10:8080       5       5            4        2      3              6            7
"
    );
    assert!(bench.kernel().attributes(0).is_empty());
}

#[test]
fn json() {
    let mut bench = Bench::default();
    bench.kernel().list(Netlink::BackendGet, &[backend(1)]);
    let json = bench.run("backend list -j").unwrap();
    assert_eq!(
        json,
        "[{\"service\":\"tcp:192.0.2.1:80\",\"addr\":\"10.0.0.1\",\"port\":8080,\"weight\":5,\
         \"id\":1,\"packets\":2,\"bytes\":3,\"connections\":4,\"active\":5,\
         \"reply_packets\":6,\"reply_bytes\":7}]\n"
    );
    assert_eq!(keys_of(&json), documented(LIST_AFTER));
}

#[test]
fn the_list_of_one_service_is_asked_for() {
    let mut bench = Bench::default();
    bench.kernel().list::<Backend>(Netlink::BackendGet, &[]);
    bench.run("backend list tcp:192.0.2.1:80").unwrap();
    let asked = Backend::decode(bench.kernel().attributes(0)).unwrap();
    assert_eq!(
        asked,
        Backend {
            service: Some(service()),
            ..Backend::default()
        }
    );

    bench.kernel().refuse(2, "no such service", Some(20));
    let error = bench.run("backend list tcp:192.0.2.1:80").unwrap_err();
    let wanted = "cannot list backends of service tcp:192.0.2.1:80: no such service (service)";
    assert_eq!(error, wanted);
}

#[test]
fn only_what_is_given_is_sent() {
    let key = |port| Backend {
        service: Some(service()),
        addr: Some(Ipv4Addr::new(10, 0, 0, 1)),
        port,
        ..Backend::default()
    };
    for (line, command, wanted) in [
        (
            "add tcp:192.0.2.1:80 10.0.0.1",
            Netlink::BackendNew,
            key(None),
        ),
        (
            "add tcp:192.0.2.1:80 10.0.0.1:81 --weight 65536",
            Netlink::BackendNew,
            Backend {
                weight: Some(65_536),
                ..key(Some(81))
            },
        ),
        (
            "set tcp:192.0.2.1:80 10.0.0.1:81 --weight 0",
            Netlink::BackendSet,
            Backend {
                weight: Some(0),
                ..key(Some(81))
            },
        ),
        (
            "del tcp:192.0.2.1:80 10.0.0.1:81",
            Netlink::BackendDel,
            key(Some(81)),
        ),
    ] {
        let mut bench = Bench::default();
        bench.kernel().acknowledge();
        assert_eq!(bench.run(&format!("backend {line}")).unwrap(), "");
        assert_eq!(
            Backend::decode(bench.kernel().attributes(0)).unwrap(),
            wanted,
            "{line}"
        );
        assert_eq!(bench.commands(), [command as u8]);
    }
}

#[test]
fn a_refusal_names_both() {
    let mut bench = Bench::default();
    bench.kernel().refuse(17, "backend exists", Some(20 + 28));
    let error = bench
        .run("backend add tcp:192.0.2.1:80 10.0.0.1:81")
        .unwrap_err();
    let wanted =
        "cannot add backend 10.0.0.1:81 of service tcp:192.0.2.1:80: backend exists (addr)";
    assert_eq!(error, wanted);
}
