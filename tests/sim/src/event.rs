// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is to happen, in order of time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A request arrives.
    Arrival,
    /// A worker of a server is done, unless its speed changed since (`epoch`).
    Departure {
        /// The server.
        server: usize,
        /// The worker.
        worker: usize,
        /// How often the departure has been computed anew.
        epoch: u32,
    },
    /// A server answers a request with an error.
    Refusal {
        /// The server.
        server: usize,
        /// When the request arrived.
        arrived: f64,
    },
    /// The change of this number of the scenario.
    Change(usize),
    /// The policy looks at the servers.
    Refresh,
    /// A second is over.
    Bin,
}

/// The events to come.
#[derive(Debug, Default)]
pub struct Queue {
    heap: BinaryHeap<Entry>,
    order: u64,
}

#[derive(Debug)]
struct Entry {
    at: f64,
    order: u64,
    event: Event,
}

impl Queue {
    /// Adds an event. Of two at the same time the one that was added first comes first.
    pub fn push(&mut self, at: f64, event: Event) {
        self.order += 1;
        let order = self.order;
        self.heap.push(Entry { at, order, event });
    }

    /// The next event and its time.
    pub fn pop(&mut self) -> Option<(f64, Event)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

// The heap gives the greatest first: the earliest is the greatest.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let time = other.at.total_cmp(&self.at);
        time.then_with(|| other.order.cmp(&self.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_of_time_then_of_adding() {
        let mut queue = Queue::default();
        for (at, event) in [
            (2.0, Event::Bin),
            (1.0, Event::Arrival),
            (2.0, Event::Refresh),
            (0.5, Event::Change(3)),
        ] {
            queue.push(at, event);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(
            order,
            [
                (0.5, Event::Change(3)),
                (1.0, Event::Arrival),
                (2.0, Event::Bin),
                (2.0, Event::Refresh)
            ]
        );
    }
}
