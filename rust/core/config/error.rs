// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! Why a change of the configuration is refused.

/// Why a change of the configuration is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The object exists already.
    Exists,
    /// There is no such service.
    ServiceNotFound,
    /// The service has no such backend.
    BackendNotFound,
    /// The protocol is neither TCP nor UDP.
    BadProtocol,
    /// The address is none a service or server can have.
    BadAddress,
    /// The port is 0.
    PortZero,
    /// The weight is above [`MAX_WEIGHT`](super::MAX_WEIGHT).
    WeightRange,
    /// The timeout is 0 or above [`MAX_TIMEOUT`](super::MAX_TIMEOUT).
    TimeoutRange,
    /// A backend of a service in mode `dr` has another port than the service.
    DrPort,
    /// The backend is the VIP itself.
    BackendIsVip,
    /// All places for services are taken.
    ServicesFull,
    /// All places for backends are taken.
    BackendsFull,
    /// The slot lists of all services do not fit.
    SlotsFull,
}

impl ConfigError {
    /// What is wrong and what to do about it, in one line.
    pub const fn reason(self) -> &'static ::core::ffi::CStr {
        match self {
            Self::Exists => c"exists already; use set to change it",
            Self::ServiceNotFound => c"no such service; add it first",
            Self::BackendNotFound => c"the service has no such backend; add it first",
            Self::BadProtocol => c"protocol must be 6 (TCP) or 17 (UDP)",
            Self::BadAddress => {
                c"address must be a unicast address outside 0.0.0.0/8 and 127.0.0.0/8"
            }
            Self::PortZero => c"port must be 1 to 65535",
            Self::WeightRange => c"weight must be 0 to 65535",
            Self::TimeoutRange => c"timeout must be 1 to 2678400 seconds",
            Self::DrPort => {
                c"mode dr does not change the port; give the backend the port of the service"
            }
            Self::BackendIsVip => {
                c"address and port of the backend are those of the service; give those of a server"
            }
            Self::ServicesFull => c"all 1024 services are in use; delete one first",
            Self::BackendsFull => c"all 8192 backends are in use; delete one first",
            Self::SlotsFull => {
                c"the slot lists exceed 131072 slots in all; use smaller or more similar weights"
            }
        }
    }
}
