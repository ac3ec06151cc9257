// The viewer page: connects its parts, and shows the state of the stream.

import { Chat } from '/assets/chat.js';
import { Controls } from '/assets/controls.js';
import { Danmaku } from '/assets/danmaku.js';
import { NAMES, Playback } from '/assets/playback.js';
import { StreamState } from '/assets/state.js';
import { onLanguage, text } from '/assets/texts.js';

// The time for which a sentence stays over the video.
const NOTE_MS = 10_000;
// Interval at which the page requests a stream that the server gets on demand.
const DEMAND_MS = 5_000;

const byId = id => document.getElementById(id);

// The part after `/watch` in `/watch/APP/STREAM`, with which all paths of the stream begin.
const base = location.pathname.slice('/watch'.length);
const name = decodeURIComponent(base.slice(base.lastIndexOf('/') + 1));
const asked = new URLSearchParams(location.search);
const wanted = asked.get('protocol');
// The key or token of the link gives access to all resources of the stream.
const secret = new URLSearchParams([...asked].filter(([key]) => key === 'token' || key === 'key'));
const query = String(secret) && `?${secret}`;
const address = suffix => base + suffix + query;

const video = byId('video');
const stream = new StreamState(
    address('/state'),
    state => {
        playback.update(state);
        chat.update(state);
        demand(state);
        draw();
    },
    () => {
        playback.refuse();
        chat.refuse();
    },
    () => playback.limit(),
);
const playback = new Playback({
    address,
    video,
    stream,
    preferred: wanted in NAMES ? wanted : null,
    changed: () => draw(),
});
const danmaku = new Danmaku(byId('danmaku'));
const chat = new Chat({
    address,
    said: (words, id) => danmaku.show(words, id),
    deleted: ids => danmaku.remove(ids),
    moved: () => stream.refresh(),
});
const controls = new Controls({ video, playback, danmaku });
let noted = null;

// The server gets the stream from another one when a viewer asks for it.
function demand(state) {
    if (!state?.on_demand || state.live || performance.now() < demand.next) return;
    demand.next = performance.now() + DEMAND_MS;
    fetch(address('.m3u8'), { cache: 'no-store' }).catch(() => {});
}
demand.next = 0;

function draw() {
    const { status, protocol } = playback;
    // The last known state may be wrong while the server does not answer.
    const state = status === 'unreachable' ? null : playback.state;
    // For style sheets, and for programs that control the page.
    document.documentElement.dataset.status = status;
    document.documentElement.dataset.protocol = status === 'playing' ? protocol : '';
    byId('live').hidden = !state?.live;
    overlay(status);
    chip(status, protocol);
    note(status, protocol);
    facts(state);
    if (controls) controls.draw();
}

// Draws the message over the video while nothing plays.
function overlay(status) {
    // Other protocols may have failed for other reasons than WebRTC.
    const codec = playback.codec ?? (playback.passed.size === 1 ? playback.note?.codec : null);
    const why = codec ? 'codecDetail' : 'failedDetail';
    const words = {
        waiting: ['waiting', 'waitingDetail'],
        connecting: ['connecting', null],
        failed: playback.isFull ? ['noRoom', 'noRoomDetail'] : ['failed', why],
        limited: ['limited', 'limitedDetail'],
        refused: ['refused', 'refusedDetail'],
        unreachable: ['unreachable', 'unreachableDetail'],
    }[status];
    byId('overlay').hidden = !words;
    byId('audio-only').hidden = Boolean(words) || !playback.isAudioOnly;
    if (!words) return;
    const [headline, detail] = words;
    put('headline', text(headline));
    put('detail', detail ? text(detail, { codec }) : '');
    const isOver = status === 'failed' || status === 'refused';
    byId('spinner').hidden = isOver;
    byId('overlay-icon').toggleAttribute('hidden', !isOver);
    byId('retry').hidden = !isOver;
}

function chip(status, protocol) {
    const chip = byId('chip');
    chip.hidden = status !== 'playing';
    // The height of the displayed rendition.
    const height = Math.min(video.videoWidth, video.videoHeight);
    byId('size').hidden = status !== 'playing' || !height;
    put('size', height ? `${height}p` : '');
    if (status !== 'playing') return;
    const { latency } = playback;
    const names = { protocol: NAMES[protocol], seconds: latency === null ? '' : seconds(latency) };
    const isMeasured = latency !== null;
    const words = isMeasured ? [text('delay', names), ` · ${names.protocol}`] : ['', names.protocol];
    if (chip.dataset.words !== words.join('')) {
        chip.dataset.words = words.join('');
        const more = document.createElement('em');
        more.textContent = words[1];
        chip.replaceChildren(words[0], more);
        chip.classList.toggle('bare', !isMeasured);
    }
    const label = text(isMeasured ? 'delayLabel' : 'protocolLabel', names);
    chip.setAttribute('aria-label', label);
    chip.title = label;
}

function seconds(latency) {
    return latency < 10 ? Math.max(latency, 0.01).toFixed(latency < 0.1 ? 2 : 1) : Math.round(latency);
}

// Explains why the page does not use the best protocol.
function note(status, protocol) {
    // After a pause or a loss, the page does not repeat the note.
    const isKept = ['paused', 'connecting'].includes(status) && playback.note === noted;
    const why = status === 'playing' || isKept ? playback.note : null;
    if (noted === why) return;
    noted = why;
    show(why ? text(why.reason, { from: NAMES[why.from], codec: why.codec, protocol: NAMES[protocol] }) : '');
}

// Shows a sentence over the video for a while.
function show(words) {
    clearTimeout(show.timer);
    put('note', words);
    byId('note').hidden = !words;
    show.timer = setTimeout(() => {
        byId('note').hidden = true;
    }, NOTE_MS);
}

function facts(state) {
    const parts = [];
    const isKnown = Number.isFinite(state?.viewers);
    if (state?.live && isKnown) {
        const minutes = Math.floor(state.seconds / 60);
        const hours = Math.floor(minutes / 60);
        if (minutes < 1) parts.push(text('started'));
        else if (hours < 1) parts.push(text('minutes', { count: minutes }));
        else parts.push(text('hours', { hours, minutes: minutes % 60 }));
        parts.push(text('watching', { count: state.viewers }));
    } else if (state && !state.live) {
        parts.push(text('notLive'));
    }
    put('facts', parts.join(' · '));
    byId('facts').title = parts.join(' · ');
    byId('count').hidden = !isKnown;
    put('viewers', String(state?.viewers ?? 0));
    byId('count').title = text('watching', { count: state?.viewers ?? 0 });
}

// Sets a text only if it differs, so that screen readers do not repeat it.
function put(id, words) {
    const element = byId(id);
    if (element.textContent !== words) element.textContent = words;
}

function share() {
    const link = location.origin + location.pathname + query;
    if (navigator.share) {
        navigator.share({ title: name, url: link }).catch(() => {});
        return;
    }
    copy(link).then(() => show(text('copied')), showCode);
}

// Without TLS, browsers have no clipboard for pages.
async function copy(words) {
    if (navigator.clipboard) return navigator.clipboard.writeText(words);
    const focused = document.activeElement;
    const field = document.createElement('textarea');
    field.value = words;
    field.className = 'offscreen';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    focused?.focus();
    if (!copied) throw new Error('not copied');
}

function showCode() {
    const scheme = location.protocol.slice(0, -1);
    const shown = new URLSearchParams([['scheme', scheme], ...secret]);
    byId('code-image').src = `${base}/code.svg?${shown}`;
    const isHere = /^(localhost|127\.|\[::1\])/.test(location.hostname);
    byId('code-note').dataset.text = isHere ? 'onlyHere' : 'scan';
    put('code-note', text(byId('code-note').dataset.text));
    put('code-address', location.origin + location.pathname);
    byId('code-dialog').showModal();
}

document.title = name;
put('title', name);
put('audio-name', name);
for (const id of ['avatar', 'audio-avatar']) put(id, [...name][0]?.toUpperCase() ?? '');
byId('share').onclick = share;
byId('code').onclick = showCode;
onLanguage(() => {
    noted = undefined;
    draw();
});
stream.refresh();
