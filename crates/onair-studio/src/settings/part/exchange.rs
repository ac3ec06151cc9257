//! Imports and exports collections and profiles as files: onair's own, without secrets, and (import
//! only) those of OBS.

use std::path::Path;

use crate::base::Secret;
use crate::files::Trouble;
use crate::studio::settings::Settings;
use crate::studio::settings::disk::{put, read_import};
use crate::studio::settings::import::obs_profile;
use crate::studio::settings::part::files::{MAX_PARTS, PartFiles};
use crate::studio::settings::part::import::PartImport;
use crate::studio::settings::part::{MAX_NAME, PartKind, check_name};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::scenes::collection;
use crate::studio::settings::secret_addresses::without_secrets;
use crate::studio::targets::address::kept_name;
use crate::studio::targets::{Target, TargetPlace};
use crate::text::problem::{Problem, problem};

/// Reads a file of onair or OBS. The path of an OBS profile is its `basic.ini` or its folder.
///
/// # Errors
/// Fails with the reason why nothing can be imported.
pub fn read(kind: PartKind, path: &Path) -> Result<PartImport, Problem> {
    let own_name = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match kind {
        PartKind::Collection => {
            let (name, settings, left_out) = collection::import_whole(path)?;
            let name = if name.is_empty() { own_name() } else { name };
            Ok(PartImport::new(name, settings, left_out))
        }
        PartKind::Profile if path.is_dir() || path.extension().is_some_and(|it| it == "ini") => {
            obs_profile::import(path)
        }
        PartKind::Profile => {
            let text = read_import(path)?;
            let document = Document::parse(&text)?;
            if !["quality", "targets", "recording"].iter().any(|it| document.has(it)) {
                return Err(problem!("import-no-profile"));
            }
            let (mut settings, left_out) = Settings::parse(&text);
            for target in &mut settings.targets {
                without_kept_key(target);
            }
            Ok(PartImport::new(own_name(), settings, left_out))
        }
    }
}

/// Adds the import under a free name, without switching to it yet. The caller stores its
/// [addresses](PartImport::addresses) with secrets.
///
/// # Errors
/// Fails if there are too many collections or profiles already, or if the import cannot be written.
pub fn import(
    files: &PartFiles,
    kind: PartKind,
    import: &PartImport,
    current: &Settings,
) -> Result<String, Problem> {
    let name = free_name(files, kind, &import.name, current)?;
    files.park(kind, &name, &import.settings)?;
    Ok(name)
}

/// Returns a valid and free name derived from a file's or another program's name.
fn free_name(
    files: &PartFiles,
    kind: PartKind,
    wanted: &str,
    current: &Settings,
) -> Result<String, Problem> {
    let fits = |it: &char| check_name(&format!("a{it}a")).is_ok();
    let clean: String = wanted.chars().filter(fits).take(MAX_NAME - 4).collect();
    let clean = clean.trim().trim_start_matches('.');
    let base = if clean.is_empty() { "Import" } else { clean };
    let numbered = (2..=MAX_PARTS + 1).map(|number| format!("{base} {number}"));
    let mut tried = std::iter::once(base.to_owned()).chain(numbered);
    let free = tried.find_map(|name| files.free_name(kind, &name, current).ok());
    free.ok_or_else(|| problem!("part-too-many", most = MAX_PARTS))
}

/// Writes the current collection or profile for other users: without keys and passwords, and
/// without the names under which this computer stores them.
///
/// # Errors
/// Fails with the reason why it could not be written.
pub fn export(kind: PartKind, settings: &Settings, path: &Path) -> Result<(), Problem> {
    match kind {
        PartKind::Collection => collection::export_whole(settings, path),
        PartKind::Profile => {
            let mut given = settings.clone();
            for target in &mut given.targets {
                without_kept_key(target);
                if let TargetPlace::Custom { server, .. } = &mut target.place
                    && let Some(shown) = without_secrets(server)
                {
                    *server = shown;
                }
                let url = target.play_url.expose();
                let is_stored =
                    kept_name(url).is_some() || settings.keyring_addresses.name_of(url).is_some();
                if is_stored || !target.may_show_play_url() {
                    target.play_url = Secret::default();
                }
            }
            let written = kind.text_of(&given).and_then(|text| put(path, &text));
            written.map_err(|error| Trouble::problem(&error))
        }
    }
}

/// Removes the name of a stored key, which has no meaning on another computer.
fn without_kept_key(target: &mut Target) {
    (target.keep_as, target.remember_key) = (String::new(), false);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::scene::SceneId;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::secret_addresses::reveal;

    #[test]
    fn nothing_secret_is_in_what_is_exported() {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::default();
        let whole = Target::custom(1, "rtmp://me:planted_pass@h/app/planted_key", "".into());
        let apart = Target {
            keep_as: "planted_name".into(),
            remember_key: true,
            play_url: "rtmp://h/app/show?token=planted_token".into(),
            ..Target::custom(2, "rtmp://h/app", "planted_key".into())
        };
        let mut proxied = Target::custom(3, "rtmps://h/app?auth=planted_key", "k".into());
        proxied.route.proxy = "socks5://me:planted_pass@proxy:1080".into();
        settings.targets.extend([whole, apart, proxied]);
        let url = "rtmp://me:planted_pass@h/live/x?token=planted_token";
        let choice = VideoChoice::Stream(url.into());
        let add = Edit::AddSource { scene: SceneId(1), name: "S".into(), choice };
        assert!(settings.collection.apply(&add));
        for kind in PartKind::ALL {
            for name in ["out.toml", "out.json"] {
                let path = folder.path().join(kind.word()).join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                export(kind, &settings, &path).unwrap();
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("planted"), "{text}");
            }
        }
        // The file is read again with the same content, under a free name.
        let files = PartFiles::beside(&folder.path().join("settings.toml"));
        let came = read(PartKind::Profile, &folder.path().join("profile/out.toml")).unwrap();
        assert_eq!(came.left_out, Vec::<String>::new());
        assert_eq!((came.settings.targets.len(), came.keys().count()), (4, 0));
        for name in ["out", "out 2"] {
            let given = import(&files, PartKind::Profile, &came, &settings).unwrap();
            assert_eq!(given, name);
        }
    }

    #[test]
    fn a_collection_is_exported_with_its_main_source_and_strip() {
        use crate::mix::filter::{Filter, Slot};
        use crate::mix::{Strip, StripId};
        use crate::studio::mixer::AudioStrip;

        let folder = tempfile::tempdir().unwrap();
        let mut duck = Filter::of_kind("compressor").unwrap();
        let Filter::Compressor { side_chain, .. } = &mut duck else { panic!("{duck:?}") };
        *side_chain = Some(StripId::MAIN);
        let filters = vec![Slot { enabled: true, filter: Filter::of_kind("gate").unwrap() }];
        let main = Strip { gain_db: -6.0, muted: true, filters, ..Strip::default() };
        let mut music = AudioStrip::new(StripId(1), "file:/m/song.mp3".parse().unwrap());
        music.strip.filters = vec![Slot { enabled: true, filter: duck }];
        let settings = Settings {
            video: Some(VideoChoice::Stream("rtmp://me:planted@h/live/x".into())),
            audio: Some("mic:pulse:usb".parse().unwrap()),
            strips: vec![AudioStrip { strip: main, ..AudioStrip::main() }, music],
            ..Settings::default()
        };
        for name in ["out.toml", "out.json"] {
            let path = folder.path().join(name);
            export(PartKind::Collection, &settings, &path).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains("planted"), "{text}");
            let came = read(PartKind::Collection, &path).unwrap();
            assert_eq!(came.left_out, Vec::<String>::new(), "{name}");
            assert_eq!(came.settings.audio, settings.audio, "{name}");
            assert_eq!(came.settings.strips, settings.strips, "{name}");
            let plain = VideoChoice::Stream("rtmp://h/live/x".into());
            assert_eq!(came.settings.video, Some(plain), "{name}");
        }
    }

    #[test]
    fn an_address_that_is_not_loaded_is_exported_without_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.toml");
        let mut settings = Settings::default();
        settings.targets.push(Target {
            remember_key: true,
            play_url: "rtmp://h/app/show#kept=0123456789abcdef".into(),
            ..Target::custom(1, "rtmp://h/app", "key".into())
        });
        export(PartKind::Profile, &settings, &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("rtmp://h/app") && !text.contains("kept="), "{text}");
        // The address is loaded, and the key that it contains is not.
        let url = "rtmp://h/app/planted_key";
        settings.targets[1] = Target {
            remember_key: true,
            play_url: url.into(),
            ..Target::custom(1, "rtmp://h/app", Secret::default())
        };
        settings.keyring_addresses.known.insert("0123456789abcdef".into(), url.into());
        export(PartKind::Profile, &settings, &path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("planted") && !text.contains("kept="), "{text}");
    }

    #[test]
    fn addresses_with_secrets_are_stored_apart_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cameras.toml");
        let url = "rtmp://me:planted@h/live/door?token=planted";
        let text = format!(
            "[[collection.sources]]\nname = 'Door'\nsource = 'stream:{url}'\n\
             [[collection.scenes]]\nname = 'A'\n[[collection.scenes.items]]\nsource = 'Door'\n"
        );
        std::fs::write(&path, text).unwrap();
        let (files, current) =
            (PartFiles::beside(&folder.path().join("settings.toml")), Settings::default());
        let came = read(PartKind::Collection, &path).unwrap();
        let name = import(&files, PartKind::Collection, &came, &current).unwrap();
        let (mut parked, _) = files.read(PartKind::Collection, &name).unwrap();
        assert!(!format!("{parked:?}").contains("planted"));
        let stored: Vec<_> = came.addresses().collect();
        let [(name, address)] = stored[..] else { panic!("{stored:?}") };
        assert!(reveal(parked.addresses(), name, address));
        assert_eq!(parked.collection.sources[0].choice, VideoChoice::Stream(url.into()));
        // An equal name would replace the address of the collection in use.
        assert_ne!(parked.concealed().1[0].name, name);
    }

    #[test]
    fn a_collection_of_obs_keeps_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("download (1).json");
        for (name, wanted) in [("My show", "My show"), ("", "download (1)")] {
            let json = serde_json::json!({ "name": name, "sources": [], "scene_order": [] });
            std::fs::write(&path, json.to_string()).unwrap();
            assert_eq!(read(PartKind::Collection, &path).unwrap().name, wanted);
        }
    }

    #[test]
    fn a_pipe_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
            assert!(made.success());
            path
        };
        for (kind, name) in [
            (PartKind::Collection, "scenes.json"),
            (PartKind::Profile, "profile.toml"),
            (PartKind::Profile, "basic.ini"),
        ] {
            assert_eq!(read(kind, &pipe(name)).unwrap_err().id(), "io-not-a-file", "{name}");
        }
        assert_eq!(read(PartKind::Profile, folder.path()).unwrap_err().id(), "io-not-a-file");
        // Files that an import names are not read either.
        std::fs::remove_file(folder.path().join("basic.ini")).unwrap();
        std::fs::write(folder.path().join("basic.ini"), "[Video]\nFPSType=0\n").unwrap();
        pipe("service.json");
        pipe("streamEncoder.json");
        assert!(read(PartKind::Profile, folder.path()).is_ok());
        let choice = VideoChoice::File(pipe("clip.y4m"));
        let program = crate::media::Size::new(2, 2);
        assert_eq!(crate::capture::extent(&choice, &Default::default(), program), None);
    }

    #[test]
    fn a_file_that_is_no_profile_is_reported_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        for (text, wanted) in [("", "import-no-profile"), ("a = 1", "import-no-profile")] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(read(PartKind::Profile, &path).unwrap_err().id(), wanted, "{text}");
        }
        std::fs::write(&path, b"\x00\xFF[[[").unwrap();
        assert!(read(PartKind::Profile, &path).is_err());
        assert!(read(PartKind::Profile, &folder.path().join("none.toml")).is_err());
        assert!(read(PartKind::Profile, folder.path()).is_err(), "a folder without basic.ini");
    }
}
