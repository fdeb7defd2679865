// SPDX-License-Identifier: MIT OR Apache-2.0
//! A web server for tests: real, on the loopback interface, with one page.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The server; it ends with its value.
pub(super) struct Website {
    address: SocketAddr,
    talk: Arc<Mutex<Talk>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Talk {
    asked: String,
    answer: String,
}

impl Website {
    /// A server whose page is `body`.
    pub(super) async fn start(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let talk = Arc::new(Mutex::new(Talk::default()));
        let shared = Arc::clone(&talk);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                serve(stream, &shared).await;
            }
        });
        let site = Self {
            address,
            talk,
            task,
        };
        site.answer(body);
        site
    }

    /// The address of a page.
    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Answers with this page from now on.
    pub(super) fn answer(&self, body: &str) {
        self.answer_raw(respond("200 OK", body));
    }

    /// Answers with these bytes from now on.
    pub(super) fn answer_raw(&self, answer: String) {
        self.talk.lock().unwrap().answer = answer;
    }

    /// The last request.
    pub(super) fn asked(&self) -> String {
        self.talk.lock().unwrap().asked.clone()
    }
}

impl Drop for Website {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with a status and a page.
pub(super) fn respond(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

async fn serve(mut stream: TcpStream, talk: &Mutex<Talk>) {
    let mut asked = Vec::new();
    let mut buffer = [0; 1024];
    while !asked.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => asked.extend(&buffer[..read]),
            _ => return,
        }
    }
    let answer = {
        let mut talk = talk.lock().unwrap();
        talk.asked = String::from_utf8(asked).unwrap();
        talk.answer.clone()
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}
