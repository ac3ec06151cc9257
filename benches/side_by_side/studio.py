"""Rows about the studio: what a scene, a screen and a strip with filters cost. Of onair only the threads that
do that work are counted, not its encoders; ffmpeg does that work alone and encodes nothing."""

import json
import signal
import time
from pathlib import Path

from measure import Program, cpu_of_threads, displayed, free_display, wait_for

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
name = "Guest"
source = "file:{guest}"

[[collection.sources.filters]]
kind = "chroma-key"
color = "#00ff00"
similarity = 0.35
smoothness = 0.1

[[collection.sources]]
name = "Words"
source = "text:On air from here, with the same words all the time"

[[collection.scenes]]
name = "Bench"

[[collection.scenes.items]]
main = true
"""


def item(source, x, y, width, height):
    """One more piece of the scene."""
    return f"""
[[collection.scenes.items]]
source = "{source}"
x = {x}
y = {y}
width = {width}
height = {height}
"""


SCENE += item("Screen", 0.6, 0.55, 0.375, 0.375)
SCENE += item("Logo", 0.03, 0.05, 0.125, 0.2222222)
SCENE += item("Guest", 0.05, 0.3, 0.5, 0.5)
SCENE += item("Words", 0.05, 0.85, 0.5, 0.08)


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
        self.name = free_display()
        size = f"{WIDTH}x{HEIGHT}x24"
        self.programs = [Program(["Xvfb", self.name, "-screen", "0", size, "-noreset", "-nolisten", "tcp", "-ac"], bench.log)]
        wait_for("the display", lambda: displayed(self.name))
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
    events_path = bench.folder / "studio.json"

    def pictures():
        lines = [json.loads(line) for line in events_path.read_text().splitlines() if line.endswith("}")]
        last = [line for line in lines if line.get("event") == "stats"][-1]
        return last["t"], last["video"]["captured"]

    with Program(command, bench.log, env=env, out=events_path) as program:
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
    """A camera-like clip, a screen upon it, a picture with holes, somebody before a green screen and text: CPU a
    picture."""
    clip = make(bench, "camera.y4m", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}", "-t", "3",
                "-vf", "noise=alls=8:allf=t", "-pix_fmt", "yuv420p")
    logo = make(bench, "logo.png", "-f", "lavfi", "-i", "testsrc2=size=240x240:rate=1", "-frames:v", "1", "-vf",
                "format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':a='255*lt(hypot(X-120,Y-120),118)'")
    guest = make(bench, "guest.y4m", "-f", "lavfi", "-i", f"testsrc2=size=480x480:rate={RATE}", "-f", "lavfi", "-i",
                 f"color=0x00FF00:size=960x540:rate={RATE}", "-t", "3", "-filter_complex",
                 "[1][0]overlay=240:30:shortest=1,noise=alls=6:allf=t", "-pix_fmt", "yuv420p")
    font = next(iter(sorted([*FONT.rglob("*.ttf"), *FONT.rglob("*.otf")])), None)

    def run(program):
        with Screen(bench, True) as display:
            env = bench.environment(DISPLAY=display.name)
            if program == "onair":
                settings = bench.folder / "scene.toml"
                settings.write_text(SCENE.format(logo=logo, guest=guest))
                threads = ["compositor", "bands", "screen", "video-file", "media-source", "image", "text"]
                used, rate = ours(bench, threads, env, "--settings", settings, "--scene", "Bench", "--video", f"file:{clip}",
                            "--audio", "none")
            else:
                words = f"drawtext=fontfile={font}:text='On air from here, with the same words all the time':" \
                    f"x=96:y=918:fontsize=36:fontcolor=white"
                # The same chroma distances: ffmpeg measures them in units of 255 times the square root of 2.
                key = "chromakey=0x00FF00:similarity=0.217:blend=0.062"
                graph = f"[1:v]scale=720:405[s];[0:v][s]overlay=1152:594[a];[a][2:v]overlay=58:54[b];" \
                    f"[3:v]{key}[k];[b][k]overlay=96:324[c];[c]{words}[v]"
                rate = RATE
                used = theirs(
                    bench, env, "-re", "-stream_loop", "-1", "-i", clip, "-f", "x11grab", "-framerate", RATE,
                    "-video_size", f"{WIDTH}x{HEIGHT}", "-i", display.name, "-i", logo, "-stream_loop", "-1", "-i", guest, "-filter_complex", graph,
                    "-map", "[v]", "-pix_fmt", "yuv420p",
                )
            return {"cpu_ms_per_picture": used * 1000 / rate, "pictures_per_s": rate}

    return {program: lambda program=program: run(program) for program in ("onair", "ffmpeg")}


# The name and the settings of a filter in onair, and the same filter in ffmpeg.
FILTERS_OF_BOTH = [
    ("denoise", ["denoise", "spatial=0.5", "temporal=0.5"], "hqdn3d"),
    ("chroma key", ["chroma-key", "similarity=0.35", "smoothness=0.1", "spill=0", "protect=0"],
     "format=yuva420p,chromakey=0x00FF00:similarity=0.217:blend=0.062"),
    ("colour", ["color", "contrast=1.2", "gamma=1.2", "saturation=1.1"], "eq=contrast=1.2:gamma=1.2:saturation=1.1"),
    ("colour table", ["lut", "file={cube}"], "lut3d=file={cube}:interp=tetrahedral,format=yuv420p"),
    ("sharpen", ["sharpen", "amount=0.5"], "unsharp=5:5:0.5:5:5:0"),
    ("blur", ["blur", "sigma=6"], "gblur=sigma=6"),
    ("deinterlace", ["deinterlace", "mode=adaptive"], "yadif=mode=send_frame:deint=all"),
    ("deinterlace, bwdif", ["deinterlace", "mode=adaptive"], "bwdif=mode=send_frame:deint=all"),
]


def filters(bench):
    """One filter at a time on pictures of 1080p, as fast as it goes: CPU a picture, without reading it."""
    if not bench.filter:
        return {}
    clip = make(bench, "camera.y4m", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}", "-t", "3",
                "-vf", "noise=alls=8:allf=t", "-pix_fmt", "yuv420p")
    # The alpha is computed once, because computing it for each frame takes minutes.
    above = make(bench, "above.yuva", "-f", "lavfi", "-i", f"testsrc2=size={WIDTH}x{HEIGHT}:rate={RATE}", "-f", "lavfi",
                 "-i", f"color=size={WIDTH}x{HEIGHT}:rate={RATE}", "-t", "1", "-filter_complex",
                 "[1]format=gray,trim=end_frame=1,geq=lum='clip(X/4,0,255)',loop=loop=-1:size=1[a];"
                 "[0]format=yuv420p[p];[p][a]alphamerge=shortest=1", "-pix_fmt", "yuva420p", "-f", "rawvideo")
    cube = bench.folder / "look.cube"
    side = [n / 32 for n in range(33)]
    bend = [value * value * (3 - 2 * value) for value in side]
    cube.write_text("LUT_3D_SIZE 33\n" + "".join(
        f"{bend[r]:.5f} {bend[g]:.5f} {side[b] ** 1.2:.5f}\n" for b in range(33) for g in range(33) for r in range(33)
    ))
    pictures = 90

    def ffmpeg(*words):
        # The time of twice as many rounds minus the time of one set, which removes the cost of the start and of lookups.
        def used(rounds):
            command = [bench.ffmpeg, "-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1",
                       "-filter_complex_threads", "1", "-stream_loop", str(rounds - 1), "-i", clip, *words, "-f", "null", "-"]
            program = Program(command, bench.log)
            if program.wait(120) != 0:
                raise RuntimeError(f"ffmpeg failed; see {bench.log}")
            return program.usage["cpu_s"]

        return (used(2) - used(1)) * 1000 / pictures

    def ours(*words):
        out = bench.folder / "filter.json"
        program = Program([bench.filter, clip, *words], bench.log, out=out)
        if program.wait(60) != 0:
            raise RuntimeError(f"the filter failed; see {bench.log}")
        return json.loads(out.read_text())

    def theirs(*words):
        bare = ffmpeg()
        return {"cpu_ms_per_picture": max(ffmpeg(*words) - bare, 0.0)}

    def pair(name, words, graph):
        words = [word.format(cube=cube) for word in words]
        return {
            f"onair, {name}": lambda: ours(*words),
            f"ffmpeg, {name}": lambda: theirs("-vf", graph.format(cube=cube)),
        }

    found = {}
    for name, words, graph in FILTERS_OF_BOTH:
        found.update(pair(name, words, graph))
    raw = ["-f", "rawvideo", "-pix_fmt", "yuva420p", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(RATE), "-stream_loop", "-1", "-i"]

    def laid():
        # The second input is read as well, and the time for that is subtracted.
        def used(more):
            graph = f"[0:v][1:v]overlay=shortest=1{more}[v]"
            return ffmpeg(*raw, str(above), "-filter_complex", graph, "-map", "[v]")

        bare = used(":enable=0")
        return {"cpu_ms_per_picture": max(used("") - bare, 0.0)}

    found["onair, stinger"] = lambda: ours("stinger", f"above={above}")
    found["ffmpeg, stinger"] = laid
    return found


def strip(bench):
    """Strips of noise, bare and with RNNoise, compressor and limiter: the mixer's thread. Of a microphone both sides
    are alike, of other sound they are not."""
    def noise(name, seeds, layout):
        inputs = [it for seed in seeds for it in ("-f", "lavfi", "-i", f"anoisesrc=amplitude=0.3:color=pink:sample_rate=48000:seed={seed}")]
        return make(bench, name, *inputs, "-filter_complex", layout, "-t", "10", "-c:a", "pcm_s16le")

    alike = noise("alike.wav", [1], "aformat=channel_layouts=mono,pan=stereo|c0=c0|c1=c0")
    apart = noise("apart.wav", [1, 2], "join=inputs=2:channel_layout=stereo")

    def run(filters, sound):
        settings = bench.folder / "strips.toml"
        strips = [f'[[strips]]\nname = "{n}"\n' + (f'source = "file:{sound}"\n' if n else "") + filters for n in range(STRIPS)]
        settings.write_text("\n".join(strips))
        used, _ = ours(bench, ["mixer"], bench.environment(), "--settings", settings, "--video", "test",
                       "--audio", f"file:{sound}", size=(640, 360))
        return {"core_pct_per_strip": used * 100 / STRIPS}

    return {"onair, bare": lambda: run("", alike), "onair, three filters": lambda: run(FILTERS, alike),
            "onair, three filters, sides that differ": lambda: run(FILTERS, apart)}
