//! The last events: `/api/v1/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::server::event::log::{LoggedEvent, millis};
use crate::server::http::operator::unix_seconds;
use crate::server::registry::Registry;

/// Returns the last 100 events, newest first. With `viewers=no` in the query, viewer events are omitted.
pub(in crate::server::http) async fn latest(
    State(registry): State<Arc<Registry>>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let query = query.unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let with_viewers = !pairs.any(|(name, value)| name == "viewers" && value == "no");
    let events = registry.reporter.log.lock().latest(with_viewers);
    Json(json!({ "events": events.iter().map(to_json).collect::<Vec<_>>() }))
}

/// Converts an event to JSON. Fields that the event does not have are omitted.
fn to_json(event: &LoggedEvent) -> Value {
    let mut all = json!({
        "number": event.number,
        "time": unix_seconds(event.wall_micros),
        "event": event.name,
        "app": event.app,
        "stream": event.stream,
        "peer": event.address.map(|it| it.to_string()).or(event.ip.map(|it| it.to_string())),
        "id": event.id,
        "protocol": event.protocol.map(|protocol| protocol.name()),
        "state": event.state,
        "action": event.action,
        "file": event.file,
        "rendition": event.rendition,
        "cause": event.cause,
        "direction": event.direction.map(|direction| direction.name()),
        "url": event.url,
        "reason": event.reason,
        "callback": event.callback,
        "host": event.host,
        "status": event.status,
        "took_ms": event.took.map(millis),
        "times": event.times,
        "seconds": event.after.map(|after| after.as_secs_f64()),
        "bytes": event.bytes,
    });
    if let Some(fields) = all.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    all
}
