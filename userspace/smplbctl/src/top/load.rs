// SPDX-License-Identifier: MIT OR Apache-2.0
//! What smplbd tells of the load of back-ends, by its metrics endpoint.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fetch::Url;
use super::samples::{samples, Sample};
use super::snapshot::Key;
use crate::key::{Protocol, ServiceKey};

/// How long an answer may take: the keys wait for it.
const LIMIT: Duration = Duration::from_millis(500);
/// How long nobody is asked who did not answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Of one back-end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Load {
    /// How much of the server is used; 1 when it is full.
    pub utilization: Option<f64>,
    /// Seconds since its last report.
    pub age: Option<f64>,
    /// Its state.
    pub state: Option<String>,
}

/// Where to ask, and when again.
pub struct Loads {
    url: Url,
    again: Duration,
}

impl Loads {
    /// Asks there.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            again: Duration::ZERO,
        }
    }

    /// What is told at this moment; nothing when nobody is there. Nobody need run smplbd, so that
    /// this is no error.
    pub fn now(&mut self, at: Duration) -> Option<BTreeMap<Key, Load>> {
        if at < self.again {
            return None;
        }
        match self.url.get(LIMIT) {
            Ok(page) => Some(loads(&page)),
            Err(_) => {
                self.again = at + PAUSE;
                None
            }
        }
    }
}

/// The loads on a page of metrics.
pub fn loads(page: &str) -> BTreeMap<Key, Load> {
    let mut loads: BTreeMap<Key, Load> = BTreeMap::new();
    for sample in samples(page) {
        let Some(name) = sample.name.strip_prefix("smplb_backend_") else {
            continue;
        };
        if !matches!(name, "utilization" | "report_age_seconds" | "state") {
            continue;
        }
        let Some(key) = key(&sample) else { continue };
        let load = loads.entry(key).or_default();
        let value = sample.value.is_finite().then_some(sample.value);
        match name {
            "utilization" => load.utilization = value,
            "report_age_seconds" => load.age = value,
            _ => load.state = value.map(state),
        }
    }
    loads
}

/// The name of a state, which the metric has as a number.
fn state(number: f64) -> String {
    let name = match number {
        0.0 => "down",
        1.0 => "up",
        2.0 => "drain",
        3.0 => "slow-start",
        4.0 => "ejected",
        5.0 => "full",
        6.0 => "maint",
        7.0 => "spare",
        other => return other.to_string(),
    };
    name.to_owned()
}

fn key(sample: &Sample<'_>) -> Option<Key> {
    let protocol: Protocol = sample.label("proto")?.to_ascii_lowercase().parse().ok()?;
    let service = ServiceKey {
        protocol,
        addr: sample.label("local_address")?.parse().ok()?,
        port: sample.label("local_port")?.parse().ok()?,
    };
    Some(Key {
        service,
        addr: sample.label("remote_address")?.parse().ok()?,
        port: sample.label("remote_port")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loads_of_a_page() {
        let labels = "local_address=\"192.0.2.1\",local_port=\"80\",remote_address=\"10.0.0.1\",\
                      remote_port=\"8080\",proto=\"TCP\"";
        let page = format!(
            "smplb_backend_utilization{{{labels}}} 0.25\n\
             smplb_backend_report_age_seconds{{{labels}}} 1.5\n\
             smplb_backend_state{{{labels}}} 3.0\n\
             smplb_backend_weight{{{labels}}} 7\n\
             smplb_backend_utilization{{proto=\"TCP\"}} 0.5\n\
             smplb_generation 9\n"
        );
        let loads = loads(&page);
        assert_eq!(loads.len(), 1);
        let (key, load) = loads.first_key_value().unwrap();
        assert_eq!(key.service.to_string(), "tcp:192.0.2.1:80");
        assert_eq!(
            (key.addr.to_string().as_str(), key.port),
            ("10.0.0.1", 8080)
        );
        let wanted = Load {
            utilization: Some(0.25),
            age: Some(1.5),
            state: Some("slow-start".to_owned()),
        };
        assert_eq!(*load, wanted);
    }

    #[test]
    fn a_value_that_is_none_is_not_known() {
        let page = "smplb_backend_utilization{local_address=\"192.0.2.1\",local_port=\"80\",\
                    remote_address=\"10.0.0.1\",remote_port=\"80\",proto=\"udp\"} NaN\n";
        assert_eq!(loads(page).into_values().next(), Some(Load::default()));
    }

    #[test]
    fn states_have_names() {
        let names = [0.0, 2.0, 4.0, 6.0, 99.0].map(state);
        assert_eq!(names, ["down", "drain", "ejected", "maint", "99"]);
    }

    #[test]
    fn nobody_is_asked_again_at_once() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut loads = Loads::new(format!("http://{address}/").parse().unwrap());
        assert!(loads.now(Duration::from_secs(1)).is_none());
        assert_eq!(loads.again, Duration::from_secs(11));
    }
}
