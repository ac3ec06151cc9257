"""Runs the comparisons, prints a table, and writes a JSON file. Started by packaging/bench.sh."""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import rows  # noqa: E402
from measure import median, spread  # noqa: E402

ROWS = ["broadcast", "quality", "relay", "crowd", "viewers", "start", "glass", "window", "targets", "tls", "blackhole", "first", "joining", "watch", "watch1080", "watchflv", "lasting", "outages", "browsers", "scene", "filters", "screen", "strip", "wire"]

# (row, figure, ours, theirs, the goal for ours / theirs) and (row, figure, ours, the goal, unit).
RATIOS = [
    ("broadcast", "cpu_s_per_s", "onair, pre-rendered", "ffmpeg, openh264", 1.0),
    ("broadcast", "cpu_s_per_s", "onair, pre-rendered", "ffmpeg, openh264 baseline", None),
    ("broadcast", "cpu_s_per_s", "onair, pre-rendered", "ffmpeg, x264", None),
    ("broadcast", "cpu_s_per_s", "onair, test source", "ffmpeg, openh264", 1.3),
    ("relay", "cpu_ns_per_byte", "onair", "nginx-rtmp", 0.6),
    ("relay", "join_ms", "onair", "nginx-rtmp", None),
    *(
        ("crowd", "cpu_ns_per_byte", f"onair, {load}", f"{other}, {load}", goal if other == "nginx-rtmp" else None)
        for load, goal in (
            ("RTMP, 1,000 × 600 kbit/s", 0.35),
            ("RTMP, 200 × 2,500 kbit/s", 0.5),
            ("RTMP, 3,000 × 600 kbit/s", None),
            ("RTMP, 1,000 × 2,500 kbit/s", None),
            ("RTMP, 200 × 600 kbit/s", None),
            ("HTTP-FLV, 500 × 600 kbit/s", None),
            ("HTTP-FLV, 500 × 2,500 kbit/s", None),
        )
        for other in ("nginx-rtmp", "node-media-server")
    ),
    ("start", "first_picture_ms", "onair", "ffmpeg", None),
    ("joining", "ms", "onair", "a whole keyframe", 1.2),
    # onair shows the moving test pattern, so the comparable scene is the one that moves.
    ("targets", "cpu_s_per_s", "onair, four", "onair, one", 1.15),
    ("targets", "cpu_s_per_s", "ffmpeg -c copy, four", "ffmpeg -c copy, one", None),
    ("targets", "cpu_s_per_s", "ffmpeg tee, four", "ffmpeg -c copy, one", None),
    ("scene", "cpu_ms_per_picture", "onair", "ffmpeg", 0.7),
    *(
        ("filters", "cpu_ms_per_picture", f"onair, {name}", f"ffmpeg, {name}", 1.0)
        for name in (
            "denoise", "chroma key", "colour", "colour table", "sharpen", "blur", "deinterlace", "deinterlace, bwdif", "stinger",
        )
    ),
    ("screen", "cpu_s_per_s", "onair, moving", "ffmpeg x11grab, moving", 0.8),
    ("screen", "cpu_s_per_s", "onair, still", "ffmpeg x11grab, still", 0.1),
    ("watch", "cpu_s_per_s", "onair", "ffplay", 1.0),
    ("watch", "cpu_without_gpu_s_per_s", "onair", "ffplay", 1.0),
    *((row, "latency_ms", "onair, 100 ms", "mpv, low-latency", None) for row in ("watch", "watchflv")),
    *((row, "first_picture_ms", "onair", "ffplay", 1.0) for row in ("watch", "watch1080", "watchflv")),
    *(
        (row, figure, "onair, FFmpeg's decoder", "ffplay", 1.0)
        for row in ("watch", "watch1080", "watchflv")
        for figure in ("cpu_s_per_s", "cpu_without_gpu_s_per_s")
    ),
    *(
        ("window", f"{when}_{figure}", "onair", "OBS, media scene", goal)
        for when in ("idle", "live")
        for figure, goal in (("cpu_s_per_s", 0.15), ("cpu_without_gpu_s_per_s", None), ("rss_mb", 0.5))
    ),
    ("window", "first_frame_ms", "onair", "OBS, media scene", None),
    ("window", "idle_cpu_s_per_s", "onair, still scene", "OBS, color scene", None),
]
# (row, figure, ours, the value that it is subtracted from, the goal for the difference, unit).
DIFFERENCES = [("tls", "net_cpu_s_per_s", "onair, rtmps", "onair, rtmp", 0.005, "of a core")]
LIMITS = [
    *(
        ("quality", f"{clip}_{figure}_pct", "onair against openh264", -3, "% bits")
        for clip in ("hard", "card", "head")
        for figure in ("psnr", "vmaf")
    ),
    ("quality", "hard_off_2s", "onair", 0.05, "of 2,500 kbit/s more or less over two seconds"),
    ("broadcast", "peak_mb", "onair, pre-rendered", 100, "MB"),
    ("relay", "latency_p99_ms", "onair", 5, "ms"),
    ("relay", "rss_mb", "onair", 20, "MB"),
    ("relay", "play_to_keyframe_ms", "onair", 2, "ms"),
    ("crowd", "join_p99_ms", "onair, RTMP, 1,000 × 600 kbit/s", 10, "ms"),
    ("crowd", "kb_per_viewer", "onair, RTMP, 1,000 × 600 kbit/s", 12, "KiB"),
    ("crowd", "kb_per_viewer", "onair, RTMP, 3,000 × 600 kbit/s", 12, "KiB"),
    ("viewers", "cpu_s_per_s", "WHEP, 200 × 600 kbit/s", 0.2, "of a core"),
    ("viewers", "origin_requests_per_object", "low-latency HLS through nginx, 2,000", 1.05, "requests"),
    ("start", "first_picture_ms", "onair", 500, "ms"),
    ("glass", "latency_ms", "onair", 400, "ms with a buffer of 300"),
    ("window", "idle_cpu_s_per_s", "onair", 0.12, "of a core"),
    ("window", "idle_window_cpu_s_per_s", "onair, still scene", 0.01, "of a core"),
    ("window", "minimized_cpu_s_per_s", "onair", 0.02, "of a core"),
    ("window", "live_window_cpu_s_per_s", "onair", 0.12, "of a core"),
    ("window", "live_rss_mb", "onair", 160, "MB"),
    # The declared queue: 900 ms of frames, and ten seconds of audio and keyframes, at most 32 MiB.
    ("blackhole", "grown_mb", "onair", 32, "MB"),
    ("strip", "core_pct_per_strip", "onair, three filters", 2, "% of a core"),
    ("strip", "core_pct_per_strip", "onair, three filters, sides that differ", 2, "% of a core"),
    ("first", "keyframe_ms", "onair", 1_000, "ms after the first connection"),
    ("first", "picture_ms", "onair", 1_000, "ms after the first connection"),
    ("window", "first_frame_ms", "onair", 300, "ms"),
    ("watch1080", "cpu_s_per_s", "onair", 0.6, "of a core"),
    ("browsers", "latency_ms", "WebRTC (WHEP)", 150, "ms"),
    ("browsers", "latency_p95_ms", "WebRTC (WHEP)", 250, "ms"),
    ("browsers", "whep_post_to_frame_ms", "WebRTC (WHEP)", 300, "ms"),
    ("browsers", "latency_ms", "WebSocket-FLV", 500, "ms"),
    ("browsers", "latency_ms", "HTTP-FLV", 500, "ms"),
    ("browsers", "latency_ms", "low-latency HLS", 1_500, "ms"),
    *(
        ("browsers", figure, protocol, goal, unit)
        for protocol in ("WebRTC (WHEP)", "low-latency HLS", "WebSocket-FLV", "HTTP-FLV", "HLS", "DASH")
        # Two runs differ by up to a frame.
        for figure, goal, unit in (("stalls", 0, "stalls"), ("grown_ms", 33, "ms from the first third to the last"))
    ),
]


def main():
    parser = argparse.ArgumentParser(prog="packaging/bench.sh")
    parser.add_argument("rows", nargs="*", help=f"which of: {' '.join(ROWS)} (all)")
    parser.add_argument("--times", type=int, default=3, help="repetitions of each (3)")
    parser.add_argument("--seconds", type=int, default=20, help="length of each measurement (20)")
    for name in ("onair", "load", "encode", "filter", "viewers", "ffmpeg", "static-ffmpeg", "dashjs", "folder", "results"):
        parser.add_argument(f"--{name}", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    for name in asked.rows:
        if name not in ROWS:
            parser.error(f"there is no row '{name}'")
    bench = rows.Bench(
        asked.onair, asked.load, asked.encode, asked.filter, asked.viewers, asked.ffmpeg, asked.static_ffmpeg, asked.dashjs, asked.folder,
        asked.times, asked.seconds,
    )
    report = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "processor": processor(), "system": platform.platform()},
        "times": asked.times,
        "seconds": asked.seconds,
        "rows": {},
        "failed": {},
    }
    for name in asked.rows or ROWS:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        load = os.getloadavg()[0]
        if load > 0.5:
            print(f"  the machine is busy (load {load:.1f}): figures will scatter", file=sys.stderr)
        try:
            found = getattr(rows, name)(bench)
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            print(f"  FAILED: {error}", file=sys.stderr)
            report["failed"][name] = str(error)
            continue
        if found is None:
            print("  left out: what it needs is not installed", file=sys.stderr)
        else:
            report["rows"][name] = found
    text = table(report)
    print(text)
    results = Path(asked.results)
    results.mkdir(parents=True, exist_ok=True)
    stem = results / time.strftime("%Y%m%d-%H%M%S")
    stem.with_suffix(".json").write_text(json.dumps(report, indent=1) + "\n")
    stem.with_suffix(".txt").write_text(text + "\n")
    print(f"\n{stem}.json and .txt", file=sys.stderr)
    return 1 if report["failed"] else 0


def processor():
    try:
        for line in open("/proc/cpuinfo", encoding="utf-8"):
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def numbers(series):
    return [value for value in series or [] if isinstance(value, (int, float))]


def wire_table(rows):
    """A line for each row, a column for each library; last, ours by the fastest of the others."""
    libraries = sorted({library for figures in rows.values() for library in figures} - {"onair"})
    wide = max(map(len, rows))
    head = "".join(f"{name:>10}" for name in ["onair", *libraries]) + f"{'ratio':>13}"
    lines = ["", "wire, ns (medians of criterion's medians, turn by turn)", f"  {'':<{wide}}{head}"]
    slower = []
    for name, figures in rows.items():
        ours = numbers(figures.get("onair"))
        theirs = [numbers(figures.get(library)) for library in libraries]
        fastest = min(filter(None, theirs), key=median, default=None)
        shown = "-"
        if ours and fastest:
            ratio, scatter = compared(ours, fastest)
            shown = f"{ratio:.2f} ±{scatter:.2f}"
            if ratio > 1:
                slower.append(name)
        cells = [f"{median(values):.0f}" if values else "-" for values in [ours, *theirs]]
        lines.append(f"  {name:<{wide}}" + "".join(f"{cell:>10}" for cell in cells) + f"{shown:>13}")
    lines.append(f"  goal, the fastest on every row: {'NOT met: ' + '; '.join(slower) if slower else 'met'}")
    return lines


def compared(mine, other):
    """The ratio of two medians, and half of what both scatter by."""
    ratio = median(mine) / median(other)
    return ratio, ratio * ((spread(mine) or 0) / 2 + (spread(other) or 0) / 2)


def table(report):
    lines = [f"medians of {report['times']}, {report['seconds']} s each; ± is half of highest less lowest"]
    for row, programs in report["rows"].items():
        if row == "wire":
            lines += wire_table(programs)
            continue
        lines += ["", row]
        for program, figures in programs.items():
            parts = []
            for figure, series in figures.items():
                values = numbers(series)
                if values:
                    parts.append(f"{figure} {median(values):.4g} ±{(max(values) - min(values)) / 2:.2g}")
            lines.append(f"  {program:<24} " + "  ".join(parts))
    lines += ["", "ratios (ours / theirs)"]
    for row, figure, ours, theirs, goal in RATIOS:
        mine = numbers(report["rows"].get(row, {}).get(ours, {}).get(figure))
        other = numbers(report["rows"].get(row, {}).get(theirs, {}).get(figure))
        if mine and other and median(other):
            ratio, scatter = compared(mine, other)
            verdict = "" if goal is None else f"  goal {goal}: {'met' if ratio <= goal else 'NOT met'}"
            lines.append(f"  {row} {figure}: {ours} / {theirs} = {ratio:.2f} ±{scatter:.2f}{verdict}")
    for row, figure, ours, theirs, goal, unit in DIFFERENCES:
        mine = numbers(report["rows"].get(row, {}).get(ours, {}).get(figure))
        other = numbers(report["rows"].get(row, {}).get(theirs, {}).get(figure))
        if mine and other:
            more = median(mine) - median(other)
            scatter = (max(mine) - min(mine) + max(other) - min(other)) / 2
            verdict = "met" if more <= goal else "NOT met"
            lines.append(f"  {row} {figure}: {ours} - {theirs} = {more:.4f} ±{scatter:.4f} {unit}  goal {goal}: {verdict}")
    lines += ["", "limits"]
    for row, figure, ours, goal, unit in LIMITS:
        mine = numbers(report["rows"].get(row, {}).get(ours, {}).get(figure))
        if mine:
            verdict = "" if goal is None else f"  goal {goal}: {'met' if median(mine) <= goal else 'NOT met'}"
            lines.append(f"  {row} {figure}: {ours} {median(mine):.4g} {unit}{verdict}")
    relay = report["rows"].get("relay", {})
    if "onair" in relay and "nginx-rtmp" in relay:
        p99 = [median(numbers(relay[name]["latency_p99_ms"])) for name in ("onair", "nginx-rtmp")]
        lines.append(f"  relay, 99th percentile: onair {p99[0]:.1f} ms, nginx-rtmp {p99[1]:.1f} ms, both with the client's own part")
    for row, why in report["failed"].items():
        lines.append(f"  {row} FAILED: {why}")
    return "\n".join(lines)


sys.exit(main())
