// SPDX-License-Identifier: MIT OR Apache-2.0
//! `setup`: the packages and tools everything else needs. On a machine that has
//! them it does nothing, and uses no network.

use anyhow::Result;

use crate::apt;
use crate::cache::Cache;
use crate::lock::Lock;
use crate::toolchain::{self, Debian};

/// What the kernel's build, the VM and the tests use, on every Debian.
const PACKAGES: &[&str] = &[
    "bc",
    "bison",
    "busybox-static",
    "cpio",
    "curl",
    "ethtool",
    "flex",
    "gcc",
    "haproxy",
    "iperf3",
    "iproute2",
    "iputils-ping",
    "ipvsadm",
    "kmod",
    "libc6-dev",
    "libelf-dev",
    "libssl-dev",
    "make",
    "netcat-openbsd",
    "nginx-light",
    "openssl",
    "python3-jsonschema",
    "python3-yaml",
    "qemu-system-x86",
    "tcpdump",
    "wrk",
    "xz-utils",
    "zstd",
];

/// Arguments of `setup`.
#[derive(clap::Args)]
pub struct Args {}

/// Installs what is missing.
pub fn main(_: &Args) -> Result<()> {
    install(&Cache::open()?)
}

/// The same, as the first step of other verbs.
pub fn install(cache: &Cache) -> Result<()> {
    let _lock = Lock::take(&cache.root().join("setup.lock"))?;
    let debian = Debian::of_this_machine()?;
    let mut packages = PACKAGES.to_vec();
    packages.extend(debian.rust_packages());
    apt::install(cache, &packages)?;
    // Which LLVM fits is only known once rustc can be asked.
    apt::install(cache, &toolchain::llvm_packages()?)?;
    toolchain::install_bindgen(cache)
}
