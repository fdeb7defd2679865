// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl pool` against bytes.

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::Command as Netlink;

fn pool() -> Pool {
    let port = |id: u32, ifname: Option<&str>| PoolPort {
        id: Some(id),
        ifname: ifname.map(str::to_owned),
        rx: Some(256),
        tx: Some(id),
        host: Some(128),
    };
    Pool {
        buffers: Some(4096),
        free: Some(3000),
        channels: Some(64),
        other: Some(0),
        misuses: Some(0),
        port: vec![port(3, None), port(0, Some("smplb0"))],
        engine: vec![PoolEngine {
            cpu: Some(1),
            buffers: Some(61),
        }],
    }
}

#[test]
fn tables() {
    let mut bench = Bench::default();
    bench.kernel().reply(Netlink::PoolGet, &pool());
    assert_eq!(
        bench.run("pool").unwrap(),
        "\
buffers 4096  free 3000  channels 64  misuses 0

PORT     RX  TX  HOST
smplb0  256   0   128
-       256   3   128

CPU  BUFFERS
  1       61
"
    );
}

#[test]
fn json() {
    let mut bench = Bench::default();
    bench.kernel().reply(Netlink::PoolGet, &pool());
    let json = bench.run("-j pool").unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mut keys = keys_of(&json);
    for list in ["ports", "engines"] {
        keys.extend(keys_of(&value[list].to_string()));
    }
    keys.sort();
    assert_eq!(keys, documented(AFTER));
    assert_eq!(value["ports"][0]["ifname"], "smplb0");
    assert_eq!(value["ports"][1]["ifname"], serde_json::Value::Null);
}

#[test]
fn without_a_native_port() {
    let none = Pool {
        buffers: Some(0),
        free: Some(0),
        channels: Some(0),
        other: Some(0),
        misuses: Some(0),
        ..Pool::default()
    };
    let mut bench = Bench::default();
    bench.kernel().reply(Netlink::PoolGet, &none);
    assert_eq!(
        bench.run("pool").unwrap(),
        "no pool, since there is no native port\n"
    );
    bench.kernel().reply(Netlink::PoolGet, &none);
    assert_eq!(
        bench.run("-j pool").unwrap(),
        "{\"buffers\":0,\"free\":0,\"channels\":0,\"other\":0,\"misuses\":0,\"ports\":[],\"engines\":[]}\n"
    );
}
