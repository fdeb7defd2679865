// SPDX-License-Identifier: GPL-2.0

//! Which engines there are, and which of them polls which port.

use super::{Change, Engine, Reply};
use crate::kapi::cpu;
use crate::kapi::extack::Extack;
use crate::kapi::kthread::Kthread;
use crate::kapi::log;
use crate::port::Port;
use kernel::c_str;
use kernel::prelude::*;
use kernel::sync::Arc;

/// An engine and its thread. The thread stops when this is dropped.
struct Running {
    thread: Kthread,
    engine: Arc<Engine>,
    ports: usize,
}

kernel::sync::global_lock! {
    // SAFETY: Initialised in the module's `init` before anything uses it.
    unsafe(uninit) static ENGINES: Mutex<KVec<Running>> = KVec::new();
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

/// Whether an online housekeeping CPU is left without an engine when `cpu` has
/// one and polls `moved`.
fn leaves_control(engines: &[Running], cpu: u32, moved: Option<&Port>) -> bool {
    let busy = |other: u32| {
        let leaving = usize::from(moved.is_some_and(|port| port.cpu() == other));
        let running = engines.iter().find(|r| r.engine.cpu() == other);
        running.is_some_and(|r| r.ports > leaving)
    };
    let free = |&other: &u32| other != cpu && cpu::is_online(other) && !busy(other);
    (0..cpu::count()).filter(free).any(cpu::is_housekeeping)
}

/// Checks that `cpu` may become the switching CPU of a new port or of `moved`.
///
/// # Errors
///
/// `EINVAL` when it is offline or the last housekeeping CPU.
fn check(cpu: u32, moved: Option<&Port>, extack: &Extack) -> Result {
    if !cpu::is_online(cpu) {
        return Err(extack.refuse(EINVAL, c_str!("the CPU is not online")));
    }
    let leaves_control = leaves_control(&ENGINES.lock(), cpu, moved);
    if !leaves_control && !crate::share_control_cpu() {
        return Err(extack.refuse(
            EINVAL,
            c_str!("it is the last CPU for everything else; choose another or load smplb with share_control_cpu=1"),
        ));
    }
    Ok(())
}

/// Chooses the CPU for a new port: the one asked for, or the next free one.
pub(crate) fn choose(cpu: Option<u32>, nth: u32, extack: &Extack) -> Result<u32> {
    let cpu = match cpu {
        Some(cpu) => cpu,
        None => cpu::pick(nth, crate::share_control_cpu()).ok_or_else(|| {
            extack.refuse(
                EINVAL,
                c_str!("no CPU besides the control CPU; add one or load smplb with share_control_cpu=1"),
            )
        })?,
    };
    check(cpu, None, extack)?;
    Ok(cpu)
}

/// Has the engine of `cpu` poll `port`, starting the engine when it is new.
pub(crate) fn place(port: &Arc<Port>, cpu: u32) -> Result {
    // A CPU on its way offline takes no new thread, see `is_needed`.
    let _online = cpu::OnlineGuard::new();
    let mut engines = ENGINES.lock();
    let local = port.switch().new_local(cpu)?;
    let (attached, detached) = (Reply::new()?, Reply::new()?);
    let at = match engines.iter().position(|r| r.engine.cpu() == cpu) {
        Some(at) => at,
        None => start(&mut engines, cpu)?,
    };
    let running = engines.get_mut(at).ok_or(EINVAL)?;
    let engine = running.engine.clone();
    // For this request and for the one that ends it.
    engine.reserve(running.ports.saturating_add(2))?;
    let result = engine.request(Change::Attach(port.clone(), local), attached);
    match result {
        Ok(()) => {
            running.ports += 1;
            port.set_engine(Some((engine, detached)));
            // What came in while nobody polled the port.
            running.engine.wake();
            Ok(())
        }
        Err(e) => {
            end_if_idle(&mut engines, at);
            Err(e)
        }
    }
}

/// Starts an engine; returns its place in the list.
fn start(engines: &mut KVec<Running>, cpu: u32) -> Result<usize> {
    engines.reserve(1, GFP_KERNEL)?;
    let engine = Engine::new(cpu, !leaves_control(engines, cpu, None))?;
    let thread = Kthread::spawn(cpu, engine.clone())?;
    engine.waker.populate(thread.waker());
    engines.push(
        Running {
            thread,
            engine,
            ports: 0,
        },
        GFP_KERNEL,
    )?;
    Ok(engines.len() - 1)
}

/// Stops an engine that has nothing to poll.
fn end_if_idle(engines: &mut KVec<Running>, at: usize) {
    if engines.get(at).is_some_and(|r| r.ports == 0) {
        // Dropping it stops the thread.
        drop(engines.remove(at));
    }
}

/// Ends polling of `port`, and its engine when that was the last port.
pub(crate) fn remove(port: &Arc<Port>) {
    let mut engines = ENGINES.lock();
    let Some((engine, reply)) = port.set_engine(None) else {
        return;
    };
    // Cannot fail: the room and the reply were made in `place`.
    let _ = engine.request(Change::Detach(port.clone()), reply);
    let at = engines.iter().position(|r| Arc::ptr_eq(&r.engine, &engine));
    drop(engine);
    if let Some(at) = at {
        if let Some(running) = engines.get_mut(at) {
            running.ports = running.ports.saturating_sub(1);
        }
        end_if_idle(&mut engines, at);
    }
}

/// Moves `port` to the engine of `cpu`. Packets on its rings wait meanwhile.
pub(crate) fn move_port(port: &Arc<Port>, cpu: u32, extack: &Extack) -> Result {
    if port.cpu() == cpu {
        return Ok(());
    }
    check(cpu, Some(port), extack)?;
    let before = port.cpu();
    remove(port);
    place(port, cpu).map_err(|e| {
        // It was there a moment ago, and what it needs was just freed.
        if let Err(e) = place(port, before) {
            log::error(c_str!("a port is polled by no engine"), e);
        }
        extack.refuse(e, c_str!("the engine of that CPU could not be started"))
    })
}

/// Whether ports are polled on `cpu`, so that it must stay online.
pub(crate) fn is_needed(cpu: u32) -> bool {
    ENGINES.lock().iter().any(|r| r.engine.cpu() == cpu)
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
