// SPDX-License-Identifier: MIT OR Apache-2.0

//! Time per packet of the data path, with one, ten thousand and a million connections.

// The function that criterion's macro makes has no documentation.
#![allow(missing_docs)]

mod flat;
#[path = "../tests/nic_model/mod.rs"]
mod nic_model;
mod nic_rings;
#[path = "../tests/world/mod.rs"]
mod world;

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{criterion_group, criterion_main, BatchSize, BenchmarkId, Criterion, Throughput};
use smplb_core::config::Mode;
use smplb_core::frame::{Origin, PortId, BURST};
use smplb_core::nic::queue::{RxQueue, TxQueue};
use smplb_core::pipeline::process_burst;
use smplb_core::verdict::Verdict;

use flat::{client, service, Flat, VIP};
use nic_model::world::Ends;
use nic_model::Device;
use nic_rings::Bench;
use world::packet::Packet;
use world::World;

const PORT: Origin = Origin::Port(PortId(0));

/// The burst number `round` of UDP packets of `flows` flows in turn.
fn burst(round: u32, flows: u32) -> Flat {
    let flow = |i: u32| (round * BURST as u32 + i) * 7919 % flows;
    let frame = |i| {
        Packet::udp(client(flow(i)), (VIP, 80))
            .payload(&[0; 18])
            .frame()
    };
    Flat::new(&(0..BURST as u32).map(frame).collect::<Vec<_>>())
}

fn known_connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nat-hit");
    group.throughput(Throughput::Elements(BURST as u64));
    for flows in [1u32, 10_000, 1_000_000] {
        let mut world = World::new(flows as usize + 64);
        service(&mut world, 17, Mode::Nat);
        world.lend(|switch, engine, now| {
            for round in 0..flows.div_ceil(BURST as u32) * 2 {
                process_burst(switch, engine, PORT, now, &mut burst(round, flows));
            }
            let mut round = 0;
            group.bench_function(BenchmarkId::from_parameter(flows), |bencher| {
                let make = || {
                    round += 1;
                    burst(round, flows)
                };
                bencher.iter_batched(
                    make,
                    |mut burst| {
                        process_burst(switch, engine, PORT, now, &mut burst);
                        burst
                    },
                    BatchSize::LargeInput,
                );
            });
            let mut last = burst(1, flows);
            process_burst(switch, engine, PORT, now, &mut last);
            assert!(matches!(black_box(last.verdicts[0]), Verdict::Forward(_)));
        });
    }
    group.finish();
}

fn new_connections(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("nat-new");
    group.throughput(Throughput::Elements(BURST as u64));
    group.bench_function("syn", |bencher| {
        let mut world = World::new(1 << 20);
        service(&mut world, 6, Mode::Nat);
        let mut flow = 0;
        world.lend(|switch, engine, now| {
            let make = || {
                let frame = |i: u32| Packet::tcp(client(flow + i), (VIP, 80), 2).frame();
                let burst = Flat::new(&(0..BURST as u32).map(frame).collect::<Vec<_>>());
                // When the table is full, SYNs of known connections come again.
                flow = (flow + BURST as u32) % (1 << 20);
                burst
            };
            bencher.iter_batched(
                make,
                |mut burst| {
                    process_burst(switch, engine, PORT, now, &mut burst);
                    burst
                },
                BatchSize::LargeInput,
            );
        });
    });
    group.finish();
}

/// From one ring to the other, with the account of the pool; the devices' time is not counted.
fn ring<R: RxQueue, T: TxQueue, D: Device, E: Device>(
    criterion: &mut Criterion,
    name: &str,
    ends: Ends<R, T, D, E>,
) {
    let account = nic_rings::account();
    let mut bench = Bench::new(&account, ends);
    let mut group = criterion.benchmark_group("rings");
    group.throughput(Throughput::Elements(nic_rings::BURST as u64));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            let mut spent = Duration::ZERO;
            for _ in 0..rounds {
                bench.devices();
                let start = Instant::now();
                assert_eq!(black_box(bench.work.burst::<true>()), nic_rings::BURST);
                spent += start.elapsed();
            }
            spent
        });
    });
    group.finish();
}

fn rings(criterion: &mut Criterion) {
    ring(criterion, "split", nic_rings::split(true));
    ring(criterion, "packed", nic_rings::packed(true));
    ring(criterion, "advanced", nic_rings::advanced());
}

criterion_group!(benches, known_connections, new_connections, rings);
criterion_main!(benches);
