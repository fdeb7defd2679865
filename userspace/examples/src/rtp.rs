// SPDX-License-Identifier: MIT OR Apache-2.0

//! What can be told of an RTP stream by looking at it pass (RFC 3550).

use std::time::Duration;

/// The fields of a header that statistics are made of (RFC 3550, section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// `PT`.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, in units of the clock of the payload type.
    pub timestamp: u32,
    /// Synchronization source.
    pub ssrc: u32,
}

impl Header {
    /// The header of a packet; `None` if it is not RTP, version 2.
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let (fixed, _) = packet.split_first_chunk::<12>()?;
        let word = |at: usize| {
            u32::from_be_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]])
        };
        (fixed[0] >> 6 == 2).then(|| Self {
            payload_type: fixed[1] & 0x7f,
            sequence: u16::from_be_bytes([fixed[2], fixed[3]]),
            timestamp: word(4),
            ssrc: word(8),
        })
    }

    /// Ticks per second of the clock of its payload type (RFC 3551, section 6); that of audio for those
    /// that are agreed on elsewhere.
    pub fn clock_rate(&self) -> u32 {
        match self.payload_type {
            6 => 16_000,
            10 | 11 => 44_100,
            14 | 25 | 26 | 28 | 31..=34 => 90_000,
            16 => 11_025,
            17 => 22_050,
            _ => 8_000,
        }
    }
}

/// Statistics of one stream.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// Packets that came.
    pub packets: u64,
    /// Packets that came behind one with a higher sequence number.
    pub late: u64,
    first: u64,
    highest: u64,
    transit: Option<i64>,
    /// Interarrival jitter times 16, in ticks (appendix A.8).
    jitter: u64,
    rate: u32,
}

impl Stream {
    /// A packet came at a moment of any clock.
    pub fn packet(&mut self, header: &Header, now: Duration) {
        self.rate = header.clock_rate();
        let sequence = self.extend(header.sequence);
        if self.packets == 0 {
            (self.first, self.highest) = (sequence, sequence);
        }
        self.packets += 1;
        if sequence < self.highest {
            self.late += 1;
            self.first = self.first.min(sequence);
        }
        self.highest = self.highest.max(sequence);

        let arrival = (now.as_nanos() * u128::from(self.rate) / 1_000_000_000) as u32;
        let transit = arrival.wrapping_sub(header.timestamp) as i32;
        if let Some(before) = self.transit.replace(transit.into()) {
            let step = (transit.wrapping_sub(before as i32)).unsigned_abs();
            self.jitter = self.jitter + u64::from(step) - ((self.jitter + 8) >> 4);
        }
    }

    /// A sequence number that does not wrap: the one next to the highest there was.
    fn extend(&self, sequence: u16) -> u64 {
        if self.packets == 0 {
            return (1 << 16) + u64::from(sequence);
        }
        let step = sequence.wrapping_sub(self.highest as u16) as i16;
        self.highest.saturating_add_signed(step.into())
    }

    /// Packets that have not come.
    pub fn lost(&self) -> u64 {
        match self.packets {
            0 => 0,
            // A packet that came twice makes up for one that did not (appendix A.3).
            packets => (self.highest - self.first + 1).saturating_sub(packets),
        }
    }

    /// Interarrival jitter (section 6.4.1).
    pub fn jitter(&self) -> Duration {
        let ticks = (self.jitter >> 4) as f64;
        Duration::from_secs_f64(ticks / f64::from(self.rate.max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header {
            payload_type: 0,
            sequence,
            timestamp,
            ssrc: 7,
        }
    }

    #[test]
    fn headers() {
        let packet = [
            0x80, 0x88, 0x12, 0x34, 0, 0, 1, 0, 0xde, 0xad, 0xbe, 0xef, 1, 2,
        ];
        let parsed = Header::parse(&packet).unwrap();
        let wanted = Header {
            payload_type: 8,
            sequence: 0x1234,
            timestamp: 256,
            ssrc: 0xdead_beef,
        };
        assert_eq!((parsed, parsed.clock_rate()), (wanted, 8000));
        assert_eq!(Header::parse(&packet[..11]), None);
        assert_eq!(Header::parse(&[0x40; 12]), None);
    }

    #[test]
    fn losses_over_the_end_of_sequence_numbers() {
        let mut stream = Stream::default();
        for sequence in [0xfffd, 0xfffe, 0, 2, 1, 5] {
            stream.packet(&header(sequence, 0), Duration::ZERO);
        }
        // 0xffff, 3 and 4 are missing; 1 was late.
        assert_eq!((stream.packets, stream.late, stream.lost()), (6, 1, 3));
    }

    #[test]
    fn jitter_of_a_stream_that_is_late_every_other_time() {
        let mut even = Stream::default();
        let mut uneven = Stream::default();
        for nth in 0..1000u32 {
            let at = Duration::from_millis(20) * nth;
            let header = header(nth as u16, nth * 160);
            even.packet(&header, at);
            uneven.packet(&header, at + Duration::from_millis(u64::from(nth % 2) * 10));
        }
        assert_eq!(even.jitter(), Duration::ZERO);
        // Each step is 10 ms.
        let jitter = uneven.jitter().as_secs_f64() * 1000.0;
        assert!((9.0..10.1).contains(&jitter), "{jitter}");
    }
}
