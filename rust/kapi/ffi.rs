// SPDX-License-Identifier: GPL-2.0

//! The C half of the seam, as declared in `rust/c/smplb.h`.

use kernel::bindings::{
    device, napi_struct, net, net_device, netlink_ext_ack, nlattr, pci_dev, sk_buff, task_struct,
};
use kernel::ffi::{c_char, c_int, c_uint, c_ulong, c_void};

/// `struct smplb_port_stats`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct PortStats {
    pub(crate) rx_packets: u64,
    pub(crate) rx_bytes: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) stack_packets: u64,
    pub(crate) host_packets: u64,
    pub(crate) dropped: u64,
}

/// `struct smplb_dev_info`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(crate) struct DevInfo {
    pub(crate) ifindex: u32,
    pub(crate) lower_ifindex: u32,
    pub(crate) mtu: u32,
    pub(crate) up: u32,
    pub(crate) mac: [u8; 6],
    pub(crate) name: [u8; 16],
    pub(crate) lower_name: [u8; 16],
}

/// `SMPLB_CPU_AUTO`: the module chooses.
pub(crate) const CPU_AUTO: u32 = u32::MAX;

#[expect(
    improper_ctypes,
    reason = "kernel structs, passed by pointer only, end in empty arrays"
)]
extern "C" {
    pub(crate) fn smplb_c_link_register() -> c_int;
    pub(crate) fn smplb_c_link_unregister();
    pub(crate) fn smplb_c_running(pseudo: *const net_device) -> bool;
    pub(crate) fn smplb_c_stack_kick(pseudo: *mut net_device);
    pub(crate) fn smplb_c_host_wake(pseudo: *mut net_device, queue: u32);
    pub(crate) fn smplb_c_dev_info(pseudo: *mut net_device, info: *mut DevInfo);

    pub(crate) fn smplb_c_xmit_burst(
        lower: *mut net_device,
        skbs: *mut *mut sk_buff,
        n: c_uint,
        queue: c_uint,
    ) -> c_uint;
    pub(crate) fn smplb_c_stack_receive(pseudo: *mut net_device, skb: *mut sk_buff);
    pub(crate) fn smplb_c_resolve(pseudo: *mut net_device, addr: u32, skb: *mut sk_buff);
    pub(crate) fn smplb_c_frame_alloc(frame: *const c_void, len: c_uint) -> *mut sk_buff;
    pub(crate) fn smplb_c_frame_trim(skb: *mut sk_buff, len: c_uint) -> c_int;
    pub(crate) fn smplb_c_skb_prepare(skb: *mut sk_buff, len: c_uint) -> c_int;

    pub(crate) fn smplb_c_engine_relax(last_qs: *mut c_ulong);
    pub(crate) fn smplb_c_cpu_online(cpu: u32) -> bool;
    pub(crate) fn smplb_c_log_error(what: *const c_char, error: c_int);
    pub(crate) fn smplb_c_log_moved(name: *const c_char, from: u32, to: u32);
    pub(crate) fn smplb_c_thread_stay();
    pub(crate) fn smplb_c_thread_leave();
    pub(crate) fn smplb_c_cpu_is_housekeeping(cpu: u32) -> bool;
    pub(crate) fn smplb_c_cpus_lock();
    pub(crate) fn smplb_c_cpus_unlock();
    pub(crate) fn smplb_c_cpus_register() -> c_int;
    pub(crate) fn smplb_c_cpus_unregister();
    pub(crate) fn smplb_c_is_admin() -> bool;
    pub(crate) fn smplb_c_pick_cpu(nth: u32, share: bool, isolate: bool) -> u32;
    pub(crate) fn smplb_c_sleep_prepare();
    pub(crate) fn smplb_c_sleep_cancel();
    pub(crate) fn smplb_c_sleep();
    pub(crate) fn smplb_c_thread_create(
        function: unsafe extern "C" fn(*mut c_void) -> c_int,
        data: *mut c_void,
        cpu: u32,
    ) -> *mut task_struct;
    pub(crate) fn smplb_c_thread_stop(task: *mut task_struct);
    pub(crate) fn smplb_c_task_pid(task: *mut task_struct) -> u32;
    pub(crate) fn smplb_c_task_switches(task: *mut task_struct, given: *mut u64, taken: *mut u64);
    pub(crate) fn smplb_c_clock() -> u64;
    pub(crate) fn smplb_c_cpu_interrupts(cpu: u32, devices: *mut u64, ticks: *mut u64);
    pub(crate) fn smplb_c_bh_disable();
    pub(crate) fn smplb_c_bh_enable();

    pub(crate) fn smplb_c_native_alloc(
        parent: *mut device,
        mac: *const u8,
        mtu: c_uint,
        max_mtu: c_uint,
        queues: c_uint,
    ) -> *mut net_device;
    pub(crate) fn smplb_c_native_free(dev: *mut net_device);
    pub(crate) fn smplb_c_native_register(dev: *mut net_device, port: *mut c_void) -> c_int;
    pub(crate) fn smplb_c_native_quiesce(dev: *mut net_device);
    pub(crate) fn smplb_c_native_unregister(dev: *mut net_device);
    pub(crate) fn smplb_c_native_carrier(dev: *mut net_device, up: bool);
    pub(crate) fn smplb_c_native_tell(dev: *mut net_device, what: *const c_char, code: c_int);
    pub(crate) fn smplb_c_native_promisc(dev: *const net_device) -> bool;
    pub(crate) fn smplb_c_native_receive(
        napi: *mut napi_struct,
        queue: u32,
        frame: *const c_void,
        len: c_uint,
        csum_start: u16,
        csum_offset: u16,
    ) -> c_int;
    pub(crate) fn smplb_c_native_resolve(
        napi: *mut napi_struct,
        packet: *const c_void,
        len: c_uint,
        addr: u32,
        ifindex: u32,
    ) -> c_int;
    pub(crate) fn smplb_c_host_send(pseudo: *mut net_device, skb: *mut sk_buff);
    pub(crate) fn smplb_c_skb_plain(skb: *mut sk_buff) -> *mut sk_buff;
    pub(crate) fn smplb_c_init_net() -> *mut net;

    pub(crate) fn smplb_c_sleeper_start(
        function: unsafe extern "C" fn(*mut c_void, bool),
        data: *mut c_void,
    ) -> *mut c_void;
    pub(crate) fn smplb_c_sleeper_stop(sleeper: *mut c_void);

    pub(crate) fn smplb_c_door_register() -> c_int;
    pub(crate) fn smplb_c_door_unregister();
    pub(crate) fn smplb_c_door_wake(door: *mut c_void);
    pub(crate) fn smplb_c_door_bells(door: *mut c_void);
    pub(crate) fn smplb_c_door_no_bells(door: *mut c_void, offset: u64, len: u64);
    pub(crate) fn smplb_c_shared_alloc(len: usize) -> *mut c_void;
    pub(crate) fn smplb_c_shared_free(memory: *mut c_void);

    pub(crate) fn smplb_c_chunk_alloc() -> *mut c_void;
    pub(crate) fn smplb_c_chunk_free(chunk: *mut c_void);
    pub(crate) fn smplb_c_chunk_map(
        dev: *mut device,
        chunk: *mut c_void,
        physical: bool,
        addr: *mut u64,
    ) -> c_int;
    pub(crate) fn smplb_c_chunk_unmap(dev: *mut device, addr: u64);
    pub(crate) fn smplb_c_ring_alloc(dev: *mut device, size: usize, addr: *mut u64) -> *mut c_void;
    pub(crate) fn smplb_c_ring_unmap(dev: *mut device, addr: u64, size: usize);
    pub(crate) fn smplb_c_ring_free(ring: *mut c_void, size: usize);
    pub(crate) fn smplb_c_pages_hold(ring: *mut c_void, size: usize);
    pub(crate) fn smplb_c_pages_drop(ring: *mut c_void, size: usize);
    pub(crate) fn smplb_c_lost(memory: *const c_void);

    pub(crate) fn smplb_c_vectors_new(pdev: *mut pci_dev, count: c_uint) -> *mut c_void;
    pub(crate) fn smplb_c_vectors_free(vectors: *mut c_void);
    pub(crate) fn smplb_c_vector_of(vectors: *mut c_void, pair: c_uint) -> *mut c_void;
    pub(crate) fn smplb_c_vector_watch(vector: *mut c_void, port: *mut c_void);
    pub(crate) fn smplb_c_vector_arm(vector: *mut c_void);
    pub(crate) fn smplb_c_vector_disarm(vector: *mut c_void);

    pub(crate) fn smplb_c_mirror_register() -> c_int;
    pub(crate) fn smplb_c_mirror_unregister();
    pub(crate) fn smplb_c_mirror_start(net: *mut net, mirror: *mut *mut c_void) -> c_int;
    pub(crate) fn smplb_c_mirror_stop(net: *mut net, mirror: *mut c_void);

    pub(crate) fn smplb_c_pernet_register() -> c_int;
    pub(crate) fn smplb_c_pernet_unregister();
    pub(crate) fn smplb_c_pernet(net: *mut net) -> *mut *mut c_void;

    pub(crate) fn smplb_c_extack_attr(extack: *mut netlink_ext_ack, attr: *const nlattr);
    pub(crate) fn smplb_c_extack_missing(extack: *mut netlink_ext_ack, attr: u32);
    pub(crate) fn smplb_c_ticker_start(
        function: unsafe extern "C" fn(*mut c_void),
        data: *mut c_void,
        period_ms: c_uint,
    ) -> *mut c_void;
    pub(crate) fn smplb_c_ticker_stop(ticker: *mut c_void);
    pub(crate) fn smplb_c_rtnl_lock();
    pub(crate) fn smplb_c_rtnl_unlock();
    pub(crate) fn smplb_c_extack_set(extack: *mut netlink_ext_ack, text: *const c_char);
}
