// SPDX-License-Identifier: MIT OR Apache-2.0
//! A plugin of QEMU's translator (TCG) that counts, while the guest has a window
//! open, the instructions that each CPU executes, and of the kernel's the cache
//! lines that one CPU writes and another one reads or writes, and the accesses to
//! registers of devices.
//!
//! Only CPUs are seen: what devices write to the guest's memory does not count.
//! The guest opens and closes windows by executing one of two forms of `nop`,
//! see [`marker`]; `tests/vm/window.sh` has programs that do. Each window is
//! written to the file of the argument `out=` when it closes, see [`tally`].

mod cache;
#[cfg(not(test))]
mod ffi;
mod marker;
#[cfg(not(test))]
mod plugin;
mod tally;
