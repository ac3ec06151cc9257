//! Asks onair, or OBS, through obws: `obws-client PORT PASSWORD`. The studio has the scenes *Main* and *Break*, and an
//! audio input *Voice*, as `tests/remote_control/compare_obs.py` makes them.

use std::process::ExitCode;

use obws::Client;
use obws::requests::inputs::{InputId, Volume};
use obws::requests::scene_items::SetEnabled;
use obws::requests::scenes::SceneId;
use obws::requests::sources::SourceId;
use time::Duration;

/// Counts an answer, and says what is wrong with it.
macro_rules! ask {
    ($counts:ident, $client:ident . $group:ident . $($call:tt)+) => {
        match $client.$group().$($call)+.await {
            Ok(answer) => { $counts.0 += 1; Some(answer) }
            Err(error) => {
                $counts.1 += 1;
                println!("{}.{}: {error:?}", stringify!($group), stringify!($($call)+));
                None
            }
        }
    };
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (port, password) = (words.next(), words.next());
    let port = port.and_then(|it| it.parse().ok()).unwrap_or(4455);
    let client = match Client::connect("127.0.0.1", port, password).await {
        Ok(client) => client,
        Err(error) => {
            println!("cannot connect: {error:?}");
            return ExitCode::FAILURE;
        }
    };
    let mut counts = (0, 0);
    ask!(counts, client.general.version());
    ask!(counts, client.general.stats());
    ask!(counts, client.config.video_settings());
    ask!(counts, client.config.record_directory());
    ask!(counts, client.config.stream_service_settings::<serde_json::Value>());
    ask!(counts, client.profiles.list());
    ask!(counts, client.scene_collections.list());
    ask!(counts, client.scenes.list());
    ask!(counts, client.scenes.list_groups());
    ask!(counts, client.scenes.current_program_scene());
    ask!(counts, client.scenes.set_current_program_scene("Break"));
    ask!(counts, client.scenes.set_current_program_scene("Main"));
    ask!(counts, client.scenes.transition_override(SceneId::Name("Main")));
    ask!(counts, client.scenes.create("Talk"));
    ask!(counts, client.scenes.set_name(SceneId::Name("Talk"), "Interview"));
    ask!(counts, client.scenes.remove(SceneId::Name("Interview")));
    let items = ask!(counts, client.scene_items.list(SceneId::Name("Main"))).unwrap_or_default();
    if let Some(item) = items.first() {
        let (scene, item_id) = (SceneId::Name("Main"), item.id);
        ask!(counts, client.scene_items.transform(scene, item_id));
        ask!(counts, client.scene_items.set_enabled(SetEnabled { scene, item_id, enabled: false }));
        ask!(counts, client.scene_items.enabled(scene, item_id));
        ask!(counts, client.scene_items.set_enabled(SetEnabled { scene, item_id, enabled: true }));
        ask!(counts, client.scene_items.locked(scene, item_id));
        ask!(counts, client.scene_items.index(scene, item_id));
        ask!(counts, client.scene_items.blend_mode(scene, item_id));
        let name = item.source_name.clone();
        ask!(counts, client.sources.active(SourceId::Name(&name)));
        ask!(counts, client.filters.list(SourceId::Name(&name)));
    }
    ask!(counts, client.inputs.list(None));
    ask!(counts, client.inputs.list_kinds(true));
    ask!(counts, client.inputs.specials());
    let voice = InputId::Name("Voice");
    ask!(counts, client.inputs.settings::<serde_json::Value>(voice));
    ask!(counts, client.inputs.muted(voice));
    ask!(counts, client.inputs.set_muted(voice, true));
    ask!(counts, client.inputs.toggle_mute(voice));
    ask!(counts, client.inputs.volume(voice));
    ask!(counts, client.inputs.set_volume(voice, Volume::Db(-6.0)));
    ask!(counts, client.inputs.audio_balance(voice));
    ask!(counts, client.inputs.set_audio_balance(voice, 0.25));
    ask!(counts, client.inputs.audio_sync_offset(voice));
    ask!(counts, client.inputs.set_audio_sync_offset(voice, Duration::milliseconds(40)));
    ask!(counts, client.inputs.audio_monitor_type(voice));
    ask!(counts, client.inputs.audio_tracks(voice));
    ask!(counts, client.transitions.list_kinds());
    ask!(counts, client.transitions.list());
    ask!(counts, client.transitions.current());
    ask!(counts, client.transitions.set_current("Fade"));
    ask!(counts, client.transitions.set_current_duration(Duration::milliseconds(200)));
    ask!(counts, client.ui.studio_mode_enabled());
    ask!(counts, client.ui.set_studio_mode_enabled(true));
    ask!(counts, client.scenes.current_preview_scene());
    ask!(counts, client.scenes.set_current_preview_scene("Break"));
    ask!(counts, client.transitions.trigger());
    ask!(counts, client.ui.set_studio_mode_enabled(false));
    ask!(counts, client.streaming.status());
    ask!(counts, client.recording.start());
    ask!(counts, client.recording.status());
    ask!(counts, client.recording.stop());
    ask!(counts, client.outputs.list());
    ask!(counts, client.hotkeys.list());
    ask!(counts, client.general.broadcast_custom_event(&serde_json::json!({ "from": "obws" })));
    println!("{} answers are as obws expects them, {} are not", counts.0, counts.1);
    if counts.1 == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
