// SPDX-License-Identifier: MIT OR Apache-2.0
//! What can go wrong with a server, by name.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use rustls::{AlertDescription, Error as TlsError};

/// Octets of a server's own words that are passed on.
const WORDS: usize = 160;

/// What went wrong with a server.
///
/// It reads as one line, without the server's address: who listens knows whom it follows.
/// [`name`](Self::name) is a word for a metric's label.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Trouble {
    /// Its name has no address.
    #[error("the name cannot be resolved: {why}")]
    Unresolved {
        /// What the resolver said.
        why: String,
    },
    /// Nothing listens on its port.
    #[error("the connection was refused: does anything listen on that port?")]
    Refused,
    /// No way leads there.
    #[error("it cannot be reached: {why}")]
    Unreachable {
        /// What the system said.
        why: String,
    },
    /// It took too long.
    #[error("no end of the {step} within {} s", after.as_secs_f64())]
    Timeout {
        /// What took too long.
        step: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
    /// It reset the connection or the stream.
    #[error("reset by the server: {why}")]
    Reset {
        /// What was reset, and by which code.
        why: String,
    },
    /// It ended the connection or the stream.
    #[error("ended by the server")]
    Closed,
    /// It sent GOAWAY: it is about to end.
    #[error("the server goes away: {why}")]
    GoAway {
        /// The reason it gave.
        why: String,
    },
    /// It has not the service that was asked for.
    #[error("the server has no such service (UNIMPLEMENTED): is this the right port?")]
    Unimplemented,
    /// It ended a call with another status.
    #[error("gRPC status {code}: {message}")]
    Status {
        /// Name of the status.
        code: String,
        /// The server's own words.
        message: String,
    },
    /// Its certificate is not the one of that server, or of an authority that is trusted.
    #[error("the certificate of the server is wrong: {why}")]
    WrongCertificate {
        /// What is wrong.
        why: String,
    },
    /// It does not take our certificate.
    #[error("the server refuses the certificate it was shown, or wants one: {why}")]
    CertificateRefused {
        /// The alert it sent.
        why: String,
    },
    /// TLS failed in another way.
    #[error("TLS failed: {why}")]
    Tls {
        /// What failed.
        why: String,
    },
    /// A file that TLS needs cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It is connected and does not report.
    #[error("silent: no report within {} s", within.as_secs_f64())]
    Silent {
        /// How long it was waited for.
        within: Duration,
    },
    /// It reports more often than is listened to.
    #[error("too many reports: {dropped} left out within a second")]
    TooFast {
        /// Reports that were left out until this was told.
        dropped: u64,
    },
    /// It sent more than is taken.
    #[error("more than {limit} octets at once")]
    TooLarge {
        /// The most that is taken.
        limit: usize,
    },
    /// Its report or its line cannot be read.
    #[error("a report that cannot be used: {why}")]
    BadReport {
        /// What is wrong with it.
        why: String,
    },
    /// It speaks another protocol, or breaks this one.
    #[error("not the protocol that was asked for: {why}")]
    Protocol {
        /// What was seen.
        why: String,
    },
    /// It answered a check, but not as it should.
    #[error("{why}")]
    Unexpected {
        /// What the answer was.
        why: String,
    },
}

impl Trouble {
    /// Its name, for a label of a metric.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "unresolved",
            Self::Refused => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Timeout { .. } => "timeout",
            Self::Reset { .. } => "reset",
            Self::Closed => "closed",
            Self::GoAway { .. } => "go-away",
            Self::Unimplemented => "unimplemented",
            Self::Status { .. } => "status",
            Self::WrongCertificate { .. } => "wrong-certificate",
            Self::CertificateRefused { .. } => "certificate-refused",
            Self::Tls { .. } => "tls",
            Self::File { .. } => "file",
            Self::Silent { .. } => "silent",
            Self::TooFast { .. } => "too-fast",
            Self::TooLarge { .. } => "too-large",
            Self::BadReport { .. } => "bad-report",
            Self::Protocol { .. } => "protocol",
            Self::Unexpected { .. } => "unexpected",
        }
    }

    /// What an error of a socket means.
    pub(crate) fn of_io(error: &io::Error) -> Self {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<TlsError>());
        if let Some(tls) = tls {
            return Self::of_tls(tls);
        }
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::Refused,
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Reset {
                why: "the connection".into(),
            },
            io::ErrorKind::UnexpectedEof => Self::Closed,
            _ => Self::Unreachable {
                why: printable(&error.to_string()),
            },
        }
    }

    /// What an error of TLS means.
    pub(crate) fn of_tls(error: &TlsError) -> Self {
        let why = printable(&error.to_string());
        match error {
            TlsError::InvalidCertificate(_) | TlsError::NoCertificatesPresented => {
                Self::WrongCertificate { why }
            }
            TlsError::AlertReceived(
                AlertDescription::AccessDenied
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateRequired
                | AlertDescription::CertificateRevoked
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA
                | AlertDescription::UnsupportedCertificate,
            ) => Self::CertificateRefused { why },
            _ => Self::Tls { why },
        }
    }

    /// What an error of HTTP/2 means.
    pub(crate) fn of_h2(error: &h2::Error) -> Self {
        let reason = || {
            error
                .reason()
                .map_or_else(String::new, |reason| format!("{reason:?}"))
        };
        if let Some(error) = error.get_io() {
            Self::of_io(error)
        } else if error.is_go_away() && error.is_remote() {
            Self::GoAway { why: reason() }
        } else if error.is_reset() && error.is_remote() {
            Self::Reset {
                why: format!("the stream, {}", reason()),
            }
        } else {
            Self::Protocol {
                why: printable(&format!("HTTP/2: {error}")),
            }
        }
    }
}

/// The start of a server's words, on one line and without control characters.
pub(crate) fn printable(words: &str) -> String {
    let mut line: String = words
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(WORDS)
        .collect();
    if line.len() < words.len() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
