//! The players' part of the settings file.

use std::time::Duration;

use serde::Serialize;

use super::reader::Reader;
use crate::player::Prefer;
use crate::studio::playing::{PlayerChoices, may_be_kept};

/// The longest buffer.
pub(super) const MOST_BUFFER_MS: u64 = 10_000;

/// As it is laid out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Table {
    url: String,
    volume: f64,
    muted: bool,
    /// 0: as little as the network allows.
    buffer_ms: u64,
    av_offset_ms: i32,
    balance: f64,
    #[serde(skip_serializing_if = "String::is_empty")]
    speaker: String,
    decoder: &'static str,
    recent: Vec<String>,
    wall: Vec<String>,
}

/// Addresses: the last one, those offered again, those in tiles.
pub(super) struct Lists<'a> {
    pub(super) url: &'a str,
    pub(super) recent: &'a [String],
    pub(super) wall: &'a [String],
}

/// What is written. Addresses that may hold secrets are left out, wherever they come from.
pub(super) fn table(
    player: &PlayerChoices,
    lists: &Lists<'_>,
    volume: Option<f32>,
    muted: bool,
) -> Table {
    let buffer = player.buffer.map_or(0, |buffer| buffer.as_millis());
    let kept = |urls: &[String]| urls.iter().filter(|url| may_be_kept(url)).cloned().collect();
    Table {
        url: if may_be_kept(lists.url) { lists.url.to_owned() } else { String::new() },
        volume: f64::from(volume.unwrap_or(1.0)),
        muted,
        buffer_ms: u64::try_from(buffer).unwrap_or(0).min(MOST_BUFFER_MS),
        av_offset_ms: player.av_offset_ms,
        balance: f64::from(player.balance),
        speaker: player.speaker.clone().unwrap_or_default(),
        decoder: match player.decoder {
            Prefer::Own => "own",
            Prefer::System => "system",
        },
        recent: kept(lists.recent),
        wall: kept(lists.wall),
    }
}

/// What is read of how streams are played.
pub(super) fn read(reader: &mut Reader<'_>) -> PlayerChoices {
    let millis = reader.whole("player.buffer_ms", 0, MOST_BUFFER_MS, 300);
    let most = crate::player::MAX_AV_OFFSET_MS;
    let offset = reader.number("player.av_offset_ms", f64::from(-most), f64::from(most), 0.0);
    PlayerChoices {
        buffer: (millis > 0).then(|| Duration::from_millis(millis.max(100))),
        av_offset_ms: offset as i32,
        balance: reader.number("player.balance", -1.0, 1.0, 0.0),
        speaker: reader.text("player.speaker").filter(|id| !id.is_empty()),
        decoder: match reader.text("player.decoder").as_deref() {
            None | Some("own") => Prefer::Own,
            Some("system") => Prefer::System,
            Some(_) => {
                reader.bad("player.decoder", "it is \"own\" or \"system\"");
                Prefer::Own
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::studio::Settings;

    #[test]
    fn players_are_read_as_they_were_written_and_without_secrets() {
        let player = PlayerChoices {
            buffer: None,
            av_offset_ms: -120,
            balance: 0.5,
            speaker: Some("hdmi".into()),
            decoder: Prefer::System,
        };
        let good = vec!["rtmp://h/live/a".to_owned(), "/home/ada/film.flv".to_owned()];
        let mut settings = Settings {
            watch_url: "https://h/a.m3u8?token=planted".into(),
            recent: good.clone(),
            wall: good.clone(),
            player: player.clone(),
            ..Settings::default()
        };
        settings.recent.push("rtmp://me:planted@h/live/a".into());
        settings.wall.push("https://h/live.flv?key=planted".into());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        settings.write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("planted"));
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!((read.player, read.recent, read.wall), (player, good.clone(), good));
        assert_eq!(read.watch_url, "");
    }

    #[test]
    fn bad_values_fall_back() {
        let (read, warnings) = Settings::parse(
            "[player]\nbuffer_ms = 5\nav_offset_ms = 9000\nbalance = 7\ndecoder = \"best\"\nrecent = 3\n\
             wall = [1, \"rtmp://h/a/b\", \"rtmp://h/a/b?secret\"]",
        );
        assert_eq!(warnings.len(), 4, "{warnings:?}");
        let wanted =
            PlayerChoices { buffer: Some(Duration::from_millis(100)), ..PlayerChoices::default() };
        assert_eq!((read.player, read.recent.len()), (wanted, 0));
        assert_eq!(read.wall, ["rtmp://h/a/b"]);
    }
}
