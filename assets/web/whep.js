// A stream by WHEP (draft-ietf-wish-whep): one offer, one answer.

// Time limit for the answer of the server.
const ANSWER_MS = 5_000;
// Time limit from the answer to the first packet.
const CONNECT_MS = 5_000;
// Time limits without a decoded frame although packets arrive: at first, and after a loss.
const NO_FRAMES_MS = 2_000;
const FROZEN_MS = 6_000;
// Time limit without a packet. The state of the stream shows whether the stream has ended.
const SILENCE_MS = 6_000;
// H.264 profiles beyond Baseline. If an offer has none of them, the server encodes the video in Constrained Baseline.
const OTHER_PROFILES = /profile-level-id=(?!42)/i;
const CONSTRAINED_BASELINE = /profile-level-id=42e0/i;
// How the server begins its reasons for status 503: there is no room for the viewer, or the reason does not last.
export const FULL_REFUSALS = [
    'The server has too many viewers', 'The stream already has', 'Too many viewers are watching from',
];
const SHORT_REFUSALS = ['The play key has just changed', 'The server cannot check access right now'];

export class Whep {
    static hasRenditions = true;
    // True if this browser decodes Constrained Baseline, but not another profile that it offers.
    static needsBaseline = false;

    static isSupported() {
        return 'RTCPeerConnection' in window;
    }

    // `fail(reason, codec)` is called at most once. `refused()` is called if the server does not encode the chosen
    // rendition.
    constructor({ address, video, fail, state, quality, refused }) {
        this.endpoint = address('/whep');
        this.quality = quality;
        this.refused = refused;
        this.iceServers = state.ice_servers;
        this.video = video;
        this.fail = fail;
        // Audio alone is not sufficient for a stream with video.
        this.hasVideo = state.video !== null;
        this.isAudioOnly = isAudioOnly(state);
        this.isBaselineOnly = Whep.needsBaseline;
        this.stopped = false;
        this.session = null;
        this.last = null;
        this.latency = null;
    }

    async start() {
        const connection = new RTCPeerConnection({ iceServers: this.iceServers });
        this.connection = connection;
        const video = connection.addTransceiver('video', { direction: 'recvonly' });
        if (this.isBaselineOnly) offerBaselineOnly(video);
        connection.addTransceiver('audio', { direction: 'recvonly' });
        // An earlier connection ends without consequences. If a connection was never established, the next one would
        // fail too.
        let wasConnected = false;
        const lost = () => connection === this.connection && this.#give(wasConnected ? 'lost' : 'noAnswer');
        connection.ontrack = ({ track, streams: [stream] }) => {
            // A video element does not start while a video track has no frames.
            if (this.isAudioOnly && track.kind === 'audio') this.video.srcObject = new MediaStream([track]);
            if (!this.isAudioOnly && this.video.srcObject !== stream) this.video.srcObject = stream;
        };
        connection.onconnectionstatechange = () => {
            if (connection.connectionState === 'connected') wasConnected = true;
            if (connection.connectionState === 'failed') lost();
        };
        try {
            const offer = await connection.createOffer();
            this.hasOtherProfiles = OTHER_PROFILES.test(offer.sdp);
            // Requests both channels (RFC 7587 §6.1), which browsers do not request themselves.
            offer.sdp = offer.sdp.replace(/(useinbandfec=1)/g, '$1;stereo=1');
            const answer = await fetch(this.#url(), {
                method: 'POST',
                headers: { 'Content-Type': 'application/sdp' },
                body: offer.sdp,
                signal: AbortSignal.timeout(ANSWER_MS),
            });
            const body = await answer.text();
            if (answer.status !== 201) {
                const why = refusal(answer.status, body);
                if (why[0] !== 'cpu' || !this.quality || this.stopped) return this.#give(...why);
                connection.close();
                this.quality = null;
                this.refused();
                return this.start();
            }
            this.session = answer.headers.get('Location');
            if (this.stopped) return this.#leave();
            // The answer also names servers with a login that the state does not reveal. The connection uses them from
            // its local description on.
            const iceServers = iceServersOf(answer.headers.get('Link') ?? '');
            if (iceServers.length > 0) connection.setConfiguration({ iceServers });
            await connection.setLocalDescription(offer);
            await connection.setRemoteDescription({ type: 'answer', sdp: body });
            // The server ends a session by closing DTLS.
            const transport = connection.getReceivers()[0]?.transport;
            transport?.addEventListener('statechange', () => {
                if (['closed', 'failed'].includes(transport.state)) lost();
            });
            this.answered = performance.now();
        } catch {
            this.#give('noAnswer');
        }
    }

    // Uses this rendition from its next keyframe on, or the best one for the link. Returns false without a connection.
    choose(quality) {
        if (!this.session || this.stopped) return false;
        this.quality = quality;
        fetch(`${this.session}/layer`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ encodingId: quality ?? undefined }),
        }).then(answer => {
            if (answer.status === 503 && quality !== null) {
                // The viewer may have made another choice since.
                if (this.quality !== quality) return;
                // An earlier choice would still apply.
                this.choose(null);
                this.refused();
            } else if (!answer.ok) {
                this.#give('lost');
            }
        }).catch(() => this.#give('lost'));
        return true;
    }

    #url() {
        if (!this.quality) return this.endpoint;
        const mark = this.endpoint.includes('?') ? '&' : '?';
        return `${this.endpoint}${mark}rendition=${encodeURIComponent(this.quality)}`;
    }

    // Returns false if the stream has become audio only, or is that no longer.
    fits(state) {
        return this.isAudioOnly === isAudioOnly(state);
    }

    // Checks the connection. Called twice per second.
    async watch() {
        if (!this.answered || this.stopped) return;
        const now = performance.now();
        const connection = this.connection;
        const figures = read(await connection.getStats());
        if (this.stopped || connection !== this.connection) return;
        if (this.hasVideo) figures.packets = figures.videoPackets;
        const last = this.last ?? { ...figures, packetsAt: this.answered, framesAt: this.answered };
        const hasPackets = figures.packets > last.packets;
        const hasFrames = figures.frames > last.frames || figures.videoPackets === last.videoPackets;
        const packetsAt = hasPackets ? now : last.packetsAt;
        const framesAt = hasFrames ? now : last.framesAt;
        const decoded = figures.frames - last.frames;
        if (decoded > 0) {
            this.latency = delay(figures, last, decoded);
            Whep.needsBaseline = this.isBaselineOnly;
        }
        this.last = { ...figures, packetsAt, framesAt };
        if (figures.packets === 0 && now - this.answered > CONNECT_MS) return this.#give('noAnswer');
        if (figures.packets > 0 && now - packetsAt > SILENCE_MS) return this.#give('lost');
        const limit = figures.frames === 0 ? NO_FRAMES_MS : FROZEN_MS;
        if (now - framesAt <= limit) return;
        if (figures.frames === 0 && this.hasOtherProfiles) return this.#connectForBaseline();
        this.#give('noFrames');
    }

    // Connects again, and offers only Constrained Baseline: Safari offers High too, but does not decode it reliably.
    #connectForBaseline() {
        const former = this.connection;
        this.isBaselineOnly = true;
        this.answered = null;
        this.last = null;
        this.#leave().finally(() => former.close());
        this.start().catch(() => this.#give('noFrames'));
    }

    // Called after the page was paused or hidden, which makes earlier measurements meaningless.
    wake() {
        this.last = null;
        if (this.answered) this.answered = performance.now();
    }

    toLiveEdge() {}

    stop() {
        if (this.stopped) return;
        this.stopped = true;
        this.video.srcObject = null;
        // This request comes first, because the server forgets the session when the connection closes.
        this.#leave().finally(() => this.connection?.close());
    }

    #give(reason, codec) {
        if (!this.stopped) this.fail(reason, codec);
    }

    async #leave() {
        const session = this.session;
        this.session = null;
        // This request continues even if the page is closed.
        if (session) await fetch(session, { method: 'DELETE', keepalive: true }).catch(() => {});
    }
}

// While no track is known, a stream may have video.
function isAudioOnly({ video, audio }) {
    return video === null && audio !== null;
}

// Leaves only Constrained Baseline, with retransmission, in the offer of a transceiver.
function offerBaselineOnly(transceiver) {
    const { codecs } = RTCRtpReceiver.getCapabilities('video');
    transceiver.setCodecPreferences(codecs.filter(({ mimeType, sdpFmtpLine }) =>
        mimeType.toLowerCase() === 'video/rtx' || CONSTRAINED_BASELINE.test(sdpFmtpLine)));
}

// Returns the ICE servers in the `Link` fields of an answer, whose values are quoted.
function iceServersOf(links) {
    const value = /([\w-]+)="((?:[^"\\]|\\.)*)"/g;
    const servers = [];
    for (const [, urls, values] of links.matchAll(/<([^>]*)>((?:; *[\w-]+="(?:[^"\\]|\\.)*")*)/g)) {
        const found = [...values.matchAll(value)].map(([, name, text]) => [name, text.replace(/\\(.)/g, '$1')]);
        const { rel, username, credential } = Object.fromEntries(found);
        if (rel === 'ice-server') servers.push(credential === undefined ? { urls } : { urls, username, credential });
    }
    return servers;
}

// Returns the reason why the server refuses.
function refusal(status, body) {
    switch (status) {
        case 401:
        case 403: return ['refused'];
        case 409: return ['absent'];
        case 415: {
            const codec = /video codec of this stream is ([\w.-]+?)\. /.exec(body)?.[1];
            return codec ? ['codec', codec] : ['bFrames'];
        }
        case 422: return ['codec', 'H.264'];
        case 503:
            if (FULL_REFUSALS.some(words => body.startsWith(words))) return ['full'];
            // The next attempt gets a clear answer.
            return [SHORT_REFUSALS.some(words => body.startsWith(words)) ? 'lost' : 'cpu'];
        default: return ['noAnswer'];
    }
}

function read(stats) {
    const figures = { packets: 0, videoPackets: 0, frames: 0, processing: 0, roundTrip: 0 };
    for (const entry of stats.values()) {
        if (entry.type === 'inbound-rtp') {
            figures.packets += entry.packetsReceived ?? 0;
            if (entry.kind === 'video') {
                figures.videoPackets = entry.packetsReceived ?? 0;
                figures.frames = entry.framesDecoded ?? 0;
                // The time from the first packet of a frame to the decoded frame, as a sum over all frames.
                figures.processing = entry.totalProcessingDelay
                    ?? (entry.jitterBufferDelay ?? 0) + (entry.totalDecodeTime ?? 0);
            }
        } else if (entry.type === 'candidate-pair' && entry.nominated) {
            figures.roundTrip = entry.currentRoundTripTime ?? figures.roundTrip;
        }
    }
    return figures;
}

// Returns the delay from the server to the decoded frame in seconds.
function delay(figures, last, decoded) {
    return Math.max(0, (figures.processing - last.processing) / decoded) + figures.roundTrip / 2;
}
