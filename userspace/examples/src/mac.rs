// SPDX-License-Identifier: MIT OR Apache-2.0

//! MAC addresses of neighbours, as the host knows them.

use std::fs;
use std::net::Ipv4Addr;

use anyhow::{bail, Context, Result};

/// The MAC address that the host has of a neighbour (`ip neigh`).
pub fn of(neighbour: Ipv4Addr) -> Result<[u8; 6]> {
    let table = fs::read_to_string("/proc/net/arp").context("/proc/net/arp")?;
    for line in table.lines().skip(1) {
        let mut fields = line.split_ascii_whitespace();
        let (addr, mac) = (fields.next(), fields.nth(2));
        if addr == Some(&*neighbour.to_string()) {
            let mac = parse(mac.unwrap_or_default())?;
            if mac != [0; 6] {
                return Ok(mac);
            }
        }
    }
    bail!("the host does not know {neighbour}; have it asked with: ping -c 1 {neighbour}")
}

/// A MAC address in the usual form.
pub fn parse(text: &str) -> Result<[u8; 6]> {
    let mut mac = [0; 6];
    let mut parts = text.split(':');
    for octet in &mut mac {
        let part = parts.next().unwrap_or_default();
        *octet = u8::from_str_radix(part, 16)
            .with_context(|| format!("{text:?} is no MAC address, such as 02:00:00:00:00:01"))?;
    }
    match parts.next() {
        None => Ok(mac),
        Some(_) => bail!("{text:?} is longer than a MAC address"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses() {
        assert_eq!(parse("02:00:00:00:0a:ff").unwrap(), [2, 0, 0, 0, 10, 255]);
        for wrong in [
            "",
            "02:00:00:00:0a",
            "02:00:00:00:0a:ff:00",
            "02:00:00:00:0a:fg",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
