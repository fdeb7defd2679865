// SPDX-License-Identifier: MIT OR Apache-2.0
//! Followers against servers that work, that fail in every way, and that mean harm.

mod agent_check;
mod authority;
mod check_dns;
mod check_grpc;
mod check_http;
mod check_tcp;
mod orca;
mod orca_server;
mod orca_tls;
mod peer;
