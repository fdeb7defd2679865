// SPDX-License-Identifier: MIT OR Apache-2.0
//! What engines cost, and cost each other, out of what the guest of `bench-scaling` or
//! `bench-dedicated` and the plugin that watched it have written.

use std::fs;
use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde::{Deserialize, Serialize};

use super::profile::{self, Part};
use super::symbols::Symbols;
use super::windows::{self, Window};

mod dedicated;
mod told;

pub use dedicated::compared;
pub use told::{markdown, places, profiles};

/// Our own system.
const OURS: &str = "smplb";

/// What the guest calls a window that counts for nothing.
const VOID: &str = "void";

/// Moves of lines between engines that are listed: at least so many a packet.
const WORTH_TELLING: f64 = 0.002;

/// A window, as the guest describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    scenario: String,
    /// `smplb`, or what it is compared with.
    system: String,
    /// CPUs at work.
    engines: u64,
    flows: u64,
    /// By CPU; those of engines have some.
    packets: Vec<u64>,
    /// Of all of them.
    bursts: u64,
    /// The file with the symbols.
    symbols: String,
}

/// One measurement. All but the first four and the doorbells are per packet, of all
/// engines.
#[derive(Default, Serialize)]
pub struct Row {
    scenario: String,
    system: String,
    engines: u64,
    flows: u64,
    /// Of the module; of anything else all that its CPUs executed.
    instructions: f64,
    /// The same of the engine with the most.
    instructions_most: f64,
    /// Of the kernel with all that interrupts do,
    instructions_all: f64,
    /// and the stores of these.
    stores: f64,
    /// Cache lines that came from, or had to leave, the cache of another engine,
    moves: f64,
    /// and of the control CPU alone.
    moves_control: f64,
    /// Stores to lines that another engine used at any time.
    shared_stores: f64,
    /// Stores of the module to registers of devices, per burst.
    doorbells: Option<f64>,
    /// Where lines moved between engines.
    places: Vec<Place>,
    /// Where the instructions were executed, all of the kernel's.
    functions: Vec<Part>,
}

/// An instruction that had lines moved between engines.
#[derive(Serialize)]
struct Place {
    /// Function and offset.
    instruction: String,
    write: bool,
    /// Per packet.
    moves: f64,
    /// Where one of the lines is.
    address: String,
}

/// Reads what is in `dir`.
pub fn read(dir: &Path, results: &Path) -> Result<Vec<Row>> {
    let text = |path: &Path| {
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
    };
    let lines = text(results)?;
    let windows = windows::parse(&text(&dir.join("lines"))?)?;
    ensure!(
        !windows.is_empty() && lines.lines().count() == windows.len(),
        "{} windows were counted, and the guest told of {}",
        windows.len(),
        lines.lines().count()
    );
    let row = |(line, window): (&str, &Window)| {
        let told: Told =
            serde_json::from_str(line).with_context(|| format!("no measurement: {line}"))?;
        let symbols = Symbols::read(&dir.join(&told.symbols))?;
        ensure!(
            told.system != OURS || symbols.has_ours(),
            "{} has nothing of the module",
            told.symbols
        );
        Ok(Row::new(told, window, &symbols))
    };
    let counts = |row: &Result<Row>| !matches!(row, Ok(row) if row.scenario == VOID);
    let rows = lines.lines().zip(&windows).map(row);
    rows.filter(counts).collect()
}

impl Row {
    fn new(told: Told, window: &Window, symbols: &Symbols) -> Self {
        let packets = |cpu: usize| told.packets.get(cpu).copied().unwrap_or(0);
        let engines = (0..told.packets.len()).filter(|cpu| packets(*cpu) > 0);
        let mask = engines.clone().fold(0, |mask, cpu| mask | 1u64 << cpu);
        let is_engine = |cpu: usize| mask >> cpu & 1 != 0;
        let all: u64 = told.packets.iter().sum();
        let per_packet = |count: u64| count as f64 / all as f64;

        let mut ours = vec![0u64; told.packets.len()];
        let mut everything = 0;
        for ran in window.ran.iter().filter(|ran| is_engine(ran.cpu)) {
            everything += ran.count;
            let counts = told.system != OURS || symbols.is_ours(ran.instruction);
            ours[ran.cpu] += u64::from(counts) * ran.count;
        }
        let doorbells = window.devices.iter().filter(|device| {
            device.write && is_engine(device.cpu) && symbols.is_ours(device.instruction)
        });
        let doorbells: u64 = doorbells.map(|device| device.count).sum();
        let stores = engines.clone().filter_map(|cpu| window.wrote.get(cpu));
        let others = |cpu: usize| mask & !(1 << cpu);
        let shared = window.shared.iter().filter(|shared| {
            // Engines that only read a line do not disturb each other.
            shared.write && is_engine(shared.cpu) && shared.users & others(shared.cpu) != 0
        });
        let (mut between, mut control) = (0, 0);
        let mut places = Vec::new();
        for moved in window.moved.iter().filter(|moved| is_engine(moved.cpu)) {
            if moved.others & others(moved.cpu) == 0 {
                control += moved.count;
                continue;
            }
            between += moved.count;
            Place::add(&mut places, moved, symbols);
        }
        for place in &mut places {
            place.moves /= all as f64;
        }
        places.retain(|place| place.moves >= WORTH_TELLING);
        places.sort_by(|a, b| b.moves.total_cmp(&a.moves));
        Self {
            instructions: per_packet(ours.iter().sum()),
            instructions_most: engines
                .map(|cpu| ours[cpu] as f64 / packets(cpu) as f64)
                .fold(0.0, f64::max),
            instructions_all: per_packet(everything),
            stores: per_packet(stores.sum()),
            moves: per_packet(between),
            moves_control: per_packet(control),
            shared_stores: per_packet(shared.map(|shared| shared.count).sum()),
            doorbells: (told.bursts > 0).then(|| doorbells as f64 / told.bursts as f64),
            functions: profile::parts(
                window.ran.iter().filter(|ran| is_engine(ran.cpu)),
                symbols,
                all,
            ),
            places,
            scenario: told.scenario,
            system: told.system,
            engines: told.engines,
            flows: told.flows,
        }
    }
}

impl Place {
    /// Adds to the place of an instruction, of whichever engine.
    fn add(places: &mut Vec<Self>, moved: &windows::Moved, symbols: &Symbols) {
        let instruction = symbols.name(moved.instruction);
        let same =
            |place: &&mut Self| place.instruction == instruction && place.write == moved.write;
        match places.iter_mut().find(same) {
            Some(place) => place.moves += moved.count as f64,
            None => places.push(Self {
                instruction,
                write: moved.write,
                moves: moved.count as f64,
                address: format!("{:#x}", moved.address),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::windows::{Device, Moved, Ran, Shared};

    #[test]
    fn counts_are_those_of_engines_by_packet() {
        let told = r#"{"scenario":"nat-hit","system":"smplb","engines":2,"flows":9,
            "packets":[0,10,30],"bursts":4,"symbols":"kallsyms"}"#;
        let symbols = Symbols::parse("1000 t a\t[smplb]\n2000 T b\n");
        let ran = |cpu, instruction, count| Ran {
            cpu,
            instruction,
            count,
        };
        let moved = |others, count| Moved {
            others,
            cpu: 1,
            write: true,
            instruction: 0x1008,
            count,
            address: 0x40,
        };
        let device = |cpu, write, instruction, count| Device {
            cpu,
            write,
            instruction,
            count,
        };
        let window = Window {
            // The control CPU is none of them.
            ran: vec![
                ran(0, 0x1000, 999),
                ran(1, 0x1000, 100),
                ran(2, 0x1004, 330),
                ran(2, 0x2000, 10),
            ],
            user: vec![5, 0, 0],
            wrote: vec![7, 40, 80],
            shared: vec![
                Shared {
                    users: 0b110,
                    cpu: 1,
                    write: true,
                    count: 40,
                },
                // Nobody else uses it; a load.
                Shared {
                    users: 0b011,
                    cpu: 1,
                    write: true,
                    count: 80,
                },
                Shared {
                    users: 0b110,
                    cpu: 2,
                    write: false,
                    count: 160,
                },
            ],
            moved: vec![moved(0b100, 4), moved(0b001, 8)],
            // The first alone is a doorbell.
            devices: vec![
                device(2, true, 0x1000, 8),
                device(2, false, 0x1000, 100),
                device(2, true, 0x2000, 100),
                device(0, true, 0x1000, 100),
            ],
        };
        let theirs = told.replace("smplb", "ipvs");
        let row = Row::new(serde_json::from_str(&theirs).unwrap(), &window, &symbols);
        assert_eq!((row.instructions, row.instructions_all), (11.0, 11.0));
        let row = Row::new(serde_json::from_str(told).unwrap(), &window, &symbols);
        assert_eq!((row.instructions, row.instructions_most), (10.75, 11.0));
        assert_eq!((row.instructions_all, row.stores), (11.0, 3.0));
        assert_eq!((row.moves, row.moves_control), (0.1, 0.2));
        assert_eq!((row.doorbells, row.shared_stores), (Some(2.0), 1.0));
        let [place] = &row.places[..] else {
            panic!("{} places", row.places.len())
        };
        assert_eq!((&*place.instruction, place.moves), ("a+0x8", 0.1));
    }
}
