//! What is remembered from run to run: a versioned TOML file, read without ever failing (a bad
//! value falls back to its default with a warning) and written by atomic replace. Stream keys are
//! never part of it.

mod disk;
mod folders;
#[cfg(test)]
mod guide_tests;
pub mod import;
pub(in crate::studio) mod keys;
mod player_window;
mod reader;
pub mod scenes;
pub(in crate::studio) mod secret_addresses;
mod sections;
pub(crate) mod syntax;
mod token;
mod unknown_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audio::AudioChoice;
use crate::broadcast::delay::MAX_STREAM_DELAY;
use crate::capture::camera::control::WantedControls;
use crate::capture::{VideoChoice, sharing};
use crate::studio::mixer::AudioStrip;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::scenes::Collection;
use crate::studio::settings::disk::{put, read_bounded};
use crate::studio::settings::reader::{Reader, VERSION};
use crate::studio::targets::Target;
use crate::studio::targets::address::parse;
use crate::studio::targets::quality::Quality;
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::choices;
use crate::studio::watch::choices::{MAX_RECENT, PlayerChoices};
use crate::studio::watch::picture_view::PictureView;

pub use folders::{
    default_delay_folder, default_journal, default_path, default_recording_folder, keys_beside,
};
pub(in crate::studio) use sections::services::MAX_SERVICES;
pub use sections::services::{
    Own, OwnPart, read_own, read_services, services_beside, write_services,
};
pub use sections::window::{Language, Preferences, Theme};
pub use token::ServerToken;

/// Everything that is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `None`: nothing chosen yet, so a camera if there is one, else the test picture.
    pub video: Option<VideoChoice>,
    /// `None`: nothing chosen yet.
    pub audio: Option<AudioChoice>,
    /// What cameras are set to, by their ids.
    pub cameras: BTreeMap<String, WantedControls>,
    /// The scenes and their sources.
    pub collection: Collection,
    pub quality: Quality,
    /// Where the stream may go, the built-in server first; written without keys.
    pub targets: Vec<Target>,
    /// Viewers see the stream so much later.
    pub delay: Duration,
    /// The mixer's strips, the main one first; its source is `audio`.
    pub strips: Vec<AudioStrip>,
    /// Where the desk is heard.
    pub monitoring: Monitoring,
    pub volume: Option<f32>,
    pub player_muted: bool,
    /// The last stream watched.
    pub watch_url: String,
    /// How streams are played.
    pub player: PlayerChoices,
    /// How the chat beside it is shown.
    pub chat: ChatChoices,
    /// Streams to offer again, the newest first.
    pub recent: Vec<String>,
    /// What the tiles of the *Watch* page play, and how each is looked at.
    pub wall: Vec<(String, PictureView)>,
    /// Where clients of the built-in server are asked to go when it ends; empty: nowhere else.
    pub successor: String,
    pub preferences: Preferences,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            video: None,
            audio: None,
            cameras: BTreeMap::new(),
            collection: Collection::default(),
            quality: Quality::default(),
            targets: vec![Target::built_in()],
            delay: Duration::ZERO,
            strips: vec![AudioStrip::main()],
            monitoring: Monitoring::Off,
            volume: None,
            player_muted: false,
            watch_url: String::new(),
            player: PlayerChoices::default(),
            chat: ChatChoices::default(),
            recent: Vec::new(),
            wall: Vec::new(),
            successor: String::new(),
            preferences: Preferences::default(),
        }
    }
}

/// Why settings could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the settings to {path}: {cause}")]
pub struct WriteError {
    pub path: PathBuf,
    pub cause: io::Error,
}

/// The file as it is laid out. Everything is optional on reading.
#[derive(Debug, Default, Serialize)]
struct File {
    version: i64,
    video: Option<String>,
    audio: Option<String>,
    monitoring: String,
    delay_ms: u64,
    quality: sections::quality::Table,
    targets: Vec<sections::targets::Table>,
    strips: Vec<sections::strips::Table>,
    player: sections::player::Table,
    chat: sections::chat::Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerTable>,
    window: sections::window::Table,
    recording: sections::recording::Table,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    cameras: toml::Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<scenes::layout::Table>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct ServerTable {
    successor: String,
}

impl Settings {
    /// Reads the file; what is missing or bad becomes the default. The second value tells what was
    /// bad, in plain words; an absent file is not bad.
    pub fn read(path: &Path) -> (Self, Vec<String>) {
        let text = match read_bounded(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return (Self::default(), Vec::new());
            }
            Err(error) => {
                let why = syntax::unreadable(&error);
                let warning = format!("The settings in {} cannot be read: {why}", path.display());
                return (Self::default(), vec![warning]);
            }
        };
        Self::parse(&text)
    }

    /// Why nothing of a file can be read, for who does not go on without it.
    pub fn fault(path: &Path) -> Option<String> {
        match read_bounded(path) {
            Ok(text) => syntax::toml(&text).err(),
            Err(error) => Some(syntax::unreadable(&error)),
        }
    }

    /// Reads settings from text. Never fails: see [`Settings::read`].
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let table = match syntax::toml(text) {
            Ok(table) => table,
            Err(why) => {
                warnings.push(format!("None of the settings is used: {why}"));
                return (Self::default(), warnings);
            }
        };
        let mut reader = Reader { table: &table, warnings: &mut warnings };
        let settings = reader.settings();
        (settings, warnings)
    }

    /// Writes the file by atomic replace, creating its folder; one that is no settings stays beside it, its
    /// name ending in `.broken`. Nothing secret is in it, in no
    /// address either: the studio keeps those where it keeps stream keys.
    ///
    /// # Errors
    /// When the folder or file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        let (written, _) = self.concealed();
        let text = toml::to_string_pretty(&written.to_file()).map_err(io::Error::other);
        text.and_then(|text| {
            keep_broken(path)?;
            put(path, &text)
        })
        .map_err(|cause| WriteError { path: path.to_owned(), cause })
    }

    /// Where an address with something secret in it may stand.
    pub(in crate::studio) fn addresses(&mut self) -> secret_addresses::Places<'_> {
        secret_addresses::Places {
            video: &mut self.video,
            collection: &mut self.collection,
            audio: &mut self.audio,
            strips: &mut self.strips,
            targets: &mut self.targets,
        }
    }

    /// By which names it is kept what the desktop has allowed of screens and windows.
    pub(in crate::studio) fn permissions(&self) -> BTreeSet<String> {
        let own = self.collection.sources.iter().map(|source| &source.choice);
        let asked = self.video.iter().chain(own).filter(|choice| sharing::asks_desktop(choice));
        asked.filter_map(sharing::key).collect()
    }

    /// The settings as they are written, and what of them the keyring has to keep.
    pub(in crate::studio) fn concealed(&self) -> (Self, Vec<secret_addresses::KeptSecret>) {
        let mut written = self.clone();
        let kept = secret_addresses::conceal(written.addresses());
        (written, kept)
    }

    fn to_file(&self) -> File {
        File {
            version: VERSION,
            video: self.video.as_ref().map(ToString::to_string),
            audio: self.audio.as_ref().map(ToString::to_string),
            monitoring: sections::strips::monitoring_text(&self.monitoring),
            delay_ms: u64::try_from(self.delay.as_millis()).unwrap_or_default(),
            quality: sections::quality::table(&self.quality),
            targets: sections::targets::tables(&self.targets),
            strips: sections::strips::tables(&self.strips),
            player: sections::player::table(
                &self.player,
                &sections::player::Lists {
                    url: &self.watch_url,
                    recent: &self.recent,
                    wall: &self.wall,
                },
                self.volume,
                self.player_muted,
            ),
            chat: sections::chat::table(&self.chat),
            cameras: sections::cameras::table(&self.cameras),
            server: Some(self.successor.clone())
                .filter(|url| !url.is_empty())
                .map(|successor| ServerTable { successor }),
            window: sections::window::table(&self.preferences),
            recording: sections::recording::table(&self.preferences.recording),
            collection: scenes::layout::table(&self.collection),
        }
    }
}

/// Nothing of a file that somebody wrote by hand, with a quotation mark too few, came into these settings:
/// it must not be lost for that.
fn keep_broken(path: &Path) -> io::Result<()> {
    match read_bounded(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(text) if text.parse::<toml::Table>().is_ok() => return Ok(()),
        Ok(_) | Err(_) => {}
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".broken");
    std::fs::rename(path, beside)
}

/// Where clients of a server may be asked to go when it ends: the URL of an application, or nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check_successor(url: &str) -> Result<String, String> {
    let url = url.trim();
    if !url.is_empty() {
        parse(url, Some(&"stream".into()))?;
        if url.contains('@') {
            return Err("it must hold no user and password: every client is told".into());
        }
    }
    Ok(url.to_owned())
}

impl Reader<'_> {
    fn settings(&mut self) -> Settings {
        if let Some(version) = self.table.get("version").and_then(toml::Value::as_integer)
            && version > VERSION
        {
            self.warnings.push(format!(
                "The settings were written by a newer onair (version {version}); what is unknown here is left out"
            ));
        } else {
            let warnings = &mut *self.warnings;
            unknown_keys::settings(self.table, &mut |why| {
                warnings.push(format!("The settings: {why}"));
            });
        }
        Settings {
            video: self.parsed("video"),
            audio: self.parsed("audio"),
            cameras: self.cameras(),
            collection: self.collection(),
            strips: self.strips(),
            monitoring: sections::strips::monitoring(&self.text("monitoring").unwrap_or_default()),
            quality: sections::quality::read(self),
            targets: self.targets(),
            delay: Duration::from_millis(self.whole(
                "delay_ms",
                0,
                MAX_STREAM_DELAY.as_millis() as u64,
                0,
            )),
            watch_url: self.text("player.url").unwrap_or_default(),
            player: sections::player::read(self),
            chat: sections::chat::read(self),
            recent: self.addresses("player.recent", MAX_RECENT),
            wall: sections::player::wall(self),
            successor: self.successor(),
            volume: Some(self.number("player.volume", 0.0, 1.0, 1.0)),
            player_muted: self.flag("player.muted"),
            preferences: sections::window::read(self),
        }
    }

    fn successor(&mut self) -> String {
        let url = self.text("server.successor").unwrap_or_default();
        match check_successor(&url) {
            Ok(url) => url,
            Err(why) => {
                self.bad("server.successor", &why);
                String::new()
            }
        }
    }

    fn cameras(&mut self) -> BTreeMap<String, WantedControls> {
        let warnings = &mut *self.warnings;
        let mut bad = |why: String| warnings.push(format!("The settings: {why}"));
        sections::cameras::read(self.table.get("cameras"), &mut bad)
    }

    fn collection(&mut self) -> Collection {
        let Some(value) = self.table.get("collection") else { return Collection::default() };
        let warnings = &mut *self.warnings;
        scenes::collection::read(value, &mut |why| warnings.push(format!("The settings: {why}")))
    }

    /// A list of addresses, without those that may not have been written down.
    fn addresses(&mut self, path: &str, most: usize) -> Vec<String> {
        let addresses = self.list(path).into_iter();
        addresses.filter(|url| choices::may_be_kept(url)).take(most).collect()
    }

    fn strips(&mut self) -> Vec<AudioStrip> {
        let mut main = AudioStrip::main();
        main.strip.gain_db = self.number("gain_db", -60.0, 20.0, 0.0);
        main.strip.muted = self.flag("muted");
        let warnings = &mut *self.warnings;
        sections::strips::read_list(self.table.get("strips"), main, &mut |why| {
            warnings.push(format!("The settings: {why}"));
        })
    }

    fn targets(&mut self) -> Vec<Target> {
        let list = self.table.get("targets");
        if list.is_none() && self.table.contains_key("target") {
            // As version 1 wrote it.
            let (custom, server) =
                (self.flag("target.custom"), self.text("target.server").unwrap_or_default());
            let built_in = Target { enabled: !custom, ..Target::built_in() };
            if server.is_empty() {
                return vec![Target { enabled: true, ..built_in }];
            }
            let own = Target::custom(1, &server, Default::default());
            return vec![built_in, Target { enabled: custom, ..own }];
        }
        let warnings = &mut *self.warnings;
        sections::targets::read(list, &mut |why| warnings.push(format!("The settings: {why}")))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn settings_that_were_no_toml_are_not_lost_when_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let beside = folder.path().join("settings.toml.broken");
        for text in [&b"delay_ms = 1\n[[targets]]\nname = \"Mine\n"[..], b"\xFF\xFE a"] {
            std::fs::write(&path, text).unwrap();
            let (settings, warnings) = Settings::read(&path);
            assert_eq!((settings.delay, warnings.len()), (Duration::ZERO, 1), "{warnings:?}");
            settings.write(&path).unwrap();
            assert_eq!(std::fs::read(&beside).unwrap(), text);
            // What was written by us is replaced as ever.
            std::fs::remove_file(&beside).unwrap();
            settings.write(&path).unwrap();
            assert!(!beside.exists() && Settings::read(&path).1.is_empty());
        }
        assert!(Settings::parse("a = \n").1[0].contains("line 1, column 5: this is no value"));
    }
    use crate::media::BitsPerSecond;
    use crate::mix::Strip;
    use proptest::prelude::*;

    fn sample() -> Settings {
        Settings {
            video: Some(VideoChoice::Test),
            audio: Some(AudioChoice::Mic(Some("pulse:usb".into()))),
            targets: vec![
                Target { enabled: false, ..Target::built_in() },
                Target {
                    name: "Mine".into(),
                    service: "twitch".into(),
                    pin: Some(crate::net::CertificatePin::of(b"certificate")),
                    remember_key: true,
                    keep_as: "0123456789abcdef".into(),
                    least_bitrate: Some(BitsPerSecond(800_000)),
                    route: crate::studio::targets::Route {
                        ports: "443,1935".into(),
                        proxy: "socks5://127.0.0.1:1080".into(),
                        bind: "127.0.0.1".into(),
                    },
                    ..Target::custom(1, "rtmps://example.org/live", Default::default())
                },
                Target::custom(2, "", Default::default()),
            ],
            delay: Duration::from_millis(90_500),
            strips: vec![AudioStrip {
                strip: Strip { gain_db: -3.0, ..Strip::default() },
                ..AudioStrip::main()
            }],
            volume: Some(0.5),
            preferences: Preferences { theme: Theme::Light, ..Preferences::default() },
            ..Settings::default()
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("settings.toml");
        sample().write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(read, sample());
        // Written again over the old one.
        Settings { player_muted: true, ..sample() }.write(&path).unwrap();
        assert!(Settings::read(&path).0.player_muted);
    }

    #[test]
    fn the_one_target_of_version_1_is_taken_over() {
        let (settings, warnings) =
            Settings::parse("version = 1\n[target]\ncustom = true\nserver = 'rtmp://a/b'\n");
        assert_eq!(warnings, Vec::<String>::new());
        let shown = |target: &Target| (target.server().to_owned(), target.enabled);
        let list: Vec<_> = settings.targets.iter().map(shown).collect();
        assert_eq!(list, [(String::new(), false), ("rtmp://a/b".into(), true)]);
        let (settings, _) = Settings::parse("[target]\ncustom = true\nserver = ''\n");
        assert_eq!(settings.targets, [Target::built_in()]);
    }

    #[test]
    fn keys_are_never_written() {
        let mut settings = sample();
        settings.targets.push(Target::custom(
            3,
            "rtmp://h/app/planted_key?a=planted_key",
            "".into(),
        ));
        settings.targets.push(Target::custom(4, "rtmp://h/app", "planted_key".into()));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        settings.write(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("rtmp://h/app") && !text.contains("planted_key"), "{text}");
    }

    #[test]
    fn bad_values_fall_back_one_by_one() {
        let text = "version = 9\nvideo = 'webcam'\naudio = 'tone'\ngain_db = 99\nmuted = 'yes'\n\
                    [quality]\nsize = '1281x720'\nfps = '60'\nvideo_bitrate = -4\nsample_rate = 50000\n\
                    [window]\ntheme = 'pink'\nlanguage = 'zh-CN'\n";
        let (settings, warnings) = Settings::parse(text);
        assert_eq!(settings.video, None);
        assert_eq!(settings.audio, Some(AudioChoice::Tone));
        assert_eq!(settings.quality.frame_rate.num(), 60);
        assert_eq!(settings.quality.video_bitrate, Quality::default().video_bitrate);
        assert_eq!(settings.quality.sample_rate, 48_000);
        assert_eq!(settings.preferences.language, Language::Chinese);
        assert_eq!(warnings.len(), 8, "{warnings:#?}");
    }

    #[test]
    fn an_absent_file_is_no_fault_and_a_folder_is_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(&folder.path().join("none")).1.len(), 0);
        assert_eq!(Settings::read(folder.path()).1.len(), 1);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_valid_settings(text in "\\PC*|(video|audio|\\[quality\\]|size|fps| = |'|[0-9]|\n)*") {
            let (settings, _) = Settings::parse(&text);
            prop_assert!(settings.quality.size.is_valid());
        }
    }
}
