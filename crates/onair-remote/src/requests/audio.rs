//! The audio of inputs: the settings of mixer strips.

use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry, set};
use crate::mix::{MonitoringMode, Strip};
use crate::protocol::status;
use onair_base::media::ExtraTrack;
use onair_studio::Command;
use onair_studio::snapshot::StripView;

pub const REQUESTS: &[RequestEntry] = &[
    ("GetInputMute", mute),
    ("SetInputMute", set_mute),
    ("ToggleInputMute", toggle_mute),
    ("GetInputVolume", volume),
    ("SetInputVolume", set_volume),
    ("GetInputAudioBalance", balance),
    ("SetInputAudioBalance", set_balance),
    ("GetInputAudioSyncOffset", sync_offset),
    ("SetInputAudioSyncOffset", set_sync_offset),
    ("GetInputAudioMonitorType", monitor_type),
    ("SetInputAudioMonitorType", set_monitor_type),
    ("GetInputAudioTracks", tracks),
    ("SetInputAudioTracks", set_tracks),
];

/// The level that is silence in onair, and the one that is silence in OBS.
const SILENCE_DB: (f32, f64) = (-60.0, -100.0);
/// The highest fader level of onair.
const MAX_DB: f64 = 20.0;

/// Returns a fader level in decibels and as a factor.
pub fn volume_of(gain_db: f32) -> (f64, f64) {
    if gain_db <= SILENCE_DB.0 {
        return (SILENCE_DB.1, 0.0);
    }
    (f64::from(gain_db), 10_f64.powf(f64::from(gain_db) / 20.0))
}

/// Returns the sync offset of a strip in milliseconds.
pub fn offset_millis(strip: &Strip) -> i64 {
    strip.offset_us / 1_000
}

/// Returns the name of a monitoring mode.
pub fn monitor_name(mode: MonitoringMode) -> &'static str {
    match mode {
        MonitoringMode::Program | MonitoringMode::Tracks => "OBS_MONITORING_TYPE_NONE",
        MonitoringMode::MonitorOnly => "OBS_MONITORING_TYPE_MONITOR_ONLY",
        MonitoringMode::Both => "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT",
    }
}

/// Returns the recording tracks of a strip. The first one is the program.
pub fn tracks_of(strip: &Strip) -> Value {
    let mut tracks = json!({ "1": strip.monitoring.in_program() });
    for track in ExtraTrack::all() {
        set(&mut tracks, &track.to_string(), strip.tracks.has(track));
    }
    tracks
}

/// Changes the settings of a strip like the window.
fn change(view: &StripView, change: impl FnOnce(&mut Strip)) -> Command {
    let (id, before) = (view.audio.id, view.audio.strip.clone());
    let mut strip = before.clone();
    change(&mut strip);
    Command::SetStrip { id, before, strip }
}

fn mute(call: &Call<'_>) -> CallResult {
    Ok(Outcome::Answer(json!({ "inputMuted": call.strip()?.1.audio.strip.muted })))
}

fn set_mute(call: &Call<'_>) -> CallResult {
    let (view, muted) = (call.strip()?.1, call.flag("inputMuted")?);
    Ok(Outcome::command(change(view, |strip| strip.muted = muted)))
}

fn toggle_mute(call: &Call<'_>) -> CallResult {
    let view = call.strip()?.1;
    let muted = !view.audio.strip.muted;
    let finish = move |_: &_| Ok(json!({ "inputMuted": muted }));
    let command = change(view, |strip| strip.muted = muted);
    Ok(Outcome::Commands(vec![command], Box::new(finish)))
}

fn volume(call: &Call<'_>) -> CallResult {
    let (db, factor) = volume_of(call.strip()?.1.audio.strip.gain_db);
    Ok(Outcome::Answer(json!({ "inputVolumeDb": db, "inputVolumeMul": factor })))
}

fn set_volume(call: &Call<'_>) -> CallResult {
    let view = call.strip()?.1;
    let db = call.optional_number("inputVolumeDb", (SILENCE_DB.1, 26.0))?;
    let factor = call.optional_number("inputVolumeMul", (0.0, 20.0))?;
    let db = match (db, factor) {
        (Some(db), None) => db,
        (None, Some(factor)) if factor > 0.0 => 20.0 * factor.log10(),
        (None, Some(_)) => SILENCE_DB.1,
        (None, None) => {
            let comment = "The field `inputVolumeDb` or `inputVolumeMul` is missing.";
            return Err(Failure::new(status::MISSING_FIELD, comment));
        }
        (Some(_), Some(_)) => {
            // The status for too many fields.
            return Err(Failure::new(404, "There must be only one of the two volume fields."));
        }
    };
    let gain_db = db.clamp(f64::from(SILENCE_DB.0), MAX_DB) as f32;
    Ok(Outcome::command(change(view, |strip| strip.gain_db = gain_db)))
}

fn balance(call: &Call<'_>) -> CallResult {
    let balance = f64::from(call.strip()?.1.audio.strip.balance);
    Ok(Outcome::Answer(json!({ "inputAudioBalance": (balance + 1.0) / 2.0 })))
}

fn set_balance(call: &Call<'_>) -> CallResult {
    let (view, balance) = (call.strip()?.1, call.number("inputAudioBalance", (0.0, 1.0))?);
    let balance = (balance * 2.0 - 1.0) as f32;
    Ok(Outcome::command(change(view, |strip| strip.balance = balance)))
}

fn sync_offset(call: &Call<'_>) -> CallResult {
    let millis = offset_millis(&call.strip()?.1.audio.strip);
    Ok(Outcome::Answer(json!({ "inputAudioSyncOffset": millis })))
}

fn set_sync_offset(call: &Call<'_>) -> CallResult {
    let most = Strip::MAX_OFFSET.as_millis() as f64;
    let (view, millis) = (call.strip()?.1, call.number("inputAudioSyncOffset", (-most, most))?);
    let offset_us = (millis * 1_000.0) as i64;
    Ok(Outcome::command(change(view, |strip| strip.offset_us = offset_us)))
}

fn monitor_type(call: &Call<'_>) -> CallResult {
    let name = monitor_name(call.strip()?.1.audio.strip.monitoring);
    Ok(Outcome::Answer(json!({ "monitorType": name })))
}

fn set_monitor_type(call: &Call<'_>) -> CallResult {
    let view = call.strip()?.1;
    let monitoring = match call.text("monitorType")? {
        "OBS_MONITORING_TYPE_NONE" => MonitoringMode::Program,
        "OBS_MONITORING_TYPE_MONITOR_ONLY" => MonitoringMode::MonitorOnly,
        "OBS_MONITORING_TYPE_MONITOR_AND_OUTPUT" => MonitoringMode::Both,
        _ => return Err(Failure::new(status::INVALID_FIELD, "The monitor type is unknown.")),
    };
    Ok(Outcome::command(change(view, |strip| strip.monitoring = monitoring)))
}

fn tracks(call: &Call<'_>) -> CallResult {
    let tracks = tracks_of(&call.strip()?.1.audio.strip);
    Ok(Outcome::Answer(json!({ "inputAudioTracks": tracks })))
}

fn set_tracks(call: &Call<'_>) -> CallResult {
    let (view, wanted) = (call.strip()?.1, call.object("inputAudioTracks")?);
    let call = Call { data: wanted, ..*call };
    let in_program = call.optional_flag("1")?;
    let mut extra = view.audio.strip.tracks;
    for track in ExtraTrack::all() {
        if let Some(is_in) = call.optional_flag(&track.to_string())? {
            extra = extra.with(track, is_in);
        }
    }
    Ok(Outcome::command(change(view, |strip| {
        strip.tracks = extra;
        if let Some(in_program) = in_program {
            strip.monitoring = strip.monitoring.with_program(in_program);
        }
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::tests::{commands, read, refused};
    use crate::mix::StripId;
    use onair_studio::{AudioStrip, Snapshot};

    fn with_mic() -> Snapshot {
        let strip = AudioStrip::new(StripId(0), "mic".parse().unwrap());
        Snapshot { strips: vec![StripView::open(strip, "Mic")], ..Snapshot::default() }
    }

    /// Returns the strip after a request.
    fn after(name: &str, field: &str, value: Value) -> Strip {
        let mut data = json!({ "inputName": "Mic" });
        data[field] = value;
        match commands(REQUESTS, &with_mic(), name, &data).as_slice() {
            [Command::SetStrip { id: StripId(0), before, strip }] => {
                assert_eq!(*before, Strip::default());
                strip.clone()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn volumes_are_decibels_or_factors_and_silence_is_the_lowest() {
        assert_eq!(after("SetInputVolume", "inputVolumeDb", json!(-6.5)).gain_db, -6.5);
        assert_eq!(after("SetInputVolume", "inputVolumeMul", json!(0)).gain_db, -60.0);
        assert_eq!(after("SetInputVolume", "inputVolumeDb", json!(26)).gain_db, 20.0);
        let half = after("SetInputVolume", "inputVolumeMul", json!(0.5)).gain_db;
        assert!((half + 6.02).abs() < 0.01, "{half}");
        let volume = read(REQUESTS, &with_mic(), "GetInputVolume", &json!({ "inputName": "Mic" }));
        assert_eq!(volume, json!({ "inputVolumeDb": 0.0, "inputVolumeMul": 1.0 }));
        assert_eq!(volume_of(-60.0), (-100.0, 0.0));
        for (data, status) in [
            (json!({ "inputName": "Mic" }), 300),
            (json!({ "inputName": "Mic", "inputVolumeDb": 27 }), 402),
            (json!({ "inputName": "Mic", "inputVolumeDb": 1, "inputVolumeMul": 1 }), 404),
            (json!({ "inputName": "Other", "inputVolumeDb": 1 }), 600),
        ] {
            assert_eq!(refused(REQUESTS, &with_mic(), "SetInputVolume", &data), status, "{data}");
        }
    }

    #[test]
    fn each_request_changes_one_setting_of_the_strip() {
        assert!(after("SetInputMute", "inputMuted", true.into()).muted);
        assert!(after("ToggleInputMute", "x", Value::Null).muted);
        assert_eq!(after("SetInputAudioBalance", "inputAudioBalance", json!(0.25)).balance, -0.5);
        let offset = after("SetInputAudioSyncOffset", "inputAudioSyncOffset", json!(-80));
        assert_eq!((offset.offset_us, offset_millis(&offset)), (-80_000, -80));
        let mode = "OBS_MONITORING_TYPE_MONITOR_ONLY";
        let monitored = after("SetInputAudioMonitorType", "monitorType", mode.into());
        assert_eq!(monitor_name(monitored.monitoring), mode);
        let tracks = json!({ "1": false, "3": true });
        let tracks = after("SetInputAudioTracks", "inputAudioTracks", tracks);
        assert_eq!(tracks.monitoring, MonitoringMode::Tracks);
        let all = json!({ "1": false, "2": false, "3": true, "4": false, "5": false, "6": false });
        assert_eq!(tracks_of(&tracks), all);
    }
}
