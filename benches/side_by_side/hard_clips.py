"""Clips whose bitrate is hard to keep, 640x360 at 30 pictures a second for 12 s: the mean, the dearest second, the
dearest two seconds and the largest frame of onair and of x264 with a buffer of one second."""

import numpy as np

WIDTH, HEIGHT, RATE, SECONDS, KBPS = 640, 360, 30, 12, 1000
FRAMES = RATE * SECONDS


def alternating(random, first):
    """Two seconds of noise, and two seconds of a plain picture."""
    for number in range(FRAMES):
        is_noise = number // 60 % 2 == first
        yield random.integers(16, 236, (HEIGHT, WIDTH)) if is_noise else np.full((HEIGHT, WIDTH), 90)


def slides(random):
    """A new picture of fine detail every 0.7 s."""
    for number in range(FRAMES):
        if number % 21 == 0:
            picture = np.kron(random.integers(16, 236, (HEIGHT // 2, WIDTH // 2)), np.ones((2, 2)))
        yield picture


def flashes(random):
    """A moving texture with two bright pictures in every fifteen."""
    texture = np.kron(random.integers(40, 200, (HEIGHT // 4, WIDTH)), np.ones((4, 1)))
    for number in range(FRAMES):
        picture = np.roll(texture, -7 * number, 1)
        yield picture * 0.15 + 200 if number % 15 < 2 else picture


def snow(random):
    """Noise over a gradient, stronger and weaker."""
    ground = 60 + np.arange(WIDTH) * 0.15
    for number in range(FRAMES):
        yield ground + random.standard_normal((HEIGHT, WIDTH)) * 60 * abs(np.sin(number / 40))


CLIPS = {
    "noise": lambda random: alternating(random, 0),
    "plain": lambda random: alternating(random, 1),
    "slides": slides,
    "flashes": flashes,
    "snow": snow,
}


def draw(path, pictures):
    with open(path, "wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for luma in pictures:
            file.write(b"FRAME\n")
            file.write(np.clip(luma, 16, 235).astype(np.uint8).tobytes())
            file.write(bytes([128]) * (WIDTH * HEIGHT // 2))


def compare(quality, encoders):
    """The figures of each clip by encoder, in kbit/s and kB."""
    result = {encoder: {} for encoder in encoders}
    for name, pictures in CLIPS.items():
        clip = quality.folder / f"keep-{name}.y4m"
        draw(clip, pictures(np.random.default_rng(1)))
        for encoder in encoders:
            out = quality.encode(clip, encoder, KBPS)
            # Skipped frames have no packet. They are rare, so the spans are only a little longer.
            sizes = quality.sizes(out)
            spans = {f"{count}s": np.convolve(sizes, np.ones(RATE * count), "valid").max() / count for count in (1, 2)}
            result[encoder] |= {f"{name}_peak_{label}_kbps": [float(most) * 8 / 1000] for label, most in spans.items()}
            result[encoder][f"{name}_mean_kbps"] = [sum(sizes) * 8 / 1000 / SECONDS]
            result[encoder][f"{name}_largest_kB"] = [max(sizes) / 1000]
            out.unlink()
        clip.unlink()
    return result
