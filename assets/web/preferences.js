// What a viewer has chosen, kept in the browser. Without storage, choices last as long as the page.

const memory = new Map();

export function stored(name) {
    try {
        return localStorage.getItem(`onair.${name}`) ?? memory.get(name) ?? null;
    } catch {
        return memory.get(name) ?? null;
    }
}

// `null` forgets a choice.
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
