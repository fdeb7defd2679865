// SPDX-License-Identifier: MIT OR Apache-2.0
//! The agent at work: one loop that makes reports, takes connections, and listens to signals and
//! to the service manager.

mod manager;

use std::future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{signal, SignalKind};
use tokio::time::{interval, sleep, sleep_until, Instant, Interval};
use tracing::{error, info, warn};

use crate::agent_check;
use crate::config::Config;
use crate::sampler::Sampler;
use crate::server::tls::Material;
use crate::server::{listen, Demand, Server};

/// The longest time between reports when the configuration names none.
const USUAL: Duration = Duration::from_secs(1);

/// Time between the first two looks, the least from which CPU utilization can be told.
const FIRST: Duration = Duration::from_millis(250);

/// The agent.
struct Agent {
    config: Config,
    file: Option<PathBuf>,
    tls: Option<Material>,
    sampler: Sampler,
    server: Server,
}

/// Runs until a signal ends it. `file` is where the configuration came from, and `at` where to
/// listen if the command line says so.
pub async fn run(config: Config, file: Option<PathBuf>, at: Option<SocketAddr>) -> Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut agent = Agent::start(config, file).await?;
    let demand = agent.server.demand();
    let mut changes = demand.changes();
    let mut watchdog = manager::watchdog().map(interval);
    let mut last = Instant::now();
    manager::ready(&demand);
    loop {
        tokio::select! {
            () = sleep_until(last + agent.period(&demand)) => {
                agent.sampler.sample();
                last = Instant::now();
            }
            () = agent.server.accept() => {}
            // Another period, perhaps, which the next turn of the loop sees.
            _ = changes.changed() => manager::status(&demand),
            () = tick(watchdog.as_mut()) => manager::alive(),
            _ = hang_up.recv() => {
                manager::reloading();
                agent.reload(at);
                manager::ready(&demand);
            }
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    manager::stopping();
    info!("ends");
    agent.server.end().await;
    Ok(())
}

impl Agent {
    async fn start(config: Config, file: Option<PathBuf>) -> Result<Self> {
        let tls = config.tls.as_ref().map(Material::read).transpose()?;
        let listener = listen(config.listen)
            .await
            .with_context(|| match config.listen {
                Some(at) => format!("cannot listen on {at}; see `listen`"),
                None => format!(
                    "cannot listen on port {}; see `listen`",
                    crate::server::PORT
                ),
            })?;
        let at = listener.local_addr()?;
        let mut sampler = Sampler::new(&config);
        sampler.sample();
        let mut server = Server::new(listener, &config, sampler.newest());
        let tls_config = tls.as_ref().map(Material::config).transpose()?;
        server.configure(&config, tls_config)?;
        if let Some(check) = config.agent_check {
            let listener = listen(Some(check.listen)).await;
            let listener = listener.with_context(|| {
                let at = check.listen;
                format!("cannot listen on {at}; see `agent-check.listen`")
            })?;
            tokio::spawn(agent_check::serve(listener, sampler.newest()));
        }
        // With the second look the first report is whole.
        sleep(FIRST).await;
        sampler.sample();
        let sources = config.sources.len();
        let known = tls.as_ref().is_some_and(Material::knows_clients);
        info!(listen = %at, tls = tls.is_some(), client_certificates = known, sources, "reports");
        Ok(Self {
            config,
            file,
            tls,
            sampler,
            server,
        })
    }

    /// Time between looks.
    fn period(&self, demand: &Demand) -> Duration {
        let asked = demand.smallest().unwrap_or(USUAL).min(USUAL);
        let period = self.config.sample.unwrap_or(asked);
        period.max(self.config.min_interval)
    }

    /// Reads the configuration again; with an error in it, all stays as it was.
    fn reload(&mut self, at: Option<SocketAddr>) {
        let Some(file) = &self.file else {
            info!("there is no configuration to read again");
            return;
        };
        let read = || -> Result<(Config, Option<Material>)> {
            let config = Config::read(file)?;
            let tls = config.tls.as_ref().map(Material::read).transpose()?;
            Ok((config, tls))
        };
        let outcome = read().and_then(|(config, tls)| self.apply(config, tls, at));
        match outcome {
            Ok(()) => info!("has read its configuration again"),
            Err(error) => error!("goes on as before: {error:#}"),
        }
    }

    fn apply(
        &mut self,
        mut config: Config,
        tls: Option<Material>,
        at: Option<SocketAddr>,
    ) -> Result<()> {
        config.listen = at.or(config.listen);
        let before = &self.config;
        for (key, same) in [
            ("listen", before.listen == config.listen),
            ("agent-check", before.agent_check == config.agent_check),
            ("max-streams", before.max_streams == config.max_streams),
            ("log", before.log == config.log),
            ("format", before.format == config.format),
        ] {
            if !same {
                warn!("{key} has changed, which needs a restart");
            }
        }
        let same_terms = before.interval == config.interval
            && before.min_interval == config.min_interval
            && self.tls == tls;
        if !same_terms {
            let tls_config = tls.as_ref().map(Material::config).transpose()?;
            self.server.configure(&config, tls_config)?;
        }
        self.sampler.configure(&config);
        self.tls = tls;
        self.config = config;
        Ok(())
    }
}

/// The next tick, if there are ticks.
async fn tick(ticks: Option<&mut Interval>) {
    match ticks {
        Some(ticks) => drop(ticks.tick().await),
        None => future::pending().await,
    }
}
