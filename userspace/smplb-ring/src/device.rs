// SPDX-License-Identifier: MIT OR Apache-2.0

//! The file `/dev/smplb`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{open, Mode, OFlags};
use rustix::io::Errno;
use rustix::ioctl::{self, opcode, Opcode};
use smplb_core::channel::uapi;

const OPEN: Opcode = opcode::read_write::<uapi::Open>(uapi::MAGIC, 0);
const WANT: Opcode = opcode::write::<uapi::Want>(uapi::MAGIC, 1);
const UNWANT: Opcode = opcode::write::<uapi::Want>(uapi::MAGIC, 2);
const KICK: Opcode = opcode::none(uapi::MAGIC, 3);
const PORT: Opcode = opcode::read_write::<uapi::Port>(uapi::MAGIC, 4);
const STATS: Opcode = opcode::read::<uapi::Stats>(uapi::MAGIC, 5);

/// An open file.
pub(crate) struct Device(OwnedFd);

impl Device {
    pub(crate) fn open() -> Result<Self, Errno> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        Ok(Self(open("/dev/smplb", flags, Mode::empty())?))
    }

    /// Makes a channel of it.
    pub(crate) fn make(&self, wanted: &mut uapi::Open) -> Result<(), Errno> {
        // SAFETY: The ioctl takes this struct, and writes to it.
        unsafe { ioctl::ioctl(&self.0, ioctl::Updater::<OPEN, _>::new(wanted)) }
    }

    pub(crate) fn want(&self, want: uapi::Want) -> Result<(), Errno> {
        // SAFETY: The ioctl takes this struct.
        unsafe { ioctl::ioctl(&self.0, ioctl::Setter::<WANT, _>::new(want)) }
    }

    pub(crate) fn unwant(&self, want: uapi::Want) -> Result<(), Errno> {
        // SAFETY: The ioctl takes this struct.
        unsafe { ioctl::ioctl(&self.0, ioctl::Setter::<UNWANT, _>::new(want)) }
    }

    pub(crate) fn kick(&self) -> Result<(), Errno> {
        // SAFETY: The ioctl takes nothing.
        unsafe { ioctl::ioctl(&self.0, ioctl::NoArg::<KICK>::new()) }
    }

    pub(crate) fn port(&self, port: &mut uapi::Port) -> Result<(), Errno> {
        // SAFETY: The ioctl takes this struct, and writes to it.
        unsafe { ioctl::ioctl(&self.0, ioctl::Updater::<PORT, _>::new(port)) }
    }

    pub(crate) fn stats(&self) -> Result<uapi::Stats, Errno> {
        // SAFETY: The ioctl writes this struct.
        unsafe { ioctl::ioctl(&self.0, ioctl::Getter::<STATS, _>::new()) }
    }
}

impl AsFd for Device {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
