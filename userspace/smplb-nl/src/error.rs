// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong between a program and the kernel.

use std::io;

use rustix::io::Errno;

use crate::attr::DecodeError;
pub use crate::extack::Refusal;

/// Result of everything in this library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between a program and the kernel.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel understood the request and said no.
    #[error("{0}")]
    Refused(Refusal),
    /// The kernel knows neither the netlink family nor the link kind.
    #[error("the kernel module smplb is not loaded")]
    NoModule,
    /// The kernel has the family, but not this multicast group.
    #[error("the kernel module has no multicast group {0}")]
    NoGroup(&'static str),
    /// There is no network interface of this name.
    #[error("no network interface {0}")]
    NoInterface(String),
    /// A list changed under the reader each time it was read.
    #[error("the list kept changing while it was read")]
    Unsteady,
    /// An attribute would be longer than netlink can carry.
    #[error("a value is longer than a netlink attribute can be")]
    TooLong,
    /// The kernel did not send what the specification says it would.
    #[error("unexpected answer of the kernel: {0}")]
    Unexpected(String),
    /// The socket failed.
    #[error("netlink socket: {0}")]
    Socket(#[from] io::Error),
}

impl Error {
    /// The error number, where the kernel gave one.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(refusal) => Some(refusal.errno),
            Self::Socket(error) => error.raw_os_error().map(Errno::from_raw_os_error),
            _ => None,
        }
    }

    /// Messages from the kernel were lost, since the reader was too slow.
    pub fn is_overrun(&self) -> bool {
        self.errno() == Some(Errno::NOBUFS)
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Self::Unexpected(error.to_string())
    }
}
