// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every type there and back, and what is refused on the way back.

use super::*;
use crate::generated::{
    service, Backend, BackendDef, Config, Drop, DropReason, Mode, Port, Scheduler, Service,
    ServiceDef, Stats,
};

fn there_and_back<T: Attributes + PartialEq + std::fmt::Debug>(set: &T) {
    let bytes = Writer::write(set).unwrap();
    assert_eq!(bytes.len() % 4, 0);
    assert_eq!(&T::decode(&bytes).unwrap(), set);
}

fn service() -> Service {
    Service {
        protocol: Some(17),
        addr: Some(Ipv4Addr::new(192, 0, 2, 1)),
        port: Some(53),
        scheduler: Some(Scheduler::Lc),
        mode: Some(Mode::Other(77)),
        timeout: Some(0),
        announce: Some(1),
        id: Some(u32::MAX),
        generation: Some(u64::MAX),
        packets: Some(1),
        bytes: Some(2),
        connections: Some(3),
        slots: Some(4),
    }
}

#[test]
fn sets_come_back_as_they_went() {
    there_and_back(&Empty);
    there_and_back(&Service::default());
    there_and_back(&service());
    for name in ["", "a", "smplb0", "exactly-fifteen", "größer"] {
        there_and_back(&Port {
            ifname: Some(name.to_owned()),
            ..Port::default()
        });
    }
    let key = ServiceDef {
        protocol: Some(6),
        port: Some(80),
        ..ServiceDef::default()
    };
    there_and_back(&Backend {
        service: Some(key.clone()),
        weight: Some(9),
        ..Backend::default()
    });
    there_and_back(&Config {
        service: vec![key, ServiceDef::default()],
        backend: vec![BackendDef::default(); 3],
        dry_run: true,
        ..Config::default()
    });
    let drop = DropReason::ALL.iter().map(|reason| Drop {
        reason: Some(*reason),
        packets: Some(u64::from(reason.number())),
    });
    there_and_back(&Stats {
        drop: drop.collect(),
        ..Stats::default()
    });
}

#[test]
fn the_wire_is_as_the_specification_says() {
    let one = |service: Service| Writer::write(&service).unwrap();
    let none = Service::default();
    assert_eq!(
        one(Service {
            protocol: Some(6),
            ..none.clone()
        }),
        [5, 0, 1, 0, 6, 0, 0, 0]
    );
    assert_eq!(
        one(Service {
            port: Some(80),
            ..none.clone()
        }),
        [6, 0, 3, 0, 0, 80, 0, 0]
    );
    let addr = Some(Ipv4Addr::new(1, 2, 3, 4));
    assert_eq!(
        one(Service {
            addr,
            ..none.clone()
        }),
        [8, 0, 2, 0, 1, 2, 3, 4]
    );
    let uint = one(Service {
        generation: Some(7),
        ..none
    });
    assert_eq!(uint[..4], [12, 0, 9, 0], "a uint goes with eight bytes");
    assert_eq!(
        Writer::write(&Config {
            dry_run: true,
            ..Config::default()
        })
        .unwrap(),
        [4, 0, 3, 0]
    );
}

#[test]
fn a_uint_may_come_with_four_or_eight_bytes() {
    let decode = |value: &[u8]| {
        let head = [(value.len() + 4) as u8, 0, service::PACKETS as u8, 0];
        Service::decode(&[&head, value].concat()).map(|service| service.packets)
    };
    assert_eq!(decode(&7u32.to_ne_bytes()), Ok(Some(7)));
    assert_eq!(decode(&u64::MAX.to_ne_bytes()), Ok(Some(u64::MAX)));
    for len in [0, 1, 3, 5, 7, 9] {
        let error = decode(&vec![0; len]).unwrap_err().to_string();
        assert_eq!(error, format!("packets: {len} bytes where 8 are due"));
    }
}

#[test]
fn unknown_attributes_are_passed_over() {
    let mut bytes = vec![8, 0, 200, 0, 1, 2, 3, 4];
    bytes.extend(Writer::write(&service()).unwrap());
    bytes.extend([4, 0, 0, 0]);
    assert_eq!(Service::decode(&bytes).unwrap(), service());
}

#[test]
fn a_wrong_length_names_the_attribute() {
    let nested = [[10, 0, 1, 128], [6, 0, 3, 0], [1, 2, 0, 0]].concat();
    let fits = Backend::decode(&nested).unwrap();
    assert_eq!(fits.service.unwrap().port, Some(0x102));
    let nested = [[9, 0, 1, 128], [5, 0, 3, 0], [1, 0, 0, 0]].concat();
    let error = Backend::decode(&nested).unwrap_err().to_string();
    assert_eq!(error, "service.port: 1 bytes where 2 are due");
}

#[test]
fn truncated_and_garbage_messages_are_errors() {
    let whole = Writer::write(&service()).unwrap();
    for len in 0..whole.len() {
        // A cut between attributes leaves a shorter message that is right.
        if let Ok(part) = Service::decode(&whole[..len]) {
            assert!(Writer::write(&part).unwrap().len() <= len.next_multiple_of(4));
        }
    }
    for bytes in [&[0][..], &[0; 4], &[3, 0, 1, 0], &[5, 0, 1, 0], &[255; 7]] {
        assert!(Service::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_value_that_does_not_fit_is_not_written() {
    let port = |len: usize| Port {
        ifname: Some("x".repeat(len)),
        ..Port::default()
    };
    assert!(Writer::write(&port(65_530)).is_some());
    assert!(Writer::write(&port(65_531)).is_none());
}

#[test]
fn strings_end_at_their_zero_byte() {
    let decode = |value: &[u8]| Value(value).string().unwrap();
    assert_eq!(decode(b"eth0\0"), "eth0");
    assert_eq!(decode(b"eth0\0rest"), "eth0");
    assert_eq!(decode(b"eth0"), "eth0");
    assert_eq!(decode(b""), "");
    assert_eq!(decode(b"\xffa\0"), "\u{fffd}a");
}

#[test]
fn enums_keep_what_they_do_not_know() {
    for (number, reason) in (0..).zip(DropReason::ALL) {
        assert_eq!(reason.number(), number);
        assert_eq!(DropReason::from_number(number), *reason);
    }
    assert_eq!(DropReason::NoRoute.to_string(), "no-route");
    assert_eq!(DropReason::from_number(999), DropReason::Other(999));
    assert_eq!(format!("{:<12}|", DropReason::Other(999)), "unknown-999 |");
}

/// A message of anything at all is read or refused, and what was read can be written again.
#[test]
fn no_bytes_are_too_strange() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let whole = Writer::write(&Config {
        service: vec![
            ServiceDef {
                protocol: Some(6),
                port: Some(80),
                ..ServiceDef::default()
            };
            2
        ],
        backend: vec![
            BackendDef {
                weight: Some(1),
                ..BackendDef::default()
            };
            2
        ],
        ..Config::default()
    })
    .unwrap();
    let mut read = 0;
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..=random() % 4 {
            let at = random() as usize % bytes.len();
            bytes[at] = random() as u8;
        }
        bytes.truncate(random() as usize % (2 * bytes.len()));
        if let Ok(config) = Config::decode(&bytes) {
            there_and_back(&config);
            read += 1;
        }
        Config::SET.locate(&bytes, random() as usize % 100);
    }
    assert!(read > 100, "{read}");
}
