"""The row about browsers: Chromium without a graphics card plays the built-in server's stream of the test source by
each protocol: with the viewer page, or with the library alone where the page does not use the protocol. Each shown
frame tells its age by the code band of the test source."""

import json
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from measure import Program, median, wait_for

# A frame that is shown this long after the previous frame counts as a stall.
STALL_MS = 500
# After the start, players still adjust their position.
SETTLES_S = 5
# How long the server is stopped, and how long a viewer may take to recover afterwards.
FREEZE_S, RECOVERS_S = 3, 10
BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
           "--autoplay-policy=no-user-gesture-required", "--remote-debugging-pipe")

# The reader that the tests use.
CODE_BAND = (Path(__file__).parents[2] / "tests/whep/code_band.js").read_text(encoding="utf-8")

# Notes for each frame of a video when it was shown, and how old it was, in ms.
NOTES = """
window.shownFrames = [];
function note(video) {
    const shown = (_, { presentedFrames }) => {
        window.shownFrames.push([Math.round(performance.now()), presentedFrames, frameAge(video)]);
        video.requestVideoFrameCallback(shown);
    };
    video.requestVideoFrameCallback(shown);
}
"""

# Runs in the viewer page before its own scripts: leaves one protocol in the state of the stream, and notes when each
# stage of WHEP was first reached. Chromium renews its statistics, and so the time of the first packet, every 50 ms.
SCRIPT = """
window.whepStages = {};
function reached(stage) {
    window.whepStages[stage] ??= performance.now();
}
const own = window.fetch;
window.fetch = async (...words) => {
    const path = String(words[0].url ?? words[0]).split('?')[0];
    if (path.endsWith('/whep')) reached('post');
    const answer = await own(...words);
    if (path.endsWith('/whep') && answer.status === 201) reached('answer');
    if (!path.endsWith('/state')) return answer;
    const state = await answer.json();
    state.protocols = state.protocols.filter(name => name === PROTOCOL);
    return new Response(JSON.stringify(state), { status: answer.status, headers: { 'Content-Type': 'application/json' } });
};
window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...words) {
        super(...words);
        this.addEventListener('connectionstatechange', () => {
            if (this.connectionState === 'connected') reached('connected');
        });
        const timer = setInterval(async () => {
            for (const entry of (await this.getStats()).values()) {
                if (entry.type !== 'inbound-rtp' || entry.kind !== 'video' || !entry.packetsReceived) continue;
                reached('packet');
                clearInterval(timer);
            }
        }, 20);
    }
};
document.addEventListener('DOMContentLoaded', () => note(document.querySelector('video')));
"""

# Run in an empty page of the server, with the library that each one needs, and play ADDRESS.
PLAYERS = {
    "http-flv": """
const player = mpegts.createPlayer({ type: 'flv', isLive: true, url: ADDRESS }, {
    enableWorker: false, enableStashBuffer: false, lazyLoad: false, autoCleanupSourceBuffer: true,
    liveSync: true, liveSyncTargetLatency: 0.3, liveSyncMaxLatency: 0.4, liveSyncPlaybackRate: 1.1,
});
player.attachMediaElement(video);
player.load();
""",
    "hls-segments": """
import('/assets/hls.light.min.mjs').then(({ default: Hls }) => {
    const hls = new Hls({ lowLatencyMode: false, enableWorker: false });
    hls.on('hlsError', (_, { fatal }) => { if (fatal) hls.loadSource(ADDRESS); });
    hls.loadSource(ADDRESS);
    hls.attachMedia(video);
});
""",
    "dash": """
dashjs.MediaPlayer().create().initialize(video, ADDRESS, true);
""",
}
EXTENSIONS = {"http-flv": "flv", "hls-segments": "m3u8", "dash": "mpd"}
PAGE = "const video = document.createElement('video'); video.muted = video.autoplay = true; " \
       "document.body.replaceChildren(video); note(video);"


class Browser:
    """Chromium, told what to do over two pipes: DevTools messages that end with a zero byte."""

    def __init__(self, bench, script, url):
        self.profile = tempfile.mkdtemp(dir=bench.folder)
        to_it, self.request_pipe = os.pipe()
        self.answer_pipe, from_it = os.pipe()
        # Chromium reads from descriptor 3 and writes to descriptor 4.
        command = ["bash", "-c", 'exec "$@" 3<&"$IN" 4>&"$OUT"', "-", *BROWSER, f"--user-data-dir={self.profile}"]
        for end in (to_it, from_it):
            os.set_inheritable(end, True)
        self.program = Program(command, bench.log, env=bench.environment(IN=str(to_it), OUT=str(from_it)), inherit=True)
        os.close(to_it)
        os.close(from_it)
        self.bytes, self.count = b"", 0
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Page.setBypassCSP", enabled=True)
        self.ask("Page.addScriptToEvaluateOnNewDocument", source=script)
        self.ask("Page.navigate", url=url)

    session = None

    def ask(self, method, **values):
        self.count += 1
        message = {"id": self.count, "method": method, "params": values}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.request_pipe, json.dumps(message).encode() + b"\0")
        while True:
            end = self.bytes.find(b"\0")
            if end < 0:
                more = os.read(self.answer_pipe, 1 << 16)
                if not more:
                    raise RuntimeError("Chromium ended")
                self.bytes += more
                continue
            answer, self.bytes = json.loads(self.bytes[:end]), self.bytes[end + 1:]
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def value(self, expression):
        answer = self.ask("Runtime.evaluate", expression=f"JSON.stringify({expression})", returnByValue=True)
        return json.loads(answer["result"]["value"])

    def run(self, script):
        answer = self.ask("Runtime.evaluate", expression=script)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"Chromium: {answer['exceptionDetails']}")

    def frames(self):
        """(when it was shown, how many there were, its age or None) of each frame that a script saw; times in ms."""
        return self.value("window.shownFrames ?? []")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stop(signal.SIGTERM)
        os.close(self.request_pipe)
        os.close(self.answer_pipe)
        shutil.rmtree(self.profile, ignore_errors=True)


def figures(frames, seconds):
    ages = sorted(age for _, _, age in frames if age is not None)
    if len(ages) < seconds * 10:
        raise RuntimeError(f"Chromium showed {len(frames)} frames, of which {len(ages)} were read")
    gaps = [later[0] - earlier[0] for earlier, later in zip(frames, frames[1:])]
    third = max(1, len(frames) // 3)
    begin, end = ([age for _, _, age in part if age is not None] for part in (frames[:third], frames[-third:]))
    return {
        "latency_ms": median(ages),
        "latency_p95_ms": ages[len(ages) * 95 // 100],
        "grown_ms": median(end) - median(begin),
        "fps": (frames[-1][1] - frames[0][1]) / (frames[-1][0] - frames[0][0]) * 1_000,
        "stalls": sum(gap > STALL_MS for gap in gaps),
        "longest_gap_ms": max(gaps),
    }


def since_post(stages):
    """The times from the POST request of WHEP to each stage; None without such a request."""
    return {
        f"whep_post_to_{stage}_ms": stages[stage] - stages["post"] if {stage, "post"} <= stages.keys() else None
        for stage in ("answer", "connected", "packet", "frame")
    }


def viewer(bench, protocol, page):
    """A browser that opens this viewer page, or for a library alone an empty page of the same server."""
    if protocol in PLAYERS:
        return Browser(bench, CODE_BAND + NOTES, urlsplit(page)._replace(path="/healthz").geturl())
    return Browser(bench, f"const PROTOCOL = {json.dumps(protocol)};{CODE_BAND}{NOTES}{SCRIPT}", page)


def play_with_library(bench, browser, protocol, page):
    wait_for("the empty page", lambda: browser.value("location.pathname + document.readyState") == "/healthzcomplete")
    library = {"http-flv": bench.mpegts, "dash": bench.dashjs}.get(protocol)
    if library:
        browser.run(library.read_text(encoding="utf-8"))
    page = urlsplit(page)
    stream = page._replace(path=page.path.removeprefix("/watch") + "." + EXTENSIONS[protocol]).geturl()
    browser.run(PAGE + PLAYERS[protocol].replace("ADDRESS", json.dumps(stream)))


def plays(bench, protocol):
    """A new broadcast, a browser, a while of watching, and a server that is stopped for some seconds."""
    events_path = bench.folder / "browser.jsonl"
    events_path.write_text("")
    command = [bench.onair, "live", "--built-in", "--video", "test", "--audio", "tone", "--json"]
    with Program(command, bench.log, env=bench.environment(), out=events_path) as live:

        def ready_event():
            lines = (json.loads(line) for line in events_path.read_text().splitlines() if line.endswith("}"))
            events = {line["event"]: line for line in lines}
            return events.get("ready") if events.get("target", {}).get("state") == "live" else None

        page = wait_for("the broadcast", ready_event)["watch"]
        with viewer(bench, protocol, page) as browser:
            if protocol in PLAYERS:
                play_with_library(bench, browser, protocol, page)
            wait_for(f"frames by {protocol}", lambda: len(browser.frames()) > 30, 60)
            first = browser.frames()[0][0]
            stages = browser.value("window.whepStages ?? {}")
            time.sleep(SETTLES_S)
            settled = len(browser.frames())
            time.sleep(bench.seconds)
            found = figures(browser.frames()[settled:], bench.seconds)
            os.kill(live.pid, signal.SIGSTOP)
            time.sleep(FREEZE_S)
            before = len(browser.frames())
            os.kill(live.pid, signal.SIGCONT)
            time.sleep(RECOVERS_S)
            after = browser.frames()[before:]
            ages = [age for _, _, age in after[-30:] if age is not None]
            return {
                "first_frame_ms": first, **since_post({**stages, "frame": first}), **found,
                "after_freeze_ms": median(ages) if ages else None,
            }


def browsers(bench, turns):
    if not shutil.which("chromium"):
        return None
    names = {
        "WebRTC (WHEP)": "whep", "low-latency HLS": "hls", "WebSocket-FLV": "flv", "HTTP-FLV": "http-flv",
        "HLS": "hls-segments", "DASH": "dash",
    }
    if not bench.dashjs:
        del names["DASH"]
    return turns(bench, {name: lambda it=it: plays(bench, it) for name, it in names.items()})
