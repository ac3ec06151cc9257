//! The version, statistics, studio mode, and events of clients.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::status;
use crate::server::limits::{MAX_SLEEP_FRAMES, MAX_SLEEP_MILLIS};
use onair_studio::Command;

pub const REQUESTS: &[RequestEntry] = &[
    ("GetStats", stats),
    ("BroadcastCustomEvent", custom_event),
    ("Sleep", sleep),
    ("GetStudioModeEnabled", studio_mode),
    ("SetStudioModeEnabled", set_studio_mode),
];

const MEBIBYTE: f64 = 1_048_576.0;

fn stats(call: &Call<'_>) -> CallResult {
    let (studio, figures) = (call.studio, &call.studio.figures);
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    let rate = studio.quality.frame_rate.as_f64();
    let fps = if figures.encoded > 0 && figures.fps > 0.0 { figures.fps } else { rate };
    let render = studio.draw_time.unwrap_or_default();
    let disk = studio.disk.as_ref().map_or(0, |disk| disk.free);
    Ok(Outcome::Answer(json!({
        "cpuUsage": f64::from(studio.cpu) * 100.0 / cores,
        "memoryUsage": studio.rss_bytes as f64 / MEBIBYTE,
        "availableDiskSpace": disk as f64 / MEBIBYTE,
        "activeFps": fps,
        "averageFrameRenderTime": render.as_secs_f64() * 1_000.0,
        "renderSkippedFrames": figures.skipped_frames,
        "renderTotalFrames": figures.encoded + figures.skipped_frames,
        "outputSkippedFrames": figures.dropped_frames,
        "outputTotalFrames": figures.total_frames,
        "webSocketSessionIncomingMessages": call.messages.incoming,
        "webSocketSessionOutgoingMessages": call.messages.outgoing,
    })))
}

fn custom_event(call: &Call<'_>) -> CallResult {
    Ok(Outcome::CustomEvent(Value::Object(call.object("eventData")?.clone())))
}

fn sleep(call: &Call<'_>) -> CallResult {
    if let Some(millis) = call.optional_number("sleepMillis", (0.0, MAX_SLEEP_MILLIS))? {
        return Ok(Outcome::SleepMillis(millis as u64));
    }
    match call.optional_number("sleepFrames", (0.0, MAX_SLEEP_FRAMES))? {
        Some(frames) => Ok(Outcome::SleepFrames(frames as u64)),
        None => Err(Failure::new(status::MISSING_FIELD, "The field `sleepMillis` is missing.")),
    }
}

fn studio_mode(call: &Call<'_>) -> CallResult {
    let enabled = call.studio.scenes.preview_scene.is_some();
    Ok(Outcome::Answer(json!({ "studioModeEnabled": enabled })))
}

fn set_studio_mode(call: &Call<'_>) -> CallResult {
    let (wanted, scenes) = (call.flag("studioModeEnabled")?, &call.studio.scenes);
    if wanted == scenes.preview_scene.is_some() {
        return Ok(Outcome::nothing());
    }
    let preview = wanted.then_some(scenes.collection.current);
    Ok(Outcome::command(Command::SetPreviewScene(preview)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::compose::scene::SceneId;
    use onair_studio::Snapshot;

    #[test]
    fn stats_count_messages_and_have_the_frame_rate() {
        let stats = read(REQUESTS, &Snapshot::default(), "GetStats", &Value::Null);
        assert_eq!(stats["webSocketSessionIncomingMessages"], 0);
        assert_eq!(stats["activeFps"], 30.0);
    }

    #[test]
    fn studio_mode_begins_with_the_program_scene() {
        let studio = Snapshot::default();
        let on = json!({ "studioModeEnabled": true });
        let begun = commands(REQUESTS, &studio, "SetStudioModeEnabled", &on);
        assert_eq!(begun, [Command::SetPreviewScene(Some(SceneId(1)))]);
        let off =
            read(REQUESTS, &studio, "SetStudioModeEnabled", &json!({ "studioModeEnabled": false }));
        assert_eq!(off, Value::Null);
        assert_eq!(
            refused(REQUESTS, &studio, "SetStudioModeEnabled", &Value::Null),
            status::MISSING_FIELD
        );
        assert_eq!(refused(REQUESTS, &studio, "Sleep", &json!({ "sleepMillis": 60_000 })), 402);
    }
}
