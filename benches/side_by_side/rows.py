"""What is compared. Each row is a function that runs all its programs `times` times, one after the
other in turn, and gives figures by program."""

import json
import re
import os
import shutil
import sys
import time
from pathlib import Path

import audience
import browsers as viewer_page
import delivery
import studio
import window as studio_window
from measure import Program, free_port, listening, median, wait_for
from sink import Sink

OTHER_SERVERS = ("nginx-rtmp", "node-media-server")
SIZE, RATE, VIDEO, AUDIO = "1280x720", 30, "2500k", "128k"


class Bench:
    """Where things are, and what was asked for."""

    def __init__(self, onair, load, encode, filter_, viewers, ffmpeg, static_ffmpeg, dashjs, folder, times, seconds):
        self.onair, self.load, self.encode, self.filter, self.viewers = onair, load, encode, filter_, viewers
        self.ffmpeg, self.static = ffmpeg, static_ffmpeg
        self.mpegts = Path(__file__).parents[2] / "assets/web/vendor/mpegts.js"
        self.dashjs = Path(dashjs) if dashjs else None
        self.ffprobe = shutil.which("ffprobe")
        self.folder, self.times, self.seconds = Path(folder), times, seconds
        self.log = self.folder / "log"

    def environment(self, **more):
        env = {key: value for key, value in os.environ.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
        env["XDG_CONFIG_HOME"] = str(self.folder / "config")
        env.update(more)
        return env

    def clip(self):
        """Ten seconds of pre-rendered pictures and sound."""
        video, audio = self.folder / "clip.y4m", self.folder / "clip.wav"
        if not (video.exists() and audio.exists()):
            for source, codec, file in (
                (f"testsrc2=size={SIZE}:rate={RATE}", ["-pix_fmt", "yuv420p"], video),
                ("sine=frequency=220:sample_rate=48000,aformat=channel_layouts=stereo", ["-c:a", "pcm_s16le"], audio),
            ):
                part = file.with_suffix(".part" + file.suffix)
                command = [self.ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", source, "-t", "10", *codec, part]
                if Program(command, self.log).wait(120) != 0:
                    raise RuntimeError(f"no clip could be made; see {self.log}")
                part.rename(file)
        return video, audio


def turns(bench, programs, times=None):
    """Runs each program of `programs` (name → function giving figures) in turn, `times` times. If a server of others
    fails under the load, the other figures count nevertheless."""
    found = {name: [] for name in programs}
    for _ in range(times or bench.times):
        for name, run in programs.items():
            try:
                found[name].append(run())
            except RuntimeError as error:
                if not name.startswith(OTHER_SERVERS):
                    raise
                print(f"  {name} FAILED: {error}", file=sys.stderr)
            time.sleep(0.5)
    return {
        name: {key: [run.get(key) for run in runs] for key in runs[0]} for name, runs in found.items() if runs
    }


def broadcast(bench):
    """CPU of a 720p30 broadcast, from pre-rendered frames and from the test source."""
    video, audio = bench.clip()
    seconds = bench.seconds

    def run(command):
        port = free_port()
        url = f"rtmp://127.0.0.1:{port}/live/bench"
        received = bench.folder / "received.flv"
        sink = [bench.ffmpeg, "-v", "error", "-y", "-listen", "1", "-i", url, "-c", "copy", "-f", "flv", received]
        with Program(sink, bench.log) as receiver:
            wait_for("the receiver", lambda: listening(port))
            program = Program(command(url), bench.log, env=bench.environment())
            status = program.wait(seconds * 2 + 30)
            receiver.wait(20)
        if status != 0:
            raise RuntimeError(f"{program.command[0]} ended with {status}; see {bench.log}")
        return {
            "cpu_s_per_s": program.usage["cpu_s"] / seconds,
            "peak_mb": program.usage["peak_mb"],
            "kbps": received.stat().st_size * 8 / 1000 / seconds,
        }

    def ours(picture, sound):
        return lambda url: [
            bench.onair, "live", "--json", "--video", picture, "--audio", sound, "--size", SIZE, "--fps", RATE,
            "--video-bitrate", VIDEO, "--audio-bitrate", AUDIO, "--duration", f"{seconds}s", "--to", url,
        ]

    def theirs(program, *codec):
        return lambda url: [
            program, "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", video,
            "-re", "-stream_loop", "-1", "-i", audio, "-t", seconds, *codec,
            "-b:v", VIDEO, "-g", 60, "-c:a", "aac", "-b:a", AUDIO, "-f", "flv", url,
        ]

    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-maxrate", VIDEO, "-bufsize", VIDEO)
    programs = {
        "onair, pre-rendered": lambda: run(ours(f"file:{video}", f"file:{audio}")),
        "onair, test source": lambda: run(ours("test", "tone")),
        "ffmpeg, x264": lambda: run(theirs(bench.ffmpeg, *x264)),
    }
    if bench.static:
        openh264 = ("-c:v", "libopenh264", "-rc_mode", "bitrate", "-allow_skip_frames", "0", "-maxrate", VIDEO)
        # Newer FFmpeg versions use Constrained Baseline and CAVLC by default; onair sends High and CABAC.
        high = ("-profile:v", "high", "-coder", "cabac")
        programs["ffmpeg, openh264"] = lambda: run(theirs(bench.static, *openh264, *high))
        programs["ffmpeg, openh264 baseline"] = lambda: run(theirs(bench.static, *openh264))
    return turns(bench, programs)


def quality(bench):
    """Bits for the same picture against other encoders, and how well the bitrate is held. Not a
    matter of time: once, whatever `times` says."""
    if not (bench.static and bench.encode):
        return None
    import quality as row

    return row.compare(bench)


def relay(bench):
    """One stream to 200 players: CPU a delivered byte, latency added (from the publisher's call to the
    whole message at a player, the client's own part included), memory, first keyframe of a late
    player."""

    def run(command, port):
        found = audience.load(bench, command, [port], "--players", 200)
        return {
            "cpu_s_per_s": found["server_cpu_s_per_s"],
            "cpu_ns_per_byte": found["server_cpu_ns_per_byte"],
            "delivered_part": found["delivered_bytes"] / found["expected_bytes"],
            "latency_p50_ms": found["latency_ms"]["p50"],
            "latency_p99_ms": found["latency_ms"]["p99"],
            "rss_mb": found["server_rss_kb"] / 1024,
            "client_cpu_s_per_s": found["client_cpu_s_per_s"],
            "join_ms": found["join_ms"]["p50"],
            "play_to_keyframe_ms": found["play_to_keyframe_ms"]["p50"],
        }

    def ours():
        port = free_port()
        return run([bench.onair, "serve", "--json", "--rtmp", f"127.0.0.1:{port}", "--http", "127.0.0.1:0"], port)

    return turns(bench, {"onair": ours, "nginx-rtmp": lambda: run(*audience.nginx_rtmp(bench))})


def crowd(bench):
    """RTMP and HTTP-FLV viewers, from one to 3,000, beside nginx-rtmp and node-media-server."""
    return audience.crowd(bench, turns)


def viewers(bench):
    """WHEP viewers with real DTLS and SRTP, and viewers of low-latency HLS with and without a cache."""
    return audience.viewers(bench, turns)


def browsers(bench):
    return viewer_page.browsers(bench, turns)


def start(bench):
    """From the start of the process to its first picture on the wire."""

    def run(command):
        sink = Sink()
        with Program(command(sink.url()), bench.log, env=bench.environment()) as program:
            if not sink.event.wait(20):
                raise RuntimeError(f"no picture came from {program.command[0]}; see {bench.log}")
            figures = {
                "connect_ms": (sink.accepted - program.started) * 1000,
                "first_picture_ms": (sink.first_video - program.started) * 1000,
            }
        sink.close()
        return figures

    def ours(url):
        return [bench.onair, "live", "--json", "--video", "test", "--audio", "tone", "--duration", "30s", "--to", url]

    def theirs(url):
        return [
            bench.ffmpeg, "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", f"testsrc2=size={SIZE}:rate={RATE}",
            "-f", "lavfi", "-i", "sine=sample_rate=48000", "-c:v", "libx264", "-preset", "veryfast",
            "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-b:v", VIDEO, "-g", 60, "-c:a", "aac", "-f", "flv", url,
        ]

    return turns(bench, {"onair": lambda: run(ours), "ffmpeg": lambda: run(theirs)})


def events(file):
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


def glass(bench):
    """live → built-in server → play --headless --measure: picture to picture, with the default
    jitter buffer; and what each stage takes of it."""

    def run():
        sent, shown = bench.folder / "live.json", bench.folder / "play.json"
        for file in (sent, shown):
            file.unlink(missing_ok=True)
        live = [bench.onair, "live", "--json", "--video", "test", "--audio", "tone", "--duration", "120s"]
        with Program(live, bench.log, env=bench.environment(), out=sent):
            ready = wait_for("the play URL", lambda: [e for e in events(sent) if e.get("event") == "ready"])
            play = [
                bench.onair, "play", ready[0]["play"], "--headless", "--mute", "--measure", "--json",
                "--duration", f"{bench.seconds}s",
            ]
            player = Program(play, bench.log, env=bench.environment(), out=shown)
            if player.wait(bench.seconds + 30) != 0:
                raise RuntimeError(f"the player failed; see {bench.log}")
        stats = [e for e in events(shown) if e.get("event") == "play_stats" and e.get("latency_ms") is not None]
        # The first seconds fill the buffer.
        settled = stats[len(stats) // 3 :]
        if not settled:
            raise RuntimeError("the player measured nothing")
        stats_events = [e for e in events(sent) if e.get("event") == "stats"][2:]
        encode = median([e["video"]["encode_ms"] for e in stats_events])
        age = median([t["frame_age_ms"] for e in stats_events for t in e["targets"] if "frame_age_ms" in t])
        arrival = median([e["arrival_ms"] for e in settled if e.get("arrival_ms") is not None])
        latency = median([e["latency_ms"] for e in settled])
        return {
            "latency_ms": latency,
            "capture_ms": age - encode,
            "encode_ms": encode,
            "network_ms": arrival - age,
            "decode_and_wait_ms": latency - arrival,
            "buffer_ms": median([e["buffer_ms"] for e in settled if e.get("buffer_ms") is not None]),
            "av_offset_ms": median([e["av_offset_ms"] for e in settled if e.get("av_offset_ms") is not None]),
            "first_picture_ms": stats[0].get("first_picture_ms"),
            "player_cpu_s_per_s": player.usage["cpu_s"] / bench.seconds,
        }

    return turns(bench, {"onair": run})


def window(bench):
    """The window beside OBS: start, idle, minimized and on air."""
    programs = studio_window.programs(bench)
    return programs and turns(bench, programs)


def wire(bench):
    """Medians of the criterion rows of benches/wire.rs and benches/peers/, in nanoseconds, a figure
    for each library and turn."""
    found = {}
    for file in sorted((bench.folder / "criterion").glob("*/**/new/benchmark.json")):
        row = json.loads(file.read_text())
        median_ns = json.loads(file.with_name("estimates.json").read_text())["median"]["point_estimate"]
        found.setdefault(f"{row['group_id']}, {row['value_str']}", {}).setdefault(row["function_id"], []).append(median_ns)
    by_size = lambda name: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
    return {name: found[name] for name in sorted(found, key=by_size)} or None


def targets(bench):
    """What more targets cost."""
    return turns(bench, delivery.targets(bench)) if has_nginx() else None


def tls(bench):
    """What TLS costs a publisher at 6 Mbit/s."""
    return turns(bench, delivery.tls(bench))


def first(bench):
    """How soon a viewer sees something once a server can be reached."""
    return turns(bench, delivery.first(bench))


def joining(bench):
    """How soon a viewer sees something who joins over a connection that is not much faster than the stream."""
    return turns(bench, delivery.joining(bench))


def blackhole(bench):
    """What a server that takes nothing for a minute makes us hold."""
    return turns(bench, delivery.blackhole(bench)) if has_nginx() else None


def scene(bench):
    """What a scene costs a picture."""
    return turns(bench, studio.scene(bench)) if shutil.which("Xvfb") else None


def filters(bench):
    """What a filter costs a picture."""
    return turns(bench, studio.filters(bench)) if bench.filter else None


def screen(bench):
    """What looking at a screen costs."""
    return turns(bench, studio.screen(bench)) if shutil.which("Xvfb") else None


def strip(bench):
    """What a strip with filters costs."""
    return turns(bench, studio.strip(bench))


def watch(bench):
    """What players at one server make of a stream: looked at from outside, on a display."""
    import players

    return turns(bench, players.watch(bench)) if has_display() else None


def watch1080(bench):
    """The same of a stream of 1080p."""
    import players

    return turns(bench, players.watch(bench, players.FULL_HD)) if has_display() else None


def watchflv(bench):
    """The first one over HTTP-FLV."""
    import players

    return turns(bench, players.watch(bench, flv=True)) if has_display() else None


def lasting(bench):
    """What becomes of players' latency in ten minutes. Once, whatever `times` says."""
    import players

    return players.lasting(bench) if has_display() else None


def outages(bench):
    """How players come back."""
    import players

    return turns(bench, players.outages(bench)) if has_display() else None


def has_display():
    return all(shutil.which(program) for program in ("Xvfb", "openbox", "pulseaudio", "parec"))


def has_nginx():
    return os.path.exists("/usr/lib/nginx/modules/ngx_rtmp_module.so")
