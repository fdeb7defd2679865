// SPDX-License-Identifier: MIT OR Apache-2.0

//! The pure core of smplb, compiled by cargo: the same files that Kbuild compiles into the kernel
//! module.
//!
//! The kernel module lends the core its own atomics; programs and tests outside the kernel use
//! [`StdAtom`].

#![no_std]

#[path = "../../../rust/core/mod.rs"]
pub mod core_;

pub use core_::*;

mod atom;

pub use atom::StdAtom;
