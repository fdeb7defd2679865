// SPDX-License-Identifier: MIT OR Apache-2.0
//! One small HTTP GET, bounded in time and size.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::str::FromStr;
use std::time::{Duration, Instant};

/// The most octets of an answer; 8,192 back-ends with all their series are a third of it.
const MOST: usize = 16 << 20;

/// A URL of HTTP without TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    path: String,
}

impl FromStr for Url {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text} is not http://HOST[:PORT]/PATH");
        let rest = text.strip_prefix("http://").ok_or_else(wrong)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        // The colons inside the brackets of an IPv6 address begin no port.
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().map_err(|_| wrong())?),
            _ => (authority, 80),
        };
        let odd = |c: char| c.is_whitespace() || c.is_control();
        if host.is_empty() || host.contains('@') || text.contains(odd) {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Url {
    /// The body of the answer, when it comes whole within `limit`.
    pub fn get(&self, limit: Duration) -> io::Result<String> {
        let end = Instant::now() + limit;
        let mut stream = self.connect(end)?;
        // HTTP/1.0, so that the end of the stream is the end of the answer, in one piece.
        let request = format!(
            "GET {} HTTP/1.0\r\nHost: {}:{}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n",
            self.path, self.host, self.port
        );
        stream.set_write_timeout(Some(left(end)?))?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        let mut piece = [0; 16 << 10];
        loop {
            stream.set_read_timeout(Some(left(end)?))?;
            match stream.read(&mut piece)? {
                0 => return body(&answer),
                n => answer.extend_from_slice(&piece[..n]),
            }
            if answer.len() > MOST {
                return Err(io::Error::other("the answer is too long"));
            }
        }
    }

    fn connect(&self, end: Instant) -> io::Result<TcpStream> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let mut outcome = Err(io::ErrorKind::NotFound.into());
        for address in (host, self.port).to_socket_addrs()? {
            outcome = TcpStream::connect_timeout(&address, left(end)?);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

/// The time that is left, which is never zero: that would mean for ever.
fn left(end: Instant) -> io::Result<Duration> {
    let left = end.saturating_duration_since(Instant::now());
    match left.is_zero() {
        true => Err(io::ErrorKind::TimedOut.into()),
        false => Ok(left),
    }
}

fn body(answer: &[u8]) -> io::Result<String> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = head.split(' ').nth(1);
    match status {
        Some("200") => Ok(body.to_owned()),
        _ => Err(io::Error::other(format!(
            "HTTP status {}",
            status.unwrap_or("?")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn urls() {
        for (text, whole) in [
            (
                "http://127.0.0.1:9472/metrics",
                "http://127.0.0.1:9472/metrics",
            ),
            ("http://switch.example", "http://switch.example:80/"),
            ("http://[::1]:9472/m?a=b", "http://[::1]:9472/m?a=b"),
            ("http://[::1]/m", "http://[::1]:80/m"),
        ] {
            assert_eq!(url(text).to_string(), whole);
        }
        for text in [
            "",
            "127.0.0.1:9472",
            "https://a/",
            "http:///m",
            "http://a:x/",
            "http://a/ b",
            "http://u@a/",
        ] {
            let error = text.parse::<Url>().unwrap_err();
            assert_eq!(error, format!("{text} is not http://HOST[:PORT]/PATH"));
        }
    }

    /// A server that gives one client this answer and keeps the stream open for so long.
    fn server(answer: &'static [u8], open: Duration) -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 512];
            let n = stream.read(&mut request).unwrap();
            assert!(request[..n].starts_with(b"GET /m HTTP/1.0\r\nHost: 127.0.0.1:"));
            stream.write_all(answer).unwrap();
            thread::sleep(open);
        });
        url(&format!("http://127.0.0.1:{port}/m"))
    }

    #[test]
    fn the_body_comes_back() {
        let url = server(
            b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\na 1\nb 2\n",
            Duration::ZERO,
        );
        assert_eq!(url.get(Duration::from_secs(5)).unwrap(), "a 1\nb 2\n");
    }

    #[test]
    fn what_is_not_good_is_an_error() {
        let limit = Duration::from_secs(5);
        let missing = server(b"HTTP/1.1 404 Not Found\r\n\r\n", Duration::ZERO);
        assert_eq!(
            missing.get(limit).unwrap_err().to_string(),
            "HTTP status 404"
        );
        let cut = server(b"HTTP/1.1 200 OK\r\n", Duration::ZERO);
        assert_eq!(
            cut.get(limit).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let nobody = url(&format!("http://{free}/m")).get(limit).unwrap_err();
        assert_eq!(nobody.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_server_that_hangs_is_left() {
        let hangs = server(b"HTTP/1.1 200 OK\r\n\r\na", Duration::from_secs(20));
        let start = Instant::now();
        assert!(hangs.get(Duration::from_millis(100)).is_err());
        assert!(start.elapsed() < Duration::from_secs(10));
    }
}
