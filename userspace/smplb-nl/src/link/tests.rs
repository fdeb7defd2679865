// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bytes of link messages, and the refusals that mean something.

use super::*;
use crate::fake::{self, Fake};

fn head(kind: u16, flags: u16, index: u32) -> Vec<u8> {
    let mut bytes = fake::frame(kind, flags, &[0; 16]);
    bytes[20..24].copy_from_slice(&index.to_ne_bytes());
    bytes
}

fn asked(links: &mut Links<Fake>) -> Vec<u8> {
    let mut bytes = links.0.transport().asked.pop().unwrap();
    bytes[..4].copy_from_slice(&32u32.to_ne_bytes());
    bytes[8..12].fill(0);
    bytes
}

fn add(port: &NewPort) -> Vec<u8> {
    let mut kernel = Fake::default();
    kernel.acknowledge();
    let mut links = Links::over(kernel);
    links.add(port).unwrap();
    asked(&mut links)
}

#[test]
fn a_port_is_a_link_of_our_kind() {
    let mut wanted = head(16, 0x605, 0);
    wanted.extend([8, 0, 5, 0, 7, 0, 0, 0]);
    wanted.extend([16, 0, 18, 0, 10, 0, 1, 0]);
    wanted.extend(b"smplb\0\0\0");
    assert_eq!(
        add(&NewPort {
            lower: 7,
            ..NewPort::default()
        }),
        wanted
    );
}

#[test]
fn a_link_gets_another_name() {
    let mut kernel = Fake::default();
    kernel.acknowledge();
    let mut links = Links::over(kernel);
    links.rename(7, "in").unwrap();
    let mut wanted = head(19, 5, 7);
    wanted.extend([7, 0, 3, 0, b'i', b'n', 0, 0]);
    assert_eq!(asked(&mut links), wanted);
}

#[test]
fn name_cpu_and_driver_are_told() {
    let data = LinkData {
        cpu: Some(3),
        driver: Some("netdev".to_owned()),
    };
    let port = NewPort {
        lower: 7,
        name: Some("in".to_owned()),
        data,
    };
    let mut wanted = head(16, 0x605, 0);
    wanted.extend([8, 0, 5, 0, 7, 0, 0, 0]);
    wanted.extend([7, 0, 3, 0, b'i', b'n', 0, 0]);
    wanted.extend([40, 0, 18, 0, 10, 0, 1, 0]);
    wanted.extend(b"smplb\0\0\0");
    wanted.extend([24, 0, 2, 0, 8, 0, 1, 0, 3, 0, 0, 0, 11, 0, 2, 0]);
    wanted.extend(b"netdev\0\0");
    assert_eq!(add(&port), wanted);
}

#[test]
fn a_port_is_deleted_by_index() {
    let mut kernel = Fake::default();
    kernel.acknowledge();
    let mut links = Links::over(kernel);
    links.delete(12).unwrap();
    assert_eq!(asked(&mut links), head(17, 5, 12));
}

#[test]
fn an_unknown_kind_is_a_module_not_loaded() {
    let refused = |errno, reason| {
        let mut kernel = Fake::default();
        kernel.refuse(errno, reason, None);
        Links::over(kernel).add(&NewPort::default()).unwrap_err()
    };
    assert!(matches!(
        refused(95, "Unknown device type"),
        Error::NoModule
    ));
    assert_eq!(
        refused(95, "loopback cannot be a port").to_string(),
        "loopback cannot be a port"
    );
    assert_eq!(refused(17, "File exists").to_string(), "File exists");
}

#[test]
fn link_data_comes_back() {
    let data = LinkData {
        cpu: Some(3),
        driver: Some("netdev".to_owned()),
    };
    let bytes = Writer::write(&data).unwrap();
    assert_eq!(LinkData::decode(&bytes), Ok(data));
}

#[test]
fn interfaces_are_found_by_name() {
    assert!(matches!(index_of("lo"), Ok(1)));
    for name in [
        "",
        "no-such-nic",
        "a-name-longer-than-fifteen-bytes",
        "a\0b",
    ] {
        let error = index_of(name).unwrap_err();
        assert_eq!(error.to_string(), format!("no network interface {name}"));
    }
}

#[test]
fn a_refusal_names_the_attribute() {
    let port = NewPort {
        lower: 7,
        name: Some("in".to_owned()),
        data: LinkData {
            cpu: Some(9),
            driver: None,
        },
    };
    for (offset, wanted) in [
        (LINK_HEAD, "no (link)"),
        (LINK_HEAD + 8, "no (ifname)"),
        (LINK_HEAD + 16 + 4, "no (linkinfo.kind)"),
        (LINK_HEAD + 16 + 4 + 12 + 4, "no (linkinfo.data.cpu)"),
    ] {
        let mut kernel = Fake::default();
        kernel.refuse(22, "no", Some(offset));
        let error = Links::over(kernel).add(&port).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}
