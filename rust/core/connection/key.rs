// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! What tells one connection from another, and its hash.

/// Source and destination of a packet with its protocol, as two words in the order of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// Source and destination address, as they lie in memory.
    pub addrs: u64,
    /// Source and destination port as they lie in memory (low half), protocol above them.
    pub ports: u64,
}

/// An address with a port, host byte order.
pub type Endpoint = ([u8; 4], u16);

impl Key {
    /// From words as they lie in the headers.
    #[inline(always)]
    pub fn from_raw(addrs: u64, ports: u32, protocol: u8) -> Self {
        Self {
            addrs,
            ports: u64::from(ports) | (u64::from(protocol) << 32),
        }
    }

    /// From addresses and ports.
    pub fn new(protocol: u8, source: Endpoint, dest: Endpoint) -> Self {
        Self::from_raw(
            raw_addrs(source.0, dest.0),
            raw_ports(source.1, dest.1),
            protocol,
        )
    }

    /// Protocol number.
    #[inline]
    pub fn protocol(&self) -> u8 {
        (self.ports >> 32) as u8
    }

    /// Both ports as they lie in memory.
    #[inline]
    pub fn raw_ports(&self) -> u32 {
        self.ports as u32
    }

    /// Source address and port.
    pub fn source(&self) -> Endpoint {
        let ([a, b, c, d, ..], [high, low, ..]) =
            (self.addrs.to_ne_bytes(), self.raw_ports().to_ne_bytes());
        ([a, b, c, d], u16::from_be_bytes([high, low]))
    }

    /// Destination address and port.
    pub fn dest(&self) -> Endpoint {
        let ([.., a, b, c, d], [.., high, low]) =
            (self.addrs.to_ne_bytes(), self.raw_ports().to_ne_bytes());
        ([a, b, c, d], u16::from_be_bytes([high, low]))
    }

    /// A word that tells destinations apart, protocol included, for hashes.
    #[inline(always)]
    pub fn dest_word(&self) -> u64 {
        const ADDR: u64 = u64::from_ne_bytes([0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        const PORT: u32 = u32::from_ne_bytes([0, 0, 0xff, 0xff]);
        (self.addrs & ADDR) ^ (self.ports & (u64::from(PORT) | 0xff << 32))
    }

    /// The key of the packets in the other direction.
    pub fn reversed(&self) -> Self {
        Self::new(self.protocol(), self.dest(), self.source())
    }
}

/// Two addresses as they lie in memory.
pub(super) fn raw_addrs(source: [u8; 4], dest: [u8; 4]) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (source, dest);
    u64::from_ne_bytes([a, b, c, d, e, f, g, h])
}

/// Two ports as they lie in memory.
pub(super) fn raw_ports(source: u16, dest: u16) -> u32 {
    let ([a, b], [c, d]) = (source.to_be_bytes(), dest.to_be_bytes());
    u32::from_ne_bytes([a, b, c, d])
}

/// The secret of the hash, so that nobody outside can make connections collide.
#[derive(Clone, Copy, Debug)]
pub struct Secret([u64; 4]);

impl Secret {
    /// From 128 random bits.
    pub const fn new([k0, k1]: [u64; 2]) -> Self {
        Self([
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ])
    }

    /// SipHash-1-3 over the two words of a key, without the length block, since all keys have one
    /// length.
    #[inline(always)]
    pub fn hash(&self, key: Key) -> u64 {
        let mut v = self.0;
        v[3] ^= key.addrs;
        v = round(v);
        v[0] ^= key.addrs;
        v[3] ^= key.ports;
        v = round(v);
        v[0] ^= key.ports;
        v[2] ^= 0xff;
        let [v0, v1, v2, v3] = round(round(round(v)));
        v0 ^ v1 ^ v2 ^ v3
    }
}

#[inline(always)]
fn round([mut v0, mut v1, mut v2, mut v3]: [u64; 4]) -> [u64; 4] {
    v0 = v0.wrapping_add(v1);
    v2 = v2.wrapping_add(v3);
    v1 = v1.rotate_left(13) ^ v0;
    v3 = v3.rotate_left(16) ^ v2;
    v0 = v0.rotate_left(32).wrapping_add(v3);
    v2 = v2.wrapping_add(v1);
    v3 = v3.rotate_left(21) ^ v0;
    v1 = v1.rotate_left(17) ^ v2;
    [v0, v1, v2.rotate_left(32), v3]
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_key))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let key = Key::new(6, ([192, 0, 2, 1], 0x1234), ([10, 1, 2, 3], 80));
        assert_eq!(key.protocol(), 6);
        assert_eq!(key.source(), ([192, 0, 2, 1], 0x1234));
        assert_eq!(key.dest(), ([10, 1, 2, 3], 80));
        assert_eq!(key.reversed().source(), key.dest());
        assert_eq!(key.reversed().reversed(), key);
        assert_eq!(key.raw_ports().to_ne_bytes(), [0x12, 0x34, 0, 80]);
    }

    #[test]
    fn every_bit_of_the_key_and_the_secret_counts() {
        let key = Key {
            addrs: 0x0123_4567_89ab_cdef,
            ports: 0x06_1122_3344,
        };
        let hash = Secret::new([1, 2]).hash(key);
        for bit in 0..64 {
            let other = Key {
                addrs: key.addrs ^ 1 << bit,
                ..key
            };
            assert!(Secret::new([1, 2]).hash(other) != hash);
            assert!(Secret::new([1 ^ 1 << bit, 2]).hash(key) != hash);
            assert!(Secret::new([1, 2 ^ 1 << bit]).hash(key) != hash);
        }
        for bit in 0..40 {
            let other = Key {
                ports: key.ports ^ 1 << bit,
                ..key
            };
            assert!(Secret::new([1, 2]).hash(other) != hash);
        }
    }
}
