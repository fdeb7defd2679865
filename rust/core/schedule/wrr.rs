// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Weighted round-robin over an interleaved slot list.
//!
//! The list is computed when a half is built; taking the next backend is then one read.

use super::super::config::{Backend, BackendId, Scheduler, SLOTS_PER_SERVICE};

/// The next backend of a slot list.
#[inline]
pub fn next(slots: &[u16], position: &mut u32) -> Option<BackendId> {
    let at = if (*position as usize) < slots.len() {
        *position
    } else {
        0
    };
    *position = at.wrapping_add(1);
    slots.get(at as usize).map(|place| BackendId(*place))
}

/// Fills the slot list of a service into the beginning of `room` and returns its length, `None` if
/// it does not fit.
///
/// `first` is the head of the service's chain of backends. For [`Scheduler::Wrr`] a backend gets
/// slots in proportion to its weight: exactly, when the weights divided by their greatest common
/// divisor add up to at most [`SLOTS_PER_SERVICE`], else by largest remainder of that many, but at
/// least one (so that the list may be longer by the slots of backends whose share is below one).
/// They are interleaved as smoothly as possible (smooth weighted round-robin). For
/// [`Scheduler::Lc`] each gets one. Backends of weight 0 get none.
pub fn fill(
    scheduler: Scheduler,
    backends: &mut [Backend],
    first: u16,
    room: &mut [u16],
) -> Option<usize> {
    let len = match scheduler {
        Scheduler::Wrr => share_out(backends, first),
        Scheduler::Lc => {
            let mut count = 0u32;
            each(backends, first, |backend| {
                backend.share = u32::from(backend.weight != 0);
                count = count.saturating_add(backend.share);
            });
            count
        }
    } as usize;
    let room = room.get_mut(..len)?;
    let total = len as i32;
    each(backends, first, |backend| backend.credit = 0);
    for slot in room.iter_mut() {
        let mut best: Option<(u16, i32)> = None;
        let mut next = first;
        while let Some(place) = next.checked_sub(1) {
            let Some(backend) = backends.get_mut(usize::from(place)) else {
                break;
            };
            next = backend.next;
            if backend.share == 0 {
                continue;
            }
            backend.credit = backend.credit.saturating_add(backend.share as i32);
            if best.is_none_or(|(_, credit)| backend.credit > credit) {
                best = Some((place, backend.credit));
            }
        }
        let (place, _) = best?;
        *slot = place;
        if let Some(backend) = backends.get_mut(usize::from(place)) {
            backend.credit = backend.credit.saturating_sub(total);
        }
    }
    Some(len)
}

/// Sets the share of each backend and returns their sum.
fn share_out(backends: &mut [Backend], first: u16) -> u32 {
    let (mut sum, mut count, mut divisor) = (0u64, 0u64, 0u64);
    each(backends, first, |backend| {
        if backend.weight != 0 {
            sum = sum.saturating_add(u64::from(backend.weight));
            count = count.saturating_add(1);
            divisor = gcd(divisor, u64::from(backend.weight));
        }
    });
    let Some(exact) = sum.checked_div(divisor) else {
        each(backends, first, |backend| backend.share = 0);
        return 0;
    };
    if exact <= SLOTS_PER_SERVICE as u64 {
        each(backends, first, |backend| {
            backend.share = u64::from(backend.weight).checked_div(divisor).unwrap_or(0) as u32;
        });
        return exact as u32;
    }
    // Largest remainder: first whole parts and at least one slot each, then one more for the
    // largest remainders.
    let target = (SLOTS_PER_SERVICE as u64).max(count);
    let mut given = 0u64;
    each(backends, first, |backend| {
        let part = u64::from(backend.weight).saturating_mul(target);
        backend.share = 0;
        if backend.weight != 0 {
            backend.share = part.checked_div(sum).unwrap_or(0).max(1) as u32;
        }
        // A backend that got its one slot for nothing is over its share and comes last.
        let owed = u64::from(backend.share).saturating_mul(sum);
        backend.credit = clamp(part, owed, sum);
        given = given.saturating_add(u64::from(backend.share));
    });
    while given < target {
        let mut best: Option<(u16, i32)> = None;
        let mut next = first;
        while let Some(place) = next.checked_sub(1) {
            let Some(backend) = backends.get(usize::from(place)) else {
                break;
            };
            next = backend.next;
            if backend.weight != 0 && best.is_none_or(|(_, credit)| backend.credit > credit) {
                best = Some((place, backend.credit));
            }
        }
        let Some(backend) = best.and_then(|(place, _)| backends.get_mut(usize::from(place))) else {
            break;
        };
        backend.share = backend.share.saturating_add(1);
        backend.credit = backend.credit.saturating_sub(REMAINDER);
        given = given.saturating_add(1);
    }
    given as u32
}

/// One whole slot in the scale of a remainder.
const REMAINDER: i32 = 1 << 24;

/// How much of a slot a backend is short of, in units of 1 / [`REMAINDER`]; negative if it has too
/// much.
fn clamp(part: u64, owed: u64, sum: u64) -> i32 {
    let scale = |value: u64| {
        let whole = value
            .saturating_mul(REMAINDER as u64)
            .checked_div(sum)
            .unwrap_or(0);
        whole.min(i32::MAX as u64) as i32
    };
    scale(part.saturating_sub(owed)).saturating_sub(scale(owed.saturating_sub(part)))
}

/// Calls `visit` for each backend of a chain.
fn each(backends: &mut [Backend], first: u16, mut visit: impl FnMut(&mut Backend)) {
    let mut next = first;
    while let Some(place) = next.checked_sub(1) {
        let Some(backend) = backends.get_mut(usize::from(place)) else {
            return;
        };
        visit(backend);
        next = backend.next;
    }
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a.checked_rem(b).unwrap_or(0));
    }
    a
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_wrr))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    /// A chain of backends with these weights.
    fn chain<const N: usize>(weights: [u16; N]) -> [Backend; N] {
        let mut backends = [Backend::default(); N];
        for (place, (backend, weight)) in backends.iter_mut().zip(weights).enumerate() {
            let next = place.saturating_add(2);
            *backend = Backend::for_test(weight, if next <= N { next as u16 } else { 0 });
        }
        backends
    }

    fn count(slots: &[u16], place: u16) -> usize {
        slots.iter().filter(|slot| **slot == place).count()
    }

    #[test]
    fn weights_are_shares() {
        let mut room = [99; 64];
        let len = fill(Scheduler::Wrr, &mut chain([50, 10, 0, 10]), 1, &mut room);
        assert_eq!(len, Some(7));
        assert_eq!(room.first_chunk(), Some(&[0, 0, 1, 0, 3, 0, 0]));
        assert_eq!(
            fill(Scheduler::Lc, &mut chain([50, 10, 0, 10]), 1, &mut room),
            Some(3)
        );
        assert_eq!(room.first_chunk(), Some(&[0, 1, 3]));
        assert_eq!(
            fill(Scheduler::Wrr, &mut chain([0, 0]), 1, &mut room),
            Some(0)
        );
        assert_eq!(fill(Scheduler::Wrr, &mut chain([1]), 0, &mut room), Some(0));
    }

    #[test]
    fn no_room() {
        assert_eq!(
            fill(Scheduler::Wrr, &mut chain([3, 2]), 1, &mut [0; 4]),
            None
        );
        assert_eq!(
            fill(Scheduler::Wrr, &mut chain([3, 2]), 1, &mut [0; 5]),
            Some(5)
        );
    }

    #[test]
    fn weights_that_do_not_divide_well() {
        let mut room = [99; 1100];
        let len = fill(
            Scheduler::Wrr,
            &mut chain([65_535, 65_534, 1, 7]),
            1,
            &mut room,
        );
        assert_eq!(len, Some(1024));
        let slots = room.get(..1024).unwrap_or(&[]);
        assert_eq!((count(slots, 0), count(slots, 1)), (511, 511));
        assert_eq!((count(slots, 2), count(slots, 3)), (1, 1));
    }

    #[test]
    fn the_largest_remainder_gets_what_is_left() {
        let mut room = [99; 1100];
        // Shares of 1024: 341.33 each, so that one slot is left for the first of three equals.
        let len = fill(
            Scheduler::Wrr,
            &mut chain([10_007, 10_007, 10_008]),
            1,
            &mut room,
        );
        let slots = room.get(..1024).unwrap_or(&[]);
        assert_eq!(len, Some(1024));
        assert_eq!(
            (count(slots, 0), count(slots, 1), count(slots, 2)),
            (341, 341, 342)
        );
    }

    #[test]
    fn taking_turns() {
        let (slots, mut position) = ([7, 8, 9], 2);
        assert_eq!(next(&slots, &mut position), Some(BackendId(9)));
        assert_eq!(next(&slots, &mut position), Some(BackendId(7)));
        assert_eq!(next(&slots, &mut position), Some(BackendId(8)));
        position = 1000;
        assert_eq!(next(&slots, &mut position), Some(BackendId(7)));
        assert_eq!(next(&[], &mut position), None);
    }
}
