// The state of the stream, which is requested every few seconds, and the clock of the server.

const WAITING_MS = 1_000;
const LIVE_MS = 4_000;
const TIMEOUT_MS = 5_000;
// After this time, any response defines the time of the server: a clock may have been set, or the network changed.
const MAX_AGE_MS = 30_000;
// The status codes for a missing or wrong key or token.
const REFUSED = [401, 403];
// The status code for too many wrong keys or tokens from the address, which others can share.
const TOO_MANY = 429;

export class StreamState {
    // `changed(state)` is called after each answer, with `null` where there was none twice in a row. `refused()` is
    // called if the page may not play the stream; then nothing is asked before the next `refresh()`. `limited()` is
    // called if the address must wait; then the page asks again after that time.
    constructor(url, changed, refused, limited) {
        this.url = url;
        this.changed = changed;
        this.refused = refused;
        this.limited = limited;
        this.failures = 0;
        // The shortest recent round trip in milliseconds. Its response defines the time of the server.
        this.roundTrip = Infinity;
        this.measuredAt = -Infinity;
        this.offset = 0;
        this.timer = null;
        this.asking = null;
    }

    // Requests the state at once, or waits for the pending response.
    refresh() {
        this.asking ??= this.#ask().finally(() => {
            this.asking = null;
        });
        return this.asking;
    }

    serverNow() {
        return Date.now() + this.offset;
    }

    async #ask() {
        clearTimeout(this.timer);
        let state = null;
        try {
            const began = performance.now();
            const answer = await fetch(this.url, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
            if (REFUSED.includes(answer.status)) return this.refused();
            if (answer.status === TOO_MANY) {
                const seconds = Number(answer.headers.get('Retry-After')) || 1;
                this.timer = setTimeout(() => this.refresh(), seconds * 1_000);
                return this.limited();
            }
            if (answer.ok) {
                state = await answer.json();
                const took = performance.now() - began;
                if (took < this.roundTrip || began - this.measuredAt > MAX_AGE_MS) {
                    this.roundTrip = took;
                    this.measuredAt = began;
                    this.offset = state.now + took / 2 - Date.now();
                }
            }
        } catch {
            // Counted below.
        }
        this.failures = state ? 0 : this.failures + 1;
        // A stream that moves to another server can leave at any time.
        const wait = state?.live && !state.successor ? LIVE_MS : WAITING_MS;
        this.timer = setTimeout(() => this.refresh(), wait);
        if (state || this.failures > 1) this.changed(state);
    }
}
