"""Rows about players: onair, mpv, ffplay and VLC at one server, each with its window on a display of its own
and its sound on a sound server of its own, judged from outside: the display is read by the test source's
code band and what is heard by its tone (crates/onair-base/src/media/markers.rs)."""

import os
import shutil
import signal
import subprocess
import threading
import time
from array import array
from pathlib import Path

from gate import Gate
from measure import Program, cpu_of, displayed, free_display, free_port, listening, median, resident_mb, wait_for

CELLS = 48
# Of the display, in the middle of the code band.
BAND_ROWS = 8
GLANCES = 100
RATE = 30
SETTLE = 6.0
GPU = ("llvmpipe",)

PULSE = """
.fail
load-module module-native-protocol-unix auth-anonymous=1 socket={folder}/native
load-module module-null-sink sink_name=speakers rate=48000 channels=2 format=float32le norewinds=1
set-default-sink speakers
"""


class Size:
    """Of a stream, and of the display that it fills."""

    def __init__(self, width, height):
        self.width, self.height = width, height
        self.band_top = height - height // 32 - BAND_ROWS // 2

    def __str__(self):
        return f"{self.width}x{self.height}"


HD, FULL_HD = Size(1280, 720), Size(1920, 1080)
# The minimum size of onair's window, because all players play at the same time.
SMALL = Size(960, 600)


def read_band(rows, width):
    """The time in grey rows of the band; None where there is none."""
    middle = rows[BAND_ROWS // 2 * width : (BAND_ROWS // 2 + 1) * width]
    cells = 0
    for cell in range(CELLS):
        left, right = cell * width // CELLS, (cell + 1) * width // CELLS
        quarter = (right - left) // 4
        piece = middle[left + quarter : right - quarter]
        cells = cells << 1 | (sum(piece) > 126 * len(piece))
    when = cells >> 10 & (1 << 36) - 1
    checksum = sum(when.to_bytes(5, "big")) & 0xFF
    if cells >> 46 == 2 and cells & 3 == 1 and cells >> 2 & 0xFF == checksum:
        return when
    return None


class Display:
    """An X server with one screen, and what was seen on it: (monotonic instant, time in the band) for each
    new picture."""

    def __init__(self, bench, size):
        self.size = size
        self.name = free_display()
        command = ["Xvfb", self.name, "-screen", "0", f"{size}x24", "-noreset", "-nolisten", "tcp", "-ac"]
        self.server = Program(command, bench.log)
        wait_for("the display", lambda: displayed(self.name))
        # Gives windows the size that they request.
        self.desktop = Program(["openbox", "--sm-disable"], bench.log, env=bench.environment(DISPLAY=self.name))
        self.seen = []
        self.eye = subprocess.Popen(
            [bench.ffmpeg, "-v", "error", "-f", "x11grab", "-draw_mouse", "0", "-framerate", str(GLANCES),
             "-video_size", f"{size.width}x{BAND_ROWS}", "-i", f"{self.name}+0,{size.band_top}",
             "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-flush_packets", "1", "-"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(bench.log, "ab"), bufsize=0,
        )
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self):
        size, before = self.size.width * BAND_ROWS, None
        while True:
            rows = b""
            while len(rows) < size:
                piece = self.eye.stdout.read(size - len(rows))
                if not piece:
                    return
                rows += piece
            if rows == before:
                continue
            before, now = rows, time.monotonic()
            when = read_band(rows, self.size.width)
            if when is not None and (not self.seen or self.seen[-1][1] != when):
                self.seen.append((now, when))

    def close(self):
        self.eye.kill()
        self.eye.wait()
        self.desktop.stop(signal.SIGTERM)
        self.server.stop(signal.SIGTERM)


class Ear:
    """A sound server without hardware, and the instants at which the tone was heard to begin."""

    RATE = 16_000
    BLOCK = 16  # a millisecond

    def __init__(self, bench):
        self.folder = bench.folder / f"pulse-{free_port()}"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(mode=0o755)
        (self.folder / "default.pa").write_text(PULSE.format(folder=self.folder))
        (self.folder / "client.conf").write_text("autospawn = no\nenable-shm = no\n")
        folder = str(self.folder)
        env = dict(os.environ, HOME=folder, XDG_RUNTIME_DIR=folder, XDG_CONFIG_HOME=folder, PULSE_STATE_PATH=folder,
                   PULSE_RUNTIME_PATH=folder, DBUS_SESSION_BUS_ADDRESS="disabled:")
        self.server = Program(
            ["pulseaudio", "-n", "-F", self.folder / "default.pa", "--daemonize=no", "--use-pid-file=no",
             "--exit-idle-time=-1", "--realtime=no", "--high-priority=no", "--system=no", "--disable-shm=yes",
             "--log-level=error"], bench.log, env=env,
        )
        self.env = {"PULSE_SERVER": f"unix:{folder}/native", "PULSE_CLIENTCONFIG": f"{folder}/client.conf"}
        wait_for("the sound server", lambda: (self.folder / "native").exists())
        os.chmod(self.folder / "native", 0o777)
        self.onsets = []
        self.parec = subprocess.Popen(
            ["parec", "--device=speakers.monitor", "--raw", "--format=s16le", "--channels=1", f"--rate={self.RATE}",
             "--latency-msec=10"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=open(bench.log, "ab"), bufsize=0,
            env=dict(os.environ, **self.env),
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        count, zero, loud, rest = 0, None, False, b""
        while data := self.parec.stdout.read(4096):
            now = time.monotonic()
            rest += data
            whole = len(rest) // (2 * self.BLOCK) * 2 * self.BLOCK
            samples, rest = array("h", rest[:whole]), rest[whole:]
            # The arrival with the least delay shows when the first sample was audible.
            here = now - (count + len(samples)) / self.RATE
            zero = here if zero is None else min(zero, here)
            for at in range(0, len(samples), self.BLOCK):
                block = samples[at : at + self.BLOCK]
                was, loud = loud, max(max(block), -min(block)) > 3_000
                if loud and not was:
                    self.onsets.append((count + at) / self.RATE)
            count += len(samples)
            self.zero = zero

    def onset_times(self):
        return [self.zero + onset for onset in self.onsets]

    def close(self):
        self.parec.kill()
        self.parec.wait()
        self.server.stop(signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)


def players(bench, size):
    """Those that are there: name → command for a URL."""
    home = bench.folder / "vlc"
    found = {
        "onair": lambda url: [bench.onair, "play", url, "--fullscreen"],
        "onair, 100 ms": lambda url: [bench.onair, "play", url, "--fullscreen", "--buffer", "100ms"],
        # With the decoder that the other players use.
        "onair, FFmpeg's decoder": lambda url: [bench.onair, "play", url, "--fullscreen", "--decoder", "system"],
    }
    if shutil.which("mpv"):
        mpv = ["mpv", "--no-config", "--really-quiet", "--no-border", "--no-osc", "--osd-level=0",
               "--fullscreen", f"--geometry={size}+0+0"]
        found["mpv"] = lambda url: [*mpv, url]
        found["mpv, low-latency"] = lambda url: [*mpv, "--profile=low-latency", url]
    if shutil.which("ffplay"):
        found["ffplay"] = lambda url: [
            "ffplay", "-v", "error", "-noborder", "-left", 0, "-top", 0, "-x", size.width, "-y", size.height, "-fs", "-autoexit", url,
        ]
    if shutil.which("cvlc"):
        home.mkdir(exist_ok=True)
        shutil.chown(home, 1000, 1000) if os.geteuid() == 0 else None
        # VLC does not run as root.
        user = ["setpriv", "--reuid=1000", "--clear-groups"] if os.geteuid() == 0 else []
        found["cvlc"] = lambda url: [
            *user, "env", f"HOME={home}", "cvlc", "-q", "--fullscreen", "--no-osd", "--no-video-title-show",
            "--play-and-exit", url,
        ]
    return found


class Seat:
    """What one player plays to: a display and a sound server."""

    def __init__(self, bench, size):
        self.bench = bench
        self.display, self.ear = Display(bench, size), Ear(bench)

    def start(self, command, url):
        env = self.bench.environment(
            DISPLAY=self.display.name, LIBGL_ALWAYS_SOFTWARE="1", SDL_AUDIODRIVER="pulseaudio", **self.ear.env
        )
        return Program(command(url), self.bench.log, env=env)

    def leave(self):
        self.ear.close()
        self.display.close()


class Stage:
    """A publisher, a server, a gate before it, and seats for players."""

    def __init__(self, bench, size, seats=1):
        self.bench, self.size, self.places = bench, size, seats

    def __enter__(self):
        bench = self.bench
        self.rtmp, self.http = free_port(), free_port()
        env = bench.environment()
        command = [bench.onair, "serve", "--rtmp", f"127.0.0.1:{self.rtmp}", "--http", f"127.0.0.1:{self.http}"]
        self.serve = Program(command, bench.log, env=env)
        wait_for("the server", lambda: listening(self.rtmp))
        live = [
            bench.onair, "live", "--video", "test", "--audio", "tone", "--adapt", "off", "--size", self.size, "--fps", RATE,
            "--to", f"rtmp://127.0.0.1:{self.rtmp}/live/bench",
        ]
        self.live = Program(live, bench.log, env=env)
        self.offset_ms = time.time() * 1000 - time.monotonic() * 1000
        self.seats = [Seat(bench, self.size) for _ in range(self.places)]
        self.display, self.ear = self.seats[0].display, self.seats[0].ear
        self.gate = Gate(self.rtmp)
        time.sleep(3)
        return self

    def start(self, command, gate=False, seat=0, flv=False):
        port = self.gate.port if gate else self.rtmp
        url = f"http://127.0.0.1:{self.http}/live/bench.flv" if flv else f"rtmp://127.0.0.1:{port}/live/bench"
        return self.seats[seat].start(command, url)

    def latencies(self, after, until, seat=0):
        """Milliseconds from the instant of a picture to when it was seen, of those seen in a time."""
        seen = list(self.seats[seat].display.seen)
        return [(at * 1000 + self.offset_ms - when) % (1 << 36) for at, when in seen if after <= at < until]

    def sound_later(self, after):
        """How much later than its picture the sound of a flash is heard, each."""
        offsets = []
        seen, onsets = list(self.display.seen), self.ear.onset_times()
        for (_, before), (at, when) in zip(seen, seen[1:]):
            # The first frame of a second, if the frame before it was not missed.
            if at > after and when // 1000 == before // 1000 + 1 and when - before < 50:
                near = min((onset - at for onset in onsets), key=abs, default=None)
                if near is not None and abs(near) < 0.5:
                    offsets.append(near * 1000)
        return offsets

    def __exit__(self, *_):
        self.gate.close()
        for part in (self.live, self.serve):
            part.stop()
        for seat in self.seats:
            seat.leave()


def watch(bench, size=HD, flv=False):
    """First picture, latency, pictures seen, lip-sync, CPU and memory, by player."""

    def run(command):
        with Stage(bench, size) as stage, stage.start(command, flv=flv) as player:
            wait_for("the first picture", lambda: stage.display.seen, 20)
            first = stage.display.seen[0][0]
            time.sleep(max(0.0, first + SETTLE - time.monotonic()))
            before, own, at = cpu_of(player.pid), cpu_of(player.pid, GPU), time.monotonic()
            time.sleep(bench.seconds)
            end = time.monotonic()
            passed = end - at
            latencies = sorted(stage.latencies(at, end))
            offsets = stage.sound_later(at)
            figures = {
                "first_picture_ms": (first - player.started) * 1000,
                "latency_ms": median(latencies),
                "latency_p95_ms": latencies[int(len(latencies) * 0.95)] if latencies else None,
                "seen_part": len(latencies) / (RATE * passed),
                "sound_later_ms": median(offsets),
                "cpu_s_per_s": (cpu_of(player.pid) - before) / passed,
                "cpu_without_gpu_s_per_s": (cpu_of(player.pid, GPU) - own) / passed,
                "rss_mb": resident_mb(player.pid),
            }
            player.stop(signal.SIGTERM, 3)
        return figures

    return {name: lambda command=command: run(command) for name, command in players(bench, size).items()}


def lasting(bench, minutes=(1, 10)):
    """The latency of each player after one minute and after ten, all at once at one server: medians of 20 s."""
    commands = players(bench, SMALL)
    figures = {name: {} for name in commands}
    with Stage(bench, SMALL, len(commands)) as stage:
        began = time.monotonic()
        playing = [stage.start(command, seat=seat) for seat, command in enumerate(commands.values())]
        for minute in minutes:
            middle = began + 60 * minute
            time.sleep(max(0.0, middle + 10 - time.monotonic()))
            for seat, name in enumerate(commands):
                seen = stage.latencies(middle - 10, middle + 10, seat)
                figures[name][f"latency_{minute}_min_ms"] = [median(seen)]
                figures[name][f"seen_{minute}_min_part"] = [len(seen) / (RATE * 20)]
        for player in playing:
            player.stop(signal.SIGTERM, 3)
    return figures


def outages(bench):
    """What a player does when its server freezes for 3 s, and when its connection is cut and nothing listens
    for 3 and 30 s: milliseconds from the end of it to a new picture, latency 8 s later. Nothing where it
    does not come back within 15 s, or has ended."""

    def after(stage, player, name, end, figures):
        def new():
            return [at for at, _ in list(stage.display.seen) if at > end + 0.05]

        try:
            wait_for("a picture", lambda: new() or player.gone(), 15)
        except RuntimeError:
            pass
        if not new():
            return
        figures[f"{name}_back_ms"] = (new()[0] - end) * 1000
        time.sleep(8)
        now = time.monotonic()
        figures[f"{name}_latency_ms"] = median(stage.latencies(now - 3, now))

    def run(command):
        figures = {
            f"{name}_{what}": None for name in ("before", "frozen_3s", "cut_3s", "cut_30s") for what in ("back_ms", "latency_ms")
        }
        del figures["before_back_ms"]
        with Stage(bench, HD) as stage, stage.start(command, gate=True) as player:
            wait_for("the first picture", lambda: stage.display.seen, 20)
            time.sleep(SETTLE)
            now = time.monotonic()
            figures["before_latency_ms"] = median(stage.latencies(now - 3, now))
            stage.serve.process.send_signal(signal.SIGSTOP)
            time.sleep(3)
            stage.serve.process.send_signal(signal.SIGCONT)
            after(stage, player, "frozen_3s", time.monotonic(), figures)
            for name, seconds in (("cut_3s", 3), ("cut_30s", 30)):
                if player.gone():
                    break
                stage.gate.close()
                time.sleep(seconds)
                stage.gate.open()
                after(stage, player, name, time.monotonic(), figures)
            player.stop(signal.SIGTERM, 3)
        return figures

    return {name: lambda command=command: run(command) for name, command in players(bench, HD).items()}
