// SPDX-License-Identifier: MIT OR Apache-2.0
//! The operations of the family, one method each.

use netlink_packet_generic::GenlMessage;

use crate::attr::{Attributes, Empty, Writer};
use crate::channel::{Ask, Channel};
use crate::error::{Error, Result};
use crate::extack::GENL_HEAD;
use crate::generated::{
    Backend, Command, Config, Connection, Engine, Generation, Pool, Port, Service, ServiceDef,
    Stats,
};
use crate::genl::{Body, Family};
use crate::socket::{Kernel, Transport};

/// A connection to the module in one network namespace.
#[derive(Debug)]
pub struct Client<T = Kernel> {
    channel: Channel<T>,
    family: Family,
}

impl Client {
    /// Connects to the module in the network namespace of the caller.
    ///
    /// # Errors
    /// [`Error::NoModule`] when the module is not loaded and could not be.
    pub fn connect() -> Result<Self> {
        Self::over(Kernel::generic()?)
    }
}

impl<T: Transport> Client<T> {
    /// Connects over a socket of the caller's.
    pub fn over(transport: T) -> Result<Self> {
        let mut channel = Channel::new(transport);
        let family = Family::resolve(&mut channel)?;
        Ok(Self { channel, family })
    }

    /// Every port.
    pub fn ports(&mut self) -> Result<Vec<Port>> {
        self.dump(Command::PortGet, &Empty)
    }

    /// The port whose pseudo interface has this name.
    pub fn port(&mut self, ifname: &str) -> Result<Port> {
        let key = Port {
            ifname: Some(ifname.to_owned()),
            ..Port::default()
        };
        self.get(Command::PortGet, &key)
    }

    /// Moves a port, or its queue pairs, to the engines of other CPUs.
    pub fn set_port(&mut self, port: &Port) -> Result<()> {
        self.run(Command::PortSet, port)
    }

    /// Says how many queue pairs a PCI device is to have the next time it is claimed.
    pub fn plan_port(&mut self, port: &Port) -> Result<()> {
        self.run(Command::PortPlan, port)
    }

    /// Every service.
    pub fn services(&mut self) -> Result<Vec<Service>> {
        self.dump(Command::ServiceGet, &Empty)
    }

    /// Adds a service; what has no value gets the kernel's default.
    pub fn add_service(&mut self, service: &Service) -> Result<()> {
        self.run(Command::ServiceNew, service)
    }

    /// Changes a service; what has no value stays as it is.
    pub fn set_service(&mut self, service: &Service) -> Result<()> {
        self.run(Command::ServiceSet, service)
    }

    /// Deletes a service with its backends.
    pub fn delete_service(&mut self, key: &Service) -> Result<()> {
        self.run(Command::ServiceDel, key)
    }

    /// Every backend, or those of one service.
    pub fn backends(&mut self, service: Option<ServiceDef>) -> Result<Vec<Backend>> {
        self.dump(
            Command::BackendGet,
            &Backend {
                service,
                ..Backend::default()
            },
        )
    }

    /// Adds a backend to a service.
    pub fn add_backend(&mut self, backend: &Backend) -> Result<()> {
        self.run(Command::BackendNew, backend)
    }

    /// Changes the weight of a backend.
    pub fn set_backend(&mut self, backend: &Backend) -> Result<()> {
        self.run(Command::BackendSet, backend)
    }

    /// Deletes a backend.
    pub fn delete_backend(&mut self, key: &Backend) -> Result<()> {
        self.run(Command::BackendDel, key)
    }

    /// Replaces the whole configuration in one generation, or only checks it. The answer has the
    /// generation and how many slots changed their backend.
    pub fn apply(&mut self, config: &Config) -> Result<Config> {
        self.get(Command::ConfigApply, config)
    }

    /// The generations of the active and the standby table.
    pub fn generation(&mut self) -> Result<Generation> {
        self.get(Command::GenerationGet, &Empty)
    }

    /// Makes the standby table active again.
    pub fn rollback(&mut self) -> Result<Generation> {
        self.get(Command::GenerationRollback, &Empty)
    }

    /// Every engine that polls a port of this network namespace.
    pub fn engines(&mut self) -> Result<Vec<Engine>> {
        self.dump(Command::EngineGet, &Empty)
    }

    /// Totals, and drops by reason.
    pub fn stats(&mut self) -> Result<Stats> {
        self.get(Command::StatsGet, &Empty)
    }

    /// Who has how many buffers of the pool.
    pub fn pool(&mut self) -> Result<Pool> {
        self.get(Command::PoolGet, &Empty)
    }

    /// Every tracked connection.
    pub fn connections(&mut self) -> Result<Vec<Connection>> {
        self.dump(Command::ConnectionGet, &Empty)
    }

    /// The warnings that the kernel gave with what it did since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        self.channel.take_warnings()
    }

    /// The channel and the family, for what is not request and answer.
    pub(crate) fn into_parts(self) -> (Channel<T>, Family) {
        (self.channel, self.family)
    }

    fn run<Q: Attributes>(&mut self, command: Command, request: &Q) -> Result<()> {
        let message = self.message(command, request)?;
        self.channel
            .ask(Ask::one(message, GENL_HEAD, Q::SET))
            .map(drop)
    }

    fn get<Q: Attributes, R: Attributes>(&mut self, command: Command, request: &Q) -> Result<R> {
        let message = self.message(command, request)?;
        let answers = self.channel.ask(Ask::one(message, GENL_HEAD, Q::SET))?;
        let Some(answer) = answers.first() else {
            return Err(Error::Unexpected(format!("nothing to {}", command.name())));
        };
        Ok(R::decode(&answer.payload.attributes)?)
    }

    fn dump<Q: Attributes, R: Attributes>(
        &mut self,
        command: Command,
        request: &Q,
    ) -> Result<Vec<R>> {
        let message = self.message(command, request)?;
        let answers = self.channel.ask(Ask::dump(message, GENL_HEAD, Q::SET))?;
        answers
            .iter()
            .map(|answer| Ok(R::decode(&answer.payload.attributes)?))
            .collect()
    }

    fn message(&self, command: Command, set: &impl Attributes) -> Result<GenlMessage<Body>> {
        let attributes = Writer::write(set).ok_or(Error::TooLong)?;
        // CAST: `Command` is `repr(u8)`.
        let mut message = GenlMessage::from_payload(Body {
            command: command as u8,
            attributes,
        });
        message.set_resolved_family_id(self.family.id);
        Ok(message)
    }
}

#[cfg(test)]
mod tests;
