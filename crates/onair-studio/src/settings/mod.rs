//! The saved settings: a versioned TOML file. Reading it never fails: a bad value becomes its
//! default, with a warning. Writing replaces the file atomically. The file never contains stream
//! keys.
use crate::text::problem::{Problem, problem};

mod disk;
mod folders;
#[cfg(test)]
mod guide_tests;
pub mod hotkeys;
pub mod import;
pub mod lock;
pub mod part;
mod player_window;
pub(crate) mod reading;
pub mod scenes;
pub(crate) mod secret_addresses;
mod sections;
pub(crate) mod stream_keys;
mod token;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize};

use crate::audio::AudioChoice;
use crate::broadcast::delay::MAX_STREAM_DELAY;
use crate::capture::{VideoChoice, sharing};
use crate::studio::live::recording::RecordingChoices;
use crate::studio::live::second_canvas::SecondCanvas;
use crate::studio::mixer::AudioStrip;
use crate::studio::mixer::monitoring::Monitoring;
use crate::studio::program::source_strips;
use crate::studio::scenes::Collection;
use crate::studio::settings::disk::{keep_broken, put, read_bounded, resolved};
use crate::studio::settings::hotkeys::Hotkeys;
use crate::studio::settings::part::names::InUse;
use crate::studio::settings::reading::parts::{SETTINGS_VERSION, counted};
use crate::studio::settings::reading::syntax;
use crate::studio::settings::reading::values::{self, is_usual, layout};
use crate::studio::settings::scenes::layout::CollectionTable;
use crate::studio::settings::sections::chat::ChatLayout;
use crate::studio::settings::sections::quality::{CanvasLayout, QualityLayout};
use crate::studio::settings::sections::recording::RecordingLayout;
use crate::studio::targets::quality::Quality;
use crate::studio::targets::{MAX_TARGETS, Target};
use crate::studio::watch::chat::ChatChoices;

pub use folders::{
    default_delay_folder, default_journal, default_path, default_recording_folder, keys_beside,
};
pub use import::report::{ImportReport, MissingFile};
pub use reading::lenient::{BadValue, Document};
pub use sections::all::Settings;
pub(crate) use sections::own_services::MAX_SERVICES;
pub use sections::own_services::{
    OwnPart, OwnService, read_own, read_services, services_beside, write_services,
};
pub use sections::panels::{
    MAX_LAYOUT_NAME_CHARS, MAX_LAYOUTS, Node, PREDEFINED_LAYOUTS, Panel, PanelLayout, Panels,
    is_predefined_layout,
};
pub use sections::projectors::{MAX_PROJECTORS, ProjectorContent, ProjectorPlace, Projectors};
pub use sections::server::check_successor;
pub use sections::window::{Language, Preferences, RemoteChoices, Theme};
pub use sections::window::{MAX_RULE_TEXT_BYTES, MAX_RULES, Rule};
pub use sections::window::{VirtualCameraChoices, VirtualCameraSource};
pub use token::ServerToken;
pub use token::certificate_files::{CertificateFiles, read_certificate};
pub use token::own_certificate::own_identity;

/// The reason why settings could not be written.
#[derive(Debug, thiserror::Error)]
#[error("writing the settings to {path}: {cause}")]
pub struct WriteError {
    pub path: PathBuf,
    pub cause: io::Error,
}

layout! {
    /// The layout of the settings file. Missing or bad values get their defaults.
    struct File of Settings = Settings::default(); {
        version: i64,
        #[serde(skip_serializing_if = "is_usual")]
        in_use: InUse = in_use,
        #[serde(with = "values::text_or_none")]
        video: Option<VideoChoice> = video,
        #[serde(with = "values::text_or_none")]
        audio: Option<AudioChoice> = audio,
        #[serde(with = "sections::strips::monitoring")]
        monitoring: Monitoring = monitoring,
        #[serde(serialize_with = "values::as_millis", deserialize_with = "delay")]
        delay_ms: Duration = delay,
        #[serde(with = "QualityLayout")]
        quality: Quality = quality,
        #[serde(with = "CanvasLayout", skip_serializing_if = "is_usual")]
        canvas: SecondCanvas = canvas,
        targets: Option<Vec<sections::targets::Table>>,
        strips: Vec<sections::strips::Table>,
        player: sections::player::Table,
        #[serde(with = "ChatLayout")]
        chat: ChatChoices = chat,
        #[serde(skip_serializing_if = "is_usual")]
        server: sections::server::Table,
        #[serde(skip_serializing_if = "is_usual")]
        remote: RemoteChoices = remote,
        #[serde(skip_serializing_if = "is_usual")]
        virtual_camera: VirtualCameraChoices = virtual_camera,
        #[serde(skip_serializing_if = "is_usual")]
        rules: Vec<Rule> = rules,
        /// The preferences, whose parts in other tables follow.
        window: Preferences = preferences,
        #[serde(skip_serializing_if = "is_usual")]
        hotkeys: Box<Hotkeys> = preferences.hotkeys,
        #[serde(skip_serializing_if = "is_usual")]
        panels: Box<Panels> = preferences.panels,
        #[serde(skip_serializing_if = "is_usual")]
        projectors: Box<Projectors> = preferences.projectors,
        #[serde(with = "RecordingLayout")]
        recording: RecordingChoices = preferences.recording,
        #[serde(skip_serializing_if = "is_usual")]
        cameras: sections::cameras::Cameras,
        #[serde(skip_serializing_if = "is_usual")]
        collection: Option<CollectionTable>,
        /// These three fields are from older files.
        #[serde(skip_serializing)]
        target: Option<OnlyTarget>,
        #[serde(skip_serializing, deserialize_with = "sections::strips::gain")]
        gain_db: f32,
        #[serde(skip_serializing)]
        muted: bool,
    }
}

/// The target, as version 1 wrote it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OnlyTarget {
    custom: bool,
    server: String,
}

impl OnlyTarget {
    fn targets(self) -> Vec<Target> {
        if self.server.is_empty() {
            return vec![Target { enabled: true, ..Target::built_in() }];
        }
        let own = Target::custom(1, &self.server, Default::default());
        let built_in = Target { enabled: !self.custom, ..Target::built_in() };
        vec![built_in, Target { enabled: self.custom, ..own }]
    }
}

fn delay<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    values::millis(from, 0..=MAX_STREAM_DELAY.as_millis() as u64)
}

impl Settings {
    /// Reads the file. Missing or bad values get their defaults. The second result lists the
    /// problems; a missing file is not a problem.
    pub fn read(path: &Path) -> (Self, Vec<Problem>) {
        let reason = match read_bounded(path) {
            Ok(text) => match Self::try_parse(&text) {
                Ok(read) => return read,
                Err(why) => why,
            },
            // A link whose file is missing is a problem, for example a disk that is not mounted.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                return (Self::default(), Vec::new());
            }
            Err(error) => syntax::unreadable(&error),
        };
        let path = path.display().to_string();
        (Self::default(), vec![problem!("settings-unreadable", path = path, reason = reason)])
    }

    /// Returns the reason why a file cannot be read at all, or `None` if it can be read.
    pub fn fault(path: &Path) -> Option<Problem> {
        match read_bounded(path) {
            Ok(text) => syntax::toml(&text).err(),
            Err(error) => Some(syntax::unreadable(&error)),
        }
    }

    /// Reads settings from text. It never fails: see [`Settings::read`].
    pub fn parse(text: &str) -> (Self, Vec<Problem>) {
        Self::try_parse(text).unwrap_or_else(|why| {
            (Self::default(), vec![problem!("settings-unused", reason = why)])
        })
    }

    /// Works like [`Settings::parse`], but fails if the text is not TOML.
    fn try_parse(text: &str) -> Result<(Self, Vec<Problem>), Problem> {
        let mut document = Document::parse(text)?.essential(&["server"]);
        let file = document.read::<File>();
        let newer = Some(file.version).filter(|version| *version > SETTINGS_VERSION);
        let mut warnings =
            Vec::from_iter(newer.map(|version| problem!("settings-newer", version = version)));
        let settings = Self::of_file(file, &mut document);
        let bad = document.finish().into_iter().filter(|bad| newer.is_none() || !bad.unknown);
        counted(problem!("settings-the-settings"), &mut |why| warnings.push(why), |tell| {
            bad.for_each(|bad| tell(Problem::from(&bad)));
        });
        Ok((settings, warnings))
    }

    fn of_file(file: File, document: &mut Document<'_>) -> Self {
        let mut settings = Self::default();
        file.put(&mut settings);
        file.player.apply(&mut settings, document);
        file.server.apply(&mut settings, document);
        settings.chat = settings.chat.checked();
        settings.rules = sections::window::checked_rules(settings.rules, document);
        settings.cameras = sections::cameras::checked(file.cameras, document);
        if let Some(table) = file.collection {
            settings.collection = table.collection(document);
        }
        let mut main = AudioStrip::main();
        (main.strip.gain_db, main.strip.muted) = (file.gain_db, file.muted);
        settings.strips = sections::strips::from_tables(&file.strips, main, document);
        settings.targets = match (file.targets, file.target) {
            (None, Some(only)) => only.targets(),
            (tables, _) => {
                let tables = tables.unwrap_or_default();
                if tables.len() > MAX_TARGETS {
                    document.note("targets", &problem!("settings-the-rest", most = MAX_TARGETS));
                }
                sections::targets::from_tables(tables)
            }
        };
        let panels = &mut settings.preferences.panels;
        if let Some(why) = panels.missing() {
            document.note("panels.layout", &why);
            panels.layout = Panels::default().layout;
        }
        settings
    }

    /// Writes the file by atomic replacement, and creates its folder. A previous file of which
    /// something could not be read is kept next to it with the extension `.broken`, and with a
    /// number if there is one already. The copy of a linked file is next to that file. The file
    /// contains no secrets, not even in addresses; the studio stores those with the stream keys.
    ///
    /// # Errors
    /// Fails if the folder or file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), WriteError> {
        let (written, _) = self.concealed();
        let text = toml::to_string_pretty(&written.to_file()).map_err(io::Error::other);
        text.and_then(|text| {
            let file = resolved(path)?;
            keep_broken(&file, ".broken", |text| Self::parse(text).1.is_empty())?;
            put(&file, &text)
        })
        .map_err(|cause| WriteError { path: path.to_owned(), cause })
    }

    /// Returns all addresses that can contain secrets.
    pub(crate) fn addresses(&mut self) -> secret_addresses::AddressFields<'_> {
        secret_addresses::AddressFields {
            video: &mut self.video,
            collection: &mut self.collection,
            audio: &mut self.audio,
            strips: &mut self.strips,
            targets: &mut self.targets,
        }
    }

    /// Returns the names of stored permissions for displays and windows.
    pub(crate) fn permissions(&self) -> BTreeSet<String> {
        let own = self.collection.sources.iter().map(|source| &source.choice);
        let asked = self.video.iter().chain(own).filter(|choice| sharing::asks_desktop(choice));
        asked.flat_map(sharing::stored_keys).collect()
    }

    /// Returns the settings as written, and their secrets for the keyring.
    pub(crate) fn concealed(&self) -> (Self, Vec<secret_addresses::StoredAddress>) {
        let mut written = self.clone();
        let kept = secret_addresses::conceal(written.addresses(), &self.keyring_addresses);
        (written, kept)
    }

    fn to_file(&self) -> File {
        // The default collection is not written.
        let collection = Some(&self.collection).filter(|it| **it != Collection::default());
        let strips = source_strips::without_program(&self.strips, &self.collection);
        File {
            version: SETTINGS_VERSION,
            targets: Some(sections::targets::tables(&self.targets)),
            strips: sections::strips::tables(&strips),
            player: sections::player::Table::written(self),
            server: sections::server::Table::written(self),
            projectors: Box::new(self.preferences.projectors.numbered(&self.collection)),
            cameras: sections::cameras::set(&self.cameras),
            collection: collection.map(CollectionTable::of),
            ..File::of(self)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn settings_that_could_not_be_used_are_not_lost_when_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let beside = folder.path().join("settings.toml.broken");
        for text in [
            &b"delay_ms = 1\n[[targets]]\nname = \"Mine\n"[..],
            b"\xFF\xFE a",
            b"delay_ms = 'a minute'\n",
            b"version = 99\nunknown = 1\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let (settings, warnings) = Settings::read(&path);
            assert_eq!((settings.delay, warnings.len()), (Duration::ZERO, 1), "{warnings:?}");
            settings.write(&path).unwrap();
            assert_eq!(std::fs::read(&beside).unwrap(), text);
            // A file that onair wrote is replaced as usual.
            std::fs::remove_file(&beside).unwrap();
            settings.write(&path).unwrap();
            assert!(!beside.exists() && Settings::read(&path).1.is_empty());
        }
        std::fs::write(&path, "a = \n").unwrap();
        let warning = Settings::read(&path).1[0].to_string();
        assert!(warning.contains("line 1, column 5: a value is missing"), "{warning}");
        assert!(warning.contains(path.to_str().unwrap()), "{warning}");
    }

    #[test]
    fn every_broken_file_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        for text in [&b"a = 1\n"[..], b"b = 1\n", b"a = 1\n", b"\xFF"] {
            fs::write(&path, text).unwrap();
            Settings::default().write(&path).unwrap();
        }
        let kept = |name: &str| fs::read(folder.path().join(name)).ok();
        assert_eq!(kept("settings.toml.broken").unwrap(), b"a = 1\n");
        assert_eq!(kept("settings.toml-1.broken").unwrap(), b"b = 1\n");
        assert_eq!(kept("settings.toml-2.broken").unwrap(), b"\xFF");
        assert_eq!(kept("settings.toml-3.broken"), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_settings_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("disk/a.toml"), folder.path().join("settings.toml"));
        std::os::unix::fs::symlink("disk/a.toml", &link).unwrap();
        let (settings, warnings) = Settings::read(&link);
        assert_eq!(warnings.len(), 1, "the disk is not mounted");
        assert!(settings.write(&link).is_err());
        fs::create_dir(folder.path().join("disk")).unwrap();
        fs::write(&file, b"\xFF").unwrap();
        settings.write(&link).unwrap();
        assert!(link.is_symlink());
        assert_eq!(Settings::read(&file).1.len(), 0);
        assert_eq!(fs::read(folder.path().join("disk/a.toml.broken")).unwrap(), b"\xFF");
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
                    mix: crate::media::ExtraTrack::new(3),
                    simulcast: crate::studio::targets::Simulcast::new(3).unwrap_or_default(),
                    tracks: crate::media::ExtraTrack::new(2).into_iter().collect(),
                    renditions: "640x360@800k".parse().into_iter().collect(),
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
            volume: 0.5,
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
        // The old file is overwritten.
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
    fn a_missing_file_is_no_fault_and_a_folder_is_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(&folder.path().join("none")).1.len(), 0);
        assert_eq!(Settings::read(folder.path()).1.len(), 1);
        assert!(Settings::default().write(folder.path()).is_err() && folder.path().is_dir());
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_valid_settings(text in "\\PC*|(video|audio|\\[quality\\]|size|fps| = |'|[0-9]|\n)*") {
            let (settings, _) = Settings::parse(&text);
            prop_assert!(settings.quality.size.is_valid());
        }
    }
}
