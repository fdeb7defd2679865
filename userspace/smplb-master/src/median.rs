// SPDX-License-Identifier: MIT OR Apache-2.0
//! The middle of some figures.

/// The median; the mean of the two in the middle when there is no single one. `None` of nothing.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    match figures.len() % 2 {
        0 => Some((figures[middle - 1] + upper) / 2.0),
        _ => Some(upper),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn one_that_is_far_off_does_not_move_it() {
        assert_eq!(median([]), None);
        assert_eq!(median([3.0]), Some(3.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([1e9, 1.0, 2.0]), Some(2.0));
    }
}
