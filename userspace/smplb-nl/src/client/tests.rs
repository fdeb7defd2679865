// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes of requests, and what becomes of answers.
//!
//! The wanted bytes are those of the kernel tree's own client, `tools/net/ynl`, for the same
//! requests and the same specification.

use std::net::Ipv4Addr;

use super::*;
use crate::fake::Fake;
use crate::generated::{BackendDef, Mode, Scheduler};

const ADD_SERVICE: &str = "4c000000200005000100000000000000030100000500010006000000\
    08000200c000020106000300005000000800040001000000080005000100000008000600840300000500070000000000";
const ADD_BACKEND: &str =
    "48000000200005000100000000000000070100001c000180050001000600000008000200\
    c00002010600030000500000080002000a000001060003001f9000000800040005000000";
const SET_PORT: &str =
    "28000000200005000100000000000000020100000b000200736d706c623000000800060001000000";
const APPLY: &str = "900000002000050001000000000000000b0100001c0001800500010006000000\
    08000200c000020106000300005000001c000180050001001100000008000200c00002020600030000350000\
    240002800800010000000000080002000a000001060003000050000008000400010000001c000280080001000100\
    0000080002000a000002080004000000000004000300";
const LIST_SERVICES: &str = "1400000020000503010000000000000006010000";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16));
    digits.collect::<Result<_, _>>().unwrap()
}

fn asked(client: &mut Client<Fake>) -> Vec<u8> {
    let mut bytes = client.channel.transport().asked.pop().unwrap();
    // The sequence number is the client's own affair.
    bytes[8..12].copy_from_slice(&1u32.to_ne_bytes());
    bytes
}

fn client(kernel: Fake) -> Client<Fake> {
    Client::over(kernel).unwrap()
}

fn key() -> ServiceDef {
    ServiceDef {
        protocol: Some(6),
        addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
        port: Some(80),
        ..ServiceDef::default()
    }
}

#[test]
fn requests_are_those_of_the_kernels_own_client() {
    let mut kernel = Fake::default();
    (0..3).for_each(|_| kernel.acknowledge());
    let mut client = client(kernel);

    let ServiceDef {
        protocol,
        addr,
        port,
        ..
    } = key();
    let (scheduler, mode) = (Some(Scheduler::Lc), Some(Mode::Dr));
    let timeout = Some(900);
    let announce = Some(0);
    let service = Service::default();
    let service = Service {
        protocol,
        addr,
        port,
        scheduler,
        mode,
        timeout,
        announce,
        ..service
    };
    client.add_service(&service).unwrap();
    assert_eq!(asked(&mut client), bytes(ADD_SERVICE));

    let backend = Backend {
        service: Some(key()),
        addr: Some(Ipv4Addr::new(10, 0, 0, 1)),
        port: Some(8080),
        weight: Some(5),
        ..Backend::default()
    };
    client.add_backend(&backend).unwrap();
    assert_eq!(asked(&mut client), bytes(ADD_BACKEND));

    let port = Port {
        ifname: Some("smplb0".to_owned()),
        cpu: vec![1],
        ..Port::default()
    };
    client.set_port(&port).unwrap();
    assert_eq!(asked(&mut client), bytes(SET_PORT));
}

#[test]
fn a_configuration_is_that_of_the_kernels_own_client() {
    let mut kernel = Fake::default();
    kernel.reply(
        Command::ConfigApply,
        &Config {
            slots_moved: Some(3),
            ..Config::default()
        },
    );
    let mut client = client(kernel);
    let addr = |last| Some(Ipv4Addr::new(10, 0, 0, last));
    let dns = ServiceDef {
        protocol: Some(17),
        addr: Some(Ipv4Addr::new(192, 0, 2, 2)),
        port: Some(53),
        ..ServiceDef::default()
    };
    let config = Config {
        service: vec![key(), dns],
        backend: vec![
            BackendDef {
                service: Some(0),
                addr: addr(1),
                port: Some(80),
                weight: Some(1),
            },
            BackendDef {
                service: Some(1),
                addr: addr(2),
                port: None,
                weight: Some(0),
            },
        ],
        dry_run: true,
        ..Config::default()
    };
    assert_eq!(client.apply(&config).unwrap().slots_moved, Some(3));
    assert_eq!(asked(&mut client), bytes(APPLY));
}

#[test]
fn a_list_is_asked_for_and_read() {
    let mut kernel = Fake::default();
    let services = [80, 443].map(|port| Service {
        port: Some(port),
        ..Service::default()
    });
    kernel.list(Command::ServiceGet, &services);
    let mut client = client(kernel);
    assert_eq!(client.services().unwrap(), services);
    assert_eq!(asked(&mut client), bytes(LIST_SERVICES));
}

#[test]
fn a_great_configuration_is_one_message() {
    let mut kernel = Fake::default();
    kernel.reply(Command::ConfigApply, &Config::default());
    let mut client = client(kernel);
    let backend = BackendDef {
        service: Some(0),
        addr: Some(Ipv4Addr::LOCALHOST),
        port: Some(1),
        weight: Some(1),
    };
    let config = Config {
        service: vec![key()],
        backend: vec![backend; 10_000],
        ..Config::default()
    };
    client.apply(&config).unwrap();
    let asked = asked(&mut client);
    assert!(asked.len() > 350_000);
    assert_eq!(
        u32::from_ne_bytes(asked[..4].try_into().unwrap()) as usize,
        asked.len()
    );
    assert_eq!(Config::decode(&asked[GENL_HEAD..]).unwrap(), config);
}

#[test]
fn a_refusal_names_the_attribute() {
    let mut kernel = Fake::default();
    kernel.refuse(17, "service exists", Some(GENL_HEAD + 8));
    let mut client = client(kernel);
    let service = Service {
        protocol: Some(6),
        port: Some(80),
        ..Service::default()
    };
    let error = client.add_service(&service).unwrap_err();
    assert_eq!(error.errno(), Some(rustix::io::Errno::EXIST));
    assert_eq!(error.to_string(), "service exists (port)");
}

#[test]
fn no_answer_where_one_is_due_is_an_error() {
    let mut kernel = Fake::default();
    kernel.acknowledge();
    let error = client(kernel).generation().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unexpected answer of the kernel: nothing to generation-get"
    );
}

#[test]
fn a_family_the_kernel_lacks_is_a_module_not_loaded() {
    struct Bare(u32);
    impl Transport for Bare {
        fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.0 = u32::from_ne_bytes(bytes[8..12].try_into().unwrap());
            Ok(())
        }
        fn receive(&mut self) -> std::io::Result<Vec<u8>> {
            let mut bytes = crate::fake::refusal(-2, None, None);
            bytes[8..12].copy_from_slice(&self.0.to_ne_bytes());
            Ok(bytes)
        }
        fn join(&mut self, _group: u32) -> std::io::Result<()> {
            Ok(())
        }
    }
    assert!(matches!(Client::over(Bare(0)), Err(Error::NoModule)));
}
