// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the messages, the client and the server of ORCA from its proto files. They are read by
//! `protox`, so that no `protoc` must be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["xds/service/orca/v3/orca.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
