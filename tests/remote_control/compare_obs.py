"""Compares the answers of onair and of OBS to the requests of the script, field by field.

It starts both, OBS (Debian's obs-studio) on a display of its own, runs requests.json with simpleobsws against each, and
prints a table in Markdown of what differs: status codes, and fields that only one of them answers. Values may differ, so
only those that the script expects are compared. It is not a part of the tests: OBS needs a display and OpenGL.

    python3 compare_obs.py PATH_OF_ONAIR
"""

import asyncio
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import simpleobsws
from simpleobsws import Request

import script

PASSWORD = "compare-answers"
OBS_PORT, ONAIR_PORT, DISPLAY = 4466, 4467, ":94"
SIZE = (640, 360)


def item(name, number):
    return {
        "name": name, "id": number, "visible": True, "locked": False, "rot": 0.0, "align": 5,
        "pos": {"x": 0.0, "y": 0.0}, "scale": {"x": 1.0, "y": 1.0}, "bounds_type": 0,
        "bounds_align": 0, "bounds": {"x": 0.0, "y": 0.0},
        "crop_left": 0, "crop_top": 0, "crop_right": 0, "crop_bottom": 0,
    }


def scene(name, items):
    settings = {"id_counter": len(items), "custom_size": False, "items": items}
    return {"name": name, "id": "scene", "settings": settings, "mixers": 0, "enabled": True}


def start_obs(home):
    """Writes settings with which OBS asks nothing, and starts it."""
    folder = home / "obs-studio"
    profile, scenes = folder / "basic/profiles/Test", folder / "basic/scenes"
    profile.mkdir(parents=True)
    scenes.mkdir(parents=True)
    width, height = SIZE
    (folder / "global.ini").write_text(
        "[General]\nFirstRun=true\nLastVersion=486539266\nPre19Defaults=false\nPre21Defaults=false\n"
        "Pre23Defaults=false\nPre24.1Defaults=false\nEnableAutoUpdates=false\nInfoIncrement=99\n"
        "[Basic]\nProfile=Test\nProfileDir=Test\nSceneCollection=Test\nSceneCollectionFile=Test\n"
        "ConfigOnNewProfile=false\n[BasicWindow]\nSysTrayEnabled=true\nWarnBeforeStartingStream=false\n"
        "WarnBeforeStoppingStream=false\n"
        f"[OBSWebSocket]\nFirstLoad=false\nServerEnabled=true\nServerPort={OBS_PORT}\n"
        f"AlertsEnabled=false\nAuthRequired=true\nServerPassword={PASSWORD}\n"
    )
    (profile / "basic.ini").write_text(
        f"[General]\nName=Test\n[Video]\nBaseCX={width}\nBaseCY={height}\nOutputCX={width}\n"
        f"OutputCY={height}\nFPSType=0\nFPSCommon=30\n[Audio]\nSampleRate=48000\nChannelSetup=Stereo\n"
        f"[SimpleOutput]\nFilePath={home}\nRecFormat=mkv\nRecQuality=Stream\n[Output]\nMode=Simple\n"
    )
    color = {"color": 4278190335, "width": width, "height": height}
    sources = [
        {"name": "Color", "id": "color_source", "versioned_id": "color_source_v3", "settings": color},
        {"name": "Voice", "id": "ffmpeg_source", "versioned_id": "ffmpeg_source",
         "settings": {"is_local_file": False, "input": ""}, "mixers": 255, "volume": 1.0,
         "balance": 0.5, "enabled": True, "muted": False},
        scene("Main", [item("Color", 1), item("Voice", 2)]),
        scene("Break", []),
    ]
    collection = {
        "name": "Test", "current_scene": "Main", "current_program_scene": "Main",
        "scene_order": [{"name": "Main"}, {"name": "Break"}], "current_transition": "Fade",
        "transition_duration": 300, "transitions": [], "groups": [], "sources": sources,
    }
    (scenes / "Test.json").write_text(json.dumps(collection))
    names = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR"]
    env = {**os.environ, **{name: str(home) for name in names}, "DISPLAY": DISPLAY,
           "LIBGL_ALWAYS_SOFTWARE": "1", "QT_QPA_PLATFORM": "xcb", "PULSE_SERVER": str(home / "none")}
    env.pop("WAYLAND_DISPLAY", None)
    command = ["obs", "--multi", "--minimize-to-tray", "--profile", "Test", "--collection", "Test"]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_onair(program, home):
    settings = home / "settings.toml"
    settings.write_text(
        "version = 2\nvideo = 'color:#ff0000'\naudio = 'tone'\n"
        f"[quality]\nsize = '{SIZE[0]}x{SIZE[1]}'\nvideo_bitrate = 600000\n[[strips]]\nname = 'Voice'\n"
        f"[window]\nrecording_folder = '{home}'\n[recording]\nformat = 'mkv'\n"
        "[collection]\ncurrent = 'Main'\ntransition = 'fade'\ntransition_ms = 300\n"
        "[[collection.scenes]]\nname = 'Main'\n[[collection.scenes.items]]\nmain = true\n"
        "[[collection.scenes]]\nname = 'Break'\n"
    )
    command = [program, "live", "--settings", settings, "--built-in", "--obs-websocket",
               f"127.0.0.1:{ONAIR_PORT}", "--obs-websocket-password-env", "PASS_WORD"]
    env = {**os.environ, "PASS_WORD": PASSWORD, "XDG_STATE_HOME": str(home)}
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# Why answers differ, by the request. A difference without a reason has an empty cell.
OLD = "OBS 29 speaks protocol 5.1, which has no UUIDs."
STATE = "OBS streams nowhere here, and its recorder cannot pause."
REASONS = {
    "GetVersion": "OBS says the name of the distribution.",
    "GetStreamStatus": STATE, "GetRecordStatus": STATE, "ResumeRecord": STATE, "StopStream": STATE,
    "GetSceneList": OLD + " It lists the scenes of this collection in the other order.",
    "GetCurrentProgramScene": OLD + " After the T-bar of the script, it still shows Main.",
    "CreateScene": OLD, "GetInputList": OLD,
    "GetSceneTransitionList": OLD, "GetCurrentSceneTransition": OLD,
    "GetInputSettings": "`choice` is how onair names any source.",
    "GetSceneItemList": OLD + " `cropToBounds` is newer too.",
    "GetSceneItemTransform": "`cropToBounds` is newer than OBS 29.",
    "CallVendorRequest": "The vendor is onair; the request undoes the removal of an item.",
    "GetSceneItemEnabled": "This item is back because of `CallVendorRequest`.",
    "GetVirtualCamStatus": "OBS needs v4l2loopback, which is not there.",
    "StartVirtualCam": "OBS needs v4l2loopback, which is not there.",
    "ToggleVirtualCam": "OBS needs v4l2loopback, which is not there.",
    "GetOutputList": "onair lists its outputs in a fixed order.",
    "TriggerHotkeyByName": "The names of hotkeys are those of each program.",
    "PressInputPropertiesButton": "onair does not have this request; the test leaves out its fields.",
}


def without_uuids(name, data, has_uuids):
    """OBS 29 knows scenes only by their names."""
    names = {"$talk": "Talk" if name == "SetSceneName" else "Interview", "$break": "Break"}
    known = names.get(data.get("sceneUuid"))
    if has_uuids or known is None:
        return data
    return {"sceneName": known, **{key: value for key, value in data.items() if key != "sceneUuid"}}


def leaves(value, path=""):
    """Yields the paths of all fields; those of list entries only once."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path


async def answers(port, wanted):
    """Runs the script, and returns code and data of each answer. A failure ends nothing."""
    end = time.monotonic() + script.LIMIT
    while True:
        client = simpleobsws.WebSocketClient(f"ws://127.0.0.1:{port}", PASSWORD)
        try:
            await client.connect()
            if await client.wait_until_identified(timeout=5):
                break
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit(f"nothing answers on port {port}")
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)
    saved, result, has_uuids = {}, [], port == ONAIR_PORT
    for name, data, expected, *more in wanted["requests"]:
        more = more[0] if more else {}
        try:
            asked = script.with_saved(without_uuids(name, data, has_uuids), saved)
        except KeyError as missing:
            result.append((None, {}, f"not asked: there is no {missing}"))
            continue
        end = time.monotonic() + (5 if more.get("wait") else 0)
        while True:
            answer = await client.call(Request(name, asked), timeout=30)
            status, found = answer.requestStatus, answer.responseData or {}
            try:
                problem = script.wrong(found, script.with_saved(expected, saved))
            except KeyError:
                problem = None
            is_done = status.code == more.get("code", 100) and problem is None
            if is_done or time.monotonic() > end:
                break
            await asyncio.sleep(0.1)
        result.append((status.code, found, problem))
        for key, path in more.get("save", {}).items():
            try:
                saved[key] = script.at(found, path)
            except (KeyError, IndexError, TypeError):
                pass
    await client.disconnect()
    return result


def rows(wanted, onair, obs):
    """Returns the lines of the table: one for each request with a difference."""
    lines = {}
    for (name, data, *_), ours, theirs in zip(wanted["requests"], onair, obs):
        notes = []
        if ours[0] != theirs[0]:
            notes.append(f"status {ours[0]}, OBS {theirs[0]}")
        elif ours[0] == 100:
            mine, other = set(leaves(ours[1])) - {""}, set(leaves(theirs[1])) - {""}
            for who, only in (("only onair", mine - other), ("only OBS", other - mine)):
                if only:
                    notes.append(f"{who}: {', '.join(f'`{it}`' for it in sorted(only)[:8])}")
            if theirs[2] and not ours[2]:
                notes.append(f"OBS: {theirs[2]}")
        if ours[2] and ours[0] == 100:
            notes.append(f"onair: {ours[2]}")
        for note in notes:
            lines.setdefault(name, [])
            if note not in lines[name]:
                lines[name].append(note)
    # The paths of list entries are no markup.
    return [f"| `{name}` | {'; '.join(notes)} | {REASONS.get(name, '')} |" for name, notes in lines.items()]


def main():
    path = pathlib.Path(__file__).with_name("requests.json")
    wanted = json.loads(path.read_text(encoding="utf-8"))
    display = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1280x720x24", "-nolisten", "tcp"])
    running = []
    try:
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            time.sleep(1)
            running.append(start_obs(pathlib.Path(one)))
            obs = asyncio.run(answers(OBS_PORT, wanted))
            running.append(start_onair(sys.argv[1], pathlib.Path(two)))
            onair = asyncio.run(answers(ONAIR_PORT, wanted))
            same = sum(a[0] == b[0] for a, b in zip(onair, obs))
            print(f"{len(obs)} requests, {same} with the same status.\n")
            print("| request | difference | reason |\n|---|---|---|")
            print("\n".join(rows(wanted, onair, obs)))
            for process in running:
                process.terminate()
                process.wait(20)
    finally:
        for process in running:
            process.kill()
        display.terminate()


main()
