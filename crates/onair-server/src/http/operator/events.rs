//! The last events: `/api/v1/events`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::server::event::log::{LoggedEvent, millis};
use crate::server::http::operator::{language_of, unix_seconds};
use crate::server::registry::Registry;
use crate::text::Language;

/// Returns the last 100 events, newest first. With `viewers=no` in the query, viewer events are omitted. With
/// `lang`, the reasons are in this language.
pub(in crate::http) async fn latest(
    State(registry): State<Arc<Registry>>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let query = query.unwrap_or_default();
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let with_viewers = !pairs.any(|(name, value)| name == "viewers" && value == "no");
    let events = registry.reporter.log.lock().latest(with_viewers);
    let language = language_of(&query);
    let events: Vec<_> = events.iter().map(|event| to_json(event, language)).collect();
    Json(json!({ "events": events }))
}

/// Converts an event to JSON. Fields that the event does not have are omitted.
fn to_json(event: &LoggedEvent, language: Language) -> Value {
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
        "reason": event.reason_in(language),
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
