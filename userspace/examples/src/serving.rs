// SPDX-License-Identifier: MIT OR Apache-2.0

//! How an application is served and serves.

use clap::Args;
use smplb_ring::{Channel, Error, Options};

/// What all applications that answer are told.
#[derive(Args)]
pub struct Serving {
    /// The CPU of the engine that serves the channel [default: that of the first port].
    #[arg(long)]
    cpu: Option<u32>,
    /// Share the buffers of the switch, so that nothing is copied.
    #[arg(long)]
    trusted: bool,
    /// Sleep when there is nothing to do, rather than look all the time.
    #[arg(long)]
    pub sleep: bool,
}

impl Serving {
    /// Opens a channel there.
    pub fn open(&self, options: Options) -> Result<Channel, Error> {
        Channel::open(&Options {
            cpu: self.cpu,
            trusted: self.trusted,
            ..options
        })
    }
}
