// The language of a page, and its texts.

import { store } from '/assets/preferences.js';

export const LANGUAGES = [['en', 'English'], ['zh-CN', '中文']];
const listeners = [];

export function language() {
    return document.documentElement.lang;
}

// Takes the texts of a page, by language and name, and fills in everything that has one. The result returns a text,
// with the values of its names in braces.
export function speak(texts) {
    const text = (name, values = {}) => {
        const found = texts[language()]?.[name] ?? texts.en[name];
        return found.replace(/\{(\w+)\}/g, (_, value) => values[value] ?? '');
    };
    onLanguage(() => {
        for (const element of document.querySelectorAll('[data-text]')) {
            element.textContent = text(element.dataset.text);
        }
        for (const element of document.querySelectorAll('[data-label]')) {
            element.setAttribute('aria-label', text(element.dataset.label));
            if (element.tagName === 'BUTTON') element.title = text(element.dataset.label);
        }
        for (const element of document.querySelectorAll('[data-alt]')) {
            element.alt = text(element.dataset.alt);
        }
    });
    return text;
}

// Calls the function at once, and whenever the user chooses another language.
export function onLanguage(listener) {
    listeners.push(listener);
    listener();
}

export function setLanguage(tag) {
    document.documentElement.lang = tag;
    store('language', tag);
    listeners.forEach(listener => listener());
}
