// The dialogs of the page: the confirmation of a change, the token, and the settings.

import { LANGUAGES, language, onLanguage, setLanguage } from '/assets/language.js';
import { isOpen, setToken, token } from '/assets/operator/api.js';
import { text } from '/assets/operator/texts.js';
import { store } from '/assets/preferences.js';

const TOAST_MS = 6_000;

const byId = id => document.getElementById(id);

// Asks the operator for confirmation. The result is true if the operator agrees.
export function confirmed(title, words, yes) {
    const dialog = byId('question');
    byId('question-title').textContent = title;
    byId('question-text').textContent = words;
    byId('question-yes').textContent = yes;
    dialog.returnValue = 'no';
    dialog.showModal();
    return new Promise(done => {
        // The event of an earlier dialog can arrive late.
        dialog.onclose = () => dialog.open || done(dialog.returnValue === 'yes');
    });
}

let asking = null;

// Asks for the token. The result is true if the operator entered another one.
export function askToken(problem) {
    asking ??= new Promise(done => {
        const [dialog, input] = [byId('token'), byId('token-input')];
        const words = [text('tokenText'), isOpen() ? text('tokenOpen') : ''];
        byId('token-text').textContent = words.join(' ').trim();
        byId('token-problem').textContent = problem ?? '';
        byId('token-cancel').onclick = () => dialog.close('no');
        byId('token-form').onsubmit = () => setToken(input.value.trim() || null);
        dialog.returnValue = 'no';
        dialog.onclose = () => {
            if (dialog.open) return;
            input.value = '';
            asking = null;
            done(dialog.returnValue === 'yes' && token() !== null);
        };
        dialog.showModal();
        input.focus();
    });
    return asking;
}

// Shows a sentence at the bottom of the page for a while.
export function toast(words) {
    clearTimeout(toast.timer);
    byId('toast').textContent = words;
    byId('toast').hidden = false;
    toast.timer = setTimeout(() => {
        byId('toast').hidden = true;
    }, TOAST_MS);
}

// A group of radio buttons.
function choices(id, name, options, chosen, choose) {
    const group = byId(id);
    onLanguage(() => {
        const had = group.contains(document.activeElement);
        group.querySelectorAll('label').forEach(it => it.remove());
        for (const [value, words] of options()) {
            const item = document.createElement('label');
            const input = document.createElement('input');
            Object.assign(input, { type: 'radio', name, value, checked: value === chosen() });
            input.onchange = () => choose(value);
            item.append(input, words);
            group.append(item);
        }
        if (had) group.querySelector('input:checked')?.focus();
    });
}

export function settings() {
    const root = document.documentElement;
    choices('theme-options', 'theme', () => [
        ['', text('system')], ['dark', text('dark')], ['light', text('light')],
    ], () => root.dataset.theme ?? '', value => {
        if (value) root.dataset.theme = value;
        else delete root.dataset.theme;
        store('theme', value || null);
    });
    choices('language-options', 'language', () => LANGUAGES, language, setLanguage);
    byId('settings').onclick = () => {
        byId('forget').hidden = token() === null;
        byId('options').showModal();
    };
    byId('forget').onclick = () => {
        setToken(null);
        byId('options').close();
    };
}
