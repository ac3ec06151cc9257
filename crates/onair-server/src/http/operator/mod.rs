//! The operator page `/`, and the API below `/api/v1/`, which `assets/openapi.json` describes. Programs and
//! pages on this computer may read. Changes, and all requests from other computers, need the server's
//! token.

pub(super) mod access;
pub(super) mod drain;
pub(super) mod events;
pub(in crate::http) mod figures;
pub(super) mod page;
pub(super) mod ranges;
pub(super) mod recordings;
pub(super) mod relays;
pub(super) mod signed_link;
pub(super) mod streams;
pub(super) mod thumbnail;
pub(super) mod viewers;

use std::sync::Arc;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::server::http::caller::Caller;
use crate::server::http::guard;
use crate::server::http::path::{query_value, split};
use crate::server::registry::Registry;
use crate::text::Language;
use crate::text::problem::{Problem, problem};

/// Maximum length of the reason for a failed request, in bytes.
const MAX_REASON_BYTES: usize = 4_096;

/// Returns the reason for an end that the operator caused.
fn ended_by_operator() -> Problem {
    problem!("left-operator")
}

/// Rejects clients that may not read; see the module documentation.
pub(super) async fn readers(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
    next: Next,
) -> Response {
    if let Err(refused) = may_read(&registry, &caller, request.headers()) {
        return *refused;
    }
    let mut response = next.run(request).await;
    let unset = || HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert_with(unset);
    response
}

fn may_read(
    registry: &Registry,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(), Box<Response>> {
    if guard::is_local(registry, caller, headers) {
        return Ok(());
    }
    authorized(registry, caller, headers)
}

/// Shows that a request has the server's token. Other requests are rejected before their body is
/// read.
pub(in crate::http) struct Authorized;

impl FromRequestParts<Arc<Registry>> for Authorized {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        registry: &Arc<Registry>,
    ) -> Result<Self, Response> {
        let caller = ConnectInfo::<Caller>::from_request_parts(parts, registry).await;
        let ConnectInfo(caller) = caller.map_err(IntoResponse::into_response)?;
        authorized(registry, &caller, &parts.headers).map_err(|refused| *refused)?;
        Ok(Self)
    }
}

/// Checks the token of a request.
fn authorized(
    registry: &Registry,
    caller: &Caller,
    headers: &HeaderMap,
) -> Result<(), Box<Response>> {
    guard::authorize(registry, caller, headers).map_err(|(status, text)| {
        let mut response = error(status, &text);
        if status == StatusCode::UNAUTHORIZED {
            let bearer = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, bearer);
        }
        Box::new(response)
    })
}

/// Gives every failed request below `/api/v1/` a JSON body, also if the router or the guard refused it.
pub(super) async fn failures(request: Request, next: Next) -> Response {
    let is_of_api = request.uri().path().starts_with("/api/v1/");
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let is_json = kind.is_some_and(|kind| kind == "application/json");
    if !is_of_api || is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, MAX_REASON_BYTES).await.unwrap_or_default();
    let reason = match std::str::from_utf8(text.trim_ascii()) {
        Ok("") | Err(_) => status.canonical_reason().unwrap_or("the request failed"),
        Ok(reason) => reason,
    };
    let body = json!({ "error": reason }).to_string();
    let kind = HeaderValue::from_static("application/json");
    parts.headers.insert(header::CONTENT_TYPE, kind);
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    Response::from_parts(parts, body.into())
}

pub(super) fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}

/// Returns the language that `lang` in a query names, or else English.
fn language_of(query: &str) -> Language {
    let tag = query_value(query, "lang");
    tag.and_then(|tag| Language::of_argument(&tag)).unwrap_or_default()
}

/// Returns the application and the stream at the end of a path of the API. The path is split before it is decoded,
/// because the name of a stream can contain slashes.
pub(super) fn stream_names(uri: &Uri) -> Option<(String, String)> {
    let (_, names) = uri.path().strip_prefix("/api/v1/")?.split_once('/')?;
    split(names)
}

/// Returns the time in seconds since 1970.
fn unix_seconds(wall_micros: i64) -> f64 {
    wall_micros as f64 / 1_000_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_in_the_name_of_a_stream_is_no_slash_of_the_path() {
        let names = |path: &str| {
            let names = stream_names(&path.parse().unwrap());
            names.map(|(app, stream)| format!("{app}|{stream}"))
        };
        assert_eq!(names("/api/v1/streams/live/show").unwrap(), "live|show");
        assert_eq!(names("/api/v1/thumbnails/a/b/c%20d?x=1").unwrap(), "a/b|c d");
        assert_eq!(names("/api/v1/chats/live/c%2Fd").unwrap(), "live|c/d");
        assert_eq!(names("/api/v1/streams/live"), None);
        assert_eq!(names("/api/v1/streams/live/%ff"), None);
    }
}
