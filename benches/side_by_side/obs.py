"""OBS Studio with a profile of its own, idle or streaming to a sink as soon as it is up: 720p30, x264
veryfast, 2,500 kbps. Scenes: one colour, or a looping clip."""

import configparser
import json
from pathlib import Path

from measure import Program, wait_for
from sink import Sink


def _ini(path, sections):
    file = configparser.ConfigParser()
    file.optionxform = str
    file.read_dict(sections)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        file.write(out, space_around_delimiters=False)


def _configure(home, url, key, scene, clip):
    root = home / ".config/obs-studio"
    profile = root / "basic/profiles/Bench"
    names = {"Profile": "Bench", "ProfileDir": "Bench", "SceneCollection": "Bench", "SceneCollectionFile": "Bench"}
    marks = {"FirstRun": "true", "LastVersion": "486539266", "EnableAutoUpdates": "false", "ConfirmOnExit": "false"}
    marks |= {f"Pre{version}Defaults": "false" for version in ("19", "21", "23", "24.1")}
    _ini(root / "global.ini", {
        "General": marks, "Basic": names, "BasicWindow": {"PreviewEnabled": "true", "WarnBeforeStoppingStream": "false"},
        "Audio": {"DisableAudioDucking": "true"},
    })
    _ini(profile / "basic.ini", {
        "General": {"Name": "Bench"},
        "Video": {"BaseCX": 1280, "BaseCY": 720, "OutputCX": 1280, "OutputCY": 720, "FPSCommon": 30,
                  "ColorFormat": "NV12", "ColorSpace": "709"},
        "Audio": {"SampleRate": 48000, "ChannelSetup": "Stereo"},
        "Output": {"Mode": "Advanced", "Reconnect": "false"},
        "AdvOut": {"Encoder": "obs_x264", "ApplyServiceSettings": "false", "Track1Bitrate": 128},
    })
    (profile / "streamEncoder.json").write_text(json.dumps(
        {"rate_control": "CBR", "bitrate": 2500, "keyint_sec": 2, "preset": "veryfast", "profile": "high"}))
    (profile / "service.json").write_text(json.dumps(
        {"type": "rtmp_custom", "settings": {"server": url, "key": key, "use_auth": False}}))
    if scene == "media":
        source = {"id": "ffmpeg_source", "versioned_id": "ffmpeg_source",
                  "settings": {"local_file": str(clip), "is_local_file": True, "looping": True, "hw_decode": False}}
    else:
        source = {"id": "color_source", "versioned_id": "color_source_v3",
                  "settings": {"color": 0xFF406080, "width": 1280, "height": 720}}
    item = {"name": "Picture", "id": 1, "visible": True, "pos": {"x": 0.0, "y": 0.0}, "scale": {"x": 1.0, "y": 1.0}}
    scenes = root / "basic/scenes/Bench.json"
    scenes.parent.mkdir(parents=True, exist_ok=True)
    scenes.write_text(json.dumps({
        "name": "Bench", "current_scene": "Scene", "current_program_scene": "Scene",
        "scene_order": [{"name": "Scene"}],
        "sources": [{"name": "Picture", "enabled": True, "volume": 1.0, "mixers": 255, **source},
                    {"name": "Scene", "id": "scene", "enabled": True, "settings": {"id_counter": 1, "items": [item]}}],
    }))


def start(bench, env, scene, live=True):
    """Starts it on the display of `env`; where it goes live, returns once its first picture is on the wire."""
    home = bench.folder / f"obs-{scene}"
    run = home / "run"
    run.mkdir(parents=True, exist_ok=True)
    run.chmod(0o700)
    sink = Sink()
    url, key = sink.url().rsplit("/", 1)
    _configure(home, url, key, scene, Path(bench.clip()[0]))
    env = {**env, "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "XDG_RUNTIME_DIR": str(run),
           "QT_QPA_PLATFORM": "xcb"}
    command = ["obs", "--multi", "--profile", "Bench", "--collection", "Bench", "--scene", "Scene"]
    program = Program(command + ["--startstreaming"] * live, bench.log, env=env)
    try:
        if live:
            wait_for("the first picture of OBS", lambda: sink.first_video)
    except RuntimeError:
        program.stop()
        raise
    return program
