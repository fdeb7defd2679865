// SPDX-License-Identifier: MIT OR Apache-2.0

//! Ring memory as a kernel can have it: plain loads and stores, kept inside by a mask.

use std::rc::Rc;
use std::sync::atomic::{fence, AtomicU16, AtomicU32, AtomicU64, Ordering};

use smplb_core::nic::dma::Dma;

#[derive(Default)]
#[repr(align(64))]
struct Line([AtomicU64; 8]);

/// Zeroed memory that two sides share, a power of two in size.
#[derive(Clone)]
pub struct Memory {
    lines: Rc<[Line]>,
    mask16: usize,
    mask32: usize,
    mask64: usize,
    mask128: usize,
}

impl Memory {
    /// Memory of at least `octets`.
    pub fn new(octets: usize) -> Self {
        let octets = octets.next_power_of_two().max(64);
        Self {
            lines: (0..octets / 64).map(|_| Line::default()).collect(),
            mask16: octets / 2 - 1,
            mask32: octets / 4 - 1,
            mask64: octets / 8 - 1,
            mask128: octets / 16 - 1,
        }
    }

    /// Fields of 16 bits.
    pub fn len16(&self) -> usize {
        self.mask16 + 1
    }
}

macro_rules! access {
    ($load:ident, $store:ident, $mask:ident, $word:ty, $atomic:ty) => {
        #[inline(always)]
        fn $load(&self, i: usize) -> $word {
            let field = self.lines.as_ptr().cast::<$atomic>();
            // SAFETY: The mask keeps the field inside the lines, and aligned to its width; all of
            // its values are valid. Only one thread has the memory, so that widths do not race.
            unsafe { (*field.add(i & self.$mask)).load(Ordering::Relaxed) }
        }

        #[inline(always)]
        fn $store(&self, i: usize, value: $word) {
            let field = self.lines.as_ptr().cast::<$atomic>();
            // SAFETY: As for loads.
            unsafe { (*field.add(i & self.$mask)).store(value, Ordering::Relaxed) }
        }
    };
}

impl Dma for Memory {
    access!(load16, store16, mask16, u16, AtomicU16);
    access!(load32, store32, mask32, u32, AtomicU32);
    access!(load64, store64, mask64, u64, AtomicU64);

    #[inline(always)]
    fn store_pair(&self, i: usize, first: u64, second: u64) {
        let field = self.lines.as_ptr().cast::<[AtomicU64; 2]>();
        // SAFETY: As for single fields.
        let pair = unsafe { &*field.add(i & self.mask128) };
        pair[0].store(first, Ordering::Relaxed);
        pair[1].store(second, Ordering::Relaxed);
    }

    #[inline(always)]
    fn rmb(&self) {
        fence(Ordering::Acquire);
    }

    #[inline(always)]
    fn wmb(&self) {
        fence(Ordering::Release);
    }

    #[inline(always)]
    fn mb(&self) {
        fence(Ordering::SeqCst);
    }
}
