// SPDX-License-Identifier: MIT OR Apache-2.0
//! From TOML to a document. Everything that is wrong is told at once.

use std::fmt;
use std::str::FromStr;

use toml::de::{DeTable, DeValue, Error};
use toml::Spanned;

use super::{At, BackendEntry, Document, Fault, ServiceEntry, Span};
use crate::service::{mode_of, scheduler_of};

/// Reads the text of a file.
pub fn document(text: &str) -> Result<Document, Vec<Fault>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(errors.iter().map(|error| syntax(error, text)).collect());
    }
    let mut faults = Vec::new();
    let span = root.span();
    let mut root = Table::new(root.get_ref(), span, "", &mut faults);
    root.only(&["service"]);
    let services = root.tables("service", service);
    match faults.is_empty() {
        true => Ok(Document { services }),
        false => Err(faults),
    }
}

fn syntax(error: &Error, text: &str) -> Fault {
    let span = error.span().unwrap_or_default();
    // The parser tells of a key that comes twice without saying which.
    let doubled = error.message().starts_with("duplicate key");
    let key = text
        .get(span.clone())
        .filter(|_| doubled)
        .map(str::to_owned);
    let reason = error
        .message()
        .lines()
        .next()
        .unwrap_or("not TOML")
        .to_owned();
    Fault { span, key, reason }
}

fn service(table: &mut Table<'_, '_>) -> Option<ServiceEntry> {
    table.only(&[
        "address",
        "scheduler",
        "mode",
        "timeout",
        "announce",
        "backend",
    ]);
    let address = table.parsed("address");
    let scheduler = table.choice("scheduler", "wrr or lc", scheduler_of);
    let mode = table.choice("mode", "nat or dr", mode_of);
    let timeout = table.number("timeout");
    let announce = table.boolean("announce");
    let backends = table.tables("backend", backend);
    let address = table.required("address", address)?;
    Some(ServiceEntry {
        address,
        scheduler,
        mode,
        timeout,
        announce,
        backends,
    })
}

fn backend(table: &mut Table<'_, '_>) -> Option<BackendEntry> {
    table.only(&["address", "weight"]);
    let address = table.parsed("address");
    let weight = table.number("weight");
    let address = table.required("address", address)?;
    Some(BackendEntry { address, weight })
}

/// A table being read, and the list of what is wrong.
struct Table<'a, 'f> {
    table: &'a DeTable<'a>,
    span: Span,
    /// The keys that lead to it, as `service.backend`.
    path: String,
    faults: &'f mut Vec<Fault>,
}

impl<'a, 'f> Table<'a, 'f> {
    fn new(table: &'a DeTable<'a>, span: Span, path: &str, faults: &'f mut Vec<Fault>) -> Self {
        Self {
            table,
            span,
            path: path.to_owned(),
            faults,
        }
    }

    fn key(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    fn fault(&mut self, span: Span, key: &str, reason: impl fmt::Display) {
        let key = Some(self.key(key));
        self.faults.push(Fault {
            span,
            key,
            reason: reason.to_string(),
        });
    }

    /// Any other key is a fault.
    fn only(&mut self, known: &[&str]) {
        for key in self.table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let reason = format!("unknown key, known are: {}", known.join(", "));
                self.fault(key.span(), key.get_ref(), reason);
            }
        }
    }

    fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// A value that `take` takes; `due` says what it takes.
    fn value<T>(
        &mut self,
        key: &str,
        due: &str,
        take: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<At<T>> {
        let found = self.get(key)?;
        match take(found.get_ref()) {
            Some(value) => Some(At {
                value,
                span: found.span(),
            }),
            None => {
                let kind = found.get_ref().type_str();
                self.fault(found.span(), key, format!("{due} is due, not this {kind}"));
                None
            }
        }
    }

    fn parsed<T: FromStr<Err: fmt::Display>>(&mut self, key: &str) -> Option<At<T>> {
        let At { value, span } = self.value(key, "a string", DeValue::as_str)?;
        match value.parse() {
            Ok(value) => Some(At { value, span }),
            Err(error) => {
                self.fault(span, key, error);
                None
            }
        }
    }

    fn choice<T>(
        &mut self,
        key: &str,
        due: &str,
        of: impl FnOnce(&str) -> Option<T>,
    ) -> Option<At<T>> {
        self.value(key, due, |value| of(value.as_str()?))
    }

    fn number(&mut self, key: &str) -> Option<At<u32>> {
        self.value(key, "a number from 0 to 4294967295", |value| {
            let integer = value.as_integer()?;
            u32::from_str_radix(integer.as_str(), integer.radix()).ok()
        })
    }

    fn boolean(&mut self, key: &str) -> Option<At<bool>> {
        self.value(key, "true or false", DeValue::as_bool)
    }

    fn tables<T>(
        &mut self,
        key: &str,
        mut read: impl FnMut(&mut Table<'_, '_>) -> Option<T>,
    ) -> Vec<T> {
        let path = self.key(key);
        let due = format!("an array of tables, [[{path}]],");
        let Some(array) = self.value(key, &due, DeValue::as_array) else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for item in array.value.iter() {
            match item.get_ref().as_table() {
                Some(table) => {
                    let mut table = Table::new(table, item.span(), &path, self.faults);
                    entries.extend(read(&mut table));
                }
                None => self.fault(item.span(), key, "a table is due"),
            }
        }
        entries
    }

    /// A key that must be there. One that is there and wrong has been told already.
    fn required<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if self.get(key).is_none() {
            self.fault(self.span.clone(), key, "missing");
        }
        value
    }
}
