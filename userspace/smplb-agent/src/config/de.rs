// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values as they are written in a configuration.

use std::fmt::Display;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error};

use crate::source::Settings;

/// A time in seconds.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let seconds = f64::deserialize(from)?;
    let time = Duration::try_from_secs_f64(seconds);
    time.map_err(|_| D::Error::custom(format!("{seconds} is no time; give seconds, such as 0.5")))
}

/// A time in seconds, which may be absent.
pub(crate) fn some_seconds<'de, D>(from: D) -> Result<Option<Duration>, D::Error>
where
    D: Deserializer<'de>,
{
    seconds(from).map(Some)
}

/// An address to listen on.
pub(crate) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let word = String::deserialize(from)?;
    word.parse().map_err(|_| {
        let reason = format!("`{word}` is no ADDRESS:PORT, such as \"[::]:9470\"");
        D::Error::custom(reason)
    })
}

/// An address to listen on, which may be absent.
pub(crate) fn some_address<'de, D>(from: D) -> Result<Option<SocketAddr>, D::Error>
where
    D: Deserializer<'de>,
{
    address(from).map(Some)
}

/// Anything that is written as one word.
pub(crate) fn parsed<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: Display,
{
    let word = String::deserialize(from)?;
    word.parse()
        .map_err(|error| D::Error::custom(format!("`{word}`: {error}")))
}

/// The sources. Each kind has its own keys, so each table is read by its kind.
pub(crate) fn sources<'de, D>(from: D) -> Result<Vec<Settings>, D::Error>
where
    D: Deserializer<'de>,
{
    let tables = Vec::<toml::Table>::deserialize(from)?;
    if tables.len() > 32 {
        return Err(D::Error::custom("must be 32 at most"));
    }
    let read = |(index, table)| Settings::read(index, table).map_err(D::Error::custom);
    tables.into_iter().enumerate().map(read).collect()
}

/// A message without its line breaks.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
