// The operator page: requests the data of the selected section from the API, and displays them.

import { language, onLanguage } from '/assets/language.js';
import { Access } from '/assets/operator/access.js';
import { get, isOpen, patch, pathOf, remove, token } from '/assets/operator/api.js';
import { Chat } from '/assets/operator/chat.js';
import { askToken, confirmed, settings, toast } from '/assets/operator/dialogs.js';
import { bitrate, bytes, duration, number } from '/assets/operator/format.js';
import { Events, Recordings, Relays, Viewers } from '/assets/operator/lists.js';
import { put } from '/assets/operator/rows.js';
import { Streams, nameOf } from '/assets/operator/streams.js';
import { text } from '/assets/operator/texts.js';

const REFRESH_MS = 2_000;
// Maximum number of entries of each list except the streams.
const FEW = 6;
// Interval at which the folder of recordings is read.
const RECORDINGS_MS = 10_000;
// Number of recordings in one response, and in the list until the operator wants to see older ones.
const MAX_RECORDINGS = 200;
const VIEWS = ['streams', 'viewers', 'chat', 'relays', 'access', 'recordings', 'events'];

const byId = id => document.getElementById(id);

const answers = { server: null, streams: null, viewers: null, chat: null, relays: null, access: null, recordings: null, events: null };
let before = null;
let rates = { out: null, cpu: null };
let ofStream = null;
let chatOf = null;
let failures = 0;
let isLocked = false;
let hasNoToken = false;
let timer = null;
let refreshing = false;
let isStale = false;
let recordingsAt = -Infinity;
let recordingsLimit = MAX_RECORDINGS;

const streams = new Streams({ end: endStream, viewers: showViewersOf, chat: showChatOf });
const viewers = new Viewers({ end: endViewer });
const chat = new Chat({ change: changeChat, choose: showChatOf });
const relays = new Relays();
const access = new Access();
const recordings = new Recordings({ remove: removeRecording });
const events = new Events();

function view() {
    const chosen = location.hash.slice(1);
    return VIEWS.includes(chosen) ? chosen : 'streams';
}

// Requests everything that is shown, and draws it.
async function refresh() {
    clearTimeout(timer);
    // The operator may have selected another section in the meantime.
    isStale = refreshing;
    if (refreshing) return;
    refreshing = true;
    const chosen = view();
    try {
        const wanted = ['server'];
        if (chosen === 'streams' || chosen === 'chat') wanted.push('streams');
        if (chosen === 'chat' && chatOf) wanted.push('chat');
        if (chosen === 'viewers') wanted.push('viewers');
        if (chosen === 'relays') wanted.push('relays');
        if (chosen === 'access') wanted.push('access');
        if (chosen === 'streams' || chosen === 'events') wanted.push('events');
        const now = performance.now();
        const isDue = now - recordingsAt > RECORDINGS_MS || answers.recordings === null;
        if ((chosen === 'streams' || chosen === 'recordings') && isDue) {
            recordingsAt = now;
            wanted.push('recordings');
        }
        const all = await Promise.all(wanted.map(answerTo));
        wanted.forEach((name, index) => {
            answers[name] = all[index];
        });
        if (chosen === 'chat' && !chatOf && answers.streams.streams.length > 0) {
            const [{ app, stream }] = answers.streams.streams;
            chatOf = { app, stream };
            answers.chat = await get(addressOf('chat'));
        }
        measure();
        failures = 0;
        isLocked = false;
        draw();
        if (chosen === 'streams') streams.refreshThumbnails();
    } catch (error) {
        await failed(error);
    } finally {
        refreshing = false;
        document.documentElement.dataset.ready = String(answers.server !== null && failures === 0 && !isLocked);
        if (!document.hidden && (isStale || !isLocked)) timer = setTimeout(refresh, isStale ? 0 : REFRESH_MS);
    }
}

async function answerTo(name) {
    try {
        return await (name === 'recordings' ? newestRecordings() : get(addressOf(name)));
    } catch (error) {
        if (name !== 'recordings' || error.status !== 500) throw error;
        // The server cannot read the folder, but everything else is displayed.
        return { enabled: true, recordings: [], all: 0, free_bytes: null, problem: error.message };
    }
}

// Requests as many recordings as the list may show, in parts.
async function newestRecordings() {
    const part = offset => get(`${addressOf('recordings')}?offset=${offset}&limit=${MAX_RECORDINGS}`);
    const answer = await part(0);
    const files = answer.recordings;
    while (files.length < Math.min(recordingsLimit, answer.all)) {
        const { recordings: older } = await part(files.length);
        if (older.length === 0) break;
        files.push(...older);
    }
    return answer;
}

function addressOf(name) {
    if (name === 'viewers' && ofStream) {
        const { app, stream } = ofStream;
        return `/api/v1/viewers?${new URLSearchParams({ app, stream })}`;
    }
    if (name === 'chat') return `/api/v1/chats/${pathOf(chatOf)}`;
    // Causes and reasons are sentences of the server.
    if (name === 'relays') return `/api/v1/relays?lang=${language()}`;
    if (name === 'events') return `/api/v1/events?lang=${language()}${byId('with-viewers').checked ? '' : '&viewers=no'}`;
    return `/api/v1/${name}`;
}

async function failed(error) {
    if (error.status === 401 || error.status === 403 || error.status === 429) {
        isLocked = true;
        hasNoToken = error.status === 403;
        draw();
        if (!hasNoToken) await unlock(error);
        return;
    }
    failures += 1;
    draw();
}

// Asks for the token until the server accepts it, or the operator cancels.
async function unlock(error) {
    const problem = error.status === 429 ? text('tokenWait') : token() ? text('tokenWrong') : null;
    if (await askToken(problem)) {
        isLocked = false;
        timer = setTimeout(refresh);
    }
}

// Rates are computed from two responses.
function measure() {
    const now = answers.server;
    if (before && now.seconds > before.seconds) {
        const seconds = now.seconds - before.seconds;
        rates = {
            out: (now.sent_bytes - before.sent_bytes) * 8 / seconds,
            cpu: now.cpu_seconds === null ? null : (now.cpu_seconds - before.cpu_seconds) / seconds,
        };
    }
    before = now;
}

function draw() {
    banner();
    if (answers.server) figures(answers.server);
    if (answers.streams) streams.show(answers.streams.streams);
    if (answers.viewers) viewers.show(answers.viewers);
    chat.offer(answers.streams?.streams ?? [], chatOf);
    // An answer can be that of the chat before.
    const isChosen = answers.chat?.app === chatOf?.app && answers.chat?.stream === chatOf?.stream;
    chat.show(isChosen ? answers.chat : null, answers.streams?.streams.length === 0);
    if (answers.relays) relays.show(answers.relays);
    if (answers.access) access.show(answers.access);
    if (answers.recordings) recordings.show(answers.recordings, view() === 'recordings' ? recordingsLimit : FEW);
    byId('older-recordings').hidden = view() !== 'recordings' || !(answers.recordings?.all > recordingsLimit);
    if (answers.events) events.show(answers.events.events, view() === 'events' ? Infinity : FEW + 2);
    byId('all-viewers').hidden = !ofStream;
    put(byId('title-viewers'), ofStream ? text('viewersOf', { name: nameOf(ofStream) }) : text('viewers'));
}

function figures(server) {
    const show = (name, main, more) => {
        put(byId(`figure-${name}`), main);
        put(byId(`figure-${name}-more`), more);
    };
    const all = answers.streams?.streams ?? [];
    const waiting = all.filter(stream => !stream.publisher).length;
    show('streams', number(server.streams), waiting ? text('waitingStreams', { count: number(waiting) }) : '');
    show('viewers', number(server.viewers), text('peak', { count: number(server.viewers_peak) }));
    show('out', rates.out === null ? '–' : bitrate(rates.out), '');
    show('cpu', rates.cpu === null ? '–' : number(rates.cpu, 2), text('cores', { count: server.cores }));
    const disk = server.recording;
    if (!disk) show('disk', text('off'), '');
    else if (disk.seconds_left !== null) show('disk', duration(disk.seconds_left), text('left'));
    else show('disk', disk.free_bytes === null ? '–' : bytes(disk.free_bytes), text('freeSpace'));
    const host = text('up', { host: server.host ?? location.hostname, time: duration(server.seconds) });
    put(byId('host'), host);
    byId('host').title = host;
    put(byId('scope'), text(server.local_only ? 'localOnly' : 'allAddresses'));
}

// Shows a problem of the page as a whole.
function banner() {
    let words = '';
    if (failures > 1) words = text('unreachable');
    else if (isLocked) words = text(hasNoToken ? 'noToken' : 'locked');
    else if (token() && isOpen()) words = text('open');
    put(byId('banner-text'), words);
    byId('banner').hidden = !words;
    byId('unlock').hidden = !isLocked || hasNoToken;
}

// Makes a change, with the token, which is asked for where it is missing or wrong. Returns true if it is made.
async function change(make, done, notDone) {
    let problem = null;
    let isDone = false;
    while (true) {
        try {
            await make();
            isDone = true;
            toast(done);
            break;
        } catch (error) {
            if (error.status === 401) {
                problem = token() ? text('tokenWrong') : problem;
                if (await askToken(problem)) continue;
                break;
            }
            const reason = error.status === 429 ? text('tokenWait') : error.status === 403 ? text('noToken') : error.message;
            toast(notDone(reason));
            break;
        }
    }
    refresh();
    return isDone;
}

function end(path, name, done = 'ended', notDone = 'notEnded') {
    return change(() => remove(path), text(done, { name }), reason => text(notDone, { name, reason }));
}

// What the operator deletes or mutes disappears at once.
async function changeChat(changes, done = text('chatChanged')) {
    const path = addressOf('chat');
    const make = async () => {
        answers.chat = await patch(path, changes);
    };
    return change(make, done, reason => text('chatNotChanged', { reason }));
}

async function endStream(stream) {
    const [name, count] = [nameOf(stream), number(stream.viewers)];
    const agreed = await confirmed(text('questionStream', { name }), text('questionStreamText', { count }), text('disconnect'));
    if (agreed) await end(`/api/v1/streams/${pathOf(stream)}`, name);
}

async function endViewer(viewer) {
    const [peer, name] = [viewer.peer, nameOf(viewer)];
    const agreed = await confirmed(text('questionViewer', { peer }), text('questionViewerText', { name }), text('disconnect'));
    if (agreed) await end(`/api/v1/viewers/${viewer.id}`, peer);
}

async function removeRecording(file) {
    const agreed = await confirmed(text('questionErase', { name: file.name }), text('questionEraseText'), text('eraseNow'));
    if (!agreed) return;
    await end(`/api/v1/recordings/${encodeURIComponent(file.name)}`, file.name, 'erased', 'notErased');
    recordingsAt = -Infinity;
    refresh();
}

function showViewersOf(stream) {
    ofStream = stream;
    answers.viewers = null;
    if (view() === 'viewers') navigate();
    else location.hash = 'viewers';
}

function showChatOf({ app, stream }) {
    chatOf = { app, stream };
    answers.chat = null;
    if (view() === 'chat') navigate();
    else location.hash = 'chat';
}

function navigate() {
    const chosen = view();
    if (chosen !== 'recordings') recordingsLimit = MAX_RECORDINGS;
    document.documentElement.dataset.view = chosen;
    for (const link of document.querySelectorAll('nav a')) {
        if (link.dataset.view === chosen) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
    const [nav, link] = [document.querySelector('nav'), document.querySelector('nav [aria-current]')];
    nav.scrollLeft = link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2;
    draw();
    refresh();
}

settings();
byId('all-viewers').onclick = () => {
    ofStream = null;
    navigate();
};
byId('older-recordings').onclick = () => {
    recordingsLimit += MAX_RECORDINGS;
    recordingsAt = -Infinity;
    refresh();
};
for (const link of document.querySelectorAll('nav a')) {
    link.onclick = () => {
        ofStream = null;
    };
}
document.querySelector('.skip').onclick = event => {
    // The fragment of the address names the section.
    event.preventDefault();
    byId('main').focus();
};
byId('with-viewers').onchange = () => refresh();
byId('unlock').onclick = () => refresh();
addEventListener('hashchange', navigate);
document.addEventListener('visibilitychange', () => {
    if (!document.hidden) refresh();
});
onLanguage(() => {
    document.title = text('title');
    draw();
});
navigate();
