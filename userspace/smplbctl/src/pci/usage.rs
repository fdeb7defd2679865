// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether a network interface is in use, so that it should not go by mistake.

use std::fs;

use super::Bus;

impl Bus {
    /// Why an interface should not be taken from the host, if there is a reason.
    pub fn usage(&self, ifname: &str) -> Option<String> {
        let place = self.sys.join("class/net").join(ifname);
        if let Ok(master) = fs::read_link(place.join("master")) {
            return Some(format!(
                "belongs to {}",
                master.file_name()?.to_string_lossy()
            ));
        }
        let entries = fs::read_dir(place).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        for name in names {
            if let Some(upper) = name.strip_prefix("upper_") {
                return Some(format!("carries {upper}"));
            }
        }
        let routes = |file: &str, has: fn(&str, &str) -> bool| {
            let text = fs::read_to_string(self.proc.join("net").join(file)).unwrap_or_default();
            text.lines().any(|line| has(line, ifname))
        };
        (routes("route", ipv4) || routes("ipv6_route", ipv6))
            .then(|| "has routes, so it is in use".to_owned())
    }
}

/// A line of `/proc/net/route` begins with the interface.
fn ipv4(line: &str, ifname: &str) -> bool {
    line.split_whitespace().next() == Some(ifname)
}

/// One of `/proc/net/ipv6_route` begins with the destination and ends with the interface. Every
/// interface that is up has routes for link-local and multicast addresses.
fn ipv6(line: &str, ifname: &str) -> bool {
    let by_itself = line.starts_with("fe80") || line.starts_with("ff");
    !by_itself && line.split_whitespace().last() == Some(ifname)
}
