// The texts of the viewer page. Both languages have the same names (a test compares them).

import { store } from '/assets/preferences.js';

const TEXTS = {
    'en': {
        player: 'Player',
        controls: 'Controls',
        play: 'Play (K)',
        pause: 'Pause (K)',
        mute: 'Mute (M)',
        unmute: 'Unmute (M)',
        volume: 'Volume',
        live: 'LIVE',
        pip: 'Picture-in-picture (I)',
        settings: 'Settings',
        fullscreen: 'Full screen (F)',
        leaveFullscreen: 'Leave full screen (F)',
        danmakuOn: 'Danmaku: on (D)',
        danmakuOff: 'Danmaku: off (D)',
        chat: 'Chat',
        messages: 'Messages',
        say: 'Say something',
        name: 'Your name',
        sendLine: 'Send',
        chatClosed: 'The chat opens when the stream starts.',
        slower: 'Too many messages. Wait a moment.',
        notPassed: 'The server did not pass on your message. Wait a moment.',
        slowMode: 'Slow mode: one message every {seconds} s.',
        slowWait: 'Slow mode: wait {seconds} s.',
        muted: 'The streamer has muted you in this chat.',
        blockedWord: 'Your message has a word that is blocked here.',
        protocol: 'Protocol',
        theme: 'Theme',
        language: 'Language',
        automatic: 'Automatic',
        system: 'System',
        dark: 'Dark',
        light: 'Light',
        share: 'Share',
        copied: 'Link copied',
        phone: 'On your phone',
        codeOf: 'QR code of this page’s address',
        scan: 'Scan the code with the camera of your phone.',
        onlyHere: 'This address works on this computer only. Open the page by the network address of the server, then scan the code.',
        close: 'Close',
        retry: 'Try again',
        sound: 'Turn on sound',
        waiting: 'Waiting for the stream',
        waitingDetail: 'Playback starts when the stream starts.',
        connecting: 'Connecting',
        unreachable: 'The server does not answer',
        unreachableDetail: 'The page tries again every few seconds.',
        refused: 'This link does not open the stream',
        refusedDetail: 'Its key or token is missing, wrong or expired. Ask the streamer for a new link.',
        failed: 'This stream does not play here',
        failedDetail: 'No protocol of the server works in this browser.',
        bFrames: 'This stream has B-frames. Browsers do not play them over WebRTC, so this page uses {protocol}.',
        codec: 'This browser does not play {codec} over WebRTC, so this page uses {protocol}.',
        noFrames: '{from} showed no video, so this page uses {protocol}.',
        noAnswer: '{from} did not connect, so this page uses {protocol}.',
        full: '{from} has no room for more viewers, so this page uses {protocol}.',
        started: 'just started',
        minutes: 'live for {count} min',
        hours: 'live for {hours} h {minutes} min',
        watching: '{count} watching',
        notLive: 'not live',
        delay: '{seconds} s',
        delayLabel: 'Delay between the server and this screen: {seconds} s, over {protocol}. Opens the settings.',
        protocolLabel: 'Protocol: {protocol}. Opens the settings.',
    },
    'zh-CN': {
        player: '播放器',
        controls: '控制栏',
        play: '播放（K）',
        pause: '暂停（K）',
        mute: '静音（M）',
        unmute: '取消静音（M）',
        volume: '音量',
        live: '直播',
        pip: '画中画（I）',
        settings: '设置',
        fullscreen: '全屏（F）',
        leaveFullscreen: '退出全屏（F）',
        danmakuOn: '弹幕：开（D）',
        danmakuOff: '弹幕：关（D）',
        chat: '聊天',
        messages: '消息',
        say: '说点什么',
        name: '你的昵称',
        sendLine: '发送',
        chatClosed: '开播后才能聊天。',
        slower: '发得太快了，请稍等。',
        notPassed: '服务器没有转发你的消息，请稍等。',
        slowMode: '慢速模式：每 {seconds} 秒一条消息。',
        slowWait: '慢速模式：请等 {seconds} 秒。',
        muted: '主播已将你禁言。',
        blockedWord: '消息里有被屏蔽的词。',
        protocol: '协议',
        theme: '主题',
        language: '语言',
        automatic: '自动',
        system: '跟随系统',
        dark: '深色',
        light: '浅色',
        share: '分享',
        copied: '链接已复制',
        phone: '手机观看',
        codeOf: '本页地址的二维码',
        scan: '用手机相机扫描二维码。',
        onlyHere: '这个地址只能在本机使用。请先用服务器的网络地址打开本页，再扫描二维码。',
        close: '关闭',
        retry: '重试',
        sound: '打开声音',
        waiting: '等待开播',
        waitingDetail: '开播后会自动播放。',
        connecting: '正在连接',
        unreachable: '服务器没有响应',
        unreachableDetail: '页面每隔几秒会重试一次。',
        refused: '这个链接打不开直播',
        refusedDetail: '链接里的密钥或令牌缺失、有误或已过期，请向主播索取新链接。',
        failed: '无法播放这路直播',
        failedDetail: '服务器提供的协议在这个浏览器里都不能用。',
        bFrames: '这路直播含有 B 帧，浏览器无法通过 WebRTC 播放，已改用 {protocol}。',
        codec: '这个浏览器无法通过 WebRTC 播放 {codec}，已改用 {protocol}。',
        noFrames: '{from} 没有画面，已改用 {protocol}。',
        noAnswer: '{from} 连接不上，已改用 {protocol}。',
        full: '{from} 观众已满，已改用 {protocol}。',
        started: '刚刚开播',
        minutes: '已直播 {count} 分钟',
        hours: '已直播 {hours} 小时 {minutes} 分钟',
        watching: '{count} 人在看',
        notLive: '未开播',
        delay: '{seconds} 秒',
        delayLabel: '从服务器到屏幕的延迟：{seconds} 秒，协议 {protocol}。点按打开设置。',
        protocolLabel: '协议：{protocol}。点按打开设置。',
    },
};

export const LANGUAGES = [['en', 'English'], ['zh-CN', '中文']];
const listeners = [];

export function language() {
    return document.documentElement.lang;
}

// A text, with the values of its names in braces.
export function text(name, values = {}) {
    const found = TEXTS[language()]?.[name] ?? TEXTS.en[name];
    return found.replace(/\{(\w+)\}/g, (_, value) => values[value] ?? '');
}

// Calls this at once, and whenever another language is chosen.
export function onLanguage(listener) {
    listeners.push(listener);
    listener();
}

export function setLanguage(tag) {
    document.documentElement.lang = tag;
    store('language', tag);
    listeners.forEach(listener => listener());
}

// Fills in everything of the page that has a text.
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
