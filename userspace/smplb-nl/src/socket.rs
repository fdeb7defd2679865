// SPDX-License-Identifier: MIT OR Apache-2.0
//! The way to the kernel: a netlink socket, or whatever stands in for it in a test.

use std::io;

use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE};
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt;

/// A whole configuration goes in one message, about 50 bytes per backend: room for more than
/// the 400 KB that the greatest one takes.
const SEND_BUFFER: usize = 4 << 20;
/// Notifications wait here for a slow reader.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Carries netlink messages to the kernel and back.
pub trait Transport {
    /// Sends one message.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;

    /// Waits for one datagram, which may hold several messages.
    fn receive(&mut self) -> io::Result<Vec<u8>>;

    /// Joins a multicast group.
    fn join(&mut self, group: u32) -> io::Result<()>;
}

/// A netlink socket to the kernel.
#[derive(Debug)]
pub struct Kernel(Socket);

impl Kernel {
    /// A socket for generic netlink.
    pub fn generic() -> io::Result<Self> {
        Self::open(NETLINK_GENERIC)
    }

    /// A socket for rtnetlink.
    pub fn route() -> io::Result<Self> {
        Self::open(NETLINK_ROUTE)
    }

    fn open(protocol: isize) -> io::Result<Self> {
        let mut socket = Socket::new(protocol)?;
        socket.bind_auto()?;
        socket.connect(&SocketAddr::new(0, 0))?;
        socket.set_ext_ack(true)?;
        // An error about a message of 400 KB should not bring the message back.
        socket.set_cap_ack(true)?;
        socket.set_netlink_get_strict_chk(true)?;
        // Only root may pass the system's limit; others get as much as it allows.
        if sockopt::set_socket_send_buffer_size_force(&socket, SEND_BUFFER).is_err() {
            sockopt::set_socket_send_buffer_size(&socket, SEND_BUFFER)?;
        }
        if sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER).is_err() {
            sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER)?;
        }
        Ok(Self(socket))
    }
}

impl Transport for Kernel {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        let sent = again(|| self.0.send(message, 0))?;
        match sent == message.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        again(|| self.0.recv_from_full()).map(|(message, _)| message)
    }

    fn join(&mut self, group: u32) -> io::Result<()> {
        self.0.add_membership(group)
    }
}

fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
