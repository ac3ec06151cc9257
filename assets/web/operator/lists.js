// The lists of viewers, recordings and events.

import { load } from '/assets/flv.js';
import { language } from '/assets/language.js';
import { bytes, clock, date, dayOf, duration, length, number, protocol } from '/assets/operator/format.js';
import { Rows, icon, label, make, put } from '/assets/operator/rows.js';
import { nameOf } from '/assets/operator/streams.js';
import { text } from '/assets/operator/texts.js';

// The reasons why the server does not encode a rendition.
const CAUSES = {
    'absent': 'cause-absent',
    'limit': 'cause-limit',
    'cpu': 'cause-cpu',
    'too-slow': 'cause-too-slow',
    'decoder': 'cause-decoder',
    'encoder': 'cause-encoder',
    'thread': 'cause-thread',
};
// The reasons why the server refuses a client.
const REFUSALS = {
    'no-name': 'cause-no-name',
    'address': 'cause-address',
    'no-key': 'cause-no-key',
    'wrong-key': 'cause-wrong-key',
    'wrong-token': 'cause-wrong-token',
    'wrong-password': 'cause-wrong-password',
    'too-often': 'cause-too-often',
    'callback': 'cause-callback',
    'no-callback': 'cause-no-callback',
    'token-malformed': 'cause-token-malformed',
    'token-algorithm': 'cause-token-algorithm',
    'token-signature': 'cause-token-signature',
    'token-no-keys': 'cause-token-no-keys',
    'token-without-end': 'cause-token-without-end',
    'token-expired': 'cause-token-expired',
    'token-not-yet': 'cause-token-not-yet',
    'token-other-server': 'cause-token-other-server',
    'token-other-stream': 'cause-token-other-stream',
    'token-other-action': 'cause-token-other-action',
    'token-other-address': 'cause-token-other-address',
    'taken': 'cause-taken',
    'full': 'cause-full',
    'no-password': 'cause-no-password',
    'too-many-viewers': 'cause-too-many-viewers',
    'too-many-connections': 'cause-too-many-connections',
};
// The reasons why a callback failed, without details. The server's own reason serves for the others.
const CALLBACK_FAILURES = {
    'unreachable': 'callback-unreachable',
    'no-answer': 'callback-no-answer',
};
// What a refused client wanted to do.
const ACTIONS = {
    'connect': 'refused-connect',
    'publish': 'refused-publish',
    'play': 'refused-play',
    'operate': 'refused-operate',
};

const byId = id => document.getElementById(id);
const cell = (...children) => make('td', { role: 'cell' }, ...children);

export class Viewers {
    // `end(viewer)` disconnects a viewer.
    constructor({ end }) {
        this.rows = new Rows(byId('viewers'), viewer => viewer.id, () => {
            const [peer, name, tag, time, sent] = ['span', 'span', 'span', 'span', 'span'].map(it => make(it));
            name.className = 'name';
            tag.className = 'tag';
            const ban = make('button', { class: 'plain ban', type: 'button' }, icon('ban'));
            const numbers = [cell(time), cell(sent)];
            numbers.forEach(it => {
                it.className = 'number';
            });
            const actions = cell(make('div', { class: 'actions' }, ban));
            const element = make('tr', { role: 'row' }, cell(peer), cell(name), cell(tag), ...numbers, actions);
            return {
                element,
                update(viewer) {
                    put(peer, viewer.peer);
                    put(name, nameOf(viewer));
                    put(tag, protocol(viewer.protocol));
                    put(time, duration(viewer.seconds));
                    put(sent, bytes(viewer.bytes));
                    label(ban, text('endViewer', { peer: viewer.peer }));
                    ban.onclick = () => end(viewer);
                },
            };
        });
    }

    show({ viewers, more }) {
        this.rows.show(viewers);
        byId('no-viewers').hidden = viewers.length > 0;
        put(byId('viewers-note'), more ? text('moreViewers', { count: number(more) }) : '');
    }
}

export class Relays {
    constructor() {
        this.rows = new Rows(byId('relays'), relay => relay.id, () => {
            const [name, way, url, state, cause, time, moved] =
                ['span', 'small', 'span', 'span', 'small', 'span', 'span'].map(it => make(it));
            name.className = 'name';
            const numbers = [cell(time), cell(moved)];
            numbers.forEach(it => {
                it.className = 'number';
            });
            const element = make('tr', { role: 'row' }, cell(name, way), cell(url), cell(state, cause), ...numbers);
            return {
                element,
                update(relay) {
                    put(name, nameOf(relay));
                    put(way, text(relay.direction === 'push' ? 'push' : relay.on_demand ? 'pullOnDemand' : 'pull'));
                    put(url, relay.url);
                    put(state, text(`relay-${relay.state}`));
                    put(cause, relay.cause ?? '');
                    cause.className = relay.state === 'reconnecting' ? 'warning' : '';
                    put(time, duration(relay.seconds));
                    put(moved, bytes(relay.bytes));
                },
            };
        });
    }

    show({ relays, rules }) {
        this.rows.show(relays);
        byId('no-relays').hidden = relays.length > 0;
        put(byId('no-relays'), text(rules.length ? 'noRelays' : 'relaysOff'));
    }
}

export class Recordings {
    // `remove(file)` deletes a recording.
    constructor({ remove }) {
        this.player = new RecordingPlayer();
        this.rows = new Rows(byId('recordings'), it => it.name, () => {
            const [day, name, facts, size] = [make('strong', { class: 'day' }), make('span', { class: 'name' }), make('small'), make('span')];
            const play = make('button', { class: 'plain', type: 'button' }, icon('watch'));
            const download = make('a', { class: 'plain' }, icon('download'));
            const erase = make('button', { class: 'plain ban', type: 'button' }, icon('trash'));
            const number = cell(size);
            number.className = 'number';
            const actions = cell(make('div', { class: 'actions' }, play, download, erase));
            return {
                element: make('tr', { role: 'row' }, cell(day, name, facts), number, actions),
                update: file => {
                    put(day, file.day ?? '');
                    day.hidden = !file.day;
                    put(name, file.name);
                    const parts = [clock(file.modified)];
                    if (file.seconds !== null) parts.push(length(file.seconds));
                    if (file.state === 'writing') parts.push(text('writing'));
                    put(facts, parts.join(' · '));
                    put(size, bytes(file.bytes));
                    play.onclick = () => this.player.open(file);
                    label(play, text('play', { name: file.name }));
                    download.href = file.url + (file.url.includes('?') ? '&' : '?') + 'download';
                    download.download = file.name;
                    label(download, text('download', { name: file.name }));
                    erase.disabled = file.state === 'writing';
                    erase.onclick = () => remove(file);
                    label(erase, text('erase', { name: file.name }));
                },
            };
        });
    }

    // `problem` is the reason why the server cannot read the recordings, if any.
    show({ enabled, recordings, all, free_bytes: free, problem }, limit) {
        const days = recordings.map(file => dayOf(file.modified));
        // The first recording of each day shows the date.
        const named = recordings.map((file, at) => ({ ...file, day: days[at] === days[at - 1] ? null : days[at] }));
        const shown = named.slice(0, limit);
        this.rows.show(shown);
        byId('no-recordings').hidden = shown.length > 0;
        put(byId('no-recordings'), problem ?? text(enabled ? 'noRecordings' : 'recordingOff'));
        const parts = all > shown.length ? [text('newest', { shown: number(shown.length), all: number(all) })] : [];
        if (free !== null) parts.push(text('free', { bytes: bytes(free) }));
        put(byId('recordings-note'), parts.join(' · '));
    }
}

// Plays a recording: by HLS, in which it can be sought; without HLS, FLV through mpegts.js, and other formats as the
// browser can.
class RecordingPlayer {
    constructor() {
        this.video = byId('player-video');
        this.flv = null;
        this.hls = null;
        byId('player').addEventListener('close', () => this.#stop());
        this.video.onerror = () => {
            if (this.video.getAttribute('src')) this.#fail();
        };
    }

    async open(file) {
        this.#stop();
        byId('player-title').textContent = file.name;
        byId('player-problem').textContent = '';
        byId('player').showModal();
        if (file.vod && file.state === 'finished' && await this.#openHls(file.vod).catch(() => false)) return;
        if (file.format !== 'flv') {
            this.video.src = file.url;
            this.video.play().catch(() => {});
            return;
        }
        try {
            const mpegts = await load();
            if (!byId('player').open) return;
            mpegts.LoggingControl.applyConfig({ enableVerbose: false, enableInfo: false, enableDebug: false });
            const source = { type: 'flv', isLive: false, url: file.url, filesize: file.bytes };
            if (file.seconds !== null) source.duration = file.seconds * 1_000;
            // The header of a file in progress can announce a track that never arrives. The player would wait for it.
            // In a finished file, a track can begin late.
            if (file.state === 'writing') {
                if (file.has_audio !== null) source.hasAudio = file.has_audio;
                if (file.has_video !== null) source.hasVideo = file.has_video;
            }
            this.flv = mpegts.createPlayer(source, { enableWorker: false, seekType: 'range', autoCleanupSourceBuffer: true });
            this.flv.on(mpegts.Events.ERROR, () => this.#fail());
            this.flv.attachMediaElement(this.video);
            this.flv.load();
            this.video.play().catch(() => {});
        } catch {
            this.#fail();
        }
    }

    // Plays the recording with hls.js. Returns false if the browser does not support this.
    async #openHls(url) {
        const { default: Hls } = await import('/assets/hls.light.min.mjs');
        if (!byId('player').open) return true;
        if (!Hls.isSupported()) return false;
        // The worker of hls.js would be a blob, which the page's policy forbids.
        this.hls = new Hls({ enableWorker: false });
        this.hls.on(Hls.Events.ERROR, (_, data) => data.fatal && this.#fail());
        // hls.light has no audio renditions, so it gets the playlist of the video with the first audio track.
        this.hls.loadSource(url.replace(/\.m3u8(?=\?|$)/, '/hls/main.m3u8'));
        this.hls.attachMedia(this.video);
        this.video.play().catch(() => {});
        return true;
    }

    #fail() {
        byId('player-problem').textContent = text('notPlayed');
    }

    #stop() {
        this.flv?.destroy();
        this.flv = null;
        this.hls?.destroy();
        this.hls = null;
        this.video.removeAttribute('src');
        this.video.load();
    }
}

export class Events {
    constructor() {
        // The numbers begin again when the server restarts.
        const keyOf = event => `${event.number} ${event.time} ${language()} ${event.reason ?? ''}`;
        this.rows = new Rows(byId('events'), keyOf, () => {
            const [time, words] = [make('time'), make('span')];
            return {
                element: make('li', {}, time, words),
                update(event) {
                    if (time.dateTime) return;
                    time.dateTime = new Date(event.time * 1_000).toISOString();
                    time.title = date(event.time);
                    put(time, clock(event.time));
                    words.replaceChildren(...sentence(event));
                    if (['failed', 'refused'].includes(event.state) || ['disk', 'refused'].includes(event.event)) words.className = 'warning';
                },
            };
        });
    }

    show(events, limit) {
        this.rows.show(events.slice(0, limit));
        byId('no-events').hidden = events.length > 0;
    }
}

// Returns the parts of the sentence that describes an event.
function sentence(event) {
    const isRefused = event.event === 'refused';
    const kind = event.state ? `-${event.state}` : '';
    const name = isRefused ? ACTIONS[event.action] : `${event.direction ?? event.event}${kind}`;
    const after = event.seconds === undefined ? '' : duration(event.seconds);
    const values = { peer: event.peer ?? '', protocol: protocol(event.protocol ?? ''), after, file: event.file ?? '', rendition: event.rendition ?? '', url: event.url ?? '' };
    if (event.event === 'callback') Object.assign(values, { callback: event.callback, status: event.status ?? '', ms: number(event.took_ms) });
    const words = text(name, { ...values, reason: event.reason ?? '' });
    const parts = event.stream === undefined ? [words] : [make('bdi', {}, nameOf(event)), text('colon'), words];
    const details = [];
    if (event.event === 'callback') details.push(event.host);
    if (event.reason && event.event !== 'fault') {
        const causes = event.event === 'callback' ? CALLBACK_FAILURES : isRefused ? REFUSALS : CAUSES;
        const cause = causes[event.cause];
        details.push(cause ? text(cause) : event.reason);
    }
    if (event.times > 1) details.push(text('times', { count: number(event.times) }));
    if (details.length > 0) {
        parts.push(make('span', { class: 'reason' }, text('inBrackets', { words: details.join(text('and')) })));
    }
    return parts;
}
