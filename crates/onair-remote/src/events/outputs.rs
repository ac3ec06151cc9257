//! Changes of the stream, the recording and the replay buffer.

use serde_json::{Value, json};

use crate::events::Event;
use crate::protocol::subscription::OUTPUTS;
use onair_studio::Snapshot;
use onair_studio::live::view::LiveState;

/// Returns the state of the stream in the form of OBS.
fn stream_state(live: &LiveState) -> &'static str {
    match live {
        LiveState::Idle => "STOPPED",
        LiveState::Connecting { .. } => "STARTING",
        LiveState::OnAir => "STARTED",
        LiveState::Reconnecting { .. } => "RECONNECTING",
        LiveState::Stopping => "STOPPING",
    }
}

/// Returns an event about a state. Like in OBS, an output is active only in the states after it
/// has started.
fn state(name: &'static str, state: &str, more: Value) -> Event {
    let mut data = json!({
        "outputActive": matches!(state, "STARTED" | "RECONNECTED" | "RESUMED"),
        "outputState": format!("OBS_WEBSOCKET_OUTPUT_{state}"),
    });
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    Event::new(name, OUTPUTS, data)
}

pub fn changes(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let (was, is) = (stream_state(&before.live), stream_state(&after.live));
    if was != is {
        let word = if (was, is) == ("RECONNECTING", "STARTED") { "RECONNECTED" } else { is };
        // A state may have passed between two snapshots.
        if was == "STOPPED" && is == "STARTED" {
            found.push(state("StreamStateChanged", "STARTING", Value::Null));
        }
        if is == "STOPPED" && matches!(was, "STARTED" | "RECONNECTING") {
            found.push(state("StreamStateChanged", "STOPPING", Value::Null));
        }
        found.push(state("StreamStateChanged", word, Value::Null));
    }
    recording(before, after, found);
    if before.replay.is_some() != after.replay.is_some() {
        let word = if after.replay.is_some() { "STARTED" } else { "STOPPED" };
        found.push(state("ReplayBufferStateChanged", word, Value::Null));
    }
    let (was, is) = (before.virtual_camera.is_on(), after.virtual_camera.is_on());
    if was != is {
        let word = if is { "STARTED" } else { "STOPPED" };
        found.push(state("VirtualcamStateChanged", word, Value::Null));
    }
}

fn recording(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let path = |studio: &Snapshot| {
        let recording = studio.recording.as_ref();
        json!({ "outputPath": recording.map(|it| it.path.display().to_string()) })
    };
    let name = "RecordStateChanged";
    match (&before.recording, &after.recording) {
        (None, None) => {}
        (None, Some(_)) => {
            found.push(state(name, "STARTING", path(after)));
            found.push(state(name, "STARTED", path(after)));
        }
        (Some(_), None) => {
            found.push(state(name, "STOPPING", path(before)));
            found.push(state(name, "STOPPED", path(before)));
        }
        (Some(was), Some(is)) => {
            if was.path != is.path {
                let data = json!({ "newOutputPath": is.path.display().to_string() });
                found.push(Event::new("RecordFileChanged", OUTPUTS, data));
            }
            if was.paused != is.paused {
                let word = if is.paused { "PAUSED" } else { "RESUMED" };
                found.push(state(name, word, path(after)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onair_studio::snapshot::RecordingFigures;

    fn between(before: &Snapshot, after: &Snapshot) -> Vec<Event> {
        let mut found = Vec::new();
        changes(before, after, &mut found);
        found
    }

    /// Returns the states in the events between two snapshots.
    fn states(before: &Snapshot, after: &Snapshot) -> Vec<String> {
        let all = between(before, after);
        let word = |event: &Event| {
            let word = event.data["outputState"].as_str().unwrap_or(event.name);
            word.replace("OBS_WEBSOCKET_OUTPUT_", "")
        };
        all.iter().map(word).collect()
    }

    #[test]
    fn a_stream_starts_reconnects_and_stops() {
        let live = |live| Snapshot { live, ..Snapshot::default() };
        let reconnecting = || LiveState::Reconnecting {
            retry_in: std::time::Duration::ZERO,
            cause: Default::default(),
        };
        let (idle, on_air) = (live(LiveState::Idle), live(LiveState::OnAir));
        let connecting = live(LiveState::Connecting { stage: "tcp" });
        assert_eq!(states(&idle, &connecting), ["STARTING"]);
        assert_eq!(states(&connecting, &live(LiveState::Connecting { stage: "tls" })), [""; 0]);
        assert_eq!(states(&connecting, &on_air), ["STARTED"]);
        assert_eq!(states(&idle, &on_air), ["STARTING", "STARTED"]);
        assert_eq!(states(&on_air, &live(reconnecting())), ["RECONNECTING"]);
        assert_eq!(states(&live(reconnecting()), &on_air), ["RECONNECTED"]);
        assert_eq!(states(&on_air, &live(LiveState::Stopping)), ["STOPPING"]);
        assert_eq!(states(&on_air, &idle), ["STOPPING", "STOPPED"]);
    }

    #[test]
    fn a_recording_starts_pauses_splits_and_stops() {
        let with = |path: &str, paused| Snapshot {
            recording: Some(RecordingFigures {
                path: path.into(),
                duration: std::time::Duration::ZERO,
                bytes: 0,
                paused,
                chapters: 0,
            }),
            ..Snapshot::default()
        };
        let idle = Snapshot::default();
        assert_eq!(states(&idle, &with("a", false)), ["STARTING", "STARTED"]);
        assert_eq!(states(&with("a", false), &with("a", true)), ["PAUSED"]);
        assert_eq!(states(&with("a", true), &with("a", false)), ["RESUMED"]);
        assert_eq!(states(&with("a", false), &with("b", false)), ["RecordFileChanged"]);
        assert_eq!(states(&with("b", true), &idle), ["STOPPING", "STOPPED"]);
        let last = between(&with("b", false), &idle).pop().unwrap();
        assert_eq!(last.data["outputPath"], "b");
    }
}
