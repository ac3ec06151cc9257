// What is wrong with the layout of the page: text that is cut, that lies outside the window or on other text, and text
// that differs too little from its background (WCAG 2.2, 1.4.3). A value for the test: a list of sentences.
(() => {
    const faults = [];
    const isShown = it => it.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const hasText = it => [...it.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    // Texts for screen readers, and what is in them, take no place.
    const isUnseen = it => it && (getComputedStyle(it).clipPath === 'inset(50%)' || isUnseen(it.parentElement));
    // Lines that fly over the video leave it at both sides. The link above the page appears with the focus. The name
    // of the computer may have any length.
    const isLaidOut = it => !it.closest('.danmaku, .sprite, .skip, #host, noscript') && !isUnseen(it);
    const all = [...document.querySelectorAll('body *')].filter(it => isLaidOut(it) && isShown(it));
    const texts = all.filter(hasText);
    const name = it => `${it.id || it.className || it.tagName} "${(it.innerText || it.value || '').slice(0, 30)}"`;
    if (document.documentElement.scrollWidth > innerWidth) faults.push('the page is wider than the window');

    // The place of the text itself.
    const place = it => {
        const range = document.createRange();
        range.selectNodeContents(it);
        const { left, right, top, bottom } = range.getBoundingClientRect();
        return { left, right, top, bottom };
    };
    const placed = texts.filter(it => !it.closest('.lines')).map(it => [it, place(it)]);
    // A page whose body grows with its contents scrolls.
    const end = Math.max(innerHeight, document.body.offsetHeight);
    for (const [it, { left, right, top, bottom }] of placed) {
        if (left < -1 || right > innerWidth + 1 || top < -1 || bottom > end + 1) {
            const scrolls = it.closest('.menu, dialog, nav');
            if (!scrolls) faults.push(`${name(it)} is outside the window`);
        }
        if (getComputedStyle(it).overflowX !== 'visible' && it.scrollWidth > it.clientWidth + 1) {
            faults.push(`${name(it)} is cut`);
        }
    }
    // The part of an element that its ancestors show.
    const isCut = (it, { left, right }) => {
        for (let up = it.parentElement; up; up = up.parentElement) {
            const limits = up.getBoundingClientRect();
            const scrolls = getComputedStyle(up).overflowX;
            if (scrolls === 'auto') return false;
            if (scrolls === 'hidden' && (left < limits.left - 1 || right > limits.right + 1)) return true;
        }
        return false;
    };
    for (const it of all.filter(it => it.matches('button, input, select, a'))) {
        if (isCut(it, it.getBoundingClientRect())) faults.push(`${name(it)} is cut by its surroundings`);
    }
    // What opens over the page may cover it.
    const layer = it => it.closest('dialog, .menu, .note, .sound');
    const controls = all.filter(it => it.matches('button, input'));
    // Each line of a text, because the box around several lines also covers what stands before the first one.
    const lines = it => {
        const range = document.createRange();
        range.selectNodeContents(it);
        return [...range.getClientRects()];
    };
    const solid = [
        ...placed.map(([it]) => [it, lines(it)]),
        ...controls.map(it => [it, [it.getBoundingClientRect()]]),
    ];
    const isOn = (a, b) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
    for (const [index, [one, some]] of solid.entries()) {
        for (const [other, others] of solid.slice(index + 1)) {
            if (one.contains(other) || other.contains(one) || layer(one) !== layer(other)) continue;
            if (some.some(a => others.some(b => isOn(a, b)))) faults.push(`${name(one)} lies on ${name(other)}`);
        }
    }

    const color = words => {
        const [red, green, blue, alpha = 1] = words.match(/[\d.]+/g).map(Number);
        return { channels: [red, green, blue], alpha };
    };
    const over = (front, back) =>
        front.channels.map((channel, index) => channel * front.alpha + back[index] * (1 - front.alpha));
    const luminance = channels => {
        const [red, green, blue] = channels.map(channel => {
            const part = channel / 255;
            return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const background = it => {
        if (!it) return [0, 0, 0];
        const own = color(getComputedStyle(it).backgroundColor);
        return own.alpha === 1 ? own.channels : over(own, background(it.parentElement));
    };
    for (const it of texts) {
        // Over the video, text has a dark gradient behind it.
        if (it.closest('.controls') || it.matches(':disabled') || it.closest(':disabled')) continue;
        const style = getComputedStyle(it);
        const behind = background(it);
        const front = over(color(style.color), behind);
        const [light, dark] = [luminance(front), luminance(behind)].sort((a, b) => b - a);
        const isLarge = parseFloat(style.fontSize) >= 24
            || parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700;
        const ratio = (light + 0.05) / (dark + 0.05);
        if (ratio < (isLarge ? 3 : 4.5)) faults.push(`${name(it)} has a contrast of ${ratio.toFixed(2)}`);
    }
    return faults;
})()
