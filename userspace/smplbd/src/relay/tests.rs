// SPDX-License-Identifier: MIT OR Apache-2.0
//! A relay and a daemon's end of it, over loopback, with real certificates.

use std::collections::BTreeMap;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::config;
use crate::key::{BackendKey, ServiceKey};
use crate::switch::memory::Memory;
use crate::switch::remote::Remote;
use crate::switch::{Backend, Definition, Service, State};

/// An authority with files for both ends.
struct Authority {
    dir: TempDir,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = params.self_signed(&key).unwrap();
        let issuer = Issuer::new(params, key);
        let write = |name: &str, text: String| std::fs::write(dir.path().join(name), text).unwrap();
        write("ca.pem", ca.pem());
        for end in ["relay", "daemon"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            write(&format!("{end}.pem"), certificate.pem());
            write(&format!("{end}.key"), key.serialize_pem());
        }
        Self { dir }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

struct Bench {
    switch: Memory,
    addr: SocketAddr,
    authority: Authority,
    _stop: oneshot::Sender<()>,
}

impl Bench {
    async fn new(allow_create: bool) -> Self {
        let authority = Authority::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let args = Args {
            listen: addr,
            certificate: authority.file("relay.pem"),
            key: authority.file("relay.key"),
            client_ca: authority.file("ca.pem"),
            allow_create,
            log: "info".to_owned(),
        };
        let switch = Memory::new(state());
        let served = Arc::new(switch.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(&args, listener, served, stopped).await.unwrap();
        });
        Self {
            switch,
            addr,
            authority,
            _stop: stop,
        }
    }

    fn daemon(&self, authority: &Authority) -> Remote {
        let config = config::Remote {
            url: format!("https://localhost:{}", self.addr.port()),
            ca: self.authority.file("ca.pem"),
            certificate: authority.file("daemon.pem"),
            key: authority.file("daemon.key"),
            server_name: None,
        };
        Remote::new(&config).unwrap()
    }

    fn own(&self) -> Remote {
        self.daemon(&self.authority)
    }
}

fn web() -> ServiceKey {
    "tcp:192.0.2.1:80".parse().unwrap()
}

fn server(last: u8) -> BackendKey {
    BackendKey::parse(&format!("10.0.0.{last}:8080"), 80).unwrap()
}

fn state() -> State {
    let backend = Backend {
        weight: 7,
        active: 3,
        connections: 9,
        packets: 4,
        bytes: 5,
        reply_packets: 6,
        reply_bytes: 8,
    };
    let service = Service {
        definition: Definition {
            scheduler: Some(smplb_nl::Scheduler::Lc),
            mode: Some(smplb_nl::Mode::Dr),
            timeout: Some(60),
            announce: Some(false),
        },
        packets: 1,
        bytes: 2,
        connections: 3,
        slots: 4,
        backends: BTreeMap::from([(server(1), backend)]),
    };
    State {
        generation: 41,
        services: BTreeMap::from([(web(), service)]),
        engines: vec![smplb_nl::Engine {
            cpu: Some(2),
            busy_time: Some(1 << 40),
            ..smplb_nl::Engine::default()
        }],
        ports: vec![smplb_nl::Port {
            ifname: Some("smplb0".to_owned()),
            cpu: vec![1, 2],
            rx_bytes: Some(u64::MAX),
            ..smplb_nl::Port::default()
        }],
        drops: vec![smplb_nl::Drop {
            reason: Some(smplb_nl::DropReason::NoRoute),
            packets: Some(11),
        }],
        connections: 12,
        connections_max: 13,
        pool: smplb_nl::Pool {
            buffers: Some(14),
            ..smplb_nl::Pool::default()
        },
    }
}

#[tokio::test]
async fn a_switch_arrives_as_it_is() {
    let bench = Bench::new(false).await;
    assert_eq!(bench.own().read().await.unwrap(), state());
}

#[tokio::test]
async fn weights_and_backends_are_published() {
    let bench = Bench::new(false).await;
    let changes = vec![
        Change::SetWeight(web(), server(1), 900),
        Change::AddBackend(web(), server(2), 1100),
        Change::RemoveBackend(web(), server(1)),
    ];
    let published = bench.own().publish(changes.clone(), 41).await.unwrap();
    assert_eq!((published.generation, published.slots_moved), (42, 3));
    assert_eq!(bench.switch.inner().published[0].1, changes);
}

#[tokio::test]
async fn what_the_switch_says_arrives_as_what_it_is() {
    let bench = Bench::new(false).await;
    let daemon = bench.own();
    let change = vec![Change::SetWeight(web(), server(1), 1)];
    let stale = daemon.publish(change.clone(), 40).await;
    assert_eq!(stale, Err(SwitchError::Conflict(40)));
    let refusal = SwitchError::Refused("no room".to_owned());
    bench.switch.inner().failures.push_back(refusal.clone());
    assert_eq!(daemon.publish(change.clone(), 41).await, Err(refusal));
    let gone = SwitchError::Unavailable("the module is not loaded".to_owned());
    bench.switch.inner().failures.push_back(gone);
    let error = daemon.publish(change, 41).await.unwrap_err();
    assert_eq!(error.reason(), "unavailable");
    assert!(
        error.to_string().contains("the module is not loaded"),
        "{error}"
    );
}

#[tokio::test]
async fn services_are_only_changed_where_that_is_allowed() {
    let other = ServiceKey { port: 81, ..web() };
    let add = Change::AddService(other, Definition::default());
    for change in [add, Change::RemoveService(web())] {
        let bench = Bench::new(false).await;
        let weight = Change::SetWeight(web(), server(1), 1);
        let error = bench
            .own()
            .publish(vec![weight, change], 41)
            .await
            .unwrap_err();
        assert!(matches!(&error, SwitchError::Refused(why) if why.contains("--allow-create")));
        // All or nothing.
        assert!(bench.switch.inner().published.is_empty());

        let bench = Bench::new(true).await;
        bench.own().publish(vec![change], 41).await.unwrap();
        assert_eq!(bench.switch.inner().published[0].1, [change]);
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_certificate_of_the_authority() {
    use crate::switch::wire::proto::switch_client::SwitchClient;
    use tonic::transport::{ClientTlsConfig, Endpoint};

    let bench = Bench::new(true).await;
    // A foreign one.
    let error = bench.daemon(&Authority::new()).read().await.unwrap_err();
    assert_eq!(error.reason(), "unavailable", "{error}");
    // None.
    let ca = std::fs::read(bench.authority.file("ca.pem")).unwrap();
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(ca));
    let url = format!("https://localhost:{}", bench.addr.port());
    let endpoint = Endpoint::from_shared(url).unwrap().tls_config(tls).unwrap();
    let mut client = SwitchClient::new(endpoint.connect_lazy());
    assert!(client.read(ReadRequest {}).await.is_err());
    // No TLS at all.
    let plain = Endpoint::from_shared(format!("http://{}", bench.addr)).unwrap();
    let mut client = SwitchClient::new(plain.connect_lazy());
    assert!(client.read(ReadRequest {}).await.is_err());
    // None of them got as far as the switch.
    assert_eq!(bench.switch.inner().reads, 0);
    assert!(bench.own().read().await.is_ok());
}

#[tokio::test]
async fn the_daemon_does_not_talk_to_a_foreign_relay() {
    let bench = Bench::new(false).await;
    let foreign = Authority::new();
    let config = config::Remote {
        url: format!("https://localhost:{}", bench.addr.port()),
        ca: foreign.file("ca.pem"),
        certificate: bench.authority.file("daemon.pem"),
        key: bench.authority.file("daemon.key"),
        server_name: None,
    };
    let error = Remote::new(&config).unwrap().read().await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(bench.switch.inner().reads, 0);
}

#[tokio::test]
async fn what_is_too_great_or_too_often_is_refused() {
    let bench = Bench::new(false).await;
    let daemon = bench.own();
    let many = vec![Change::SetWeight(web(), server(1), 1); MAX_REQUEST / 16];
    assert!(daemon.publish(many, 41).await.is_err());
    assert!(bench.switch.inner().published.is_empty());

    let mut refused = 0;
    for _ in 0..3 * READINGS {
        refused += u32::from(daemon.read().await.is_err());
    }
    let reads = bench.switch.inner().reads;
    assert!(refused > 0 && reads > 0, "{refused} refused, {reads} done");
}

#[tokio::test]
async fn a_relay_that_comes_back_is_found_again() {
    let bench = Bench::new(false).await;
    let daemon = bench.own();
    bench.switch.inner().down = Some(SwitchError::Unavailable("gone".to_owned()));
    assert!(daemon.read().await.is_err());
    bench.switch.inner().down = None;
    assert!(daemon.read().await.is_ok());
}
