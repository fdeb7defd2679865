// SPDX-License-Identifier: MIT OR Apache-2.0

//! [`smplb_ring`] for C. The functions are described in `include/smplb_ring.h`; their pointers are
//! those of callers who keep to what is said there.

use std::ffi::{c_char, c_int, CStr};
use std::mem::{offset_of, MaybeUninit};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::null_mut;
use std::slice;

use smplb_ring::{Channel, Error, Frame, Options, Port, Want};

/// `struct smplb_ring`.
pub struct Ring {
    channel: Channel,
    /// Frames that have come, and were not asked for yet.
    frames: Vec<Frame>,
    /// Room for those of one call.
    sending: Vec<Frame>,
}

/// `struct smplb_ring_options`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RingOptions {
    ring_size: u32,
    buffers: u32,
    receive: u32,
    has_cpu: u32,
    cpu: u32,
    trusted: u32,
}

/// `struct smplb_ring_port`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RingPort {
    ifindex: u32,
    mtu: u32,
    number: u16,
    mac: [u8; 6],
}

/// `struct smplb_frame`.
#[repr(C)]
pub struct RingFrame {
    data: *mut u8,
    len: u32,
    room: u32,
    port: u16,
    reserved: [u16; 3],
    /// A [`Frame`], as long as `data` is not null.
    frame: MaybeUninit<Frame>,
}

const _: () = {
    assert!(size_of::<Frame>() == 24 && align_of::<Frame>() <= 8);
    assert!(size_of::<RingFrame>() == 48 && offset_of!(RingFrame, frame) == 24);
};

/// Where a reason goes.
struct Reason(*mut c_char, usize);

impl Reason {
    /// Tells why something was not done.
    ///
    /// # Safety
    ///
    /// There is room for so many octets, or the pointer is null.
    unsafe fn tell(&self, error: &Error) {
        let text = error.to_string();
        let len = text.len().min(self.1.saturating_sub(1));
        if self.0.is_null() || self.1 == 0 {
            return;
        }
        // SAFETY: By the safety requirement; `len` and the 0 behind it are no more than that.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr().cast(), self.0, len);
            self.0.add(len).write(0);
        }
    }

    /// 0, or -1 with a reason.
    ///
    /// # Safety
    ///
    /// As for [`Reason::tell`].
    unsafe fn result(&self, result: Result<(), Error>) -> c_int {
        match result {
            Ok(()) => 0,
            Err(error) => {
                // SAFETY: By the safety requirement.
                unsafe { self.tell(&error) };
                -1
            }
        }
    }
}

impl RingFrame {
    fn new(mut frame: Frame) -> Self {
        let len = frame.len();
        let room = frame.room();
        let (data, port) = (frame.as_mut().as_mut_ptr(), frame.port());
        Self {
            data,
            len: len as u32,
            room: room as u32,
            port,
            reserved: [0; 3],
            frame: MaybeUninit::new(frame),
        }
    }

    /// The frame, with what the caller has made of it; `None` if it is too long.
    ///
    /// # Safety
    ///
    /// It came from [`RingFrame::new`], and this is done once.
    unsafe fn take(&mut self) -> Option<Frame> {
        if std::mem::replace(&mut self.data, null_mut()).is_null() {
            return None;
        }
        // SAFETY: By the safety requirement, it is there, and read once.
        let mut frame = unsafe { self.frame.assume_init_read() };
        frame.set_port(self.port);
        frame.set_len(self.len as usize).then_some(frame)
    }
}

impl From<Port> for RingPort {
    fn from(port: Port) -> Self {
        Self {
            ifindex: port.ifindex,
            mtu: port.mtu,
            number: port.number,
            mac: port.mac,
        }
    }
}

impl From<RingPort> for Port {
    fn from(port: RingPort) -> Self {
        Self {
            ifindex: port.ifindex,
            mtu: port.mtu,
            number: port.number,
            mac: port.mac,
        }
    }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_open(
    options: *const RingOptions,
    error: *mut c_char,
    size: usize,
) -> *mut Ring {
    // SAFETY: The caller's, or null.
    let wanted = unsafe { options.as_ref() };
    let usual = Options::default();
    let or = |value: u32, usual: u32| if value == 0 { usual } else { value };
    let options = wanted.map_or(usual.clone(), |wanted| {
        let ring_size = or(wanted.ring_size, usual.ring_size);
        let buffers = or(wanted.buffers, ring_size);
        Options {
            ring_size,
            buffers,
            receive: or(wanted.receive, buffers / 2),
            cpu: (wanted.has_cpu != 0).then_some(wanted.cpu),
            trusted: wanted.trusted != 0,
        }
    });
    match Channel::open(&options) {
        Ok(channel) => Box::into_raw(Box::new(Ring {
            channel,
            frames: Vec::new(),
            sending: Vec::new(),
        })),
        Err(why) => {
            // SAFETY: The caller's room.
            unsafe { Reason(error, size).tell(&why) };
            null_mut()
        }
    }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_close(ring: *mut Ring) {
    if !ring.is_null() {
        // SAFETY: From `smplb_ring_open`, and closed once.
        drop(unsafe { Box::from_raw(ring) });
    }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_fd(ring: *const Ring) -> c_int {
    // SAFETY: Open.
    unsafe { &*ring }.channel.as_fd().as_raw_fd()
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_cpu(ring: *const Ring) -> u32 {
    // SAFETY: Open.
    unsafe { &*ring }.channel.cpu()
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_find_port(
    ring: *const Ring,
    name: *const c_char,
    port: *mut RingPort,
    error: *mut c_char,
    size: usize,
) -> c_int {
    // SAFETY: Open; a string.
    let (ring, name) = unsafe { (&*ring, CStr::from_ptr(name)) };
    let found = ring.channel.port(&name.to_string_lossy());
    // SAFETY: The caller's.
    let told = found.map(|found| unsafe { port.write(found.into()) });
    // SAFETY: The caller's room.
    unsafe { Reason(error, size).result(told) }
}

/// Asks for something.
///
/// # Safety
///
/// The ring is open, and there is room for the reason.
unsafe fn want(ring: *mut Ring, want: Want, error: *mut c_char, size: usize) -> c_int {
    // SAFETY: By the safety requirement.
    unsafe { Reason(error, size).result((*ring).channel.want(want)) }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_want_local(
    ring: *mut Ring,
    protocol: u8,
    addr: u32,
    port: u16,
    error: *mut c_char,
    size: usize,
) -> c_int {
    let to = SocketAddrV4::new(Ipv4Addr::from(addr.to_ne_bytes()), port);
    // SAFETY: As the caller says.
    unsafe { want(ring, Want::Local(protocol, to), error, size) }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_want_address(
    ring: *mut Ring,
    addr: u32,
    error: *mut c_char,
    size: usize,
) -> c_int {
    let addr = Ipv4Addr::from(addr.to_ne_bytes());
    // SAFETY: As the caller says.
    unsafe { want(ring, Want::Address(addr), error, size) }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_want_port(
    ring: *mut Ring,
    port: *const RingPort,
    error: *mut c_char,
    size: usize,
) -> c_int {
    // SAFETY: As the caller says.
    unsafe { want(ring, Want::All((*port).into()), error, size) }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_want_ethertype(
    ring: *mut Ring,
    port: *const RingPort,
    ethertype: u16,
    error: *mut c_char,
    size: usize,
) -> c_int {
    // SAFETY: As the caller says.
    unsafe {
        want(
            ring,
            Want::EtherType((*port).into(), ethertype),
            error,
            size,
        )
    }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_receive(
    ring: *mut Ring,
    frames: *mut RingFrame,
    count: usize,
) -> usize {
    // SAFETY: Open.
    let ring = unsafe { &mut *ring };
    if ring.frames.is_empty() {
        ring.channel.rx_burst(&mut ring.frames);
    }
    let count = count.min(ring.frames.len());
    for (nth, frame) in ring.frames.drain(..count).enumerate() {
        // SAFETY: The caller has room for them.
        unsafe { frames.add(nth).write(RingFrame::new(frame)) };
    }
    count
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_alloc(
    ring: *mut Ring,
    len: u32,
    frame: *mut RingFrame,
) -> c_int {
    // SAFETY: Open.
    let made = unsafe { &mut *ring }.channel.alloc(len as usize);
    match made {
        Some(made) => {
            // SAFETY: The caller has room for it.
            unsafe { frame.write(RingFrame::new(made)) };
            0
        }
        None => -1,
    }
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_send(
    ring: *mut Ring,
    frames: *mut RingFrame,
    count: usize,
) -> usize {
    if count == 0 {
        return 0;
    }
    // SAFETY: Open, and the caller's frames.
    let (ring, frames) = unsafe { (&mut *ring, slice::from_raw_parts_mut(frames, count)) };
    // SAFETY: They came from us, and are given up.
    let taken = frames
        .iter_mut()
        .filter_map(|frame| unsafe { frame.take() });
    ring.sending.extend(taken);
    while ring.channel.tx_burst(&mut ring.sending) != 0 {}
    // Those that are left go back where the last ones were.
    let first = count - ring.sending.len();
    for (place, frame) in frames[first..].iter_mut().zip(ring.sending.drain(..)) {
        *place = RingFrame::new(frame);
    }
    first
}

/// See the header.
///
/// # Safety
///
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn smplb_ring_free(frames: *mut RingFrame, count: usize) {
    for nth in 0..count {
        // SAFETY: They came from us, and are given up.
        drop(unsafe { (*frames.add(nth)).take() });
    }
}
