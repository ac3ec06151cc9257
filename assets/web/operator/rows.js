// Elements that follow a list. Each item keeps its elements, and therefore also the focus.

// Makes an element with attributes and children; texts become text, never markup.
export function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
}

export function icon(name) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('class', 'icon');
    svg.setAttribute('aria-hidden', 'true');
    const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
    use.setAttribute('href', `#i-${name}`);
    svg.append(use);
    return svg;
}

// Sets the tooltip and the accessible name of a button or link.
export function label(element, words) {
    if (element.getAttribute('aria-label') === words) return;
    element.setAttribute('aria-label', words);
    element.title = words;
}

// Sets a text only if it differs, so that screen readers do not repeat it and selections stay.
export function put(element, words) {
    if (element.textContent !== words) element.textContent = words;
}

export class Rows {
    // `create()` makes `{ element, update(item) }` for a new item.
    constructor(container, keyOf, create) {
        Object.assign(this, { container, keyOf, create });
        this.rows = new Map();
    }

    show(items) {
        const keys = new Set(items.map(item => String(this.keyOf(item))));
        let focusAt = null;
        for (const [key, row] of this.rows) {
            if (keys.has(key)) continue;
            const hasFocus = row.element.contains(document.activeElement);
            if (hasFocus) focusAt = [...this.container.children].indexOf(row.element);
            row.element.remove();
            row.end?.();
            this.rows.delete(key);
        }
        let before = null;
        for (const item of items) {
            const key = String(this.keyOf(item));
            let row = this.rows.get(key);
            if (!row) {
                row = this.create();
                this.rows.set(key, row);
            }
            const place = before ? before.nextElementSibling : this.container.firstElementChild;
            // A row that moves would lose the focus.
            if (place !== row.element) this.container.insertBefore(row.element, place);
            row.update(item);
            before = row.element;
        }
        if (focusAt !== null) this.#focus(focusAt);
    }

    // Moves the keyboard focus of a removed row to the row that took its place, and not to one of its buttons: the
    // same key would then change that row too.
    #focus(index) {
        const row = this.container.children[index] ?? this.container.lastElementChild;
        if (row) row.tabIndex = -1;
        (row ?? this.container.closest('main')).focus();
    }
}
