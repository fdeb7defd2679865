// SPDX-License-Identifier: GPL-2.0

//! Kernel threads bound to one CPU.

use core::ptr::NonNull;
use kernel::bindings::task_struct;
use kernel::error::{from_err_ptr, to_result};
use kernel::ffi::{c_int, c_ulong, c_void};
use kernel::prelude::*;
use kernel::sync::aref::ARef;
use kernel::sync::Arc;
use kernel::task::Task;

use super::ffi;

/// What a [`Kthread`] runs.
pub(crate) trait Main: Send + Sync + 'static {
    /// Returns soon after [`should_stop`] has become true.
    fn main(&self);
}

/// A running kernel thread; dropping it stops the thread and waits for it.
///
/// # Invariants
///
/// `task` is a thread of `smplb_c_thread_create` that has been woken and holds
/// a reference; it has not been stopped.
pub(crate) struct Kthread {
    task: NonNull<task_struct>,
}

// SAFETY: The functions used on `task` may be called from any thread.
unsafe impl Send for Kthread {}
// SAFETY: As above.
unsafe impl Sync for Kthread {}

/// # Safety
///
/// `data` is one reference of an `Arc<T>`, which is taken over.
unsafe extern "C" fn trampoline<T: Main>(data: *mut c_void) -> c_int {
    // SAFETY: `spawn` passed one reference of an `Arc<T>`, taken over here.
    let main = unsafe { Arc::from_raw(data.cast::<T>().cast_const()) };
    // SAFETY: Called by the thread; balanced below.
    unsafe { ffi::smplb_c_thread_stay() };
    main.main();
    // SAFETY: Balances the call above.
    unsafe { ffi::smplb_c_thread_leave() };
    drop(main);
    0
}

impl Kthread {
    /// Starts a thread named `smplb/CPU`, bound to `cpu`, that runs `main`.
    ///
    /// # Errors
    ///
    /// `ENODEV` when the CPU is offline, `ENOMEM`.
    pub(crate) fn spawn<T: Main>(cpu: u32, main: Arc<T>) -> Result<Self> {
        let data = Arc::into_raw(main);
        // SAFETY: `trampoline::<T>` takes over the reference that `data` holds.
        let task = from_err_ptr(unsafe {
            ffi::smplb_c_thread_create(trampoline::<T>, data.cast_mut().cast(), cpu)
        });
        let task = match task {
            Ok(task) => task,
            Err(e) => {
                // SAFETY: The thread was not made, so that the reference is ours.
                drop(unsafe { Arc::from_raw(data) });
                return Err(e);
            }
        };
        // SAFETY: `task` is a new thread that waits to be woken.
        unsafe { kernel::bindings::wake_up_process(task) };
        // INVARIANT: Made, woken, with a reference.
        NonNull::new(task).map(|task| Self { task }).ok_or(ENOMEM)
    }

    /// What wakes the thread, also from atomic context.
    pub(crate) fn waker(&self) -> Waker {
        // SAFETY: By the type invariants `task` is alive, so that a reference
        // can be taken.
        let task = unsafe { &*self.task.as_ptr().cast::<Task>() };
        Waker(ARef::from(task))
    }

    /// Has the thread wait, in [`relax`], until [`Self::unpark`]. It must not be
    /// parked already.
    pub(crate) fn park(&self) -> Result {
        // SAFETY: By the type invariants `task` is alive, and runs a [`Main`].
        to_result(unsafe { kernel::bindings::kthread_park(self.task.as_ptr()) })
    }

    /// Lets it go on, if it was parked.
    pub(crate) fn unpark(&self) {
        // SAFETY: As above.
        unsafe { kernel::bindings::kthread_unpark(self.task.as_ptr()) }
    }

    /// The thread's id in the initial pid namespace.
    pub(crate) fn pid(&self) -> u32 {
        // SAFETY: By the type invariants `task` is alive.
        unsafe { ffi::smplb_c_task_pid(self.task.as_ptr()) }
    }

    /// How often the thread gave its CPU away, and how often it was taken away.
    pub(crate) fn switches(&self) -> (u64, u64) {
        let (mut given, mut taken) = (0, 0);
        // SAFETY: By the type invariants `task` is alive, and both are written to.
        unsafe { ffi::smplb_c_task_switches(self.task.as_ptr(), &mut given, &mut taken) };
        (given, taken)
    }
}

impl Drop for Kthread {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the thread is to be stopped once, and
        // the reference is given back.
        unsafe { ffi::smplb_c_thread_stop(self.task.as_ptr()) }
    }
}

/// A reference to a thread, to wake it; it may have ended meanwhile.
pub(crate) struct Waker(ARef<Task>);

impl Waker {
    /// Wakes the thread if it sleeps.
    #[inline]
    pub(crate) fn wake(&self) {
        self.0.wake_up();
    }
}

/// Whether the current thread has been asked to end. Only in a [`Main`].
#[inline]
pub(crate) fn should_stop() -> bool {
    // SAFETY: Called by a kernel thread.
    unsafe { kernel::bindings::kthread_should_stop() }
}

/// Gives way when another thread wants the CPU, and reports quiescent states
/// now and then. `last` is kept by the caller between calls.
#[inline]
pub(crate) fn relax(last: &mut c_ulong) {
    // SAFETY: The caller is a thread outside of any atomic section: this is a
    // method of the engine's loop between rounds.
    unsafe { ffi::smplb_c_engine_relax(last) }
}

/// Sleeps until woken unless `pending` finds work after the sleep was prepared.
/// Returns whether it slept.
pub(crate) fn sleep_unless(pending: impl FnOnce() -> bool) -> bool {
    // SAFETY: Called by a thread that may sleep.
    unsafe { ffi::smplb_c_sleep_prepare() };
    // SAFETY: Called by a kernel thread.
    let should_park = || unsafe { kernel::bindings::kthread_should_park() };
    if pending() || should_stop() || should_park() {
        // SAFETY: Ends what was prepared above.
        unsafe { ffi::smplb_c_sleep_cancel() };
        return false;
    }
    // SAFETY: Prepared above.
    unsafe { ffi::smplb_c_sleep() };
    true
}
