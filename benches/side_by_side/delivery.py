"""Rows about delivery: what more targets cost, what TLS costs, and how much a server that takes nothing
makes us hold."""

import contextlib
import json
import shutil
import signal
import socket
import subprocess
import threading
import time

from gate import Gate
from measure import Program, cpu_of_threads, free_port, listening, resident_mb, wait_for

NGINX = """
load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 512; }}
rtmp {{ access_log off; server {{ listen 127.0.0.1:{port}; chunk_size 4096; application live {{ live on; }} }} }}
"""


def server(bench):
    """nginx-rtmp, which takes what comes."""
    port = free_port()
    config = bench.folder / "delivery.conf"
    config.write_text(NGINX.format(folder=bench.folder, port=port))
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    program = Program([nginx, "-e", "stderr", "-p", bench.folder, "-c", config], bench.log)
    wait_for("nginx", lambda: listening(port))
    return program, port


def live(bench, urls, bitrate, *more):
    command = [
        bench.onair, "live", "--json", "--video", "test", "--audio", "tone", "--video-bitrate", bitrate,
        "--adapt", "off", "--duration", f"{bench.seconds}s", *more,
    ]
    for url in urls:
        command += ["--to", url]
    return command


def done(bench, programs):
    """Waits for all; their CPU seconds a second together."""
    for program in programs:
        if program.wait(bench.seconds * 2 + 30) != 0:
            raise RuntimeError(f"{program.command[0]} failed; see {bench.log}")
    return sum(program.usage["cpu_s"] for program in programs) / bench.seconds


def targets(bench):
    """One encode to one and to four targets; the same number of `ffmpeg -c copy`, and the tee muxer."""
    film = bench.folder / "delivery.flv"
    if not film.exists():
        made = Program([
            bench.ffmpeg, "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30", "-f", "lavfi",
            "-i", "sine=sample_rate=48000", "-t", "10", "-c:v", "libx264", "-preset", "veryfast", "-tune",
            "zerolatency", "-b:v", "2500k", "-g", 60, "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k", film,
        ], bench.log)
        if made.wait(120) != 0:
            raise RuntimeError(f"no film could be made; see {bench.log}")

    def run(commands):
        nginx, port = server(bench)
        with nginx:
            urls = [f"rtmp://127.0.0.1:{port}/live/bench{number}" for number in range(4)]
            programs = [Program(command, bench.log, env=bench.environment()) for command in commands(urls)]
            return {"cpu_s_per_s": done(bench, programs)}

    copy = [
        bench.ffmpeg, "-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", film, "-t", bench.seconds,
        "-c", "copy",
    ]
    tee = [*copy, "-map", "0", "-f", "tee"]
    return {
        "onair, one": lambda: run(lambda urls: [live(bench, urls[:1], "2500k")]),
        "onair, four": lambda: run(lambda urls: [live(bench, urls, "2500k")]),
        "ffmpeg -c copy, one": lambda: run(lambda urls: [[*copy, "-f", "flv", urls[0]]]),
        "ffmpeg -c copy, four": lambda: run(lambda urls: [[*copy, "-f", "flv", url] for url in urls]),
        "ffmpeg tee, four": lambda: run(lambda urls: [[*tee, "|".join(f"[f=flv]{url}" for url in urls)]]),
    }


def tls(bench):
    """6 Mbit/s to our server, plain and by TLS 1.3: CPU of the publisher."""
    certificate, key = bench.folder / "tls.pem", bench.folder / "tls.key"
    if not certificate.exists():
        subprocess.run([
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "30", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", key, "-out", certificate,
        ], check=True, capture_output=True)

    def run(scheme):
        plain, secure = free_port(), free_port()
        command = [
            bench.onair, "serve", "--json", "--rtmp", f"127.0.0.1:{plain}", "--http", "127.0.0.1:0",
            "--rtmps", f"127.0.0.1:{secure}", "--cert", certificate, "--cert-key", key,
        ]
        with Program(command, bench.log, env=bench.environment()):
            wait_for("the server", lambda: listening(plain) and listening(secure))
            port = plain if scheme == "rtmp" else secure
            url = f"{scheme}://localhost:{port}/live/bench"
            program = Program(live(bench, [url], "6M", "--tls-ca", certificate), bench.log, env=bench.environment())
            # Encryption runs on the network's threads. Its whole cost is smaller than the variation of the encoder.
            time.sleep(3)
            before, at = cpu_of_threads(program.pid, "onair-net"), time.monotonic()
            time.sleep(max(1, bench.seconds - 5))
            net = (cpu_of_threads(program.pid, "onair-net") - before) / (time.monotonic() - at)
            return {"net_cpu_s_per_s": net, "cpu_s_per_s": done(bench, [program])}

    return {"onair, rtmp": lambda: run("rtmp"), "onair, rtmps": lambda: run("rtmps")}


def blackhole(bench):
    """A server that is stopped in mid-stream for a minute: how much the publisher's memory grows."""

    def run():
        nginx, port = server(bench)
        with nginx:
            url = f"rtmp://127.0.0.1:{port}/live/bench"
            command = live(bench, [url], "6M")
            command[command.index("--duration") + 1] = "90s"
            with Program(command, bench.log, env=bench.environment()) as program:
                time.sleep(15)
                before = resident_mb(program.pid)
                nginx.process.send_signal(signal.SIGSTOP)
                most = before
                for _ in range(60):
                    time.sleep(1)
                    most = max(most, resident_mb(program.pid))
                nginx.process.send_signal(signal.SIGCONT)
        return {"before_mb": before, "grown_mb": most - before}

    return {"onair": run}


def keyframe_at(port, name):
    """Waits for the first keyframe of a stream over HTTP-FLV, which is not there before its publisher is:
    the monotonic instant at which it has come whole."""
    for _ in range(4_000):
        with socket.create_connection(("127.0.0.1", port), 30) as viewer:
            viewer.sendall(f"GET /live/{name}.flv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            stream = viewer.makefile("rb")
            if b" 200 " in stream.readline():
                return read_to_keyframe(stream)
        time.sleep(0.005)
    raise RuntimeError("the stream never came")


def read_to_keyframe(stream):
    chunked = False
    while (line := stream.readline().strip()) != b"":
        chunked |= line.lower() == b"transfer-encoding: chunked"
    data = b""
    place = 13
    while True:
        if chunked:
            size = int(stream.readline().strip(), 16)
            piece = stream.read(size + 2)[:size]
        else:
            piece = stream.read1(1 << 16)
        if not piece:
            raise RuntimeError("the viewer's stream ended before a keyframe")
        data += piece
        while len(data) >= place + 11:
            length = int.from_bytes(data[place + 1 : place + 4], "big")
            if len(data) < place + 15 + length:
                break
            body = data[place + 11 : place + 11 + length]
            if data[place] == 9 and body[0] >> 4 == 1 and body[1] == 1:
                return time.monotonic()
            place += 15 + length


@contextlib.contextmanager
def serving(bench):
    """Our server: its ports for RTMP and for HTTP."""
    rtmp, http = free_port(), free_port()
    command = [bench.onair, "serve", "--json", "--rtmp", f"127.0.0.1:{rtmp}", "--http", f"127.0.0.1:{http}"]
    with Program(command, bench.log, env=bench.environment()):
        wait_for("the server", lambda: listening(rtmp) and listening(http))
        yield rtmp, http


def playing(bench, url, seconds):
    """A player of ours without a window, and the file in which its figures stand when it has ended."""
    figures = bench.folder / "playing.json"
    figures.unlink(missing_ok=True)
    command = [bench.onair, "play", url, "--headless", "--mute", "--json", "--duration", f"{seconds}s"]
    return Program(command, bench.log, env=bench.environment(), out=figures), figures


def first_picture_ms(bench, player, figures):
    """Waits for its end: after how long it had a picture to show."""
    if player.wait(30) != 0:
        raise RuntimeError(f"the player failed; see {bench.log}")
    for line in figures.read_text().splitlines():
        shown = json.loads(line).get("first_picture_ms")
        if shown is not None:
            return shown
    raise RuntimeError(f"no picture came; see {bench.log}")


def joining(bench, rate=500_000):
    """A viewer joins a running stream by HTTP-FLV over a connection of 4 Mbit/s: until a keyframe has come
    whole, to a reader that does nothing else, and until `onair play` shows a picture."""

    def run(view):
        with serving(bench) as (rtmp, http):
            gate = Gate(http, rate=rate)
            command = live(bench, [f"rtmp://127.0.0.1:{rtmp}/live/bench"], "2500k")
            with Program(command, bench.log, env=bench.environment()):
                time.sleep(4)
                figures = view(gate.port)
            gate.close()
        return figures

    def read(port):
        began = time.monotonic()
        return {"ms": (keyframe_at(port, "bench") - began) * 1000}

    def play(port):
        player, figures = playing(bench, f"http://127.0.0.1:{port}/live/bench.flv", 3)
        with player:
            return {"ms": first_picture_ms(bench, player, figures)}

    return {"onair": lambda: run(play), "a whole keyframe": lambda: run(read)}


def first(bench):
    """A publisher whose server cannot be reached for five seconds: from the first TCP connection that
    succeeds to the first keyframe at a viewer, and to the first picture that a player shows. Both wait
    for the stream from the start."""

    def run():
        with serving(bench) as (rtmp, http):
            gate = Gate(rtmp, is_open=False)
            command = live(bench, [f"rtmp://127.0.0.1:{gate.port}/live/bench"], "2500k")
            with Program(command, bench.log, env=bench.environment()):
                time.sleep(4)
                player, figures = playing(bench, f"rtmp://127.0.0.1:{rtmp}/live/bench", 4)
                with player:
                    time.sleep(1)
                    found = {}
                    viewer = threading.Thread(target=lambda: found.update(at=keyframe_at(http, "bench")), daemon=True)
                    viewer.start()
                    time.sleep(0.2)
                    gate.open()
                    viewer.join(20)
                    picture = player.started + first_picture_ms(bench, player, figures) / 1000
            gate.close()
        if "at" not in found or not gate.first:
            raise RuntimeError(f"no keyframe came; see {bench.log}")
        return {
            "keyframe_ms": (found["at"] - gate.first) * 1000,
            "picture_ms": (picture - gate.first) * 1000,
        }

    return {"onair": run}
