// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl port` against bytes.

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::attr::Attributes;
use smplb_nl::Command as Netlink;

fn port(id: u32) -> Port {
    Port {
        ifindex: Some(10 + id),
        ifname: Some(format!("smplb{id}")),
        lower_ifindex: Some(2 + id),
        lower_ifname: Some(format!("eth{id}")),
        driver: Some("netdev".to_owned()),
        cpu: vec![1],
        id: Some(id),
        rx_packets: Some(1_000_000),
        rx_bytes: Some(u64::MAX),
        tx_packets: Some(2),
        tx_bytes: Some(3),
        stack_packets: Some(4),
        host_packets: Some(5),
        dropped: None,
        queues: None,
        resets: Some(0),
    }
}

#[test]
fn a_table_in_the_order_of_the_ports() {
    let mut bench = Bench::default();
    bench.kernel().list(Netlink::PortGet, &[port(1), port(0)]);
    assert_eq!(
        bench.run("port list").unwrap(),
        "\
PORT    NIC   DRIVER  CPU  QUEUES       RX  TX  TO-HOST  FROM-HOST  DROPPED  RESETS
smplb0  eth0  netdev    1       -  1000000   2        4          5        -       0
smplb1  eth1  netdev    1       -  1000000   2        4          5        -       0
"
    );
}

#[test]
fn json() {
    let mut bench = Bench::default();
    bench.kernel().list(Netlink::PortGet, &[port(0)]);
    let json = bench.run("port list --json").unwrap();
    assert_eq!(
        json,
        "[{\"ifname\":\"smplb0\",\"ifindex\":10,\"lower_ifname\":\"eth0\",\"lower_ifindex\":2,\
         \"driver\":\"netdev\",\"cpu\":1,\"cpus\":[1],\"queues\":null,\"id\":0,\"rx_packets\":1000000,\
         \"rx_bytes\":18446744073709551615,\"tx_packets\":2,\"tx_bytes\":3,\"stack_packets\":4,\
         \"host_packets\":5,\"dropped\":null,\"resets\":0}]\n"
    );
    assert_eq!(keys_of(&json), documented(LIST_AFTER));
}

#[test]
fn no_ports() {
    let mut bench = Bench::default();
    bench.kernel().list::<Port>(Netlink::PortGet, &[]);
    assert!(bench.run("port list").unwrap().starts_with("PORT "));
    bench.kernel().list::<Port>(Netlink::PortGet, &[]);
    assert_eq!(bench.run("port list -j").unwrap(), "[]\n");
}

#[test]
fn a_port_is_moved() {
    let mut bench = Bench::default();
    bench.kernel().acknowledge();
    assert_eq!(bench.run("port set smplb0 --cpu 3").unwrap(), "");
    let asked = Port::decode(bench.kernel().attributes(0)).unwrap();
    let wanted = Port {
        ifname: Some("smplb0".to_owned()),
        cpu: vec![3],
        ..Port::default()
    };
    assert_eq!(asked, wanted);

    bench.kernel().refuse(22, "CPU 3 is offline", Some(36));
    let error = bench.run("port set smplb0 --cpu 3").unwrap_err();
    assert_eq!(error, "cannot set port smplb0: CPU 3 is offline (cpu)");
}

#[test]
fn queue_pairs_are_moved_to_several_cpus() {
    let mut bench = Bench::default();
    bench.kernel().acknowledge();
    assert_eq!(bench.run("port set smplb0 --cpu 2-3,5").unwrap(), "");
    let asked = Port::decode(bench.kernel().attributes(0)).unwrap();
    assert_eq!(asked.cpu, [2, 3, 5]);
    assert!(bench.run("port set smplb0 --cpu 3-2").is_err());
}

#[test]
fn queue_pairs_are_for_native_ports() {
    let mut bench = Bench::default();
    for options in ["--queues 2", "--cpu 2-3"] {
        assert_eq!(
            bench.run(&format!("port add lo {options}")).unwrap_err(),
            "cannot add port lo: a port of driver netdev has no queue pairs, and one CPU polls it"
        );
    }
    let line = "port add ffff0000:00:02.0 --queues 2 --cpu 2-4";
    assert_eq!(
        bench.run(line).unwrap_err(),
        "cannot add port ffff0000:00:02.0: 3 CPUs for 2 queue pair(s), each of which one CPU \
         polls; see --queues"
    );
    assert!(bench.run("port add lo --queues 0").is_err());
    assert!(bench.kernel().asked.is_empty());
}

#[test]
fn a_port_is_made_of_a_link() {
    let mut bench = Bench::default();
    bench.kernel().acknowledge();
    assert_eq!(
        bench
            .run("port add lo --name in --cpu 1 --driver netdev")
            .unwrap(),
        ""
    );
    let asked = bench.kernel().asked.pop().unwrap();
    for part in [&b"in\0"[..], b"smplb\0", b"netdev\0"] {
        assert!(asked.windows(part.len()).any(|window| window == part));
    }
}

#[test]
fn a_nic_that_cannot_be_claimed() {
    let mut bench = Bench::default();
    bench.kernel().refuse(22, "loopback cannot be a port", None);
    let error = bench.run("port add lo").unwrap_err();
    assert_eq!(error, "cannot add port lo: loopback cannot be a port");
    let error = bench.run("port add no-such-nic").unwrap_err();
    assert_eq!(
        error,
        "cannot add port no-such-nic: no network interface no-such-nic"
    );
}

#[test]
fn only_a_port_is_deleted() {
    let mut bench = Bench::default();
    bench.kernel().reply(Netlink::PortGet, &port(0));
    bench.kernel().acknowledge();
    assert_eq!(bench.run("port del smplb0").unwrap(), "");
    let asked = bench.kernel().asked.pop().unwrap();
    assert_eq!((asked[4], asked[20]), (17, 10), "RTM_DELLINK of its index");

    bench.kernel().refuse(19, "no such port", Some(20));
    let error = bench.run("port del eth0").unwrap_err();
    assert_eq!(error, "cannot delete port eth0: no such port (ifname)");
}

#[test]
fn a_native_port_is_listed_by_its_pci_address() {
    let mut bench = Bench::default();
    let native = Port {
        lower_ifname: Some("0000:00:02.0".to_owned()),
        driver: Some("virtio_net".to_owned()),
        cpu: vec![2, 3, 2, 3],
        queues: Some(4),
        ..port(0)
    };
    bench.kernel().list(Netlink::PortGet, &[native, port(1)]);
    assert_eq!(
        bench.run("port list").unwrap(),
        "\
PORT    NIC           DRIVER      CPU  QUEUES       RX  TX  TO-HOST  FROM-HOST  DROPPED  RESETS
smplb0  0000:00:02.0  virtio_net  2-3       4  1000000   2        4          5        -       0
smplb1  eth1          netdev        1       -  1000000   2        4          5        -       0
"
    );
}

/// No bus has these.
#[test]
fn a_pci_address_that_is_none() {
    let mut bench = Bench::default();
    for (line, reason) in [
        (
            "port add 00:32.0",
            "cannot add port 00:32.0: 00:32.0 is not a PCI address, as 0000:00:02.0",
        ),
        (
            "port add ffff0000:00:02.0 --driver netdev",
            "cannot add port ffff0000:00:02.0: there is no such PCI device",
        ),
        (
            "port add lo --driver virtio_net",
            "cannot add port lo: it is not a PCI device; only --driver netdev takes it",
        ),
        (
            "port add no-such-nic --driver intel",
            "cannot add port no-such-nic: no network interface no-such-nic",
        ),
        (
            "port del 00:02",
            "cannot delete port 00:02: 00:02 is not a PCI address, as 0000:00:02.0",
        ),
        (
            "port del ffff0000:00:02.0",
            "cannot delete port ffff0000:00:02.0: no port is of this PCI device",
        ),
    ] {
        assert_eq!(bench.run(line).unwrap_err(), reason);
    }
    assert!(bench.kernel().asked.is_empty());
}
