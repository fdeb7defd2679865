// SPDX-License-Identifier: MIT OR Apache-2.0
//! A kernel for tests: it resolves the family, keeps what it is asked and plays back answers.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;

use crate::attr::{Attributes, Writer};
use crate::extack::GENL_HEAD;
use crate::generated::{Command, FAMILY, GROUP_CONFIG};
use crate::socket::Transport;

/// The number of the family.
pub const FAMILY_ID: u16 = 0x20;
/// The number of the group `config`.
pub const GROUP: u32 = 9;

const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const ERROR: u16 = 2;
const DONE: u16 = 3;
const ACK_TLVS: u16 = 0x200;
const CAPPED: u16 = 0x100;

/// The kernel's side of a netlink socket.
#[derive(Debug, Default)]
pub struct Fake {
    /// Every request, without those to the controller.
    pub asked: Vec<Vec<u8>>,
    /// Every group that was joined.
    pub joined: Vec<u32>,
    answers: VecDeque<io::Result<Vec<Vec<u8>>>>,
    sequence: u32,
    resolving: bool,
}

impl Fake {
    /// Adds a datagram of messages; their sequence number becomes that of the request.
    pub fn answer(&mut self, messages: Vec<Vec<u8>>) {
        self.answers.push_back(Ok(messages));
    }

    /// Adds a failure of the socket.
    pub fn fail(&mut self, error: io::Error) {
        self.answers.push_back(Err(error));
    }

    /// Adds the answer to a request for one thing.
    pub fn reply(&mut self, command: Command, set: &impl Attributes) {
        self.answer(vec![message(command, set), done(0)]);
    }

    /// Adds the answer to a request for a list.
    pub fn list<T: Attributes>(&mut self, command: Command, sets: &[T]) {
        self.answer(sets.iter().map(|set| message(command, set)).collect());
        self.answer(vec![done(0)]);
    }

    /// Adds a plain acknowledgement.
    pub fn acknowledge(&mut self) {
        self.answer(vec![refusal(0, None, None)]);
    }

    /// Adds a refusal, with the offset of the attribute in the request.
    pub fn refuse(&mut self, errno: i32, reason: &str, offset: Option<usize>) {
        self.answer(vec![refusal(-errno, Some(reason), offset)]);
    }

    /// The attributes of the `n`th request.
    pub fn attributes(&self, n: usize) -> &[u8] {
        &self.asked[n][GENL_HEAD..]
    }
}

impl Transport for Fake {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sequence = u32::from_ne_bytes(part(bytes, 8));
        // `RTM_NEWLINK` has the controller's number; its first byte is an address family.
        let kind = u16::from_ne_bytes(part(bytes, 4));
        self.resolving = kind == CONTROLLER && part(bytes, 16) == [GET_FAMILY];
        if !self.resolving {
            self.asked.push(bytes.to_vec());
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut messages = match std::mem::take(&mut self.resolving) {
            true => vec![controller(), refusal(0, None, None)],
            false => self
                .answers
                .pop_front()
                .unwrap_or(Err(io::ErrorKind::WouldBlock.into()))?,
        };
        for message in &mut messages {
            message[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
            message.resize(message.len().next_multiple_of(4), 0);
        }
        Ok(messages.concat())
    }

    fn join(&mut self, group: u32) -> io::Result<()> {
        self.joined.push(group);
        Ok(())
    }
}

fn part<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    bytes
        .get(start..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .unwrap_or([0; N])
}

/// A message of the family.
pub fn message(command: Command, set: &impl Attributes) -> Vec<u8> {
    let attributes = Writer::write(set).unwrap_or_default();
    frame(
        FAMILY_ID,
        0,
        &[&[command as u8, 1, 0, 0], &attributes[..]].concat(),
    )
}

/// The end of a list.
pub fn done(code: i32) -> Vec<u8> {
    frame(DONE, 0, &code.to_ne_bytes())
}

/// An acknowledgement (`code` 0) or a refusal, with its reason.
pub fn refusal(code: i32, reason: Option<&str>, offset: Option<usize>) -> Vec<u8> {
    let mut tlvs = Writer::default();
    tlvs.string(1, reason);
    tlvs.u32(2, offset.and_then(|offset| u32::try_from(offset).ok()));
    let returned = [0; 16];
    let body = [&code.to_ne_bytes()[..], &returned, &tlvs.into_bytes()].concat();
    frame(ERROR, CAPPED | ACK_TLVS, &body)
}

fn controller() -> Vec<u8> {
    let attribute = |kind: u16, value: &[u8]| {
        let len = (value.len() + 4) as u16;
        let mut bytes = [&len.to_ne_bytes()[..], &kind.to_ne_bytes(), value].concat();
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    };
    let name = attribute(1, format!("{GROUP_CONFIG}\0").as_bytes());
    let group = attribute(1, &[name, attribute(2, &GROUP.to_ne_bytes())].concat());
    let body = [
        vec![1, 2, 0, 0],
        attribute(2, format!("{FAMILY}\0").as_bytes()),
        attribute(1, &FAMILY_ID.to_ne_bytes()),
        attribute(7, &group),
    ];
    frame(CONTROLLER, 0, &body.concat())
}

/// A message without a sequence number.
pub fn frame(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let len = (16 + body.len()) as u32;
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

/// A test keeps one handle, and the program it tests has the other.
impl Transport for Rc<RefCell<Fake>> {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.borrow_mut().send(bytes)
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        self.borrow_mut().receive()
    }

    fn join(&mut self, group: u32) -> io::Result<()> {
        self.borrow_mut().join(group)
    }
}
