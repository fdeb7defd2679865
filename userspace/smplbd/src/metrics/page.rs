// SPDX-License-Identifier: MIT OR Apache-2.0
//! Families of metrics, each with its rows.

use std::fmt::Result;

use prometheus_client::encoding::{DescriptorEncoder, EncodeCounterValue, NoLabelSet};
use prometheus_client::metrics::MetricType;

use crate::board::Histogram;
use crate::key::{BackendKey, ServiceKey};

/// Labels of a row.
pub type Labels = Vec<(&'static str, String)>;

/// The text that is being written.
pub struct Page<'a>(DescriptorEncoder<'a>);

impl<'a> Page<'a> {
    /// A page that goes to `encoder`.
    pub fn new(encoder: DescriptorEncoder<'a>) -> Self {
        Self(encoder)
    }

    /// A value that goes up and down. Nothing is written without rows.
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels, f64)>,
    ) -> Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        rows.try_for_each(|(labels, value)| match labels.is_empty() {
            true => family.encode_gauge(&value),
            false => family.encode_family(&labels)?.encode_gauge(&value),
        })
    }

    /// A value that only goes up; `_total` is put behind its name.
    pub fn counter<V: EncodeCounterValue>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels, V)>,
    ) -> Result {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return Ok(());
        }
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Counter)?;
        rows.try_for_each(|(labels, value)| match labels.is_empty() {
            true => family.encode_counter::<NoLabelSet, _, u64>(&value, None),
            false => {
                let mut row = family.encode_family(&labels)?;
                row.encode_counter::<NoLabelSet, _, u64>(&value, None)
            }
        })
    }

    /// How often a value was how great.
    pub fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) -> Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Histogram)?;
        let Histogram {
            sum,
            count,
            buckets,
        } = histogram;
        family.encode_histogram::<NoLabelSet>(*sum, *count, buckets, None)
    }
}

/// Labels of a service, named as `node_ipvs_*` names them.
pub fn service(key: ServiceKey) -> Labels {
    vec![
        ("local_address", key.addr.to_string()),
        ("local_port", key.port.to_string()),
        ("proto", key.protocol.to_string().to_uppercase()),
    ]
}

/// Labels of a backend.
pub fn backend(service: ServiceKey, key: BackendKey) -> Labels {
    vec![
        ("local_address", service.addr.to_string()),
        ("local_port", service.port.to_string()),
        ("remote_address", key.addr.to_string()),
        ("remote_port", key.port.to_string()),
        ("proto", service.protocol.to_string().to_uppercase()),
    ]
}

/// Labels with one more.
pub fn with(mut labels: Labels, name: &'static str, value: impl Into<String>) -> Labels {
    labels.push((name, value.into()));
    labels
}
