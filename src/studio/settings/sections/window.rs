//! The window, in the settings: `[window]`, and what is chosen in it.

use std::path::PathBuf;

use serde::Serialize;

use crate::mix::MeterFall;
use crate::studio::live::recording::RecordingChoices;
use crate::studio::mixer::push_to_talk::PushToTalkKey;
use crate::studio::settings::default_recording_folder;
use crate::studio::settings::reader::{Reader, word_of};
use crate::studio::settings::sections::recording;

/// The language of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// As the system is set.
    #[default]
    System,
    English,
    Chinese,
}

/// The colours of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Theme {
    #[default]
    Dark,
    Light,
}

/// How the window looks and where recordings go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferences {
    pub language: Language,
    pub theme: Theme,
    /// No animation at all.
    pub reduced_motion: bool,
    /// How fast the bars of level meters fall.
    pub meter_fall: MeterFall,
    pub push_to_talk_key: PushToTalkKey,
    /// The talk key is heard also while another window has the keyboard.
    pub push_to_talk_everywhere: bool,
    /// Where recordings are put.
    pub recording_folder: PathBuf,
    /// How they are made.
    pub recording: RecordingChoices,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::System,
            theme: Theme::Dark,
            reduced_motion: false,
            meter_fall: MeterFall::default(),
            push_to_talk_key: PushToTalkKey::default(),
            push_to_talk_everywhere: false,
            recording_folder: default_recording_folder(),
            recording: RecordingChoices::default(),
        }
    }
}

const LANGUAGES: [(&str, Language); 3] =
    [("system", Language::System), ("en", Language::English), ("zh-CN", Language::Chinese)];
const THEMES: [(&str, Theme); 2] = [("dark", Theme::Dark), ("light", Theme::Light)];
const FALLS: [(&str, MeterFall); 3] =
    [("fast", MeterFall::Fast), ("medium", MeterFall::Medium), ("slow", MeterFall::Slow)];

#[derive(Debug, Default, Serialize)]
pub(in crate::studio::settings) struct Table {
    language: &'static str,
    theme: &'static str,
    reduced_motion: bool,
    meter_fall: &'static str,
    push_to_talk_key: &'static str,
    push_to_talk_everywhere: bool,
    recording_folder: PathBuf,
}

pub(in crate::studio::settings) fn table(preferences: &Preferences) -> Table {
    Table {
        language: word_of(&LANGUAGES, &preferences.language).unwrap_or_default(),
        theme: word_of(&THEMES, &preferences.theme).unwrap_or_default(),
        reduced_motion: preferences.reduced_motion,
        meter_fall: word_of(&FALLS, &preferences.meter_fall).unwrap_or_default(),
        push_to_talk_key: preferences.push_to_talk_key.name(),
        push_to_talk_everywhere: preferences.push_to_talk_everywhere,
        recording_folder: preferences.recording_folder.clone(),
    }
}

/// What is read.
pub(in crate::studio::settings) fn read(reader: &mut Reader<'_>) -> Preferences {
    Preferences {
        language: reader.one_of("window.language", &LANGUAGES),
        theme: reader.one_of("window.theme", &THEMES),
        reduced_motion: reader.flag("window.reduced_motion"),
        meter_fall: reader.one_of("window.meter_fall", &FALLS),
        push_to_talk_key: push_to_talk_key(reader),
        push_to_talk_everywhere: reader.flag("window.push_to_talk_everywhere"),
        recording_folder: reader
            .text("window.recording_folder")
            .filter(|folder| !folder.is_empty())
            .map_or_else(default_recording_folder, PathBuf::from),
        recording: recording::read(reader),
    }
}

fn push_to_talk_key(reader: &mut Reader<'_>) -> PushToTalkKey {
    let Some(name) = reader.text("window.push_to_talk_key") else {
        return PushToTalkKey::default();
    };
    PushToTalkKey::named(&name).unwrap_or_else(|| {
        reader.bad("window.push_to_talk_key", "it names no key that can be the talk key");
        PushToTalkKey::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn every_choice_is_written_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let preferences = Preferences {
            language: Language::Chinese,
            theme: Theme::Light,
            reduced_motion: true,
            meter_fall: MeterFall::Slow,
            push_to_talk_key: PushToTalkKey::named("F8").unwrap(),
            push_to_talk_everywhere: true,
            recording_folder: folder.path().to_owned(),
            ..Preferences::default()
        };
        let settings = Settings { preferences: preferences.clone(), ..Settings::default() };
        settings.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(read.preferences, preferences);
    }

    #[test]
    fn a_key_that_cannot_be_the_talk_key_is_told_and_the_space_bar_is_it() {
        for text in
            ["push_to_talk_key = 'Escape'", "push_to_talk_key = 'mouse-1'", "push_to_talk_key = 8"]
        {
            let (settings, warnings) = Settings::parse(&format!("[window]\n{text}\n"));
            assert_eq!(settings.preferences.push_to_talk_key, PushToTalkKey::default());
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].contains("window.push_to_talk_key"), "{warnings:?}");
        }
    }
}
