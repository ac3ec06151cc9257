//! OBS on a virtual display, with its own settings. It plays a stream and publishes it again.

use std::fs;
use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use super::Peer;
use super::desktop::Desktop;

/// A running OBS. It ends before its desktop does.
pub struct Obs {
    pub peer: Peer,
    _home: TempDir,
    _desktop: Desktop,
}

/// The size of the stream that OBS sends: 30 frames per second, x264 with B-frames, AAC.
pub const SIZE: (u32, u32) = (640, 360);

impl Obs {
    /// Starts OBS, which plays `source` (a URL) in a scene and sends the scene to `server` with the
    /// stream key `key`.
    pub fn start(source: &str, server: &str, key: &str) -> Self {
        let (desktop, home) = (Desktop::start(), tempfile::tempdir().unwrap());
        settings(&home.path().join("obs-studio"), source, server, key);
        let mut command = desktop.command("obs");
        command.args(["--multi", "--startstreaming", "--minimize-to-tray"]);
        command.args(["--profile", "Test", "--collection", "Test", "--scene", "Scene"]);
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"];
        command.envs(folders.map(|name| (name, home.path())));
        command.envs([("LIBGL_ALWAYS_SOFTWARE", "1"), ("QT_QPA_PLATFORM", "xcb")]);
        // There is no sound server, so the stream contains only the audio of the source.
        command.env("PULSE_SERVER", home.path().join("none"));
        Self { peer: Peer::start_command(&mut command), _home: home, _desktop: desktop }
    }

    /// Returns the whole log of OBS.
    pub fn log(&self) -> String {
        self.peer.output() + &self.peer.errors()
    }
}

/// Creates a settings folder with which OBS asks no questions when it first starts.
fn settings(folder: &Path, source: &str, server: &str, key: &str) {
    let profile = folder.join("basic/profiles/Test");
    let scenes = folder.join("basic/scenes");
    for folder in [&profile, &scenes] {
        fs::create_dir_all(folder).unwrap();
    }
    let (width, height) = SIZE;
    let global = "[General]\nFirstRun=true\nLastVersion=486539266\nPre19Defaults=false\n\
        Pre21Defaults=false\nPre23Defaults=false\nPre24.1Defaults=false\nEnableAutoUpdates=false\n\
        InfoIncrement=99\n[Basic]\nProfile=Test\nProfileDir=Test\nSceneCollection=Test\n\
        SceneCollectionFile=Test\nConfigOnNewProfile=false\n[BasicWindow]\nSysTrayEnabled=true\n\
        PreviewEnabled=false\nWarnBeforeStartingStream=false\nWarnBeforeStoppingStream=false\n";
    let basic = format!(
        "[General]\nName=Test\n[Video]\nBaseCX={width}\nBaseCY={height}\nOutputCX={width}\n\
         OutputCY={height}\nFPSType=0\nFPSCommon=30\nColorFormat=NV12\nColorSpace=709\n\
         [Audio]\nSampleRate=48000\nChannelSetup=Stereo\n[Output]\nMode=Advanced\nReconnect=false\n\
         [AdvOut]\nTrackIndex=1\nEncoder=obs_x264\nApplyServiceSettings=false\nTrack1Bitrate=128\n"
    );
    fs::write(folder.join("global.ini"), global).unwrap();
    fs::write(profile.join("basic.ini"), basic).unwrap();
    let encoder = json!({
        "rate_control": "CBR", "bitrate": 1_500, "keyint_sec": 1,
        "preset": "veryfast", "profile": "high", "bf": 2,
    });
    let service = json!({
        "type": "rtmp_custom",
        "settings": {"server": server, "key": key, "use_auth": false, "bwtest": false},
    });
    let shown = json!({
        "name": "Source", "id": 1, "visible": true, "locked": false, "rot": 0.0,
        "pos": {"x": 0.0, "y": 0.0}, "scale": {"x": 1.0, "y": 1.0}, "align": 5,
        "bounds_type": 0, "bounds_align": 0, "bounds": {"x": 0.0, "y": 0.0},
        "crop_left": 0, "crop_top": 0, "crop_right": 0, "crop_bottom": 0,
    });
    let collection = json!({
        "name": "Test", "current_scene": "Scene", "current_program_scene": "Scene",
        "scene_order": [{"name": "Scene"}], "current_transition": "Cut",
        "transition_duration": 300, "transitions": [], "groups": [],
        "sources": [
            {
                "name": "Source", "id": "ffmpeg_source", "versioned_id": "ffmpeg_source",
                "settings": {
                    "is_local_file": false, "input": source, "buffering_mb": 0,
                    "reconnect_delay_sec": 1, "hw_decode": false,
                },
                "mixers": 255, "volume": 1.0, "balance": 0.5, "enabled": true, "muted": false,
            },
            {
                "name": "Scene", "id": "scene", "versioned_id": "scene",
                "settings": {"id_counter": 1, "custom_size": false, "items": [shown]},
                "mixers": 0, "enabled": true,
            },
        ],
    });
    fs::write(profile.join("streamEncoder.json"), encoder.to_string()).unwrap();
    fs::write(profile.join("service.json"), service.to_string()).unwrap();
    fs::write(scenes.join("Test.json"), collection.to_string()).unwrap();
}
