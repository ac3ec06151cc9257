// The page of a guest: camera and microphone go to the studio by WHIP, and on the same connection everything but the
// own voice comes back. The picture of the show comes by WHEP.

import { text } from '/assets/guest/texts.js';

// Interval between requests for the state.
const STATE_MS = 1_000;
// How long the page waits before it connects again.
const RETRY_MS = 1_000;
// Time limit for an answer of the studio.
const ANSWER_MS = 8_000;
// How long the page looks for its own addresses, if there are servers that report them.
const GATHER_MS = 2_500;
// The picture that the camera should give.
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

const base = location.pathname.replace(/\/$/, '');
const element = id => document.getElementById(id);
const seat = stored('seat') ?? store('seat', randomHex());
let media = null;
let joined = false;
let over = false;
let state = { state: 'invited', program: false, video_bitrate: 1_500_000, video_height: 720, video_fps: 30, ice_servers: [] };
let sending = null;
let watching = null;

function stored(name) {
    try {
        return localStorage.getItem(`onair.guest.${name}`);
    } catch {
        return null;
    }
}

function store(name, value) {
    try {
        localStorage.setItem(`onair.guest.${name}`, value);
    } catch {
        // Without a store, a reloaded page is another browser for the studio.
    }
    return value;
}

function randomHex() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

// Shows a problem. With `isEnd`, nothing goes on.
function notice(name, values = {}, isEnd = false) {
    const place = element('notice');
    place.hidden = name === null;
    place.textContent = name === null ? '' : text(name, values);
    if (!isEnd) return;
    over = true;
    sending?.close();
    watching?.close();
    media?.getTracks().forEach(track => track.stop());
    element('setup').hidden = true;
    element('show').hidden = true;
}

async function openDevices() {
    if (!navigator.mediaDevices) return notice('insecure');
    media?.getTracks().forEach(track => track.stop());
    const chosen = id => (element(id).value ? { deviceId: { exact: element(id).value } } : {});
    const audio = { ...chosen('microphone'), echoCancellation: true, noiseSuppression: true };
    try {
        media = await navigator.mediaDevices.getUserMedia({ video: { ...PICTURE, ...chosen('camera') }, audio });
    } catch {
        try {
            // A guest without a camera is still heard.
            media = await navigator.mediaDevices.getUserMedia({ audio });
        } catch {
            return notice('noDevices');
        }
    }
    notice(sendsVideo() ? null : 'noH264');
    element('own').srcObject = media;
    await listDevices();
    measureLevel();
    ready();
}

async function listDevices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    for (const [id, kind] of [['camera', 'videoinput'], ['microphone', 'audioinput']]) {
        const list = element(id);
        const used = media.getTracks().find(track => track.kind === kind.slice(0, 5));
        const options = devices.filter(device => device.kind === kind).map(device => {
            const option = document.createElement('option');
            option.value = device.deviceId;
            option.textContent = device.label || device.deviceId;
            option.selected = device.deviceId === used?.getSettings().deviceId;
            return option;
        });
        list.replaceChildren(...options);
    }
}

let meterContext = null;

function measureLevel() {
    meterContext?.close();
    if (media.getAudioTracks().length === 0) return;
    meterContext = new AudioContext();
    const analyser = meterContext.createAnalyser();
    meterContext.createMediaStreamSource(media).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const context = meterContext;
    const draw = () => {
        if (context.state === 'closed') return;
        analyser.getFloatTimeDomainData(samples);
        const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
        // From -60 dBFS to 0 dBFS.
        element('level').value = Math.max(0, 1 + Math.log10(power + 1e-6) / 6);
        requestAnimationFrame(draw);
    };
    draw();
}

function ready() {
    element('join').disabled = !(media && element('consent').checked);
}

// The forms of H.264 that this browser can send. A new Firefox has none until it has fetched its plugin.
function h264() {
    const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
    return codecs.filter(codec => /h264/i.test(codec.mimeType) && /packetization-mode=1/.test(codec.sdpFmtpLine));
}

// Returns false if there is a camera whose video this browser cannot send to the studio.
function sendsVideo() {
    return media.getVideoTracks().length === 0 || h264().length > 0;
}

// Chooses H.264, which the studio needs.
function useH264(transceiver) {
    const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
    // Baseline is decoded everywhere.
    const wanted = h264().sort((a, b) => /42e0/i.test(b.sdpFmtpLine) - /42e0/i.test(a.sdpFmtpLine));
    transceiver.setCodecPreferences([...wanted, ...codecs.filter(codec => /rtx/i.test(codec.mimeType))]);
}

// What the studio asks for. The camera keeps its size, so that nothing flickers.
function limits(track) {
    const { height = 720 } = track.getSettings();
    return {
        maxBitrate: state.video_bitrate,
        maxFramerate: state.video_fps,
        scaleResolutionDownBy: Math.max(1, height / state.video_height),
    };
}

// Connects, or closes the connection, so that it is tried again.
async function offer(connection, path) {
    try {
        return await exchange(connection, path);
    } catch (error) {
        connection.close();
        throw error;
    }
}

// Waits until the offer has all addresses of this browser: the studio sends something to each, so that its router lets
// this browser in.
function gathered(connection) {
    const isComplete = () => connection.iceGatheringState === 'complete' || connection.signalingState === 'closed';
    return new Promise(done => {
        const timer = setTimeout(done, GATHER_MS);
        connection.addEventListener('icegatheringstatechange', () => {
            if (!isComplete()) return;
            clearTimeout(timer);
            done();
        });
        if (isComplete()) {
            clearTimeout(timer);
            done();
        }
    });
}

async function exchange(connection, path) {
    const offered = await connection.createOffer();
    await connection.setLocalDescription(offered);
    if (state.ice_servers.length > 0) await gathered(connection);
    const answer = await fetch(path, {
        method: 'POST',
        headers: { 'Content-Type': 'application/sdp' },
        body: connection.localDescription.sdp.replace(/(useinbandfec=1)/g, '$1;stereo=1'),
        signal: AbortSignal.timeout(ANSWER_MS),
    });
    const body = await answer.text();
    if (over) connection.close();
    else if (answer.status === 201) await connection.setRemoteDescription({ type: 'answer', sdp: body });
    return { status: answer.status, body: body.trim(), session: answer.headers.get('Location') };
}

function closed(connection) {
    return ['failed', 'closed', 'disconnected'].includes(connection.connectionState)
        || ['closed', 'failed'].includes(connection.getReceivers()[0]?.transport?.state);
}

async function send() {
    if (over) return;
    sending?.close();
    const connection = new RTCPeerConnection({ iceServers: state.ice_servers, bundlePolicy: 'max-bundle' });
    sending = connection;
    const audio = media.getAudioTracks()[0];
    // A guest whose video the studio cannot take is still heard.
    const video = sendsVideo() ? media.getVideoTracks()[0] : null;
    connection.addTransceiver(audio ?? 'audio', { direction: audio ? 'sendrecv' : 'recvonly' });
    if (video) {
        const transceiver = connection.addTransceiver(video, {
            direction: 'sendonly',
            sendEncodings: [limits(video)],
        });
        useH264(transceiver);
    }
    connection.ontrack = ({ track }) => {
        const others = element('others');
        others.srcObject = new MediaStream([track]);
        others.play().catch(() => { element('sound').hidden = false; });
    };
    const name = encodeURIComponent(element('name').value.trim());
    const answer = await offer(connection, `${base}/whip?seat=${seat}&name=${name}`);
    // A closed connection is tried again.
    if (answer.status !== 201) connection.close();
    if (over) return;
    if (answer.status === 404) return notice('gone', {}, true);
    if (answer.status === 409) return notice('taken');
    if (answer.status === 429) return notice('wait', {}, true);
    if (answer.status === 503) return notice('studioAway');
    if (answer.status !== 201) return notice('refused', { why: answer.body });
    connection.session = answer.session;
    notice(sendsVideo() ? null : 'noH264');
}

// Follows what the studio asks for: its share of the bandwidth, and less video if its computer does not keep up.
async function limitVideo() {
    const sender = sending?.getSenders().find(each => each.track?.kind === 'video');
    const parameters = sender?.getParameters();
    const encoding = parameters?.encodings?.[0];
    if (!encoding) return;
    const wanted = limits(sender.track);
    if (Object.entries(wanted).every(([name, value]) => encoding[name] === value)) return;
    Object.assign(encoding, wanted);
    await sender.setParameters(parameters).catch(() => {});
}

async function watch() {
    if (over) return;
    watching?.close();
    const connection = new RTCPeerConnection({ iceServers: state.ice_servers });
    watching = connection;
    connection.addTransceiver('video', { direction: 'recvonly' });
    connection.ontrack = ({ track, receiver }) => {
        if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
        element('program').srcObject = new MediaStream([track]);
    };
    const answer = await offer(connection, `${base}/whep`);
    if (answer.status !== 201 && watching === connection) {
        connection.close();
        watching = null;
    }
}

function show() {
    if (over || !joined) return;
    const connected = sending?.connectionState === 'connected';
    const name = connected ? { 'on-air': 'onAir', lobby: 'lobby' }[state.state] ?? 'connecting' : 'connecting';
    const status = element('status');
    const words = text(sending?.wasConnected && !connected ? 'away' : name);
    if (status.textContent !== words) status.textContent = words;
    status.classList.toggle('on-air', connected && state.state === 'on-air');
    document.title = connected && state.state === 'on-air' ? '● onair' : 'onair';
    element('program').hidden = !state.program;
    element('waiting').hidden = state.program;
}

async function look() {
    if (over) return;
    try {
        const answer = await fetch(`${base}/state`, { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_MS) });
        // A server that has lost the studio ends nothing that is connected.
        const isConnected = sending && !closed(sending) && sending.connectionState === 'connected';
        if (answer.status === 404 && !isConnected) return notice('gone', {}, true);
        if (answer.status === 429 && !isConnected) return notice('wait', {}, true);
        if (answer.ok) state = await answer.json();
        if (joined) await follow();
    } catch {
        // The studio is unreachable for a moment.
    }
    show();
    setTimeout(look, STATE_MS);
}

// Connects again what was lost.
async function follow() {
    if (sending?.connectionState === 'connected') sending.wasConnected = true;
    if (!sending || closed(sending)) {
        const wasConnected = sending?.wasConnected;
        await new Promise(done => setTimeout(done, sending ? RETRY_MS : 0));
        await send();
        if (sending) sending.wasConnected = wasConnected;
    }
    if (state.program && (!watching || closed(watching))) await watch();
    await limitVideo();
}

function toggle(button, kind, on, off) {
    const isOff = button.getAttribute('aria-pressed') !== 'true';
    button.setAttribute('aria-pressed', isOff);
    button.dataset.text = isOff ? off : on;
    button.textContent = text(button.dataset.text);
    media.getTracks().filter(track => track.kind === kind).forEach(track => { track.enabled = !isOff; });
}

element('name').value = stored('name') ?? '';
element('name').addEventListener('change', () => store('name', element('name').value));
element('camera').addEventListener('change', openDevices);
element('microphone').addEventListener('change', openDevices);
element('consent').addEventListener('change', ready);
element('join').addEventListener('click', () => {
    joined = true;
    element('setup').hidden = true;
    element('show').hidden = false;
    show();
    follow().catch(() => {});
});
element('mute').addEventListener('click', () => toggle(element('mute'), 'audio', 'mute', 'unmute'));
element('hide').addEventListener('click', () => toggle(element('hide'), 'video', 'hide', 'show'));
element('sound').addEventListener('click', () => {
    element('sound').hidden = true;
    element('others').play();
});
element('leave').addEventListener('click', () => {
    if (sending?.session) fetch(sending.session, { method: 'DELETE', keepalive: true });
    notice('left', {}, true);
});
window.addEventListener('pagehide', () => {
    if (sending?.session && !over) fetch(sending.session, { method: 'DELETE', keepalive: true });
});
look();
openDevices();
