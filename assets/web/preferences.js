// The choices of a viewer, stored in the browser. Without storage, they are kept only as long as the page.

const memory = new Map();

export function stored(name) {
    try {
        return localStorage.getItem(`onair.${name}`) ?? memory.get(name) ?? null;
    } catch {
        return memory.get(name) ?? null;
    }
}

// Stores a choice; `null` forgets it.
export function store(name, value) {
    if (value === null) {
        memory.delete(name);
    } else {
        memory.set(name, String(value));
    }
    try {
        if (value === null) {
            localStorage.removeItem(`onair.${name}`);
        } else {
            localStorage.setItem(`onair.${name}`, String(value));
        }
    } catch {
        // Storage is off in this browser.
    }
}
