// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks at the system and the sources from time to time, and puts a report together that all
//! streams share.

use std::time::Instant;

use smplb_orca::label_metric;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::config::Config;
use crate::report::{Field, Report};
use crate::source::Set;
use crate::system::{Figures, Settings, System};

/// Makes the reports.
pub struct Sampler {
    system: System,
    system_settings: Settings,
    labels: Vec<String>,
    sources: Set,
    newest: watch::Sender<Report>,
    /// Figures that found no room the last time, to log changes only.
    left_out: usize,
}

impl Sampler {
    /// Begins to read what `config` names. To be called within a runtime.
    pub fn new(config: &Config) -> Self {
        let mut sources = Set::default();
        sources.replace(&config.sources);
        Self {
            system: System::of_this_machine(&config.system),
            system_settings: config.system.clone(),
            labels: config.labels.clone(),
            sources,
            newest: watch::Sender::default(),
            left_out: 0,
        }
    }

    /// Goes on with another configuration; what is as before keeps its past.
    pub fn configure(&mut self, config: &Config) {
        self.sources.replace(&config.sources);
        self.labels.clone_from(&config.labels);
        if self.system_settings != config.system {
            self.system = System::of_this_machine(&config.system);
            self.system_settings = config.system.clone();
        }
    }

    /// The newest report, now and later.
    pub fn newest(&self) -> watch::Receiver<Report> {
        self.newest.subscribe()
    }

    /// Makes a report.
    pub fn sample(&mut self) {
        let figures = self.system.sample(Instant::now());
        let (report, left_out) = compose(&figures, &self.labels, &self.sources.newest());
        if left_out != self.left_out {
            self.left_out = left_out;
            if left_out > 0 {
                warn!(
                    left_out,
                    "more named figures than a report holds; configure fewer"
                );
            }
        }
        self.newest.send_replace(report);
    }
}

/// Puts a report together, and says how many figures found no room. Labels come first, so that
/// they always do; a later source wins over an earlier one and over the system.
pub(crate) fn compose(figures: &Figures, labels: &[String], sources: &[Report]) -> (Report, usize) {
    let mut report = Report::default();
    let labels = labels
        .iter()
        .map(|label| (Field::Named(label_metric(label)), Some(1.0)));
    let system = [(Field::Cpu, figures.cpu), (Field::Memory, figures.memory)];
    for (field, value) in labels.chain(system) {
        if let Some(Err(error)) = value.map(|value| report.set(field, value)) {
            debug!(%error, "left out");
        }
    }
    let left_out = sources.iter().map(|source| report.merge(source)).sum();
    (report, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::MOST_NAMED;

    #[test]
    fn a_report_has_all_there_is() {
        let figures = Figures {
            cpu: Some(0.5),
            memory: None,
        };
        let mut source = Report::default();
        source.set(Field::Rps, 100.0).unwrap();
        let mut other = Report::default();
        other.set(Field::Rps, 200.0).unwrap();
        let labels = ["gpu".to_owned()];
        let (report, left_out) = compose(&figures, &labels, &[source, other]);
        assert_eq!(left_out, 0);
        let orca = report.orca();
        assert_eq!((orca.cpu_utilization, orca.mem_utilization), (0.5, 0.0));
        assert_eq!(orca.rps_fractional, 200.0);
        assert_eq!(
            orca.named_metrics,
            [("smplb.label.gpu".to_owned(), 1.0)].into()
        );
    }

    #[test]
    fn labels_have_room_before_others() {
        let mut source = Report::default();
        for n in 0..MOST_NAMED {
            source.set(Field::Named(format!("a{n}")), 1.0).unwrap();
        }
        let labels = ["gpu".to_owned(), "ssd".to_owned()];
        let (report, left_out) = compose(&Figures::default(), &labels, &[source]);
        assert_eq!((report.len(), left_out), (MOST_NAMED, 2));
        assert_eq!(report.get(&Field::Named(label_metric("ssd"))), Some(1.0));
    }
}
