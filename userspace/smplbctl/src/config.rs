// SPDX-License-Identifier: MIT OR Apache-2.0
//! The configuration file of `smplbctl apply`: TOML, with the place of every value, so that an
//! error of ours or of the kernel names file, line, column and key.

mod place;
mod read;
pub mod write;

use std::collections::HashMap;
use std::ops::Range;

use smplb_nl::set::Path;
use smplb_nl::{BackendDef, Config, Mode, Scheduler, ServiceDef};

use crate::key::{BackendKey, ServiceKey};
pub use place::Place;

/// A place in the file, in bytes.
pub type Span = Range<usize>;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub span: Span,
    /// Under which key, as `service.backend.weight`; none for the syntax itself.
    pub key: Option<String>,
    /// What.
    pub reason: String,
}

/// A whole configuration.
#[derive(Debug, Default)]
pub struct Document {
    services: Vec<ServiceEntry>,
}

#[derive(Debug)]
struct ServiceEntry {
    address: At<ServiceKey>,
    scheduler: Option<At<Scheduler>>,
    mode: Option<At<Mode>>,
    timeout: Option<At<u32>>,
    announce: Option<At<bool>>,
    backends: Vec<BackendEntry>,
}

#[derive(Debug)]
struct BackendEntry {
    address: At<BackendKey>,
    weight: Option<At<u32>>,
}

impl Document {
    /// Reads a file, or says everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        let document = read::document(text)?;
        let faults = document.duplicates();
        match faults.is_empty() {
            true => Ok(document),
            false => Err(faults),
        }
    }

    /// The request that applies it.
    pub fn request(&self) -> Config {
        let service = |entry: &ServiceEntry| ServiceDef {
            scheduler: entry.scheduler.as_ref().map(|at| at.value),
            mode: entry.mode.as_ref().map(|at| at.value),
            timeout: entry.timeout.as_ref().map(|at| at.value),
            announce: entry.announce.as_ref().map(|at| at.value.into()),
            ..entry.address.value.def()
        };
        let backend = |(at, entry): (usize, &BackendEntry)| BackendDef {
            service: u32::try_from(at).ok(),
            addr: Some(entry.address.value.addr),
            port: entry.address.value.port,
            weight: entry.weight.as_ref().map(|at| at.value),
        };
        Config {
            service: self.services.iter().map(service).collect(),
            backend: self.backends().map(backend).collect(),
            ..Config::default()
        }
    }

    /// The place of an attribute of the request, and its key.
    pub fn place_of(&self, path: &Path) -> Option<(Span, &'static str)> {
        let mut steps = path.0.iter();
        let outer = steps.next()?;
        let inner = steps.next().map(|step| step.name);
        match outer.name {
            "service" => {
                let entry = self.services.get(outer.index?)?;
                Some(entry.place_of(inner))
            }
            "backend" => {
                let (_, entry) = self.backends().nth(outer.index?)?;
                Some(entry.place_of(inner))
            }
            _ => None,
        }
    }

    /// Every backend with the number of its service, in the order of the request.
    fn backends(&self) -> impl Iterator<Item = (usize, &BackendEntry)> {
        let services = self.services.iter().enumerate();
        services.flat_map(|(at, service)| service.backends.iter().map(move |entry| (at, entry)))
    }

    fn duplicates(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut services = HashMap::new();
        let mut backends = HashMap::new();
        for service in &self.services {
            let At { value: key, span } = &service.address;
            if services.insert(key, ()).is_some() {
                faults.push(duplicate(span, "service.address", key));
                continue;
            }
            for backend in &service.backends {
                let At { value, span } = &backend.address;
                let port = value.port.unwrap_or(key.port);
                if backends.insert((key, value.addr, port), ()).is_some() {
                    faults.push(duplicate(span, "service.backend.address", value));
                }
            }
        }
        faults
    }
}

fn duplicate(span: &Span, key: &str, value: impl std::fmt::Display) -> Fault {
    Fault {
        span: span.clone(),
        key: Some(key.to_owned()),
        reason: format!("duplicate {value}"),
    }
}

impl ServiceEntry {
    fn place_of(&self, attribute: Option<&str>) -> (Span, &'static str) {
        fn span<T>(at: &Option<At<T>>) -> Option<Span> {
            at.as_ref().map(|at| at.span.clone())
        }
        let (span, key) = match attribute {
            Some("scheduler") => (span(&self.scheduler), "service.scheduler"),
            Some("mode") => (span(&self.mode), "service.mode"),
            Some("timeout") => (span(&self.timeout), "service.timeout"),
            Some("announce") => (span(&self.announce), "service.announce"),
            _ => (None, "service.address"),
        };
        (span.unwrap_or_else(|| self.address.span.clone()), key)
    }
}

impl BackendEntry {
    fn place_of(&self, attribute: Option<&str>) -> (Span, &'static str) {
        match (attribute, &self.weight) {
            (Some("weight"), Some(weight)) => (weight.span.clone(), "service.backend.weight"),
            _ => (self.address.span.clone(), "service.backend.address"),
        }
    }
}

#[cfg(test)]
mod tests;
