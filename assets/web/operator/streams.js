// The table of streams.

import { getBlob, pathOf } from '/assets/operator/api.js';
import { bitrate, duration, number, protocol } from '/assets/operator/format.js';
import { Rows, icon, label, make, put } from '/assets/operator/rows.js';
import { text } from '/assets/operator/texts.js';

const THUMBNAIL_MS = 5_000;
// Number of steps in the history of a bitrate.
const STEPS = 120;
const [SPARK_WIDTH, SPARK_HEIGHT] = [150, 34];

const byId = id => document.getElementById(id);
export const nameOf = ({ app, stream }) => `${app}/${stream}`;

export class Streams {
    // `end(stream)` disconnects a publisher, `viewers(stream)` shows those who watch, `chat(stream)` their chat.
    constructor({ end, viewers, chat }) {
        this.last = [];
        this.rows = new Rows(byId('streams'), it => JSON.stringify([it.app, it.stream]), () => new StreamRow({ end, viewers, chat }));
        byId('search').oninput = () => this.draw();
    }

    show(streams) {
        this.last = streams;
        this.draw();
    }

    draw() {
        const wanted = byId('search').value.trim().toLowerCase();
        const found = this.last.filter(stream => nameOf(stream).toLowerCase().includes(wanted));
        // Streams without a publisher come last; the order is stable otherwise.
        found.sort((one, other) => Number(!one.publisher) - Number(!other.publisher));
        this.rows.show(found);
        byId('no-streams').hidden = found.length > 0;
        put(byId('no-streams'), text(this.last.length > 0 ? 'notFound' : 'noStreams'));
    }

    // Requests the thumbnails of the displayed streams.
    refreshThumbnails() {
        for (const row of this.rows.rows.values()) row.refreshThumbnail();
    }
}

class StreamRow {
    constructor({ end, viewers, chat }) {
        this.stream = null;
        this.address = null;
        this.askedAt = -Infinity;
        this.image = make('img', { alt: '', hidden: '' });
        this.thumbnail = make('div', { class: 'thumbnail' }, icon('video'), this.image);
        this.name = make('span', { class: 'name' });
        this.codecs = make('small');
        this.renditions = make('small');
        this.encoder = make('span');
        this.publisher = make('small');
        this.viewers = make('span');
        this.protocols = make('small');
        this.bitrate = make('span');
        this.stalls = make('small', { class: 'warning' });
        this.spark = sparkline();
        this.watch = make('a', { class: 'plain', target: '_blank', rel: 'noopener' }, icon('watch'));
        this.people = make('button', { class: 'plain', type: 'button' }, icon('users'));
        this.chat = make('button', { class: 'plain', type: 'button' }, icon('chat'));
        this.ban = make('button', { class: 'plain ban', type: 'button' }, icon('ban'));
        this.people.onclick = () => viewers(this.stream);
        this.chat.onclick = () => chat(this.stream);
        this.ban.onclick = () => end(this.stream);
        const cell = (part, ...children) => make('td', { 'role': 'cell', 'data-part': part }, ...children);
        this.audience = cell('viewers', this.viewers, this.protocols);
        const figures = cell('bitrate', this.bitrate, this.stalls);
        figures.className = 'number';
        this.element = make(
            'tr', { role: 'row' },
            cell('thumbnail', this.thumbnail),
            cell('stream', this.name, this.codecs, this.renditions),
            cell('publisher', this.encoder, this.publisher),
            this.audience,
            figures,
            cell('history', this.spark),
            cell('actions', make('div', { class: 'actions' }, this.watch, this.people, this.chat, this.ban)),
        );
    }

    update(stream) {
        this.stream = stream;
        const { publisher } = stream;
        const name = nameOf(stream);
        this.element.classList.toggle('idle', !publisher);
        put(this.name, name);
        this.name.title = name;
        put(this.codecs, publisher ? codecs(publisher) : text('waiting'));
        const renditions = stream.renditions.map(it => it.name).join(', ');
        put(this.renditions, renditions ? text('encodes', { names: renditions }) : '');
        put(this.encoder, publisher ? encoder(publisher.encoder) ?? text('unknownEncoder') : '–');
        put(this.publisher, publisher ? `${protocol(publisher.protocol)} · ${duration(publisher.seconds)} · ${publisher.peer}` : '');
        put(this.viewers, number(stream.viewers));
        // For narrow screens, on which the table has no headings.
        this.audience.dataset.name = text('viewers');
        this.#showProtocols(stream);
        put(this.bitrate, publisher ? bitrate(publisher.bitrate) : '');
        const stalls = publisher?.stalls.count ? publisher.stalls : null;
        const longest = number(stalls?.longest ?? 0, 1);
        put(this.stalls, stalls ? text('stalls', { count: number(stalls.count), longest }) : '');
        drawSpark(this.spark, publisher);
        this.watch.href = `/watch/${pathOf(stream)}`;
        label(this.watch, text('watch', { name }));
        label(this.people, text('viewersOf', { name }));
        label(this.chat, text('chatOf', { name }));
        label(this.ban, text('endStream', { name }));
        if (!publisher && document.activeElement === this.ban) {
            // A disabled button would lose the keyboard focus.
            this.element.tabIndex = -1;
            this.element.focus();
        }
        this.ban.disabled = !publisher;
        this.ban.style.visibility = publisher ? '' : 'hidden';
        if (!publisher?.video) this.#showImage(null);
        this.image.alt = text('thumbnailOf', { name });
    }

    #showProtocols(stream) {
        const all = Object.entries(stream.viewers_by_protocol).filter(([, count]) => count > 0);
        all.sort(([, one], [, other]) => other - one);
        const words = all.map(([name, count]) => `${protocol(name)} ${number(count)}`);
        const shown = JSON.stringify(words.length ? words : text('nobody'));
        if (this.protocols.dataset.words === shown) return;
        this.protocols.dataset.words = shown;
        const tags = words.map(it => make('span', { class: 'tag' }, it));
        this.protocols.replaceChildren(...tags.length ? tags : [text('nobody')]);
    }

    async refreshThumbnail() {
        const now = performance.now();
        if (!this.stream?.publisher?.video || now - this.askedAt < THUMBNAIL_MS) return;
        this.askedAt = now;
        try {
            const blob = await getBlob(`/api/v1/thumbnails/${pathOf(this.stream)}`);
            if (this.stream?.publisher) this.#showImage(URL.createObjectURL(blob));
        } catch (error) {
            // The last thumbnail stays, unless the stream has none.
            if (error.status === 404) this.#showImage(null);
        }
    }

    #showImage(address) {
        if (this.address) URL.revokeObjectURL(this.address);
        this.address = address;
        this.image.hidden = !address;
        if (address) this.image.src = address;
        else this.image.removeAttribute('src');
    }

    end() {
        this.stream = null;
        this.#showImage(null);
    }
}

// Returns the usual name of an encoder.
function encoder(words) {
    const obs = words?.match(/libobs version ([\d.]+)/);
    if (obs) return `OBS ${obs[1]}`;
    return words?.replace(/^Lavf[\d.]*$/, 'FFmpeg') ?? null;
}

function codecs({ video, audio }) {
    const size = video?.width ? `${video.width}×${video.height}` : null;
    const fps = video?.fps ? number(video.fps, 2) : null;
    const rate = audio?.sample_rate ? `${number(audio.sample_rate / 1_000, 1)} kHz` : null;
    const of = (...parts) => parts.filter(Boolean).join(' ');
    const parts = [of(video?.codec, video?.profile, size, fps), of(audio?.codec, rate)];
    return parts.filter(Boolean).join(' · ');
}

function sparkline() {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'spark');
    svg.setAttribute('role', 'img');
    svg.setAttribute('viewBox', `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.append(document.createElementNS('http://www.w3.org/2000/svg', 'polyline'));
    return svg;
}

// The newest step is at the right.
function drawSpark(svg, publisher) {
    const bitrates = publisher?.history.bitrates ?? [];
    const most = Math.max(...bitrates, 1) * 1.25;
    const at = (value, index) => {
        const x = SPARK_WIDTH - (bitrates.length - 1 - index) * SPARK_WIDTH / (STEPS - 1);
        return `${x.toFixed(1)},${(SPARK_HEIGHT - 2 - value / most * (SPARK_HEIGHT - 4)).toFixed(1)}`;
    };
    svg.firstChild.setAttribute('points', bitrates.length > 1 ? bitrates.map(at).join(' ') : '');
    const [low, high] = [Math.min(...bitrates), Math.max(...bitrates)];
    const minutes = Math.ceil(bitrates.length * (publisher?.history.step ?? 0) / 60);
    const words = bitrates.length > 1
        ? text('history', { minutes, low: bitrate(low), high: bitrate(high) })
        : text('noHistory');
    if (svg.getAttribute('aria-label') !== words) svg.setAttribute('aria-label', words);
}
