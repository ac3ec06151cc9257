//! The texts of the window (keys of `assets/i18n/<language>/onair.ftl`), and the formats of
//! figures.

#[cfg(test)]
mod chinese_tests;
pub mod format;

pub use crate::text::{Language, Texts, sentence};

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeSet;

    use super::*;

    fn source(language: Language) -> String {
        let root = env!("CARGO_MANIFEST_DIR");
        std::fs::read_to_string(format!("{root}/assets/i18n/{}/onair.ftl", language.tag())).unwrap()
    }

    /// Returns the keys, each with the names of its placeables.
    fn keys(language: Language) -> Vec<(String, BTreeSet<String>)> {
        let source = source(language);
        let mut keys: Vec<(String, BTreeSet<String>)> = Vec::new();
        for line in source.lines() {
            if let Some((key, _)) = line.split_once(" =")
                && !line.starts_with([' ', '#'])
            {
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

    /// Returns the contents of all files of a language.
    fn whole(language: Language) -> String {
        let folder = format!("{}/assets/i18n/{}", env!("CARGO_MANIFEST_DIR"), language.tag());
        let files = std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|it| it == "ftl"));
        files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// Returns every key of a language, including those of the studio, and whether its text has
    /// placeables.
    fn every_key(language: Language) -> Vec<(String, bool)> {
        let mut keys: Vec<(String, bool)> = Vec::new();
        for line in whole(language).lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, _)) = line.split_once(" =").filter(|_| !line.starts_with(' ')) {
                keys.push((key.to_owned(), false));
            }
            if let (Some(last), true) = (keys.last_mut(), line.contains('$')) {
                last.1 = true;
            }
        }
        keys
    }

    /// Returns true if there is a space between two Chinese characters.
    fn is_torn(text: &str) -> bool {
        let chars: Vec<char> = text.chars().collect();
        let chinese = |one: char| ('\u{4E00}'..='\u{9FFF}').contains(&one);
        chars.windows(3).any(|it| it[1] == ' ' && chinese(it[0]) && chinese(it[2]))
    }

    #[test]
    fn there_is_no_space_between_chinese_words_and_a_chinese_name() {
        let texts = Texts::new(Language::Chinese);
        let words = whole(Language::Chinese);
        let names: BTreeSet<&str> =
            words.split("{ $").skip(1).filter_map(|it| it.split([' ', '}']).next()).collect();
        let with = |key: &str, value: &'static str| {
            let args: Vec<(&str, Cow<'_, str>)> =
                names.iter().map(|name| (*name, value.into())).collect();
            texts.with(key, &args)
        };
        let (mut taking, mut spaced) = (0, 0);
        for (key, takes) in every_key(Language::Chinese) {
            let text = with(&key, "桌上的话筒");
            assert!(!is_torn(&text), "{key}: {text}");
            assert!(!text.contains(['\u{2068}', '\u{2069}']), "{key}: {text}");
            taking += u32::from(takes && text.contains("桌上的话筒"));
            // A Latin name keeps the spaces around it.
            spaced += u32::from(with(&key, "Yeti").contains(" Yeti "));
        }
        assert!(taking > 150 && spaced > 20, "{taking} {spaced}");
        let lost = |device| texts.with("microphone-lost", &[("device", device)]);
        assert_eq!(lost("话筒".into()), "麦克风话筒已断开。");
        assert_eq!(lost("Yeti".into()), "麦克风 Yeti 已断开。");
        assert_eq!(lost("我 的".into()), "麦克风我 的已断开。");
        let english = Texts::new(Language::English);
        assert_eq!(english.with("mute-of", &[("name", "话筒".into())]), "Mute 话筒");
    }

    #[test]
    fn values_and_plurals_are_put_in() {
        let texts = Texts::new(Language::English);
        assert_eq!(texts.counted("viewers", 1), "1 viewer");
        assert_eq!(texts.counted("viewers", 2), "2 viewers");
        assert_eq!(Texts::new(Language::Chinese).counted("viewers", 2), "2 位观众");
    }
}
