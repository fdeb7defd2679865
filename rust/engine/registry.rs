// SPDX-License-Identifier: GPL-2.0

//! Which engines there are, and which of them polls what.

use super::{Change, Engine, Polled, Reply};
use crate::channel::Desk;
use crate::kapi::cpu;
use crate::kapi::extack::Extack;
use crate::kapi::kthread::Kthread;
use crate::kapi::log;
use crate::port::Port;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;

/// An engine and its thread. The thread stops when this is dropped.
pub(super) struct Running {
    pub(super) thread: Kthread,
    pub(super) engine: Arc<Engine>,
    /// What it polls.
    pub(super) polled: KVec<Polled>,
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module's `init` before anything uses it.
    pub(super) unsafe(uninit) static ENGINES: Mutex<KVec<Running>> = KVec::new();
}

/// The registry while the module is loaded.
pub(crate) struct Registry(());

impl Registry {
    /// Initialises it.
    ///
    /// # Safety
    ///
    /// Called once, before anything else of this file.
    pub(crate) unsafe fn new() -> Self {
        // SAFETY: By the safety requirement.
        unsafe { ENGINES.init() };
        Self(())
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // Nobody drops a static, nor the memory of a list without engines.
        *ENGINES.lock() = KVec::new();
    }
}

/// Whether an online housekeeping CPU is left without an engine when `cpus` have
/// one and poll all of `moved`.
pub(super) fn leaves_control(engines: &[Running], cpus: &[u32], moved: Option<&Port>) -> bool {
    let busy = |other: u32| {
        let leaving = moved.map_or(0, |port| port.cpus().filter(|&cpu| cpu == other).count());
        let running = engines.iter().find(|r| r.engine.cpu() == other);
        running.is_some_and(|r| r.polled.len() > leaving)
    };
    let free = |&other: &u32| !cpus.contains(&other) && cpu::is_online(other) && !busy(other);
    (0..cpu::count()).filter(free).any(cpu::is_housekeeping)
}

/// Checks that `cpus` may become the switching CPUs of a new port or of `moved`.
///
/// # Errors
///
/// `EINVAL` when one is offline or the last housekeeping CPU is among them. `EPERM` when
/// one is isolated, and the caller administers no more than a user namespace.
fn check(cpus: &[u32], moved: Option<&Port>, extack: &Extack) -> Result {
    if !cpus.iter().all(|&cpu| cpu::is_online(cpu)) {
        return Err(extack.refuse(EINVAL, c_str!("the CPU is not online")));
    }
    if !cpus.iter().all(|&cpu| cpu::is_housekeeping(cpu)) && !cpu::is_admin() {
        return Err(extack.refuse(
            EPERM,
            c_str!("the CPU is isolated: it takes CAP_NET_ADMIN outside of user namespaces"),
        ));
    }
    let leaves_control = leaves_control(&ENGINES.lock(), cpus, moved);
    if !leaves_control && !crate::share_control_cpu() {
        return Err(extack.refuse(
            EINVAL,
            c_str!("it is the last CPU for everything else; choose another or load smplb with share_control_cpu=1"),
        ));
    }
    Ok(())
}

/// Chooses the CPUs for the parts of a new port: the one asked for, or the next
/// free ones, of which `before` were taken by the ports there are.
pub(crate) fn choose(
    cpu: Option<u32>,
    before: usize,
    parts: usize,
    extack: &Extack,
) -> Result<KVec<u32>> {
    let mut cpus = KVec::with_capacity(parts, GFP_KERNEL)?;
    for nth in before..before.saturating_add(parts) {
        let picked = || cpu::pick(nth as u32, crate::share_control_cpu(), cpu::is_admin());
        let cpu = cpu.or_else(picked).ok_or_else(|| {
            extack.refuse(
                EINVAL,
                c_str!("no CPU besides the control CPU; add one or load smplb with share_control_cpu=1"),
            )
        })?;
        cpus.push(cpu, GFP_KERNEL)?;
    }
    check(&cpus, None, extack)?;
    Ok(cpus)
}

/// Has the engines of `cpus` poll the parts of `port` in turn, starting those that
/// are new. All parts are polled then, or none.
pub(crate) fn place(port: &Arc<Port>, cpus: &[u32]) -> Result {
    for (part, &cpu) in (0..port.parts()).zip(cpus.iter().cycle()) {
        place_one(&Polled::Part(port.clone(), part), cpu).inspect_err(|_| remove(port))?;
    }
    port.seats_changed();
    Ok(())
}

/// Has the engine of `cpu` serve the channels of `desk`, starting it if it is new.
pub(crate) fn place_desk(desk: &Arc<Desk>, cpu: u32) -> Result {
    // Who may have a channel may have it served by an engine that there is.
    let is_new = !ENGINES.lock().iter().any(|r| r.engine.cpu() == cpu);
    if is_new {
        check(&[cpu], None, &Extack::none())?;
    }
    let polled = Polled::Desk(desk.clone());
    place_one(&polled, cpu)?;
    polled.moved();
    Ok(())
}

fn place_one(polled: &Polled, cpu: u32) -> Result {
    // A CPU on its way offline takes no new thread, see `hotplug`.
    let _online = cpu::OnlineGuard::new();
    attach(&mut ENGINES.lock(), polled, cpu)
}

/// Has the engine of `cpu` poll something that no engine does. No CPU comes or goes,
/// but for what the caller does itself.
pub(super) fn attach(engines: &mut KVec<Running>, polled: &Polled, cpu: u32) -> Result {
    let seat = polled.seat().ok_or(EINVAL)?;
    let local = polled.switch().new_local(cpu)?;
    let (attached, detached) = (Reply::new()?, Reply::new()?);
    let at = match engines.iter().position(|r| r.engine.cpu() == cpu) {
        Some(at) => at,
        None => start(engines, cpu)?,
    };
    let running = engines.get_mut(at).ok_or(EINVAL)?;
    let engine = running.engine.clone();
    // For this request and for the one that ends it.
    let reserved = (running.polled.reserve(1, GFP_KERNEL).map_err(Error::from))
        .and_then(|()| engine.reserve(running.polled.len().saturating_add(2)));
    let result =
        reserved.and_then(|()| engine.request(Change::Attach(polled.clone(), local), attached));
    match result {
        Ok(()) => {
            running.polled.push(polled.clone(), GFP_KERNEL)?;
            seat.set_engine(Some((engine, detached)));
            // What came in while nobody polled.
            running.engine.wake();
            Ok(())
        }
        Err(e) => {
            end_if_idle(engines, at);
            Err(e)
        }
    }
}

/// Starts an engine; returns its place in the list.
fn start(engines: &mut KVec<Running>, cpu: u32) -> Result<usize> {
    engines.reserve(1, GFP_KERNEL)?;
    let engine = Engine::new(cpu, !leaves_control(engines, &[cpu], None))?;
    let thread = Kthread::spawn(cpu, engine.clone())?;
    engine.waker.populate(thread.waker());
    engines.push(
        Running {
            thread,
            engine,
            polled: KVec::new(),
        },
        GFP_KERNEL,
    )?;
    Ok(engines.len() - 1)
}

/// Stops an engine that has nothing to poll.
pub(super) fn end_if_idle(engines: &mut KVec<Running>, at: usize) {
    if engines.get(at).is_some_and(|r| r.polled.is_empty()) {
        // Dropping it stops the thread.
        drop(engines.remove(at));
    }
}

/// Ends polling of `port`, and the engines that polled nothing else.
pub(crate) fn remove(port: &Arc<Port>) {
    for part in 0..port.parts() {
        remove_one(&Polled::Part(port.clone(), part));
    }
}

/// Ends serving the channels of `desk`.
pub(crate) fn remove_desk(desk: &Arc<Desk>) {
    remove_one(&Polled::Desk(desk.clone()));
}

fn remove_one(polled: &Polled) {
    let mut engines = ENGINES.lock();
    if let Some(at) = detach(&mut engines, polled) {
        end_if_idle(&mut engines, at);
    }
}

/// Ends polling of something; the place of its engine in the list.
pub(super) fn detach(engines: &mut KVec<Running>, polled: &Polled) -> Option<usize> {
    let (engine, reply) = polled.seat()?.set_engine(None)?;
    // Cannot fail: the room and the reply were made in `attach`.
    let _ = engine.request(Change::Detach(polled.clone()), reply);
    let at = engines
        .iter()
        .position(|r| Arc::ptr_eq(&r.engine, &engine))?;
    let left = &mut engines.get_mut(at)?.polled;
    left.retain(|other| !other.is(polled));
    Some(at)
}

/// Moves the parts of `port` to the engines of `cpus` in turn. Packets on its
/// rings wait meanwhile.
pub(crate) fn move_port(port: &Arc<Port>, cpus: &[u32], extack: &Extack) -> Result {
    if cpus.len() > port.parts() {
        return Err(extack.refuse(
            EINVAL,
            c_str!("more CPUs than the port has queue pairs, each of which one CPU polls"),
        ));
    }
    let moves = || {
        let targets = (0..port.parts()).zip(cpus.iter().cycle());
        targets.filter(|&(part, cpu)| port.seat(part).is_some_and(|seat| seat.cpu() != *cpu))
    };
    if moves().next().is_none() {
        return Ok(());
    }
    check(cpus, Some(port), extack)?;
    let mut result = Ok(());
    for (part, &cpu) in moves() {
        result = move_part(port, part, cpu);
        if result.is_err() {
            break;
        }
    }
    port.seats_changed();
    result.map_err(|e| extack.refuse(e, c_str!("the engine of that CPU could not be started")))
}

/// Moves one part, or leaves it where it is.
fn move_part(port: &Arc<Port>, part: usize, cpu: u32) -> Result {
    let before = port.seat(part).map_or(cpu, |seat| seat.cpu());
    let polled = &Polled::Part(port.clone(), part);
    remove_one(polled);
    place_one(polled, cpu).inspect_err(|_| {
        // It was there a moment ago, and what it needs was just freed. That CPU may
        // have gone since.
        let back = place_one(polled, before).or_else(|e| {
            let other = cpu::pick(part as u32, crate::share_control_cpu(), true);
            place_one(polled, other.ok_or(e)?)
        });
        if let Err(e) = back {
            log::error(c_str!("a port is polled by no engine"), e);
        }
    })
}

/// What is known of an engine, for listings.
pub(crate) struct Info<'a> {
    /// The engine.
    pub(crate) engine: &'a Engine,
    /// Its thread's id.
    pub(crate) pid: u32,
    /// How often the thread gave its CPU away, and how often it was taken away.
    pub(crate) switches: (u64, u64),
}

/// Has every engine give back what is of no use any more.
pub(crate) fn tidy_all() {
    for running in ENGINES.lock().iter() {
        running.engine.tidy();
    }
}

/// Calls `f` for every engine.
pub(crate) fn for_each(mut f: impl FnMut(Info<'_>)) {
    for running in ENGINES.lock().iter() {
        f(Info {
            engine: &running.engine,
            pid: running.thread.pid(),
            switches: running.thread.switches(),
        });
    }
}
