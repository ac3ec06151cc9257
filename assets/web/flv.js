// Plays a stream over WebSocket-FLV, with mpegts.js.

// If nothing plays after this time, playback has failed.
const START_MS = 15_000;
// Farther behind the live edge than this, playback jumps instead of catching up.
const MAX_BEHIND_SECONDS = 2;
// Playback keeps this much in its buffer. Each stall shows that the link needs more.
const TARGET_SECONDS = 0.3;
const MAX_TARGET_SECONDS = 1;
const STALL_INCREASE_SECONDS = 0.2;
// After this time without a stall, playback needs less again. The time doubles with each stall, so that a link that
// really needs more causes few stalls.
const CALM_MS = 30_000;
const CALM_DECREASE_SECONDS = 0.1;
// With this much more than the target, playback catches up at this rate.
const SLACK_SECONDS = 0.1;
const CATCH_UP_RATE = 1.1;
// If playback makes no progress for this long, the stream is lost.
const STALL_MS = 6_000;
// The policy of the page lets only these addresses become scripts (Trusted Types).
const SCRIPT = '/assets/mpegts.js';

const policy = window.trustedTypes?.createPolicy('onair', {
    createScriptURL: address => {
        if (address !== SCRIPT) throw new TypeError('not a script of this page');
        return address;
    },
});

let loading = null;

export class WebSocketFlv {
    static isSupported() {
        return 'MediaSource' in window || 'ManagedMediaSource' in window;
    }

    constructor({ address, video, fail, state, roundTrip }) {
        this.url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${address('.flv')}`;
        this.video = video;
        this.fail = fail;
        this.state = state;
        this.roundTrip = roundTrip;
        this.stopped = false;
        this.latency = null;
        this.movedAt = performance.now();
        this.position = 0;
        this.target = TARGET_SECONDS;
        this.calmMs = CALM_MS;
        this.changedAt = 0;
        this.paceListener = () => this.#pace();
        this.stallListener = () => this.#stalled();
    }

    async start() {
        let mpegts;
        try {
            mpegts = await load();
        } catch {
            return this.#give('noAnswer');
        }
        if (this.stopped) return;
        if (!mpegts.isSupported()) return this.#give('noFrames');
        mpegts.LoggingControl.applyConfig({ enableVerbose: false, enableInfo: false, enableDebug: false });
        const source = { type: 'flv', isLive: true, url: this.url };
        // The header of the file can announce a track that never arrives, and the player would wait for that track.
        if (this.state.video || this.state.audio) {
            source.hasVideo = this.state.video !== null;
            source.hasAudio = this.state.audio !== null;
        }
        this.player = mpegts.createPlayer(source, {
            enableWorker: false,
            enableStashBuffer: false,
            lazyLoad: false,
            autoCleanupSourceBuffer: true,
        });
        this.video.addEventListener('timeupdate', this.paceListener);
        this.video.addEventListener('waiting', this.stallListener);
        this.player.on(mpegts.Events.ERROR, (kind, detail) => {
            const isNetwork = kind === mpegts.ErrorTypes.NETWORK_ERROR;
            this.#give(isNetwork && this.position === 0 ? 'noAnswer' : isNetwork ? 'lost' : 'noFrames', detail);
        });
        this.player.on(mpegts.Events.LOADING_COMPLETE, () => this.#give('lost'));
        this.player.attachMediaElement(this.video);
        this.player.load();
    }

    // Returns false if the stream has a track now for which the player was not started.
    fits(state) {
        const { video, audio } = this.state;
        return !(video || audio) || (video || !state.video) && (audio || !state.audio);
    }

    watch() {
        const now = performance.now();
        const { currentTime, paused, ended } = this.video;
        // WebKit pauses at the end of what it has, which is not the viewer's pause.
        if (currentTime !== this.position || paused && !ended && this.position > 0) {
            this.position = currentTime;
            this.movedAt = now;
        }
        const buffered = this.video.buffered;
        const isPlaying = this.position > 0 && buffered.length > 0;
        this.latency = isPlaying
            ? Math.max(0, buffered.end(buffered.length - 1) - this.position) + this.roundTrip() / 2_000
            : null;
        if (this.latency > MAX_BEHIND_SECONDS && !this.video.paused) this.toLiveEdge();
        const limit = this.position > 0 ? STALL_MS : START_MS;
        if (now - this.movedAt > limit) this.#give(this.position > 0 ? 'lost' : 'noFrames');
    }

    // Called after the page was paused or hidden, when it is normal that playback has stopped.
    wake() {
        this.movedAt = performance.now();
    }

    toLiveEdge() {
        const buffered = this.video.buffered;
        if (buffered.length === 0) return;
        const edge = buffered.end(buffered.length - 1) - 0.3;
        if (edge - this.video.currentTime <= 1) return;
        this.video.currentTime = edge;
        // A jump is no progress.
        this.position = this.video.currentTime;
    }

    stop() {
        if (this.stopped) return;
        this.stopped = true;
        this.video.removeEventListener('timeupdate', this.paceListener);
        this.video.removeEventListener('waiting', this.stallListener);
        this.video.playbackRate = 1;
        this.player?.destroy();
    }

    // Catches up with the live edge until the buffer has its target.
    #pace() {
        const buffered = this.video.buffered;
        if (buffered.length === 0) return;
        const now = performance.now();
        if (this.target > TARGET_SECONDS && now - this.changedAt >= this.calmMs) {
            this.target = Math.max(this.target - CALM_DECREASE_SECONDS, TARGET_SECONDS);
            this.changedAt = now;
        }
        const behind = buffered.end(buffered.length - 1) - this.video.currentTime;
        if (behind > this.target + SLACK_SECONDS) this.video.playbackRate = CATCH_UP_RATE;
        if (behind <= this.target) this.video.playbackRate = 1;
    }

    // Also called while playback starts or jumps, which says nothing about the link.
    #stalled() {
        if (this.position === 0 || this.video.seeking) return;
        if (this.changedAt > 0) this.calmMs *= 2;
        this.target = Math.min(this.target + STALL_INCREASE_SECONDS, MAX_TARGET_SECONDS);
        this.changedAt = performance.now();
    }

    #give(reason) {
        if (!this.stopped) this.fail(reason);
    }
}

// Loads the library, which is a classic script, when it is first needed.
export function load() {
    loading ??= new Promise((done, failed) => {
        const element = document.createElement('script');
        element.src = policy ? policy.createScriptURL(SCRIPT) : SCRIPT;
        element.onload = () => done(window.mpegts);
        element.onerror = () => {
            loading = null;
            failed(new Error('mpegts.js did not load'));
        };
        document.head.append(element);
    });
    return loading;
}
