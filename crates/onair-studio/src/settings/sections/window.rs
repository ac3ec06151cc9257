//! The window's options in the settings file, `[window]`, and the control of the window by other
//! programs and by rules, `[remote]` and `[[rules]]`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::media::Size;
use crate::mix::MeterFall;
use crate::studio::live::recording::RecordingChoices;
use crate::studio::mixer::push_to_talk::PushToTalkKey;
use crate::studio::settings::default_recording_folder;
use crate::studio::settings::hotkeys::Hotkeys;
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::values::{self, form, within};
use crate::studio::settings::sections::panels::Panels;
use crate::studio::settings::sections::projectors::Projectors;
use crate::text;
use crate::text::problem::problem;

/// The language of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// The language of the system.
    #[default]
    #[serde(rename = "system")]
    System,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "zh-CN")]
    Chinese,
}

impl Language {
    /// Returns the language that is actually used on this system.
    pub fn spoken(self) -> text::Language {
        match self {
            Self::System => text::Language::of_system(),
            Self::English => text::Language::English,
            Self::Chinese => text::Language::Chinese,
        }
    }
}

/// The colors of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    #[default]
    Dark,
    Light,
}

/// The preferences of the window, which include the recordings folder, the recording options, the
/// hotkeys and the panels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preferences {
    pub language: Language,
    pub theme: Theme,
    /// The scale in percent of the desktop's scale; `None` means that the size of the display
    /// determines it.
    #[serde(deserialize_with = "ui_scale", skip_serializing_if = "Option::is_none")]
    pub ui_scale: Option<u16>,
    /// The width and height of the window in points; `None` means the default.
    #[serde(deserialize_with = "window_size", skip_serializing_if = "Option::is_none")]
    pub size: Option<[u16; 2]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub maximized: bool,
    /// True to disable all animations.
    pub reduced_motion: bool,
    /// True to draw safe areas over the canvas.
    pub safe_areas: bool,
    /// The fall rate of level meters.
    #[serde(with = "MeterFallWord")]
    pub meter_fall: MeterFall,
    #[serde(with = "push_to_talk_key")]
    pub push_to_talk_key: PushToTalkKey,
    /// True if push-to-talk also works while another window has the keyboard focus.
    pub push_to_talk_everywhere: bool,
    /// The recordings folder. The default folder is not saved, because its path may be one that the
    /// settings file cannot contain.
    #[serde(deserialize_with = "recording_folder", skip_serializing_if = "is_default_folder")]
    pub recording_folder: PathBuf,
    /// The recording options, which are in a separate table.
    #[serde(skip)]
    pub recording: RecordingChoices,
    /// The hotkeys, which are in a separate table.
    #[serde(skip)]
    pub hotkeys: Box<Hotkeys>,
    /// The panel layouts, which are in a separate table.
    #[serde(skip)]
    pub panels: Box<Panels>,
    #[serde(skip)]
    pub projectors: Box<Projectors>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            language: Language::System,
            theme: Theme::Dark,
            ui_scale: None,
            size: None,
            maximized: false,
            reduced_motion: false,
            safe_areas: false,
            meter_fall: MeterFall::default(),
            push_to_talk_key: PushToTalkKey::default(),
            push_to_talk_everywhere: false,
            recording_folder: default_recording_folder(),
            recording: RecordingChoices::default(),
            hotkeys: Box::default(),
            panels: Box::default(),
            projectors: Box::default(),
        }
    }
}

impl Preferences {
    /// Returns the recordings folder, or `None` for the default one, which is not saved.
    pub fn saved_folder(&self) -> Option<&Path> {
        Some(self.recording_folder.as_path()).filter(|folder| !is_default_folder(folder))
    }
}

/// The range of the interface scale in percent.
pub const UI_SCALE_PERCENT_RANGE: std::ops::RangeInclusive<u16> = 75..=300;

within! {
    ui_scale: Option<u16> = UI_SCALE_PERCENT_RANGE, "%";
}

/// The smallest and largest width or height of the window.
const WINDOW_SIDE_RANGE: std::ops::RangeInclusive<u16> = 200..=16_000;

fn window_size<'de, D: Deserializer<'de>>(from: D) -> Result<Option<[u16; 2]>, D::Error> {
    let sides = <[u16; 2]>::deserialize(from)?;
    Ok(Some(sides.map(|side| side.clamp(*WINDOW_SIDE_RANGE.start(), *WINDOW_SIDE_RANGE.end()))))
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "MeterFall", rename_all = "lowercase")]
enum MeterFallWord {
    Fast,
    Medium,
    Slow,
}

form! {
    push_to_talk_key: PushToTalkKey;
    write key => key.name();
    read name: String::deserialize => {
        PushToTalkKey::named(&name).ok_or_else(|| problem!("value-talk-key"))
    };
}

fn recording_folder<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
    let folder = Some(String::deserialize(from)?).filter(|folder| !folder.is_empty());
    Ok(folder.map_or_else(default_recording_folder, PathBuf::from))
}

fn is_default_folder(folder: &Path) -> bool {
    folder == default_recording_folder()
}

/// Whether and where other programs can control onair.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RemoteChoices {
    /// True to accept clients of obs-websocket.
    pub obs_websocket: bool,
    #[serde(deserialize_with = "port")]
    pub port: u16,
    /// True if other computers can connect; otherwise, only programs on this computer.
    pub network: bool,
}

impl RemoteChoices {
    /// The port that clients of obs-websocket try first.
    pub const DEFAULT_PORT: u16 = 4455;
}

impl Default for RemoteChoices {
    fn default() -> Self {
        Self { obs_websocket: false, port: Self::DEFAULT_PORT, network: false }
    }
}

/// What the virtual camera shows.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VirtualCameraSource {
    #[default]
    Program,
    /// The preview scene of studio mode. Without studio mode, the camera shows the program.
    Preview,
}

/// The choices of the virtual camera.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VirtualCameraChoices {
    /// What the camera shows.
    pub source: VirtualCameraSource,
    /// The size of the frames; `None` for the size of the program.
    #[serde(with = "values::text_or_none", skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// True to exchange left and right.
    pub mirrored: bool,
}

within! {
    port: u16 = 1..=u16::MAX;
}

/// Maximum number of rules that are followed.
pub const MAX_RULES: usize = 64;
/// Maximum length of an event or a command in bytes.
pub const MAX_RULE_TEXT_BYTES: usize = 512;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The event, such as `scene:Break`.
    pub when: String,
    /// The command, such as `on mute:Microphone`.
    pub then: String,
    /// False while the rule is paused.
    pub enabled: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Self { when: String::new(), then: String::new(), enabled: true }
    }
}

impl Rule {
    /// Returns the rule as one line, as on the command line.
    pub fn line(&self) -> String {
        format!("{} => {}", self.when, self.then)
    }

    /// Reads a rule from one line.
    pub fn of_line(line: &str) -> Option<Self> {
        let (when, then) = line.split_once("=>")?;
        let (when, then) = (when.trim().to_owned(), then.trim().to_owned());
        (!when.is_empty() && !then.is_empty()).then_some(Self { when, then, enabled: true })
    }

    /// Returns true if the event and the command are within their limit.
    pub fn fits(&self) -> bool {
        [&self.when, &self.then].iter().all(|text| text.len() <= MAX_RULE_TEXT_BYTES)
    }
}

/// Returns the rules within their limits. Rules outside their limits are reported and dropped.
pub(in crate::settings) fn checked_rules(rules: Vec<Rule>, from: &mut Document<'_>) -> Vec<Rule> {
    if rules.len() > MAX_RULES {
        from.note("rules", &problem!("settings-the-rest", most = MAX_RULES));
    }
    let mut checked = Vec::new();
    for (index, rule) in rules.into_iter().take(MAX_RULES).enumerate() {
        if rule.fits() {
            checked.push(rule);
        } else {
            let why = problem!("settings-rule-too-long", most = MAX_RULE_TEXT_BYTES);
            from.note(&format!("rules.{index}"), &why);
        }
    }
    checked
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
            ui_scale: Some(150),
            size: Some([1_600, 900]),
            maximized: true,
            reduced_motion: true,
            safe_areas: true,
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
    fn the_default_recordings_folder_is_not_saved() {
        let keys = |preferences: &Preferences| toml::Table::try_from(preferences).unwrap();
        let default = Preferences::default();
        assert!(!keys(&default).contains_key("recording_folder"));
        assert_eq!(default.saved_folder(), None);
        let chosen = Preferences { recording_folder: "/v".into(), ..default };
        assert_eq!(keys(&chosen)["recording_folder"].as_str(), Some("/v"));
        assert_eq!(chosen.saved_folder(), Some(Path::new("/v")));
    }

    #[test]
    fn a_key_that_cannot_be_the_push_to_talk_key_is_reported_and_the_space_bar_is_used() {
        for text in
            ["push_to_talk_key = 'Escape'", "push_to_talk_key = 'mouse-1'", "push_to_talk_key = 8"]
        {
            let (settings, warnings) = Settings::parse(&format!("[window]\n{text}\n"));
            assert_eq!(settings.preferences.push_to_talk_key, PushToTalkKey::default());
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            assert!(warnings[0].to_string().contains("window.push_to_talk_key"), "{warnings:?}");
        }
    }

    #[test]
    fn bad_values_of_remote_control_become_the_default_which_is_off() {
        let (read, warnings) =
            Settings::parse("[remote]\nobs_websocket = \"yes\"\nport = 0\nnetwork = 1\n");
        assert_eq!((read.remote, warnings.len()), (RemoteChoices::default(), 3), "{warnings:?}");
        let (read, _) = Settings::parse("[remote]\nobs_websocket = true\nport = 4460\n");
        assert_eq!((read.remote.obs_websocket, read.remote.port), (true, 4460));
    }

    #[test]
    fn rules_outside_their_limits_are_left_out() {
        let rule = |when: &str| format!("[[rules]]\nwhen = \"{when}\"\nthen = \"record\"\n");
        let long = "x".repeat(MAX_RULE_TEXT_BYTES + 1);
        let (read, warnings) = Settings::parse(&(rule(&long) + &rule("scene:Break")));
        let events: Vec<_> = read.rules.iter().map(|rule| &*rule.when).collect();
        assert_eq!((events, warnings.len()), (vec!["scene:Break"], 1), "{warnings:?}");
        assert!(warnings[0].to_string().contains("rules"), "{warnings:?}");
        let (read, warnings) = Settings::parse(&rule("scene:Break").repeat(MAX_RULES + 1));
        assert_eq!((read.rules.len(), warnings.len()), (MAX_RULES, 1), "{warnings:?}");
    }

    #[test]
    fn a_rule_is_read_from_its_line() {
        let rule = Rule::of_line(" scene:Break=> on mute:Mic ").unwrap();
        assert_eq!((&*rule.when, &*rule.then, rule.enabled), ("scene:Break", "on mute:Mic", true));
        assert_eq!(Rule::of_line(&rule.line()), Some(rule));
        assert!(
            ["", "scene:A", "=> mute", "scene:A =>"].iter().all(|it| Rule::of_line(it).is_none())
        );
    }
}
