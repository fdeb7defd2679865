// SPDX-License-Identifier: MIT OR Apache-2.0
//! A check by a DNS question over UDP.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use tokio::net::UdpSocket;

use crate::trouble::printable;
use crate::Trouble;

/// Octets of an answer that are taken; no more is asked for.
const ANSWER: usize = 4096;
/// Codes of an answer by name.
const CODES: [(&str, ResponseCode); 6] = [
    ("NOERROR", ResponseCode::NoError),
    ("FORMERR", ResponseCode::FormErr),
    ("SERVFAIL", ResponseCode::ServFail),
    ("NXDOMAIN", ResponseCode::NXDomain),
    ("NOTIMP", ResponseCode::NotImp),
    ("REFUSED", ResponseCode::Refused),
];

/// What is asked, and what the answer must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dns {
    pub(super) name: String,
    pub(super) record: String,
    pub(super) rcode: String,
    pub(super) address: Option<IpAddr>,
}

impl Dns {
    pub(super) fn verify(&self) -> Result<(), String> {
        self.question()?;
        self.code()?;
        let address = match self.record.to_ascii_uppercase().as_str() {
            "A" => self.address.is_none_or(|address| address.is_ipv4()),
            "AAAA" => self.address.is_none_or(|address| address.is_ipv6()),
            _ => self.address.is_none(),
        };
        if !address {
            let record = &self.record;
            return Err(format!(
                "address = ...: no record of type {record} has such an address"
            ));
        }
        Ok(())
    }

    fn question(&self) -> Result<Query, String> {
        let Self { name, record, .. } = self;
        let mut parsed = Name::from_ascii(name)
            .map_err(|_| format!("name = {name:?}: a name like \"web.example\" is wanted"))?;
        parsed.set_fqdn(true);
        let record = record
            .to_ascii_uppercase()
            .parse::<RecordType>()
            .map_err(|_| format!("record = {record:?}: a type like \"A\" or \"SOA\" is wanted"))?;
        Ok(Query::query(parsed, record))
    }

    fn code(&self) -> Result<ResponseCode, String> {
        let rcode = &self.rcode;
        let found = CODES
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(rcode));
        found.map(|(_, code)| *code).ok_or_else(|| {
            let names: Vec<_> = CODES.iter().map(|(name, _)| *name).collect();
            format!("rcode = {rcode:?}: one of {} is wanted", names.join(", "))
        })
    }
}

pub(super) struct Prober<'a> {
    dns: &'a Dns,
    target: SocketAddr,
}

impl<'a> Prober<'a> {
    pub(super) fn new(dns: &'a Dns, target: SocketAddr) -> Self {
        Self { dns, target }
    }

    pub(super) async fn probe(&self) -> Result<String, Trouble> {
        let failed = |error: std::io::Error| Trouble::of_io(&error);
        let unexpected = |why| Trouble::Unexpected { why };
        let question = self.dns.question().map_err(unexpected)?;
        let wanted = self.dns.code().map_err(unexpected)?;
        // Its port is chosen by the system, at random; answers of others do not reach it.
        let local: IpAddr = match self.target {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((local, 0)).await.map_err(failed)?;
        socket.connect(self.target).await.map_err(failed)?;

        let id = rand::random();
        let mut message = Message::new();
        message
            .set_id(id)
            .set_message_type(MessageType::Query)
            .set_op_code(OpCode::Query);
        message
            .set_recursion_desired(true)
            .add_query(question.clone());
        let octets = message.to_vec().map_err(|error| Trouble::Unexpected {
            why: format!("no question: {error}"),
        })?;
        socket.send(&octets).await.map_err(failed)?;

        let mut buffer = [0; ANSWER];
        loop {
            let length = socket.recv(&mut buffer).await.map_err(failed)?;
            // An answer to an earlier question, or a forged one: the right one may follow.
            if buffer.get(..2) != Some(&id.to_be_bytes()) || length < 2 {
                continue;
            }
            let answer =
                Message::from_vec(&buffer[..length]).map_err(|error| Trouble::Protocol {
                    why: printable(&format!("DNS: {error}")),
                })?;
            if answer.message_type() != MessageType::Response
                || answer.queries() != [question.clone()]
            {
                continue;
            }
            return self.judge(&answer, wanted);
        }
    }

    fn judge(&self, answer: &Message, wanted: ResponseCode) -> Result<String, Trouble> {
        let code = answer.response_code();
        if code != wanted {
            let why = format!("DNS answer {}, not {}", name(code), name(wanted));
            return Err(Trouble::Unexpected { why });
        }
        if let Some(address) = self.dns.address {
            let mut found = answer
                .answers()
                .iter()
                .filter_map(|record| record.data().ip_addr());
            if !found.any(|found| found == address) {
                let truncated = if answer.truncated() {
                    ", but it is truncated"
                } else {
                    ""
                };
                let why = format!("DNS answer without {address}{truncated}");
                return Err(Trouble::Unexpected { why });
            }
        }
        Ok(format!("DNS answer {}", name(code)))
    }
}

fn name(code: ResponseCode) -> String {
    let found = CODES.iter().find(|(_, known)| *known == code);
    found.map_or_else(
        || u16::from(code).to_string(),
        |(name, _)| (*name).to_owned(),
    )
}
