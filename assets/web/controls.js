// The controls over the video: buttons, the settings menu and keys. All of them hide after a while.

import { NAMES } from '/assets/playback.js';
import { store, stored } from '/assets/preferences.js';
import { LANGUAGES, language, onLanguage, setLanguage, text } from '/assets/texts.js';

// Controls hide this long after the last movement.
const HIDE_MS = 3_000;
const VOLUME_STEP = 0.1;
// While nothing plays or connects, there is nothing to pause.
const IDLE = ['waiting', 'failed', 'refused', 'limited', 'unreachable'];

const byId = id => document.getElementById(id);

export class Controls {
    constructor({ video, playback, danmaku }) {
        this.video = video;
        this.danmaku = danmaku;
        this.playback = playback;
        this.stage = byId('stage');
        this.menu = byId('menu');
        this.hideTimer = null;
        this.#restoreVolume();
        this.#buttons();
        this.#menus();
        this.#keys();
        this.#hiding();
        onLanguage(() => this.draw());
    }

    // Updates the buttons, so that they show their next action.
    draw() {
        const { renditions, video } = this.playback.state ?? {};
        const offered = JSON.stringify([renditions, video?.width, video?.height, this.playback.quality]);
        if (this.offered !== offered) {
            this.offered = offered;
            byId('quality-menu').hidden = !renditions?.length;
            this.drawQuality();
        }
        const { paused } = this.playback;
        if (this.playback.status !== 'playing' && this.stage.classList.contains('quiet')) this.#show();
        const isSilent = this.video.muted || this.video.volume === 0;
        const isFull = Boolean(document.fullscreenElement);
        face('play', paused ? 'play' : 'pause', text(paused ? 'play' : 'pause'));
        face('mute', isSilent ? 'muted' : 'volume', text(isSilent ? 'unmute' : 'mute'));
        face('fullscreen', isFull ? 'minimize' : 'maximize', text(isFull ? 'leaveFullscreen' : 'fullscreen'));
        face('pip', 'pip', text('pip'));
        face('danmaku-toggle', 'danmaku', text(this.danmaku.isOn ? 'danmakuOn' : 'danmakuOff'));
        byId('danmaku-toggle').setAttribute('aria-pressed', String(this.danmaku.isOn));
        const volume = isSilent ? 0 : Math.round(this.video.volume * 100);
        byId('volume').value = volume;
        byId('volume').style.setProperty('--level', `${volume}%`);
        // Buttons without an effect.
        const isIdle = IDLE.includes(this.playback.status);
        byId('play').disabled = isIdle;
        byId('pip').disabled = (isIdle || this.video.videoWidth === 0) && !document.pictureInPictureElement;
        byId('sound').hidden = !this.playback.blocked;
        byId('pip').hidden = !document.pictureInPictureEnabled;
    }

    togglePlay() {
        if (this.playback.paused) {
            this.playback.play();
        } else {
            this.playback.pause();
        }
        this.draw();
    }

    toggleMute() {
        this.playback.blocked = false;
        if (this.video.muted || this.video.volume === 0) {
            this.video.muted = false;
            if (this.video.volume === 0) this.video.volume = 1;
        } else {
            this.video.muted = true;
        }
    }

    setVolume(volume) {
        this.playback.blocked = false;
        this.video.volume = Math.min(1, Math.max(0, volume));
        this.video.muted = this.video.volume === 0;
    }

    toggleFullscreen() {
        if (document.fullscreenElement) {
            document.exitFullscreen();
        } else if (this.stage.requestFullscreen) {
            this.stage.requestFullscreen().catch(() => {});
        } else {
            // iPhones show only the video.
            this.video.webkitEnterFullscreen?.();
        }
    }

    toggleDanmaku() {
        this.danmaku.toggle();
        this.draw();
    }

    async togglePip() {
        if (document.pictureInPictureElement) {
            await document.exitPictureInPicture();
        } else if (document.pictureInPictureEnabled && this.video.readyState > 0) {
            await this.video.requestPictureInPicture().catch(() => {});
        }
    }

    showMenu(show) {
        this.menu.hidden = !show;
        for (const id of ['settings', 'chip']) byId(id).setAttribute('aria-expanded', String(show));
        if (show) {
            // A group without a choice is hidden.
            const shown = [...this.menu.querySelectorAll('input:checked')].find((it) => it.offsetParent);
            shown?.focus();
        } else if (this.menu.contains(document.activeElement)) {
            byId('settings').focus();
        }
    }

    #restoreVolume() {
        const volume = Number(stored('volume') ?? 1);
        this.video.volume = volume >= 0 && volume <= 1 ? volume : 1;
        this.video.muted = stored('muted') === 'true';
        this.video.addEventListener('volumechange', () => {
            // If the browser allows no audio, the viewer has not chosen to mute it.
            if (!this.playback.blocked) {
                store('volume', this.video.volume);
                store('muted', this.video.muted);
            }
            this.draw();
        });
    }

    #buttons() {
        byId('play').onclick = () => this.togglePlay();
        byId('mute').onclick = () => this.toggleMute();
        byId('sound').onclick = () => this.toggleMute();
        byId('danmaku-toggle').onclick = () => this.toggleDanmaku();
        byId('pip').onclick = () => this.togglePip();
        byId('fullscreen').onclick = () => this.toggleFullscreen();
        byId('retry').onclick = () => this.playback.restart();
        byId('volume').oninput = event => this.setVolume(event.target.value / 100);
        byId('settings').onclick = byId('chip').onclick = () => this.showMenu(this.menu.hidden);
        document.addEventListener('fullscreenchange', () => this.draw());
        this.video.ondblclick = () => this.toggleFullscreen();
    }

    #menus() {
        this.drawQuality = choices('quality-menu', 'quality', () => {
            const { renditions, video } = this.playback.state ?? {};
            const height = Math.min(video?.width ?? Infinity, video?.height ?? Infinity);
            const source = Number.isFinite(height) ? text('source', { height }) : text('sourceOnly');
            const all = (renditions ?? []).map(name => [name, name === 'audio' ? text('audioOnly') : name]);
            return [['', text('automatic')], ['main', source], ...all];
        }, () => this.playback.quality ?? '', value => {
            this.playback.choose(value || null);
            // The choice may be refused at once.
            this.drawQuality();
        });
        choices('protocol-menu', 'protocol', () => {
            const offered = Object.entries(NAMES);
            return [['', text('automatic')], ...offered];
        }, () => this.playback.preferred ?? '', value => this.playback.prefer(value || null));
        choices('theme-menu', 'theme', () => [
            ['', text('system')], ['dark', text('dark')], ['light', text('light')],
        ], () => document.documentElement.dataset.theme ?? '', value => {
            if (value) {
                document.documentElement.dataset.theme = value;
            } else {
                delete document.documentElement.dataset.theme;
            }
            store('theme', value || null);
        });
        choices('language-menu', 'language', () => LANGUAGES, language, setLanguage);
        document.addEventListener('pointerdown', event => {
            const isInside = event.target.closest('#menu, #settings, #chip');
            if (!this.menu.hidden && !isInside) this.showMenu(false);
        });
    }

    #keys() {
        document.addEventListener('keydown', event => {
            if (event.key === 'Escape' && !this.menu.hidden) {
                this.showMenu(false);
                event.preventDefault();
                return;
            }
            const target = event.target;
            const isTyping = target.closest('input:not([type=range]):not([type=radio]), textarea, dialog');
            if (isTyping || event.ctrlKey || event.altKey || event.metaKey) return;
            if (this.#act(event.key.toLowerCase(), target)) {
                event.preventDefault();
                this.#show();
            }
        });
    }

    // Handles a key. Returns true if the key has an effect here.
    #act(key, target) {
        // The arrow keys also scroll the messages.
        const isFree = !target.closest('button, input, a, .lines');
        switch (key) {
            case 'k': this.togglePlay(); return true;
            case ' ': if (isFree) this.togglePlay(); return isFree;
            case 'm': this.toggleMute(); return true;
            case 'f': this.toggleFullscreen(); return true;
            case 'd': this.toggleDanmaku(); return true;
            case 'i': this.togglePip(); return true;
            case 'arrowup': if (isFree) this.setVolume(this.video.volume + VOLUME_STEP); return isFree;
            case 'arrowdown': if (isFree) this.setVolume(this.video.volume - VOLUME_STEP); return isFree;
            default: return false;
        }
    }

    #hiding() {
        for (const kind of ['pointermove', 'pointerdown', 'focusin']) {
            this.stage.addEventListener(kind, () => this.#show());
        }
        this.stage.addEventListener('pointerleave', event => {
            if (event.pointerType === 'mouse') this.#hide();
        });
        this.#show();
    }

    #show() {
        this.stage.classList.remove('quiet');
        clearTimeout(this.hideTimer);
        this.hideTimer = setTimeout(() => this.#hide(), HIDE_MS);
    }

    // The controls stay visible while they have the keyboard focus, and while nothing plays.
    #hide() {
        clearTimeout(this.hideTimer);
        const isUsed = !this.menu.hidden || this.stage.querySelector('.controls :focus-visible') !== null;
        if (!isUsed && this.playback.status === 'playing') {
            this.stage.classList.add('quiet');
        } else {
            // Playback can begin, and the focus can leave, without a movement.
            this.hideTimer = setTimeout(() => this.#hide(), HIDE_MS);
        }
    }
}

// Sets the icon and the name of a button.
function face(id, icon, label) {
    const button = byId(id);
    button.querySelector('use').setAttribute('href', `#i-${icon}`);
    button.setAttribute('aria-label', label);
    button.title = label;
}

// A group of radio buttons in the settings menu.
function choices(id, name, options, chosen, choose) {
    const group = byId(id);
    const draw = () => {
        const had = group.contains(document.activeElement);
        group.querySelectorAll('label').forEach(label => label.remove());
        for (const [value, words] of options()) {
            const label = document.createElement('label');
            const input = document.createElement('input');
            Object.assign(input, { type: 'radio', name, value, checked: value === chosen() });
            input.onchange = () => choose(value);
            label.append(input, words);
            group.append(label);
        }
        if (had) group.querySelector('input:checked')?.focus();
    };
    onLanguage(draw);
    return draw;
}
