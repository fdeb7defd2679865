// SPDX-License-Identifier: MIT OR Apache-2.0
//! News of generations, as they become active.

use std::collections::VecDeque;

use netlink_packet_generic::GenlMessage;

use crate::attr::Attributes;
use crate::channel::Channel;
use crate::client::Client;
use crate::error::Result;
use crate::generated::{Command, Generation, GROUP_CONFIG};
use crate::genl::Body;
use crate::socket::{Kernel, Transport};

/// A socket in the multicast group `config`.
#[derive(Debug)]
pub struct Monitor<T = Kernel> {
    channel: Channel<T>,
    family: u16,
    waiting: VecDeque<GenlMessage<Body>>,
}

impl Monitor {
    /// Joins the group. What happens from now on is told by [`Monitor::wait`].
    pub fn connect() -> Result<Self> {
        Self::over(Kernel::generic()?)
    }
}

impl<T: Transport> Monitor<T> {
    /// Joins the group over a socket of the caller's.
    pub fn over(transport: T) -> Result<Self> {
        let (mut channel, family) = Client::over(transport)?.into_parts();
        channel.transport().join(family.group(GROUP_CONFIG)?)?;
        Ok(Self {
            channel,
            family: family.id,
            waiting: VecDeque::new(),
        })
    }

    /// Waits for the next generation.
    ///
    /// # Errors
    /// [`Error::is_overrun`](crate::Error::is_overrun) says that news were lost; the monitor may
    /// be used on, and [`Client::generation`] tells what is active.
    pub fn wait(&mut self) -> Result<Generation> {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                let Body {
                    command,
                    attributes,
                } = &message.payload;
                let ours = message.resolved_family_id() == self.family;
                if ours && *command == Command::GenerationNtf as u8 {
                    return Ok(Generation::decode(attributes)?);
                }
            }
            self.waiting = self.channel.listen()?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::{self, Fake};

    #[test]
    fn news_are_told_and_the_rest_is_passed_over() {
        let mut kernel = Fake::default();
        let generation = |active| Generation {
            active: Some(active),
            ..Generation::default()
        };
        let config = crate::Config::default();
        kernel.answer(vec![fake::message(Command::ConfigApply, &config)]);
        let two = [4, 5].map(|active| fake::message(Command::GenerationNtf, &generation(active)));
        kernel.answer(two.into());
        let mut monitor = Monitor::over(kernel).unwrap();
        assert_eq!(monitor.channel.transport().joined, [fake::GROUP]);
        assert_eq!(monitor.wait().unwrap().active, Some(4));
        assert_eq!(monitor.wait().unwrap().active, Some(5));
    }

    #[test]
    fn lost_news_are_an_overrun() {
        let mut monitor = Monitor::over(Fake::default()).unwrap();
        monitor
            .channel
            .transport()
            .fail(std::io::Error::from(rustix::io::Errno::NOBUFS));
        assert!(monitor.wait().unwrap_err().is_overrun());
    }
}
