//! What only onair has: its targets, and the viewer monitor. The vendor is `onair`.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::status;
use onair_base::text::{Language, Problem};
use onair_studio::snapshot::TargetView;
use onair_studio::targets::services::host_of;
use onair_studio::targets::{Target, TargetState};
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[("CallVendorRequest", vendor)];

/// The name of the vendor.
const VENDOR: &str = "onair";

fn vendor(call: &Call<'_>) -> CallResult {
    let (vendor, name) = (call.text("vendorName")?, call.text("requestType")?);
    if vendor != VENDOR {
        return Err(Failure::not_found("vendor", vendor));
    }
    let empty = serde_json::Map::new();
    let data =
        if call.field("requestData").is_some() { call.object("requestData")? } else { &empty };
    let inner = Call { data, ..*call };
    let answer = move |data: Value| json!({ "vendorName": VENDOR, "requestType": name, "responseData": data });
    match name {
        "get_targets" => Ok(Outcome::Answer(answer(targets(call.studio)))),
        "get_monitor" => Ok(Outcome::Answer(answer(monitors(call.studio)))),
        "set_target_enabled" => {
            let (target, enabled) = (target(&inner)?, inner.flag("enabled")?);
            let command = Command::PutTarget(Target { enabled, ..target.target.clone() });
            let done = answer(json!({}));
            Ok(Outcome::Commands(vec![command], Box::new(move |_| Ok(done))))
        }
        "undo" | "redo" => {
            let command = if name == "undo" { Command::Undo } else { Command::Redo };
            let done = answer(json!({}));
            Ok(Outcome::Commands(vec![command], Box::new(move |_| Ok(done))))
        }
        _ => {
            let comment = format!("onair has no vendor request `{name}`.");
            Err(Failure::new(status::NOT_FOUND, comment))
        }
    }
}

/// Returns the target in `id`.
fn target<'a>(call: &Call<'a>) -> Result<&'a TargetView, Failure> {
    let id = call.index("id")?;
    let found = call.studio.targets.iter().find(|view| u64::from(view.target.id) == id);
    found.ok_or_else(|| Failure::not_found("target", &id.to_string()))
}

fn words(problem: &Problem) -> String {
    Language::English.say(problem)
}

/// Returns the targets, without their addresses, which can contain keys.
fn targets(studio: &Snapshot) -> Value {
    let all = studio.targets.iter().map(|view| {
        let target = &view.target;
        json!({
            "id": target.id,
            "name": target.name,
            "service": target.service,
            "host": host_of(target.server()),
            "builtIn": target.is_built_in(),
            "enabled": target.enabled,
            "state": view.state.map(TargetState::name),
            "cause": view.cause.as_ref().map(words),
            "bitrate": view.bitrate,
            "queuedMs": view.queued.as_millis() as u64,
            "droppedFrames": view.dropped_frames,
            "reconnects": view.reconnects,
        })
    });
    json!({ "targets": all.collect::<Vec<Value>>() })
}

/// Returns the results of the viewer monitor.
fn monitors(studio: &Snapshot) -> Value {
    let all = studio.targets.iter().filter_map(|view| {
        let monitor = view.monitor.as_ref()?;
        Some(json!({
            "id": view.target.id,
            "host": monitor.host,
            "state": monitor.state,
            "cause": words(&monitor.cause),
            "latencyMs": monitor.latency.map(|it| it.as_millis() as u64),
            "avOffsetMs": monitor.av_offset_ms,
            "width": monitor.size.map(|size| size.width),
            "height": monitor.size.map(|size| size.height),
            "fps": monitor.fps,
            "bitrate": monitor.bitrate,
        }))
    });
    json!({ "targets": all.collect::<Vec<Value>>() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{commands, read, refused};

    fn asked(name: &str, data: &Value) -> Value {
        json!({ "vendorName": "onair", "requestType": name, "requestData": data })
    }

    #[test]
    fn targets_are_listed_without_keys_and_turned_on() {
        let url = "rtmp://live.example/app/secret-key";
        let target = Target { enabled: false, ..Target::custom(3, url, Default::default()) };
        let targets = vec![TargetView::idle(target.clone())];
        let studio = Snapshot { targets, ..Snapshot::default() };
        let answer =
            read(REQUESTS, &studio, "CallVendorRequest", &asked("get_targets", &json!({})));
        assert_eq!(answer["responseData"]["targets"][0]["host"], "live.example");
        assert!(!answer.to_string().contains("secret"), "{answer}");
        let on = asked("set_target_enabled", &json!({ "id": 3, "enabled": true }));
        let sent = commands(REQUESTS, &studio, "CallVendorRequest", &on);
        assert_eq!(sent, [Command::PutTarget(Target { enabled: true, ..target })]);
        let unknown = asked("set_target_enabled", &json!({ "id": 4, "enabled": true }));
        assert_eq!(refused(REQUESTS, &studio, "CallVendorRequest", &unknown), 600);
        let other = json!({ "vendorName": "obs-ndi", "requestType": "x" });
        assert_eq!(refused(REQUESTS, &studio, "CallVendorRequest", &other), 600);
    }
}
