// SPDX-License-Identifier: MIT OR Apache-2.0
//! Just enough HTTP to read a status page: one GET on a connection of its own.

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{Failure, MOST_BYTES};

/// A page to read.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Page {
    /// As it was configured.
    url: String,
    /// What to connect to, HOST:PORT.
    address: String,
    /// For the Host header.
    host: String,
    /// Path and query.
    path: String,
}

impl TryFrom<String> for Page {
    type Error = String;

    fn try_from(url: String) -> Result<Self, String> {
        let wrong = || format!("`{url}` is no http://HOST[:PORT]/PATH");
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
        let authority = authority.ok_or_else(wrong)?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        let port = authority.port_u16().unwrap_or(80);
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            address: format!("{}:{port}", authority.host()),
            host: authority.to_string(),
            path: path.to_owned(),
            url,
        })
    }
}

impl Page {
    /// Reads the page.
    pub(super) async fn get(&self) -> Result<String, Failure> {
        let unreachable =
            |error: &dyn std::fmt::Display| Failure::Unreachable(format!("{}: {error}", self.url));
        let stream = TcpStream::connect(&self.address).await;
        let stream = stream.map_err(|error| unreachable(&error))?;
        let io = TokioIo::new(stream);
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(64 << 10)
            .handshake(io)
            .await
            .map_err(|error| unreachable(&error))?;
        let _connection = Spawned(tokio::spawn(async move {
            // Its errors come by the request, too.
            let _ = connection.await;
        }));
        let request = Request::get(&self.path)
            .header(HOST, &self.host)
            .header(
                USER_AGENT,
                concat!("smplb-agent/", env!("CARGO_PKG_VERSION")),
            )
            .header(ACCEPT, "text/plain")
            .header(CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|error| unreachable(&error))?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|error| unreachable(&error))?;
        if answer.status() != StatusCode::OK {
            let status = answer.status();
            return Err(unreachable(&format_args!("answers {status}, not 200 OK")));
        }
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| match error.downcast_ref::<LengthLimitError>() {
            Some(_) => Failure::TooBig,
            None => unreachable(&error),
        })?;
        let text = String::from_utf8(body.to_bytes().into());
        text.map_err(|_| Failure::Unreadable(format!("{}: is no text", self.url)))
    }

    /// As it was configured.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

/// A task that ends with its owner.
struct Spawned(JoinHandle<()>);

impl Drop for Spawned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{respond, Website};
    use super::*;

    fn page(url: &str) -> Result<Page, String> {
        Page::try_from(url.to_owned())
    }

    #[test]
    fn a_url_is_taken_apart() {
        let full = page("http://[::1]:8080/status?x=1").unwrap();
        assert_eq!(full.address, "[::1]:8080");
        assert_eq!(full.host, "[::1]:8080");
        assert_eq!(full.path, "/status?x=1");
        let short = page("http://web").unwrap();
        assert_eq!(
            (short.address.as_str(), short.path.as_str()),
            ("web:80", "/")
        );
        for wrong in [
            "",
            "/status",
            "https://web/",
            "http://",
            "http://u:p@web/",
            "web:80",
        ] {
            assert!(page(wrong).is_err(), "{wrong}");
        }
    }

    #[tokio::test]
    async fn a_page_is_read() {
        let site = Website::start("hello\n").await;
        assert_eq!(
            page(&site.url("/x?y")).unwrap().get().await,
            Ok("hello\n".to_owned())
        );
        let asked = site.asked();
        assert!(asked.starts_with("GET /x?y HTTP/1.1\r\n"), "{asked}");
        assert!(
            asked.to_lowercase().contains("\r\nhost: 127.0.0.1:"),
            "{asked}"
        );
    }

    #[tokio::test]
    async fn what_is_wrong_is_said() {
        let site = Website::start("").await;
        let get = |url: String| async move { page(&url).unwrap().get().await.unwrap_err() };
        site.answer_raw(respond("404 Not Found", "no"));
        let error = get(site.url("/")).await.to_string();
        assert!(
            error.contains("answers 404 Not Found, not 200 OK"),
            "{error}"
        );
        site.answer_raw("nonsense\r\n\r\n".to_owned());
        assert!(matches!(get(site.url("/")).await, Failure::Unreachable(_)));
        site.answer(&"x".repeat(MOST_BYTES + 1));
        assert_eq!(get(site.url("/")).await, Failure::TooBig);
        // A body without end is bounded, too.
        site.answer_raw(format!(
            "HTTP/1.1 200 OK\r\n\r\n{}",
            "x".repeat(MOST_BYTES + 1)
        ));
        assert_eq!(get(site.url("/")).await, Failure::TooBig);
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", nobody.local_addr().unwrap());
        drop(nobody);
        let error = get(url).await.to_string();
        assert!(error.contains("Connection refused"), "{error}");
    }

    #[tokio::test]
    async fn a_silent_server_does_not_hold_it() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let page = page(&format!("http://{}/", silent.local_addr().unwrap())).unwrap();
        let limit = Duration::from_millis(100);
        assert!(tokio::time::timeout(limit, page.get()).await.is_err());
    }
}
