// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is wrong with a file.

use std::fmt;
use std::io;

/// What was found so far, each with its place.
#[derive(Debug, Default)]
pub struct Faults(Vec<String>);

impl Faults {
    /// Notes that `place` is wrong.
    pub fn add(&mut self, place: &str, reason: impl fmt::Display) {
        self.0.push(format!("{place}: {reason}"));
    }

    /// Fails when there is any.
    pub fn finish(self, name: &str) -> Result<(), ConfigError> {
        match self.0.is_empty() {
            true => Ok(()),
            false => {
                let lines = self.0.iter().map(|fault| format!("{name}: {fault}"));
                Err(ConfigError(lines.collect()))
            }
        }
    }
}

/// Everything that is wrong with a file, one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// One line per fault, each with the name of the file.
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// The file cannot be read.
    pub fn read(name: &str, error: &io::Error) -> Self {
        Self(vec![format!("{name}: cannot read it: {error}")])
    }

    /// The file is not TOML, or not of this shape.
    pub fn syntax(name: &str, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start);
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let reason: Vec<_> = error.message().lines().collect();
        Self(vec![format!(
            "{name}:{line}:{column}: {}",
            reason.join(", ")
        )])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigError {}
