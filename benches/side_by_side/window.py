"""The row about the window: from its start to the air as a user has it, drawn in software, and OBS on the same
display. The window opens with its default size, the test source, the preview, and, once on air, the viewer monitor.
CPU is what a program's own threads took, so that a busy machine changes it little."""

import shutil
import signal
import time

import obs
from measure import Program, TICKS, cpu_of, displayed, free_display, resident_mb, wait_for

# Threads of the software graphics card.
GPU = ("llvmpipe",)
# With settings, onair does not show the first-run guide, which would cover the program.
SETTLED = "version = 2\n"
STILL = """version = 2

[collection]
current = "Still"

[[collection.sources]]
name = "Card"
source = "color:#406080"

[[collection.scenes]]
name = "Still"

[[collection.scenes.items]]
source = "Card"

[[strips]]
muted = true
"""
ARE_NEEDED = ("Xvfb", "xdotool", "openbox")


class Display:
    """A display with a window manager, so that windows have the keyboard and can be minimized."""

    def __init__(self, bench, home):
        name = free_display()
        run = home / "run"
        run.mkdir(parents=True, exist_ok=True)
        run.chmod(0o700)
        self.bench = bench
        self.env = bench.environment(DISPLAY=name, LIBGL_ALWAYS_SOFTWARE="1", HOME=str(home),
                                     XDG_CONFIG_HOME=str(home / ".config"), XDG_RUNTIME_DIR=str(run))
        self.env.pop("DBUS_SESSION_BUS_ADDRESS", None)
        self.programs = [Program(["Xvfb", name, "-screen", "0", "1920x1080x24", "-noreset", "-nolisten", "tcp"], bench.log)]
        wait_for("the display", lambda: displayed(name))
        self.programs.append(Program(["openbox"], bench.log, env=self.env))

    def does(self, *words):
        """Has xdotool do something; whether it could."""
        return Program(["xdotool", *words], self.bench.log, env=self.env).wait(20) == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop(signal.SIGTERM)


def cpu_of_window(pid):
    """CPU seconds so far of the thread that draws, which is the first one, and of the graphics card's."""
    with open(f"/proc/{pid}/task/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(ticks) for ticks in fields[11:13]) / TICKS + cpu_of(pid) - cpu_of(pid, GPU)


def used(bench, pid, name):
    """What a process takes in a while, once it has settled."""
    time.sleep(5)
    before, own, drawn, at = cpu_of(pid), cpu_of(pid, GPU), cpu_of_window(pid), time.monotonic()
    time.sleep(bench.seconds)
    passed = time.monotonic() - at
    return {
        f"{name}_cpu_s_per_s": (cpu_of(pid) - before) / passed,
        f"{name}_cpu_without_gpu_s_per_s": (cpu_of(pid, GPU) - own) / passed,
        f"{name}_window_cpu_s_per_s": (cpu_of_window(pid) - drawn) / passed,
        f"{name}_rss_mb": resident_mb(pid),
    }


def ours(bench, settings, goes_live):
    """onair: its start, idle, minimized and on air."""
    home = bench.folder / "window"
    shutil.rmtree(home, ignore_errors=True)
    (home / ".config/onair").mkdir(parents=True)
    (home / ".config/onair/settings.toml").write_text(settings)
    log = bench.folder / "window.log"
    log.write_text("")

    def tells(words):
        return wait_for(f"'{words}'; see {log}", lambda: words in log.read_text(errors="replace"))

    with Display(bench, home) as display:
        command = [bench.onair, "studio", "--log", "debug"]
        with Program(command, bench.log, env=display.env, err=log) as program:
            while "first frame" not in log.read_text(errors="replace"):
                if time.monotonic() - program.started > 20:
                    raise RuntimeError(f"no frame was drawn; see {log}")
                time.sleep(0.002)
            figures = {"first_frame_ms": (time.monotonic() - program.started) * 1_000}
            figures |= used(bench, program.pid, "idle")
            if not goes_live:
                return figures
            window = ["search", "--sync", "--onlyvisible", "--name", "^onair$"]
            display.does(*window, "windowminimize")
            tells("the window is hidden")
            figures |= used(bench, program.pid, "minimized")
            display.does("search", "--name", "^onair$", "windowactivate", "--sync")
            tells("visible again")
            display.does(*window, "windowfocus", "--sync", "key", "--window", "0", "ctrl+l")
            # The health sentence names the activity.
            tells('"on_air"')
            figures |= used(bench, program.pid, "live")
            program.stop(signal.SIGTERM)
    return figures


def theirs(bench, scene):
    """OBS: its start, idle, and streaming to a sink."""
    figures = {}
    for live in (False, True):
        home = bench.folder / f"obs-{scene}"
        with Display(bench, home) as display, obs.start(bench, display.env, scene, live) as program:
            if not live:
                shown = wait_for("the window of OBS", lambda: display.does("search", "--onlyvisible", "--name", "^OBS"))
                figures["first_frame_ms"] = shown and (time.monotonic() - program.started) * 1_000
            figures |= used(bench, program.pid, "live" if live else "idle")
    return figures


def programs(bench):
    """By name, what gives the figures of one round; `None` where what is needed is not there."""
    if not all(map(shutil.which, ARE_NEEDED)):
        return None
    found = {
        "onair": lambda: ours(bench, SETTLED, True),
        "onair, still scene": lambda: ours(bench, STILL, False),
    }
    if shutil.which("obs"):
        for scene in ("color", "media"):
            found[f"OBS, {scene} scene"] = lambda scene=scene: theirs(bench, scene)
    return found
