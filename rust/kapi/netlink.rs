// SPDX-License-Identifier: GPL-2.0

//! Generic netlink: requests with their attributes, answers, dumps.

use core::marker::PhantomData;
use core::ptr::{null_mut, NonNull};
use kernel::bindings::{self, genl_info, netlink_callback, nlattr, sk_buff};
use kernel::ffi::{c_int, c_long, c_void};
use kernel::prelude::*;

use super::extack::Extack;
use super::net::Net;

#[expect(
    improper_ctypes,
    reason = "kernel structs, passed by pointer only, end in empty arrays"
)]
extern "C" {
    fn smplb_c_genl_register() -> c_int;
    fn smplb_c_genl_unregister();
    fn smplb_c_genl_net(info: *mut genl_info) -> *mut bindings::net;
    fn smplb_c_genl_reply_new(
        info: *mut genl_info,
        size: usize,
        hdr: *mut *mut c_void,
    ) -> *mut sk_buff;
    fn smplb_c_genl_reply_send(skb: *mut sk_buff, info: *mut genl_info, hdr: *mut c_void) -> c_int;
    fn smplb_c_genl_reply_free(skb: *mut sk_buff);
    fn smplb_c_genl_dump_begin(skb: *mut sk_buff, cb: *mut netlink_callback) -> *mut c_void;
    fn smplb_c_genl_dump_end(skb: *mut sk_buff, hdr: *mut c_void);
    fn smplb_c_genl_dump_cancel(skb: *mut sk_buff, hdr: *mut c_void);
    fn smplb_c_genl_dump_net(cb: *mut netlink_callback) -> *mut bindings::net;
    fn smplb_c_genl_dump_info(cb: *mut netlink_callback) -> *const genl_info;
    fn smplb_c_nest_start(skb: *mut sk_buff, attr: c_int) -> *mut nlattr;
    fn smplb_c_nest_end(skb: *mut sk_buff, nest: *mut nlattr);
    fn smplb_c_parse_service_def(
        tb: *mut *mut nlattr,
        nest: *const nlattr,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int;
    fn smplb_c_parse_backend_def(
        tb: *mut *mut nlattr,
        nest: *const nlattr,
        extack: *mut bindings::netlink_ext_ack,
    ) -> c_int;
    fn smplb_c_ntf_new(hdr: *mut *mut c_void) -> *mut sk_buff;
    fn smplb_c_ntf_send(net: *mut bindings::net, skb: *mut sk_buff, hdr: *mut c_void);
}

/// The registered family; dropping it takes it away.
pub(crate) struct Family(());

impl Family {
    /// Registers the family of the spec.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: The generated table is static.
        kernel::error::to_result(unsafe { smplb_c_genl_register() })?;
        Ok(Self(()))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // SAFETY: Registered once.
        unsafe { smplb_c_genl_unregister() }
    }
}

/// One attribute.
///
/// # Invariants
///
/// Points at an attribute with its payload, whose length a policy of the spec
/// has checked, inside a message that outlives `'a`.
#[derive(Clone, Copy)]
pub(crate) struct Attr<'a>(NonNull<nlattr>, PhantomData<&'a nlattr>);

impl<'a> Attr<'a> {
    /// The payload.
    pub(crate) fn payload(self) -> &'a [u8] {
        let header = size_of::<nlattr>();
        // SAFETY: By the type invariants `nla_len` octets can be read.
        unsafe {
            let len = usize::from(self.0.as_ref().nla_len).saturating_sub(header);
            core::slice::from_raw_parts(self.0.as_ptr().cast::<u8>().add(header), len)
        }
    }

    /// The first `N` octets of the payload, zeros where it is shorter.
    fn octets<const N: usize>(self) -> [u8; N] {
        let mut octets = [0; N];
        for (to, from) in octets.iter_mut().zip(self.payload()) {
            *to = *from;
        }
        octets
    }

    /// As `u8`.
    pub(crate) fn u8(self) -> u8 {
        u8::from_ne_bytes(self.octets())
    }

    /// As `u16` in network byte order.
    pub(crate) fn be16(self) -> u16 {
        u16::from_be_bytes(self.octets())
    }

    /// As `u32` in host byte order.
    pub(crate) fn u32(self) -> u32 {
        u32::from_ne_bytes(self.octets())
    }

    /// As an IPv4 address.
    pub(crate) fn ipv4(self) -> [u8; 4] {
        self.octets()
    }

    /// As `uint`, which is 4 or 8 octets long.
    pub(crate) fn uint(self) -> u64 {
        if self.payload().len() == 4 {
            u64::from(self.u32())
        } else {
            u64::from_ne_bytes(self.octets())
        }
    }

    /// As the kernel's pointer, to name the attribute in an error.
    pub(crate) fn as_raw(self) -> *const nlattr {
        self.0.as_ptr()
    }
}

/// A set of parsed attributes, looked up by type.
pub(crate) trait Attrs<'a> {
    /// The attribute of type `attr`, when it was given.
    fn get(&self, attr: u32) -> Option<Attr<'a>>;
}

/// Most attributes in a nested set of the spec, and one.
const NESTED: usize = 8;

/// The attributes inside of a nested one.
pub(crate) struct Nested<'a>([*mut nlattr; NESTED], PhantomData<&'a nlattr>);

impl<'a> Attrs<'a> for Nested<'a> {
    fn get(&self, attr: u32) -> Option<Attr<'a>> {
        // INVARIANT: The parser of the policy stored it.
        NonNull::new(*self.0.get(attr as usize)?).map(|a| Attr(a, PhantomData))
    }
}

/// A request that is being handled.
///
/// # Invariants
///
/// Points at the kernel's description of the request, valid for `'a`, whose
/// `attrs` has an element for every attribute type of the operation's policy.
pub(crate) struct Request<'a> {
    info: *const genl_info,
    attrs: u32,
    _message: PhantomData<&'a genl_info>,
}

impl<'a> Request<'a> {
    /// Wraps the kernel's pointer; `attrs` is the highest attribute type that
    /// the operation's policy knows.
    ///
    /// # Safety
    ///
    /// `info` is what the kernel gave a `doit` of the family, for as long as
    /// the result lives.
    pub(crate) unsafe fn from_raw(info: *const genl_info, attrs: u32) -> Self {
        // INVARIANT: By the safety requirement.
        Self {
            info,
            attrs,
            _message: PhantomData,
        }
    }

    /// The network namespace of the socket that asks.
    pub(crate) fn net(&self) -> Net {
        // SAFETY: Valid by the type invariants; the socket keeps its namespace
        // while the request is handled.
        unsafe { Net::from_raw(smplb_c_genl_net(self.info.cast_mut())) }
    }

    /// Where a reason for a refusal goes.
    pub(crate) fn extack(&self) -> Extack {
        // SAFETY: Valid by the type invariants.
        unsafe { Extack::from_raw((*self.info).extack) }
    }

    /// All attributes of type `attr`, in the order they were sent.
    pub(crate) fn multi(&self, attr: u32) -> Multi<'a> {
        // SAFETY: By the type invariants; the attributes of a generic netlink
        // message begin after its headers, and its length has been checked.
        let (from, len) = unsafe {
            let message = (*self.info).nlhdr;
            let headers = size_of::<bindings::nlmsghdr>() + size_of::<bindings::genlmsghdr>();
            (
                message.cast::<u8>().add(headers),
                ((*message).nlmsg_len as usize).saturating_sub(headers),
            )
        };
        Multi {
            at: from.cast(),
            left: len,
            attr,
            _message: PhantomData,
        }
    }

    /// The attributes inside a `service-def`.
    pub(crate) fn service_def(&self, nest: Attr<'a>) -> Result<Nested<'a>> {
        let mut nested = Nested([null_mut(); NESTED], PhantomData);
        // SAFETY: The set has fewer attributes than `NESTED`; see below.
        kernel::error::to_result(unsafe {
            smplb_c_parse_service_def(nested.0.as_mut_ptr(), nest.as_raw(), (*self.info).extack)
        })?;
        Ok(nested)
    }

    /// The attributes inside a `backend-def`.
    pub(crate) fn backend_def(&self, nest: Attr<'a>) -> Result<Nested<'a>> {
        let mut nested = Nested([null_mut(); NESTED], PhantomData);
        // SAFETY: As above.
        kernel::error::to_result(unsafe {
            smplb_c_parse_backend_def(nested.0.as_mut_ptr(), nest.as_raw(), (*self.info).extack)
        })?;
        Ok(nested)
    }

    /// Begins an answer of the usual size, a page.
    pub(crate) fn reply(&self) -> Result<Reply<'_>> {
        self.reply_of(0)
    }

    /// Begins an answer that has room for `size` octets at least.
    pub(crate) fn reply_of(&self, size: usize) -> Result<Reply<'_>> {
        let mut header = null_mut();
        // SAFETY: Valid by the type invariants.
        let skb = unsafe { smplb_c_genl_reply_new(self.info.cast_mut(), size, &mut header) };
        let skb = NonNull::new(skb).ok_or(ENOMEM)?;
        Ok(Reply {
            message: Message { skb, header },
            info: self.info,
            _request: PhantomData,
        })
    }
}

kernel::static_assert!(crate::control::uapi::SMPLB_A_SERVICE_DEF_ANNOUNCE < NESTED as u32);
kernel::static_assert!(crate::control::uapi::SMPLB_A_BACKEND_DEF_WEIGHT < NESTED as u32);

impl<'a> Attrs<'a> for Request<'a> {
    fn get(&self, attr: u32) -> Option<Attr<'a>> {
        if attr > self.attrs {
            return None;
        }
        // SAFETY: By the type invariants the array has this element.
        let raw = unsafe {
            let attrs = (*self.info).attrs;
            if attrs.is_null() {
                return None;
            }
            *attrs.add(attr as usize)
        };
        // INVARIANT: The kernel parsed it by the policy.
        NonNull::new(raw).map(|a| Attr(a, PhantomData))
    }
}

/// Iterates over the attributes of one type.
pub(crate) struct Multi<'a> {
    at: *const nlattr,
    left: usize,
    attr: u32,
    _message: PhantomData<&'a nlattr>,
}

impl<'a> Iterator for Multi<'a> {
    type Item = Attr<'a>;

    fn next(&mut self) -> Option<Attr<'a>> {
        while self.left >= size_of::<nlattr>() {
            let at = self.at;
            // SAFETY: A whole attribute header is left in the message.
            let (len, kind) = unsafe { (usize::from((*at).nla_len), (*at).nla_type) };
            if len < size_of::<nlattr>() || len > self.left {
                return None;
            }
            let step = len.next_multiple_of(4).min(self.left);
            // SAFETY: Inside of the message.
            self.at = unsafe { at.cast::<u8>().add(step).cast() };
            self.left -= step;
            if u32::from(kind) & bindings::NLA_TYPE_MASK as u32 == self.attr {
                // INVARIANT: A whole attribute, that the kernel has validated
                // together with the rest of the message.
                return NonNull::new(at.cast_mut()).map(|a| Attr(a, PhantomData));
            }
        }
        None
    }
}

/// A message that is being written.
///
/// # Invariants
///
/// `skb` is a message whose generic netlink header is `header`.
pub(crate) struct Message {
    skb: NonNull<sk_buff>,
    header: *mut c_void,
}

impl Message {
    fn put(&mut self, attr: u32, value: &[u8]) -> Result {
        // SAFETY: By the type invariants; length and pointer are of `value`.
        kernel::error::to_result(unsafe {
            bindings::nla_put(
                self.skb.as_ptr(),
                attr as c_int,
                value.len() as c_int,
                value.as_ptr().cast(),
            )
        })
    }

    /// Adds a `u8`.
    pub(crate) fn u8(&mut self, attr: u32, value: u8) -> Result {
        self.put(attr, &[value])
    }

    /// Adds a `u16` in network byte order.
    pub(crate) fn be16(&mut self, attr: u32, value: u16) -> Result {
        self.put(attr, &value.to_be_bytes())
    }

    /// Adds a `u32`.
    pub(crate) fn u32(&mut self, attr: u32, value: u32) -> Result {
        self.put(attr, &value.to_ne_bytes())
    }

    /// Adds a `uint`: 4 octets when that is enough, else 8.
    pub(crate) fn uint(&mut self, attr: u32, value: u64) -> Result {
        match u32::try_from(value) {
            Ok(value) => self.u32(attr, value),
            Err(_) => self.put(attr, &value.to_ne_bytes()),
        }
    }

    /// Adds an IPv4 address.
    pub(crate) fn ipv4(&mut self, attr: u32, value: [u8; 4]) -> Result {
        self.put(attr, &value)
    }

    /// Adds a string that ends with the first zero octet of `value`.
    pub(crate) fn string(&mut self, attr: u32, value: &[u8]) -> Result {
        let end = value
            .iter()
            .position(|&b| b == 0)
            .map_or(value.len(), |n| n + 1);
        self.put(attr, value.get(..end).unwrap_or(value))
    }

    /// Adds a nested attribute that `fill` fills.
    pub(crate) fn nest(&mut self, attr: u32, fill: impl FnOnce(&mut Self) -> Result) -> Result {
        // SAFETY: By the type invariants.
        let nest = unsafe { smplb_c_nest_start(self.skb.as_ptr(), attr as c_int) };
        if nest.is_null() {
            return Err(EMSGSIZE);
        }
        fill(self)?;
        // SAFETY: The nest was begun above, in the same message.
        unsafe { smplb_c_nest_end(self.skb.as_ptr(), nest) };
        Ok(())
    }
}

/// An answer to a request.
pub(crate) struct Reply<'a> {
    pub(crate) message: Message,
    info: *const genl_info,
    _request: PhantomData<&'a genl_info>,
}

impl Reply<'_> {
    /// Sends it.
    pub(crate) fn send(self) -> Result {
        let (skb, header, info) = (self.message.skb, self.message.header, self.info);
        core::mem::forget(self);
        // SAFETY: The message is ours and passed on; `info` is the request's.
        kernel::error::to_result(unsafe {
            smplb_c_genl_reply_send(skb.as_ptr(), info.cast_mut(), header)
        })
    }
}

impl Drop for Reply<'_> {
    fn drop(&mut self) {
        // SAFETY: The message is ours and was not sent.
        unsafe { smplb_c_genl_reply_free(self.message.skb.as_ptr()) }
    }
}

/// Tells the listeners in `net` what `fill` writes.
pub(crate) fn notify(net: Net, fill: impl FnOnce(&mut Message) -> Result) {
    let mut header = null_mut();
    // SAFETY: `header` is ours.
    let Some(skb) = NonNull::new(unsafe { smplb_c_ntf_new(&mut header) }) else {
        return;
    };
    // INVARIANT: A new message with its header.
    let mut message = Message { skb, header };
    // SAFETY: The message is ours and is freed or passed on.
    unsafe {
        match fill(&mut message) {
            Ok(()) => smplb_c_ntf_send(net.as_raw(), skb.as_ptr(), header),
            Err(_) => smplb_c_genl_reply_free(skb.as_ptr()),
        }
    }
}

/// A dump under way: called again and again until it adds nothing.
///
/// # Invariants
///
/// Both pointers are those the kernel gave a `dumpit` of the family.
pub(crate) struct Dump {
    skb: NonNull<sk_buff>,
    cb: NonNull<netlink_callback>,
}

impl Dump {
    /// Wraps the kernel's pointers.
    ///
    /// # Safety
    ///
    /// They are those the kernel gave a `dumpit` of the family, for as long as
    /// the result lives.
    pub(crate) unsafe fn from_raw(skb: *mut sk_buff, cb: *mut netlink_callback) -> Option<Self> {
        // INVARIANT: By the safety requirement.
        Some(Self {
            skb: NonNull::new(skb)?,
            cb: NonNull::new(cb)?,
        })
    }

    /// The network namespace of the socket that asks.
    pub(crate) fn net(&self) -> Net {
        // SAFETY: By the type invariants; the socket keeps its namespace.
        unsafe { Net::from_raw(smplb_c_genl_dump_net(self.cb.as_ptr())) }
    }

    /// The request, with attributes up to type `attrs`.
    pub(crate) fn request(&self, attrs: u32) -> Request<'_> {
        // SAFETY: By the type invariants.
        unsafe { Request::from_raw(smplb_c_genl_dump_info(self.cb.as_ptr()), attrs) }
    }

    /// Where the dump goes on; 0 at first.
    pub(crate) fn cursor(&self) -> u64 {
        // SAFETY: By the type invariants; the union is ours, and the kernel
        // clears it at the start. Zero and what `set_cursor` wrote are numbers.
        unsafe { (*self.cb.as_ptr()).__bindgen_anon_1.args[0] as u64 }
    }

    /// Remembers where the dump goes on.
    pub(crate) fn set_cursor(&mut self, cursor: u64) {
        // SAFETY: By the type invariants; the union is ours.
        unsafe { (*self.cb.as_ptr()).__bindgen_anon_1.args[0] = cursor as c_long }
    }

    /// Adds an object that `fill` writes; false when the message is full, and
    /// the object is to come first in the next one.
    pub(crate) fn add(&mut self, fill: impl FnOnce(&mut Message) -> Result) -> bool {
        // SAFETY: By the type invariants.
        let header = unsafe { smplb_c_genl_dump_begin(self.skb.as_ptr(), self.cb.as_ptr()) };
        if header.is_null() {
            return false;
        }
        // INVARIANT: The header was begun above.
        let mut message = Message {
            skb: self.skb,
            header,
        };
        let done = fill(&mut message).is_ok();
        // SAFETY: Begun above.
        unsafe {
            if done {
                smplb_c_genl_dump_end(self.skb.as_ptr(), header);
            } else {
                smplb_c_genl_dump_cancel(self.skb.as_ptr(), header);
            }
        }
        done
    }

    /// What a `dumpit` returns: more to come while the message has something.
    pub(crate) fn finish(self) -> c_int {
        // SAFETY: By the type invariants.
        unsafe { self.skb.as_ref().len as c_int }
    }
}
