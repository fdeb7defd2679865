// SPDX-License-Identifier: MIT OR Apache-2.0
//! The plugin: which instructions it asks for, and what it does when they run.

use std::ffi::{c_char, c_int, c_uint, c_void, CStr};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::mem::take;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::thread;

use crate::cache::Caches;
use crate::ffi::{self, Access, Block, Id, Info};
use crate::marker::Marker;
use crate::tally::{self, Tally};

/// The lowest address of the kernel.
const KERNEL: u64 = 1 << 63;

/// Octets of a cache line, as a shift.
const LINE: u32 = 6;

/// Instructions after which a CPU gives way to the others, a few packets long:
/// there may be fewer processors than CPUs, and what CPUs would do at the same
/// time is to be done in small steps.
const STEP: u64 = 1024;

/// The version of the interface that the plugin was written for.
#[no_mangle]
pub static qemu_plugin_version: c_int = ffi::VERSION;

/// The plugin's own number.
static ID: OnceLock<Id> = OnceLock::new();
/// Whether there has been a window.
static WATCHES: AtomicBool = AtomicBool::new(false);
/// Whether a window is open.
static OPEN: AtomicBool = AtomicBool::new(false);
/// One for each CPU.
static TALLIES: OnceLock<Vec<Mutex<Tally>>> = OnceLock::new();
/// Which CPU has which line.
static CACHES: LazyLock<Caches> = LazyLock::new(Caches::new);
/// Where windows are written.
static OUT: OnceLock<Mutex<BufWriter<File>>> = OnceLock::new();

/// Called once by QEMU, which gives up when the result is not 0.
///
/// # Safety
///
/// `info` and the `argc` strings at `argv` are valid.
#[no_mangle]
pub unsafe extern "C" fn qemu_plugin_install(
    id: Id,
    info: *const Info,
    argc: c_int,
    argv: *const *const c_char,
) -> c_int {
    // SAFETY: By the safety requirement.
    let (info, args) = unsafe { (&*info, strings(argc, argv)) };
    if !info.is_machine {
        eprintln!("smplb-lines: only for a machine");
        return 1;
    }
    let Some(path) = args.iter().find_map(|arg| arg.strip_prefix("out=")) else {
        eprintln!("smplb-lines: name a file: out=PATH");
        return 1;
    };
    match File::create(path) {
        Ok(file) => OUT.get_or_init(|| Mutex::new(BufWriter::new(file))),
        Err(error) => {
            eprintln!("smplb-lines: cannot write {path}: {error}");
            return 1;
        }
    };
    TALLIES.get_or_init(|| (0..info.cpus_max).map(|_| Mutex::default()).collect());
    ID.get_or_init(|| id);
    // SAFETY: The id is that of this plugin.
    unsafe { watch(id) };
    0
}

/// # Safety
///
/// The `argc` strings at `argv` are valid.
unsafe fn strings(argc: c_int, argv: *const *const c_char) -> Vec<String> {
    let count = usize::try_from(argc).unwrap_or(0);
    let string = |nth| {
        // SAFETY: By the safety requirement.
        let string = unsafe { CStr::from_ptr(*argv.add(nth)) };
        string.to_string_lossy().into_owned()
    };
    (0..count).map(string).collect()
}

/// From the first window on, instructions are asked for: until then
/// the guest is not slowed down. It stays so, since QEMU 7.2 may still use what it
/// has forgotten of accesses to memory.
///
/// # Safety
///
/// Called by a CPU.
unsafe fn begin() {
    if WATCHES.swap(true, Ordering::Relaxed) {
        return;
    }
    if let Some(id) = ID.get() {
        // SAFETY: The id is that of this plugin; by the safety requirement there is
        // a CPU that can do it.
        unsafe { ffi::qemu_plugin_reset(*id, watch) };
    }
}

unsafe extern "C" fn watch(id: Id) {
    // SAFETY: `id` is that of this plugin.
    unsafe { ffi::qemu_plugin_register_vcpu_tb_trans_cb(id, translate) };
}

/// Asks for markers and, when there has been a window, for all instructions.
unsafe extern "C" fn translate(_: Id, block: *mut Block) {
    let watches = WATCHES.load(Ordering::Relaxed);
    // SAFETY: The block is valid during this call, as are its instructions.
    unsafe {
        for nth in 0..ffi::qemu_plugin_tb_n_insns(block) {
            let instruction = ffi::qemu_plugin_tb_get_insn(block, nth);
            let address = ffi::qemu_plugin_insn_vaddr(instruction);
            let octets = slice::from_raw_parts(
                ffi::qemu_plugin_insn_data(instruction).cast::<u8>(),
                ffi::qemu_plugin_insn_size(instruction),
            );
            let then = match Marker::of(octets) {
                Some(Marker::Open) => open,
                Some(Marker::Close) => close,
                None if !watches => continue,
                None if address >= KERNEL => execute,
                None => execute_user,
            };
            // The word is the address of the instruction.
            let word = address as *mut c_void;
            ffi::qemu_plugin_register_vcpu_insn_exec_cb(instruction, then, ffi::NO_REGISTERS, word);
            if watches && address >= KERNEL {
                ffi::qemu_plugin_register_vcpu_mem_cb(
                    instruction,
                    access,
                    ffi::NO_REGISTERS,
                    ffi::LOADS_AND_STORES,
                    word,
                );
            }
        }
    }
}

fn with(cpu: c_uint, then: impl FnOnce(&mut Tally)) {
    let tally = TALLIES.get().and_then(|tallies| tallies.get(cpu as usize));
    if let Some(tally) = tally {
        then(&mut tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

unsafe extern "C" fn execute(cpu: c_uint, word: *mut c_void) {
    count(cpu, |tally| tally.execute(word as u64));
}

unsafe extern "C" fn execute_user(cpu: c_uint, _: *mut c_void) {
    count(cpu, Tally::execute_user);
}

fn count(cpu: c_uint, execute: impl FnOnce(&mut Tally) -> u64) {
    if OPEN.load(Ordering::Relaxed) {
        let mut executed = 0;
        with(cpu, |tally| executed = execute(tally));
        if executed % STEP == 0 {
            thread::yield_now();
        }
    }
}

unsafe extern "C" fn access(cpu: c_uint, access: Access, address: u64, word: *mut c_void) {
    if !OPEN.load(Ordering::Relaxed) {
        return;
    }
    // SAFETY: The access is the one that this call tells of, and what it was to is
    // used during this call only.
    let (physical, octets, write) = unsafe {
        let place = ffi::qemu_plugin_get_hwaddr(access, address);
        if place.is_null() {
            return;
        }
        let write = ffi::qemu_plugin_mem_is_store(access);
        if ffi::qemu_plugin_hwaddr_is_io(place) {
            return with(cpu, |tally| tally.access_device(word as u64, write));
        }
        (
            ffi::qemu_plugin_hwaddr_phys_addr(place),
            1u64 << ffi::qemu_plugin_mem_size_shift(access),
            write,
        )
    };
    // The next page may be anywhere.
    let page_end = physical | 0xfff;
    let last = (physical + octets - 1).min(page_end);
    for line in physical >> LINE..=last >> LINE {
        let others = CACHES.access(line, cpu as usize, write);
        with(cpu, |tally| {
            tally.access(word as u64, line, address, write, others);
        });
    }
}

unsafe extern "C" fn open(_: c_uint, _: *mut c_void) {
    drop(collect());
    CACHES.clear();
    OPEN.store(true, Ordering::Relaxed);
    // SAFETY: Called by a CPU.
    unsafe { begin() };
}

unsafe extern "C" fn close(_: c_uint, _: *mut c_void) {
    if !OPEN.swap(false, Ordering::Relaxed) {
        return;
    }
    let tallies = collect();
    let Some(out) = OUT.get() else { return };
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = tally::write(&tallies, &mut *out).and_then(|()| out.flush()) {
        eprintln!("smplb-lines: cannot write: {error}");
    }
}

/// What all CPUs did, which is forgotten.
fn collect() -> Vec<Tally> {
    let tallies = TALLIES.get().into_iter().flatten();
    let taken =
        tallies.map(|tally| take(&mut *tally.lock().unwrap_or_else(PoisonError::into_inner)));
    taken.collect()
}
