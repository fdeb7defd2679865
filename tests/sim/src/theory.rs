// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mean response times that are known exactly, for Poisson arrivals and exponential service of
//! mean 1.

/// One server: also `n` servers between which chance chooses.
pub fn one(load: f64) -> f64 {
    1.0 / (1.0 - load)
}

/// `n` servers before one queue: no way to distribute is better.
pub fn shared(n: u32, load: f64) -> f64 {
    1.0 + erlang_c(n, load) / (f64::from(n) * (1.0 - load))
}

/// The chance that a request has to wait when `n` servers have one queue.
fn erlang_c(n: u32, load: f64) -> f64 {
    let offered = f64::from(n) * load;
    // The chance of a loss without a queue, by its recurrence.
    let blocked = (1..=n).fold(1.0, |blocked, k| {
        offered * blocked / (f64::from(k) + offered * blocked)
    });
    blocked / (1.0 - load * (1.0 - blocked))
}

/// The shortest of `d` queues, with very many servers (Mitzenmacher 2001).
pub fn choices(d: u32, load: f64) -> f64 {
    let d = f64::from(d);
    let term = |i: i32| load.powf((d.powi(i) - d) / (d - 1.0));
    (1..60).map(term).take_while(|term| *term > 1e-12).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(value: f64, wanted: f64) {
        assert!((value - wanted).abs() < 0.0006, "{value} is not {wanted}");
    }

    #[test]
    fn published_values() {
        near(one(0.95), 20.0);
        for (n, load, wanted) in [
            (10, 0.5, 1.0072),
            (10, 0.7, 1.0739),
            (10, 0.9, 1.6687),
            (10, 0.95, 2.6512),
            (4, 0.9, 2.9694),
            (100, 0.9, 1.0217),
        ] {
            near(shared(n, load), wanted);
        }
        for (load, two, three) in [
            (0.5, 1.266, 1.125),
            (0.7, 1.614, 1.357),
            (0.9, 2.614, 2.028),
            (0.95, 3.383, 2.535),
            (0.99, 5.432, 3.858),
        ] {
            near(choices(2, load), two);
            near(choices(3, load), three);
        }
    }
}
