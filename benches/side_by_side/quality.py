"""Quality per bit: what each encoder makes of five clips at four bitrates, as BD-rate by PSNR and by
VMAF over the bitrates that came out, and how far the dearest two seconds are above what was asked."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import clips
import hard_clips

KBPS = (1000, 1800, 3200, 6000)
HELD = 2500
WINDOW = 2 * clips.RATE

X264 = ["-c:v", "libx264", "-tune", "zerolatency", "-threads", "1", "-preset"]
THEIRS = {
    "openh264": ["-c:v", "libopenh264", "-profile:v", "high", "-coder", "cabac", "-rc_mode", "bitrate",
                 "-allow_skip_frames", "0", "-threads", "1"],
    "x264 veryfast": [*X264, "veryfast"],
    "x264 superfast": [*X264, "superfast"],
    "x264 ultrafast": [*X264, "ultrafast"],
}


# Encoders of the system's FFmpeg through onair, each with its preset, and B-frames and look-ahead if there are some.
# One that is not there is left out.
OF_SYSTEM = ["onair x264 superfast", "onair x264 veryfast", "onair x264 medium",
             "onair x264 veryfast 2 20", "onair x265 ultrafast",
             "onair svt-av1 12", "onair svt-av1 10"]


def run(command, log):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        with open(log, "a", encoding="utf-8") as file:
            file.write(done.stderr)
        raise RuntimeError(f"{command[0]} ended with {done.returncode}; see {log}")
    return done.stdout, done.stderr


class Quality:
    def __init__(self, bench):
        self.bench, self.folder = bench, bench.folder / "quality"
        self.folder.mkdir(exist_ok=True)

    def clips(self):
        """The clips by name; drawn once."""
        found = {name: self.folder / f"{name}.y4m" for name in ("hard", "card", "head", "text", "game")}
        for name, file in found.items():
            if file.exists():
                continue
            if name in clips.CLIPS:
                clips.write(file, clips.CLIPS[name]())
                continue
            card = f"testsrc2=size={clips.WIDTH}x{clips.HEIGHT}:rate={clips.RATE}:duration={clips.SECONDS}"
            part = file.with_suffix(".part")
            run([self.bench.static, "-v", "error", "-y", "-f", "lavfi", "-i", card, "-pix_fmt", "yuv420p",
                 "-f", "yuv4mpegpipe", part], self.bench.log)
            part.rename(file)
        return found

    def encode(self, clip, encoder, kbps):
        name = encoder.replace(' ', '-')
        suffix = next((end for word, end in (("x265", "265"), ("svt-av1", "obu")) if word in encoder), "264")
        out = self.folder / f"{clip.stem}-{name}-{kbps}.{suffix}"
        if encoder.startswith("onair"):
            run([self.bench.encode, clip, f"{kbps}k", out, *encoder.split()[1:]], self.bench.log)
        else:
            limit = ["-maxrate", f"{kbps}k", "-bufsize", f"{kbps}k"] if "x264" in encoder else []
            run([self.bench.static, "-v", "error", "-y", "-i", clip, *THEIRS[encoder], "-b:v", f"{kbps}k",
                 *limit, "-g", WINDOW, out], self.bench.log)
        return out

    def of_system(self, clip):
        """The encoders of the system's FFmpeg that work here."""
        found = []
        for encoder in OF_SYSTEM:
            try:
                self.encode(clip, encoder, HELD).unlink()
                found.append(encoder)
            except RuntimeError as why:
                print(f"{encoder} is left out: {why}")
        return found

    def measure(self, clip, out):
        """(measured kbit/s, PSNR of luma, VMAF)."""
        # Only some streams declare their colors. Without this, ffmpeg would convert these streams.
        same = "settb=AVTB,setpts=N,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
        graph = (f"[0:v]{same},split[a][b];[1:v]{same},split[c][d];"
                 "[a][c]psnr[p];[b][d]libvmaf=n_threads=1:n_subsample=3[v]")
        _, report = run([self.bench.static, "-hide_banner", "-i", out, "-i", clip, "-filter_complex", graph,
                         "-map", "[p]", "-f", "null", "-", "-map", "[v]", "-f", "null", "-"], self.bench.log)
        psnr, vmaf = re.search(r"PSNR y:([\d.]+)", report), re.search(r"VMAF score: ([\d.]+)", report)
        if not (psnr and vmaf):
            raise RuntimeError("ffmpeg measured nothing")
        kbps = os.path.getsize(out) * 8 / clips.SECONDS / 1000
        return kbps, float(psnr[1]), float(vmaf[1])

    def windows(self, out, kbps):
        """The dearest and the cheapest two seconds, as parts of what was asked."""
        sums = np.convolve(self.sizes(out), np.ones(WINDOW), "valid")
        return [float(most) * 8 / 1000 / 2 / kbps for most in (sums.max(), sums.min())]

    def sizes(self, out):
        """The bytes of each packet."""
        listing, _ = run([self.bench.ffprobe, "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", out],
                         self.bench.log)
        return [int(line.strip(",")) for line in listing.split()]


def bd_rate(theirs, ours, figure):
    """Percent of bits that ours needs more (+) or less (-) for the same quality, by a cubic through
    four points (Bjontegaard). Where one is better at its lowest bitrate than the other at its
    highest there is no such figure: then what that says at least."""
    rates = [np.log([point[0] for point in points]) for points in (theirs, ours)]
    scores = [[point[figure] for point in points] for points in (theirs, ours)]
    low, high = max(map(min, scores)), min(map(max, scores))
    if high <= low:
        worst = (rates[1][0] - rates[0][-1]) if min(scores[1]) >= max(scores[0]) else (rates[1][-1] - rates[0][0])
        return float((np.exp(worst) - 1) * 100)
    areas = [np.polyval(np.polyint(np.polyfit(score, rate, 3)), [low, high]) for score, rate in zip(scores, rates)]
    theirs, ours = (area[1] - area[0] for area in areas)
    return float((np.exp((ours - theirs) / (high - low)) - 1) * 100)


def compare(bench):
    quality = Quality(bench)
    found = quality.clips()
    encoders = ["onair", *quality.of_system(found["card"]), *THEIRS]
    jobs = [(name, encoder, kbps) for name in found for encoder in encoders for kbps in KBPS]

    def point(job):
        name, encoder, kbps = job
        out = quality.encode(found[name], encoder, kbps)
        try:
            return quality.measure(found[name], out)
        finally:
            out.unlink()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        points = dict(zip(jobs, pool.map(point, jobs)))
    of = {(name, encoder): [points[name, encoder, kbps] for kbps in KBPS] for name in found for encoder in encoders}
    result = {}
    for encoder in encoders:
        held = {}
        for name, clip in found.items():
            out = quality.encode(clip, encoder, HELD)
            dearest, cheapest = quality.windows(out, HELD)
            held[f"{name}_worst_2s"] = [dearest]
            held[f"{name}_off_2s"] = [max(dearest - 1, 1 - cheapest)]
            out.unlink()
        result[encoder] = held
    for encoder, figures in hard_clips.compare(quality, ["onair", "x264 veryfast"]).items():
        result[encoder] |= figures
    for encoder in THEIRS:
        result[f"onair against {encoder}"] = {
            f"{name}_{label}_pct": [bd_rate(of[name, encoder], of[name, "onair"], figure)]
            for name in found for figure, label in ((1, "psnr"), (2, "vmaf"))
        }
    for encoder in encoders:
        if encoder.startswith("onair "):
            result[f"{encoder} against x264 veryfast"] = {
                f"{name}_{label}_pct": [bd_rate(of[name, "x264 veryfast"], of[name, encoder], figure)]
                for name in found for figure, label in ((1, "psnr"), (2, "vmaf"))
            }
    for (name, encoder), series in of.items():
        for label, index in (("kbps", 0), ("psnr", 1), ("vmaf", 2)):
            result[encoder][f"{name}_{label}"] = [[round(point[index], 3) for point in series]]
    return result
