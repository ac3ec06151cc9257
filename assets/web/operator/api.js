// Requests to the API of the server, with the token if there is one. The token is kept while the tab is open.

const TIMEOUT_MS = 8_000;
const KEY = 'onair.token';

let known = null;

export class Refused extends Error {
    constructor(status, words) {
        super(words);
        this.status = status;
    }
}

export function token() {
    try {
        known ??= sessionStorage.getItem(KEY);
    } catch {
        // Storage is off in this browser.
    }
    return known;
}

// Stores the token; `null` forgets it.
export function setToken(value) {
    known = value;
    try {
        if (value) sessionStorage.setItem(KEY, value);
        else sessionStorage.removeItem(KEY);
    } catch {
        // The token is then kept only as long as the page.
    }
}

// Returns true if somebody between this browser and the server could read the token.
export function isOpen() {
    return location.protocol === 'http:' && !/^(localhost|127\.[\d.]+|\[::1\])$/.test(location.hostname);
}

async function ask(path, options = {}) {
    const headers = token() ? { authorization: `Bearer ${token()}` } : {};
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(path, { cache: 'no-store', credentials: 'omit', headers, signal, ...options });
    if (answer.ok) return answer;
    let words = answer.statusText;
    try {
        words = (await answer.json()).error ?? words;
    } catch {
        // The response has no text, so the status is used.
    }
    throw new Refused(answer.status, words);
}

export async function get(path) {
    return (await ask(path)).json();
}

export async function getBlob(path) {
    return (await ask(path)).blob();
}

// Changes parts, and returns the whole.
export async function patch(path, changes) {
    return (await ask(path, { method: 'PATCH', body: JSON.stringify(changes) })).json();
}

export async function remove(path) {
    await ask(path, { method: 'DELETE' });
}

// Returns the path of a stream, in which the slashes of the application stay.
export function pathOf({ app, stream }) {
    return `${app.split('/').map(encodeURIComponent).join('/')}/${encodeURIComponent(stream)}`;
}
