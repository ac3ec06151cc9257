"""The clips of the quality bench, drawn by numbers from a seed: the same bytes on every machine with
the same numpy. 1280x720, 30 pictures a second, Y4M."""

import numpy as np

WIDTH, HEIGHT, RATE, SECONDS = 1280, 720, 30, 8
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


def write(path, pictures):
    """Writes pictures, each (luma, blue, red) at full size in float, chroma about 128."""
    part = path.with_suffix(".part")
    with open(part, "wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for luma, blue, red in pictures:
            file.write(b"FRAME\n")
            file.write(np.clip(luma + 0.5, 16, 235).astype(np.uint8).tobytes())
            for plane in (blue, red):
                small = plane.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3))
                file.write(np.clip(small + 0.5, 16, 240).astype(np.uint8).tobytes())
    part.rename(path)


def smooth(random, shape, scale):
    """Noise of one scale, about -1 to 1, that repeats at its edges."""
    rows, columns = shape[0] // scale, shape[1] // scale
    grid = random.standard_normal((rows, columns)).astype(np.float32)
    for axis, count, length in ((0, rows, shape[0]), (1, columns, shape[1])):
        at = np.arange(length, dtype=np.float32) / scale
        low = at.astype(int)
        part = at - low
        part = part * part * (3 - 2 * part)
        part = part[:, None] if axis == 0 else part[None, :]
        grid = grid.take(low % count, axis) * (1 - part) + grid.take((low + 1) % count, axis) * part
    return grid


def moved(plane, dy, dx):
    """A plane that repeats at its edges, moved by parts of a pixel, the size of a picture."""
    top, left = int(np.floor(dy)), int(np.floor(dx))
    fy, fx = np.float32(dy - top), np.float32(dx - left)
    rows = np.arange(top, top + HEIGHT + 1) % plane.shape[0]
    columns = np.arange(left, left + WIDTH + 1) % plane.shape[1]
    cut = plane[rows][:, columns]
    cut = cut[:-1] * (1 - fy) + cut[1:] * fy
    return cut[:, :-1] * (1 - fx) + cut[:, 1:] * fx


def hard():
    """Three scenes of fine texture under a wandering camera, things crossing it at their own pace,
    and the grain of a camera in poor light."""
    random = np.random.default_rng(20)
    for scene in range(3):
        shape = (1024, 2048)
        luma = sum(smooth(random, shape, scale) * gain for scale, gain in ((256, 26), (64, 20), (16, 16), (4, 9)))
        blue, red = (smooth(random, shape, 128) * 16 for _ in range(2))
        things = [
            (random.uniform(0, WIDTH), random.uniform(0, HEIGHT), random.uniform(-9, 9), random.uniform(-6, 6),
             random.uniform(30, 90), random.uniform(-50, 50), random.uniform(-30, 30))
            for _ in range(14)
        ]
        first = scene * SECONDS * RATE // 3
        for number in range((scene + 1) * SECONDS * RATE // 3 - first):
            t = number / RATE
            dy, dx = 40 * np.sin(1.3 * t) + 11 * t, 75 * t + 30 * np.sin(2.1 * t)
            y, b, r = (moved(plane, dy, dx) for plane in (luma, blue, red))
            y, b, r = y + 112, b + 128, r + 128
            for x0, y0, vx, vy, size, light, tint in things:
                x1, y1 = (x0 + vx * number) % WIDTH, (y0 + vy * number) % HEIGHT
                inside = (X - x1) ** 2 + (Y - y1) ** 2 < size * size
                weave = 14 * np.sin((X[inside] - x1) * 0.7) * np.sin((Y[inside] - y1) * 0.5)
                y[inside] = 120 + light + weave
                b[inside], r[inside] = 128 + tint, 128 - tint
            yield y + random.standard_normal(y.shape, dtype=np.float32) * 2.5, b, r


def head():
    """Somebody who talks: a soft room behind, sensor noise, a head that sways, blinks and speaks."""
    random = np.random.default_rng(7)
    wall = 92 + 30 * np.exp(-(((X - 300) / 420) ** 2 + ((Y - 180) / 300) ** 2)) - 0.03 * Y
    wall_b, wall_r = np.full_like(X, 124), np.full_like(X, 133)
    for _ in range(9):
        x0, y0, size = random.uniform(0, WIDTH), random.uniform(0, 420), random.uniform(40, 120)
        spot = 1 / (1 + np.exp((np.hypot(X - x0, Y - y0) - size) / 9))
        wall += spot * random.uniform(-14, 34)
        wall_b -= spot * random.uniform(0, 9)
        wall_r += spot * random.uniform(0, 9)
    skin = smooth(random, (1024, 2048), 4) * 2.2 + smooth(random, (1024, 2048), 32) * 3
    cloth = smooth(random, (1024, 2048), 2) * 5 + 5 * np.sin(X.mean(0).repeat(2)[:2048] * 0.9)[None, :]
    hair = smooth(random, (1024, 2048), 4) * 9

    def edge(distance, soft=1.4):
        return 1 / (1 + np.exp(np.clip(distance / soft, -30, 30)))

    for number in range(SECONDS * RATE):
        t = number / RATE
        cx = 640 + 22 * np.sin(0.9 * t) + 6 * np.sin(2.3 * t)
        cy = 330 + 9 * np.sin(1.4 * t + 1)
        speaking = max(0.0, np.sin(0.8 * t + 0.4)) ** 0.3
        mouth = 3 + 15 * speaking * abs(np.sin(9.5 * t) * np.sin(4.1 * t + 0.7))
        lid = 1.0 if (t + 0.2) % 2.7 > 0.13 else 0.12
        y, b, r = wall.copy(), wall_b.copy(), wall_r.copy()

        def paint(cover, luma, blue, red):
            for plane, value in ((y, luma), (b, blue), (r, red)):
                plane += cover * (value - plane)

        sway = (cx - 640) * 0.35
        shoulders = edge((((X - 640 - sway) / 330) ** 4 + ((Y - 760) / 250) ** 2 - 1) * 120)
        paint(shoulders, 66 + moved(cloth, 200, 500 - sway), 140, 118)
        paint(edge((np.abs(X - cx * 0.7 - 192 - sway * 0.3) - 62)) * edge(505 - Y) * edge(Y - 590), 118, 112, 152)
        paint(edge((np.hypot((X - cx) / 158, (Y - cy + 22) / 205) - 1) * 150),
              38 + moved(hair, 300 - cy, 640 - cx), 126, 132)
        face = edge((np.hypot((X - cx) / 132, (Y - cy - 12) / 172) - 1) * 130)
        light = 148 - 0.16 * (X - cx) - 0.05 * (Y - cy) + moved(skin, 300 - cy, 640 - cx)
        paint(face, light, 112, 153)
        for side in (-1, 1):
            ex, ey = cx + side * 50, cy - 25
            paint(edge((np.hypot((X - ex) / 25, (Y - ey) / (11 * lid)) - 1) * 14), 196, 127, 130)
            paint(edge((np.hypot(X - ex - 3 * np.sin(0.7 * t), (Y - ey) / lid) - 9)), 40, 132, 126)
            paint(edge((np.hypot((X - ex) / 33, (Y - ey + 30 + 4 * speaking) / 5) - 1) * 6), 52, 126, 134)
        paint(edge((np.hypot((X - cx - 6) / 15, (Y - cy - 30) / 34) - 1) * 16, 3) * 0.35, 118, 114, 154)
        paint(edge((np.hypot((X - cx) / 46, (Y - cy - 95) / (mouth + 8)) - 1) * 16), 104, 112, 170)
        paint(edge((np.hypot((X - cx) / 36, (Y - cy - 95) / mouth) - 1) * 8), 34, 122, 142)
        noise = random.standard_normal((3, HEIGHT, WIDTH), dtype=np.float32)
        yield y + noise[0] * 1.6, b + noise[1] * 1.2, r + noise[2] * 1.2


def text():
    """A screen: lines of glyphs on paper that scroll in steps, a cursor, and a window that opens."""
    random = np.random.default_rng(11)
    glyphs = (random.random((64, 12, 8)) < 0.45).astype(np.float32)
    rows, columns = 4 * HEIGHT // 16, WIDTH // 10
    page = np.full((rows * 16, WIDTH), 235, np.float32)
    for row in range(rows):
        indent, length = random.integers(0, 12), random.integers(20, columns - 14)
        for column in range(indent, indent + length):
            if random.random() < 0.83:
                place = page[row * 16 + 2:row * 16 + 14, column * 10 + 1:column * 10 + 9]
                place -= glyphs[random.integers(64)] * random.choice([205, 150])
    tint = np.full_like(X, 128)
    for number in range(SECONDS * RATE):
        t = number / RATE
        # Three lines at once, twice per second, as with a mouse wheel.
        top = int(2 * t) * 48 % (page.shape[0] - HEIGHT)
        y, b, r = page[top:top + HEIGHT].copy(), tint.copy(), tint.copy()
        y[:40] = 52
        if number % 30 < 15:
            y[300:316, 400:402] = 20
        if 2.2 < t % 4 < 3.6:
            y[180:520, 380:900] = 214
            b[180:210, 380:900], y[180:210, 380:900] = 150, 90
            y[260:276, 420:420 + int(340 * (t % 4 - 2.2) / 1.4)] = 70
        yield y, b, r


def game():
    """A flight over a landscape in perspective, with a cockpit that stays, and flashes."""
    random = np.random.default_rng(5)
    ground = sum(smooth(random, (1024, 2048), scale) * gain for scale, gain in ((128, 30), (32, 22), (8, 18), (2, 8)))
    earth_b, earth_r = (smooth(random, (1024, 2048), 64) * 22 for _ in range(2))
    horizon = 250
    depth = 24000 / np.maximum(Y - horizon, 4)
    for number in range(SECONDS * RATE):
        t = number / RATE
        turn = 0.35 * np.sin(0.8 * t)
        rows = (depth + 420 * t).astype(int) % 1024
        columns = ((X - 640) * depth / 420 + turn * depth * 2 + 900 * np.sin(0.4 * t)).astype(int) % 2048
        below = horizon < Y
        y = np.where(below, 105 + ground[rows, columns] * np.minimum(1, 900 / depth), 190 - 0.25 * Y)
        b = np.where(below, 118 + earth_b[rows, columns], 150)
        r = np.where(below, 132 + earth_r[rows, columns], 112)
        for shot in range(3):
            age = (t * 1.7 + shot / 3) % 1
            x0, y0 = 640 + 400 * np.sin(shot * 2.1 + int(t * 1.7)), horizon + 60 * age
            near = np.hypot(X - x0, Y - y0) < 12 + 90 * age
            y[near], b[near], r[near] = 225 - 120 * age, 90, 175
        y[560:], b[560:], r[560:] = 40 + 12 * ((X[560:] // 40 + Y[560:] // 40) % 2), 132, 126
        y[600:640, 80:80 + int(300 * (0.5 + 0.5 * np.sin(t)))] = 200
        yield y, b, r


CLIPS = {"hard": hard, "head": head, "text": text, "game": game}
