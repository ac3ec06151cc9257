//! Writes the settings of a window that is only a player: its changes of the players, the chat and
//! the window. The rest of the file stays unchanged, even if another program has written it in the
//! meantime.

use std::io;
use std::path::Path;

use serde::Serialize;
use toml::{Table, Value};

use super::{SETTINGS_VERSION, Settings, WriteError};
use crate::studio::settings::disk::{put, read_bounded};
use crate::studio::watch::choices::{MAX_RECENT_STREAMS, MAX_TRUSTED_SERVERS};

/// The parts of the file that belong to the player.
const PLAYER_PARTS: [&str; 3] = ["player", "chat", "window"];
/// Keys in these parts that are not written, because they belong to the studio's page.
const UNWRITTEN_KEYS: [&str; 3] = ["url", "wall", "wall_looks"];
/// Lists to which other programs may have added entries, and their maximum lengths.
const SHARED_LISTS: [(&str, usize); 2] =
    [("recent", MAX_RECENT_STREAMS), ("trusted", MAX_TRUSTED_SERVERS)];

impl Settings {
    /// Writes only the differences from `began`, by atomic replacement. The file contains no
    /// secrets.
    ///
    /// # Errors
    /// Fails if the file cannot be written, or contains no settings.
    pub fn write_player(&self, began: &Self, path: &Path) -> Result<(), WriteError> {
        let write = || -> io::Result<()> {
            let text = match read_bounded(path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(error),
            };
            let mut file: Table = text
                .parse()
                .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not valid TOML"))?;
            let (was, now) = (laid_out(&began.to_file())?, laid_out(&self.to_file())?);
            file.entry("version").or_insert(Value::Integer(SETTINGS_VERSION));
            for part in PLAYER_PARTS {
                let table = |all: &Table| match all.get(part) {
                    Some(Value::Table(table)) => table.clone(),
                    _ => Table::new(),
                };
                let mut kept = table(&file);
                change(&mut kept, &table(&was), &table(&now));
                if !kept.is_empty() {
                    file.insert(part.to_owned(), Value::Table(kept));
                }
            }
            put(path, &toml::to_string_pretty(&file).map_err(io::Error::other)?)
        };
        write().map_err(|cause| WriteError { path: path.to_owned(), cause })
    }
}

fn laid_out(file: &impl Serialize) -> io::Result<Table> {
    Table::try_from(file).map_err(io::Error::other)
}

/// Changes a part of the file from `was` to `now`, where they differ.
fn change(kept: &mut Table, was: &Table, now: &Table) {
    for (key, value) in now.iter().filter(|(key, _)| !UNWRITTEN_KEYS.contains(&key.as_str())) {
        if was.get(key) == Some(value) {
            continue;
        }
        let list = SHARED_LISTS.iter().find(|(list, _)| list == key);
        let value = match (value, list) {
            (Value::Array(now), Some((_, most))) => joined(now, was.get(key), kept.get(key), *most),
            _ => value.clone(),
        };
        kept.insert(key.clone(), value);
    }
    for key in was.keys().filter(|key| !now.contains_key(*key)) {
        kept.remove(key);
    }
}

/// Merges the current list with entries that other programs have added since.
fn joined(now: &[Value], was: Option<&Value>, file: Option<&Value>, most: usize) -> Value {
    let entries = |list: Option<&Value>| match list {
        Some(Value::Array(list)) => list.clone(),
        _ => Vec::new(),
    };
    let (was, mut all) = (entries(was), now.to_vec());
    let others = entries(file).into_iter();
    all.extend(others.filter(|entry| !was.contains(entry) && !now.contains(entry)));
    all.truncate(most);
    Value::Array(all)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::net::CertificatePin;
    use crate::studio::watch::viewport::Viewport;

    /// A settings file with unknown values, as another version of the program may have written it.
    const OLD_SETTINGS: &str = "version = 1\nvideo = \"test\"\nfuture = [1, 2]\n\
        [target]\ncustom = true\nserver = \"rtmp://h/live\"\n\
        [player]\nvolume = 0.5\nrecent = [\"rtmp://h/live/old\", \"/home/ada/film.flv\"]\n\
        unknown = \"stays\"\nwall = [\"rtmp://h/live/w\"]\nurl = \"rtmp://h/live/last\"\n";

    #[test]
    fn only_what_was_changed_is_written_and_what_others_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        fs::write(&path, OLD_SETTINGS).unwrap();
        let (began, _) = Settings::read(&path);
        // In the meantime, another window plays something and changes the theme.
        let meanwhile =
            OLD_SETTINGS.replace("recent = [", "recent = [\"rtmp://h/live/meanwhile\", ");
        fs::write(&path, format!("{meanwhile}[window]\ntheme = \"light\"\n")).unwrap();
        let mut now = began.clone();
        now.player.balance = 0.5;
        now.recent = vec!["rtmp://h/live/new".into(), "/home/ada/film.flv".into()];
        now.recent.push("https://h/a.m3u8?token=planted".into());
        let turned: Viewport = "fill 2 90".parse().unwrap();
        now.wall = vec![("rtmp://h/live/x".into(), turned)];
        now.player.viewport = turned;
        now.watch_url = "rtmp://h/live/x".into();
        now.player.network.trust("h:443", CertificatePin::of(b"own"));
        now.player.network.route.proxy = "socks5://me:planted@p:9".into();
        now.video = None;
        now.write_player(&began, &path).unwrap();

        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("planted"), "{text}");
        let file: Table = text.parse().unwrap();
        let mut wanted: Table = OLD_SETTINGS.parse().unwrap();
        let player = wanted["player"].as_table_mut().unwrap();
        let recent = ["rtmp://h/live/new", "/home/ada/film.flv", "rtmp://h/live/meanwhile"];
        player.insert("recent".into(), recent.to_vec().into());
        player.insert("balance".into(), 0.5.into());
        player.insert("look".into(), "fill 2 90".into());
        player.insert("proxy".into(), "socks5://p:9".into());
        player
            .insert("trusted".into(), vec![format!("h:443 {}", CertificatePin::of(b"own"))].into());
        let window = Table::from_iter([("theme".to_owned(), "light".into())]);
        wanted.insert("window".into(), Value::Table(window));
        assert_eq!(file, wanted);
        let (read, _) = Settings::read(&path);
        assert_eq!((read.player.balance, read.volume), (0.5, 0.5));
        // Removed entries stay removed.
        let mut after = now.clone();
        after.player.network.route.proxy = "".into();
        after.write_player(&now, &path).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("proxy"));
    }

    #[test]
    fn a_file_is_made_where_there_is_none_and_left_alone_where_it_is_no_settings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sub/onair.toml");
        let began = Settings::default();
        let now = Settings { volume: 0.25, player_muted: true, ..began.clone() };
        now.write_player(&began, &path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!((read, warnings), (now.clone(), Vec::new()));
        fs::write(&path, "not = = toml").unwrap();
        assert!(now.write_player(&began, &path).unwrap_err().to_string().contains("TOML"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "not = = toml");
    }
}
