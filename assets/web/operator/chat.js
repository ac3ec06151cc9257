// Moderation of a chat: its last messages, the people who are muted, and the rules of all chats.

import { number } from '/assets/operator/format.js';
import { Rows, icon, label, make, put } from '/assets/operator/rows.js';
import { nameOf } from '/assets/operator/streams.js';
import { text } from '/assets/operator/texts.js';

const ROLES = { streamer: 'roleStreamer', moderator: 'roleModerator' };

const byId = id => document.getElementById(id);
const cell = (...children) => make('td', { role: 'cell' }, ...children);
const button = (name, extra = '') => make('button', { class: `plain ${extra}`, type: 'button' }, icon(name));

export class Chat {
    // `change(changes, done)` changes the chat and says `done`, `choose(stream)` shows that of another stream.
    constructor({ change, choose }) {
        this.streams = [];
        // What the operator has typed is kept until it is saved.
        this.typed = false;
        this.lines = new Rows(byId('chat-lines'), line => line.id, () => {
            const [role, name, words] = ['span', 'span', 'span'].map(it => make(it));
            role.className = 'tag';
            [name.className, words.className] = ['name', 'words'];
            const [mute, erase] = [button('mute', 'ban'), button('trash', 'ban')];
            const actions = cell(make('div', { class: 'actions' }, mute, erase));
            return {
                element: make('tr', { role: 'row' }, cell(role, name), cell(words), actions),
                update(line) {
                    role.hidden = !ROLES[line.role];
                    mute.hidden = !role.hidden;
                    put(role, role.hidden ? '' : text(ROLES[line.role]));
                    put(name, line.name);
                    put(words, line.text);
                    label(mute, text('mute', { name: line.name }));
                    label(erase, text('deleteMessage', { name: line.name }));
                    mute.onclick = () => change({ mute: [line.from] }, text('nameMuted', { name: line.name }));
                    erase.onclick = () => change({ delete: [line.id] }, text('messageDeleted'));
                },
            };
        });
        this.muted = new Rows(byId('chat-muted'), person => person.from, () => {
            const [name, unmute] = [make('span', { class: 'name' }), make('button', { class: 'button small', type: 'button' })];
            return {
                element: make('li', {}, name, unmute),
                update(person) {
                    put(name, person.name);
                    put(unmute, text('unmute'));
                    unmute.setAttribute('aria-label', text('unmuteName', { name: person.name }));
                    const done = text('nameUnmuted', { name: person.name });
                    unmute.onclick = () => change({ unmute: [person.from] }, done);
                },
            };
        });
        const [slow, words] = [byId('chat-slow'), byId('chat-words')];
        slow.oninput = words.oninput = () => {
            this.typed = true;
        };
        byId('chat-save').onclick = async () => {
            if (!slow.reportValidity()) return;
            const blocked = words.value.split('\n').map(it => it.trim()).filter(Boolean);
            const seconds = Math.round(slow.valueAsNumber || 0);
            if (await change({ slow_seconds: seconds, blocked_words: blocked })) this.typed = false;
        };
        byId('chat-stream').onchange = event => choose(this.streams[event.target.selectedIndex]);
    }

    // Offers the chats of these streams, and the chosen one even if it has gone.
    offer(streams, chosen) {
        const isChosen = it => it.app === chosen?.app && it.stream === chosen.stream;
        const all = streams.map(({ app, stream }) => ({ app, stream }));
        this.streams = chosen && !all.some(isChosen) ? [chosen, ...all] : all;
        const select = byId('chat-stream');
        const names = this.streams.map(nameOf);
        // An open list stays open while nothing changes.
        if (JSON.stringify(names) !== JSON.stringify([...select.options].map(it => it.value))) {
            select.replaceChildren(...names.map(name => make('option', { value: name }, name)));
        }
        select.disabled = names.length === 0;
        if (chosen) select.value = nameOf(chosen);
    }

    // `isNobodyThere` is true if it is known that nobody publishes.
    show(chat, isNobodyThere) {
        this.lines.show(chat ? [...chat.messages].reverse() : []);
        this.muted.show(chat?.muted ?? []);
        byId('no-chat').hidden = chat ? chat.messages.length > 0 : !isNobodyThere;
        put(byId('no-chat'), text(chat ? chat.open ? 'noMessages' : 'emptyChat' : 'noStreams'));
        byId('no-muted').hidden = Boolean(chat?.muted.length);
        byId('chat-save').disabled = !chat;
        put(byId('chat-note'), chat?.messages.length ? text('lastMessages', { count: number(chat.messages.length) }) : '');
        if (!chat || this.typed) return;
        byId('chat-slow').value = chat.slow_seconds;
        byId('chat-words').value = chat.blocked_words.join('\n');
    }
}
