//! The languages of onair, and the choice of one by locale.

use std::sync::OnceLock;

/// The language that the command line asks for.
static CHOSEN: OnceLock<Option<Language>> = OnceLock::new();

/// A language of the window, the command line and the log.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Chinese];

    /// As in settings files and folder names.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// The language of a tag.
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    /// The language of a tag or locale that a user wrote: `zh`, `zh-Hans`, `zh_CN.UTF-8`, `en_US`.
    pub fn of_argument(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let primary = text.split(['-', '_', '.', '@']).next()?;
        Self::ALL.into_iter().find(|language| language.tag().split('-').next() == Some(primary))
    }

    /// Name of the language in that language.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "中文",
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::English => Self::Chinese,
            Self::Chinese => Self::English,
        }
    }

    /// The language of a POSIX locale (`zh_CN.UTF-8`) or a language tag (`zh-Hans`); English for
    /// all that are not Chinese.
    pub fn of_locale(locale: &str) -> Self {
        if locale.trim().to_ascii_lowercase().starts_with("zh") {
            Self::Chinese
        } else {
            Self::English
        }
    }

    /// Takes this for the language of the system, if it is one. The first call counts.
    pub fn choose(language: Option<Self>) {
        let _ = CHOSEN.set(language);
    }

    /// The language that was chosen, else that of this process's environment.
    pub fn of_system() -> Self {
        if let Some(chosen) = CHOSEN.get().copied().flatten() {
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
        for language in Language::ALL {
            assert_eq!(Language::of_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::of_tag("de"), None);
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
