//! The languages of onair, and the selection of a language by the locale.

use std::sync::OnceLock;

/// The language that the command line requests.
static REQUESTED_LANGUAGE: OnceLock<Option<Language>> = OnceLock::new();

/// A language of the window, the command line and the log.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// Returns the tag of the language in settings files and folder names.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Returns the language of a tag or locale that a user entered: `zh`, `zh-Hans`, `zh_CN.UTF-8`,
    /// `en_US`.
    pub fn of_argument(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let primary = text.split(['-', '_', '.', '@']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().split('-').next() == Some(primary))
    }

    /// Returns the name of the language in the language itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// Returns the other language.
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// Returns the language of a POSIX locale (`zh_CN.UTF-8`) or a language tag (`zh-Hans`). All
    /// locales except Chinese ones give English.
    pub fn of_locale(locale: &str) -> Self {
        if locale.trim().to_ascii_lowercase().starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// Sets the language that [`Language::of_system`] returns; `None` means the language of the
    /// environment. Only the first call has an effect.
    pub fn choose(language: Option<Self>) {
        let _ = REQUESTED_LANGUAGE.set(language);
    }

    /// Returns the chosen language, or else the language of this process's environment.
    pub fn of_system() -> Self {
        if let Some(chosen) = REQUESTED_LANGUAGE.get().copied().flatten() {
            return chosen;
        }
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .map_or(Self::English, |locale| Self::of_locale(&locale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_locale() {
        for (locale, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("zh-Hans-CN", Language::Chinese),
            ("en_GB.UTF-8", Language::English),
            ("de_DE", Language::English),
            ("C", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_locale(locale), language, "{locale}");
        }
    }

    #[test]
    fn a_language_can_be_written_as_a_tag_or_a_locale() {
        for text in ["zh", "zh-CN", "ZH-cn", "zh-Hans", "zh_CN.UTF-8", "zh_CN@pinyin"] {
            assert_eq!(Language::of_argument(text), Some(Language::Chinese), "{text}");
        }
        for text in ["en", "en-GB", "en_US.UTF-8", "EN"] {
            assert_eq!(Language::of_argument(text), Some(Language::English), "{text}");
        }
        for text in ["", "de", "zho", "C", "english", "-CN"] {
            assert_eq!(Language::of_argument(text), None, "{text}");
        }
    }
}
