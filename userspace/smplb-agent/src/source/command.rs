// SPDX-License-Identifier: MIT OR Apache-2.0
//! A command that prints figures.

use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;

use rustix::process::{kill_process_group, Pid, Signal};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

use super::{lines, Failure, Reading, Source, MOST_BYTES};
use crate::report::Field;

/// Which command.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// The program and its arguments; no shell reads them.
    command: Vec<String>,
    /// Where a number alone goes.
    pub(super) field: Option<Field>,
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), String> {
        match self.command.first() {
            Some(program) if program.starts_with('/') => Ok(()),
            Some(program) => Err(format!("command: `{program}` is no path; begin it with /")),
            None => Err("command: is empty; give [\"/path/to/program\", \"argument\", …]".into()),
        }
    }
}

/// A command.
pub(super) struct Command {
    settings: Settings,
}

impl Command {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings }
    }

    async fn run(&mut self) -> Result<Reading, Failure> {
        let argv = &self.settings.command;
        let program = argv.first().map_or("", String::as_str);
        let wrong = |what: String| Failure::Unreachable(format!("{program}: {what}"));
        let mut command = tokio::process::Command::new(program);
        command
            .args(argv.iter().skip(1))
            // A group of its own, so that its children can be ended with it.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The agent's talk with the service manager is not the command's.
            .env_remove("NOTIFY_SOCKET")
            .env_remove("WATCHDOG_USEC")
            .env_remove("WATCHDOG_PID");
        let child = command.spawn().map_err(|error| wrong(error.to_string()))?;
        let mut group = Group(child);
        let (stdout, stderr) = (group.0.stdout.take(), group.0.stderr.take());
        let (out, complaint) = tokio::join!(bounded(stdout), bounded(stderr));
        if out.len() > MOST_BYTES || complaint.len() > MOST_BYTES {
            return Err(Failure::TooBig);
        }
        let status = group
            .0
            .wait()
            .await
            .map_err(|error| wrong(error.to_string()))?;
        if !status.success() {
            let complaint = String::from_utf8_lossy(&complaint);
            let complaint: String = complaint.trim().chars().take(200).collect();
            let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(wrong(
                format!("{status}: {complaint}")
                    .trim_end_matches(": ")
                    .to_owned(),
            ));
        }
        let text = String::from_utf8(out).map_err(|_| wrong("prints no text".to_owned()))?;
        let report = lines::parse(&text, self.settings.field.as_ref());
        let report = report.map_err(|failure| match failure {
            Failure::Unreadable(reason) => Failure::Unreadable(format!("{program}: {reason}")),
            other => other,
        })?;
        Ok(Reading {
            report,
            missing: Vec::new(),
        })
    }
}

impl Source for Command {
    fn read(&mut self) -> Pin<Box<dyn Future<Output = Result<Reading, Failure>> + Send + '_>> {
        Box::pin(self.run())
    }
}

/// A child with all that it has started.
struct Group(Child);

impl Drop for Group {
    /// Ends those that have not ended: out of time, or too much output. The id is the group's for
    /// sure, since the child has not been waited for.
    fn drop(&mut self) {
        let id = self.0.id().and_then(|id| i32::try_from(id).ok());
        if let Some(group) = id.and_then(Pid::from_raw) {
            // It may have ended by itself just now.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// All that comes, up to a byte more than is allowed.
async fn bounded(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        // What was read before an error is what there is.
        let _ = from
            .take(MOST_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .await;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, Instant};

    use super::super::read;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Command {
        Command::new(Settings {
            command: ["/bin/sh", "-c", script].map(str::to_owned).into(),
            field: Some(Field::Rps),
        })
    }

    #[tokio::test]
    async fn what_it_prints_is_reported() {
        let reading = read(&mut shell("echo 2.5"), LIMIT).await.unwrap();
        assert_eq!(reading.report.get(&Field::Rps), Some(2.5));
        let mut command = shell("printf 'eps 1\\nclients 4\\n'; echo noise >&2");
        assert_eq!(read(&mut command, LIMIT).await.unwrap().report.len(), 2);
    }

    #[tokio::test]
    async fn why_it_failed_is_said() {
        for (script, words) in [
            (
                "echo broken pump >&2; exit 3",
                "/bin/sh: exit status: 3: broken pump",
            ),
            ("exit 1", "/bin/sh: exit status: 1"),
            ("echo lots", "/bin/sh: line 1: holds no number"),
            ("true", "/bin/sh: holds no figure"),
            ("echo -5", "rps cannot be -5: it must be 0 or more"),
        ] {
            let error = read(&mut shell(script), LIMIT)
                .await
                .unwrap_err()
                .to_string();
            assert_eq!(error, words);
        }
        let mut nobody = Command::new(Settings {
            command: vec!["/nonexistent/program".to_owned()],
            field: None,
        });
        let error = read(&mut nobody, LIMIT).await.unwrap_err().to_string();
        assert!(
            error.starts_with("/nonexistent/program: No such file"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn it_does_not_talk_to_the_service_manager() {
        // Whatever the environment holds, these are not in it.
        let script = "[ -z \"$NOTIFY_SOCKET$WATCHDOG_USEC\" ] && echo 1";
        read(&mut shell(script), LIMIT).await.unwrap();
    }

    #[tokio::test]
    async fn endless_output_ends_it() {
        let mut command = shell("while :; do echo 1111111111111111111111111111111111111; done");
        assert_eq!(read(&mut command, LIMIT).await, Err(Failure::TooBig));
    }

    #[tokio::test]
    async fn out_of_time_it_ends_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let ids = dir.path().join("ids");
        let script = format!("sleep 60 & echo $! $$ > {}; wait", ids.display());
        let start = Instant::now();
        let mut command = shell(&script);
        assert_eq!(
            read(&mut command, Duration::from_secs(1)).await,
            Err(Failure::Timeout)
        );
        assert!(start.elapsed() < Duration::from_secs(5));
        let ids = fs::read_to_string(ids).unwrap();
        for id in ids.split_whitespace() {
            let mut gone = false;
            for _ in 0..100 {
                let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                // One that has ended may wait for its parent to see it.
                gone = stat.is_empty() || stat.contains(") Z ");
                if gone {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert!(gone, "{id} still runs");
        }
    }
}
