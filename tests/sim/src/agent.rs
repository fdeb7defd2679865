// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a server reports of itself, truly or not.

use smplb_master::Report;

use crate::server::{Server, Totals};

/// How an agent behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mood {
    /// It tells what it measured.
    Honest,
    /// It sends its last report again and again.
    Frozen,
    /// It says that this much of its capacity is used, always.
    Lying(f64),
    /// Its utilization is not a number.
    NotANumber,
    /// It sends nothing.
    Silent,
}

/// How an agent measures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    /// Count requests when they come instead of when they are answered.
    pub at_arrival: bool,
    /// Tell, beside the busy time, which ends at 1, the demand as the application sees it: above 1
    /// when more comes than it can do.
    pub demand: bool,
}

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// How it behaves.
    pub mood: Mood,
    meter: Meter,
    before: Totals,
    open: usize,
    at: f64,
    last: Report,
}

impl Agent {
    /// An honest one.
    pub fn new(meter: Meter) -> Self {
        Self {
            mood: Mood::Honest,
            meter,
            before: Totals::default(),
            open: 0,
            at: 0.0,
            last: Report::default(),
        }
    }

    /// The report of the time since the last one.
    pub fn report(&mut self, now: f64, server: &mut Server) -> Option<Report> {
        let totals = server.totals(now);
        let seconds = now - self.at;
        let answered = totals.answered - self.before.answered;
        let came = totals.arrived - self.before.arrived;
        let busy = (totals.busy - self.before.busy) / (seconds * server.workers() as f64);
        let count = if self.meter.at_arrival {
            came
        } else {
            answered
        };
        let grown = server.open() as f64 - self.open as f64;
        // Without an idle moment, what it could not do counts too.
        let demand = if busy > 0.999 && answered > 0 {
            1.0 + (grown / answered as f64).max(0.0)
        } else {
            busy
        };
        let report = Report {
            rate: said(count as f64 / seconds),
            errors: said((totals.errors - self.before.errors) as f64 / seconds),
            application: said(demand).filter(|_| self.meter.demand),
            cpu: said(busy),
            clients: said(server.open() as f64),
            exec_seconds: said((totals.response - self.before.response) / answered as f64),
            ..Report::default()
        };
        (self.before, self.open, self.at) = (totals, server.open(), now);
        let report = match self.mood {
            Mood::Honest => report,
            Mood::Frozen => self.last.clone(),
            Mood::Lying(busy) => Report {
                application: report.application.map(|_| busy),
                cpu: Some(busy),
                ..report
            },
            Mood::NotANumber => Report {
                application: report.application.map(|_| f64::NAN),
                cpu: Some(f64::NAN),
                ..report
            },
            Mood::Silent => return None,
        };
        self.last = report.clone();
        Some(report)
    }
}

/// ORCA cannot tell zero from nothing.
fn said(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Plan;

    #[test]
    fn what_happened_since_the_last_report() {
        let mut server = Server::new(Plan::of_speed(1.0), f64::INFINITY);
        let mut agent = Agent::new(Meter::default());
        assert_eq!(agent.report(1.0, &mut server), Some(Report::default()));
        let next = server.arrive(1.0, 0.5).unwrap();
        server.arrive(1.0, 2.0);
        server.depart(1.5, next, &mut Vec::new());
        let report = agent.report(3.0, &mut server).unwrap();
        assert_eq!((report.rate, report.cpu), (Some(0.5), Some(1.0)));
        assert_eq!(
            (report.clients, report.exec_seconds),
            (Some(1.0), Some(0.5))
        );
        assert_eq!((report.errors, report.application), (None, None));
    }

    #[test]
    fn moods() {
        let mut server = Server::new(Plan::of_speed(1.0), f64::INFINITY);
        let mut agent = Agent::new(Meter::default());
        let next = server.arrive(0.0, 1.0).unwrap();
        server.depart(1.0, next, &mut Vec::new());
        let first = agent.report(2.0, &mut server).unwrap();
        agent.mood = Mood::Frozen;
        assert_eq!(agent.report(3.0, &mut server), Some(first));
        agent.mood = Mood::Lying(0.01);
        assert_eq!(agent.report(4.0, &mut server).unwrap().cpu, Some(0.01));
        agent.mood = Mood::NotANumber;
        assert!(agent
            .report(5.0, &mut server)
            .unwrap()
            .cpu
            .unwrap()
            .is_nan());
        agent.mood = Mood::Silent;
        assert_eq!(agent.report(6.0, &mut server), None);
    }
}
