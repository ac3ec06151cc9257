// The chat of the stream: lines as text, never as markup, and a box to send one.

import { store, stored } from '/assets/preferences.js';
import { onLanguage, text } from '/assets/texts.js';

// As at the server: so many lines at once, then one in this time.
const BURST = 5;
const PAUSE_MS = 1_000;
// Lines in the page; the oldest go.
const MAX_LINES = 200;
const MAX_NAME = 32;
const MAX_TEXT = 200;
// Lines that come so soon after the start were said before.
const PAST_MS = 400;
const COLORS = 6;
// Within this of the end, the list follows new lines.
const FOLLOW_PX = 40;

const byId = id => document.getElementById(id);

export class Chat {
    // `said(words)` is called for each new line.
    constructor({ base, said }) {
        this.url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${base}/chat`;
        this.said = said;
        this.socket = null;
        this.isOpen = false;
        this.openedAt = 0;
        this.left = BURST;
        this.since = performance.now();
        this.lines = byId('lines');
        this.name = stored('name') ?? '';
        this.#form();
        onLanguage(() => this.#draw());
        this.#draw();
    }

    // The stream has this state now: a chat is there while somebody publishes or watches.
    update(state) {
        if (!this.socket && state && (state.live || state.viewers > 0)) this.#join();
    }

    #join() {
        const socket = new WebSocket(this.url);
        this.socket = socket;
        socket.onopen = () => {
            this.isOpen = true;
            this.openedAt = performance.now();
            // The server repeats the last lines.
            this.lines.replaceChildren();
            this.#draw();
        };
        socket.onmessage = event => this.#receive(event.data);
        // The next state of the stream leads to the next try.
        socket.onclose = () => {
            this.isOpen = false;
            this.socket = null;
            this.#draw();
        };
    }

    #receive(data) {
        let line;
        try {
            line = JSON.parse(data);
        } catch {
            return;
        }
        if (typeof line?.text !== 'string') return;
        const name = typeof line.name === 'string' ? line.name : '';
        // Without a name, the server itself speaks: it passed a line not on.
        this.#add(name, name ? line.text : text('notPassed'));
        if (name && performance.now() - this.openedAt > PAST_MS) this.said(line.text);
    }

    #add(name, words) {
        const follows = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < FOLLOW_PX;
        const line = document.createElement('p');
        if (name) {
            const who = document.createElement('b');
            who.textContent = name;
            who.className = `color-${color(name)}`;
            // For who copies or hears it.
            line.append(who, document.createTextNode(' '));
        } else {
            line.className = 'own';
        }
        const what = document.createElement('span');
        what.textContent = words;
        line.append(what);
        this.lines.append(line);
        while (this.lines.childElementCount > MAX_LINES) this.lines.firstElementChild.remove();
        if (follows) this.lines.scrollTop = this.lines.scrollHeight;
    }

    #form() {
        const [say, name] = [byId('say'), byId('name')];
        say.maxLength = MAX_TEXT;
        name.maxLength = MAX_NAME;
        name.value = this.name;
        byId('send').onsubmit = event => {
            event.preventDefault();
            this.#send(say);
        };
        byId('name-toggle').onclick = () => this.#showName(name.hidden);
        name.onchange = () => {
            this.name = name.value.trim();
            store('name', this.name || null);
        };
        name.onkeydown = event => {
            if (event.key !== 'Enter' && event.key !== 'Escape') return;
            event.preventDefault();
            name.onchange();
            this.#showName(false);
            say.focus();
        };
    }

    #showName(show) {
        byId('name').hidden = !show;
        byId('name-toggle').setAttribute('aria-expanded', String(show));
        if (show) byId('name').focus();
    }

    #send(say) {
        const words = say.value.trim();
        if (!words || !this.isOpen) return;
        if (!this.#takeTurn()) return this.#hint('slower');
        this.socket.send(JSON.stringify({ name: this.name, text: words }));
        say.value = '';
        this.#hint(null);
    }

    // Whether one more line may be sent now.
    #takeTurn() {
        const now = performance.now();
        const earned = Math.floor((now - this.since) / PAUSE_MS);
        this.left = Math.min(BURST, this.left + earned);
        this.since = this.left === BURST ? now : this.since + earned * PAUSE_MS;
        if (this.left === 0) return false;
        this.left -= 1;
        return true;
    }

    #hint(name) {
        clearTimeout(this.timer);
        byId('chat-hint').textContent = name ? text(name) : '';
        byId('chat-hint').hidden = !name;
        if (name === 'slower') this.timer = setTimeout(() => this.#hint(null), 2 * PAUSE_MS);
    }

    #draw() {
        byId('say').placeholder = text('say');
        byId('name').placeholder = text('name');
        byId('say').disabled = byId('send-button').disabled = !this.isOpen;
        this.#hint(this.isOpen ? null : 'chatClosed');
    }
}

// The same name has the same color everywhere.
function color(name) {
    let sum = 0;
    for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
    return sum % COLORS;
}
