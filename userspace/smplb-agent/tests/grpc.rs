// SPDX-License-Identifier: MIT OR Apache-2.0
//! The server of reports, asked by a real client over the loopback interface.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
};
use smplb_agent::config::{Config, Tls};
use smplb_agent::report::{Field, Report};
use smplb_agent::server::tls::Material;
use smplb_agent::server::{listen, Demand, Server};
use smplb_orca::open_rca_service_client::OpenRcaServiceClient;
use smplb_orca::{OrcaLoadReport, OrcaLoadReportRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status, Streaming};

type Client = OpenRcaServiceClient<Channel>;

/// A server with a report that the test makes.
struct Agent {
    address: SocketAddr,
    report: watch::Sender<Report>,
    demand: Demand,
    again: mpsc::Sender<(Config, Option<Tls>)>,
    task: JoinHandle<()>,
}

impl Agent {
    async fn start(config: &str) -> Self {
        Self::start_with(config, None).await
    }

    async fn start_with(config: &str, tls: Option<Tls>) -> Self {
        let config = Config::parse(config).unwrap();
        let (report, newest) = watch::channel(Report::default());
        let listener = listen(Some("127.0.0.1:0".parse().unwrap())).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut server = Server::new(listener, &config, newest);
        let demand = server.demand();
        configure(&mut server, &config, tls);
        let (again, mut changes) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = server.accept() => {}
                    change = changes.recv() => match change {
                        Some((config, tls)) => configure(&mut server, &config, tls),
                        None => break,
                    },
                }
            }
            server.end().await;
        });
        Self {
            address,
            report,
            demand,
            again,
            task,
        }
    }

    fn set(&self, field: Field, value: f64) {
        self.report
            .send_modify(|report| report.set(field, value).unwrap());
    }

    async fn client(&self) -> Client {
        let to = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        OpenRcaServiceClient::new(to.connect().await.unwrap())
    }
}

fn configure(server: &mut Server, config: &Config, tls: Option<Tls>) {
    let tls = tls.map(|files| Material::read(&files).unwrap().config().unwrap());
    server.configure(config, tls).unwrap();
}

fn every(millis: Option<i32>) -> OrcaLoadReportRequest {
    OrcaLoadReportRequest {
        report_interval: millis.map(|millis| prost_types::Duration {
            seconds: i64::from(millis / 1000),
            nanos: millis % 1000 * 1_000_000,
        }),
        request_cost_names: vec!["ignored".to_owned()],
    }
}

async fn stream(client: &mut Client, millis: Option<i32>) -> Streaming<OrcaLoadReport> {
    client
        .stream_core_metrics(every(millis))
        .await
        .unwrap()
        .into_inner()
}

async fn next(stream: &mut Streaming<OrcaLoadReport>) -> Result<OrcaLoadReport, Status> {
    let message = timeout(Duration::from_secs(10), stream.message()).await;
    Ok(message
        .expect("nothing came")?
        .expect("the stream has ended"))
}

#[tokio::test]
async fn the_first_report_comes_at_once_and_the_rest_by_the_interval() {
    let agent = Agent::start("").await;
    agent.set(Field::Cpu, 1.5);
    agent.set(Field::Clients, 7.0);
    let mut client = agent.client().await;
    // 0 and what is below the least interval mean the least, 0.1 s; none means 1 s.
    for (asked, interval) in [
        (Some(0), 0.1_f64),
        (Some(20), 0.1),
        (Some(300), 0.3),
        (None, 1.0),
    ] {
        let start = Instant::now();
        let mut reports = stream(&mut client, asked).await;
        let first = next(&mut reports).await.unwrap();
        assert!(
            start.elapsed().as_secs_f64() < interval.min(0.25),
            "{asked:?}"
        );
        assert_eq!(first.cpu_utilization, 1.5);
        assert_eq!(
            first.named_metrics,
            [("smplb.clients".to_owned(), 7.0)].into()
        );
        assert_eq!(
            agent.demand.smallest(),
            Some(Duration::from_secs_f64(interval))
        );
        let start = Instant::now();
        for _ in 0..3 {
            next(&mut reports).await.unwrap();
        }
        let took = start.elapsed().as_secs_f64();
        assert!(
            took > interval * 2.5 && took < interval * 3.0 + 0.6,
            "{asked:?}: {took}"
        );
    }
}

#[tokio::test]
async fn every_report_is_whole_and_new() {
    let agent = Agent::start("min-interval = 0.02").await;
    agent.set(Field::Rps, 1.0);
    let mut client = agent.client().await;
    let mut reports = stream(&mut client, Some(20)).await;
    for n in 0..5 {
        agent.set(Field::Eps, f64::from(n));
        // One may be on its way.
        next(&mut reports).await.unwrap();
        let report = next(&mut reports).await.unwrap();
        assert_eq!((report.rps_fractional, report.eps), (1.0, f64::from(n)));
    }
}

#[tokio::test]
async fn one_stream_too_many_is_refused_until_one_goes() {
    let agent = Agent::start("").await;
    let mut client = agent.client().await;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(stream(&mut client, None).await);
    }
    assert_eq!(agent.demand.streams(), 64);
    // It does not matter from where.
    let mut other = agent.client().await;
    for client in [&mut client, &mut other] {
        let refusal = client.stream_core_metrics(every(None)).await.unwrap_err();
        assert_eq!(refusal.code(), Code::ResourceExhausted);
    }
    streams.pop();
    for _ in 0..100 {
        sleep(Duration::from_millis(20)).await;
        if agent.demand.streams() == 63 {
            break;
        }
    }
    next(&mut stream(&mut client, None).await).await.unwrap();
}

#[tokio::test]
async fn a_request_too_big_is_refused() {
    let agent = Agent::start("").await;
    let mut client = agent.client().await;
    let request = OrcaLoadReportRequest {
        report_interval: None,
        request_cost_names: vec!["x".repeat(1000); 20],
    };
    let refusal = client.stream_core_metrics(request).await.unwrap_err();
    assert_eq!(refusal.code(), Code::OutOfRange);
    next(&mut stream(&mut client, None).await).await.unwrap();
}

#[tokio::test]
async fn nothing_queues_up_for_a_slow_reader() {
    let agent = Agent::start("min-interval = 0.01").await;
    // Reports that fill what a connection holds on its way before long.
    for n in 0..60 {
        agent.set(Field::Named(format!("{n:0>100}")), 1.0);
    }
    let small = Endpoint::from_shared(format!("http://{}", agent.address)).unwrap();
    let small = small.initial_stream_window_size(16 << 10);
    let mut client = OpenRcaServiceClient::new(small.connect().await.unwrap());
    let mut reports = stream(&mut client, Some(10)).await;
    next(&mut reports).await.unwrap();
    agent.set(Field::Rps, 1.0);
    sleep(Duration::from_secs(2)).await;
    agent.set(Field::Rps, 2.0);
    let mut old = 0;
    while next(&mut reports).await.unwrap().rps_fractional < 2.0 {
        old += 1;
    }
    // In two seconds there were 200 ticks.
    assert!(old < 40, "{old} old reports");
}

#[tokio::test]
async fn strangers_do_not_hurt() {
    let agent = Agent::start("").await;
    for nonsense in ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\0", ""] {
        let mut stranger = TcpStream::connect(agent.address).await.unwrap();
        stranger.write_all(nonsense.as_bytes()).await.unwrap();
        stranger.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let ended = timeout(Duration::from_secs(5), stranger.read_to_end(&mut answer));
        let _ = ended.await.expect("the connection stays");
    }
    let mut client = agent.client().await;
    next(&mut stream(&mut client, None).await).await.unwrap();
}

#[tokio::test]
async fn the_end_is_told() {
    let agent = Agent::start("").await;
    let mut client = agent.client().await;
    let mut reports = stream(&mut client, Some(30_000)).await;
    next(&mut reports).await.unwrap();
    let Agent { again, task, .. } = agent;
    drop(again);
    let end = next(&mut reports).await.unwrap_err();
    assert_eq!(end.code(), Code::Unavailable);
    timeout(Duration::from_secs(5), task)
        .await
        .expect("it does not end")
        .unwrap();
}

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    fn sign(&self, usage: ExtendedKeyUsagePurpose) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.extended_key_usages.push(usage);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        (pem, key.serialize_pem())
    }

    /// Writes the files of an agent.
    fn files(&self, dir: &Path) -> Tls {
        let (certificate, key) = self.sign(ExtendedKeyUsagePurpose::ServerAuth);
        let write = |name: &str, pem: &str| -> PathBuf {
            fs::write(dir.join(name), pem).unwrap();
            dir.join(name)
        };
        Tls {
            certificate: write("agent.pem", &certificate),
            key: write("agent.key", &key),
            client_ca: Some(write("ca.pem", &self.pem)),
        }
    }

    /// Asks an agent, with a certificate of `signer` or without.
    async fn ask(&self, at: SocketAddr, signer: Option<&Self>) -> Result<OrcaLoadReport, String> {
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(&self.pem))
            .domain_name("localhost");
        if let Some(signer) = signer {
            let (certificate, key) = signer.sign(ExtendedKeyUsagePurpose::ClientAuth);
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        let to = Endpoint::from_shared(format!("https://{at}")).unwrap();
        let channel = to.tls_config(tls).unwrap().connect().await;
        let channel = channel.map_err(|error| format!("{error:?}"))?;
        let asked = OpenRcaServiceClient::new(channel)
            .stream_core_metrics(every(None))
            .await;
        let mut reports = asked.map_err(|status| format!("{status:?}"))?.into_inner();
        next(&mut reports)
            .await
            .map_err(|status| format!("{status:?}"))
    }
}

#[tokio::test]
async fn clients_need_a_certificate_of_the_right_signer() {
    let (ours, other) = (Authority::new("one"), Authority::new("two"));
    let dir = tempfile::tempdir().unwrap();
    let agent = Agent::start_with("", Some(ours.files(dir.path()))).await;
    agent.set(Field::Cpu, 0.5);
    let report = ours.ask(agent.address, Some(&ours)).await.unwrap();
    assert_eq!(report.cpu_utilization, 0.5);
    ours.ask(agent.address, None).await.unwrap_err();
    ours.ask(agent.address, Some(&other)).await.unwrap_err();
    // The agent's own certificate is checked by the client.
    let error = other.ask(agent.address, Some(&ours)).await.unwrap_err();
    assert!(error.contains("UnknownIssuer"), "{error}");
    // And without encryption there is no answer at all.
    let plain = Endpoint::from_shared(format!("http://{}", agent.address)).unwrap();
    if let Ok(channel) = plain.connect().await {
        let mut client = OpenRcaServiceClient::new(channel);
        client.stream_core_metrics(every(None)).await.unwrap_err();
    }
    ours.ask(agent.address, Some(&ours)).await.unwrap();
}

#[tokio::test]
async fn certificates_can_change_at_work() {
    let (old, new) = (Authority::new("one"), Authority::new("two"));
    let dir = tempfile::tempdir().unwrap();
    let agent = Agent::start_with("", Some(old.files(dir.path()))).await;
    old.ask(agent.address, Some(&old)).await.unwrap();
    let changed = (Config::default(), Some(new.files(dir.path())));
    agent.again.send(changed).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    new.ask(agent.address, Some(&new)).await.unwrap();
    new.ask(agent.address, Some(&old)).await.unwrap_err();
    old.ask(agent.address, Some(&old)).await.unwrap_err();
}
