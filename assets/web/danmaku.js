// Danmaku: chat messages that fly over the video. Each message occupies a lane until its end has entered the video.

import { store, stored } from '/assets/preferences.js';

const LANE_PX = 34;
const NARROW_LANE_PX = 22;
const NARROW_PX = 700;
// The share of the video's height that lanes occupy.
const SHARE = 0.5;
const FLIGHT_MS = 8_000;
const GAP_PX = 24;
// Maximum number of messages in flight. Further messages appear only in the chat.
const MAX_FLYING = 40;

export class Danmaku {
    constructor(layer) {
        this.layer = layer;
        const chosen = stored('danmaku');
        const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
        this.isOn = chosen === null ? !isCalm : chosen === 'true';
        // The time at which each lane is free again.
        this.free = [];
    }

    toggle() {
        this.isOn = !this.isOn;
        store('danmaku', this.isOn);
        if (!this.isOn) this.layer.replaceChildren();
    }

    // Removes deleted messages from the video.
    remove(ids) {
        const gone = new Set(ids.map(String));
        for (const line of [...this.layer.children]) {
            if (gone.has(line.dataset.id)) line.remove();
        }
    }

    show(words, id = null) {
        const { clientWidth: width, clientHeight: height } = this.layer;
        if (!this.isOn || document.hidden || this.layer.childElementCount >= MAX_FLYING) return;
        const lane = width < NARROW_PX ? NARROW_LANE_PX : LANE_PX;
        const lanes = Math.max(1, Math.floor(height * SHARE / lane));
        const now = performance.now();
        let index = 0;
        while (index < lanes && (this.free[index] ?? 0) > now) index += 1;
        if (index === lanes) return;
        const line = document.createElement('span');
        line.textContent = words;
        if (id !== null) line.dataset.id = id;
        line.style.top = `${8 + index * lane}px`;
        this.layer.append(line);
        const length = line.offsetWidth;
        const duration = FLIGHT_MS;
        this.free[index] = now + duration * (length + GAP_PX) / (width + length);
        const flight = line.animate(
            [{ transform: `translateX(${width}px)` }, { transform: `translateX(${-length}px)` }],
            { duration, easing: 'linear' },
        );
        flight.onfinish = () => line.remove();
    }
}
