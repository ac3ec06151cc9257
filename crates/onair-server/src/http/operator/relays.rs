//! The relays: `/api/v1/relays`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::server::http::operator::language_of;
use crate::server::registry::Registry;
use crate::server::registry::relays::rules::RelayRule;
use crate::server::registry::relays::state::Relay;
use crate::text::Language;

/// Returns the running relays, the oldest first, and the rules; with `lang` in the query, the causes are in this
/// language.
pub(in crate::http) async fn all(
    State(registry): State<Arc<Registry>>,
    RawQuery(query): RawQuery,
) -> Json<Value> {
    let now = registry.clock.now();
    let language = language_of(&query.unwrap_or_default());
    let relays = registry.relays.all();
    let relays: Vec<_> = relays.iter().map(|relay| to_json(relay, now, language)).collect();
    let rules: Vec<_> = registry.relays.rules().iter().map(|rule| rule_to_json(rule)).collect();
    Json(json!({ "relays": relays, "rules": rules, "refused": registry.relays.refused() }))
}

fn to_json(relay: &Relay, now: Timestamp, language: Language) -> Value {
    let (report, rule) = (relay.report(), relay.rule());
    json!({
        "id": relay.id,
        "direction": rule.direction.name(),
        "on_demand": rule.on_demand,
        "app": relay.app,
        "stream": relay.stream,
        "url": report.url,
        "state": report.state.name(),
        "seconds": now.since(report.since).as_secs_f64(),
        "bytes": relay.bytes.load(Ordering::Relaxed),
        "reconnects": relay.reconnects.load(Ordering::Relaxed),
        "dropped_frames": relay.dropped_frames.load(Ordering::Relaxed),
        "cause": report.cause.as_ref().map(|cause| language.say(cause)),
        "retry_in": report.retry_in.map(|wait| wait.as_secs_f64()),
    })
}

/// Converts a rule to JSON. The addresses contain no secrets.
fn rule_to_json(rule: &RelayRule) -> Value {
    json!({
        "direction": rule.direction.name(),
        "on_demand": rule.on_demand,
        "streams": rule.streams,
        "urls": rule.targets.iter().map(|target| target.text()).collect::<Vec<_>>(),
    })
}
