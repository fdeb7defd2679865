// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether the whole site is overloaded. Then moving shares between servers helps nobody, and following
//! figures that are at their end makes shares swing, so they are frozen.

/// It ends at this part of the utilization at which it began.
const END: f64 = 0.95;
/// A server this far below the limit has room: as long as one has, moving shares helps, and the site is not
/// overloaded, however busy the others are.
const ROOM: f64 = 0.1;

/// Whether the whole site is overloaded.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overload {
    on: bool,
}

impl Overload {
    /// Takes the utilizations of those servers that tell it. Whether an overload has begun.
    pub fn look(&mut self, utilizations: &[f64], limit: f64) -> bool {
        if utilizations.is_empty() {
            return false;
        }
        let mean = utilizations.iter().sum::<f64>() / utilizations.len() as f64;
        let least = utilizations.iter().copied().fold(f64::INFINITY, f64::min);
        let before = self.on;
        self.on = mean > limit * if self.on { END } else { 1.0 } && least > limit - ROOM;
        self.on && !before
    }

    /// It ends, since nobody tells any more.
    pub fn end(&mut self) {
        self.on = false;
    }

    /// Whether it is.
    pub fn is_on(&self) -> bool {
        self.on
    }
}

#[cfg(test)]
mod tests {
    use super::Overload;

    #[test]
    fn it_begins_above_the_limit_and_ends_well_below() {
        let mut overload = Overload::default();
        let on = [
            [0.82, 0.9],
            [0.9, 0.95],
            [0.85, 0.9],
            [0.85, 0.85],
            [0.85, 0.9],
        ]
        .map(|told| {
            overload.look(&told, 0.9);
            overload.is_on()
        });
        assert_eq!(on, [false, true, true, false, false]);
    }

    #[test]
    fn one_hot_server_is_not_the_site() {
        let mut overload = Overload::default();
        assert!(!overload.look(&[0.5, 0.5, 1.4], 0.9));
        assert!(!overload.look(&[0.7, 1.2, 1.4], 0.9), "the first has room");
        assert!(overload.look(&[0.9, 0.9, 1.4], 0.9));
        assert!(!overload.look(&[0.9, 0.9, 1.4], 0.9), "it had begun");
        assert!(!overload.look(&[], 0.9));
        assert!(overload.is_on(), "silence says nothing");
    }
}
