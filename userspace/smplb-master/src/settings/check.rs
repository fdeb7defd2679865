// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether settings make sense.

use super::{Algorithm, Settings};

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// A number is out of its range.
    #[error("{field} = {value}: write {least} to {most}")]
    Range {
        /// The setting.
        field: &'static str,
        /// What it is.
        value: f64,
        /// The least it can be.
        least: f64,
        /// The most it can be.
        most: f64,
    },
    /// A list that must not be empty.
    #[error("{field} is empty: {hint}")]
    Empty {
        /// The setting.
        field: &'static str,
        /// What to write.
        hint: &'static str,
    },
    /// `prefer-by = "prefer"`.
    #[error("prefer-by = \"prefer\": write how the preferred servers share, such as \"capacity\"")]
    PreferByPrefer,
    /// A time that must not be shorter than another.
    #[error("{longer} is shorter than {shorter}: make it at least as long")]
    Shorter {
        /// The setting that is too short.
        longer: &'static str,
        /// The one it must reach.
        shorter: &'static str,
    },
}

impl Settings {
    /// Whether the settings make sense.
    ///
    /// # Errors
    ///
    /// The first one that does not, and what to write.
    pub fn check(&self) -> Result<(), SettingsError> {
        let ranges = [
            ("error-penalty", self.error_penalty, 0.0, 100.0),
            ("interval", self.interval, 0.1, 30.0),
            ("blackout", self.blackout, 0.0, 3600.0),
            (
                "blackout-reports",
                f64::from(self.blackout_reports),
                1.0,
                1000.0,
            ),
            ("expiry", self.expiry, 1.0, 3600.0),
            ("hard-limit", self.hard_limit, 1.0, 86400.0),
            ("dead-band", self.dead_band, 0.0, 0.5),
            ("force-after", self.force_after, 0.1, 3600.0),
            ("most-down", self.most_down, 0.01, 0.99),
            ("most-up", self.most_up, 0.01, 10.0),
            ("smoothing", self.smoothing, 0.01, 1.0),
            ("min-share", self.min_share, 0.001, 0.5),
            ("slow-start-window", self.slow_start_window, 0.0, 3600.0),
            ("slow-start-min", self.slow_start_min, 0.01, 1.0),
            ("overload", self.overload, 0.1, 10.0),
            ("panic", self.panic, 0.0, 1.0),
            ("max-ejection", self.max_ejection, 0.0, 1.0),
            ("ejection-errors", self.ejection_errors, 0.01, 1.0),
            ("ejection-time", self.ejection_time, 1.0, 3600.0),
            ("credible", self.credible, 2.0, 1000.0),
            ("evidence", self.evidence, 1.0, 1e6),
            ("certainty", self.certainty, 1.0, 10.0),
            ("gain", self.gain, 0.01, 1.0),
        ];
        for (field, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(SettingsError::Range {
                    field,
                    value,
                    least,
                    most,
                });
            }
        }
        if self.hard_limit < self.expiry {
            return Err(SettingsError::Shorter {
                longer: "hard-limit",
                shorter: "expiry",
            });
        }
        if self.utilization.is_empty() {
            let hint = "leave it out, or name at least one, such as \"cpu\"";
            return Err(SettingsError::Empty {
                field: "utilization",
                hint,
            });
        }
        if self.algorithm == Algorithm::Prefer && self.labels.is_empty() {
            let hint = "algorithm \"prefer\" needs the labels that servers must have";
            return Err(SettingsError::Empty {
                field: "labels",
                hint,
            });
        }
        if self.prefer_by == Algorithm::Prefer {
            return Err(SettingsError::PreferByPrefer);
        }
        Ok(())
    }
}
