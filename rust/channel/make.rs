// SPDX-License-Identifier: GPL-2.0

//! Channels are opened.

use super::audience::Members;
use super::buffers::{Buffers, Part, LIMITS};
use super::handle::{Channel, Region, State};
use super::Desk;
use crate::core_::channel::end::End;
use crate::core_::channel::layout::Layout;
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::uapi::{Map, Open, ANY_CPU, TRUSTED, VERSION};
use crate::core_::channel::wants::ChannelId;
use crate::drivers::supply::Share;
use crate::engine;
use crate::kapi::buffer::SIZE;
use crate::kapi::door::Door;
use crate::kapi::net::{Net, Rtnl};
use crate::kapi::shared::SharedMemory;
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::Arc;

/// Where each part is found by `mmap(2)`, from the one before.
pub(super) const STRIDE: u64 = 1 << 32;

/// The parts that an application maps, in order of their offsets.
const RINGS: u64 = 0;
const LIST: u64 = STRIDE;
const BELLS: u64 = 2 * STRIDE;
const STATE: u64 = 3 * STRIDE;
const MEMORY: u64 = 4 * STRIDE;
/// What [`rent`](super::rent) adds.
pub(super) const MORE: u64 = 5 * STRIDE;

/// What a trusted application shares: the pool of the native ports, which are all in the initial
/// network namespace, where a channel has its number for itself.
fn share(net: Net, trusts: bool) -> Result<Share> {
    if !trusts {
        return Err(EACCES);
    }
    let share = net.is_initial().then(Share::join).flatten();
    share.ok_or(ENXIO)
}

/// Opens a channel of the switch of `net` as `wanted`, and fills in what it is. `trusts`: the
/// caller may have buffers of the pool.
///
/// # Errors
///
/// Those of `SMPLB_CHANNEL_OPEN` in the header.
pub(crate) fn open(
    (net, trusts): (Net, bool),
    door: Door,
    wanted: &mut Open,
) -> Result<Arc<Channel>> {
    let switch = &net.switch(&Rtnl::lock()).ok_or(ENODEV)?;
    if wanted.version != VERSION {
        return Err(EPROTO);
    }
    let layout = Layout::new(wanted.ring_size).ok_or(EINVAL)?;
    let count = wanted.buffers;
    let flags = wanted.flags & !TRUSTED;
    if flags != 0 || wanted.reserved != 0 || !(1..=layout.size()).contains(&count) {
        return Err(EINVAL);
    }
    let share = match wanted.flags & TRUSTED {
        0 => None,
        _ => Some(share(net, trusts)?),
    };
    let buffers = match &share {
        Some(share) => Buffers::Pool(share.pool().clone()),
        None => Buffers::Own(SharedMemory::new(count as usize * SIZE)?, count),
    };
    let region = Region {
        rings: SharedMemory::new(layout.octets())?,
        list: SharedMemory::new(buffers.described() * 16)?,
        buffers,
    };
    let (rings, list) = (region.rings.clone(), region.list.clone());
    let end = End::new(rings, list, layout).ok_or(EINVAL)?;
    let words = KVVec::from_elem(0, Bits::words(count), GFP_KERNEL_ACCOUNT)?;
    let state = State::new(end, words, share);

    let channels = switch.channels();
    let mut members = channels.members.lock();
    let desk = desk(switch, &mut members.desks, wanted.cpu)?;
    let result = enter(switch, &mut members, (&desk, count), |id, bell| {
        Channel::new((id, bell, desk.clone()), region, door, state)
    });
    if result.is_err() {
        members.dismiss_if_idle(&desk);
    }
    let channel = result?;
    tell(wanted, &channel);
    Ok(channel)
}

/// Makes a channel, gives it so many buffers, and makes it known to the engines.
fn enter(
    switch: &Switch,
    members: &mut Members,
    (desk, count): (&Desk, u32),
    make: impl FnOnce(ChannelId, u16) -> Result<Arc<Channel>>,
) -> Result<Arc<Channel>> {
    let (id, bell) = (members.free_id()?, desk.free_bell()?);
    let channel = make(id, bell)?;
    let entered = channel.grant(count);
    let entered = entered.and_then(|()| switch.channels().enter(members, &channel));
    entered.inspect_err(|_| channel.reclaim())?;
    desk.set(bell, Some(channel.clone()));
    Ok(channel)
}

/// The desk at the engine of `cpu`, or of any.
fn desk(switch: &Arc<Switch>, desks: &mut KVec<Arc<Desk>>, cpu: u32) -> Result<Arc<Desk>> {
    let cpu = match cpu {
        ANY_CPU => switch.first_cpu().ok_or(ENODEV)?,
        cpu => cpu,
    };
    let serves = |desk: &&Arc<Desk>| desk.seat().cpu() == cpu && desk.seat().is_taken();
    if let Some(desk) = desks.iter().find(serves) {
        return Ok(desk.clone());
    }
    desks.reserve(1, GFP_KERNEL)?;
    let desk = Desk::new(switch.clone())?;
    engine::place_desk(&desk, cpu).map_err(|e| if e == EINVAL { ENODEV } else { e })?;
    desks.push(desk.clone(), GFP_KERNEL)?;
    Ok(desk)
}

fn tell(open: &mut Open, channel: &Channel) {
    let map = |offset, part: Part<'_>| Map {
        offset,
        len: part.len() as u64,
    };
    let (region, desk) = (&channel.region, channel.desk());
    *open = Open {
        cpu: desk.seat().cpu(),
        bell: channel.bell.into(),
        buffer_size: LIMITS.size.into(),
        headroom: LIMITS.headroom.into(),
        longest: LIMITS.longest.into(),
        rings: map(RINGS, Part::Shared(&region.rings)),
        list: map(LIST, Part::Shared(&region.list)),
        bells: map(BELLS, Part::Shared(&desk.bells)),
        state: map(STATE, Part::Shared(&desk.state)),
        memory: map(MEMORY, region.buffers.part()),
        ..*open
    };
}

impl Channel {
    /// What an application finds at an offset of its file, and whether it may only read there.
    pub(crate) fn mapped(&self, offset: u64) -> Option<(Part<'_>, bool)> {
        let (region, desk) = (&self.region, self.desk());
        Some(match offset {
            RINGS => (Part::Shared(&region.rings), false),
            LIST => (Part::Shared(&region.list), false),
            BELLS => (Part::Shared(&desk.bells), false),
            STATE => (Part::Shared(&desk.state), true),
            MEMORY => (region.buffers.part(), false),
            _ => return self.rented.as_ref()?.mapped(offset),
        })
    }
}
