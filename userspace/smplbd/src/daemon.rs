// SPDX-License-Identifier: MIT OR Apache-2.0
//! The parts put together, and signals.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{bail, Context, Result};
use clap::CommandFactory;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{signal, Signal, SignalKind};
use tokio::sync::{mpsc, oneshot};

use crate::board::Board;
use crate::cli::{Cli, Command as Other};
use crate::config::{Config, Format};
use crate::control::{Command, Control};
use crate::log::{self, Filter};
use crate::manager::{self, Manager};
use crate::notify::Notify;
use crate::switch::kernel::Kernel;
use crate::switch::remote::Remote;
use crate::switch::Switch;
use crate::{metrics, relay};

/// Does what the command line says.
///
/// # Errors
/// What could not be done, for standard error.
pub fn main(cli: Cli) -> Result<()> {
    match (cli.command, cli.config) {
        (Some(Other::Man(args)), _) => args.run(Cli::command),
        (Some(Other::Relay(args)), _) => runtime()?.block_on(serve_relay(&args)),
        (None, Some(file)) if cli.check => check(&file),
        (None, Some(file)) => {
            let config = Config::load(&file)?;
            runtime()?.block_on(run(file, config))
        }
        (None, None) => bail!("no configuration: give --config FILE"),
    }
}

/// Two threads do: nearly all of it is waiting, and the machine is there to switch packets.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("runtime")
}

fn check(file: &Path) -> Result<()> {
    Config::load(file)?;
    println!("{}: ok", file.display());
    Ok(())
}

async fn serve_relay(args: &relay::Args) -> Result<()> {
    log::start(&args.log, Format::Text)?;
    let mut ends = Ends::new()?;
    let switch = Arc::new(Kernel::start().context("kernel")?);
    let listener = listen(args.listen).await?;
    let notify = Notify::systemd();
    tracing::info!(listen = %args.listen, allow_create = args.allow_create, "relay starts");
    notify.ready();
    let stop = async {
        ends.wait().await;
        notify.stopping();
    };
    relay::serve(args, listener, switch, stop).await
}

async fn run(file: PathBuf, config: Config) -> Result<()> {
    let filter = log::start(&config.daemon.log, config.daemon.format)?;
    let mut ends = Ends::new()?;
    let mut hangups = signal(SignalKind::hangup()).context("SIGHUP")?;
    let switch = switch(&config)?;
    let board = Board::default();
    if let Some(addr) = config.daemon.metrics {
        let listener = listen(addr).await?;
        let board = board.clone();
        tokio::spawn(async move {
            if let Err(error) = metrics::serve(listener, board).await {
                tracing::error!(%error, "metrics are no longer served");
            }
        });
    }
    let (tell, news) = mpsc::channel(manager::QUEUE);
    let notify = Notify::systemd();
    let control = Control::new(
        switch,
        Manager::new(tell),
        notify.clone(),
        board,
        &config.services,
    );
    let (order, orders) = mpsc::channel(1);
    let mut control = tokio::spawn(control.run(news, orders));
    tracing::info!(
        file = %file.display(),
        services = config.services.len(),
        switch = config.switch.as_ref().map_or("kernel", |remote| remote.url.as_str()),
        "smplbd starts"
    );
    let mut running = config;
    loop {
        tokio::select! {
            () = ends.wait() => {
                notify.stopping();
                tracing::info!("smplbd ends; the switch goes on with the shares it has");
                drop(order.send(Command::Stop).await);
                return control.await.context("control loop");
            }
            _ = hangups.recv() => {
                running = reload(&file, running, &order, &notify, &filter).await;
            }
            ended = &mut control => {
                ended.context("control loop")?;
                bail!("the control loop has ended");
            }
        }
    }
}

fn switch(config: &Config) -> Result<Arc<dyn Switch>> {
    Ok(match &config.switch {
        Some(remote) => Arc::new(Remote::new(remote)?),
        None => Arc::new(Kernel::start().context("kernel")?),
    })
}

async fn listen(addr: std::net::SocketAddr) -> Result<TcpListener> {
    let listener = TcpListener::bind(addr).await;
    listener.with_context(|| format!("cannot listen on {addr}"))
}

/// SIGHUP: the file is judged first, and only a good one is gone on with.
async fn reload(
    file: &Path,
    running: Config,
    order: &mpsc::Sender<Command>,
    notify: &Notify,
    filter: &Filter,
) -> Config {
    notify.reloading();
    let name = file.to_owned();
    let loaded = tokio::task::spawn_blocking(move || Config::load(&name)).await;
    let config = match loaded {
        Ok(Ok(config)) => config,
        Ok(Err(error)) => {
            for line in error.lines() {
                tracing::error!("reload refused, the old configuration goes on: {line}");
            }
            drop(order.send(Command::Refused).await);
            notify.reloaded();
            return running;
        }
        Err(error) => {
            tracing::error!(%error, "reload failed, the old configuration goes on");
            drop(order.send(Command::Refused).await);
            notify.reloaded();
            return running;
        }
    };
    for (name, differs) in [
        ("switch", config.switch != running.switch),
        (
            "daemon: metrics",
            config.daemon.metrics != running.daemon.metrics,
        ),
        (
            "daemon: format",
            config.daemon.format != running.daemon.format,
        ),
    ] {
        if differs {
            tracing::warn!("{name} is changed in the file: restart smplbd to make it so");
        }
    }
    if let Err(error) = filter.set(&config.daemon.log) {
        tracing::error!(%error, "the filter of the log stays as it is");
    }
    let (done, taken) = oneshot::channel();
    drop(
        order
            .send(Command::Reload(config.services.clone(), done))
            .await,
    );
    drop(taken.await);
    tracing::info!(file = %file.display(), services = config.services.len(), "reloaded");
    notify.reloaded();
    // What needs a restart stays as it was, so that the next reload tells it again.
    Config {
        switch: running.switch,
        daemon: crate::config::Daemon {
            log: config.daemon.log,
            ..running.daemon
        },
        services: config.services,
    }
}

/// Signals that end a program.
struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    fn new() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
