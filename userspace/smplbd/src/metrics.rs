// SPDX-License-Identifier: MIT OR Apache-2.0
//! `/metrics` in Prometheus' text form and `/healthz`, over HTTP.

mod daemon;
mod page;
mod servers;
mod switch;

use std::io;
use std::time::Duration;

use axum::extract::State as Shared;
use axum::http::{header, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::board::{Board, Snapshot};
use crate::door::Door;
use page::Page;

/// The type of the text, as Prometheus knows it.
const TEXT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Readers at once.
const CONNECTIONS: usize = 16;
/// The control loop turns ten times a second; longer than this and it hangs.
const HUNG: Duration = Duration::from_secs(3);

/// Serves until the end of the program.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, board: Board) -> io::Result<()> {
    axum::serve(Door::new(listener, CONNECTIONS), router(board)).await
}

fn router(board: Board) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .with_state(board)
}

async fn metrics(Shared(board): Shared<Board>) -> Response {
    match text(&board.look()) {
        Ok(text) => ([(header::CONTENT_TYPE, TEXT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn health(Shared(board): Shared<Board>) -> (StatusCode, String) {
    let idle = board.idle();
    if idle > HUNG {
        let text = format!("the control loop has not turned for {idle:.1?}\n");
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let snapshot = board.look();
    match (&snapshot.state, snapshot.up) {
        (Some(state), true) => (
            StatusCode::OK,
            format!("ok, generation {}\n", state.generation),
        ),
        _ => {
            let text = "the switch does not answer\n".to_owned();
            (StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

/// The whole text.
///
/// # Errors
/// None that a string could have.
pub fn text(snapshot: &Snapshot) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Exposition(snapshot.clone())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Exposition(Snapshot);

impl Collector for Exposition {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut page = Page::new(encoder);
        daemon::write(&mut page, &self.0)?;
        servers::write(&mut page, &self.0)?;
        match &self.0.state {
            Some(state) => switch::write(&mut page, state),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
