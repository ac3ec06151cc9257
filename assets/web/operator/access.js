// The rules of applications: who may publish and play, limits and callbacks.

import { bitrate, number } from '/assets/operator/format.js';
import { Rows, make, put } from '/assets/operator/rows.js';
import { text } from '/assets/operator/texts.js';

const DIALECTS = { 'nginx': 'nginx-rtmp', 'srs': 'SRS', 'mediamtx': 'MediaMTX' };

const byId = id => document.getElementById(id);
const cell = child => make('td', { role: 'cell' }, child);

export class Access {
    constructor() {
        this.rows = new Rows(byId('access'), app => app.app ?? '', () => {
            const [name, publish, play, limits, calls] = ['span', 'span', 'span', 'span', 'span'].map(it => make(it));
            name.className = 'name';
            return {
                element: make('tr', { role: 'row' }, ...[name, publish, play, limits, calls].map(cell)),
                update(app) {
                    put(name, app.app ?? text('otherApps'));
                    show(publish, 'mayPublish', who(app.publish));
                    show(play, 'mayPlay', who(app.play));
                    show(limits, 'limits', limitsOf(app.limits));
                    show(calls, 'callbacks', callbacksOf(app.callbacks));
                },
            };
        });
    }

    show({ apps }) {
        this.rows.show(apps);
    }
}

// On a phone, the columns have no headings.
function show(element, heading, words) {
    put(element, words);
    element.parentElement.dataset.name = text(heading);
}

function who({ keys, tokens, login, allow, deny, callback }) {
    const parts = [];
    if (keys && tokens) parts.push(text('withKeyOrToken', { count: number(keys) }));
    else if (keys) parts.push(text('withKey', { count: number(keys) }));
    else if (tokens) parts.push(text('withToken'));
    if (login) parts.push(text('withLogin'));
    if (allow.length) parts.push(text('onlyFrom', { networks: allow.join(' ') }));
    if (deny.length) parts.push(text('notFrom', { networks: deny.join(' ') }));
    if (callback) parts.push(text('ifCallback'));
    return parts.join(text('and')) || text('anyone');
}

function limitsOf({ streams, viewers, bitrate: rate, width, height }) {
    const parts = [];
    if (streams !== null) parts.push(text('limitStreams', { count: number(streams) }));
    if (viewers !== null) parts.push(text('limitViewers', { count: number(viewers) }));
    if (rate !== null) parts.push(text('limitBitrate', { bitrate: bitrate(rate) }));
    if (width !== null) parts.push(text('limitSize', { width, height }));
    return parts.join(text('and')) || text('none');
}

function callbacksOf(callbacks) {
    if (!callbacks) return text('none');
    const { dialect, calls, accepts_without_answer: accepts } = callbacks;
    const names = text('callbacksOf', { dialect: DIALECTS[dialect] ?? dialect, names: calls.join(' ') });
    return [names, text(accepts ? 'unansweredAccept' : 'unansweredRefuse')].join(text('and'));
}
