// SPDX-License-Identifier: MIT OR Apache-2.0
//! `smplbctl stats` against bytes.

use super::*;
use crate::testing::{documented, keys_of, Bench};
use smplb_nl::Command;

fn engine(cpu: u32) -> Engine {
    Engine {
        cpu: Some(cpu),
        ports: Some(2),
        pid: Some(77),
        isolated: Some(1),
        rounds: Some(1000),
        idle_rounds: Some(900),
        sleeps: Some(9),
        bursts: Some(100),
        packets: Some(6400),
        forwarded: Some(6000),
        stack: Some(300),
        replied: Some(50),
        dropped: Some(40),
        resolved: Some(10),
        channel: Some(7),
        time: Some(2_000_000_000),
        busy_time: Some(500_000_000),
        longest_gap: Some(12_345),
        switches: Some(11),
        preemptions: Some(2),
        interrupts: Some(3),
        ticks: None,
    }
}

fn stats(drops: &[(DropReason, u64)]) -> Stats {
    let drop = |(reason, packets): &(DropReason, u64)| Drop {
        reason: Some(*reason),
        packets: Some(*packets),
    };
    Stats {
        drop: drops.iter().map(drop).collect(),
        connections: Some(12),
        connections_max: Some(65_536),
        routes: Some(5),
        neighbours: None,
    }
}

fn bench(drops: &[(DropReason, u64)]) -> Bench {
    let mut bench = Bench::default();
    bench
        .kernel()
        .list(Command::EngineGet, &[engine(2), engine(1)]);
    bench.kernel().reply(Command::StatsGet, &stats(drops));
    bench
}

#[test]
fn a_table() {
    let drops = [
        (DropReason::NoRoute, 40),
        (DropReason::Fragment, 0),
        (DropReason::Other(99), 1),
    ];
    assert_eq!(
        bench(&drops).run("stats").unwrap(),
        "\
CPU  PORTS  ISOLATED  ROUNDS  IDLE  SLEEPS  BURSTS  PACKETS  FORWARDED  STACK  REPLIED  DROPPED  RESOLVED  CHANNEL   BUSY  LONGEST-GAP
  1      2  yes         1000   900       9     100     6400       6000    300       50       40        10        7  25.0%       12.3us
  2      2  yes         1000   900       9     100     6400       6000    300       50       40        10        7  25.0%       12.3us

connections 12 of 65536  routes 5  neighbours -

DROP-REASON  PACKETS
no-route          40
unknown-99         1
"
    );
}

#[test]
fn nothing_dropped() {
    let text = bench(&[(DropReason::NoRoute, 0)]).run("stats").unwrap();
    assert!(text.ends_with("\n\nnothing dropped\n"), "{text}");
}

#[test]
fn json() {
    let mut bench = Bench::default();
    bench.kernel().list(Command::EngineGet, &[engine(1)]);
    bench
        .kernel()
        .reply(Command::StatsGet, &stats(&[(DropReason::NoRoute, 40)]));
    let json = bench.run("-j stats").unwrap();
    assert_eq!(
        json,
        "{\"engines\":[{\"cpu\":1,\"ports\":2,\"pid\":77,\"isolated\":true,\"rounds\":1000,\
         \"idle_rounds\":900,\"sleeps\":9,\"bursts\":100,\"packets\":6400,\"forwarded\":6000,\
         \"stack\":300,\"replied\":50,\"dropped\":40,\"resolved\":10,\"channel\":7,\"time\":2000000000,\
         \"busy_time\":500000000,\"longest_gap\":12345,\"switches\":11,\"preemptions\":2,\
         \"interrupts\":3,\"ticks\":null}],\
         \"drops\":[{\"reason\":\"no-route\",\"packets\":40}],\
         \"connections\":12,\"connections_max\":65536,\"routes\":5,\"neighbours\":null}\n"
    );
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    let inner = |key: &str| keys_of(&value[key].to_string());
    let mut keys = [keys_of(&json), inner("engines"), inner("drops")].concat();
    keys.sort();
    assert_eq!(keys, documented(AFTER));
}
