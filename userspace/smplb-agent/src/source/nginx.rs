// SPDX-License-Identifier: MIT OR Apache-2.0
//! The status page of nginx (module `stub_status`): clients and requests per second.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use serde::Deserialize;

use super::counter::Counter;
use super::http::Page;
use super::{Failure, Reading, Source};
use crate::report::Field;

/// Which server.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    url: Page,
}

/// An nginx server.
pub(super) struct Nginx {
    page: Page,
    requests: Counter,
}

/// What the page says.
#[derive(Debug, PartialEq, Eq)]
struct Status {
    active: u64,
    requests: u64,
}

impl Nginx {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            page: settings.url,
            requests: Counter::default(),
        }
    }

    async fn look(&mut self) -> Result<Reading, Failure> {
        let text = self.page.get().await?;
        let status = Status::parse(&text).ok_or_else(|| {
            let url = self.page.url();
            Failure::Unreadable(format!("{url}: is no page of nginx's stub_status"))
        })?;
        let mut reading = Reading::default();
        // One connection, and one request since the last time, are the agent's own.
        let clients = status.active.saturating_sub(1) as f64;
        reading.report.set(Field::Clients, clients)?;
        if let Some(growth) = self.requests.grow(status.requests as f64, Instant::now()) {
            let others = (growth.by - 1.0).max(0.0);
            reading.report.set(Field::Rps, others / growth.seconds)?;
        }
        Ok(reading)
    }
}

impl Source for Nginx {
    fn read(&mut self) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + '_>> {
        Box::pin(self.look())
    }
}

impl Status {
    /// The page is:
    ///
    /// ```text
    /// Active connections: 291
    /// server accepts handled requests
    ///  16630948 16630948 31070465
    /// Reading: 6 Writing: 179 Waiting: 106
    /// ```
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let active = lines.next()?.strip_prefix("Active connections:")?;
        lines
            .next()?
            .strip_prefix("server accepts handled requests")?;
        // Some builds add the time of requests behind them.
        let requests = lines.next()?.split_whitespace().nth(2)?;
        Some(Self {
            active: active.trim().parse().ok()?,
            requests: requests.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::Website;
    use super::*;

    fn page(active: u64, requests: u64) -> String {
        format!(
            "Active connections: {active} \nserver accepts handled requests\n \
             16630948 16630948 {requests} \nReading: 6 Writing: 179 Waiting: 106 \n"
        )
    }

    fn nginx(site: &Website) -> Nginx {
        let url = Page::try_from(site.url("/status")).unwrap();
        Nginx::new(Settings { url })
    }

    #[test]
    fn only_its_own_page_is_read() {
        let status = Status::parse(&page(291, 31070465)).unwrap();
        assert_eq!((status.active, status.requests), (291, 31070465));
        for wrong in [
            "",
            "<html>",
            "Active connections: x\n",
            "Active connections: 1\n\n1 2 3\n",
        ] {
            assert_eq!(Status::parse(wrong), None, "{wrong}");
        }
        assert_eq!(
            Status::parse(&page(1, 2).replace("requests\n", "x\n")),
            None
        );
    }

    #[tokio::test]
    async fn clients_and_rate_are_those_of_others() {
        let site = Website::start(&page(11, 1000)).await;
        let mut nginx = nginx(&site);
        let first = nginx.read().await.unwrap().report;
        assert_eq!(first.get(&Field::Clients), Some(10.0));
        assert_eq!(first.get(&Field::Rps), None);
        let start = Instant::now();
        tokio::time::sleep(Duration::from_millis(200)).await;
        site.answer(&page(1, 1101));
        let second = nginx.read().await.unwrap().report;
        let slowest = 100.0 / start.elapsed().as_secs_f64();
        assert_eq!(second.get(&Field::Clients), Some(0.0));
        let rate = second.get(&Field::Rps).unwrap();
        assert!(rate >= slowest * 0.8 && rate <= 100.0 / 0.19, "{rate}");
        // A restart begins to count again.
        site.answer(&page(1, 5));
        assert_eq!(nginx.read().await.unwrap().report.get(&Field::Rps), None);
    }

    #[tokio::test]
    async fn another_page_is_refused() {
        let site = Website::start("<html>It works!</html>").await;
        let error = nginx(&site).read().await.unwrap_err().to_string();
        assert!(
            error.contains("is no page of nginx's stub_status"),
            "{error}"
        );
    }
}
