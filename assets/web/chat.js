// The chat of the stream: messages as text, never as markup, and a box for sending a message.

import { store, stored } from '/assets/preferences.js';
import { onLanguage, text } from '/assets/texts.js';

// The limits of the server: this many messages at once, and then one message per pause.
const BURST = 5;
const PAUSE_MS = 1_000;
// The code with which the server closes a chat whose stream is at another server now.
const MOVED = 1012;
// Maximum number of messages in the page. The oldest are removed.
const MAX_LINES = 200;
const MAX_NAME = 32;
const MAX_TEXT = 200;
// Messages that arrive within this time after the start are old ones.
const PAST_MS = 400;
const COLORS = 6;
// The roles that the server states for senders, because names prove nothing.
const ROLES = ['streamer', 'moderator'];
// If the list is scrolled to within this distance of its end, it follows new messages.
const FOLLOW_PX = 40;

const byId = id => document.getElementById(id);

export class Chat {
    // `said(words, id)` is called for each new message, `deleted(ids)` when the streamer has deleted messages, and
    // `moved()` when the stream is at another server.
    constructor({ address, said, deleted, moved }) {
        this.url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${address('/chat')}`;
        this.said = said;
        this.deleted = deleted;
        this.moved = moved;
        // The interval of slow mode in seconds, or 0.
        this.slow = 0;
        this.nextAt = 0;
        // The sent messages for which there is no answer of the server yet, by number, the oldest first.
        this.sent = new Map();
        // Messages of an ended connection that got no answer, the oldest first.
        this.unanswered = [];
        this.number = 0;
        this.socket = null;
        this.isOpen = false;
        this.isLive = false;
        // True if the link of the page does not open the chat.
        this.isRefused = false;
        this.openedAt = 0;
        this.left = BURST;
        this.since = performance.now();
        this.lines = byId('lines');
        this.name = stored('name') ?? '';
        this.#form();
        onLanguage(() => this.#draw());
        this.#draw();
    }

    // Takes the new state of the stream. A chat exists while somebody publishes or watches.
    update(state) {
        if (state && (state.live !== this.isLive || this.isRefused)) {
            this.isLive = state.live;
            this.isRefused = false;
            if (!this.isOpen) this.#draw();
        }
        if (!this.socket && state && (state.live || state.viewers > 0)) this.#join();
    }

    // The page may not play the stream. A chat that is open already goes on.
    refuse() {
        this.isRefused = true;
        if (!this.isOpen) this.#draw();
    }

    #join() {
        const socket = new WebSocket(this.url);
        this.socket = socket;
        socket.onopen = () => {
            this.isOpen = true;
            this.openedAt = performance.now();
            // The server sends the last messages again.
            this.lines.replaceChildren();
            this.slow = 0;
            this.#draw();
        };
        socket.onmessage = event => this.#receive(event.data);
        // The next state of the stream causes the next attempt.
        socket.onclose = event => {
            this.isOpen = false;
            this.socket = null;
            this.unanswered.push(...this.sent.values());
            this.sent.clear();
            this.#putBackUnanswered();
            this.#draw();
            if (event.code === MOVED) this.moved();
        };
    }

    #receive(data) {
        let line;
        try {
            line = JSON.parse(data);
        } catch {
            return;
        }
        if (Array.isArray(line?.deleted)) return this.#remove(line.deleted);
        if (Number.isSafeInteger(line?.slow)) return this.#slowDown(line.slow);
        if (Number.isSafeInteger(line?.passed)) return this.sent.delete(line.passed);
        if (typeof line?.text !== 'string') return;
        const name = typeof line.name === 'string' ? line.name : '';
        // A message without a name is from the server itself, which did not pass on a message.
        if (!name) {
            this.#putBack(this.sent.get(line.number));
            this.sent.delete(line.number);
            return this.#add('', this.#refusal(line));
        }
        const id = Number.isSafeInteger(line.id) ? line.id : null;
        this.#add(name, line.text, id, ROLES.includes(line.role) ? line.role : null);
        if (performance.now() - this.openedAt > PAST_MS) this.said(line.text, id);
    }

    // Puts sent words, which the server did not pass on, back into their field if this is empty.
    #putBack(words) {
        if (words && !byId('say').value) byId('say').value = words;
    }

    // Puts one message without an answer back into its field if this is empty.
    #putBackUnanswered() {
        if (!byId('say').value) this.#putBack(this.unanswered.shift());
    }

    // Removes the messages with these numbers, including those over the video.
    #remove(ids) {
        const gone = new Set(ids.map(String));
        for (const line of [...this.lines.children]) {
            if (gone.has(line.dataset.id)) line.remove();
        }
        this.deleted(ids);
    }

    #slowDown(seconds) {
        this.slow = seconds;
        this.nextAt = 0;
        this.#draw();
    }

    // Returns the reason why the server did not pass on a message.
    #refusal({ refused, wait }) {
        const names = { muted: 'muted', blocked: 'blockedWord', reserved: 'reservedName', origin: 'otherOrigin' };
        // In slow mode, only a message that is passed on begins a wait.
        this.nextAt = 0;
        if (refused === 'slow' && Number.isSafeInteger(wait)) {
            this.nextAt = performance.now() + wait * 1_000;
            return text('slowWait', { seconds: wait });
        }
        return text(names[refused] ?? 'notPassed');
    }

    #add(name, words, id = null, role = null) {
        const follows = this.lines.scrollHeight - this.lines.scrollTop - this.lines.clientHeight < FOLLOW_PX;
        const line = document.createElement('p');
        if (id !== null) line.dataset.id = id;
        if (role) {
            const badge = document.createElement('strong');
            badge.className = 'badge';
            badge.textContent = text(role);
            line.append(badge, document.createTextNode(' '));
        }
        if (name && !(role && name === text(role))) {
            const who = document.createElement('b');
            who.textContent = name;
            who.className = `color-${color(name)}`;
            // For users who copy the message or have it read aloud.
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
            // While an input method is composing, its keys are not for the page. Safari names them only by this code.
            if (event.isComposing || event.keyCode === 229) return;
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
        const now = performance.now();
        if (now < this.nextAt) {
            return this.#hint('slowWait', { seconds: Math.ceil((this.nextAt - now) / 1_000) });
        }
        if (!this.#takeTurn()) return this.#hint('slower');
        this.number += 1;
        this.socket.send(JSON.stringify({ name: this.name, text: words, number: this.number }));
        this.sent.set(this.number, words);
        this.nextAt = this.slow > 0 ? now + this.slow * 1_000 : 0;
        say.value = '';
        this.#putBackUnanswered();
        this.#draw();
    }

    // Returns true if another message may be sent now.
    #takeTurn() {
        const now = performance.now();
        const earned = Math.floor((now - this.since) / PAUSE_MS);
        this.left = Math.min(BURST, this.left + earned);
        this.since = this.left === BURST ? now : this.since + earned * PAUSE_MS;
        if (this.left === 0) return false;
        this.left -= 1;
        return true;
    }

    #hint(name, values) {
        clearTimeout(this.timer);
        byId('chat-hint').textContent = name ? text(name, values) : '';
        byId('chat-hint').hidden = !name;
        if (name === 'slower' || name === 'slowWait') {
            this.timer = setTimeout(() => this.#draw(), 2 * PAUSE_MS);
        }
    }

    #draw() {
        byId('say').placeholder = text('say');
        byId('name').placeholder = text('name');
        byId('say').disabled = byId('send-button').disabled = !this.isOpen;
        if (!this.isOpen && this.isRefused) return this.#hint('chatRefused');
        if (!this.isOpen) return this.#hint(this.isLive ? 'chatConnecting' : 'chatClosed');
        this.#hint(this.slow > 0 ? 'slowMode' : null, { seconds: this.slow });
    }
}

// Returns the color of a name, which is the same everywhere.
function color(name) {
    let sum = 0;
    for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 65_521;
    return sum % COLORS;
}
