// SPDX-License-Identifier: MIT OR Apache-2.0
//! Answers in every order the kernel may give them.

use netlink_packet_generic::GenlMessage;

use super::*;
use crate::attr::{Attributes, Writer};
use crate::extack::GENL_HEAD;
use crate::fake::{self, Fake};
use crate::generated::{Command, Generation};
use crate::genl::Body;

type Message = GenlMessage<Body>;

fn message() -> Message {
    GenlMessage::from_payload(Body {
        command: 1,
        attributes: Vec::new(),
    })
}

fn ask(kernel: Fake) -> Result<Vec<u64>> {
    dump(kernel).0
}

fn dump(kernel: Fake) -> (Result<Vec<u64>>, Channel<Fake>) {
    let mut channel = Channel::new(kernel);
    let answers = channel.ask(Ask::dump(message(), GENL_HEAD, Generation::SET));
    let active = |message: &Message| {
        Generation::decode(&message.payload.attributes)
            .ok()
            .and_then(|found| found.active)
    };
    (
        answers.map(|answers| answers.iter().filter_map(active).collect()),
        channel,
    )
}

fn generation(active: u64) -> Vec<u8> {
    let set = Generation {
        active: Some(active),
        ..Generation::default()
    };
    fake::message(Command::GenerationGet, &set)
}

fn interrupted(active: u64) -> Vec<u8> {
    let mut bytes = generation(active);
    bytes[6] |= 0x10;
    bytes
}

#[test]
fn a_list_may_come_in_many_datagrams() {
    let mut kernel = Fake::default();
    kernel.answer(vec![generation(1), generation(2)]);
    kernel.answer(vec![generation(3)]);
    kernel.answer(vec![generation(4), fake::done(0)]);
    assert_eq!(ask(kernel).unwrap(), [1, 2, 3, 4]);
}

#[test]
fn an_interrupted_list_is_read_again() {
    let mut kernel = Fake::default();
    kernel.answer(vec![interrupted(1), generation(2), fake::done(0)]);
    kernel.answer(vec![generation(3), fake::done(0)]);
    let (answers, mut channel) = dump(kernel);
    assert_eq!(answers.unwrap(), [3]);
    assert_eq!(channel.transport().asked.len(), 2);

    let mut kernel = Fake::default();
    for _ in 0..DUMP_TRIES {
        kernel.answer(vec![interrupted(1), fake::done(0)]);
    }
    assert!(matches!(ask(kernel), Err(Error::Unsteady)));
}

#[test]
fn a_list_that_ends_with_an_error_is_refused() {
    let mut kernel = Fake::default();
    kernel.answer(vec![generation(1), fake::done(-2)]);
    assert_eq!(
        ask(kernel).unwrap_err().to_string(),
        "No such file or directory"
    );
}

#[test]
fn answers_to_other_requests_are_passed_over() {
    struct Stale(Fake, bool);
    impl Transport for Stale {
        fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            self.0.send(bytes)
        }
        fn receive(&mut self) -> std::io::Result<Vec<u8>> {
            if !std::mem::replace(&mut self.1, true) {
                return Ok([generation(1), fake::done(0)].concat());
            }
            self.0.receive()
        }
        fn join(&mut self, _group: u32) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut kernel = Fake::default();
    kernel.answer(vec![generation(2), fake::done(0)]);
    let mut channel = Channel::new(Stale(kernel, false));
    let answers = channel
        .ask(Ask::dump(message(), GENL_HEAD, Generation::SET))
        .unwrap();
    assert_eq!(answers.len(), 1);
}

#[test]
fn a_warning_is_kept() {
    let mut kernel = Fake::default();
    kernel.answer(vec![fake::refusal(0, Some("mind the gap"), None)]);
    let (answers, mut channel) = dump(kernel);
    assert!(answers.unwrap().is_empty());
    assert_eq!(channel.take_warnings(), ["mind the gap"]);
    assert!(channel.take_warnings().is_empty());
}

#[test]
fn garbage_is_an_error() {
    for garbage in [
        vec![0; 3],
        vec![0; 16],
        vec![255; 64],
        fake::frame(2, 0, &[1]),
    ] {
        struct Garbage(Vec<u8>);
        impl Transport for Garbage {
            fn send(&mut self, _bytes: &[u8]) -> std::io::Result<()> {
                Ok(())
            }
            fn receive(&mut self) -> std::io::Result<Vec<u8>> {
                Ok(self.0.clone())
            }
            fn join(&mut self, _group: u32) -> std::io::Result<()> {
                Ok(())
            }
        }
        let mut channel = Channel::new(Garbage(garbage.clone()));
        let answers = channel.ask(Ask::dump(message(), GENL_HEAD, Generation::SET));
        assert!(matches!(answers, Err(Error::Unexpected(_))), "{garbage:?}");
    }
}

#[test]
fn the_attributes_are_where_the_offset_counts_from() {
    let set = Generation {
        active: Some(1),
        flips: Some(2),
        ..Generation::default()
    };
    let attributes = Writer::write(&set).unwrap();
    let mut kernel = Fake::default();
    kernel.refuse(22, "no", Some(GENL_HEAD + 12));
    let mut channel = Channel::new(kernel);
    let message = GenlMessage::from_payload(Body {
        command: 1,
        attributes,
    });
    let error = channel
        .ask(Ask::one(message, GENL_HEAD, Generation::SET))
        .unwrap_err();
    assert_eq!(error.to_string(), "no (flips)");
}
