// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! How many answers the switch makes by itself, so that it is no amplifier and does not waste
//! itself on a flood.

/// Answers per second, unless the shell sets another limit.
pub const DEFAULT_RATE: u32 = 1000;

/// A bucket of tokens that is full again every second. One per engine and switch.
#[derive(Clone, Copy, Debug)]
pub struct Limiter {
    rate: u32,
    second: u32,
    tokens: u32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self::new(DEFAULT_RATE)
    }
}

impl Limiter {
    /// Allows `rate` answers per second.
    pub const fn new(rate: u32) -> Self {
        Self {
            rate,
            second: 0,
            tokens: rate,
        }
    }

    /// Whether one more is allowed in the second `now`.
    pub fn allow(&mut self, now: u32) -> bool {
        if now != self.second {
            self.second = now;
            self.tokens = self.rate;
        }
        match self.tokens.checked_sub(1) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_limiter))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_tokens() {
        let mut limiter = Limiter::new(2);
        assert!(limiter.allow(5));
        assert!(limiter.allow(5));
        assert!(!limiter.allow(5));
        assert!(limiter.allow(6));
        assert!(!Limiter::new(0).allow(1));
    }
}
