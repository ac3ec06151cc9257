// Plays a stream over low-latency HLS: with hls.js, or natively if the browser has no Media Source Extensions.

import { FULL_REFUSALS } from '/assets/whep.js';

const LIST = 'application/vnd.apple.mpegurl';
// The names of the rendition without video, and of the stream itself.
const AUDIO = 'audio';
const MAIN = 'main';
// With status 503, the field `Retry-After` of the server for a rendition that it refuses to encode. An overloaded
// server, and one that waits for the publisher, send a shorter time.
const REFUSED_SECONDS = '30';
// How the server begins its reason for status 403 if the operator has just disconnected the viewer, who may come back.
const DISCONNECTED = 'The operator has disconnected';
// The assumed bandwidth in bits per second, before anything is measured.
const START_BITRATE = 8_000_000;
// If nothing plays after this time, playback has failed.
const START_MS = 15_000;
// Farther behind its target position than this, playback jumps: catching up takes ten seconds per second.
const MAX_BEHIND_SECONDS = 1;
// If playback makes no progress for this long, the stream is lost.
const STALL_MS = 8_000;
// Stalls that recur within this time need more distance from the live edge: so much more with each, up to so much.
const RECUR_MS = 60_000;
const STEP_SECONDS = 0.5;
const MAX_EXTRA_SECONDS = 2;
// Stalls before playback has been steady for this long belong to the same outage.
const STEADY_MS = 5_000;

export class LowLatencyHls {
    static hasRenditions = true;

    static isSupported(video) {
        return 'MediaSource' in window || 'ManagedMediaSource' in window || video.canPlayType(LIST) !== '';
    }

    // `fail(reason, codec)` is called at most once. `refused(reason, codec)` is called if the chosen rendition cannot
    // be played.
    constructor({ address, video, fail, state, serverNow, quality, refused }) {
        this.address = address;
        this.quality = quality;
        this.refused = refused;
        // hls.js ignores variants without video.
        this.url = address(quality === AUDIO ? '/hls/audio.m3u8' : '.m3u8');
        this.video = video;
        this.fail = fail;
        this.codec = state.video?.codec ?? null;
        this.hasPlayableVideo = false;
        this.serverNow = serverNow;
        this.stopped = false;
        this.latency = null;
        this.recovered = 0;
        this.movedAt = performance.now();
        this.position = 0;
        // Since when playback is steady, when the last outage began, and the distance that outages add, in seconds.
        this.steadyAt = this.movedAt;
        this.stalledAt = -Infinity;
        this.extra = 0;
    }

    async start() {
        const { default: Hls } = await import('/assets/hls.light.min.mjs');
        if (this.stopped) return;
        if (!Hls.isSupported()) return this.#playNatively();
        const hls = new Hls({
            lowLatencyMode: true,
            // The worker of hls.js would be a blob, which the page's policy forbids. It is not needed, because
            // segments are fMP4.
            enableWorker: false,
            maxLiveSyncPlaybackRate: 1.1,
            // By default, each stall would keep playback a second farther behind for good.
            liveSyncOnStallIncrease: 0,
            // Playback begins with the stream itself, which does not need an encoder to start.
            abrEwmaDefaultEstimate: START_BITRATE,
            testBandwidth: false,
            backBufferLength: 30,
            // With a duration, some browsers end playback at the live edge.
            liveDurationInfinity: true,
        });
        this.hls = hls;
        hls.on(Hls.Events.ERROR, (_, data) => this.#error(Hls, data));
        // hls.js reports unplayable codecs only after this event.
        hls.on(Hls.Events.MANIFEST_LOADED, (_, { levels }) => {
            this.hasPlayableVideo = levels.some(({ videoCodec }) => videoCodec
                && Hls.getMediaSource().isTypeSupported(`video/mp4; codecs="${videoCodec}"`));
        });
        hls.on(Hls.Events.MANIFEST_PARSED, () => {
            // hls.js leaves out what the browser cannot play, and would play the rendition without video. All
            // renditions have the same audio.
            const hasOnlyAudio = hls.levels.length === 1 && this.#level(AUDIO) === 0;
            if (hasOnlyAudio && this.codec && this.quality !== AUDIO) return this.#give('codec', this.codec);
            const level = this.#level(this.quality ?? MAIN);
            if (level >= 0) hls.startLevel = level;
            // The server does not offer the chosen rendition now.
            if (level < 0 && this.quality && ![MAIN, AUDIO].includes(this.quality)) {
                this.quality = null;
                this.refused();
            }
            this.#useLevel();
        });
        hls.loadSource(this.url);
        hls.attachMedia(this.video);
    }

    // Plays the playlist of the chosen rendition, because only the browser could choose in that of the stream.
    #playNatively() {
        const url = this.address(this.quality ? `/hls/${this.quality}.m3u8` : '.m3u8');
        // Instead of Opus, the server can send AAC.
        const hasOpus = this.video.canPlayType('audio/mp4; codecs="opus"') !== '';
        this.video.src = hasOpus ? url : `${url}${url.includes('?') ? '&' : '?'}audio=aac`;
        this.video.onerror = () => {
            if (this.position > 0) return this.#give('lost');
            if (!this.quality || [MAIN, AUDIO].includes(this.quality)) return this.#give('noFrames');
            // The browser does not say so, but the server probably refuses to encode the rendition.
            this.quality = null;
            this.refused();
            this.#playNatively();
        };
    }

    // Uses this rendition from its next segment on. Returns false if that requires another playlist.
    choose(quality) {
        if (!this.hls || (quality === AUDIO) !== (this.quality === AUDIO)) return false;
        // hls.js loads the list of renditions once, but the server may have been reloaded since.
        if (![null, MAIN, AUDIO].includes(quality) && this.#level(quality) < 0) return false;
        this.quality = quality;
        this.#useLevel();
        return true;
    }

    #useLevel() {
        const level = this.quality && this.quality !== AUDIO ? this.#level(this.quality) : -1;
        this.hls.loadLevel = level;
        // hls.js leaves out the stream itself if the browser cannot play its video.
        if (level < 0 && this.hls.levels.length > 0 && this.quality === MAIN && this.codec) {
            this.quality = null;
            this.refused('sourceCodec', this.codec);
        }
    }

    // Returns the index of a rendition, or -1 if it does not exist.
    #level(name) {
        return this.hls.levels.findIndex(level => level.uri.split('?')[0].endsWith(`/${name}.m3u8`));
    }

    // A link that stalls playback again and again gets more distance from the live edge. One outage does not count:
    // after it, playback returns to its place.
    #stalled() {
        const now = performance.now();
        const isSame = now - this.steadyAt < STEADY_MS;
        this.steadyAt = now;
        if (isSame) return;
        if (now - this.stalledAt < RECUR_MS) this.#setExtra(Math.min(this.extra + STEP_SECONDS, MAX_EXTRA_SECONDS));
        this.stalledAt = now;
    }

    #setExtra(seconds) {
        this.usual ??= this.hls.targetLatency;
        if (this.usual === null) return;
        this.extra = seconds;
        this.hls.targetLatency = this.usual + seconds;
    }

    #error(Hls, data) {
        if (this.stopped) return;
        if (data.details === Hls.ErrorDetails.BUFFER_STALLED_ERROR) this.#stalled();
        if (data.details === Hls.ErrorDetails.LEVEL_LOAD_ERROR && this.#refusesRendition(data)) {
            this.quality = null;
            this.#useLevel();
            this.refused();
        }
        if (data.response?.code === 403 && bodyOf(data).startsWith(DISCONNECTED)) return this.#give('lost');
        if (!data.fatal) return;
        if (data.details === Hls.ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) {
            // The browser may lack only the audio codec.
            const isVideo = this.codec && !this.hasPlayableVideo;
            return isVideo ? this.#give('codec', this.codec) : this.#give('noFrames');
        }
        const isDenied = [401, 403].includes(data.response?.code);
        if (data.details === Hls.ErrorDetails.MANIFEST_LOAD_ERROR && isDenied) return this.#give('refused');
        if (data.response?.code === 404) return this.#give('absent');
        if (isFull(data)) return this.#give('full');
        if (data.response?.code === 503) return this.#give('noAnswer');
        // Each recovery is tried once: if the error occurs again, the recovery did not help.
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

    // Returns true if the server refuses to encode the chosen rendition.
    #refusesRendition({ response, networkDetails }) {
        return response?.code === 503
            && ![null, MAIN, AUDIO].includes(this.quality)
            && networkDetails?.getResponseHeader('Retry-After') === REFUSED_SECONDS;
    }

    watch() {
        const now = performance.now();
        const { currentTime, paused, ended } = this.video;
        // WebKit pauses at the end of what it has, which is not the viewer's pause.
        if (currentTime !== this.position || paused && !ended && this.position > 0) {
            this.position = currentTime;
            this.movedAt = now;
        } else {
            this.steadyAt = now;
        }
        if (this.extra > 0 && now - this.stalledAt > RECUR_MS) this.#setExtra(0);
        const date = this.hls?.playingDate;
        const latency = date ? (this.serverNow() - date.getTime()) / 1_000 : this.hls?.latency;
        this.latency = this.position > 0 && latency > 0 ? latency : null;
        if (this.position > 0 && this.hls?.liveSyncPosition - this.position > MAX_BEHIND_SECONDS) this.toLiveEdge();
        const limit = this.position > 0 ? STALL_MS : START_MS;
        if (now - this.movedAt > limit) this.#give(this.position > 0 ? 'lost' : 'noFrames');
    }

    // Called after the page was paused or hidden, when it is normal that playback has stopped.
    wake() {
        this.movedAt = performance.now();
    }

    toLiveEdge() {
        const edge = this.hls?.liveSyncPosition;
        if (!edge || edge - this.video.currentTime <= 1) return;
        this.video.currentTime = edge;
        // A jump is no progress.
        this.position = this.video.currentTime;
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

    #give(reason, codec) {
        if (!this.stopped) this.fail(reason, codec);
    }
}

// Returns true if there is no room for the viewer.
function isFull(data) {
    return data.response?.code === 503 && FULL_REFUSALS.some(words => bodyOf(data).startsWith(words));
}

// Returns the text of a response. That to a request for media is bytes.
function bodyOf({ networkDetails: request }) {
    const isMedia = request?.responseType === 'arraybuffer';
    return (isMedia ? new TextDecoder().decode(request.response ?? undefined) : request?.responseText) ?? '';
}
