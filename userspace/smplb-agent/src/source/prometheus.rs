// SPDX-License-Identifier: MIT OR Apache-2.0
//! Any endpoint for Prometheus: metrics by name, as they are or as rates.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use serde::{Deserialize, Deserializer};

use super::counter::Counter;
use super::exposition::{Pattern, Series};
use super::http::Page;
use super::{Failure, Reading, Source};
use crate::report::Field;

/// Which endpoint, and what of it.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    url: Page,
    #[serde(rename = "metric")]
    metrics: Vec<Metric>,
}

/// A metric and the field it goes to.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Metric {
    /// Its name. All its series that match are added up.
    name: String,
    /// Labels that a series must have; `*` in a value stands for anything.
    #[serde(default, deserialize_with = "patterns")]
    labels: BTreeMap<String, Pattern>,
    field: Field,
    /// Its growth per second.
    #[serde(default)]
    rate: bool,
    /// Its growth divided by the growth of this other metric, under the same labels.
    per: Option<String>,
    /// What it is multiplied by.
    #[serde(default = "one")]
    scale: f64,
}

fn one() -> f64 {
    1.0
}

fn patterns<'de, D>(from: D) -> Result<BTreeMap<String, Pattern>, D::Error>
where
    D: Deserializer<'de>,
{
    let labels = BTreeMap::<String, String>::deserialize(from)?;
    Ok(labels
        .into_iter()
        .map(|(name, value)| (name, Pattern(value)))
        .collect())
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1..=64).contains(&self.metrics.len()) {
            return Err("metric: there must be 1 to 64 of them".to_owned());
        }
        for metric in &self.metrics {
            let name = &metric.name;
            if metric.rate && metric.per.is_some() {
                let reason = "`rate` and `per` are both growth; remove one of them";
                return Err(format!("metric {name}: {reason}"));
            }
            if !metric.scale.is_finite() {
                return Err(format!("metric {name}: scale must be a number"));
            }
        }
        Ok(())
    }

    pub(super) fn fields(&self) -> Vec<Field> {
        self.metrics
            .iter()
            .map(|metric| metric.field.clone())
            .collect()
    }
}

/// An endpoint.
pub(super) struct Prometheus {
    page: Page,
    figures: Vec<Figure>,
}

/// A metric with its past.
struct Figure {
    metric: Metric,
    counter: Counter,
    divisor: Counter,
}

/// What one page says of a metric.
#[derive(Clone, Copy, Default)]
struct Sums {
    value: Option<f64>,
    per: Option<f64>,
}

impl Prometheus {
    pub(super) fn new(settings: Settings) -> Self {
        let figure = |metric| Figure {
            metric,
            counter: Counter::default(),
            divisor: Counter::default(),
        };
        Self {
            page: settings.url,
            figures: settings.metrics.into_iter().map(figure).collect(),
        }
    }

    async fn look(&mut self) -> Result<Reading, Failure> {
        let text = match self.page.get().await {
            Ok(text) => text,
            Err(failure) => {
                // Growth over a time of which nothing is known is no rate of now.
                for figure in &mut self.figures {
                    figure.counter.reset();
                    figure.divisor.reset();
                }
                return Err(failure);
            }
        };
        let now = Instant::now();
        let sums = self.sums(&text)?;
        let mut reading = Reading::default();
        for (figure, sums) in self.figures.iter_mut().zip(sums) {
            let metric = &figure.metric;
            if sums.value.is_none() {
                let url = self.page.url();
                let missing = format!("{url}: no series of {} matches", metric.name);
                reading.missing.push(missing);
            }
            let Some(value) = figure.value(sums, now) else {
                continue;
            };
            if let Err(error) = reading.report.set(figure.metric.field.clone(), value) {
                // The value changes from reading to reading, so it is not told.
                let field = &figure.metric.field;
                let name = &figure.metric.name;
                tracing::debug!(metric = %name, %error);
                reading
                    .missing
                    .push(format!("{name}: gives what {field} cannot be"));
            }
        }
        Ok(reading)
    }

    /// Adds up the series of each figure.
    fn sums(&self, text: &str) -> Result<Vec<Sums>, Failure> {
        let mut sums = vec![Sums::default(); self.figures.len()];
        for series in Series::all(text) {
            for (Figure { metric, .. }, sums) in self.figures.iter().zip(&mut sums) {
                let of_value = series.name == metric.name;
                let of_per = metric.per.as_deref() == Some(series.name);
                if !(of_value || of_per) || !series.has(&metric.labels) {
                    continue;
                }
                let value = series.value().ok_or_else(|| {
                    let url = self.page.url();
                    Failure::Unreadable(format!("{url}: {} has no number", series.name))
                })?;
                // A series with nothing to say says "not a number".
                if value.is_nan() {
                    continue;
                }
                for sum in [
                    of_value.then_some(&mut sums.value),
                    of_per.then_some(&mut sums.per),
                ]
                .into_iter()
                .flatten()
                {
                    *sum = Some(sum.unwrap_or(0.0) + value);
                }
            }
        }
        Ok(sums)
    }
}

impl Figure {
    /// What goes into the report.
    fn value(&mut self, sums: Sums, now: Instant) -> Option<f64> {
        let scale = self.metric.scale;
        if self.metric.per.is_some() {
            let growth = self.counter.grow(sums.value?, now);
            let divisor = self.divisor.grow(sums.per?, now);
            let (growth, divisor) = (growth?, divisor?);
            // Nothing was executed, so it took no time that could be told.
            return (divisor.by > 0.0).then(|| growth.by / divisor.by * scale);
        }
        if self.metric.rate {
            // A series is often made by the first event: until then, there was none.
            let growth = self.counter.grow(sums.value.unwrap_or(0.0), now)?;
            return Some(growth.by / growth.seconds * scale);
        }
        sums.value.map(|value| value * scale)
    }
}

impl Source for Prometheus {
    fn read(&mut self) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + '_>> {
        Box::pin(self.look())
    }
}
