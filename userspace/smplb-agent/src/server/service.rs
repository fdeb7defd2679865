// SPDX-License-Identifier: MIT OR Apache-2.0
//! The service `xds.service.orca.v3.OpenRcaService`.

use std::sync::Arc;
use std::time::Duration;

use smplb_orca::open_rca_service_server::OpenRcaService;
use smplb_orca::OrcaLoadReportRequest;
use tokio::sync::{watch, Semaphore};
use tonic::{Request, Response, Status};
use tracing::{debug, warn};

use super::demand::Demand;
use super::stream::Reports;
use crate::report::Report;

/// Longer than anyone wants to wait, short enough to count with.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What clients can have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    /// Time between reports for who names none.
    pub interval: Duration,
    /// Least time between reports.
    pub min_interval: Duration,
}

impl Terms {
    /// The interval for one who asks for `asked`. The standard has the least one also for who
    /// names none; the least one here is much less than the usual, so that these get the usual.
    fn interval(&self, asked: Option<prost_types::Duration>) -> Duration {
        let Some(asked) = asked else {
            return self.interval;
        };
        // Any two numbers can come, and the conversion of the library cannot hold them all.
        let seconds = u64::try_from(asked.seconds).unwrap_or(0);
        let nanos = u32::try_from(asked.nanos).unwrap_or(0).min(999_999_999);
        Duration::new(seconds, nanos).clamp(self.min_interval, LONGEST)
    }
}

/// The service.
pub(super) struct Service {
    terms: Terms,
    newest: watch::Receiver<Report>,
    demand: Demand,
    streams: Arc<Semaphore>,
    closing: watch::Receiver<bool>,
}

impl Service {
    /// Serves until `closing`; `streams` is how many more there may be.
    pub(super) fn new(
        terms: Terms,
        newest: watch::Receiver<Report>,
        demand: Demand,
        streams: Arc<Semaphore>,
        closing: watch::Receiver<bool>,
    ) -> Self {
        Self {
            terms,
            newest,
            demand,
            streams,
            closing,
        }
    }
}

#[tonic::async_trait]
impl OpenRcaService for Service {
    type StreamCoreMetricsStream = Reports;

    async fn stream_core_metrics(
        &self,
        request: Request<OrcaLoadReportRequest>,
    ) -> Result<Response<Reports>, Status> {
        let peer = request.remote_addr().map(tracing::field::display);
        let Ok(permit) = Arc::clone(&self.streams).try_acquire_owned() else {
            warn!(peer, "refused: as many streams as max-streams allows");
            return Err(Status::resource_exhausted("no more streams of reports"));
        };
        // Costs of single requests, which it could name, are not reported out of band.
        let interval = self.terms.interval(request.into_inner().report_interval);
        debug!(peer, ?interval, "a stream of reports");
        Ok(Response::new(Reports::new(
            interval,
            self.newest.clone(),
            self.closing.clone(),
            (self.demand.ask(interval), permit),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_too_little_gets_the_least() {
        let terms = Terms {
            interval: Duration::from_secs(1),
            min_interval: Duration::from_millis(100),
        };
        let wire = |seconds, nanos| Some(prost_types::Duration { seconds, nanos });
        for (asked, millis) in [
            (None, 1000),
            (wire(0, 0), 100),
            (wire(0, 50_000_000), 100),
            (wire(-5, 0), 100),
            (wire(i64::MIN, i32::MIN), 100),
            (wire(0, 250_000_000), 250),
            (wire(30, 0), 30_000),
            (wire(i64::MAX, i32::MAX), 86_400_000),
        ] {
            let interval = terms.interval(asked);
            assert_eq!(interval, Duration::from_millis(millis), "{asked:?}");
        }
    }
}
