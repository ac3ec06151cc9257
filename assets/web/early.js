// Runs before the page is drawn, so that a chosen theme and language do not flash.
(() => {
    const stored = name => {
        try {
            return localStorage.getItem(`onair.${name}`);
        } catch {
            return null;
        }
    };
    const theme = stored('theme');
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
    const wanted = stored('language') ?? navigator.languages.find(tag => /^(en|zh)\b/i.test(tag)) ?? 'en';
    document.documentElement.lang = /^zh\b/i.test(wanted) ? 'zh-CN' : 'en';
})();
