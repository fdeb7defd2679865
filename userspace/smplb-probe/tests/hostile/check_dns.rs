// SPDX-License-Identifier: MIT OR Apache-2.0
//! Checks by DNS.

use std::net::{Ipv4Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record};
use tokio::net::UdpSocket;

use super::peer::verdict;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const CHECK: &str = "type = 'dns'\nname = 'web.example'\nrecord = 'A'";

/// A server that sends what it is told for each question.
async fn serve(treat: impl Fn(Message) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let addr = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            for answer in treat(question) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    addr
}

/// The right answer.
fn answer(question: &Message) -> Message {
    let mut answer = question.clone();
    answer.set_message_type(MessageType::Response);
    let name = question.queries()[0].name().clone();
    answer.add_answer(Record::from_rdata(name, 60, RData::A(A(ADDRESS))));
    answer
}

fn octets(message: &Message) -> Vec<u8> {
    message.to_vec().unwrap()
}

#[tokio::test]
async fn an_answer_is_up() {
    let addr = serve(|question| vec![octets(&answer(&question))]).await;
    for more in ["", "\naddress = '192.0.2.1'", "\nrcode = 'noerror'"] {
        let (up, why) = verdict(&format!("{CHECK}{more}"), addr).await;
        assert_eq!((up, why.as_str()), (true, "DNS answer NOERROR"));
    }
    let (up, why) = verdict(&format!("{CHECK}\naddress = '192.0.2.2'"), addr).await;
    assert_eq!((up, why.as_str()), (false, "DNS answer without 192.0.2.2"));
    assert!(verdict("type = 'dns'", addr).await.0);
}

#[tokio::test]
async fn the_code_counts() {
    let addr = serve(|question| {
        let mut answer = answer(&question);
        answer.take_answers();
        vec![octets(answer.set_response_code(ResponseCode::NXDomain))]
    })
    .await;
    let (up, why) = verdict(CHECK, addr).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "DNS answer NXDOMAIN, not NOERROR")
    );
    assert!(
        verdict(&format!("{CHECK}\nrcode = 'NXDOMAIN'"), addr)
            .await
            .0
    );
}

#[tokio::test]
async fn answers_to_other_questions_are_left_out() {
    let forge = |question: &Message| {
        let mut other_id = answer(question);
        other_id.set_id(question.id().wrapping_add(1));
        let mut other_name = answer(question);
        other_name.queries_mut()[0].set_name("evil.example.".parse().unwrap());
        let mut no_question = answer(question);
        no_question.take_queries();
        let forged = [&other_id, &other_name, &no_question, question];
        let mut forged: Vec<_> = forged.into_iter().map(octets).collect();
        forged.extend([vec![], vec![0xff]]);
        forged
    };
    let addr = serve(move |question| {
        let mut answers = forge(&question);
        let mut refused = answer(&question);
        answers.push(octets(refused.set_response_code(ResponseCode::Refused)));
        answers
    })
    .await;
    let (up, why) = verdict(CHECK, addr).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "DNS answer REFUSED, not NOERROR")
    );
    let addr = serve(move |question| forge(&question)).await;
    let (up, why) = verdict(&format!("{CHECK}\ntimeout = 0.5"), addr).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "no end of the check within 0.5 s")
    );
}

#[tokio::test]
async fn a_truncated_answer_is_an_answer_without_the_address() {
    let addr = serve(|question| {
        let mut answer = answer(&question);
        answer.take_answers();
        vec![octets(answer.set_truncated(true))]
    })
    .await;
    assert!(verdict(CHECK, addr).await.0);
    let (up, why) = verdict(&format!("{CHECK}\naddress = '192.0.2.1'"), addr).await;
    assert_eq!(
        (up, why.as_str()),
        (false, "DNS answer without 192.0.2.1, but it is truncated")
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_fails() {
    let addr = serve(|question| {
        let mut cut = octets(&answer(&question));
        cut.truncate(20);
        vec![cut]
    })
    .await;
    let (up, why) = verdict(CHECK, addr).await;
    assert!(
        !up && why.starts_with("not the protocol that was asked for: DNS"),
        "{why}"
    );
    // A name that points to itself.
    let addr = serve(|question| {
        let mut looped = question.id().to_be_bytes().to_vec();
        looped.extend([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1]);
        looped.extend([0xc0; 4000]);
        vec![looped]
    })
    .await;
    let (up, why) = verdict(CHECK, addr).await;
    assert!(!up && why.contains("DNS"), "{why}");
}

#[tokio::test]
async fn a_server_that_is_not_there_or_mute_is_down() {
    let mute = serve(|_| vec![]).await;
    let (up, why) = verdict(&format!("{CHECK}\ntimeout = 0.3"), mute).await;
    assert!(!up && why.contains("0.3 s"), "{why}");
    let nobody = UdpSocket::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let (up, why) = verdict(CHECK, nobody).await;
    assert!(!up && why.contains("refused"), "{why}");
}
