// SPDX-License-Identifier: GPL-2.0

//! The channels of a switch, and what they want.

use super::{Channel, Desk};
use crate::core_::channel::bells::CHANNELS;
use crate::core_::channel::wants::{arrange, ChannelId, Rule, Sieve, Want, Wants};
use crate::core_::frame::PortId;
use crate::engine;
use crate::kapi::rcu_arc::RcuArc;
use kernel::prelude::*;
use kernel::sync::{new_mutex, rcu, Arc, Mutex};

/// Most that one channel can want.
const RULES: usize = 1024;

/// What engines read; never changed once it is published.
pub(crate) struct Audience {
    rules: KVVec<Rule>,
    sieve: Sieve,
    channels: KVVec<Option<Arc<Channel>>>,
}

impl Audience {
    /// As the core wants it.
    #[inline(always)]
    pub(crate) fn wants(&self) -> Wants<'_> {
        Wants::new(&self.rules, &self.sieve)
    }

    /// The channel with a number.
    #[inline(always)]
    pub(crate) fn channel(&self, id: ChannelId) -> Option<&Channel> {
        self.channels.get(usize::from(id.0))?.as_deref()
    }
}

/// What the control CPU knows, from which an [`Audience`] is made.
pub(super) struct Members {
    /// In order.
    rules: KVVec<Rule>,
    channels: KVVec<Option<Arc<Channel>>>,
    pub(super) desks: KVec<Arc<Desk>>,
}

/// The channels of a switch.
#[pin_data]
pub(crate) struct Channels {
    audience: RcuArc<Audience>,
    /// Serialises changes.
    #[pin]
    pub(super) members: Mutex<Members>,
}

impl Members {
    /// A number for a new channel.
    pub(super) fn free_id(&mut self) -> Result<ChannelId> {
        let id = match self.channels.iter().position(Option::is_none) {
            Some(id) => id,
            None if self.channels.len() >= CHANNELS => return Err(ENOSPC),
            None => {
                self.channels.push(None, GFP_KERNEL)?;
                self.channels.len() - 1
            }
        };
        Ok(ChannelId(id as u16))
    }

    fn set(&mut self, id: ChannelId, channel: Option<Arc<Channel>>) -> Option<Arc<Channel>> {
        let place = self.channels.get_mut(usize::from(id.0))?;
        core::mem::replace(place, channel)
    }

    /// Ends serving at a desk that no channel is at.
    pub(super) fn dismiss_if_idle(&mut self, desk: &Arc<Desk>) {
        if desk.is_empty() {
            engine::remove_desk(desk);
            self.desks.retain(|other| !Arc::ptr_eq(other, desk));
        }
    }

    fn build(&self) -> Result<Arc<Audience>> {
        let mut rules = KVVec::with_capacity(self.rules.len(), GFP_KERNEL)?;
        rules.extend_from_slice(&self.rules, GFP_KERNEL)?;
        let mut channels = KVVec::with_capacity(self.channels.len(), GFP_KERNEL)?;
        for channel in &self.channels {
            channels.push(channel.clone(), GFP_KERNEL)?;
        }
        let audience = Audience {
            sieve: Sieve::of(&rules),
            rules,
            channels,
        };
        Ok(Arc::new(audience, GFP_KERNEL)?)
    }
}

impl Channels {
    /// None.
    pub(crate) fn new() -> impl PinInit<Self> {
        let members = Members {
            rules: KVVec::new(),
            channels: KVVec::new(),
            desks: KVec::new(),
        };
        pin_init!(Self {
            audience: RcuArc::empty(),
            members <- new_mutex!(members, "smplb_channels"),
        })
    }

    /// What engines are to know of them; none if there are none.
    #[inline(always)]
    pub(crate) fn audience<'a>(&'a self, guard: &'a rcu::Guard) -> Option<&'a Audience> {
        self.audience.read(guard)
    }

    /// Has the engines see what there is now. Without memory they see what they did.
    fn publish(&self, members: &Members) -> Result {
        let none = members.channels.iter().all(Option::is_none);
        let built = if none { None } else { Some(members.build()?) };
        drop(self.audience.replace(built));
        Ok(())
    }

    /// The same when there is less than before: without memory they see no channel until the next
    /// change.
    fn withdraw(&self, members: &Members) {
        if self.publish(members).is_err() {
            drop(self.audience.replace(None));
        }
    }

    /// A new channel.
    pub(super) fn enter(&self, members: &mut Members, channel: &Arc<Channel>) -> Result {
        members.set(channel.id, Some(channel.clone()));
        self.publish(members).inspect_err(|_| {
            members.set(channel.id, None);
        })
    }

    /// A channel asks for traffic.
    ///
    /// # Errors
    ///
    /// `EEXIST` when another one has it, `ESHUTDOWN` when the channel is closed, `ENOSPC` when it
    /// wants too much.
    pub(crate) fn want(&self, channel: &Channel, want: Want) -> Result {
        let mut members = self.members.lock();
        let rule = Rule::new(want, channel.id);
        if !channel.is_open() {
            return Err(ESHUTDOWN);
        }
        if members.rules.contains(&rule) {
            return Ok(());
        }
        let ours = |rule: &&Rule| rule.channel() == channel.id;
        if members.rules.iter().filter(ours).count() >= RULES {
            return Err(ENOSPC);
        }
        members.rules.push(rule, GFP_KERNEL_ACCOUNT)?;
        let fits = arrange(&mut members.rules);
        let result = if fits {
            self.publish(&members)
        } else {
            Err(EEXIST)
        };
        result.inspect_err(|_| members.rules.retain(|other| *other != rule))
    }

    /// A channel does not want it any more.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it never did.
    pub(crate) fn unwant(&self, channel: &Channel, want: Want) -> Result {
        let mut members = self.members.lock();
        let rule = Rule::new(want, channel.id);
        let before = members.rules.len();
        members.rules.retain(|other| *other != rule);
        if members.rules.len() == before {
            return Err(ENOENT);
        }
        self.withdraw(&members);
        Ok(())
    }

    /// The CPUs of the engines that serve them; without memory only some.
    pub(crate) fn cpus(&self) -> KVec<u32> {
        let mut cpus = KVec::new();
        for desk in &self.members.lock().desks {
            // A listing that lacks an engine does no harm.
            let _ = cpus.push(desk.seat().cpu(), GFP_KERNEL);
        }
        cpus
    }

    /// Now and then.
    pub(crate) fn tick(&self) {
        let mut members = self.members.lock();
        self.forsake_broken(&mut members);
        members.desks.iter().for_each(|desk| desk.look());
    }

    /// What broken channels wanted goes where it went before.
    fn forsake_broken(&self, members: &mut Members) {
        let Members {
            rules, channels, ..
        } = members;
        let broken = |channel: &Option<Arc<Channel>>| {
            let channel = channel.as_ref();
            channel.is_some_and(|channel| !channel.is_open())
        };
        if !channels.iter().any(broken) {
            return;
        }
        let before = rules.len();
        rules.retain(|rule| {
            let channel = channels.get(usize::from(rule.channel().0));
            !channel.is_some_and(broken)
        });
        if rules.len() < before {
            self.withdraw(members);
        }
    }

    /// A port goes, and its number is another one's soon.
    pub(crate) fn port_gone(&self, port: PortId) {
        let mut members = self.members.lock();
        if members.rules.iter().any(|rule| rule.is_of(port)) {
            members.rules.retain(|rule| !rule.is_of(port));
            self.withdraw(&members);
        }
    }

    /// A channel goes, of which nothing is mapped any more. Engines touch it no more when this
    /// returns.
    pub(crate) fn leave(&self, channel: &Channel) {
        channel.shut();
        channel.give_back();
        let mut members = self.members.lock();
        self.remove(&mut members, channel.id);
        // Before another one has its number.
        channel.reclaim();
    }

    fn remove(&self, members: &mut Members, id: ChannelId) {
        let Some(channel) = members.set(id, None) else {
            return;
        };
        members.rules.retain(|rule| rule.channel() != id);
        self.withdraw(members);
        let desk = channel.desk();
        desk.set(channel.bell, None);
        members.dismiss_if_idle(desk);
    }

    /// The switch goes: applications are told that their channels are closed.
    pub(crate) fn close_all(&self) {
        let mut members = self.members.lock();
        for nth in 0..members.channels.len() {
            if let Some(Some(channel)) = members.channels.get(nth) {
                channel.shut();
            }
            self.remove(&mut members, ChannelId(nth as u16));
        }
    }
}
