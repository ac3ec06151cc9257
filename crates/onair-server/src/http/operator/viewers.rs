//! The viewers: `/api/v1/viewers`, and their disconnection.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::server::event::ViewerFigures;
use crate::server::http::operator::{Authorized, ended_by_operator, error};
use crate::server::outputs::viewers::{self, ViewerChoice, figures};
use crate::server::registry::Registry;

/// Maximum number of viewers in a response.
const MAX_LISTED_VIEWERS: usize = 1_000;

/// Returns the viewers, those who have watched longest first. With `app` and `stream` in the query,
/// returns only the viewers of that stream.
pub(in crate::http) async fn all(
    State(registry): State<Arc<Registry>>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let (mut app, mut stream) = (None, None);
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        match &*name {
            "app" => app = Some(value.into_owned()),
            "stream" => stream = Some(value.into_owned()),
            _ => {}
        }
    }
    let is_asked = |of_app: &str, of_stream: &str| {
        app.as_ref().is_none_or(|app| app == of_app)
            && stream.as_ref().is_none_or(|stream| stream == of_stream)
    };
    let mut all = figures(&registry, registry.clock.now());
    all.retain(|viewer| is_asked(&viewer.app, &viewer.stream));
    all.sort_unstable_by_key(|viewer| std::cmp::Reverse(viewer.since));
    let more = all.len().saturating_sub(MAX_LISTED_VIEWERS);
    let viewers: Vec<_> = all.iter().take(MAX_LISTED_VIEWERS).map(to_json).collect();
    Json(json!({ "viewers": viewers, "more": more }))
}

/// Disconnects a viewer, with the server's token.
pub(in crate::http) async fn end(
    State(registry): State<Arc<Registry>>,
    _: Authorized,
    Path(id): Path<u64>,
) -> Response {
    if viewers::end(&registry, ViewerChoice::Id(id), &ended_by_operator()) {
        return StatusCode::NO_CONTENT.into_response();
    }
    error(StatusCode::NOT_FOUND, "there is no such viewer")
}

fn to_json(viewer: &ViewerFigures) -> Value {
    json!({
        "id": viewer.id,
        "app": viewer.app,
        "stream": viewer.stream,
        "protocol": viewer.protocol.name(),
        "peer": viewer.address.to_string(),
        "seconds": viewer.since.as_secs_f64(),
        "bytes": viewer.bytes,
    })
}
