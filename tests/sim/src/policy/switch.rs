// SPDX-License-Identifier: MIT OR Apache-2.0
//! The switch itself: one service in the A/B table of the kernel module, whose own code makes the
//! slot list and chooses.

use smplb_core::config::build::HalfMut;
use smplb_core::config::view::View;
use smplb_core::config::{
    Backend, BackendId, Header, Scheduler, Service, ServiceId, ServiceKey, ServiceOptions, Vip,
    SLOTS_PER_SERVICE,
};
use smplb_core::counters::sum::Loads;
use smplb_core::schedule;

use crate::server::Server;

const KEY: ServiceKey = ServiceKey {
    protocol: 6,
    addr: [192, 0, 2, 1],
    port: 80,
};

/// A half of the table.
#[derive(Clone, Debug)]
struct Half {
    header: Header,
    services: [Service; 1],
    backends: Vec<Backend>,
    index: [u16; 2],
    vips: [Vip; 2],
    slots: Vec<u16>,
}

impl Half {
    fn new(backends: usize) -> Self {
        let backends = backends.next_power_of_two();
        Self {
            header: Header::default(),
            services: [Service::default()],
            backends: vec![Backend::default(); backends],
            index: [0; 2],
            vips: [Vip::default(); 2],
            slots: vec![0; SLOTS_PER_SERVICE + backends],
        }
    }

    fn view(&self) -> View<'_> {
        View {
            header: &self.header,
            services: &self.services,
            backends: &self.backends,
            index: &self.index,
            vips: &self.vips,
            slots: &self.slots,
        }
    }

    fn lend(&mut self) -> HalfMut<'_> {
        HalfMut {
            header: &mut self.header,
            services: &mut self.services,
            backends: &mut self.backends,
            index: &mut self.index,
            vips: &mut self.vips,
            slots: &mut self.slots,
        }
    }
}

/// One service with its backends; server `n` is the backend at place `n`.
#[derive(Debug)]
pub struct Switch {
    active: Half,
    standby: Half,
    weights: Vec<u32>,
    enabled: Vec<bool>,
    positions: Vec<u32>,
    moved: u64,
}

impl Switch {
    /// With the scheduler `wrr`.
    pub fn round_robin(weights: &[u32]) -> Self {
        Self::new(Scheduler::Wrr, weights)
    }

    /// With the scheduler `lc`.
    pub fn least_connection(weights: &[u32]) -> Self {
        Self::new(Scheduler::Lc, weights)
    }

    fn new(scheduler: Scheduler, weights: &[u32]) -> Self {
        let half = Half::new(weights.len());
        let mut switch = Self {
            active: half.clone(),
            standby: half,
            weights: weights.to_vec(),
            enabled: vec![true; weights.len()],
            positions: vec![0],
            moved: 0,
        };
        switch.change(|half, weights| {
            let options = ServiceOptions {
                scheduler: Some(scheduler),
                ..ServiceOptions::default()
            };
            half.service_add(KEY, options)?;
            for (place, weight) in weights.iter().enumerate() {
                half.backend_add(KEY, addr(place), 80, *weight)?;
            }
            Ok(())
        });
        switch
    }

    /// Publishes other weights.
    pub fn set(&mut self, weights: &[u32]) {
        self.weights = weights.to_vec();
        self.publish();
    }

    /// Gives a server new connections, or not, whatever its weight.
    pub fn enable(&mut self, server: usize, enabled: bool) {
        if let Some(place) = self.enabled.get_mut(server) {
            *place = enabled;
        }
        self.publish();
    }

    fn publish(&mut self) {
        self.change(|half, weights| {
            for (place, weight) in weights.iter().enumerate() {
                half.backend_set(KEY, addr(place), 80, *weight)?;
            }
            Ok(())
        });
    }

    /// The server of a new connection.
    pub fn pick(&mut self, servers: &[Server]) -> Option<usize> {
        let view = self.active.view();
        let service = view.service(ServiceId(0))?;
        let loads = Open(servers);
        schedule::pick(&view, ServiceId(0), service, &mut self.positions, &loads)
            .map(|id| usize::from(id.0))
    }

    /// The weights that are in force.
    pub fn weights(&self) -> Vec<u32> {
        let pairs = self.weights.iter().zip(&self.enabled);
        pairs
            .map(|(weight, enabled)| if *enabled { *weight } else { 0 })
            .collect()
    }

    /// The share of each server.
    pub fn shares(&self) -> Vec<f64> {
        let weights = self.weights();
        let sum: u32 = weights.iter().sum();
        weights
            .iter()
            .map(|weight| f64::from(*weight) / f64::from(sum.max(1)))
            .collect()
    }

    /// Slots that moved, over all generations.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// Makes the next generation in the standby half and exchanges the halves.
    ///
    /// # Panics
    ///
    /// When the table refuses: the simulator asked for what cannot be.
    fn change(
        &mut self,
        change: impl FnOnce(
            &mut HalfMut<'_>,
            &[u32],
        ) -> Result<(), smplb_core::config::error::ConfigError>,
    ) {
        let weights = self.weights();
        let generation = self.active.header.generation + 1;
        let mut half = self.standby.lend();
        half.begin(&self.active.view(), generation);
        let done = change(&mut half, &weights).and_then(|()| half.finish(&self.active.view()));
        match done {
            Ok(summary) => self.moved += summary.slots_moved,
            Err(error) => panic!("the table refuses weights {weights:?}: {error:?}"),
        }
        std::mem::swap(&mut self.active, &mut self.standby);
    }
}

fn addr(place: usize) -> [u8; 4] {
    let [high, low] = (place as u16).to_be_bytes();
    [10, 0, high, low]
}

/// Connections of servers as the switch counts them: exact, and of this moment.
struct Open<'a>(&'a [Server]);

impl Loads for Open<'_> {
    fn active(&self, id: BackendId) -> u64 {
        let server = self.0.get(usize::from(id.0));
        server.map_or(0, |server| server.open() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(switch: &mut Switch, picks: usize, servers: usize) -> Vec<usize> {
        let mut counts = vec![0; servers];
        for _ in 0..picks {
            counts[switch.pick(&[]).unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn weights_are_shares() {
        let mut switch = Switch::round_robin(&[5, 1, 4]);
        assert_eq!(counts(&mut switch, 1000, 3), [500, 100, 400]);
        switch.set(&[1, 1, 2]);
        assert_eq!(counts(&mut switch, 1000, 3), [250, 250, 500]);
        assert_eq!(switch.shares(), [0.25, 0.25, 0.5]);
        assert!(switch.moved() > 0);
    }

    #[test]
    fn a_disabled_server_keeps_its_weight_for_later() {
        let mut switch = Switch::round_robin(&[1, 1]);
        switch.enable(0, false);
        assert_eq!(counts(&mut switch, 10, 2), [0, 10]);
        switch.enable(1, false);
        assert_eq!(switch.pick(&[]), None);
        switch.enable(0, true);
        assert_eq!(counts(&mut switch, 10, 2), [10, 0]);
    }
}
