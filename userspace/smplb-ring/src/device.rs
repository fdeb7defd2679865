// SPDX-License-Identifier: MIT OR Apache-2.0

//! The file `/dev/smplb`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{open, Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{self, opcode, Opcode};
use smplb_core::channel::uapi;

use crate::mock::Mock;

const OPEN: Opcode = opcode::read_write::<uapi::Open>(uapi::MAGIC, 0);
const WANT: Opcode = opcode::write::<uapi::Want>(uapi::MAGIC, 1);
const UNWANT: Opcode = opcode::write::<uapi::Want>(uapi::MAGIC, 2);
const KICK: Opcode = opcode::none(uapi::MAGIC, 3);
const PORT: Opcode = opcode::read_write::<uapi::Port>(uapi::MAGIC, 4);
const STATS: Opcode = opcode::read::<uapi::Stats>(uapi::MAGIC, 5);
const PAIR: Opcode = opcode::read_write::<uapi::Pair>(uapi::MAGIC, 6);

/// An open file, or what takes its place in tests.
pub(crate) enum Device {
    File(OwnedFd),
    Mock(Arc<Mock>),
}

impl Device {
    pub(crate) fn open() -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        Ok(Self::File(open("/dev/smplb", flags, Mode::empty())?))
    }

    /// Makes a channel of a file.
    pub(crate) fn make(&self, wanted: &mut uapi::Open) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes this struct, and writes to it.
            Self::File(file) => unsafe {
                ioctl::ioctl(file, ioctl::Updater::<OPEN, _>::new(wanted))
            },
            Self::Mock(_) => Err(Errno::ALREADY),
        }
    }

    pub(crate) fn want(&self, want: uapi::Want) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes this struct.
            Self::File(file) => unsafe { ioctl::ioctl(file, ioctl::Setter::<WANT, _>::new(want)) },
            Self::Mock(mock) => mock.want(want),
        }
    }

    pub(crate) fn unwant(&self, want: uapi::Want) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes this struct.
            Self::File(file) => unsafe {
                ioctl::ioctl(file, ioctl::Setter::<UNWANT, _>::new(want))
            },
            Self::Mock(mock) => mock.unwant(want),
        }
    }

    pub(crate) fn kick(&self) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes nothing.
            Self::File(file) => unsafe { ioctl::ioctl(file, ioctl::NoArg::<KICK>::new()) },
            Self::Mock(mock) => mock.kick(),
        }
    }

    pub(crate) fn port(&self, port: &mut uapi::Port) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes this struct, and writes to it.
            Self::File(file) => unsafe { ioctl::ioctl(file, ioctl::Updater::<PORT, _>::new(port)) },
            Self::Mock(_) => Err(Errno::NODEV),
        }
    }

    pub(crate) fn pair(&self, pair: &mut uapi::Pair) -> Result<(), Errno> {
        match self {
            // SAFETY: The ioctl takes this struct, and writes to it.
            Self::File(file) => unsafe { ioctl::ioctl(file, ioctl::Updater::<PAIR, _>::new(pair)) },
            Self::Mock(_) => Err(Errno::OPNOTSUPP),
        }
    }

    pub(crate) fn stats(&self) -> Result<uapi::Stats, Errno> {
        match self {
            // SAFETY: The ioctl writes this struct.
            Self::File(file) => unsafe { ioctl::ioctl(file, ioctl::Getter::<STATS, _>::new()) },
            Self::Mock(mock) => Ok(mock.stats()),
        }
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::File(file) => file.as_fd(),
            Self::Mock(mock) => mock.as_fd(),
        }
    }
}
