// SPDX-License-Identifier: MIT OR Apache-2.0
//! Makes the messages, the client and the server of the channel to a switch from its proto file.
//! It is read by `protox`, so that no `protoc` must be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=proto");
    let files = protox::compile(["smplb/switch/v1/switch.proto"], ["proto"])?;
    tonic_prost_build::configure().compile_fds(files)?;
    Ok(())
}
