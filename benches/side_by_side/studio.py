"""Rows about the studio: what a scene, a screen and a strip with filters cost. Of onair only the threads that
do that work are counted, not its encoders; ffmpeg does that work alone and encodes nothing."""

import json
import signal
import time
from pathlib import Path

from measure import Program, cpu_of_threads, free_port, wait_for

WIDTH, HEIGHT, RATE = 1920, 1080, 30
STRIPS = 4
FONT = Path(__file__).parents[2] / "assets/fonts"
FILTERS = """
[[strips.filters]]
kind = "denoise"

[[strips.filters]]
kind = "compressor"

[[strips.filters]]
kind = "limiter"
"""
SCENE = """
[collection]
current = "Bench"

[[collection.sources]]
name = "Screen"
source = "screen"

[[collection.sources]]
name = "Logo"
source = "image:{logo}"

[[collection.sources]]
name = "Words"
source = "text:On air from here, with the same words all the time"

[[collection.scenes]]
name = "Bench"

[[collection.scenes.items]]
main = true

[[collection.scenes.items]]
source = "Screen"
x = 0.6
y = 0.55
width = 0.375
height = 0.375

[[collection.scenes.items]]
source = "Logo"
x = 0.03
y = 0.05
width = 0.125
height = 0.2222222

[[collection.scenes.items]]
source = "Words"
x = 0.05
y = 0.85
width = 0.5
height = 0.08
"""


def make(bench, name, *command):
    """A file that ffmpeg makes, once."""
    file = bench.folder / name
    if not file.exists():
        part = bench.folder / f"part-{name}"
        if Program([bench.ffmpeg, "-v", "error", "-y", *command, part], bench.log).wait(120) != 0:
            raise RuntimeError(f"{name} could not be made; see {bench.log}")
        part.rename(file)
    return file


class Screen:
    """A display of 1080p; a window of 720p moves on it, or nothing."""

    def __init__(self, bench, moving):
        self.name = f":{free_port() % 10_000 + 100}"
        size = f"{WIDTH}x{HEIGHT}x24"
        self.programs = [Program(["Xvfb", self.name, "-screen", "0", size, "-nolisten", "tcp", "-ac"], bench.log)]
        wait_for("the display", lambda: Path(f"/tmp/.X11-unix/X{self.name[1:]}").exists())
        if moving:
            clip = make(bench, "moving.y4m", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-t", "4",
                        "-pix_fmt", "yuv420p")
            player = ["ffplay", "-v", "error", "-an", "-noborder", "-left", "100", "-top", "100", "-loop", "0", clip]
            env = bench.environment(DISPLAY=self.name, SDL_RENDER_DRIVER="software")
            self.programs.append(Program(player, bench.log, env=env))
            time.sleep(1.5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop(signal.SIGTERM)


def ours(bench, threads, env, *more, size=(WIDTH, HEIGHT)):
    """CPU seconds a second of these threads while onair records, and pictures a second."""
    out = bench.folder / "studio.flv"
    out.unlink(missing_ok=True)
    command = [
        bench.onair, "live", "--adapt", "off", "--json", "--size", f"{size[0]}x{size[1]}", "--fps", RATE,
        "--record", out,
        "--duration", f"{bench.seconds + 60}s", *more,
    ]
    told = bench.folder / "studio.json"

    def pictures():
        lines = [json.loads(line) for line in told.read_text().splitlines() if line.endswith("}")]
        last = [line for line in lines if line.get("event") == "stats"][-1]
        return last["t"], last["video"]["captured"]

    with Program(command, bench.log, env=env, out=told) as program:
        time.sleep(4)
        if program.gone():
            raise RuntimeError(f"onair ended; see {bench.log}")
        before, at = sum(cpu_of_threads(program.pid, name) for name in threads), time.monotonic()
        begun, counted = pictures()
        time.sleep(bench.seconds)
        used = sum(cpu_of_threads(program.pid, name) for name in threads) - before
        used /= time.monotonic() - at
        ended, count = pictures()
        return used, (count - counted) / (ended - begun)


def theirs(bench, env, *command):
    program = Program([bench.ffmpeg, "-v", "error", "-nostdin", *command, "-t", bench.seconds, "-f", "null", "-"],
                      bench.log, env=env)
    if program.wait(bench.seconds * 2 + 30) != 0:
        raise RuntimeError(f"ffmpeg failed; see {bench.log}")
    return program.usage["cpu_s"] / bench.seconds


def screen(bench):
    """The screen as pictures to encode (I420): a moving one, and one where nothing happens."""

    def run(moving, program):
        with Screen(bench, moving) as display:
            env = bench.environment(DISPLAY=display.name)
            if program == "onair":
                return {"cpu_s_per_s": ours(bench, ["screen"], env, "--video", "screen", "--audio", "none")[0]}
            grab = ["-f", "x11grab", "-framerate", RATE, "-video_size", f"{WIDTH}x{HEIGHT}", "-i", display.name]
            return {"cpu_s_per_s": theirs(bench, env, *grab, "-pix_fmt", "yuv420p")}

    return {
        f"{program}, {how}": lambda moving=moving, program=program: run(moving, program)
        for how, moving in (("moving", True), ("still", False)) for program in ("onair", "ffmpeg x11grab")
    }


def scene(bench):
    """A camera-like clip, a screen upon it, a picture with holes and text: CPU a picture."""
    clip = make(bench, "camera.y4m", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}", "-t", "3",
                "-vf", "noise=alls=8:allf=t", "-pix_fmt", "yuv420p")
    logo = make(bench, "logo.png", "-f", "lavfi", "-i", "testsrc2=size=240x240:rate=1", "-frames:v", "1", "-vf",
                "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot(X-120,Y-120),118)'")
    font = next(iter(sorted([*FONT.rglob("*.ttf"), *FONT.rglob("*.otf")])), None)

    def run(program):
        with Screen(bench, True) as display:
            env = bench.environment(DISPLAY=display.name)
            if program == "onair":
                settings = bench.folder / "scene.toml"
                settings.write_text(SCENE.format(logo=logo))
                threads = ["compositor", "screen", "video-file", "image", "text"]
                used, rate = ours(bench, threads, env, "--settings", settings, "--scene", "Bench", "--video", f"file:{clip}",
                            "--audio", "none")
            else:
                words = f"drawtext=fontfile={font}:text='On air from here, with the same words all the time':" \
                    f"x=96:y=918:fontsize=36:fontcolor=white"
                graph = f"[1:v]scale=720:405[s];[0:v][s]overlay=1152:594[a];[a][2:v]overlay=58:54[b];[b]{words}[v]"
                rate = RATE
                used = theirs(
                    bench, env, "-re", "-stream_loop", "-1", "-i", clip, "-f", "x11grab", "-framerate", RATE,
                    "-video_size", f"{WIDTH}x{HEIGHT}", "-i", display.name, "-i", logo, "-filter_complex", graph,
                    "-map", "[v]", "-pix_fmt", "yuv420p",
                )
            return {"cpu_ms_per_picture": used * 1000 / rate, "pictures_per_s": rate}

    return {program: lambda program=program: run(program) for program in ("onair", "ffmpeg")}


def strip(bench):
    """Strips of noise, bare and with RNNoise, compressor and limiter: the mixer's thread."""
    sound = make(bench, "noise.wav", "-f", "lavfi", "-i", "anoisesrc=amplitude=0.3:color=pink:sample_rate=48000", "-t",
                 "10", "-ac", "2", "-c:a", "pcm_s16le")

    def run(filters):
        settings = bench.folder / "strips.toml"
        strips = [f'[[strips]]\nname = "{n}"\n' + (f'source = "file:{sound}"\n' if n else "") + filters for n in range(STRIPS)]
        settings.write_text("\n".join(strips))
        used, _ = ours(bench, ["mixer"], bench.environment(), "--settings", settings, "--video", "test",
                       "--audio", f"file:{sound}", size=(640, 360))
        return {"core_pct_per_strip": used * 100 / STRIPS}

    return {"onair, bare": lambda: run(""), "onair, three filters": lambda: run(FILTERS)}
