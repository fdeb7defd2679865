// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is used of QEMU's interface for plugins, version 1. QEMU itself has the
//! functions; they are found when it loads the plugin.

use std::ffi::{c_char, c_int, c_uint, c_void};

/// The version of the interface.
pub const VERSION: c_int = 1;

/// The number of a loaded plugin.
pub type Id = u64;

/// What a plugin is told about QEMU when it is loaded.
#[repr(C)]
pub struct Info {
    /// The guest's architecture.
    pub target: *const c_char,
    /// The oldest version of the interface that QEMU still has.
    pub version_min: c_int,
    /// The newest one.
    pub version_cur: c_int,
    /// Whether there is a machine, and not only a program.
    pub is_machine: bool,
    /// Its CPUs when it starts.
    pub cpus: c_int,
    /// The most it can have.
    pub cpus_max: c_int,
}

/// A block of instructions that is being translated.
#[repr(C)]
pub struct Block(c_void);

/// An instruction of it.
#[repr(C)]
pub struct Instruction(c_void);

/// What is behind a virtual address.
#[repr(C)]
pub struct Place(c_void);

/// What is known about an access to memory.
pub type Access = u32;

/// Called when what was asked for has been done.
pub type OnDone = unsafe extern "C" fn(Id);
/// Called when a block is translated.
pub type OnTranslate = unsafe extern "C" fn(Id, *mut Block);
/// Called when a CPU executes an instruction, with the word it was asked with.
pub type OnExecute = unsafe extern "C" fn(c_uint, *mut c_void);
/// Called when a CPU has accessed memory, with the virtual address and that word.
pub type OnAccess = unsafe extern "C" fn(c_uint, Access, u64, *mut c_void);

/// The function called neither reads nor writes registers.
pub const NO_REGISTERS: c_int = 0;
/// Loads and stores.
pub const LOADS_AND_STORES: c_int = 3;

extern "C" {
    /// Forgets all that the plugin has registered and all that was translated; then
    /// calls `then`, soon.
    pub fn qemu_plugin_reset(id: Id, then: OnDone);
    /// Has `then` called for every block.
    pub fn qemu_plugin_register_vcpu_tb_trans_cb(id: Id, then: OnTranslate);
    /// How many instructions a block has.
    pub fn qemu_plugin_tb_n_insns(block: *const Block) -> usize;
    /// One of them.
    pub fn qemu_plugin_tb_get_insn(block: *const Block, nth: usize) -> *mut Instruction;
    /// Its octets,
    pub fn qemu_plugin_insn_data(instruction: *const Instruction) -> *const c_void;
    /// how many there are,
    pub fn qemu_plugin_insn_size(instruction: *const Instruction) -> usize;
    /// and where they are.
    pub fn qemu_plugin_insn_vaddr(instruction: *const Instruction) -> u64;
    /// Has `then` called whenever the instruction is executed.
    pub fn qemu_plugin_register_vcpu_insn_exec_cb(
        instruction: *mut Instruction,
        then: OnExecute,
        registers: c_int,
        word: *mut c_void,
    );
    /// Has `then` called whenever the instruction accesses memory.
    pub fn qemu_plugin_register_vcpu_mem_cb(
        instruction: *mut Instruction,
        then: OnAccess,
        registers: c_int,
        which: c_int,
        word: *mut c_void,
    );
    /// Whether an access is a store.
    pub fn qemu_plugin_mem_is_store(access: Access) -> bool;
    /// Binary logarithm of its octets.
    pub fn qemu_plugin_mem_size_shift(access: Access) -> c_uint;
    /// What was accessed; valid during the call that tells of the access.
    pub fn qemu_plugin_get_hwaddr(access: Access, address: u64) -> *mut Place;
    /// Whether that is a device.
    pub fn qemu_plugin_hwaddr_is_io(place: *const Place) -> bool;
    /// Its physical address.
    pub fn qemu_plugin_hwaddr_phys_addr(place: *const Place) -> u64;
}
