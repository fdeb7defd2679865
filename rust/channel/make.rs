// SPDX-License-Identifier: GPL-2.0

//! Channels are opened.

use super::audience::Members;
use super::handle::{Channel, Region, State};
use super::Desk;
use crate::core_::channel::bad::Limits;
use crate::core_::channel::end::End;
use crate::core_::channel::layout::Layout;
use crate::core_::channel::ledger::Bits;
use crate::core_::channel::uapi::{Map, Open, ANY_CPU, VERSION};
use crate::core_::channel::wants::ChannelId;
use crate::engine;
use crate::kapi::buffer::{FRAME, HEADROOM, SIZE};
use crate::kapi::door::Door;
use crate::kapi::shared::SharedMemory;
use crate::switch::Switch;
use kernel::prelude::*;
use kernel::sync::Arc;

/// Where each part is found by `mmap(2)`, from the one before.
const STRIDE: u64 = 1 << 32;

/// The parts that an application maps, in order of their offsets.
const RINGS: u64 = 0;
const LIST: u64 = STRIDE;
const BELLS: u64 = 2 * STRIDE;
const STATE: u64 = 3 * STRIDE;
const MEMORY: u64 = 4 * STRIDE;

/// Opens a channel of a switch as `wanted`, and fills in what it is.
///
/// # Errors
///
/// Those of `SMPLB_CHANNEL_OPEN` in the header.
pub(crate) fn open(switch: &Arc<Switch>, door: Door, wanted: &mut Open) -> Result<Arc<Channel>> {
    if wanted.version != VERSION {
        return Err(EPROTO);
    }
    let layout = Layout::new(wanted.ring_size).ok_or(EINVAL)?;
    let buffers = wanted.buffers;
    if wanted.flags != 0 || wanted.reserved != 0 || !(1..=layout.size()).contains(&buffers) {
        return Err(EINVAL);
    }
    let limits = Limits {
        size: SIZE as u16,
        headroom: HEADROOM as u16,
        longest: FRAME as u16,
    };
    let region = Region {
        rings: SharedMemory::new(layout.octets())?,
        list: SharedMemory::new(buffers as usize * 16)?,
        memory: SharedMemory::new(buffers as usize * SIZE)?,
    };
    let (rings, list) = (region.rings.clone(), region.list.clone());
    let mut end = End::new(rings, list, layout, limits).ok_or(EINVAL)?;
    let state = {
        let mut words = KVVec::from_elem(0, Bits::words(buffers), GFP_KERNEL_ACCOUNT)?;
        let mut owned = Bits::new(&mut words, buffers).ok_or(EINVAL)?;
        for buffer in 0..buffers {
            end.grant(&mut owned, buffer).map_err(|_| EINVAL)?;
        }
        end.flush();
        State::new(end, words, buffers)
    };

    let channels = switch.channels();
    let mut members = channels.members.lock();
    let desk = desk(switch, &mut members.desks, wanted.cpu)?;
    let result = enter(switch, &mut members, &desk, |id, bell| {
        Channel::new((id, bell, desk.clone()), region, door, state)
    });
    if result.is_err() {
        members.dismiss_if_idle(&desk);
    }
    let channel = result?;
    tell(wanted, &channel, &limits);
    Ok(channel)
}

/// Makes a channel known to the engines.
fn enter(
    switch: &Switch,
    members: &mut Members,
    desk: &Desk,
    make: impl FnOnce(ChannelId, u16) -> Result<Arc<Channel>>,
) -> Result<Arc<Channel>> {
    let (id, bell) = (members.free_id()?, desk.free_bell()?);
    let channel = make(id, bell)?;
    switch.channels().enter(members, &channel)?;
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

fn tell(open: &mut Open, channel: &Channel, limits: &Limits) {
    let map = |offset, memory: &SharedMemory| Map {
        offset,
        len: memory.len() as u64,
    };
    let (region, desk) = (&channel.region, channel.desk());
    *open = Open {
        cpu: desk.seat().cpu(),
        bell: channel.bell.into(),
        buffer_size: limits.size.into(),
        headroom: limits.headroom.into(),
        longest: limits.longest.into(),
        rings: map(RINGS, &region.rings),
        list: map(LIST, &region.list),
        bells: map(BELLS, &desk.bells),
        state: map(STATE, &desk.state),
        memory: map(MEMORY, &region.memory),
        ..*open
    };
}

impl Channel {
    /// What an application finds at an offset of its file, and whether it may only read there.
    pub(crate) fn mapped(&self, offset: u64) -> Option<(&SharedMemory, bool)> {
        let (region, desk) = (&self.region, self.desk());
        Some(match offset {
            RINGS => (&region.rings, false),
            LIST => (&region.list, false),
            BELLS => (&desk.bells, false),
            STATE => (&desk.state, true),
            MEMORY => (&region.memory, false),
            _ => return None,
        })
    }
}
