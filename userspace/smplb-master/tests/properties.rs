// SPDX-License-Identifier: MIT OR Apache-2.0
//! What holds whatever the master is told.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use smplb_master::{
    Admin, Algorithm, Master, Outcome, PanicMode, Proposal, Report, Server, Settings, Word,
};

const ALGORITHMS: [Algorithm; 5] = [
    Algorithm::Capacity,
    Algorithm::Even,
    Algorithm::Latency,
    Algorithm::Prefer,
    Algorithm::Static,
];

/// What the master can be told.
#[derive(Clone, Debug)]
enum Told {
    Report(usize, Report),
    Health(usize, bool),
    Word(usize, Word),
    Connections(usize, u64),
    Weight(usize, u32),
    Wait(u64),
    Refuse,
}

fn figure() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        3 => (0.0..2.0_f64).prop_map(Some),
        3 => (0.0..10_000.0_f64).prop_map(Some),
        1 => Just(None),
        1 => Just(Some(0.0)),
        1 => any::<f64>().prop_map(Some),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(f64::MIN_POSITIVE)),
        1 => Just(Some(1e9)),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let labels = prop::collection::vec("a|b", 0..2);
    (figure(), figure(), figure(), figure(), figure(), labels).prop_map(
        |(rate, errors, application, cpu, exec_seconds, labels)| Report {
            rate,
            errors,
            application,
            cpu,
            exec_seconds,
            labels,
            ..Report::default()
        },
    )
}

fn word() -> impl Strategy<Value = Word> {
    let admin = prop_oneof![Just(Admin::Ready), Just(Admin::Drain), Just(Admin::Maint)];
    let percent = prop_oneof![0.0..1.0_f64, Just(0.0), Just(1.0), any::<f64>()];
    let (percent, admin) = (prop::option::of(percent), prop::option::of(admin));
    (
        percent,
        admin,
        prop::option::of(any::<bool>()),
        prop::option::of(0..50_u32),
    )
        .prop_map(|(percent, admin, up, max_connections)| Word {
            percent,
            admin,
            up,
            max_connections,
        })
}

fn told(servers: usize) -> impl Strategy<Value = Told> {
    prop_oneof![
        12 => (0..servers, report()).prop_map(|(i, report)| Told::Report(i, report)),
        2 => (0..servers, any::<bool>()).prop_map(|(i, healthy)| Told::Health(i, healthy)),
        2 => (0..servers, word()).prop_map(|(i, word)| Told::Word(i, word)),
        1 => (0..servers, 0..60_u64).prop_map(|(i, open)| Told::Connections(i, open)),
        1 => (0..servers, prop_oneof![Just(0), 1..1000_u32]).prop_map(|(i, w)| Told::Weight(i, w)),
        8 => prop_oneof![0..3000_u64, 0..60_000_u64].prop_map(Told::Wait),
        1 => Just(Told::Refuse),
    ]
}

fn settings() -> impl Strategy<Value = Settings> {
    let algorithm = prop::sample::select(&ALGORITHMS[..]);
    (algorithm, any::<bool>(), 0.0..1.0_f64, 0.0..2.0_f64).prop_map(
        |(algorithm, none, max_ejection, blackout)| Settings {
            algorithm,
            labels: vec!["a".into()],
            panic_mode: if none {
                PanicMode::None
            } else {
                PanicMode::All
            },
            max_ejection,
            blackout,
            blackout_reports: 1,
            ..Settings::default()
        },
    )
}

struct World {
    master: Master<usize>,
    servers: BTreeMap<usize, Server>,
    now: Duration,
    published: Vec<Duration>,
    refuse: bool,
}

impl World {
    fn new(settings: &Settings, servers: usize) -> Self {
        let labels = |i: usize| {
            if i % 3 == 0 {
                vec!["a".to_owned()]
            } else {
                Vec::new()
            }
        };
        let server = |i: usize| Server {
            weight: 100 * (i as u32 % 4),
            labels: labels(i),
        };
        let servers: BTreeMap<_, _> = (0..servers).map(|i| (i, server(i + 1))).collect();
        let mut master = Master::new(settings.clone());
        master.set_servers(servers.clone(), Duration::ZERO);
        let (now, published, refuse) = (Duration::ZERO, Vec::new(), false);
        Self {
            master,
            servers,
            now,
            published,
            refuse,
        }
    }

    fn hear(&mut self, told: &Told) {
        match told {
            Told::Report(i, report) => drop(self.master.report(i, report, self.now)),
            Told::Health(i, healthy) => self.master.health(i, *healthy, self.now),
            Told::Word(i, word) => self.master.word(i, *word, self.now),
            Told::Connections(i, open) => self.master.connections(i, *open, *open, self.now),
            Told::Weight(i, weight) => {
                self.servers.get_mut(i).unwrap().weight = *weight;
                self.master.set_servers(self.servers.clone(), self.now);
            }
            Told::Wait(ms) => self.now += Duration::from_millis(*ms),
            Told::Refuse => self.refuse = true,
        }
    }

    fn tick(&mut self) -> Option<Proposal<usize>> {
        let outcome = self.master.tick(self.now);
        let Outcome::Publish(proposal) = outcome else {
            return None;
        };
        self.published.push(self.now);
        let ok = !std::mem::take(&mut self.refuse);
        self.master.published(self.now, ok);
        Some(proposal)
    }
}

/// What must hold of any proposal.
fn judge(world: &World, proposal: &Proposal<usize>) -> Result<(), TestCaseError> {
    prop_assert_eq!(proposal.weights.len(), world.servers.len());
    prop_assert!((0.0..=1.0).contains(&proposal.moved));
    let any = world.servers.values().any(|server| server.weight > 0);
    let sum: f64 = proposal.inputs.values().map(|input| input.after).sum();
    prop_assert!(!any || (sum - 1.0).abs() < 1e-9, "shares sum up to {}", sum);
    prop_assert!(
        !any || proposal.weights.values().any(|weight| *weight > 0),
        "an empty pool"
    );
    for (i, weight) in &proposal.weights {
        let share = proposal.inputs[i].after;
        prop_assert!(share.is_finite() && (0.0..=1.0 + 1e-9).contains(&share));
        prop_assert_eq!(*weight > 0, share > 0.0);
        prop_assert!(*weight <= 65535);
        prop_assert!(world.servers[i].weight > 0 || *weight == 0, "0 stays 0");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_is_told_breaks_it(
        settings in settings(),
        servers in 1..14_usize,
        told in prop::collection::vec(told(14), 1..150),
    ) {
        prop_assert!(settings.check().is_ok());
        let mut world = World::new(&settings, servers);
        for told in told.iter().filter(|told| !matches!(told, Told::Weight(i, _) if *i >= servers)) {
            world.hear(told);
            if let Some(proposal) = world.tick() {
                judge(&world, &proposal)?;
            }
            let view = world.master.view(world.now);
            for server in view.servers.values() {
                prop_assert!(server.share.is_finite());
                prop_assert!(server.wanted.is_some_and(f64::is_finite));
            }
        }
        for pair in world.published.windows(2) {
            prop_assert!(pair[1] - pair[0] >= Duration::from_millis(100));
        }
    }

    #[test]
    fn live_servers_keep_the_minimum(
        reports in prop::collection::vec((0..5_usize, report()), 1..200),
        algorithm in prop::sample::select(&ALGORITHMS[..3]),
    ) {
        let settings = Settings { algorithm, blackout: 0.0, blackout_reports: 1, ..Settings::default() };
        let mut world = World::new(&settings, 3);
        for (i, report) in &reports {
            world.hear(&Told::Report(*i, report.clone()));
            world.hear(&Told::Wait(300));
            let Some(proposal) = world.tick() else { continue };
            let all: u32 = world.servers.values().map(|server| server.weight).sum();
            for (i, server) in &world.servers {
                let fair = f64::from(server.weight) / f64::from(all);
                let share = proposal.inputs[i].after;
                prop_assert!(share >= 0.03 * fair - 1e-9, "{} of a fair {}", share, fair);
            }
        }
    }

    #[test]
    fn what_is_taken_over_stays_until_something_is_heard(
        weights in prop::collection::vec(1..3000_u32, 1..10),
        algorithm in prop::sample::select(&ALGORITHMS[..3]),
    ) {
        let mut master = Master::new(Settings { algorithm, ..Settings::default() });
        let server = |weight: &u32| Server { weight: 1 + weight % 7, ..Server::default() };
        master.set_servers(weights.iter().map(server).enumerate(), Duration::ZERO);
        master.adopt(weights.iter().copied().enumerate());
        for i in 0..600 {
            let outcome = master.tick(Duration::from_millis(100 * i));
            prop_assert!(matches!(outcome, Outcome::Hold(_)), "{:?}", outcome);
        }
    }
}
