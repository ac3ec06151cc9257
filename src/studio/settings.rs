//! What is remembered from run to run: a versioned TOML file, read without ever failing (a bad
//! value falls back to its default with a warning) and written by atomic replace. Stream keys are
//! never part of it (long because every setting stands here once, read and written).

mod cameras;
mod chat;
pub mod collection;
mod filters;
pub(in crate::studio) mod hidden;
mod layout;
mod obs;
mod obs_filters;
mod obs_sounds;
mod obs_transitions;
mod places;
mod player;
mod properties;
mod recording;
mod services;
mod strips;
mod targets;
mod words;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audio::AudioChoice;
use crate::broadcast::delay::LONGEST;
use crate::capture::VideoChoice;
use crate::capture::control::Wanted;
use crate::media::BitsPerSecond;
use crate::player::Prefer;
use crate::studio::RecordingChoices;
use crate::studio::chatting::{self, ChatChoices};
use crate::studio::extras::TrackNames;
use crate::studio::phones::Phones;
use crate::studio::playing::{self, MOST_RECENT, MOST_TILES, PlayerChoices};
use crate::studio::strips::{SoundStrip, clean_name};
use crate::studio::targets::parse;
use crate::studio::{Collection, Quality, Target};

pub use places::{
    default_delay_folder, default_journal, default_path, default_recording_folder, keys_beside,
};
pub(in crate::studio) use services::MOST as MOST_SERVICES;
pub use services::{Own, OwnPart, read_own, read_services, services_beside, write_services};

/// The version this program writes. Version 1 had one target.
pub const VERSION: i64 = 2;

/// A settings file larger than this is not one of ours.
const MAX_BYTES: u64 = 1 << 20;

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
            recording_folder: default_recording_folder(),
            recording: RecordingChoices::default(),
        }
    }
}

/// Everything that is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `None`: nothing chosen yet, so a camera if there is one, else the test picture.
    pub video: Option<VideoChoice>,
    /// `None`: nothing chosen yet.
    pub audio: Option<AudioChoice>,
    /// What cameras are set to, by their ids.
    pub cameras: BTreeMap<String, Wanted>,
    /// The scenes and their sources.
    pub collection: Collection,
    pub quality: Quality,
    /// Where the stream may go, the built-in server first; written without keys.
    pub targets: Vec<Target>,
    /// Viewers see the stream so much later.
    pub delay: Duration,
    /// The mixer's strips, the main one first; its source is `audio`.
    pub strips: Vec<SoundStrip>,
    /// Where the desk is heard.
    pub phones: Phones,
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
    /// What the tiles of the *Watch* page play.
    pub wall: Vec<String>,
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
            strips: vec![SoundStrip::main()],
            phones: Phones::Off,
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
    phones: String,
    delay_ms: u64,
    quality: QualityTable,
    targets: Vec<targets::Table>,
    strips: Vec<strips::Table>,
    player: player::Table,
    chat: chat::Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerTable>,
    window: WindowTable,
    recording: recording::Table,
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    cameras: toml::Table,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<layout::Table>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct QualityTable {
    size: String,
    fps: String,
    video_bitrate: u32,
    adapt: String,
    least_bitrate: u32,
    adapt_frames: bool,
    adapt_size: bool,
    keyframe_interval_ms: u64,
    audio_bitrate: u32,
    sample_rate: u32,
    channels: u16,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct ServerTable {
    successor: String,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct WindowTable {
    language: String,
    theme: String,
    reduced_motion: bool,
    recording_folder: PathBuf,
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
                let warning = format!("The settings in {} cannot be read: {error}", path.display());
                return (Self::default(), vec![warning]);
            }
        };
        Self::parse(&text)
    }

    /// Reads settings from text. Never fails: see [`Settings::read`].
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut warnings = Vec::new();
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                warnings.push(format!("The settings are not valid TOML: {}", error.message()));
                return (Self::default(), warnings);
            }
        };
        let mut reader = Reader { table: &table, warnings: &mut warnings };
        let settings = reader.settings();
        (settings, warnings)
    }

    /// Writes the file by atomic replace, creating its folder. Nothing secret is in it, in no
    /// address either: the studio keeps those where it keeps stream keys.
    ///
    /// # Errors
    /// When the folder or file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        let write = || -> io::Result<()> {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or_else(|| Path::new("."));
            fs::create_dir_all(folder)?;
            let (written, _) = self.concealed();
            let text = toml::to_string_pretty(&written.to_file()).map_err(io::Error::other)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            Ok(())
        };
        write().map_err(|cause| WriteError { path: path.to_owned(), cause })
    }

    /// Where an address with something secret in it may stand.
    pub(in crate::studio) fn addresses(&mut self) -> hidden::Places<'_> {
        hidden::Places {
            video: &mut self.video,
            collection: &mut self.collection,
            audio: &mut self.audio,
            strips: &mut self.strips,
            targets: &mut self.targets,
        }
    }

    /// The settings as they are written, and what of them the keyring has to keep.
    pub(in crate::studio) fn concealed(&self) -> (Self, Vec<hidden::Kept>) {
        let mut written = self.clone();
        let kept = hidden::conceal(written.addresses());
        (written, kept)
    }

    fn to_file(&self) -> File {
        let quality = &self.quality;
        File {
            version: VERSION,
            video: self.video.as_ref().map(ToString::to_string),
            audio: self.audio.as_ref().map(ToString::to_string),
            phones: strips::phones_text(&self.phones),
            delay_ms: u64::try_from(self.delay.as_millis()).unwrap_or_default(),
            quality: QualityTable {
                size: quality.size.to_string(),
                fps: if quality.frame_rate.den() == 1 {
                    quality.frame_rate.num().to_string()
                } else {
                    format!("{}/{}", quality.frame_rate.num(), quality.frame_rate.den())
                },
                video_bitrate: quality.video_bitrate.0,
                adapt: quality.adapt.name().to_owned(),
                least_bitrate: quality.least_bitrate.0,
                adapt_frames: quality.adapt_frames,
                adapt_size: quality.adapt_size,
                keyframe_interval_ms: u64::try_from(quality.keyframe_interval.as_millis())
                    .unwrap_or(2_000),
                audio_bitrate: quality.audio_bitrate.0,
                sample_rate: quality.sample_rate,
                channels: quality.channels,
            },
            targets: targets::tables(&self.targets),
            strips: strips::tables(&self.strips),
            player: player::table(
                &self.player,
                &player::Lists { url: &self.watch_url, recent: &self.recent, wall: &self.wall },
                self.volume,
                self.player_muted,
            ),
            chat: chat::table(&self.chat),
            cameras: cameras::table(&self.cameras),
            server: Some(self.successor.clone())
                .filter(|url| !url.is_empty())
                .map(|successor| ServerTable { successor }),
            window: WindowTable {
                language: match self.preferences.language {
                    Language::System => "system",
                    Language::English => "en",
                    Language::Chinese => "zh-CN",
                }
                .to_owned(),
                theme: match self.preferences.theme {
                    Theme::Dark => "dark",
                    Theme::Light => "light",
                }
                .to_owned(),
                reduced_motion: self.preferences.reduced_motion,
                recording_folder: self.preferences.recording_folder.clone(),
            },
            recording: recording::table(&self.preferences.recording),
            collection: layout::table(&self.collection),
        }
    }
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

fn read_bounded(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is far too large"));
    }
    Ok(text)
}

/// Takes one value after the other out of the file and notes what is bad.
struct Reader<'a> {
    table: &'a toml::Table,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    fn settings(&mut self) -> Settings {
        let defaults = Quality::default();
        if let Some(version) = self.table.get("version").and_then(toml::Value::as_integer)
            && version > VERSION
        {
            self.warnings.push(format!(
                "The settings were written by a newer onair (version {version}); what is unknown here is left out"
            ));
        }
        let preferences = Preferences::default();
        Settings {
            video: self.parsed("video"),
            audio: self.parsed("audio"),
            cameras: self.cameras(),
            collection: self.collection(),
            strips: self.strips(),
            phones: strips::phones(&self.text("phones").unwrap_or_default()),
            quality: Quality {
                size: self.parsed("quality.size").unwrap_or(defaults.size),
                frame_rate: self.parsed("quality.fps").unwrap_or(defaults.frame_rate),
                video_bitrate: self.bitrate("quality.video_bitrate", defaults.video_bitrate),
                adapt: self.parsed("quality.adapt").unwrap_or(defaults.adapt),
                least_bitrate: self.bitrate("quality.least_bitrate", defaults.least_bitrate),
                adapt_frames: self.flag("quality.adapt_frames"),
                adapt_size: self.flag("quality.adapt_size"),
                keyframe_interval: Duration::from_millis(self.whole(
                    "quality.keyframe_interval_ms",
                    100,
                    20_000,
                    2_000,
                )),
                audio_bitrate: self.bitrate("quality.audio_bitrate", defaults.audio_bitrate),
                sample_rate: u32::try_from(self.whole(
                    "quality.sample_rate",
                    8_000,
                    96_000,
                    48_000,
                ))
                .unwrap_or(defaults.sample_rate),
                channels: u16::try_from(self.whole("quality.channels", 1, 2, 2))
                    .unwrap_or(defaults.channels),
            },
            targets: self.targets(),
            delay: Duration::from_millis(self.whole("delay_ms", 0, LONGEST.as_millis() as u64, 0)),
            watch_url: self.text("player.url").unwrap_or_default(),
            player: self.player(),
            chat: self.chat(),
            recent: self.addresses("player.recent", MOST_RECENT),
            wall: self.addresses("player.wall", MOST_TILES),
            successor: self.successor(),
            volume: Some(self.number("player.volume", 0.0, 1.0, 1.0)),
            player_muted: self.flag("player.muted"),
            preferences: Preferences {
                language: self.one_of(
                    "window.language",
                    &[
                        ("system", Language::System),
                        ("en", Language::English),
                        ("zh-CN", Language::Chinese),
                    ],
                ),
                theme: self
                    .one_of("window.theme", &[("dark", Theme::Dark), ("light", Theme::Light)]),
                reduced_motion: self.flag("window.reduced_motion"),
                recording_folder: self
                    .text("window.recording_folder")
                    .filter(|folder| !folder.is_empty())
                    .map_or(preferences.recording_folder, PathBuf::from),
                recording: self.recording(),
            },
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

    fn recording(&mut self) -> RecordingChoices {
        let defaults = RecordingChoices::default();
        let [split, size, replay, memory] = recording::MOST;
        let some = |value: u64| Some(value).filter(|value| *value > 0);
        let format = self.parsed("recording.format").unwrap_or(defaults.format);
        let split_time = some(self.whole("recording.split_seconds", 0, split, 0));
        let split_bytes = some(self.whole("recording.split_megabytes", 0, size, 0));
        let replay = some(self.whole("recording.replay_seconds", 0, replay, 0));
        let default = defaults.replay_bytes >> 20;
        let memory = self.whole("recording.replay_megabytes", 1, memory, default);
        RecordingChoices {
            format,
            split_time: split_time.map(Duration::from_secs),
            split_bytes: split_bytes.map(|megabytes| megabytes * recording::MEGABYTE),
            replay: replay.map(Duration::from_secs),
            replay_bytes: memory << 20,
            replay_always: self.flag("recording.replay_always"),
            track_names: self.track_names(),
        }
    }

    fn cameras(&mut self) -> BTreeMap<String, Wanted> {
        let warnings = &mut *self.warnings;
        let mut bad = |why: String| warnings.push(format!("The settings: {why}"));
        cameras::read(self.table.get("cameras"), &mut bad)
    }

    fn track_names(&mut self) -> TrackNames {
        let mut names = TrackNames::default();
        match self.value("recording.track_names").cloned() {
            None => {}
            Some(toml::Value::Array(given))
                if given.len() <= names.len() && given.iter().all(toml::Value::is_str) =>
            {
                for (name, given) in names.iter_mut().zip(&given) {
                    *name = clean_name(given.as_str().unwrap_or_default());
                }
            }
            Some(_) => self.bad("recording.track_names", "it is not a list of up to six names"),
        }
        names
    }

    fn collection(&mut self) -> Collection {
        let Some(value) = self.table.get("collection") else { return Collection::default() };
        let warnings = &mut *self.warnings;
        collection::read(value, &mut |why| warnings.push(format!("The settings: {why}")))
    }

    fn player(&mut self) -> PlayerChoices {
        let millis = self.whole("player.buffer_ms", 0, player::MOST_BUFFER_MS, 300);
        let most = crate::player::MAX_AV_OFFSET_MS;
        let offset = self.number("player.av_offset_ms", f64::from(-most), f64::from(most), 0.0);
        PlayerChoices {
            buffer: (millis > 0).then(|| Duration::from_millis(millis.max(100))),
            av_offset_ms: offset as i32,
            balance: self.number("player.balance", -1.0, 1.0, 0.0),
            speaker: self.text("player.speaker").filter(|id| !id.is_empty()),
            decoder: match self.text("player.decoder").as_deref() {
                None | Some("own") => Prefer::Own,
                Some("system") => Prefer::System,
                Some(_) => {
                    self.bad("player.decoder", "it is \"own\" or \"system\"");
                    Prefer::Own
                }
            },
        }
    }

    fn chat(&mut self) -> ChatChoices {
        let standard = ChatChoices::default();
        let mut number = |path, range: &std::ops::RangeInclusive<f32>, standard: f32| {
            self.number(
                path,
                f64::from(*range.start()),
                f64::from(*range.end()),
                f64::from(standard),
            )
        };
        let opacity = number("chat.opacity", &chatting::OPACITIES, standard.opacity);
        let speed = number("chat.speed", &chatting::SPEEDS, standard.speed);
        let size = number("chat.size", &chatting::SIZES, standard.size);
        let choices = ChatChoices {
            flying: !self.flag("chat.still"),
            opacity,
            speed,
            size,
            words: self.list("chat.words").into_iter().take(chatting::MOST_WORDS).collect(),
            name: self.text("chat.name").unwrap_or_default(),
        };
        choices.checked()
    }

    /// A list of addresses, without those that may not have been written down.
    fn addresses(&mut self, path: &str, most: usize) -> Vec<String> {
        let addresses = self.list(path).into_iter();
        addresses.filter(|url| playing::may_be_kept(url)).take(most).collect()
    }

    /// The texts of a list.
    fn list(&mut self, path: &str) -> Vec<String> {
        match self.value(path) {
            None => Vec::new(),
            Some(toml::Value::Array(list)) => {
                list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => {
                self.bad(path, "it is not a list");
                Vec::new()
            }
        }
    }

    fn strips(&mut self) -> Vec<SoundStrip> {
        let mut main = SoundStrip::main();
        main.strip.gain_db = self.number("gain_db", -60.0, 20.0, 0.0);
        main.strip.muted = self.flag("muted");
        let warnings = &mut *self.warnings;
        strips::read_list(self.table.get("strips"), main, &mut |why| {
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
        targets::read(list, &mut |why| warnings.push(format!("The settings: {why}")))
    }

    fn value(&self, path: &str) -> Option<&toml::Value> {
        match path.split_once('.') {
            Some((table, name)) => self.table.get(table)?.get(name),
            None => self.table.get(path),
        }
    }

    fn bad(&mut self, path: &str, why: &str) {
        self.warnings.push(format!("The setting '{path}' is ignored: {why}"));
    }

    fn text(&mut self, path: &str) -> Option<String> {
        match self.value(path) {
            None => None,
            Some(toml::Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.bad(path, "it is not a text");
                None
            }
        }
    }

    fn parsed<T: FromStr<Err = String>>(&mut self, path: &str) -> Option<T> {
        let text = self.text(path)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.bad(path, &why);
                None
            }
        }
    }

    fn flag(&mut self, path: &str) -> bool {
        match self.value(path) {
            None => false,
            Some(toml::Value::Boolean(flag)) => *flag,
            Some(_) => {
                self.bad(path, "it is neither true nor false");
                false
            }
        }
    }

    fn number(&mut self, path: &str, low: f64, high: f64, default: f64) -> f32 {
        let number = match self.value(path) {
            None => return default as f32,
            Some(toml::Value::Float(number)) => Some(*number),
            Some(toml::Value::Integer(number)) => Some(*number as f64),
            Some(_) => None,
        };
        match number {
            Some(number) if (low..=high).contains(&number) => number as f32,
            _ => {
                self.bad(path, &format!("it is not a number from {low} to {high}"));
                default as f32
            }
        }
    }

    fn whole(&mut self, path: &str, low: u64, high: u64, default: u64) -> u64 {
        match self.value(path) {
            None => default,
            Some(value) => match value.as_integer().and_then(|value| u64::try_from(value).ok()) {
                Some(value) if (low..=high).contains(&value) => value,
                _ => {
                    self.bad(path, &format!("it is not a whole number from {low} to {high}"));
                    default
                }
            },
        }
    }

    fn bitrate(&mut self, path: &str, default: BitsPerSecond) -> BitsPerSecond {
        let bits = self.whole(path, 8_000, 200_000_000, u64::from(default.0));
        u32::try_from(bits).map_or(default, BitsPerSecond)
    }

    fn one_of<T: Copy + Default>(&mut self, path: &str, names: &[(&str, T)]) -> T {
        let Some(text) = self.text(path) else { return T::default() };
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
            return *value;
        }
        self.bad(path, &format!("'{text}' is not known"));
        T::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
                    pin: Some(crate::net::Pin::of(b"certificate")),
                    remember_key: true,
                    keep_as: "0123456789abcdef".into(),
                    least_bitrate: Some(BitsPerSecond(800_000)),
                    route: crate::studio::Route {
                        ports: "443,1935".into(),
                        proxy: "socks5://127.0.0.1:1080".into(),
                        bind: "127.0.0.1".into(),
                    },
                    ..Target::custom(1, "rtmps://example.org/live", Default::default())
                },
                Target::custom(2, "", Default::default()),
            ],
            delay: Duration::from_millis(90_500),
            strips: vec![SoundStrip {
                strip: Strip { gain_db: -3.0, ..Strip::default() },
                ..SoundStrip::main()
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
                    [quality]\nsize = '1281x720'\nfps = '60'\nvideo_bitrate = -4\n\
                    [window]\ntheme = 'pink'\nlanguage = 'zh-CN'\n";
        let (settings, warnings) = Settings::parse(text);
        assert_eq!(settings.video, None);
        assert_eq!(settings.audio, Some(AudioChoice::Tone));
        assert_eq!(settings.quality.frame_rate.num(), 60);
        assert_eq!(settings.quality.video_bitrate, Quality::default().video_bitrate);
        assert_eq!(settings.preferences.language, Language::Chinese);
        assert_eq!(warnings.len(), 7, "{warnings:#?}");
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
