// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel of this host. Its netlink socket is synchronous, so a thread of its own has it: a
//! kernel that hangs holds up that thread, not the control loop.

mod desk;
mod news;

use std::sync::mpsc;
use std::thread;

use smplb_nl::Client;
use tokio::sync::{oneshot, watch};

use super::{Change, Published, State, Switch, SwitchError};
use desk::Desk;

enum Job {
    Read(oneshot::Sender<Result<State, SwitchError>>),
    Publish(
        Vec<Change>,
        u64,
        oneshot::Sender<Result<Published, SwitchError>>,
    ),
}

/// The kernel of this host.
#[derive(Debug)]
pub struct Kernel {
    jobs: mpsc::SyncSender<Job>,
    news: Option<watch::Receiver<u64>>,
}

impl Kernel {
    /// Starts the threads that talk and listen to it. Whether it is there is found by the first
    /// [`Switch::read`].
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> std::io::Result<Self> {
        // One job waits at most: whoever asks gives up after a while, and asks again.
        let (jobs, queue) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name("kernel".to_owned())
            .spawn(move || serve(&queue))?;
        Ok(Self {
            jobs,
            news: Some(news::listen()?),
        })
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, SwitchError>>) -> Job,
    ) -> Result<T, SwitchError> {
        let (answer, answered) = oneshot::channel();
        let busy = |_| SwitchError::Unavailable("the kernel has not yet answered".to_owned());
        self.jobs.try_send(job(answer)).map_err(busy)?;
        let gone = |_| SwitchError::Unavailable("the thread to the kernel has ended".to_owned());
        answered.await.map_err(gone)?
    }
}

#[tonic::async_trait]
impl Switch for Kernel {
    async fn read(&self) -> Result<State, SwitchError> {
        self.ask(Job::Read).await
    }

    async fn publish(
        &self,
        changes: Vec<Change>,
        expect_generation: u64,
    ) -> Result<Published, SwitchError> {
        self.ask(|answer| Job::Publish(changes, expect_generation, answer))
            .await
    }

    fn news(&self) -> Option<watch::Receiver<u64>> {
        self.news.clone()
    }
}

fn serve(queue: &mpsc::Receiver<Job>) {
    let mut desk = Desk::new(Client::connect);
    while let Ok(job) = queue.recv() {
        // A job whose asker has given up must not be done late, and unseen.
        match job {
            Job::Read(answer) if !answer.is_closed() => drop(answer.send(desk.read())),
            Job::Publish(changes, expect, answer) if !answer.is_closed() => {
                drop(answer.send(desk.publish(&changes, expect)));
            }
            Job::Read(_) | Job::Publish(..) => {}
        }
    }
}
