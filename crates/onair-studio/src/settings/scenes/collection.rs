//! Reads and writes a scene collection as a separate file, TOML or JSON, with its mixer strips.

use std::fs;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use crate::studio::settings::import::Import;
pub use crate::studio::settings::scenes::transition_words::{
    item_transition_of, item_transition_text, matte_of, matte_text, transition_of, transition_text,
};

use crate::audio::{self, AudioChoice};
use crate::base::FileStamp;
use crate::capture::{self, VideoChoice, browser};
use crate::files::Trouble;
use crate::mix::StripId;
use crate::studio::mixer::AudioStrip;
use crate::studio::program::source_strips;
use crate::studio::scenes::Collection;
use crate::studio::settings::Settings;
use crate::studio::settings::disk::replace;
use crate::studio::settings::import::obs;
use crate::studio::settings::import::obs::devices::KnownDevices;
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::{parts, syntax, values};
use crate::studio::settings::scenes::layout::CollectionTable;
use crate::studio::settings::secret_addresses;
use crate::studio::settings::sections::strips;
use crate::text::problem::{Problem, problem};

/// The version of a collection's own file.
pub(in crate::settings) const COLLECTION_VERSION: i64 = 1;

/// Tables that the settings file has, but a collection's own file does not.
const SETTINGS_ONLY_TABLES: [&str; 4] = ["quality", "targets", "player", "window"];

/// Maximum size of a collection's file in bytes.
const MAX_COLLECTION_BYTES: u64 = 8 << 20;

/// The layout of a collection's own file. Other settings in it are ignored.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct File {
    version: i64,
    /// The sources of `--video` and `--audio`. Exported scenes do not have them.
    #[serde(with = "values::text_or_none", skip_serializing_if = "Option::is_none")]
    video: Option<VideoChoice>,
    #[serde(with = "values::text_or_none", skip_serializing_if = "Option::is_none")]
    audio: Option<AudioChoice>,
    collection: Option<CollectionTable>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    strips: Vec<strips::Table>,
}

/// The contents of a file.
enum Contents {
    /// A whole collection, with the main strip, and the parts that were not imported.
    Own(Box<Settings>, Vec<Problem>),
    Obs(Box<Import>),
}

/// Returns the text of a video or audio source for display: an address without apparent secrets.
pub fn shown(choice: String) -> String {
    if let Some(page) = choice.strip_prefix("browser:") {
        return format!("browser:{}", browser::label(page));
    }
    let url = choice.strip_prefix("stream:").and_then(secret_addresses::without_secrets);
    url.map_or(choice, |url| format!("stream:{url}"))
}

/// Reads a collection's own file, or a collection of OBS, to add its scenes to other ones. The main
/// strip is not imported.
///
/// # Errors
/// Fails with the reason why nothing can be imported.
pub fn import(path: &Path) -> Result<Import, Problem> {
    let mut import = import_text(&read_file(path)?)?;
    settle_devices(&mut import);
    Ok(import)
}

/// Keeps the devices of an import that exist on this computer. The audio devices are listed only if
/// the import names one.
fn settle_devices(import: &mut Import) {
    // The server's name is the last part of a device's id.
    let named = |all: Vec<audio::DeviceInfo>, name: &str| {
        let is_it = |id: &str| id.split_once(':').is_some_and(|(_, it)| it == name);
        all.into_iter().find(|device| is_it(&device.id)).map(|device| device.id)
    };
    import.settle_devices(&KnownDevices {
        camera: &capture::camera_id_at,
        microphone: &|name| named(audio::microphones(), name),
        speaker: &|name| named(audio::speakers(), name),
    });
}

/// Reads a collection's own file, or a collection of OBS, as a whole. Returns its name, which is
/// empty if the file contains none, and the parts that were not imported.
///
/// # Errors
/// Fails with the same errors as [`import`].
pub(in crate::settings) fn import_whole(
    path: &Path,
) -> Result<(String, Settings, Vec<Problem>), Problem> {
    match read_text(&read_file(path)?)? {
        Contents::Own(settings, left_out) => Ok((String::new(), *settings, left_out)),
        Contents::Obs(mut import) => {
            settle_devices(&mut import);
            let mut settings = Settings::default();
            import.give(&mut settings.collection, &mut settings.strips, None);
            Ok((import.name, settings, import.left_out))
        }
    }
}

fn read_file(path: &Path) -> Result<String, Problem> {
    // Reading a pipe or a device may never end.
    FileStamp::of(path)?;
    let file = fs::File::open(path)?;
    let mut text = String::new();
    let read = file.take(MAX_COLLECTION_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| syntax::unreadable(&error))?;
    if text.len() as u64 > MAX_COLLECTION_BYTES {
        return Err(problem!("import-too-large"));
    }
    Ok(text)
}

/// Works like [`import`], but from a text.
///
/// # Errors
/// Fails with the same errors as [`import`].
pub fn import_text(text: &str) -> Result<Import, Problem> {
    match read_text(text)? {
        Contents::Own(settings, left_out) => {
            let Settings { collection, mut strips, .. } = *settings;
            strips.retain(|strip| strip.id != StripId::MAIN);
            Ok(Import { name: String::new(), collection, strips, left_out })
        }
        Contents::Obs(import) => Ok(*import),
    }
}

fn read_text(text: &str) -> Result<Contents, Problem> {
    if !syntax::without_mark(text).trim_start().starts_with('{') {
        return read_document(Document::parse(text)?);
    }
    let json = syntax::json(text)?;
    if obs::is_one(&json) {
        return Ok(Contents::Obs(Box::new(obs::import(&json))));
    }
    let table = toml::Table::try_from(syntax::without_nulls(json))
        .map_err(|_| problem!("import-too-big-a-number"))?;
    read_document(Document::parse(&table.to_string())?.without_places())
}

fn read_document(mut document: Document<'_>) -> Result<Contents, Problem> {
    let mut left_out = Vec::new();
    let file = document.read::<File>();
    let table = file.collection.ok_or_else(|| problem!("import-no-collection"))?;
    // The settings file also contains a collection, but has a separate version.
    let settings = SETTINGS_ONLY_TABLES.iter().any(|name| document.has(name));
    if file.version > if settings { parts::SETTINGS_VERSION } else { COLLECTION_VERSION } {
        left_out.push(problem!("import-newer"));
    }
    let (video, audio) = (file.video, file.audio);
    let collection = table.collection(&mut document);
    let strips = strips::from_tables(&file.strips, AudioStrip::main(), &mut document);
    document.tell(problem!("settings-the-scenes"), &mut |why| left_out.push(why));
    let settings = Settings { video, audio, collection, strips, ..Settings::default() };
    Ok(Contents::Own(Box::new(settings), left_out))
}

/// Writes scenes and all strips except the main one, by atomic replacement. The format is JSON if
/// the extension is `.json`, otherwise TOML.
///
/// # Errors
/// Fails with the reason why the file could not be written.
pub fn export(collection: &Collection, strips: &[AudioStrip], path: &Path) -> Result<(), Problem> {
    let given = secret_addresses::for_others(collection);
    let strips = source_strips::without_program(strips, collection);
    let mut strips = secret_addresses::strips_for_others(&strips);
    strips.retain(|strip| strip.id != StripId::MAIN);
    let strips = strips::tables_of_others(&strips);
    let collection = Some(CollectionTable::of(&given));
    let file = File { version: COLLECTION_VERSION, collection, strips, ..File::default() };
    write(&file, path)
}

/// Writes a whole collection for other users, in the same formats as [`export`].
///
/// # Errors
/// Fails with the reason why the file could not be written.
pub(in crate::settings) fn export_whole(settings: &Settings, path: &Path) -> Result<(), Problem> {
    let mut given = settings.clone();
    given.strips = source_strips::without_program(&given.strips, &given.collection);
    secret_addresses::clean_all(given.addresses());
    let strips = strips::tables(&given.strips);
    let collection = Some(CollectionTable::of(&given.collection));
    let (video, audio) = (given.video, given.audio);
    write(&File { version: COLLECTION_VERSION, video, audio, collection, strips }, path)
}

fn write(file: &File, path: &Path) -> Result<(), Problem> {
    let is_json = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let text = if is_json {
        serde_json::to_string_pretty(file).map_err(|error| Problem::words(error.to_string()))?
    } else {
        toml::to_string_pretty(file).map_err(|error| Problem::words(error.to_string()))?
    };
    replace(path, &text).map_err(|error| Trouble::problem(&error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::compose::filter::{Filter, Slot};
    use crate::compose::scene::{
        Blend, Crop, Fit, ItemId, ItemTransition, Placement, SceneId, SourceId,
    };
    use crate::compose::transition::{Kind, Pattern, Transition, Wipe};
    use crate::studio::scenes::edits::Edit;
    use crate::studio::scenes::{MAIN_SOURCE, MAX_ITEMS, MAX_SCENES};
    use proptest::prelude::*;

    fn sample() -> Collection {
        let on = |filter| Slot { enabled: true, filter };
        let mut it = Collection::default();
        let main = SceneId(1);
        let place = Placement {
            x: 0.25,
            rotation: 12.5,
            crop: Crop { left: 0.125, ..Crop::default() },
            flip_x: true,
            fit: Fit::Cover,
            ..Placement::default()
        };
        for edit in [
            Edit::AddScene("Talk".into()),
            Edit::AddSource {
                scene: main,
                name: "Logo".into(),
                choice: VideoChoice::File("/none/logo.y4m".into()),
            },
            Edit::AddSource { scene: main, name: "Clip".into(), choice: VideoChoice::Test },
            Edit::ShowScene { scene: SceneId(2), shown: main },
            Edit::SetPlace(ItemId(2), place),
            Edit::SetOpacity(ItemId(2), 0.5),
            Edit::SetBlend(ItemId(3), Blend::Screen),
            Edit::HideItem(ItemId(3), true),
            Edit::LockItem(ItemId(3), true),
            Edit::RenameItem(ItemId(3), "片头".into()),
            Edit::SetFilters(MAIN_SOURCE, Filter::kinds().into_iter().map(on).collect()),
            Edit::SetFilters(SourceId(2), vec![on(Filter::of_kind("luma-key").unwrap())]),
            Edit::SetShow(ItemId(2), Some(ItemTransition::default())),
            Edit::SetHide(ItemId(3), item_transition_of("slide-top 1500").unwrap()),
            Edit::Group(vec![ItemId(2), ItemId(3)]),
            Edit::SetFilters(
                SourceId::of_group(ItemId(5)),
                vec![on(Filter::of_kind("blur").unwrap())],
            ),
            Edit::SetFilters(
                SourceId::of_scene(main),
                vec![on(Filter::of_kind("color").unwrap()), on(Filter::of_kind("crop").unwrap())],
            ),
            Edit::SetTransition(Transition {
                kind: Kind::Luma(Wipe { softness: 30, invert: true, ..Wipe::of(Pattern::Clock) }),
                duration: Duration::from_millis(750),
            }),
        ] {
            assert!(it.apply(&edit), "{edit:?}");
        }
        it.current = SceneId(2);
        it
    }

    /// Formats a collection. The text contains no ids, because ids are assigned on reading. Reading
    /// and writing it therefore gives the same text.
    fn text_of(collection: &Collection) -> String {
        toml::to_string_pretty(&CollectionTable::of(collection)).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back_as_toml_and_json_and_in_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        let want = text_of(&sample());
        for name in ["scenes.toml", "scenes.json"] {
            let path = folder.path().join(name);
            export(&sample(), &[], &path).unwrap();
            let read = import(&path).unwrap();
            assert_eq!(read.left_out, Vec::<String>::new(), "{name}");
            assert_eq!(text_of(&read.collection), want, "{name}");
        }
        let path = folder.path().join("settings.toml");
        let settings = Settings { collection: sample(), ..Settings::default() };
        settings.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(text_of(&read.collection), want);
        Settings::default().write(&path).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("collection"));
    }

    #[test]
    fn strips_go_with_a_collection_and_keep_their_side_chains() {
        use crate::mix::filter;
        let strip = |id, choice: &str| AudioStrip {
            name: format!("Strip {id}"),
            ..AudioStrip::new(StripId(id), choice.parse().unwrap())
        };
        let mut duck = filter::Filter::of_kind("compressor").unwrap();
        let filter::Filter::Compressor { side_chain, .. } = &mut duck else { panic!("{duck:?}") };
        *side_chain = Some(StripId(1));
        let mut music = strip(2, "file:/m/song.mp3");
        music.strip.filters = vec![filter::Slot { enabled: true, filter: duck }];
        music.strip.gain_db = -6.0;
        let strips = [strip(1, "mic"), music, strip(3, "stream:rtmp://me:secret@host/live/x")];
        let folder = tempfile::tempdir().unwrap();
        for name in ["scenes.toml", "scenes.json"] {
            let path = folder.path().join(name);
            export(&sample(), &strips, &path).unwrap();
            assert!(!fs::read_to_string(&path).unwrap().contains("secret"), "{name}");
            let read = import(&path).unwrap();
            assert_eq!(read.left_out, Vec::<String>::new(), "{name}");
            assert_eq!(read.strips[..2], strips[..2], "{name}");
            assert!(matches!(&read.strips[2].choice, AudioChoice::Stream(_)));
            assert_eq!(read.strips.len(), 3);
        }
    }

    #[test]
    fn the_strip_of_a_source_that_only_the_program_shows_is_not_written() {
        let mut collection = Collection::default();
        let (scene, name) = (collection.current, "Clip".to_owned());
        let choice = VideoChoice::File("/none/clip.mkv".into());
        assert!(collection.apply(&Edit::AddSource { scene, name, choice }));
        let tone = AudioStrip::new(StripId(1), AudioChoice::Tone);
        let clip = AudioStrip::new(StripId(2), AudioChoice::File("/none/clip.mkv".into()));
        let strips = vec![AudioStrip::main(), tone, clip];
        collection.copy_for_program();
        let written = |collection: &Collection| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("scenes.toml");
            export(collection, &strips, &path).unwrap();
            let exported = import(&path).unwrap().strips.len();
            let (collection, strips) = (collection.clone(), strips.clone());
            let settings = Settings { collection, strips, ..Settings::default() };
            export_whole(&settings, &path).unwrap();
            let whole = import(&path).unwrap().strips.len();
            settings.write(&path).unwrap();
            [exported, whole, Settings::read(&path).0.strips.len() - 1]
        };
        assert_eq!(written(&collection), [2; 3]);
        assert!(collection.apply(&Edit::RemoveItem(ItemId(2))));
        assert_eq!(written(&collection), [1; 3]);
    }

    #[test]
    fn circles_are_broken_and_reported() {
        let text = "[collection]\ncurrent = 'B'\n\
            [[collection.scenes]]\nname = 'A'\n[[collection.scenes.items]]\nscene = 'B'\n\
            [[collection.scenes]]\nname = 'B'\n[[collection.scenes.items]]\nscene = 'C'\n\
            [[collection.scenes]]\nname = 'C'\n[[collection.scenes.items]]\nitems = [{ scene = 'A' }, { main = true }]\n\
            [[collection.scenes.items]]\nscene = 'C'\n";
        let (settings, warnings) = Settings::parse(text);
        let collection = settings.collection;
        assert!(!warnings.is_empty(), "{warnings:?}");
        for scene in &collection.scenes {
            let shown: Vec<SceneId> =
                collection.scenes.iter().map(|it| it.id).filter(|it| *it != scene.id).collect();
            for other in shown {
                assert!(
                    !(collection.reaches(scene.id, other) && collection.reaches(other, scene.id))
                );
            }
        }
        assert_eq!(collection.current().unwrap().name, "B");
        assert_eq!(
            collection.plan(collection.current).sources().collect::<Vec<_>>(),
            [MAIN_SOURCE]
        );
    }

    #[test]
    fn ten_thousand_items_and_scenes_are_bounded() {
        let mut text = String::from("[collection]\n[[collection.scenes]]\nname = 'A'\n");
        for _ in 0..10_000 {
            text.push_str("[[collection.scenes.items]]\nmain = true\n");
        }
        let (settings, warnings) = Settings::parse(&text);
        assert_eq!(settings.collection.item_count(), MAX_ITEMS);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let scenes = "[[collection.scenes]]\nname = 'A'\n".repeat(10_000);
        let (settings, _) = Settings::parse(&scenes);
        assert_eq!(settings.collection.scenes.len(), MAX_SCENES);
    }

    #[test]
    fn bad_values_fall_back_one_by_one() {
        let text = "[collection]\ntransition = 'explode'\n\
            [[collection.sources]]\nname = 'Gone'\nsource = 'file:/none/at/all.y4m'\n\
            [[collection.sources]]\nname = 'Odd'\nsource = 'hologram'\n\
            [[collection.scenes]]\nname = 'A'\n\
            [[collection.scenes.items]]\nsource = 'Gone'\nx = 'left'\nwidth = -2\nrotation = 45\ncrop = [1]\nfit = 'snug'\n\
            [[collection.scenes.items]]\nsource = 'Nobody'\n";
        let (settings, warnings) = Settings::parse(text);
        let it = settings.collection;
        assert_eq!(it.sources[0].choice, VideoChoice::File("/none/at/all.y4m".into()), "kept");
        assert_eq!(it.sources[1].choice, VideoChoice::None);
        let place = it.scenes[0].items[0].place;
        assert_eq!(place, Placement { rotation: 45.0, ..Placement::default() });
        assert_eq!(it.scenes[0].items.len(), 1);
        assert_eq!(warnings.len(), 7, "{warnings:#?}");
        for text in
            ["collection = 7", "[collection]\nscenes = 'x'", "[collection]\nscenes = [1, 'a']"]
        {
            let (settings, _) = Settings::parse(text);
            assert!(settings.collection.current().is_some(), "{text}");
        }
    }

    #[test]
    fn a_newer_file_is_reported_as_one() {
        let newer = |text: &str| {
            let left_out = import_text(text).unwrap().left_out;
            left_out.iter().any(|it| it.id() == "import-newer")
        };
        let own = |version: i64| format!("version = {version}\n[[collection.scenes]]\nname = 'A'");
        assert!(!newer(&own(1)) && newer(&own(2)), "its own version");
        assert!(newer(r#"{"version": 2, "collection": {"scenes": [{"name": "A"}]}}"#));
        let settings = |version: i64| format!("{}\n[window]\ntheme = 'dark'", own(version));
        assert!(
            !newer(&settings(parts::SETTINGS_VERSION))
                && newer(&settings(parts::SETTINGS_VERSION + 1))
        );
    }

    #[test]
    fn unknown_names_are_reported_with_the_one_that_was_meant() {
        let text = r#"
            delay = 3
            [quality]
            video_bitrat = 1000
            [[targets]]
            name = "Mine"
            servr = "rtmp://h/a"
            [[targets]]
            server = "rtmp://me:Pl4nted@h/a/Pl4nted"
            stream_key = "Pl4nted"
            [[strips]]
            [[strips]]
            source = "mic"
            gain = 3
            [collection]
            transtion = "cut"
            [collection.stinger]
            cut = 3
            [[collection.sources]]
            name = "Words"
            source = "text:a"
            filter = []
            [[collection.scenes]]
            name = "Talk"
            colour = 1
            [[collection.scenes.items]]
            [[collection.scenes.items.items]]
            source = "Words"
            widht = 0.5
        "#;
        let warnings = Settings::parse(text).1;
        let wanted = [
            ("delay", (2, 13), "onair has no such setting"),
            (
                "quality.video_bitrat",
                (4, 13),
                "onair has no such setting; did you mean 'video_bitrate'?",
            ),
            ("targets.servr", (7, 13), "onair has no such setting; did you mean 'server'?"),
            ("targets.stream_key", (10, 13), "onair has no such setting"),
            ("strips.gain", (14, 13), "onair has no such setting"),
            (
                "collection.transtion",
                (16, 13),
                "onair has no such setting; did you mean 'transition'?",
            ),
            ("collection.stinger.cut", (18, 13), "onair has no such setting"),
            (
                "collection.sources.filter",
                (22, 13),
                "onair has no such setting; did you mean 'filters'?",
            ),
            ("collection.scenes.colour", (25, 13), "onair has no such setting"),
            (
                "collection.scenes.items.items.widht",
                (29, 13),
                "onair has no such setting; did you mean 'width'?",
            ),
        ];
        for (path, (line, column), why) in wanted {
            let one = format!(
                "onair ignores the setting '{path}' on line {line}, column {column}: {why}"
            );
            assert!(warnings.iter().any(|it| *it == one), "{one}: {warnings:#?}");
        }
        assert_eq!(warnings.len(), wanted.len(), "{warnings:#?}");
        assert!(!format!("{warnings:?}").contains("Pl4nted"), "{warnings:#?}");
        // The same report as for an imported file.
        let import = import_text(&text.replace("delay = 3", "version = 1")).unwrap();
        assert_eq!(import.left_out.len(), 6, "{:#?}", import.left_out);
        // Files of newer versions are reported.
        let (_, warnings) = Settings::parse("version = 99\ndelay = 3");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_a_collection(text in "(\\[\\[collection.(scenes|sources|scenes.items)\\]\\]\n|(name|source|scene|main|items|x|crop) = |'[AB]'|[0-9.]+|true|\\[|\\]|\n)*") {
            let (settings, _) = Settings::parse(&text);
            prop_assert!(settings.collection.current().is_some());
        }
    }
}
