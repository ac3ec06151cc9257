// A stream by low-latency HLS: with hls.js, or by the browser itself where it has no Media Source Extensions.

const LIST = 'application/vnd.apple.mpegurl';
// Nothing plays after this.
const START_MS = 15_000;
// Farther behind the live edge than this, playback jumps instead of catching up.
const MAX_BEHIND_SECONDS = 5;
// Playback does not go on.
const STALL_MS = 8_000;

export class LowLatencyHls {
    static isSupported(video) {
        return 'MediaSource' in window || 'ManagedMediaSource' in window || video.canPlayType(LIST) !== '';
    }

    constructor({ address, video, fail, serverNow }) {
        this.url = address('.m3u8');
        this.video = video;
        this.fail = fail;
        this.serverNow = serverNow;
        this.stopped = false;
        this.latency = null;
        this.recovered = 0;
        this.movedAt = performance.now();
        this.position = 0;
    }

    async start() {
        const { default: Hls } = await import('/assets/hls.light.min.mjs');
        if (this.stopped) return;
        if (!Hls.isSupported()) {
            this.video.src = this.url;
            this.video.onerror = () => this.#give('noFrames');
            return;
        }
        const hls = new Hls({
            lowLatencyMode: true,
            // Its worker would come from a blob, which the policy of the page forbids. Segments are fMP4: there is
            // little work.
            enableWorker: false,
            maxLiveSyncPlaybackRate: 1.1,
            backBufferLength: 30,
        });
        this.hls = hls;
        hls.on(Hls.Events.ERROR, (_, data) => this.#error(Hls, data));
        hls.loadSource(this.url);
        hls.attachMedia(this.video);
    }

    #error(Hls, data) {
        if (!data.fatal || this.stopped) return;
        if (data.response?.code === 404) return this.#give('absent');
        if (data.response?.code === 503) return this.#give('full');
        // Once each: what fails again is not cured by this.
        this.recovered += 1;
        if (this.recovered > 2) {
            this.#give('lost');
        } else if (data.type === Hls.ErrorTypes.MEDIA_ERROR) {
            this.hls.recoverMediaError();
        } else if (data.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR) {
            this.hls.loadSource(this.url);
        } else {
            this.hls.startLoad();
        }
    }

    watch() {
        const now = performance.now();
        if (this.video.currentTime !== this.position || this.video.paused && this.position > 0) {
            this.position = this.video.currentTime;
            this.movedAt = now;
        }
        const date = this.hls?.playingDate;
        const latency = date ? (this.serverNow() - date.getTime()) / 1_000 : this.hls?.latency;
        this.latency = this.position > 0 && latency > 0 ? latency : null;
        if (this.position > 0 && this.hls?.liveSyncPosition - this.position > MAX_BEHIND_SECONDS) this.toLiveEdge();
        const limit = this.position > 0 ? STALL_MS : START_MS;
        if (now - this.movedAt > limit) this.#give(this.position > 0 ? 'lost' : 'noFrames');
    }

    // The page was paused or hidden: that playback stopped was no fault.
    wake() {
        this.movedAt = performance.now();
    }

    toLiveEdge() {
        const edge = this.hls?.liveSyncPosition;
        if (edge && edge - this.video.currentTime > 1) this.video.currentTime = edge;
    }

    stop() {
        if (this.stopped) return;
        this.stopped = true;
        this.video.onerror = null;
        if (this.hls) {
            this.hls.destroy();
        } else {
            this.video.removeAttribute('src');
            this.video.load();
        }
    }

    #give(reason) {
        if (!this.stopped) this.fail(reason);
    }
}
