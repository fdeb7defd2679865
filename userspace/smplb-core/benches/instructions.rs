// SPDX-License-Identifier: MIT OR Apache-2.0

//! Instructions per packet of the data path, counted by callgrind.
//!
//! `cargo bench -p smplb-core --bench instructions` runs itself under `valgrind` once for each case and prints a table.

mod flat;
#[path = "../tests/nic_model/mod.rs"]
mod nic_model;
mod nic_rings;
#[path = "../tests/world/mod.rs"]
mod world;

use std::process::{Command, ExitCode};

use smplb_core::config::Mode;
use smplb_core::engine::Engine;
use smplb_core::frame::{Origin, PortId, BURST};
use smplb_core::nic::queue::{RxQueue, TxQueue};
use smplb_core::pipeline::{process_burst, Switch};
use smplb_core::verdict::Verdict;
use smplb_core::StdAtom;

use flat::{client, service, Flat, VIP};
use nic_model::world::Ends;
use nic_model::Device;
use nic_rings::{Bench, Work};
use world::packet::Packet;
use world::World;

const BURSTS: usize = 100;

#[inline(never)]
fn measured(
    switch: &Switch<'_, StdAtom>,
    engine: &mut Engine<'_, StdAtom>,
    port: PortId,
    burst: &mut Flat,
) {
    process_burst(switch, engine, Origin::Port(port), 1000, burst);
}

#[inline(never)]
fn measured_rings<R: RxQueue, T: TxQueue>(work: &mut Work<'_, R, T>) -> usize {
    work.burst::<false>()
}

#[inline(never)]
fn measured_account<R: RxQueue, T: TxQueue>(work: &mut Work<'_, R, T>) -> usize {
    work.burst::<true>()
}

/// The rings of NICs alone, from one to the other; the devices are not measured.
fn rings<R: RxQueue, T: TxQueue, D: Device, E: Device>(ends: Ends<R, T, D, E>, account: bool) {
    let memory = nic_rings::account();
    let mut bench = Bench::new(&memory, ends);
    for _ in 0..BURSTS {
        bench.devices();
        let sent = if account {
            measured_account(&mut bench.work)
        } else {
            measured_rings(&mut bench.work)
        };
        assert_eq!(sent, nic_rings::BURST);
    }
}

fn run_rings(name: &str) {
    let account = name.ends_with("account");
    match name.trim_end_matches("-account") {
        "ring-split" => rings(nic_rings::split(false), account),
        "ring-split-event" => rings(nic_rings::split(true), account),
        "ring-packed" => rings(nic_rings::packed(false), account),
        "ring-advanced" => rings(nic_rings::advanced(), account),
        "ring-packed-event" => rings(nic_rings::packed(true), account),
        _ => unreachable!("no such rings"),
    }
}

struct Case {
    name: &'static str,
    what: &'static str,
}

const CASES: [Case; 16] = [
    Case {
        name: "udp-nat-hit",
        what: "UDP, known connection, NAT",
    },
    Case {
        name: "udp-nat-many",
        what: "UDP, known connection, NAT, 6,400 flows in turn",
    },
    Case {
        name: "tcp-nat-hit",
        what: "TCP, established, NAT",
    },
    Case {
        name: "tcp-nat-reply",
        what: "TCP, established, reply from the backend",
    },
    Case {
        name: "tcp-dr-hit",
        what: "TCP, established, DR",
    },
    Case {
        name: "udp-nat-new",
        what: "UDP, new connection, NAT",
    },
    Case {
        name: "tcp-nat-new",
        what: "TCP SYN, new connection, NAT",
    },
    Case {
        name: "foreign",
        what: "TCP, not for a service, passed to the host",
    },
    Case {
        name: "ring-split",
        what: "split virtqueues: receive, send, reclaim, refill",
    },
    Case {
        name: "ring-split-event",
        what: "split virtqueues, with VIRTIO_F_EVENT_IDX",
    },
    Case {
        name: "ring-split-account",
        what: "split virtqueues, and the account of the pool",
    },
    Case {
        name: "ring-packed",
        what: "packed virtqueues: receive, send, reclaim, refill",
    },
    Case {
        name: "ring-packed-event",
        what: "packed virtqueues, with VIRTIO_F_EVENT_IDX",
    },
    Case {
        name: "ring-packed-account",
        what: "packed virtqueues, and the account of the pool",
    },
    Case {
        name: "ring-advanced",
        what: "Intel's advanced descriptors: receive, send, reclaim, refill",
    },
    Case {
        name: "ring-advanced-account",
        what: "Intel's advanced descriptors, and the account of the pool",
    },
];

fn frames(name: &str, round: usize, world: &World) -> (PortId, Vec<Vec<u8>>) {
    let vip = (VIP, 80);
    let flows = (0..BURST as u32).map(|i| i + (round * BURST) as u32);
    match name {
        "udp-nat-hit" => (
            PortId(0),
            (0..BURST as u32)
                .map(|f| Packet::udp(client(f), vip).payload(&[0; 18]).frame())
                .collect(),
        ),
        "tcp-nat-hit" | "tcp-dr-hit" => (
            PortId(0),
            (0..BURST as u32)
                .map(|f| Packet::tcp(client(f), vip, 0x10).frame())
                .collect(),
        ),
        "tcp-nat-reply" => {
            let packets = world.list().into_iter().take(BURST);
            (
                PortId(1),
                packets
                    .map(|c| Packet::tcp(c.to, c.client, 0x10).at(1).frame())
                    .collect(),
            )
        }
        "udp-nat-new" | "udp-nat-many" => (
            PortId(0),
            flows
                .map(|f| Packet::udp(client(f), vip).payload(&[0; 18]).frame())
                .collect(),
        ),
        "tcp-nat-new" => (
            PortId(0),
            flows
                .map(|f| Packet::tcp(client(f), vip, 2).frame())
                .collect(),
        ),
        _ => (
            PortId(0),
            (0..BURST as u32)
                .map(|f| Packet::tcp(client(f), ([192, 0, 2, 9], 22), 0x10).frame())
                .collect(),
        ),
    }
}

fn run(name: &str) {
    if name.starts_with("ring-") {
        return run_rings(name);
    }
    let mut world = World::new(1 << 16);
    let mode = if name == "tcp-dr-hit" {
        Mode::Dr
    } else {
        Mode::Nat
    };
    service(
        &mut world,
        if name.starts_with("udp") { 17 } else { 6 },
        mode,
    );
    if name.starts_with("tcp") && !name.ends_with("new") {
        for flow in 0..BURST as u32 {
            world.client(Packet::tcp(client(flow), (VIP, 80), 2).frame());
            if mode == Mode::Nat {
                let made = world
                    .list()
                    .into_iter()
                    .find(|made| made.client == client(flow));
                let to = made.expect("just made").to;
                world.server(Packet::tcp(to, client(flow), 0x12).at(1).frame());
            }
            world.client(Packet::tcp(client(flow), (VIP, 80), 0x10).frame());
        }
    }
    let new = name.ends_with("new");
    let many = name.ends_with("many");
    let (port, warm) = frames(name, 0, &world);
    let bursts: Vec<_> = (1..=BURSTS)
        .map(|round| frames(name, if new || many { round } else { 0 }, &world).1)
        .collect();
    world.lend(|switch, engine, _| {
        let mut burst = Flat::new(&warm);
        process_burst(switch, engine, Origin::Port(port), 1000, &mut burst);
        for frames in bursts.iter().chain(&bursts).filter(|_| many) {
            process_burst(
                switch,
                engine,
                Origin::Port(port),
                1000,
                &mut Flat::new(frames),
            );
        }
        for frames in &bursts {
            let mut burst = Flat::new(frames);
            measured(switch, engine, port, &mut burst);
            let expected = matches!(burst.verdicts[0], Verdict::Stack) == (name == "foreign");
            assert!(
                expected && burst.count == BURST,
                "{name}: {:?}",
                burst.verdicts[0]
            );
        }
    });
}

/// The instructions callgrind counted inside `measured`.
fn count(name: &str) -> Option<u64> {
    let program = std::env::current_exe().ok()?;
    let output = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*measured*",
        ])
        .arg(program)
        .args(["--case", name])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--case") {
        run(arguments.get(at + 1).map_or("", |name| name));
        return ExitCode::SUCCESS;
    }
    println!(
        "instructions per packet, bursts of {BURST}, of {} for rings:",
        nic_rings::BURST
    );
    for case in &CASES {
        let burst = if case.name.starts_with("ring-") {
            nic_rings::BURST
        } else {
            BURST
        };
        match count(case.name) {
            Some(all) => println!(
                "{:>8.1}  {}",
                all as f64 / (BURSTS * burst) as f64,
                case.what
            ),
            None => {
                eprintln!("valgrind is needed to count instructions");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
