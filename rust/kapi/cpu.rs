// SPDX-License-Identifier: GPL-2.0

//! CPUs: which may become switching CPUs, time, and softirqs kept off.

use super::ffi;

/// The number of CPU ids.
pub(crate) fn count() -> u32 {
    kernel::cpu::nr_cpu_ids()
}

/// The id of the current CPU. Stable only while the caller cannot migrate.
#[inline(always)]
pub(crate) fn current() -> u32 {
    kernel::cpu::CpuId::current().as_u32()
}

/// Whether `cpu` is online.
pub(crate) fn is_online(cpu: u32) -> bool {
    // SAFETY: `cpu` is checked to be a CPU id first.
    cpu < count() && unsafe { ffi::smplb_c_cpu_online(cpu) }
}

/// Whether the scheduler may place any task on `cpu`.
pub(crate) fn is_housekeeping(cpu: u32) -> bool {
    // SAFETY: No preconditions for a CPU id, and others are refused here.
    cpu < count() && unsafe { ffi::smplb_c_cpu_is_housekeeping(cpu) }
}

/// A section in which no CPU goes offline or comes online. It may sleep.
pub(crate) struct OnlineGuard(());

impl OnlineGuard {
    /// Enters the section.
    pub(crate) fn new() -> Self {
        // SAFETY: Balanced by `drop`.
        unsafe { ffi::smplb_c_cpus_lock() };
        Self(())
    }
}

impl Drop for OnlineGuard {
    fn drop(&mut self) {
        // SAFETY: Balances `new`.
        unsafe { ffi::smplb_c_cpus_unlock() };
    }
}

/// Whether the calling process administers the machine, not just a user namespace.
pub(crate) fn is_admin() -> bool {
    // SAFETY: No preconditions.
    unsafe { ffi::smplb_c_is_admin() }
}

/// The CPU for the `nth` port when none was asked for; with `share`, the control
/// CPU when there is no other; none that is isolated, without `isolate`.
pub(crate) fn pick(nth: u32, share: bool, isolate: bool) -> Option<u32> {
    // SAFETY: No preconditions.
    let cpu = unsafe { ffi::smplb_c_pick_cpu(nth, share, isolate) };
    (cpu != ffi::CPU_AUTO).then_some(cpu)
}

/// Whole seconds since boot, wrapping.
#[inline]
pub(crate) fn seconds() -> u32 {
    // SAFETY: No preconditions.
    unsafe { kernel::bindings::ktime_get_seconds() as u32 }
}

/// Nanoseconds since boot.
#[inline]
pub(crate) fn nanoseconds() -> u64 {
    // SAFETY: No preconditions.
    unsafe { kernel::bindings::ktime_get_mono_fast_ns() }
}

/// Nanoseconds on the clock of this CPU, for a caller that stays on it. A few
/// instructions, where [`nanoseconds`] may read a slow device.
#[inline]
pub(crate) fn clock() -> u64 {
    // SAFETY: No preconditions.
    unsafe { ffi::smplb_c_clock() }
}

/// What interrupted a CPU, counted since boot.
#[derive(Clone, Copy)]
pub(crate) struct Interrupts {
    /// Interrupts of devices.
    devices: u64,
    /// Ticks of the CPU's timer, where the architecture tells them.
    ticks: Option<u32>,
}

impl Interrupts {
    /// Those of `cpu` until now.
    pub(crate) fn of(cpu: u32) -> Self {
        let (mut devices, mut ticks) = (0, u64::MAX);
        if cpu < count() {
            // SAFETY: `cpu` is a CPU id, and both are written to.
            unsafe { ffi::smplb_c_cpu_interrupts(cpu, &mut devices, &mut ticks) };
        }
        Self {
            devices,
            ticks: u32::try_from(ticks).ok(),
        }
    }

    /// Interrupts of devices after `before`.
    pub(crate) fn devices_since(&self, before: &Self) -> u64 {
        self.devices.wrapping_sub(before.devices)
    }

    /// Ticks after `before`.
    pub(crate) fn ticks_since(&self, before: &Self) -> Option<u32> {
        Some(self.ticks?.wrapping_sub(before.ticks?))
    }
}

/// A random number, not for every packet.
pub(crate) fn random() -> u64 {
    // SAFETY: No preconditions.
    unsafe { kernel::bindings::get_random_u64() }
}

/// A section that softirqs and preemption on this CPU keep out of.
///
/// Who holds one of the core's short bucket locks is inside of such a section,
/// so that it can be waited for.
pub(crate) struct BhGuard(());

impl BhGuard {
    /// Enters the section.
    #[inline]
    pub(crate) fn new() -> Self {
        // SAFETY: Balanced by `drop`.
        unsafe { ffi::smplb_c_bh_disable() };
        Self(())
    }
}

impl Drop for BhGuard {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Balances `new`.
        unsafe { ffi::smplb_c_bh_enable() };
    }
}
