// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Words as sets of small numbers.

/// Visits the bits of a word that are set, from the lowest.
// Without a call in the loops of the data path.
#[inline(always)]
pub(super) fn each(mut word: u64, mut visit: impl FnMut(u32)) {
    while word != 0 {
        let nth = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        visit(nth);
    }
}
