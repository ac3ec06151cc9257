//! What only onair has: its targets, the viewer monitor, and guests. The vendor is `onair`.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::status;
use onair_base::text::{Language, Problem};
use onair_studio::command::GuestCommand;
use onair_studio::snapshot::{GuestState, TargetView};
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
        "guests.list" => Ok(Outcome::Answer(answer(guests(call.studio)))),
        "guests.invite" => {
            let name = name.to_owned();
            let before: Vec<String> = call.studio.guests.iter().map(|it| it.id.clone()).collect();
            let command = Command::Guest(GuestCommand::Invite);
            let finish = move |studio: &Snapshot| {
                let new = studio.guests.iter().find(|it| !before.contains(&it.id));
                let new = new.ok_or_else(|| {
                    Failure::new(status::CANNOT_ACT, "There is no place for another guest.")
                })?;
                let data = json!({ "guestId": new.id, "link": new.link });
                Ok(json!({ "vendorName": VENDOR, "requestType": name, "responseData": data }))
            };
            Ok(Outcome::Commands(vec![command], Box::new(finish)))
        }
        "guests.admit" | "guests.dismiss" | "guests.remove" | "guests.mute" | "guests.hide"
        | "guests.tag" => {
            let id = guest(&inner)?;
            let command = match name {
                "guests.admit" => GuestCommand::Admit(id),
                "guests.dismiss" => GuestCommand::Dismiss(id),
                "guests.remove" => GuestCommand::Remove(id),
                "guests.mute" => GuestCommand::Mute(id, inner.flag("muted")?),
                "guests.tag" => GuestCommand::Tag(id, inner.flag("tagged")?),
                _ => GuestCommand::Hide(id, inner.flag("hidden")?),
            };
            let done = answer(json!({}));
            Ok(Outcome::Commands(vec![Command::Guest(command)], Box::new(move |_| Ok(done))))
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

/// Returns the guest in `guestId`.
fn guest(call: &Call<'_>) -> Result<String, Failure> {
    let id = call.text("guestId")?;
    let is_there = call.studio.guests.iter().any(|guest| guest.id == id);
    is_there.then(|| id.to_owned()).ok_or_else(|| Failure::not_found("guest", id))
}

/// Returns the guests. Only a guest who is expected has a link, which a client may pass on.
fn guests(studio: &Snapshot) -> Value {
    let all = studio.guests.iter().map(|guest| {
        let is_expected = matches!(guest.state, GuestState::Invited | GuestState::Away);
        json!({
            "guestId": guest.id,
            "name": guest.name,
            "state": guest.state.name(),
            "link": is_expected.then_some(&guest.link),
            "muted": guest.muted,
            "hidden": guest.hidden,
            "tagged": guest.tagged,
            "rttMs": guest.rtt.map(|it| it.as_millis() as u64),
            "loss": guest.loss,
        })
    });
    let traffic = studio.guest_traffic.map(|it| {
        json!({
            "bitrate": it.received,
            "allowedBitrate": it.budget.bitrate,
            "maxHeight": it.budget.shape.0,
            "maxFps": it.budget.shape.1,
            "lowered": it.budget.is_lowered,
            "sentBitrate": it.sent,
        })
    });
    json!({ "guests": all.collect::<Vec<Value>>(), "traffic": traffic })
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
    use onair_studio::snapshot::GuestFigures;

    fn asked(name: &str, data: &Value) -> Value {
        json!({ "vendorName": "onair", "requestType": name, "requestData": data })
    }

    #[test]
    fn guests_are_listed_and_directed() {
        let guest = |id: &str, state| GuestFigures {
            id: id.into(),
            name: "Ada".into(),
            state,
            link: format!("https://a.example/guest/{id}"),
            rtt: Some(std::time::Duration::from_millis(12)),
            loss: None,
            strip: None,
            muted: false,
            hidden: false,
            tagged: true,
            preview: None,
        };
        let guests = vec![guest("g1", GuestState::Lobby), guest("g2", GuestState::Invited)];
        let studio = Snapshot { guests, ..Snapshot::default() };
        let answer =
            read(REQUESTS, &studio, "CallVendorRequest", &asked("guests.list", &json!({})));
        let listed = &answer["responseData"]["guests"];
        assert_eq!((&listed[0]["state"], &listed[0]["link"]), (&json!("lobby"), &Value::Null));
        assert_eq!(listed[1]["link"], "https://a.example/guest/g2");
        let sent = |name: &str, data: Value| {
            commands(REQUESTS, &studio, "CallVendorRequest", &asked(name, &data))
        };
        let one = |command| [Command::Guest(command)];
        let g1 = || json!({ "guestId": "g1", "muted": true });
        assert_eq!(sent("guests.admit", g1()), one(GuestCommand::Admit("g1".into())));
        assert_eq!(sent("guests.remove", g1()), one(GuestCommand::Remove("g1".into())));
        assert_eq!(sent("guests.mute", g1()), one(GuestCommand::Mute("g1".into(), true)));
        let untag = json!({ "guestId": "g1", "tagged": false });
        assert_eq!(sent("guests.tag", untag), one(GuestCommand::Tag("g1".into(), false)));
        let unknown = asked("guests.admit", &json!({ "guestId": "g9" }));
        assert_eq!(refused(REQUESTS, &studio, "CallVendorRequest", &unknown), 600);
        assert_eq!(sent("guests.invite", json!({})), one(GuestCommand::Invite));
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
