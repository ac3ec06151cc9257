"""The rows about large audiences: RTMP and HTTP-FLV beside nginx-rtmp and node-media-server, WHEP, and low-latency HLS
with and without a cache."""

import contextlib
import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

from measure import Program, children_of, free_port, listening, wait_for

NGINX = "/usr/sbin/nginx"
MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so"
RTMP = """
load_module {module};
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 8192; }}
rtmp {{ access_log off; server {{ listen 127.0.0.1:{port}; chunk_size 4096; application live {{ live on; }} }} }}
"""
NODE = "node-media-server@2.7.4"
NODE_SERVER = """
const Server = require('node-media-server');
const [rtmp, http] = process.argv.slice(2).map(Number);
new Server({
    logType: 0,
    rtmp: { port: rtmp, chunk_size: 60000, gop_cache: true, ping: 30, ping_timeout: 60 },
    http: { port: http, allow_origin: '*' },
}).run();
"""
# Viewers and video bitrates of the rows. All programs share one machine: 3,000 viewers of the higher bitrate are
# 940 MB per second, which the client could not read.
RTMP_LOADS = [(1, 600), (200, 600), (1_000, 600), (3_000, 600), (1, 2_500), (200, 2_500), (1_000, 2_500)]
# The two that have a goal are repeated, and the others run once.
GOALS = [(1_000, 600), (200, 2_500)]
FLV_LOADS = [(1, 600), (500, 600), (1, 2_500), (500, 2_500)]
# The server and the viewers share a machine, so fewer viewers get the higher bitrate.
WHEP_LOADS = [(200, 600), (100, 2_500)]
HLS_VIEWERS, KBPS = 2_000, 600
CLIP_S, CACHE_WORKERS = 60, 2


def server(bench, *more):
    """`onair serve` for many viewers of one address: its command, and the ports of RTMP and HTTP."""
    rtmp, http = free_port(), free_port()
    command = [
        bench.onair, "serve", "--json", "--rtmp", f"127.0.0.1:{rtmp}", "--http", f"127.0.0.1:{http}",
        "--max-connections", 8_192, "--max-per-address", 8_192, *more,
    ]
    return command, rtmp, http


def node_media_server(bench):
    """The folder of node-media-server, fetched once; None without Node.js."""
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    folder = bench.folder / "node-media-server"
    if not (folder / "node_modules/node-media-server").exists():
        folder.mkdir(exist_ok=True)
        fetch = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), NODE]
        if subprocess.run(fetch, stdin=subprocess.DEVNULL, check=False).returncode != 0:
            return None
    (folder / "server.js").write_text(NODE_SERVER)
    return folder


def nginx_rtmp(bench):
    """The command of nginx-rtmp, and its port."""
    port, config = free_port(), bench.folder / "nginx.conf"
    config.write_text(RTMP.format(module=MODULE, folder=bench.folder, port=port))
    return [NGINX, "-e", "stderr", "-p", bench.folder, "-c", config], port


@contextlib.contextmanager
def publishing(bench, kbps, url):
    """ffmpeg, which repeats a clip of this bitrate and has begun to send it."""
    progress = bench.folder / "publisher.progress"
    command = [
        bench.ffmpeg, "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", stream(bench, kbps), "-c", "copy",
        "-progress", "pipe:1", "-f", "flv", url,
    ]
    with Program(command, bench.log, out=progress) as publisher:
        wait_for("the publisher", lambda: "progress=" in progress.read_text(encoding="utf-8"))
        yield publisher
        if publisher.gone():
            raise RuntimeError(f"the publisher ended; see {bench.log}")


def load(bench, command, ports, *words, kbps=None):
    """What the load client reports of a server on these ports. The client publishes over RTMP, on the first one. With
    `kbps`, ffmpeg publishes a stream of this bitrate instead."""
    url, out = f"rtmp://127.0.0.1:{ports[0]}/live/bench", bench.folder / "load.json"
    with Program(command, bench.log, env=bench.environment()) as program:
        wait_for("the server", lambda: all(listening(port) for port in ports))
        client = [bench.load, "--url", url, "--seconds", bench.seconds, "--pid", program.pid, *words]
        with publishing(bench, kbps, url) if kbps else contextlib.nullcontext():
            more = ["--no-publish"] if kbps else []
            if Program([*client, *more], bench.log, out=out).wait(bench.seconds + 180) != 0:
                raise RuntimeError(f"the load client failed; see {bench.log}")
    return json.loads(out.read_text())


def words_of(ports, players, flv):
    """The options of the load client for so many players, over RTMP or HTTP-FLV."""
    by_http = ["--flv", f"http://127.0.0.1:{ports[1]}/live/bench.flv"] if flv else []
    return ["--players", players, *by_http]


def loaded(bench, command, ports, players, kbps, flv):
    """What a server needs for so many players of a stream that ffmpeg publishes."""
    found = load(bench, command, ports, *words_of(ports, players, flv), kbps=kbps)
    expected = stream(bench, kbps).stat().st_size / CLIP_S * found["seconds"] * players
    return {
        "cpu_ns_per_byte": found["server_cpu_ns_per_byte"],
        "cpu_s_per_s": found["server_cpu_s_per_s"],
        "client_cpu_s_per_s": found["client_cpu_s_per_s"],
        "kbps_per_viewer": found["delivered_bytes"] * 8 / 1_000 / found["seconds"] / players,
        "delivered_part": found["delivered_bytes"] / expected,
        "lost": found["lost"],
        "join_p50_ms": found["join_ms"]["p50"],
        "join_p99_ms": found["join_ms"]["p99"],
        "rss_kb": found["server_rss_kb"],
    }


def delayed(bench, command, ports, players, kbps, flv):
    """How late so many players get messages. The load client publishes, because only its messages contain the time."""
    words = [*words_of(ports, players, flv), "--bitrate", kbps * 1_000, "--joins", 0]
    found = load(bench, command, ports, *words)["latency_ms"]
    return {"latency_p50_ms": found["p50"], "latency_p99_ms": found["p99"]}


def crowd(bench, turns):
    """RTMP and HTTP-FLV viewers, from one to 3,000."""
    node = node_media_server(bench)

    def ours(measure, *load, flv=False):
        command, *ports = server(bench)
        return measure(bench, command, ports, *load, flv)

    def nginx(measure, *load, flv=False):
        command, port = nginx_rtmp(bench)
        return measure(bench, command, [port], *load, flv)

    def nodes(measure, *load, flv=False):
        ports = [free_port(), free_port()]
        return measure(bench, ["node", node / "server.js", *ports], ports, *load, flv)

    often, once, late = {}, {}, {}

    def add(name, run, *load, **more):
        some = often if load in GOALS and "node" not in name else once
        some[name] = lambda: run(loaded, *load, **more)
        if load[0] > 1:
            late[name] = lambda: run(delayed, *load, **more)

    for players, kbps in RTMP_LOADS:
        kind = f"RTMP, {players:,} × {kbps:,} kbit/s"
        add(f"onair, {kind}", ours, players, kbps)
        if Path(MODULE).exists():
            add(f"nginx-rtmp, {kind}", nginx, players, kbps)
        # It needs a whole core for some hundred viewers, and has no figures where it fails.
        if node:
            add(f"node-media-server, {kind}", nodes, players, kbps)
    for players, kbps in FLV_LOADS:
        kind = f"HTTP-FLV, {players:,} × {kbps:,} kbit/s"
        add(f"onair, {kind}", ours, players, kbps, flv=True)
        if node:
            add(f"node-media-server, {kind}", nodes, players, kbps, flv=True)
    found = {**turns(bench, often), **turns(bench, once, times=1)}
    for name, figures in turns(bench, late, times=1).items():
        if name in found:
            found[name].update(figures)
    # Memory per viewer, beyond what one viewer needs: the sockets' buffers are the kernel's.
    for name, figures in found.items():
        program, kind = name.split(", ", 1)
        words = kind.split(" ")
        players = int(words[1].replace(",", ""))
        one = found.get(f"{program}, {words[0]} 1 × {' '.join(words[3:])}")
        if one and players > 1:
            figures["kb_per_viewer"] = [
                (many - one["rss_kb"][0]) / (players - 1) for many in figures["rss_kb"]
            ]
    return found


def stream(bench, kbps):
    """A minute of 720p30 with a keyframe every two seconds, which ffmpeg repeats."""
    clip = bench.folder / f"audience-{kbps}.flv"
    if not clip.exists():
        part = clip.with_suffix(".part.flv")
        command = [
            bench.ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
            "-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000", "-t", CLIP_S, "-c:v", "libx264",
            "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "60", "-b:v", f"{kbps}k",
            "-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k", "-c:a", "aac", "-b:a", "64k", "-f", "flv", part,
        ]
        if Program(command, bench.log).wait(180) != 0:
            raise RuntimeError(f"no clip could be made; see {bench.log}")
        part.rename(clip)
    return clip


def playable(playlist):
    try:
        with urllib.request.urlopen(playlist, timeout=5) as answer:
            return b"#EXT-X-PART:" in answer.read()
    except OSError:
        return False


def viewers(bench, turns):
    """WHEP with real DTLS and SRTP, low-latency HLS from the server, and the same through nginx's cache."""

    def watched(protocol, count, kbps=KBPS, cached=False):
        command, rtmp, http = server(bench, "--webrtc", f"127.0.0.1:{free_port()}")
        with Program(command, bench.log, env=bench.environment()) as program:
            wait_for("the server", lambda: listening(rtmp) and listening(http))
            with publishing(bench, kbps, f"rtmp://127.0.0.1:{rtmp}/live/show"):
                wait_for("the stream", lambda: playable(f"http://127.0.0.1:{http}/live/show/hls/main.m3u8"))
                if cached:
                    return behind_cache(http, program, protocol, count)
                return measured(http, program, protocol, count)

    def measured(port, program, protocol, count, cache=()):
        out = bench.folder / "viewers.json"
        client = [
            bench.viewers, protocol, f"http://127.0.0.1:{port}/live/show", "--viewers", count,
            "--seconds", bench.seconds, "--pid", program.pid,
        ]
        for pid in cache:
            client += ["--cache", pid]
        if Program(client, bench.log, out=out).wait(bench.seconds + 120) != 0:
            raise RuntimeError(f"the viewers failed; see {bench.log}")
        found = json.loads(out.read_text())
        return {
            "cpu_ns_per_byte": found["server_cpu_ns_per_byte"],
            "cpu_s_per_s": found["server_cpu_s_per_s"],
            "viewers_per_core": count / found["server_cpu_s_per_s"],
            "client_cpu_s_per_s": found["client_cpu_s_per_s"],
            "kbps_per_viewer": found["bytes"] * 8 / 1_000 / found["seconds"] / count,
            "join_p50_ms": found["join_p50_ms"],
            "join_p99_ms": found["join_p99_ms"],
            "stalls": found["stalls"],
            "failed": found["failed"],
            "rss_kb": found["server_resident_kb"],
            "cache_cpu_s_per_s": found["cache_cpu_s_per_s"] if cache else None,
        }

    def behind_cache(http, program, protocol, count):
        port, folder = free_port(), bench.folder / "cache"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        tested = Path(__file__).parents[2] / "packaging/cluster/nginx-cache.conf"
        rules = tested.read_text(encoding="utf-8")
        for old, new in (("/var/cache/nginx/onair", f"{folder}/files"), ("127.0.0.1:8088", f"127.0.0.1:{http}"),
                         ("127.0.0.1:8080", f"127.0.0.1:{port}")):
            if old not in rules:
                raise RuntimeError(f"{tested} lacks {old}")
            rules = rules.replace(old, new)
        config = folder / "nginx.conf"
        config.write_text(
            f"daemon off; worker_processes {CACHE_WORKERS}; pid {folder}/pid; error_log stderr error; worker_rlimit_nofile 20000;\n"
            "events { worker_connections 8192; }\n"
            "http { log_format asked '$upstream_cache_status $request_uri'; keepalive_requests 100000;\n"
            f"access_log {folder}/asked asked buffer=64k flush=1s;\n{rules}}}\n"
        )
        command = [NGINX, "-e", "stderr", "-p", folder, "-c", config]
        with Program(command, bench.log) as cache:
            # The first children are the workers. The others only manage files.
            workers = lambda: children_of(cache.pid)[:CACHE_WORKERS]
            wait_for("the cache", lambda: listening(port) and len(workers()) == CACHE_WORKERS)
            figures = measured(port, program, protocol, count, cache=workers())
        lines = [line.split(" ", 1) for line in (folder / "asked").read_text().splitlines()]
        # A playlist that is not awaited is another object every second.
        lines = [line for line in lines if not line[1].endswith("/main.m3u8")]
        objects = {path for _, path in lines}
        origin = sum(status not in ("HIT", "-") for status, _ in lines)
        return {**figures, "requests": len(lines), "origin_requests_per_object": origin / len(objects)}

    programs = {
        **{
            f"WHEP, {count} × {kbps:,} kbit/s": lambda load=(count, kbps): watched("whep", *load)
            for count, kbps in WHEP_LOADS
        },
        f"low-latency HLS, {HLS_VIEWERS:,}": lambda: watched("hls", HLS_VIEWERS),
    }
    if Path(NGINX).exists():
        programs[f"low-latency HLS through nginx, {HLS_VIEWERS:,}"] = lambda: watched("hls", HLS_VIEWERS, cached=True)
    return turns(bench, programs)
