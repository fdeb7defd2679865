// SPDX-License-Identifier: GPL-2.0 OR MIT OR Apache-2.0

//! State of a connection: what the flags of the packets seen so far say about it.
//!
//! The state decides only when a connection is forgotten and whether a SYN begins a new one;
//! sequence numbers are not followed. UDP has only [`State::Established`].

use super::super::wire::tcp::{ACK, FIN, RST, SYN};

/// State, numbered as `connection-state` in `Documentation/netlink/specs/smplb.yaml`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// No connection.
    #[default]
    None,
    /// A SYN came from the client.
    SynSent,
    /// The backend answered it.
    SynRecv,
    /// The client acknowledged the answer.
    Established,
    /// One side has closed.
    FinWait,
    /// Both sides have closed.
    TimeWait,
    /// Reset by a side, or by the switch.
    Close,
}

impl State {
    /// Number of states.
    pub const COUNT: usize = 7;

    /// Name as in the netlink specification.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SynSent => "syn-sent",
            Self::SynRecv => "syn-recv",
            Self::Established => "established",
            Self::FinWait => "fin-wait",
            Self::TimeWait => "time-wait",
            Self::Close => "close",
        }
    }

    /// Seconds without a packet after which a connection in this state is forgotten.
    pub const fn timeout(self, established: u32) -> u32 {
        match self {
            Self::None => 0,
            Self::SynSent | Self::SynRecv | Self::TimeWait => 60,
            Self::Established => established,
            Self::FinWait => 120,
            Self::Close => 10,
        }
    }

    /// Whether a SYN from the client begins a new connection.
    pub const fn is_closing(self) -> bool {
        matches!(self, Self::FinWait | Self::TimeWait | Self::Close)
    }

    const fn from_bits(bits: u64) -> Self {
        match bits as u8 {
            1 => Self::SynSent,
            2 => Self::SynRecv,
            3 => Self::Established,
            4 => Self::FinWait,
            5 => Self::TimeWait,
            6 => Self::Close,
            _ => Self::None,
        }
    }
}

/// Direction of a packet of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the client.
    Original,
    /// From the backend.
    Reply,
}

/// The word of a connection that changes with its packets: state, who has closed, mode, and what
/// tells its backend from another one at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life(pub(super) u64);

const STATE: u64 = 0xff;
const FIN_ORIGINAL: u64 = 1 << 8;
const FIN_REPLY: u64 = 1 << 9;
const DIRECT: u64 = 1 << 10;
const BUILDING: u64 = 1 << 11;

/// Value of the state's octet that lets a packet without SYN, FIN and RST pass at once.
pub(super) const QUIET: u64 = State::Established as u64;
/// Flags that may change the state of an established connection.
pub const EVENTS: u16 = (SYN | FIN | RST) as u16;

impl Life {
    /// A new connection that is not complete yet. `tag` differs from that of the connections before
    /// it in the same place.
    pub(super) fn new(state: State, direct: bool, tag: u16, epoch: u32) -> Self {
        let mode = if direct { DIRECT } else { 0 };
        Self(state as u64 | mode | BUILDING | (u64::from(tag) << 16) | (u64::from(epoch) << 32))
    }

    pub(super) fn completed(self) -> Self {
        Self(self.0 & !BUILDING)
    }

    pub(super) fn is_building(self) -> bool {
        self.0 & BUILDING != 0
    }

    /// State.
    #[inline]
    pub fn state(self) -> State {
        State::from_bits(self.0 & STATE)
    }

    /// Whether the mode is `dr`: replies do not pass here.
    #[inline]
    pub fn is_direct(self) -> bool {
        self.0 & DIRECT != 0
    }

    /// Epoch of the backend.
    #[inline]
    pub fn epoch(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The word with another state.
    #[inline]
    pub fn with_state(self, state: State) -> Self {
        Self((self.0 & !STATE) | state as u64)
    }

    /// The word after a TCP segment with `flags` went by.
    pub fn after(self, direction: Direction, flags: u8) -> Self {
        let reply = direction == Direction::Reply;
        if flags & RST != 0 {
            return self.with_state(State::Close);
        }
        let mut life = self;
        match (self.state(), reply) {
            (State::SynSent, true) if flags & (SYN | ACK) == SYN | ACK => {
                life = life.with_state(State::SynRecv)
            }
            (State::SynSent, false) if self.is_direct() && flags & (SYN | ACK) == ACK => {
                life = life.with_state(State::Established);
            }
            (State::SynRecv, false) if flags & (SYN | ACK) == ACK => {
                life = life.with_state(State::Established)
            }
            _ => {}
        }
        if flags & FIN != 0 && life.state() != State::Close {
            life.0 |= if reply { FIN_REPLY } else { FIN_ORIGINAL };
            let both = life.0 & FIN_ORIGINAL != 0 && life.0 & FIN_REPLY != 0;
            life = life.with_state(if both {
                State::TimeWait
            } else {
                State::FinWait
            });
        }
        life
    }
}

#[cfg_attr(CONFIG_KUNIT = "y", kernel::macros::kunit_tests(smplb_tcp_state))]
#[cfg(any(test, CONFIG_KUNIT = "y"))]
mod tests {
    use super::*;

    fn run(direct: bool, segments: &[(Direction, u8)]) -> State {
        let mut life = Life::new(State::SynSent, direct, 7, 9).completed();
        for (direction, flags) in segments {
            life = life.after(*direction, *flags);
        }
        life.state()
    }

    const C: Direction = Direction::Original;
    const S: Direction = Direction::Reply;

    #[test]
    fn a_whole_life() {
        assert_eq!(run(false, &[]), State::SynSent);
        assert_eq!(run(false, &[(S, SYN | ACK)]), State::SynRecv);
        assert_eq!(run(false, &[(S, SYN | ACK), (C, ACK)]), State::Established);
        assert_eq!(
            run(false, &[(S, SYN | ACK), (C, ACK), (S, ACK)]),
            State::Established
        );
        assert_eq!(
            run(false, &[(S, SYN | ACK), (C, ACK), (C, FIN | ACK)]),
            State::FinWait
        );
        assert_eq!(
            run(
                false,
                &[(S, SYN | ACK), (C, ACK), (C, FIN | ACK), (C, FIN | ACK)]
            ),
            State::FinWait
        );
        assert_eq!(
            run(
                false,
                &[(S, SYN | ACK), (C, ACK), (C, FIN | ACK), (S, FIN | ACK)]
            ),
            State::TimeWait
        );
        assert_eq!(
            run(
                false,
                &[(S, SYN | ACK), (C, ACK), (S, FIN), (C, FIN), (C, ACK)]
            ),
            State::TimeWait
        );
    }

    #[test]
    fn a_client_alone_is_not_established() {
        assert_eq!(run(false, &[(C, ACK), (C, ACK)]), State::SynSent);
        assert_eq!(run(false, &[(S, ACK)]), State::SynSent);
        assert_eq!(run(true, &[(C, SYN)]), State::SynSent);
        assert_eq!(run(true, &[(C, ACK)]), State::Established);
    }

    #[test]
    fn a_reset_closes() {
        assert_eq!(run(false, &[(C, RST)]), State::Close);
        assert_eq!(
            run(false, &[(S, SYN | ACK), (C, ACK), (S, RST | ACK)]),
            State::Close
        );
        assert_eq!(run(false, &[(S, RST), (C, FIN)]), State::Close);
    }

    #[test]
    fn the_rest_of_the_word_stays() {
        let life = Life::new(State::SynSent, true, 7, 9);
        assert!(life.is_building());
        assert_eq!(life.after(C, RST).epoch(), 9);
        assert!(life.after(C, FIN).is_direct());
        assert!(!life.completed().is_building());
    }

    #[test]
    fn timeouts() {
        assert_eq!(State::Established.timeout(900), 900);
        assert_eq!(State::FinWait.timeout(900), 120);
        assert_eq!(State::Close.timeout(900), 10);
        assert!(State::TimeWait.is_closing());
        assert!(!State::SynRecv.is_closing());
    }
}
