//! The stream, the recording and the replay buffer.

use std::time::Duration;

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry, set, timecode};
use crate::files::new_path;
use crate::protocol::status;
use onair_studio::live::view::LiveState;
use onair_studio::{Command, Snapshot};

pub const REQUESTS: &[RequestEntry] = &[
    ("GetStreamStatus", stream_status),
    ("StartStream", start_stream),
    ("StopStream", stop_stream),
    ("ToggleStream", toggle_stream),
    ("GetRecordStatus", record_status),
    ("StartRecord", start_record),
    ("StopRecord", stop_record),
    ("ToggleRecord", toggle_record),
    ("PauseRecord", pause_record),
    ("ResumeRecord", resume_record),
    ("ToggleRecordPause", toggle_record_pause),
    ("SplitRecordFile", split_record),
    ("CreateRecordChapter", chapter),
    ("GetRecordDirectory", record_directory),
    ("GetReplayBufferStatus", replay_status),
    ("SaveReplayBuffer", save_replay),
    ("GetVirtualCamStatus", virtual_camera_status),
    ("StartVirtualCam", start_virtual_camera),
    ("StopVirtualCam", stop_virtual_camera),
    ("ToggleVirtualCam", toggle_virtual_camera),
    ("GetOutputList", outputs),
    ("GetOutputStatus", output_status),
    ("StartOutput", start_output),
    ("StopOutput", stop_output),
    ("ToggleOutput", toggle_output),
];

/// The outputs: their names and kinds, like those of OBS.
const OUTPUTS: [(&str, &str); 4] = [
    ("simple_stream", "rtmp_output"),
    ("simple_file_output", "ffmpeg_muxer"),
    ("Replay Buffer", "replay_buffer"),
    ("virtualcam_output", "virtualcam_output"),
];

/// A backlog of this duration counts as full congestion.
const FULL_CONGESTION: Duration = Duration::from_secs(5);

/// Returns true while viewers get the stream, or onair reconnects.
pub fn is_streaming(studio: &Snapshot) -> bool {
    matches!(studio.live, LiveState::OnAir | LiveState::Reconnecting { .. })
}

fn running(what: &str) -> Failure {
    Failure::new(status::OUTPUT_RUNNING, format!("{what} is already running."))
}

fn not_running(what: &str) -> Failure {
    Failure::new(status::OUTPUT_NOT_RUNNING, format!("{what} is not running."))
}

fn status(studio: &Snapshot) -> Value {
    let figures = &studio.figures;
    let congestion = figures.queued.as_secs_f64() / FULL_CONGESTION.as_secs_f64();
    json!({
        "outputActive": is_streaming(studio),
        "outputReconnecting": matches!(studio.live, LiveState::Reconnecting { .. }),
        "outputTimecode": timecode(figures.on_air_for),
        "outputDuration": figures.on_air_for.as_millis() as u64,
        "outputCongestion": congestion.min(1.0),
        "outputBytes": figures.sent_bytes,
        "outputSkippedFrames": figures.dropped_frames,
        "outputTotalFrames": figures.total_frames,
    })
}

fn stream_status(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(status(call.studio)))
}

/// Returns true if *Go Live* was requested. The next broadcast can be requested while the last one
/// is ending: the studio then waits for that end.
fn is_started(studio: &Snapshot) -> bool {
    studio.waits_to_go_live || !matches!(studio.live, LiveState::Idle | LiveState::Stopping)
}

pub fn start_stream(call: &Call<'_>) -> CallResult {
    match is_started(call.studio) {
        false => Ok(Outcome::command(Command::GoLive)),
        true => Err(running("The stream")),
    }
}

pub fn stop_stream(call: &Call<'_>) -> CallResult {
    match is_started(call.studio) {
        true => Ok(Outcome::command(Command::StopLive)),
        false => Err(not_running("The stream")),
    }
}

fn toggle_stream(call: &Call<'_>) -> CallResult {
    let active = !is_started(call.studio);
    let command = if active { Command::GoLive } else { Command::StopLive };
    let finish = move |_: &Snapshot| Ok(json!({ "outputActive": active }));
    Ok(Outcome::Commands(vec![command], Box::new(finish)))
}

fn recording_status(studio: &Snapshot) -> Value {
    let recording = studio.recording.as_ref();
    let duration = recording.map(|it| it.duration).unwrap_or_default();
    json!({
        "outputActive": recording.is_some(),
        "outputPaused": recording.is_some_and(|it| it.paused),
        "outputTimecode": timecode(duration),
        "outputDuration": duration.as_millis() as u64,
        "outputBytes": recording.map_or(0, |it| it.bytes),
    })
}

fn record_status(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(recording_status(call.studio)))
}

/// Returns the command that starts a recording in the recordings folder.
fn record(studio: &Snapshot) -> Command {
    let preferences = &studio.preferences;
    let (folder, values) = (&preferences.recording_folder, studio.name_values());
    Command::StartRecording(preferences.recording.new_recording(folder, &values))
}

pub fn start_record(call: &Call<'_>) -> CallResult {
    match call.studio.recording {
        Some(_) => Err(running("The recording")),
        None => Ok(Outcome::command(record(call.studio))),
    }
}

pub fn stop_record(call: &Call<'_>) -> CallResult {
    let recording = call.studio.recording.as_ref().ok_or_else(|| not_running("The recording"))?;
    let path = recording.path.display().to_string();
    let finish = move |_: &Snapshot| Ok(json!({ "outputPath": path }));
    Ok(Outcome::Commands(vec![Command::StopRecording], Box::new(finish)))
}

fn toggle_record(call: &Call<'_>) -> CallResult {
    let active = call.studio.recording.is_none();
    let command = if active { record(call.studio) } else { Command::StopRecording };
    let finish = move |_: &Snapshot| Ok(json!({ "outputActive": active }));
    Ok(Outcome::Commands(vec![command], Box::new(finish)))
}

/// Returns whether the recording is paused; fails if there is none.
fn is_paused(call: &Call<'_>) -> Result<bool, Failure> {
    let recording = call.studio.recording.as_ref();
    recording.map(|it| it.paused).ok_or_else(|| not_running("The recording"))
}

pub fn pause_record(call: &Call<'_>) -> CallResult {
    match is_paused(call)? {
        true => Err(Failure::new(status::OUTPUT_PAUSED, "The recording is already paused.")),
        false => Ok(Outcome::command(Command::PauseRecording)),
    }
}

pub fn resume_record(call: &Call<'_>) -> CallResult {
    match is_paused(call)? {
        true => Ok(Outcome::command(Command::ResumeRecording)),
        false => Err(Failure::new(status::OUTPUT_NOT_PAUSED, "The recording is not paused.")),
    }
}

fn toggle_record_pause(call: &Call<'_>) -> CallResult {
    let paused = !is_paused(call)?;
    let command = if paused { Command::PauseRecording } else { Command::ResumeRecording };
    let finish = move |_: &Snapshot| Ok(json!({ "outputPaused": paused }));
    Ok(Outcome::Commands(vec![command], Box::new(finish)))
}

pub fn split_record(call: &Call<'_>) -> CallResult {
    is_paused(call)?;
    Ok(Outcome::command(Command::SplitRecording))
}

pub fn chapter(call: &Call<'_>) -> CallResult {
    is_paused(call)?;
    let title = call.optional_text("chapterName")?.unwrap_or_default().to_owned();
    Ok(Outcome::command(Command::Chapter(title)))
}

fn record_directory(call: &Call<'_>) -> CallResult {
    let folder = call.studio.preferences.recording_folder.display().to_string();
    Ok(Outcome::Answer(json!({ "recordDirectory": folder })))
}

fn replay_status(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "outputActive": call.studio.replay.is_some() })))
}

pub fn save_replay(call: &Call<'_>) -> CallResult {
    call.studio.replay.ok_or_else(|| not_running("The replay buffer"))?;
    let preferences = &call.studio.preferences;
    let extension = preferences.recording.format.extension();
    let path = new_path(&preferences.recording_folder, "onair replay", extension);
    Ok(Outcome::command(Command::SaveReplay(path)))
}

fn virtual_camera_status(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "outputActive": call.studio.virtual_camera.is_on() })))
}

fn start_virtual_camera(call: &Call<'_>) -> CallResult {
    match call.studio.virtual_camera.is_on() {
        true => Err(running("The virtual camera")),
        false => Ok(Outcome::command(Command::SwitchVirtualCamera(true))),
    }
}

fn stop_virtual_camera(call: &Call<'_>) -> CallResult {
    match call.studio.virtual_camera.is_on() {
        true => Ok(Outcome::command(Command::SwitchVirtualCamera(false))),
        false => Err(not_running("The virtual camera")),
    }
}

fn toggle_virtual_camera(call: &Call<'_>) -> CallResult {
    let active = !call.studio.virtual_camera.is_on();
    let finish = move |_: &Snapshot| Ok(json!({ "outputActive": active }));
    Ok(Outcome::Commands(vec![Command::SwitchVirtualCamera(active)], Box::new(finish)))
}

/// Returns whether each output is active, in the order of [`OUTPUTS`].
fn active(studio: &Snapshot) -> [bool; 4] {
    let (recording, replay) = (studio.recording.is_some(), studio.replay.is_some());
    [is_streaming(studio), recording, replay, studio.virtual_camera.is_on()]
}

fn outputs(call: &Call<'_>) -> CallResult {
    let size = call.studio.quality.size;
    let all = OUTPUTS.iter().zip(active(call.studio)).map(|((name, kind), active)| {
        json!({
            "outputName": name,
            "outputKind": kind,
            "outputWidth": size.width,
            "outputHeight": size.height,
            "outputActive": active,
            "outputFlags": {
                "OBS_OUTPUT_AUDIO": true,
                "OBS_OUTPUT_VIDEO": true,
                "OBS_OUTPUT_ENCODED": true,
                "OBS_OUTPUT_MULTI_TRACK": *name != "simple_stream",
                "OBS_OUTPUT_SERVICE": *name == "simple_stream",
            },
        })
    });
    Ok(Outcome::Answer(json!({ "outputs": all.collect::<Vec<Value>>() })))
}

/// Returns the index of the output in `outputName`.
fn output(call: &Call<'_>) -> Result<usize, Failure> {
    let name = call.text("outputName")?;
    let found = OUTPUTS.iter().position(|(known, _)| *known == name);
    found.ok_or_else(|| Failure::not_found("output", name))
}

fn output_status(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(match output(call)? {
        0 => status(call.studio),
        other => {
            let filled = call.studio.replay.map(|it| it.filled).unwrap_or_default();
            let mut status = match other {
                1 => recording_status(call.studio),
                3 => json!({
                    "outputActive": call.studio.virtual_camera.is_on(),
                    "outputTimecode": timecode(Duration::ZERO),
                    "outputDuration": 0,
                    "outputBytes": 0,
                }),
                _ => json!({
                    "outputActive": call.studio.replay.is_some(),
                    "outputTimecode": timecode(filled),
                    "outputDuration": filled.as_millis() as u64,
                    "outputBytes": 0,
                }),
            };
            set(&mut status, "outputReconnecting", false);
            set(&mut status, "outputCongestion", 0.0);
            set(&mut status, "outputSkippedFrames", 0);
            set(&mut status, "outputTotalFrames", call.studio.figures.encoded);
            status
        }
    }))
}

/// The replay buffer runs as the settings say.
fn only_by_settings() -> Failure {
    Failure::new(status::NOT_CONFIGURABLE, "The settings turn the replay buffer on and off.")
}

fn start_output(call: &Call<'_>) -> CallResult {
    match output(call)? {
        0 => start_stream(call),
        1 => start_record(call),
        3 => start_virtual_camera(call),
        _ => Err(only_by_settings()),
    }
}

fn stop_output(call: &Call<'_>) -> CallResult {
    match output(call)? {
        0 => stop_stream(call),
        1 => stop_record(call),
        3 => stop_virtual_camera(call),
        _ => Err(only_by_settings()),
    }
}

fn toggle_output(call: &Call<'_>) -> CallResult {
    match output(call)? {
        0 => toggle_stream(call),
        1 => toggle_record(call),
        3 => toggle_virtual_camera(call),
        _ => Err(only_by_settings()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{commands, read, refused};
    use onair_studio::snapshot::RecordingFigures;

    fn recording(paused: bool) -> Snapshot {
        let figures = RecordingFigures {
            path: "/shows/a.mp4".into(),
            duration: Duration::from_millis(61_500),
            bytes: 7,
            paused,
            chapters: 0,
        };
        Snapshot { recording: Some(figures), ..Snapshot::default() }
    }

    #[test]
    fn the_stream_starts_once_and_stops_while_it_connects() {
        let idle = Snapshot::default();
        assert_eq!(commands(REQUESTS, &idle, "StartStream", &Value::Null), [Command::GoLive]);
        assert_eq!(refused(REQUESTS, &idle, "StopStream", &Value::Null), 501);
        let connecting =
            Snapshot { live: LiveState::Connecting { stage: "tcp" }, ..Snapshot::default() };
        assert_eq!(refused(REQUESTS, &connecting, "StartStream", &Value::Null), 500);
        assert_eq!(
            commands(REQUESTS, &connecting, "ToggleStream", &Value::Null),
            [Command::StopLive]
        );
        assert_eq!(
            read(REQUESTS, &connecting, "GetStreamStatus", &Value::Null)["outputActive"],
            false
        );
        let waiting = Snapshot { waits_to_go_live: true, ..Snapshot::default() };
        assert_eq!(commands(REQUESTS, &waiting, "StopStream", &Value::Null), [Command::StopLive]);
    }

    #[test]
    fn a_recording_pauses_resumes_and_names_its_file() {
        let idle = Snapshot::default();
        let started = commands(REQUESTS, &idle, "StartRecord", &Value::Null);
        assert!(matches!(started.as_slice(), [Command::StartRecording(path)]
            if path.extension().is_some_and(|it| it == "mp4")));
        for name in ["StopRecord", "PauseRecord", "SplitRecordFile", "CreateRecordChapter"] {
            assert_eq!(refused(REQUESTS, &idle, name, &Value::Null), 501, "{name}");
        }
        assert_eq!(refused(REQUESTS, &recording(false), "StartRecord", &Value::Null), 500);
        assert_eq!(refused(REQUESTS, &recording(false), "ResumeRecord", &Value::Null), 503);
        assert_eq!(refused(REQUESTS, &recording(true), "PauseRecord", &Value::Null), 502);
        let status = read(REQUESTS, &recording(true), "GetRecordStatus", &Value::Null);
        assert_eq!((&status["outputPaused"], &status["outputBytes"]), (&json!(true), &json!(7)));
        assert_eq!(status["outputTimecode"], "00:01:01.500");
        let of = json!({ "outputName": "simple_file_output" });
        let stopped = commands(REQUESTS, &recording(false), "StopOutput", &of);
        assert_eq!(stopped, [Command::StopRecording]);
        let replay = json!({ "outputName": "Replay Buffer" });
        assert_eq!(refused(REQUESTS, &idle, "StartOutput", &replay), 606);
        assert_eq!(refused(REQUESTS, &idle, "SaveReplayBuffer", &Value::Null), 501);
    }
}
