// SPDX-License-Identifier: MIT OR Apache-2.0
//! Errors name what could not be done, why, and what would help.

use std::fmt;

use anyhow::anyhow;
use smplb_nl::Error;

const EPERM: i32 = 1;
const EMSGSIZE: i32 = 90;

/// The error of something that could not be done: `cannot add service tcp:1.2.3.4:80: ...`.
pub fn cannot(action: impl fmt::Display, error: Error) -> anyhow::Error {
    anyhow!("cannot {action}: {}", reason(error))
}

/// Why, and what would help.
pub fn reason(error: Error) -> String {
    match hint(&error) {
        Some(hint) => format!("{error} ({hint})"),
        None => error.to_string(),
    }
}

/// What would help.
fn hint(error: &Error) -> Option<&'static str> {
    if matches!(error, Error::NoModule) {
        return Some("load it with: modprobe smplb");
    }
    match error.errno()?.raw_os_error() {
        EPERM => Some("needs CAP_NET_ADMIN in this network namespace; try as root"),
        EMSGSIZE => Some("the sysctl net.core.wmem_max limits it"),
        _ => None,
    }
}

/// Gives the error of a result a name.
pub trait Cannot<T> {
    /// Says what could not be done, when it could not be done.
    fn cannot<D: fmt::Display>(self, action: impl FnOnce() -> D) -> anyhow::Result<T>;
}

impl<T> Cannot<T> for smplb_nl::Result<T> {
    fn cannot<D: fmt::Display>(self, action: impl FnOnce() -> D) -> anyhow::Result<T> {
        self.map_err(|error| cannot(action(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smplb_nl::fake::Fake;
    use smplb_nl::{Client, Service};

    fn refused(errno: i32, reason: &str) -> String {
        let mut kernel = Fake::default();
        kernel.refuse(errno, reason, None);
        let mut client = Client::over(kernel).unwrap();
        let refused = client.add_service(&Service::default());
        refused
            .cannot(|| "add service tcp:1.2.3.4:80")
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_object_and_the_reason_are_named() {
        assert_eq!(
            refused(17, "service exists"),
            "cannot add service tcp:1.2.3.4:80: service exists"
        );
    }

    #[test]
    fn what_would_help_is_told() {
        assert_eq!(
            refused(EPERM, "Operation not permitted"),
            "cannot add service tcp:1.2.3.4:80: Operation not permitted \
             (needs CAP_NET_ADMIN in this network namespace; try as root)"
        );
        assert_eq!(
            cannot("list ports", Error::NoModule).to_string(),
            "cannot list ports: the kernel module smplb is not loaded \
             (load it with: modprobe smplb)"
        );
    }
}
