// SPDX-License-Identifier: MIT OR Apache-2.0
//! Request and answer: sequence numbers, acknowledgements, dumps and errors.

use std::collections::VecDeque;

use netlink_packet_core::{
    NetlinkDeserializable, NetlinkHeader, NetlinkMessage, NetlinkPayload, NetlinkSerializable,
    NLMSG_ALIGNTO, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_DUMP_INTR,
    NLM_F_REQUEST,
};
use rustix::io::Errno;

use crate::error::{Error, Result};
use crate::extack::{self, Refusal, Request};
use crate::set::AttributeSet;
use crate::socket::Transport;

/// How often a dump that changed under the reader is read again.
const DUMP_TRIES: usize = 8;

/// A socket on which one request is under way at a time.
#[derive(Debug)]
pub struct Channel<T> {
    transport: T,
    sequence: u32,
    warnings: Vec<String>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Ask<M> {
    message: M,
    flags: u16,
    head: usize,
    set: &'static AttributeSet,
}

impl<M> Ask<M> {
    /// Asks for one thing, or for something to be done. The attributes begin `head` bytes into
    /// the message and are named by `set`.
    pub fn one(message: M, head: usize, set: &'static AttributeSet) -> Self {
        Self {
            message,
            flags: NLM_F_REQUEST | NLM_F_ACK,
            head,
            set,
        }
    }

    /// Asks for a list.
    pub fn dump(message: M, head: usize, set: &'static AttributeSet) -> Self {
        Self {
            message,
            flags: NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP,
            head,
            set,
        }
    }

    /// Adds flags to the header.
    pub fn with(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }
}

/// What one reading of a dump came to.
enum Answer<M> {
    Whole(Vec<M>),
    Interrupted,
}

impl<T: Transport> Channel<T> {
    /// A channel over a socket that nothing has been read from.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            sequence: 0,
            warnings: Vec::new(),
        }
    }

    /// The socket.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// The warnings that came with acknowledgements since the last call.
    pub fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// Sends a request and collects the answers until it is acknowledged or the list ends.
    pub fn ask<M>(&mut self, ask: Ask<M>) -> Result<Vec<M>>
    where
        M: NetlinkSerializable + NetlinkDeserializable,
    {
        let mut header = NetlinkHeader::default();
        header.flags = ask.flags;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(ask.message));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        for _ in 0..DUMP_TRIES {
            self.sequence = self.sequence.wrapping_add(1);
            message.header.sequence_number = self.sequence;
            message.serialize(&mut bytes);
            self.transport.send(&bytes).map_err(Error::Socket)?;
            let request = Request {
                bytes: &bytes,
                head: ask.head,
                set: ask.set,
            };
            if let Answer::Whole(answers) = self.collect(request)? {
                return Ok(answers);
            }
        }
        Err(Error::Unsteady)
    }

    fn collect<M: NetlinkDeserializable>(&mut self, request: Request<'_>) -> Result<Answer<M>> {
        let mut answers = Vec::new();
        let mut interrupted = false;
        loop {
            let datagram = self.transport.receive().map_err(Error::Socket)?;
            for message in messages::<M>(&datagram)? {
                let NetlinkMessage {
                    header, payload, ..
                } = message;
                if header.sequence_number != self.sequence {
                    continue;
                }
                interrupted |= header.flags & NLM_F_DUMP_INTR != 0;
                let (code, tlvs) = match &payload {
                    NetlinkPayload::Error(error) => {
                        let capped = header.flags & NLM_F_CAPPED != 0;
                        (error.raw_code(), extack::tlvs(&error.header, capped))
                    }
                    NetlinkPayload::Done(done) => (done.code, &done.extended_ack[..]),
                    _ => {
                        if let NetlinkPayload::InnerMessage(answer) = payload {
                            answers.push(answer);
                        }
                        continue;
                    }
                };
                let has_tlvs = header.flags & NLM_F_ACK_TLVS != 0;
                let tlvs = if has_tlvs { tlvs } else { &[] };
                if code != 0 {
                    return Err(Refusal::read(code, tlvs, request).into());
                }
                self.warnings.extend(extack::warning(tlvs));
                return Ok(match interrupted {
                    true => Answer::Interrupted,
                    false => Answer::Whole(answers),
                });
            }
        }
    }

    /// Waits for messages that were not asked for.
    pub fn listen<M: NetlinkDeserializable>(&mut self) -> Result<VecDeque<M>> {
        let datagram = self.transport.receive().map_err(Error::Socket)?;
        let mut news = VecDeque::new();
        for message in messages::<M>(&datagram)? {
            match message.payload {
                NetlinkPayload::InnerMessage(message) => news.push_back(message),
                NetlinkPayload::Overrun(_) => return Err(Refusal::bare(Errno::NOBUFS).into()),
                _ => {}
            }
        }
        Ok(news)
    }
}

fn messages<M: NetlinkDeserializable>(datagram: &[u8]) -> Result<Vec<NetlinkMessage<M>>> {
    let mut messages = Vec::new();
    let mut rest = datagram;
    while !rest.is_empty() {
        let message = NetlinkMessage::<M>::deserialize(rest)
            .map_err(|error| Error::Unexpected(error.to_string()))?;
        let len = (message.header.length as usize).next_multiple_of(usize::from(NLMSG_ALIGNTO));
        rest = rest.get(len..).unwrap_or_default();
        messages.push(message);
    }
    Ok(messages)
}

#[cfg(test)]
mod tests;
