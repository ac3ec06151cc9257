//! Draining: `/api/v1/drain` asks clients to move to another server.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::server::http::operator::{Authorized, error};
use crate::server::registry::Registry;
use crate::server::registry::http_successor::HttpSuccessor;
use crate::wire::rtmp::url::Url;

/// The fields of a request.
const FIELDS: [&str; 2] = ["successor", "successor_http"];

/// Starts draining, with the server's token. The body can be empty, or contain the `successor` and the
/// `successor_http`.
pub(in crate::http) async fn begin(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    body: Bytes,
) -> Response {
    let asked: Map<String, Value> = match body.trim_ascii() {
        [] => Map::new(),
        text => match serde_json::from_slice(text) {
            Ok(asked) => asked,
            Err(_) => return error(StatusCode::BAD_REQUEST, "the body is not a JSON object"),
        },
    };
    // Draining has no way back, so a mistyped name must not drain the server without a successor.
    if asked.keys().any(|name| !FIELDS.contains(&name.as_str())) {
        let why = "the fields of the body can be successor and successor_http";
        return error(StatusCode::UNPROCESSABLE_ENTITY, why);
    }
    let successor = match asked.get("successor").unwrap_or(&Value::Null) {
        Value::Null => None,
        // Every client sees the address, so it must not contain a password.
        Value::String(url) if Url::parse(url).is_ok_and(|url| url.credentials.is_none()) => {
            Some(url.clone())
        }
        _ => {
            let why = "successor must be an RTMP address with an application, without a password";
            return error(StatusCode::UNPROCESSABLE_ENTITY, why);
        }
    };
    let http_successor = match asked.get("successor_http").unwrap_or(&Value::Null) {
        Value::Null => None,
        text => match text.as_str().map(str::parse::<HttpSuccessor>) {
            Some(Ok(origin)) => Some(origin),
            _ => {
                let why = "successor_http must be an HTTP address without a path or password";
                return error(StatusCode::UNPROCESSABLE_ENTITY, why);
            }
        },
    };
    registry.drain(successor, http_successor);
    let figures = registry.figures();
    let publishers = figures.iter().filter(|stream| stream.publisher.is_some()).count();
    let successor = registry.successor.lock().clone();
    let http_successor = registry.http_successor().map(|origin| origin.to_string());
    let viewers: usize = figures.iter().map(|stream| stream.viewers).sum();
    let answer = json!({
        "successor": successor,
        "successor_http": http_successor,
        "publishers": publishers,
        "viewers": viewers,
    });
    (StatusCode::ACCEPTED, Json(answer)).into_response()
}
