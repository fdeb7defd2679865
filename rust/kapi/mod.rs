// SPDX-License-Identifier: GPL-2.0

//! Safe wrappers over the kernel's C interfaces that have no Rust abstraction
//! yet, one file per C subsystem. Nearly all `unsafe` of the module is here.

pub(crate) mod ab;
pub(crate) mod atom;
pub(crate) mod batch;
pub(crate) mod buffer;
pub(crate) mod burst;
pub(crate) mod cpu;
pub(crate) mod dma;
pub(crate) mod door;
pub(crate) mod extack;
pub(crate) mod ffi;
pub(crate) mod keeper;
pub(crate) mod kthread;
pub(crate) mod lend;
pub(crate) mod live;
pub(crate) mod log;
pub(crate) mod net;
pub(crate) mod netlink;
pub(crate) mod nic;
pub(crate) mod pages;
pub(crate) mod pci;
pub(crate) mod pool;
pub(crate) mod power;
pub(crate) mod pseudo;
pub(crate) mod rcu_arc;
pub(crate) mod ring;
pub(crate) mod shared;
pub(crate) mod skb;
pub(crate) mod skb_out;
pub(crate) mod store;
pub(crate) mod vector;
pub(crate) mod watch;
pub(crate) mod worker;
