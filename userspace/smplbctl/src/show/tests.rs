// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl show` against bytes.

use std::net::Ipv4Addr;

use super::*;
use crate::config::Document;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::{Backend, Command, Generation, Mode, Scheduler, Service, ServiceDef};

fn generation(active: u64) -> Generation {
    Generation {
        active: Some(active),
        ..Generation::default()
    }
}

fn service(port: u16) -> Service {
    Service {
        protocol: Some(6),
        addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
        port: Some(port),
        scheduler: Some(Scheduler::Wrr),
        mode: Some(Mode::Nat),
        timeout: Some(900),
        announce: Some(u8::from(port == 80)),
        ..Service::default()
    }
}

fn backend(service_port: u16, last: u8) -> Backend {
    let Service {
        protocol,
        addr,
        port,
        ..
    } = service(service_port);
    Backend {
        service: Some(ServiceDef {
            protocol,
            addr,
            port,
            ..ServiceDef::default()
        }),
        addr: Some(Ipv4Addr::new(10, 0, 0, last)),
        port: Some(8080),
        weight: Some(u32::from(last)),
        ..Backend::default()
    }
}

fn configuration(bench: &mut Bench, before: u64, after: u64) {
    let mut kernel = bench.kernel();
    kernel.reply(Command::GenerationGet, &generation(before));
    kernel.list(Command::ServiceGet, &[service(443), service(80)]);
    kernel.list(
        Command::BackendGet,
        &[backend(80, 10), backend(443, 1), backend(80, 9)],
    );
    kernel.reply(Command::GenerationGet, &generation(after));
}

#[test]
fn a_tree() {
    let mut bench = Bench::default();
    configuration(&mut bench, 7, 7);
    assert_eq!(
        bench.run("show").unwrap(),
        "\
generation 7
tcp:192.0.2.1:80  scheduler wrr  mode nat  timeout 900
├─ 10.0.0.9:8080   weight 9
└─ 10.0.0.10:8080  weight 10
tcp:192.0.2.1:443  scheduler wrr  mode nat  timeout 900  no-announce
└─ 10.0.0.1:8080  weight 1
"
    );
}

#[test]
fn a_tree_of_two_generations_is_read_again() {
    let mut bench = Bench::default();
    configuration(&mut bench, 7, 8);
    configuration(&mut bench, 8, 8);
    assert!(bench.run("show").unwrap().starts_with("generation 8\n"));
    for _ in 0..TRIES {
        configuration(&mut bench, 1, 2);
    }
    let error = bench.run("show").unwrap_err();
    let wanted = "cannot show the configuration: the list kept changing while it was read";
    assert_eq!(error, wanted);
}

#[test]
fn a_file_that_apply_accepts() {
    let mut bench = Bench::default();
    configuration(&mut bench, 7, 7);
    let text = bench.run("show --toml").unwrap();
    assert!(text.starts_with(
        "\
[[service]]
address = \"tcp:192.0.2.1:80\"
scheduler = \"wrr\"
mode = \"nat\"
timeout = 900
announce = true

[[service.backend]]
address = \"10.0.0.9:8080\"
weight = 9
"
    ));
    let request = Document::read(&text).unwrap().request();
    assert_eq!(request.service.len(), 2);
    assert_eq!(request.service[1].port, Some(443));
    assert_eq!(request.service[1].announce, Some(0));
    let of: Vec<_> = request
        .backend
        .iter()
        .map(|backend| backend.service)
        .collect();
    assert_eq!(of, [Some(0), Some(0), Some(1)]);
}

#[test]
fn json() {
    let mut bench = Bench::default();
    configuration(&mut bench, 7, 7);
    let json = bench.run("show -j").unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(keys_of(&json), ["generation", "services"]);
    let services = &value["services"];
    assert_eq!(services[0]["service"], "tcp:192.0.2.1:80");
    assert_eq!(services[0]["backends"][1]["addr"], "10.0.0.10");
    assert_eq!(services[1]["backends"].as_array().map(Vec::len), Some(1));
    assert_eq!(documented(AFTER), ["backends", "generation", "services"]);
}
