//! The words of the window in English and Chinese: Fluent files under `assets/i18n`, looked up by
//! key, switched while running. Texts without values are formatted once and kept. What the studio
//! says (`notice-…`) stands in the Chinese file only: its English words come with the notice.

pub mod causes;
pub mod format;
pub(in crate::ui) mod spacing;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use i18n_embed::LanguageLoader as _;
use i18n_embed::fluent::FluentLanguageLoader;
use i18n_embed::unic_langid::LanguageIdentifier;
use rust_embed::RustEmbed;

use crate::ui::text::causes::Causes;
use crate::ui::text::spacing::closed_up;

#[derive(RustEmbed)]
#[folder = "assets/i18n"]
struct Files;

/// A language of the window.
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

    /// What the language calls itself.
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

    /// The language of this process's environment.
    pub fn of_system() -> Self {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .map_or(Self::English, |locale| Self::of_locale(&locale))
    }
}

/// The words in the chosen language; where one is missing, the English one.
pub struct Texts {
    language: Language,
    loader: FluentLanguageLoader,
    kept: RefCell<HashMap<&'static str, Arc<str>>>,
    causes: Causes,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Texts").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Texts {
    /// The words in `language`.
    pub fn new(language: Language) -> Self {
        let tag = |language: Language| language.tag().parse().unwrap_or_default();
        let english: LanguageIdentifier = tag(Language::English);
        let loader = FluentLanguageLoader::new("onair", english.clone());
        let chinese = tag(Language::Chinese);
        let wanted = match language {
            Language::English => vec![english],
            Language::Chinese => vec![chinese, english],
        };
        if let Err(error) = loader.load_languages(&Files, &wanted) {
            tracing::error!(%error, "the texts of the window cannot be read");
        }
        // Marks around values would be drawn as boxes by faces that lack them: where they tell which
        // spaces are too many, they are taken out again.
        loader.set_use_isolating(language == Language::Chinese);
        let said = Files::get(&format!("{}/causes.txt", language.tag()));
        let said = said.map(|file| String::from_utf8_lossy(&file.data).into_owned());
        let causes = said.map_or_else(Causes::default, |said| Causes::parse(&said));
        Self { language, loader, kept: RefCell::default(), causes }
    }

    /// The chosen language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The text of `key`.
    pub fn get(&self, key: &'static str) -> Arc<str> {
        if let Some(text) = self.kept.borrow().get(key) {
            return Arc::clone(text);
        }
        let text: Arc<str> = self.loader.get(key).into();
        self.kept.borrow_mut().insert(key, Arc::clone(&text));
        text
    }

    /// The text of `key` with values in it.
    pub fn with<'a>(&self, key: &str, args: &[(&'a str, Cow<'a, str>)]) -> String {
        let args: HashMap<&str, &str> =
            args.iter().map(|(name, value)| (*name, value.as_ref())).collect();
        self.composed(self.loader.get_args(key, args))
    }

    fn composed(&self, text: String) -> String {
        match self.language {
            Language::English => text,
            Language::Chinese => closed_up(&text),
        }
    }

    /// The text of `key` with one number in it, which chooses the plural.
    pub fn counted(&self, key: &str, count: usize) -> String {
        let args: HashMap<&str, i64> =
            HashMap::from([("count", i64::try_from(count).unwrap_or(i64::MAX))]);
        self.composed(self.loader.get_args(key, args))
    }

    /// What a part below the window says in English, in the chosen language where it has the words.
    pub fn said<'a>(&self, english: &'a str) -> Cow<'a, str> {
        self.causes.say(english)
    }

    /// Whether `key` has a text.
    pub fn has(&self, key: &str) -> bool {
        self.loader.has(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn source(language: Language) -> String {
        let file = Files::get(&format!("{}/onair.ftl", language.tag())).unwrap();
        String::from_utf8(file.data.into_owned()).unwrap()
    }

    /// Keys, each with the names of the values in it.
    fn keys(language: Language) -> Vec<(String, BTreeSet<String>)> {
        let source = source(language);
        let mut keys: Vec<(String, BTreeSet<String>)> = Vec::new();
        for line in source.lines() {
            if let Some((key, _)) = line.split_once(" =")
                && !line.starts_with([' ', '#'])
            {
                // The studio's own words are the English ones.
                if key.starts_with("notice-") {
                    break;
                }
                keys.push((key.to_owned(), BTreeSet::new()));
            }
            for part in line.split("{ $").skip(1) {
                let name = part.split([' ', '}']).next().unwrap().to_owned();
                keys.last_mut().unwrap().1.insert(name);
            }
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_values_once() {
        let (english, chinese) = (keys(Language::English), keys(Language::Chinese));
        let unique: BTreeSet<_> = english.iter().map(|(key, _)| key).collect();
        assert_eq!(unique.len(), english.len(), "a key occurs twice in English");
        let mut english_sorted = english.clone();
        english_sorted.sort();
        let mut chinese_sorted = chinese;
        chinese_sorted.sort();
        for (english, chinese) in english_sorted.iter().zip(&chinese_sorted) {
            assert_eq!(english, chinese);
        }
        assert_eq!(english_sorted.len(), chinese_sorted.len());
        assert!(english.len() > 150);
    }

    #[test]
    fn every_key_that_the_window_uses_exists() {
        let texts = Texts::new(Language::English);
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut folders = vec![root.join("ui"), root.join("app")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        let mut checked = 0;
        for file in files {
            let code = std::fs::read_to_string(&file).unwrap();
            let code = code.split("mod tests {").next().unwrap();
            for call in ["texts.get(\"", "texts.with(\"", "texts.counted(\"", "key!(\""] {
                for part in code.split(call).skip(1) {
                    let key = part.split('"').next().unwrap();
                    assert!(texts.has(key), "{key} in {}", file.display());
                    checked += 1;
                }
            }
        }
        assert!(checked > 100, "{checked}");
    }

    /// Every key of a language, what the studio says included, and whether values stand in its text.
    fn every_key(language: Language) -> Vec<(String, bool)> {
        let mut keys: Vec<(String, bool)> = Vec::new();
        for line in source(language).lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                keys.push((key.to_owned(), false));
            }
            if let (Some(last), true) = (keys.last_mut(), line.contains("{ $")) {
                last.1 = true;
            }
        }
        keys
    }

    /// Whether a space stands between two Chinese characters.
    fn is_torn(text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let chinese = |one: char| ('\u{4E00}'..='\u{9FFF}').contains(&one);
        chars.windows(3).any(|it| it[1] == ' ' && chinese(it[0]) && chinese(it[2]))
    }

    #[test]
    fn no_space_stands_between_chinese_words_and_a_chinese_name() {
        let texts = Texts::new(Language::Chinese);
        let words = source(Language::Chinese);
        let names: BTreeSet<&str> =
            words.split("{ $").skip(1).filter_map(|it| it.split([' ', '}']).next()).collect();
        let with = |key: &str, value: &'static str| {
            let args: Vec<(&str, Cow<'_, str>)> =
                names.iter().map(|name| (*name, value.into())).collect();
            texts.with(key, &args)
        };
        let (mut taking, mut spaced) = (0, 0);
        for (key, takes) in every_key(Language::Chinese) {
            let said = with(&key, "桌上的话筒");
            assert!(!is_torn(&said), "{key}: {said}");
            assert!(!said.contains(['\u{2068}', '\u{2069}']), "{key}: {said}");
            taking += u32::from(takes && said.contains("桌上的话筒"));
            // A Latin one is set off as before.
            spaced += u32::from(with(&key, "Yeti").contains(" Yeti "));
        }
        assert!(taking > 150 && spaced > 20, "{taking} {spaced}");
        let lost = |device| texts.with("notice-microphone-lost", &[("device", device)]);
        assert_eq!(lost("话筒".into()), "麦克风话筒已断开，正在发送静音。");
        assert_eq!(lost("Yeti".into()), "麦克风 Yeti 已断开，正在发送静音。");
        assert_eq!(lost("我 的".into()), "麦克风我 的已断开，正在发送静音。");
        let english = Texts::new(Language::English);
        assert_eq!(english.with("mute-of", &[("name", "话筒".into())]), "Mute 话筒");
    }

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
    fn values_and_plurals_are_put_in() {
        let texts = Texts::new(Language::English);
        assert_eq!(texts.counted("viewers", 1), "1 viewer");
        assert_eq!(texts.counted("viewers", 2), "2 viewers");
        assert_eq!(Texts::new(Language::Chinese).counted("viewers", 2), "2 位观众");
    }
}
