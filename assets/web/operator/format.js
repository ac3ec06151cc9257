// Formats numbers, times and sizes for display.

import { language } from '/assets/language.js';
import { text } from '/assets/operator/texts.js';

export function number(value, digits = 0) {
    return new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);
}

export function bitrate(bits) {
    if (bits >= 1e9) return `${number(bits / 1e9, 1)} Gbit/s`;
    if (bits >= 1e7) return `${number(bits / 1e6, 1)} Mbit/s`;
    return `${number(bits / 1e3)} kbps`;
}

export function bytes(count) {
    if (count >= 1e9) return `${number(count / 1e9, 1)} GB`;
    if (count >= 1e6) return `${number(count / 1e6, count < 1e7 ? 1 : 0)} MB`;
    return `${number(count / 1e3)} kB`;
}

// Formats a duration in its two largest units.
export function duration(seconds) {
    const whole = Math.floor(seconds);
    const [days, hours, minutes] = [Math.floor(whole / 86_400), Math.floor(whole / 3_600) % 24, Math.floor(whole / 60) % 60];
    if (days) return text('days', { days, hours });
    if (hours) return text('hours', { hours, minutes });
    if (minutes) return text('minutes', { minutes });
    return text('seconds', { seconds: whole });
}

// Formats a position as players show it.
export function length(seconds) {
    const whole = Math.round(seconds);
    const parts = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
    const [hours, ...rest] = parts;
    const clock = rest.map(part => String(part).padStart(2, '0'));
    return hours ? [hours, ...clock].join(':') : `${Number(clock[0])}:${clock[1]}`;
}

// With `hour12: false`, the hour after midnight would be 24 in English.
export function clock(seconds) {
    return new Date(seconds * 1_000).toLocaleTimeString(language(), { hourCycle: 'h23' });
}

export function date(seconds) {
    return new Date(seconds * 1_000).toLocaleString(language(), { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
}

export function dayOf(seconds) {
    return new Date(seconds * 1_000).toLocaleDateString(language(), { dateStyle: 'full' });
}

const PROTOCOLS = { 'rtmp': 'RTMP', 'http-flv': 'HTTP-FLV', 'ws-flv': 'WS-FLV', 'hls': 'HLS', 'dash': 'DASH', 'whep': 'WebRTC', 'whip': 'WebRTC (WHIP)', 'srt': 'SRT' };

export function protocol(name) {
    return PROTOCOLS[name] ?? name;
}
