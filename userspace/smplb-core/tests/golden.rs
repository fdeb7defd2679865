// SPDX-License-Identifier: MIT OR Apache-2.0

//! The packet vectors in `tests/golden`: frames in, verdicts and frames out.
//!
//! They were made by a program that knows nothing of the core. A file is one switch and a sequence of
//! frames through it.

mod world;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::path::Path;

use serde::Deserialize;
use smplb_core::channel::wants::ChannelId;
use smplb_core::config::{Mode, Scheduler, ServiceKey, ServiceOptions};
use smplb_core::frame::{Checksum, Origin, PortId, MAX_PORTS};
use smplb_core::route::{Hop, PortInfo, Prefix};
use smplb_core::verdict::Verdict;

use world::{Sent, World};

#[derive(Deserialize)]
struct Vector {
    world: Description,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
struct Description {
    ports: Vec<Port>,
    routes: Vec<Route>,
    neighbours: Vec<Neighbour>,
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Port {
    mac: String,
    mtu: u32,
}

#[derive(Deserialize)]
struct Route {
    prefix: String,
    port: Option<u16>,
    gateway: Option<Ipv4Addr>,
    #[serde(default)]
    host: bool,
}

#[derive(Deserialize)]
struct Neighbour {
    port: u16,
    addr: Ipv4Addr,
    mac: String,
}

#[derive(Deserialize)]
struct Service {
    protocol: String,
    vip: SocketAddrV4,
    mode: Option<String>,
    scheduler: Option<String>,
    announce: Option<bool>,
    backends: Vec<Backend>,
}

#[derive(Deserialize)]
struct Backend {
    addr: SocketAddrV4,
    weight: u32,
}

#[derive(Deserialize)]
struct Step {
    description: String,
    from: String,
    #[serde(default)]
    wait: u32,
    #[serde(default)]
    segment_len: u32,
    checksum: Option<String>,
    frame: String,
    verdict: String,
    out: Option<String>,
}

fn hex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

fn mac(text: &str) -> [u8; 6] {
    hex(&text.replace(':', ""))
        .try_into()
        .expect("a MAC address")
}

fn build(description: &Description) -> World {
    let mut world = World::new(64);
    world.ports = [PortInfo::default(); MAX_PORTS];
    for (place, port) in world.ports.iter_mut().zip(&description.ports) {
        *place = PortInfo::new(mac(&port.mac), port.mtu, true);
    }
    world.prefixes = description.routes.iter().map(prefix).collect();
    world.publish_routes();
    world.neighbours().invalidate(PortId(0), [192, 0, 2, 254]);
    for neighbour in &description.neighbours {
        let (port, addr) = (PortId(neighbour.port), neighbour.addr.octets());
        assert!(world.neighbours().set(port, addr, mac(&neighbour.mac)));
    }
    for service in &description.services {
        let protocol = if service.protocol == "tcp" { 6 } else { 17 };
        let key = ServiceKey {
            protocol,
            addr: service.vip.ip().octets(),
            port: service.vip.port(),
        };
        let options = ServiceOptions {
            mode: service
                .mode
                .as_ref()
                .map(|mode| if mode == "dr" { Mode::Dr } else { Mode::Nat }),
            scheduler: service.scheduler.as_ref().map(|name| {
                if name == "lc" {
                    Scheduler::Lc
                } else {
                    Scheduler::Wrr
                }
            }),
            announce: service.announce,
            timeout: None,
        };
        let built = world.change(|half| {
            half.service_add(key, options)?;
            for backend in &service.backends {
                let (addr, port) = (backend.addr.ip().octets(), backend.addr.port());
                half.backend_add(key, addr, port, backend.weight)?;
            }
            Ok(())
        });
        assert!(built.is_ok(), "{:?}", built.err());
    }
    world
}

fn prefix(route: &Route) -> Prefix {
    let (addr, len) = route.prefix.split_once('/').expect("a prefix");
    let addr: Ipv4Addr = addr.parse().expect("an address");
    let hop = match (route.host, route.port.map(PortId), route.gateway) {
        (true, _, _) => Hop::Host,
        (_, Some(port), Some(gateway)) => Hop::Gateway(port, gateway.octets()),
        (_, Some(port), None) => Hop::Direct(port),
        _ => Hop::None,
    };
    Prefix::new(addr.into(), len.parse().expect("a length"), hop)
}

fn text(verdict: Verdict) -> String {
    match verdict {
        Verdict::Forward(port) => format!("forward {}", port.0),
        Verdict::Stack => "stack".into(),
        Verdict::Reply { len } => format!("reply {len}"),
        Verdict::Resolve { port, addr } => format!("resolve {} {}", port.0, Ipv4Addr::from(addr)),
        Verdict::Channel(ChannelId(number)) => format!("channel {number}"),
        Verdict::Drop(reason) => format!("drop {}", reason.name()),
    }
}

fn run(path: &Path) {
    let content = std::fs::read_to_string(path).expect("a readable file");
    let vector: Vector = serde_json::from_str(&content).expect("a vector");
    let mut world = build(&vector.world);
    for step in &vector.steps {
        let place = format!("{}: {}", path.display(), step.description);
        let frame = hex(&step.frame);
        let (side, port) = step.from.split_once(' ').expect("a side and a port");
        let port = PortId(port.parse().expect("a port"));
        let origin = if side == "host" {
            Origin::Host(port)
        } else {
            Origin::Port(port)
        };
        let partial = step.checksum.as_deref() == Some("partial");
        let checksum = if partial {
            Checksum::Partial
        } else {
            Checksum::Complete
        };
        let sent = Sent {
            checksum,
            segment_len: step.segment_len,
            ..Sent::from(frame.clone())
        };
        world.now += step.wait;
        let (verdict, mut out) = world.send(origin, sent);
        assert_eq!(text(verdict), step.verdict, "{place}");
        if let Verdict::Reply { len } = verdict {
            out.truncate(len.into());
        }
        let expected = step.out.as_deref().map_or(frame, hex);
        assert_eq!(out, expected, "{place}");
    }
}

#[test]
fn vectors() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).expect("the vectors are there") {
        let path = entry.expect("a readable directory").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            run(&path);
            count += 1;
        }
    }
    assert!(count >= 11, "only {count} vectors");
}
