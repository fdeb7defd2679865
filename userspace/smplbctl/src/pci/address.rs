// SPDX-License-Identifier: MIT OR Apache-2.0
//! Where a device is on the PCI bus.

use std::fmt;
use std::str::FromStr;

/// A place on the PCI bus, `0000:00:02.0`; the domain may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

/// What is not such a place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a PCI address, as 0000:00:02.0")]
pub struct NoAddress(String);

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        parse(text).ok_or_else(|| NoAddress(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Address> {
    let (place, function) = text.rsplit_once('.')?;
    let (place, device) = place.rsplit_once(':')?;
    let (domain, bus) = place.rsplit_once(':').unwrap_or(("0000", place));
    let hex = |part: &str, digits: std::ops::RangeInclusive<usize>| {
        let all = part.bytes().all(|octet| octet.is_ascii_hexdigit());
        let fits = all && digits.contains(&part.len());
        u32::from_str_radix(part, 16).ok().filter(|_| fits)
    };
    Some(Address {
        domain: hex(domain, 4..=8)?,
        bus: hex(bus, 2..=2)?.try_into().ok()?,
        device: hex(device, 2..=2)?.try_into().ok().filter(|n| *n < 32)?,
        function: hex(function, 1..=1)?.try_into().ok().filter(|n| *n < 8)?,
    })
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            device,
            function,
        } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_domain_may_be_left_out() {
        for (text, full) in [
            ("0000:00:02.0", "0000:00:02.0"),
            ("00:02.0", "0000:00:02.0"),
            ("0A:1f.7", "0000:0a:1f.7"),
            ("10000:e1:00.1", "10000:e1:00.1"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), full);
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "eth0",
            "00:02",
            "02.0",
            "0:2.0",
            "00:20.0",
            "00:02.8",
            "00:02.00",
            "000:00:02.0",
            "0000:00:02.0.0",
            "+0:02.0",
            "0000:00:0g.0",
            "1:0000:00:02.0",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        let error = "00:20.0".parse::<Address>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "00:20.0 is not a PCI address, as 0000:00:02.0"
        );
    }
}
