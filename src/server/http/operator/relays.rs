//! The relays: `/api/v1/relays`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::server::registry::Registry;
use crate::server::relay::rules::RelayRule;
use crate::server::relay::state::Relay;
use crate::text::Language;

/// Returns the running relays, the oldest first, and the rules.
pub(in crate::server::http) async fn all(State(registry): State<Arc<Registry>>) -> Json<Value> {
    let now = registry.clock.now();
    let relays: Vec<_> = registry.relays.all().iter().map(|relay| to_json(relay, now)).collect();
    let rules: Vec<_> = registry.relays.rules().iter().map(|rule| rule_to_json(rule)).collect();
    Json(json!({ "relays": relays, "rules": rules, "refused": registry.relays.refused() }))
}

fn to_json(relay: &Relay, now: Timestamp) -> Value {
    let report = relay.report();
    json!({
        "id": relay.id,
        "direction": relay.rule.direction.name(),
        "on_demand": relay.rule.on_demand,
        "app": relay.app,
        "stream": relay.stream,
        "url": report.url,
        "state": report.state.name(),
        "seconds": now.since(report.since).as_secs_f64(),
        "bytes": relay.bytes.load(Ordering::Relaxed),
        "reconnects": relay.reconnects.load(Ordering::Relaxed),
        "dropped_frames": relay.dropped_frames.load(Ordering::Relaxed),
        "cause": report.cause.as_ref().map(|cause| Language::English.say(cause)),
        "retry_in": report.retry_in.map(|wait| wait.as_secs_f64()),
    })
}

/// The addresses of a rule contain no secrets.
fn rule_to_json(rule: &RelayRule) -> Value {
    json!({
        "direction": rule.direction.name(),
        "on_demand": rule.on_demand,
        "streams": rule.streams,
        "urls": rule.targets.iter().map(|target| target.text()).collect::<Vec<_>>(),
    })
}
