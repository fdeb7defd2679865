// SPDX-License-Identifier: GPL-2.0

//! Network namespaces and devices, as far as the switch handles them.

use kernel::bindings;
use kernel::sync::{Arc, ArcBorrow};

use super::ffi::{self, DevInfo};
use super::skb::Skb;
use crate::switch::Switch;

/// A network namespace.
///
/// # Invariants
///
/// The namespace outlives the value: it is kept by a net device in it, by the
/// socket that asks, or by its own exit callback.
#[derive(Clone, Copy)]
pub(crate) struct Net(*mut bindings::net);

// SAFETY: The pointer is only handed to functions that may be called anywhere.
unsafe impl Send for Net {}
// SAFETY: As above.
unsafe impl Sync for Net {}

impl Net {
    /// Wraps the kernel's pointer.
    ///
    /// # Safety
    ///
    /// The namespace outlives the result.
    pub(crate) unsafe fn from_raw(net: *mut bindings::net) -> Self {
        // INVARIANT: By the safety requirement.
        Self(net)
    }

    /// The kernel's pointer.
    pub(crate) fn as_raw(self) -> *mut bindings::net {
        self.0
    }

    /// Whether it is the initial namespace, that of native ports.
    pub(crate) fn is_initial(self) -> bool {
        // SAFETY: No preconditions.
        self.0 == unsafe { ffi::smplb_c_init_net() }
    }

    /// The switch of the namespace, if it has one.
    pub(crate) fn switch(self, _rtnl: &Rtnl) -> Option<Arc<Switch>> {
        // SAFETY: By the type invariants; RTNL keeps the place from changing.
        let switch = unsafe { *ffi::smplb_c_pernet(self.0) }.cast::<Switch>();
        if switch.is_null() {
            return None;
        }
        // SAFETY: The place holds a reference from `set_switch`, which stays.
        Some(unsafe { ArcBorrow::from_raw(switch.cast_const()) }.into())
    }

    /// Gives the namespace, which has none, its switch for good.
    pub(crate) fn set_switch(self, switch: Arc<Switch>, _rtnl: &Rtnl) {
        // SAFETY: By the type invariants; RTNL keeps others from the place. The
        // reference is taken back when the namespace exits.
        unsafe { *ffi::smplb_c_pernet(self.0) = Arc::into_raw(switch).cast_mut().cast() };
    }
}

/// The lock of network configuration, held while this exists.
///
/// # Invariants
///
/// The current thread holds RTNL; it is released on drop when the field is set.
pub(crate) struct Rtnl(bool);

impl Rtnl {
    /// Takes the lock.
    pub(crate) fn lock() -> Self {
        // SAFETY: Balanced by `drop`.
        unsafe { ffi::smplb_c_rtnl_lock() };
        // INVARIANT: Just taken.
        Self(true)
    }

    /// Stands for the lock that a caller on the C side holds.
    ///
    /// # Safety
    ///
    /// The current thread holds RTNL for as long as the result lives.
    pub(crate) unsafe fn held() -> Self {
        // INVARIANT: By the safety requirement.
        Self(false)
    }
}

impl Drop for Rtnl {
    fn drop(&mut self) {
        if self.0 {
            // SAFETY: Taken in `lock`.
            unsafe { ffi::smplb_c_rtnl_unlock() };
        }
    }
}

/// The pair of a claimed NIC and its pseudo interface.
///
/// # Invariants
///
/// Both devices outlive the value: the pseudo interface owns the port that
/// holds it and a reference to the NIC, and ends the port before either goes.
pub(crate) struct Devices {
    pseudo: *mut bindings::net_device,
    lower: *mut bindings::net_device,
}

// SAFETY: The functions called with the pointers may be called from any CPU.
unsafe impl Send for Devices {}
// SAFETY: As above.
unsafe impl Sync for Devices {}

impl Devices {
    /// Wraps the kernel's pointers.
    ///
    /// # Safety
    ///
    /// Both devices outlive the result; `pseudo` is one of ours.
    pub(crate) unsafe fn from_raw(
        pseudo: *mut bindings::net_device,
        lower: *mut bindings::net_device,
    ) -> Self {
        // INVARIANT: By the safety requirement.
        Self { pseudo, lower }
    }

    /// Names, addresses and state.
    pub(crate) fn info(&self) -> DevInfo {
        let mut info = DevInfo::default();
        // SAFETY: The device lives by the type invariants.
        unsafe { ffi::smplb_c_dev_info(self.pseudo, &mut info) };
        info
    }

    /// Whether the pseudo interface is up, so that the host takes packets.
    pub(crate) fn is_running(&self) -> bool {
        // SAFETY: The device lives by the type invariants.
        unsafe { ffi::smplb_c_running(self.pseudo) }
    }

    /// Has the host's thread take the packets from the ring to the stack.
    pub(crate) fn kick_stack(&self) {
        // SAFETY: As above; called with BH disabled.
        unsafe { ffi::smplb_c_stack_kick(self.pseudo) }
    }

    /// Tells the host that the ring from it has room again: that of its transmit
    /// queue with this number, if there are several.
    pub(crate) fn wake_host(&self, queue: usize) {
        // SAFETY: As above; the interface has a queue for each ring.
        unsafe { ffi::smplb_c_host_wake(self.pseudo, queue as u32) }
    }

    /// Gives a packet to the host's stack.
    pub(crate) fn receive(&self, skb: Skb) {
        // SAFETY: As above; the packet is passed on.
        unsafe { ffi::smplb_c_stack_receive(self.pseudo, skb.into_raw()) }
    }

    /// Sends a frame as the host would.
    pub(crate) fn send(&self, skb: Skb) {
        // SAFETY: As above; the packet is passed on.
        unsafe { ffi::smplb_c_host_send(self.pseudo, skb.into_raw()) }
    }

    /// Has the kernel find `addr` and send the IPv4 packet there.
    pub(crate) fn resolve(&self, addr: [u8; 4], skb: Skb) {
        // SAFETY: As above; the packet is passed on.
        unsafe {
            ffi::smplb_c_resolve(self.pseudo, u32::from_ne_bytes(addr), skb.into_raw());
        }
    }

    /// Sends frames out of the NIC, one lock and one doorbell for all; `queue`
    /// spreads engines over the transmit queues. Returns how many went.
    #[inline]
    pub(crate) fn transmit(&self, skbs: &mut [*mut bindings::sk_buff], queue: u32) -> usize {
        // SAFETY: As above; the pointers are packets that the caller owned and
        // that are all consumed. BH is disabled by the caller.
        unsafe {
            ffi::smplb_c_xmit_burst(self.lower, skbs.as_mut_ptr(), skbs.len() as u32, queue)
                as usize
        }
    }
}
