//! Figures as JSON: `/api/v1/streams`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::event::StreamFigures;
use super::super::registry::Registry;

/// All streams.
pub(super) async fn streams(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let streams: Vec<_> = registry.figures().iter().map(to_json).collect();
    Json(json!({ "streams": streams }))
}

/// One stream.
pub(super) async fn stream(
    State(registry): State<Arc<Registry>>,
    Path(path): Path<String>,
) -> Response {
    let found = path.rsplit_once('/').and_then(|(app, name)| registry.find(app, name));
    match found {
        Some(stream) => Json(to_json(&stream.figures(registry.clock.now()))).into_response(),
        None => missing(),
    }
}

/// Ends a stream's publisher.
pub(super) async fn end(
    State(registry): State<Arc<Registry>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Response {
    // A page of another origin must not end a stream for whoever looks at it.
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    if let Some(origin) = text(header::ORIGIN) {
        let host = origin.split_once("://").map(|(_, host)| host);
        if host != text(header::HOST) {
            return error(StatusCode::FORBIDDEN, "another origin may not do this");
        }
    }
    let found = path.rsplit_once('/').and_then(|(app, name)| registry.find(app, name));
    match found {
        Some(stream) if stream.dismiss("ended by the operator") => {
            StatusCode::NO_CONTENT.into_response()
        }
        _ => missing(),
    }
}

fn missing() -> Response {
    error(StatusCode::NOT_FOUND, "there is no such stream")
}

fn error(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({ "error": text }))).into_response()
}

fn to_json(figures: &StreamFigures) -> Value {
    let publisher = figures.publisher.as_ref().map(|publisher| {
        json!({
            "id": publisher.id,
            "peer": publisher.address.to_string(),
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
        "publisher": publisher,
    })
}
