//! Hotkeys by name. The names are those of OBS where OBS has the same command, so that buttons of
//! other programs work with both.

use serde_json::json;

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::requests::{outputs, transitions};
use onair_studio::Command;

pub const REQUESTS: &[RequestEntry] = &[("GetHotkeyList", list), ("TriggerHotkeyByName", trigger)];

/// The hotkeys, and the requests that do the same.
const REQUEST_OF: [RequestEntry; 11] = [
    ("OBSBasic.StartStreaming", outputs::start_stream),
    ("OBSBasic.StopStreaming", outputs::stop_stream),
    ("OBSBasic.ForceStopStreaming", outputs::stop_stream),
    ("OBSBasic.StartRecording", outputs::start_record),
    ("OBSBasic.StopRecording", outputs::stop_record),
    ("OBSBasic.PauseRecording", outputs::pause_record),
    ("OBSBasic.UnpauseRecording", outputs::resume_record),
    ("OBSBasic.SplitFile", outputs::split_record),
    ("OBSBasic.AddChapterMarker", outputs::chapter),
    ("OBSBasic.Transition", transitions::take),
    ("ReplayBuffer.Save", outputs::save_replay),
];

/// The hotkeys that no request does.
const OWN: [(&str, Command); 4] = [
    ("onair.Undo", Command::Undo),
    ("onair.Redo", Command::Redo),
    ("onair.RetryNow", Command::RetryNow),
    ("onair.ResetLoudness", Command::ResetLoudness),
];

fn list(_: &Call<'_>) -> CallResult {
    let of_obs = REQUEST_OF.iter().map(|(name, _)| *name);
    let others =
        ["OBSBasic.EnablePreviewProgram", "OBSBasic.DisablePreviewProgram", "OBSBasic.Screenshot"];
    let own = OWN.iter().map(|(name, _)| *name);
    let all: Vec<&str> = of_obs.chain(others).chain(own).collect();
    Ok(Outcome::Answer(json!({ "hotkeys": all })))
}

fn trigger(call: &Call<'_>) -> CallResult {
    let name = call.text("hotkeyName")?;
    if let Some((_, command)) = OWN.iter().find(|(known, _)| *known == name) {
        return Ok(Outcome::command(command.clone()));
    }
    let scenes = &call.studio.scenes;
    match name {
        "OBSBasic.EnablePreviewProgram" => {
            let preview = scenes.preview_scene.unwrap_or(scenes.collection.current);
            return Ok(Outcome::command(Command::SetPreviewScene(Some(preview))));
        }
        "OBSBasic.DisablePreviewProgram" => {
            return Ok(Outcome::command(Command::SetPreviewScene(None)));
        }
        "OBSBasic.Screenshot" => {
            let folder = &call.studio.preferences.recording_folder;
            let path = crate::files::new_path(folder, "onair screenshot", "png");
            return Ok(Outcome::command(Command::Screenshot(path)));
        }
        _ => {}
    }
    let found = REQUEST_OF.iter().find(|(known, _)| *known == name);
    let (_, perform) = found.ok_or_else(|| Failure::not_found("hotkey", name))?;
    let empty = serde_json::Map::new();
    match perform(&Call { data: &empty, ..*call })? {
        Outcome::Commands(commands, _) => Ok(Outcome::commands(commands)),
        other => Ok(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::call::tests::{commands, read, refused};
    use onair_studio::Snapshot;

    #[test]
    fn every_listed_hotkey_is_known() {
        let studio = Snapshot::default();
        let list = read(REQUESTS, &studio, "GetHotkeyList", &Value::Null);
        for name in list["hotkeys"].as_array().unwrap() {
            let data = json!({ "hotkeyName": name });
            if let Err(why) =
                crate::call::tests::ask(REQUESTS, &studio, "TriggerHotkeyByName", &data)
            {
                assert!((500..600).contains(&why.status), "{name}: {why:?}");
            }
        }
        let undo = json!({ "hotkeyName": "onair.Undo" });
        assert_eq!(commands(REQUESTS, &studio, "TriggerHotkeyByName", &undo), [Command::Undo]);
        let other = json!({ "hotkeyName": "libobs.mute" });
        assert_eq!(refused(REQUESTS, &studio, "TriggerHotkeyByName", &other), 600);
    }
}
