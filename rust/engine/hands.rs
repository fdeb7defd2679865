// SPDX-License-Identifier: GPL-2.0

//! What an engine works with, besides the tables: its own state for a switch,
//! and free buffers.

use crate::kapi::buffer::Buffered;
use crate::kapi::pool::{BufferPool, Stock};
use crate::switch::Local;
use kernel::sync::Arc;

/// What an engine works with.
pub(super) struct Hands<'a> {
    /// Its state for the switch whose port it polls.
    pub(super) local: &'a mut Local,
    stock: &'a mut Option<Stock>,
    cpu: u32,
}

impl<'a> Hands<'a> {
    pub(super) fn new(local: &'a mut Local, stock: &'a mut Option<Stock>, cpu: u32) -> Self {
        Self { local, stock, cpu }
    }

    /// The CPU of the engine.
    #[inline(always)]
    pub(super) fn cpu(&self) -> u32 {
        self.cpu
    }

    /// Free buffers of `pool`.
    #[inline(always)]
    pub(super) fn stock_of(&mut self, pool: &Arc<BufferPool>) -> &mut Stock {
        if !self.stock.as_ref().is_some_and(|stock| stock.is_of(pool)) {
            // What is left of a pool before goes back to it.
            *self.stock = None;
        }
        let cpu = self.cpu;
        self.stock
            .get_or_insert_with(|| Stock::new(pool.clone(), cpu))
    }

    /// Free buffers of the pool that was last used.
    #[inline(always)]
    pub(super) fn stock(&mut self) -> Option<&mut Stock> {
        self.stock.as_mut()
    }

    /// Takes back the buffer of a frame that came to nothing.
    #[inline(always)]
    pub(super) fn give(&mut self, frame: Buffered) {
        // There is a stock: the frame's buffer came out of it.
        if let Some(stock) = self.stock.as_mut() {
            stock.give(frame.into_buf());
        }
    }
}
