// SPDX-License-Identifier: MIT OR Apache-2.0
//! A file that the application, or a job beside it, writes its figures to.

use std::fs;
use std::future::Future;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use tokio::task::{spawn_blocking, JoinHandle};

use super::{lines, Failure, Reading, Source, MOST_BYTES};
use crate::config::de;
use crate::report::Field;

/// Which file.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    path: PathBuf,
    /// Where a number alone goes.
    pub(super) field: Option<Field>,
    /// How long ago it may have been written.
    #[serde(default = "minute", deserialize_with = "de::seconds")]
    max_age: Duration,
}

fn minute() -> Duration {
    Duration::from_secs(60)
}

/// A file.
pub(super) struct File {
    settings: Settings,
    /// The reading that has not ended. A file can hang (on a network); then nothing more is
    /// asked of it.
    reading: Option<JoinHandle<Result<String, Failure>>>,
}

impl File {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            reading: None,
        }
    }

    async fn look(&mut self) -> Result<Reading, Failure> {
        let start = || {
            let Settings { path, max_age, .. } = self.settings.clone();
            spawn_blocking(move || contents(&path, max_age))
        };
        let reading = self.reading.get_or_insert_with(start);
        let text = reading.await;
        self.reading = None;
        let text = text.unwrap_or_else(|error| Err(Failure::Unreachable(error.to_string())))?;
        let field = self.settings.field.as_ref();
        let report = lines::parse(&text, field).map_err(|failure| match failure {
            Failure::Unreadable(reason) => {
                Failure::Unreadable(format!("{}: {reason}", self.settings.path.display()))
            }
            other => other,
        })?;
        Ok(Reading {
            report,
            missing: Vec::new(),
        })
    }
}

impl Source for File {
    fn read(&mut self) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + '_>> {
        Box::pin(self.look())
    }
}

fn contents(path: &Path, max_age: Duration) -> Result<String, Failure> {
    let wrong = |what: String| Failure::Unreachable(format!("{}: {what}", path.display()));
    let io = |error: io::Error| wrong(error.to_string());
    // A pipe would wait for a writer, so look before opening.
    if !fs::metadata(path).map_err(io)?.is_file() {
        return Err(wrong("is no regular file".to_owned()));
    }
    let file = fs::File::open(path).map_err(io)?;
    let written = file
        .metadata()
        .and_then(|data| data.modified())
        .map_err(io)?;
    // A time to come is no age.
    let age = SystemTime::now()
        .duration_since(written)
        .unwrap_or_default();
    if age > max_age {
        let most = max_age.as_secs_f64();
        return Err(wrong(format!(
            "was not written for more than {most} s (max-age)"
        )));
    }
    let mut text = Vec::new();
    file.take(MOST_BYTES as u64 + 1)
        .read_to_end(&mut text)
        .map_err(io)?;
    if text.len() > MOST_BYTES {
        return Err(Failure::TooBig);
    }
    String::from_utf8(text).map_err(|_| wrong("is no text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &Path) -> File {
        File::new(Settings {
            path: path.to_owned(),
            field: Some(Field::Clients),
            max_age: Duration::from_secs(10),
        })
    }

    #[tokio::test]
    async fn figures_are_read_anew_each_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("load");
        let mut source = file(&path);
        for value in [5.0, 6.0] {
            fs::write(&path, format!("{value}\n")).unwrap();
            let reading = source.read().await.unwrap();
            assert_eq!(reading.report.get(&Field::Clients), Some(value));
        }
        fs::write(&path, "rps 3\neps 1\n").unwrap();
        assert_eq!(source.read().await.unwrap().report.len(), 2);
    }

    #[tokio::test]
    async fn an_old_file_says_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("load");
        fs::write(&path, "5").unwrap();
        let old = SystemTime::now() - Duration::from_secs(11);
        let handle = fs::File::options().write(true).open(&path).unwrap();
        handle.set_modified(old).unwrap();
        let error = file(&path).read().await.unwrap_err().to_string();
        assert!(
            error.ends_with("was not written for more than 10 s (max-age)"),
            "{error}"
        );
        handle
            .set_modified(SystemTime::now() + Duration::from_secs(100))
            .unwrap();
        file(&path).read().await.unwrap();
    }

    #[tokio::test]
    async fn what_is_no_file_of_figures_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("load");
        let read = || async { file(&path).read().await.unwrap_err() };
        assert!(read().await.to_string().contains("No such file"));
        fs::write(&path, [0xff, 0xfe]).unwrap();
        assert!(read().await.to_string().ends_with("is no text"));
        fs::write(&path, "many\n").unwrap();
        let error = read().await.to_string();
        assert!(error.ends_with("load: line 1: holds no number"), "{error}");
        fs::write(&path, vec![b' '; MOST_BYTES + 1]).unwrap();
        assert_eq!(read().await, Failure::TooBig);
        let error = file(dir.path()).read().await.unwrap_err().to_string();
        assert!(error.ends_with("is no regular file"), "{error}");
    }
}
