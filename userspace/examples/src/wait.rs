// SPDX-License-Identifier: MIT OR Apache-2.0

//! Waiting for a channel.

use std::time::Duration;

use anyhow::Result;
use rustix::event::{poll, PollFd, PollFlags, Timespec};
use smplb_ring::{Channel, Error};

/// Sleeps until something comes, at most for some time.
pub fn for_frames(channel: &Channel, most: Option<Duration>) -> Result<()> {
    let mut wanted = [PollFd::new(channel, PollFlags::IN)];
    let most = most.map(Timespec::try_from).transpose()?;
    poll(&mut wanted, most.as_ref())?;
    if wanted[0].revents().contains(PollFlags::HUP) {
        return Err(Error::Closed.into());
    }
    Ok(())
}
