// Plays the stream by the best protocol that works: WebRTC, else low-latency HLS, else WebSocket-FLV. Changes the
// protocol without a reload of the page, waits for the publisher, and starts again when it comes back.

import { WebSocketFlv } from '/assets/flv.js';
import { LowLatencyHls } from '/assets/ll_hls.js';
import { store, stored } from '/assets/preferences.js';
import { Whep } from '/assets/whep.js';

const DRIVERS = { whep: Whep, hls: LowLatencyHls, flv: WebSocketFlv };
export const NAMES = { whep: 'WebRTC', hls: 'LL-HLS', flv: 'FLV' };

const WATCH_MS = 500;
// A protocol that ends this often without having played is not tried any more.
const MAX_LOSSES = 3;
const RESTART_MS = 500;
// After all protocols have failed, the time until the next attempt.
const AGAIN_MS = 10_000;
// A longer pause ends the connection. After a shorter pause, playback continues at once.
const MAX_PAUSE_MS = 60_000;

// Returns true if the viewer sees the video: in the tab, or in the picture-in-picture window.
const isSeen = () => !document.hidden || Boolean(document.pictureInPictureElement);

export class Playback {
    // `changed()` is called when `status`, `protocol`, `note` or `blocked` may have changed.
    constructor({ address, video, stream, preferred, changed }) {
        this.address = address;
        this.video = video;
        this.stream = stream;
        this.preferred = preferred;
        // The rendition that the viewer chose, `main` for the stream itself, or null for the best one.
        this.quality = stored('quality');
        this.changed = changed;
        this.state = null;
        // The server where the stream goes, if this one is being replaced.
        this.successor = null;
        // waiting, connecting, playing, paused, failed, refused, limited or unreachable.
        this.status = 'connecting';
        this.driver = null;
        this.protocol = null;
        // Why the page does not use the first protocol: { reason, codec, from }.
        this.note = null;
        // True if the browser allows no audio before a click.
        this.blocked = false;
        // True if the page has muted the video again for this connection.
        this.isMutedAgain = false;
        this.paused = false;
        // Protocols that failed, and are not tried until the next publication.
        this.passed = new Set();
        // True if a protocol failed because there is no room for more viewers, or the server refused the viewer.
        this.isFull = false;
        this.isRefused = false;
        // The codec of the video if no protocol can bring it to this browser.
        this.codec = null;
        // True if WebRTC failed for another reason than the codec. It has other decoders, and may work later.
        this.mayHaveWebRtc = false;
        this.losses = 0;
        this.timer = null;
        setInterval(() => this.#watch(), WATCH_MS);
        video.addEventListener('loadeddata', () => this.#play());
        video.addEventListener('timeupdate', () => this.#moved());
        video.addEventListener('pause', () => this.#followPause());
        video.addEventListener('play', () => video.paused || this.play());
        document.addEventListener('visibilitychange', () => {
            if (document.hidden || this.paused) return;
            this.driver?.wake();
            this.driver?.toLiveEdge();
            // A browser that paused the hidden video usually plays it again now.
            setTimeout(() => this.#followPause(), RESTART_MS);
        });
        addEventListener('pagehide', () => this.#stop());
        addEventListener('pageshow', event => {
            if (event.persisted) this.stream.refresh();
        });
    }

    // True if what plays has no video.
    get isAudioOnly() {
        return Boolean(this.driver && this.played) && this.video.videoWidth === 0;
    }

    // The delay from the server to the screen in seconds, if it is known.
    get latency() {
        return this.status === 'playing' ? this.driver?.latency ?? null : null;
    }

    // Takes the new state of the stream; `null` means that the server does not answer.
    update(state) {
        if (state) this.successor = state.successor;
        // Media may still arrive while the state is missing.
        const isOver = state ? !state.live : !this.driver;
        if (isOver && this.#follow()) return;
        if (state === null) {
            if (!this.driver) this.#set('unreachable');
            return;
        }
        const isOtherCodec = this.codec !== null && this.codec !== state.video?.codec;
        const isOther = this.state?.publication !== state.publication || isOtherCodec;
        this.state = state;
        if (!state.live) {
            this.#stop();
            this.#forget();
            // The page says that playback starts with the stream.
            this.#setPaused(false);
            this.#set('waiting');
            return;
        }
        if (isOther) {
            this.#forget();
            if (this.driver && this.protocol !== this.#next()) this.#stop();
        }
        if (this.driver?.fits && !this.driver.fits(state)) this.#stop();
        if (this.paused && this.status !== 'failed') this.#set('paused');
        if (!this.driver && !this.paused && this.status !== 'failed' && this.timer === null) this.#begin();
    }

    // Opens this page at the server that has the stream now.
    #follow() {
        if (!this.successor || this.successor === location.origin) return false;
        this.#stop();
        location.replace(this.successor + location.pathname + location.search);
        return true;
    }

    // The page may not play the stream. What plays already goes on.
    refuse() {
        // The page gets no new numbers.
        if (this.state) this.state = { ...this.state, viewers: null, seconds: null };
        if (this.driver && this.played) return this.changed();
        this.#stop();
        clearTimeout(this.timer);
        this.timer = null;
        this.#set('refused');
    }

    // The address must wait, because there were too many wrong keys.
    limit() {
        if (!this.driver) this.#set('limited');
    }

    // Tries this protocol first; `null` means the best one.
    prefer(protocol) {
        this.preferred = protocol;
        this.restart();
    }

    // Uses this rendition; `null` means the best one.
    choose(quality) {
        this.quality = quality;
        store('quality', quality);
        if (this.#isEncoded() && ['bFrames', 'codec'].includes(this.note?.reason)) {
            // A rendition is H.264 without B-frames.
            this.passed.delete(this.note.from);
            this.note = null;
        }
        if (this.driver && this.protocol === this.#next() && this.driver.choose?.(this.#rendition())) {
            this.changed();
        } else {
            this.restart();
        }
    }

    restart() {
        this.#stop();
        this.#forget();
        this.#setPaused(false);
        this.#set('connecting');
        this.stream.refresh();
        if (this.state?.live) this.#begin();
    }

    pause() {
        if (this.paused || this.status === 'waiting') return;
        this.#setPaused(true);
        this.video.pause();
        this.pauseTimer = setTimeout(() => this.#stop(), MAX_PAUSE_MS);
        if (this.driver || this.status === 'connecting') this.#set('paused');
    }

    play() {
        if (!this.paused) return;
        this.#setPaused(false);
        if (this.driver) {
            this.#set('connecting');
            this.driver.wake();
            this.driver.toLiveEdge();
            this.#play();
        } else if (this.state?.live) {
            this.#begin();
        }
    }

    #setPaused(paused) {
        this.paused = paused;
        // Media that arrive during a pause must not start to play.
        this.video.autoplay = !paused;
        clearTimeout(this.pauseTimer);
    }

    // Takes over a pause by the browser: by a media key, or in the picture-in-picture window.
    #followPause() {
        const { paused, ended, muted } = this.video;
        if (!this.driver || !this.played || !paused || ended || !isSeen()) return;
        if (!this.blocked || muted || this.isMutedAgain) return this.pause();
        // WebKit has reverted the muting, and has paused the video because of its audio.
        this.isMutedAgain = true;
        this.video.muted = true;
        this.#play();
    }

    // Returns the protocols in the order in which they are tried.
    #candidates() {
        const offered = (this.state?.protocols ?? []).filter(name => DRIVERS[name]?.isSupported(this.video));
        offered.sort((a, b) => (b === this.preferred) - (a === this.preferred));
        if (!this.#rendition() || this.#rendition() === 'main') return offered;
        // FLV supports only the stream itself, and only LL-HLS supports the audio alone.
        const isAudio = this.quality === 'audio';
        const able = offered.filter(name => DRIVERS[name].hasRenditions && (!isAudio || name === 'hls'));
        return able.length ? able : offered;
    }

    // Returns the chosen rendition, if the stream has it.
    #rendition() {
        const known = ['main', ...this.state?.renditions ?? []];
        return known.includes(this.quality) ? this.quality : null;
    }

    // Returns true if the viewer has chosen video that the server encodes.
    #isEncoded() {
        return ![null, 'main', 'audio'].includes(this.#rendition());
    }

    #next() {
        return this.#candidates().find(name => !this.passed.has(name)) ?? null;
    }

    #forget() {
        clearTimeout(this.timer);
        this.timer = null;
        this.passed.clear();
        this.isFull = false;
        this.isRefused = false;
        this.codec = null;
        this.mayHaveWebRtc = false;
        this.losses = 0;
        this.note = null;
        if (['failed', 'refused'].includes(this.status)) this.status = 'connecting';
    }

    #begin() {
        clearTimeout(this.timer);
        this.timer = null;
        const codec = this.state.video?.codec;
        const fits = !codec || ['H.264', 'AV1'].includes(codec) || this.#isEncoded();
        if (this.#next() === 'whep' && !fits) return this.#pass('whep', 'codec', codec);
        const protocol = this.#next();
        if (protocol === null) {
            this.#set(this.isRefused ? 'refused' : 'failed');
            // The browser can play no more than before until the video changes.
            if (this.codec && !this.isFull && !this.isRefused && !this.mayHaveWebRtc) return;
            this.timer = setTimeout(() => {
                this.#forget();
                this.stream.refresh();
            }, AGAIN_MS);
            return;
        }
        this.protocol = protocol;
        this.played = false;
        this.isMutedAgain = false;
        const driver = new DRIVERS[protocol]({
            address: this.address,
            video: this.video,
            state: this.state,
            quality: this.#rendition(),
            refused: (reason = 'tooSlow', codec) => {
                this.note = { reason, codec, from: protocol };
                this.quality = null;
                this.changed();
            },
            serverNow: () => this.stream.serverNow(),
            roundTrip: () => this.stream.roundTrip,
            fail: (reason, of) => {
                if (this.driver === driver) this.#failed(reason, of);
            },
        });
        this.driver = driver;
        this.#set('connecting');
        // An unexpected error also ends the driver.
        driver.start().catch(() => this.driver === driver && this.#failed('noFrames'));
    }

    #failed(reason, codec) {
        const protocol = this.protocol;
        this.#stop();
        if (this.paused) return this.#set('paused');
        if (reason === 'refused') {
            // A callback may allow the other protocols.
            this.isRefused = true;
            return this.#pass(protocol, 'noAnswer');
        }
        if (reason !== 'lost' && reason !== 'absent') return this.#pass(protocol, reason, codec);
        this.losses = this.played ? 1 : this.losses + 1;
        if (this.losses >= MAX_LOSSES) return this.#pass(protocol, 'noAnswer');
        // The publisher may have left, or may be reconnecting.
        this.#set('connecting');
        this.timer = setTimeout(() => {
            this.timer = null;
            this.stream.refresh();
        }, RESTART_MS);
    }

    #pass(protocol, reason, codec) {
        this.passed.add(protocol);
        this.isFull ||= reason === 'full';
        // The other protocols use the same decoders, except WebRTC.
        if (reason === 'codec' && protocol !== 'whep') this.codec = codec;
        if (reason !== 'codec' && protocol === 'whep') this.mayHaveWebRtc = true;
        this.losses = 0;
        this.note = { reason, codec, from: protocol };
        this.#begin();
    }

    #stop() {
        const driver = this.driver;
        this.driver = null;
        driver?.stop();
    }

    async #play() {
        if (this.paused || !this.driver) return;
        try {
            await this.video.play();
        } catch (problem) {
            if (problem.name !== 'NotAllowedError') return;
            // Some browsers, and phones that save power, start no video before a click.
            if (this.video.muted) return this.pause();
            this.video.muted = true;
            this.blocked = true;
            this.changed();
            this.#play();
        }
    }

    #moved() {
        if (!this.driver || this.paused || this.video.readyState < 2 || this.video.currentTime === 0) return;
        // The number of viewers now includes this one.
        if (!this.played) setTimeout(() => this.stream.refresh(), RESTART_MS);
        this.played = true;
        if (this.status !== 'playing') this.#set('playing');
    }

    #watch() {
        if (this.paused || !isSeen()) return;
        this.driver?.watch();
        this.changed();
    }

    #set(status) {
        this.status = status;
        this.changed();
    }
}
