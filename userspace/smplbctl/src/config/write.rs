// SPDX-License-Identifier: MIT OR Apache-2.0
//! From the configuration of the kernel to a file that `smplbctl apply` accepts.

use std::fmt::Display;

use crate::show::{Branch, Tree};

/// The text of the file.
pub fn toml(tree: &Tree) -> String {
    let mut text = String::new();
    for Branch { service, backends } in &tree.services {
        if !text.is_empty() {
            text.push('\n');
        }
        text += "[[service]]\n";
        line(&mut text, "address", service.service.map(quoted));
        line(&mut text, "scheduler", service.scheduler.map(quoted));
        line(&mut text, "mode", service.mode.map(quoted));
        line(&mut text, "timeout", service.timeout);
        line(&mut text, "announce", service.announce);
        for backend in backends {
            text += "\n[[service.backend]]\n";
            line(&mut text, "address", backend.key().map(quoted));
            line(&mut text, "weight", backend.weight);
        }
    }
    text
}

/// Names and addresses have no character that TOML would want escaped.
fn quoted(value: impl Display) -> String {
    format!("\"{value}\"")
}

fn line(text: &mut String, key: &str, value: Option<impl Display>) {
    if let Some(value) = value {
        *text += &format!("{key} = {value}\n");
    }
}
