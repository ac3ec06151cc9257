//! Figures as JSON: `/api/v1/streams`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::server::event::StreamFigures;
use crate::server::http::caller::Caller;
use crate::server::http::guard;
use crate::server::registry::Registry;

/// Returns all streams.
pub(super) async fn streams(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
) -> Json<Value> {
    let figures = registry.figures();
    let streams: Vec<_> = figures.iter().map(|figures| to_json(figures, &caller)).collect();
    Json(json!({ "streams": streams }))
}

/// Returns one stream.
pub(super) async fn stream(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(path): Path<String>,
) -> Response {
    let found = path.rsplit_once('/').and_then(|(app, name)| registry.find(app, name));
    match found {
        Some(stream) => {
            let figures = registry.figures_of(&stream, registry.clock.now());
            Json(to_json(&figures, &caller)).into_response()
        }
        None => missing(),
    }
}

/// Disconnects a stream's publisher, with the server's token.
pub(super) async fn end(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = authorized(&registry, &caller, &headers) {
        return *refused;
    }
    let found = path.rsplit_once('/').and_then(|(app, name)| registry.find(app, name));
    match found {
        Some(stream) if stream.dismiss("ended by the operator") => {
            StatusCode::NO_CONTENT.into_response()
        }
        _ => missing(),
    }
}

/// Disconnects a WHEP viewer; requires the server's token.
pub(super) async fn end_viewer(
    State(registry): State<Arc<Registry>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = authorized(&registry, &caller, &headers) {
        return *refused;
    }
    if registry.whep.end_viewer(id, "ended by the operator") {
        return StatusCode::NO_CONTENT.into_response();
    }
    error(StatusCode::NOT_FOUND, "there is no such viewer by WHEP")
}

/// Checks the token of a request.
pub(super) fn authorized(
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

fn missing() -> Response {
    error(StatusCode::NOT_FOUND, "there is no such stream")
}

pub(super) fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}

/// Only local clients get a publisher's address.
fn to_json(figures: &StreamFigures, caller: &Caller) -> Value {
    let is_here = caller.address.ip().to_canonical().is_loopback();
    let publisher = figures.publisher.as_ref().map(|publisher| {
        json!({
            "id": publisher.id,
            "peer": is_here.then(|| publisher.address.to_string()),
            "seconds": publisher.since.as_secs_f64(),
            "bytes": publisher.bytes,
            "bitrate": publisher.bitrate,
            "video": publisher.video.as_ref().map(|video| json!({
                "codec": video.codec,
                "width": video.size.map(|(width, _)| width),
                "height": video.size.map(|(_, height)| height),
                "fps": video.fps,
            })),
            "audio": publisher.audio.as_ref().map(|audio| json!({
                "codec": audio.codec,
                "sample_rate": audio.sample_rate,
                "channels": audio.channels,
            })),
        })
    });
    json!({
        "app": figures.app,
        "stream": figures.stream,
        "viewers": figures.viewers,
        "hls_viewers": figures.hls_viewers,
        "whep_viewers": figures.whep_viewers,
        "publisher": publisher,
    })
}
