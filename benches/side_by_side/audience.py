"""The rows about large audiences: RTMP and HTTP-FLV beside nginx-rtmp and node-media-server, WHEP, and low-latency HLS
with and without a cache."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

from measure import Program, free_port, listening, wait_for

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
FLV_LOADS = [(500, 600), (500, 2_500)]
WHEP_VIEWERS, HLS_VIEWERS, KBPS = 200, 2_000, 600


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


def load(bench, command, ports, *words):
    """What the load client reports of a server on these ports. It publishes over RTMP, on the first one."""
    with Program(command, bench.log, env=bench.environment()) as program:
        wait_for("the server", lambda: all(listening(port) for port in ports))
        out = bench.folder / "load.json"
        client = [
            bench.load, "--url", f"rtmp://127.0.0.1:{ports[0]}/live/bench", "--seconds", bench.seconds,
            "--pid", program.pid, *words,
        ]
        if Program(client, bench.log, out=out).wait(bench.seconds + 180) != 0:
            raise RuntimeError(f"the load client failed; see {bench.log}")
    return json.loads(out.read_text())


def loaded(bench, command, ports, players, kbps, flv):
    """What a server needs for so many players of a stream."""
    words = ["--players", players, "--joins", 12, "--bitrate", kbps * 1_000]
    if flv:
        words += ["--flv", f"http://127.0.0.1:{ports[1]}/live/bench.flv"]
    found = load(bench, command, ports, *words)
    return {
        "cpu_ns_per_byte": found["server_cpu_ns_per_byte"],
        "cpu_s_per_s": found["server_cpu_s_per_s"],
        "client_cpu_s_per_s": found["client_cpu_s_per_s"],
        "delivered_part": found["delivered_bytes"] / found["expected_bytes"],
        "lost": found["lost"],
        "latency_p50_ms": found["latency_ms"]["p50"],
        "latency_p99_ms": found["latency_ms"]["p99"],
        "join_p50_ms": found["join_ms"]["p50"],
        "join_p99_ms": found["join_ms"]["p99"],
        "rss_kb": found["server_rss_kb"],
    }


def crowd(bench, turns):
    """RTMP and HTTP-FLV viewers, from one to 3,000."""
    node = node_media_server(bench)

    def ours(*load, flv=False):
        command, *ports = server(bench)
        return loaded(bench, command, ports, *load, flv)

    def nginx(*load):
        command, port = nginx_rtmp(bench)
        return loaded(bench, command, [port], *load, False)

    def nodes(*load, flv=False):
        ports = [free_port(), free_port()]
        return loaded(bench, ["node", node / "server.js", *ports], ports, *load, flv)

    often, once = {}, {}

    def add(name, run, *load, **more):
        some = often if load in GOALS and "node" not in name else once
        some[name] = lambda: run(*load, **more)

    for players, kbps in RTMP_LOADS:
        kind = f"RTMP, {players:,} × {kbps:,} kbit/s"
        add(f"onair, {kind}", ours, players, kbps)
        if Path(MODULE).exists():
            add(f"nginx-rtmp, {kind}", nginx, players, kbps)
        # It needs a whole core for some hundred viewers.
        if node and players * kbps <= 500_000:
            add(f"node-media-server, {kind}", nodes, players, kbps)
    for players, kbps in FLV_LOADS:
        kind = f"HTTP-FLV, {players:,} × {kbps:,} kbit/s"
        add(f"onair, {kind}", ours, players, kbps, flv=True)
        if node:
            add(f"node-media-server, {kind}", nodes, players, kbps, flv=True)
    found = {**turns(bench, often), **turns(bench, once, times=1)}
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


def stream(bench):
    """A minute of 720p30 with a keyframe every two seconds, which ffmpeg repeats."""
    clip = bench.folder / f"audience-{KBPS}.flv"
    if not clip.exists():
        part = clip.with_suffix(".part.flv")
        command = [
            bench.ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30",
            "-f", "lavfi", "-i", "sine=frequency=220:sample_rate=48000", "-t", "60", "-c:v", "libx264",
            "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "60", "-b:v", f"{KBPS}k",
            "-maxrate", f"{KBPS}k", "-bufsize", f"{KBPS}k", "-c:a", "aac", "-b:a", "64k", "-f", "flv", part,
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
    clip = stream(bench)

    def watched(protocol, count, cached=False):
        command, rtmp, http = server(bench, "--webrtc", f"127.0.0.1:{free_port()}")
        with Program(command, bench.log, env=bench.environment()) as program:
            wait_for("the server", lambda: listening(rtmp) and listening(http))
            publish = [
                bench.ffmpeg, "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy",
                "-f", "flv", f"rtmp://127.0.0.1:{rtmp}/live/show",
            ]
            with Program(publish, bench.log) as publisher:
                wait_for("the stream", lambda: playable(f"http://127.0.0.1:{http}/live/show/hls/main.m3u8"))
                if cached:
                    return behind_cache(http, program, publisher, protocol, count)
                return measured(http, program, publisher, protocol, count)

    def measured(port, program, publisher, protocol, count):
        out = bench.folder / "viewers.json"
        client = [
            bench.viewers, protocol, f"http://127.0.0.1:{port}/live/show", "--viewers", count,
            "--seconds", bench.seconds, "--pid", program.pid,
        ]
        load = Program(client, bench.log, out=out)
        if load.wait(bench.seconds + 120) != 0 or publisher.gone():
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
        }

    def behind_cache(http, program, publisher, protocol, count):
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
            f"daemon off; worker_processes 2; pid {folder}/pid; error_log stderr error; worker_rlimit_nofile 20000;\n"
            "events { worker_connections 8192; }\n"
            "http { log_format asked '$upstream_cache_status $request_uri'; keepalive_requests 100000;\n"
            f"access_log {folder}/asked asked buffer=64k flush=1s;\n{rules}}}\n"
        )
        command = [NGINX, "-e", "stderr", "-p", folder, "-c", config]
        with Program(command, bench.log):
            wait_for("the cache", lambda: listening(port))
            figures = measured(port, program, publisher, protocol, count)
        lines = [line.split(" ", 1) for line in (folder / "asked").read_text().splitlines()]
        # A playlist that is not awaited is another object every second.
        lines = [line for line in lines if not line[1].endswith("/main.m3u8")]
        objects = {path for _, path in lines}
        origin = sum(status not in ("HIT", "-") for status, _ in lines)
        return {**figures, "requests": len(lines), "origin_requests_per_object": origin / len(objects)}

    programs = {
        f"WHEP, {WHEP_VIEWERS}": lambda: watched("whep", WHEP_VIEWERS),
        f"low-latency HLS, {HLS_VIEWERS:,}": lambda: watched("hls", HLS_VIEWERS),
    }
    if Path(NGINX).exists():
        programs[f"low-latency HLS through nginx, {HLS_VIEWERS:,}"] = lambda: watched("hls", HLS_VIEWERS, cached=True)
    return turns(bench, programs)
