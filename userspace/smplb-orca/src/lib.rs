// SPDX-License-Identifier: MIT OR Apache-2.0
//! Load reports of servers, in the field's own format: Open Request Cost Aggregation (ORCA).
//!
//! A server reports by [`OpenRcaService`](open_rca_service_server::OpenRcaService), out
//! of band: a client asks for an [`OrcaLoadReport`] every so often and gets a stream of them
//! (gRFC A51). What a report has no field for goes by names that are defined here: [`CLIENTS`] and
//! [`EXEC_SECONDS`].

#![forbid(unsafe_code)]

pub use xds::data::orca::v3::OrcaLoadReport;
pub use xds::service::orca::v3::{
    open_rca_service_client, open_rca_service_server, OrcaLoadReportRequest,
};

/// What is made from the proto files, by their packages.
#[allow(missing_docs, clippy::all)]
pub mod xds {
    pub mod data {
        pub mod orca {
            pub mod v3 {
                tonic::include_proto!("xds.data.orca.v3");
            }
        }
    }
    pub mod service {
        pub mod orca {
            pub mod v3 {
                tonic::include_proto!("xds.service.orca.v3");
            }
        }
    }
}

/// Named metric of clients that the server is serving now (open connections or running requests).
pub const CLIENTS: &str = "smplb.clients";

/// Named metric of the mean time in which the server executes a request, in seconds.
pub const EXEC_SECONDS: &str = "smplb.exec_seconds";

/// Name of a metric by which a server advertises label `name` (any value above zero).
pub fn label_metric(name: &str) -> String {
    format!("{LABEL_PREFIX}{name}")
}

/// How the name of a metric begins that advertises a label.
pub const LABEL_PREFIX: &str = "smplb.label.";
