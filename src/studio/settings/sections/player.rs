//! The players' part of the settings file.

use std::time::Duration;

use serde::Serialize;

use crate::base::Secret;
use crate::player::Prefer;
use crate::studio::settings::reader::Reader;
use crate::studio::targets::Route;
use crate::studio::watch::choices::{MAX_TILES, MAX_TRUSTED, Network, PlayerChoices, may_be_kept};
use crate::studio::watch::picture_view::PictureView;

/// The longest buffer.
pub(in crate::studio::settings) const MAX_BUFFER_MS: u64 = 10_000;
/// The longest text of a way to servers.
const MAX_TEXT: usize = 4_096;

/// As it is laid out.
#[derive(Debug, Default, Serialize)]
pub(in crate::studio::settings) struct Table {
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
    /// Playing ends with the first loss.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_reconnect: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    ports: String,
    /// Without user and password.
    #[serde(skip_serializing_if = "String::is_empty")]
    proxy: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    bind: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    tls_ca: String,
    /// `host:port`, a space, and the SHA-256 of the certificate that it may show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted: Vec<String>,
    recent: Vec<String>,
    wall: Vec<String>,
    /// How the picture of the first player is looked at, and those of the wall, in its order; nothing
    /// where they are seen as they come.
    #[serde(skip_serializing_if = "String::is_empty")]
    look: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wall_looks: Vec<String>,
}

/// Addresses: the last one, those offered again, those in tiles.
pub(in crate::studio::settings) struct Lists<'a> {
    pub(in crate::studio::settings) url: &'a str,
    pub(in crate::studio::settings) recent: &'a [String],
    pub(in crate::studio::settings) wall: &'a [(String, PictureView)],
}

/// What is written. Addresses that may hold secrets are left out, wherever they come from.
pub(in crate::studio::settings) fn table(
    player: &PlayerChoices,
    lists: &Lists<'_>,
    volume: Option<f32>,
    muted: bool,
) -> Table {
    let buffer = player.buffer.map_or(0, |buffer| buffer.as_millis());
    let recent = lists.recent.iter().filter(|url| may_be_kept(url)).cloned().collect();
    let wall: Vec<_> = lists.wall.iter().filter(|(url, _)| may_be_kept(url)).collect();
    let plain = |look: &PictureView| *look == PictureView::default();
    let looks = wall.iter().map(|(_, look)| look.to_string());
    let wall_looks =
        if wall.iter().all(|(_, look)| plain(look)) { Vec::new() } else { looks.collect() };
    Table {
        url: if may_be_kept(lists.url) { lists.url.to_owned() } else { String::new() },
        volume: f64::from(volume.unwrap_or(1.0)),
        muted,
        buffer_ms: u64::try_from(buffer).unwrap_or(0).min(MAX_BUFFER_MS),
        av_offset_ms: player.av_offset_ms,
        balance: f64::from(player.balance),
        speaker: player.speaker.clone().unwrap_or_default(),
        decoder: match player.decoder {
            Prefer::Own => "own",
            Prefer::System => "system",
        },
        no_reconnect: !player.network.reconnect,
        ports: player.network.route.ports.clone(),
        proxy: player.network.route.proxy_without_password(),
        bind: player.network.route.bind.clone(),
        tls_ca: player.network.ca_file.clone(),
        trusted: player.network.trusted.iter().map(|(at, pin)| format!("{at} {pin}")).collect(),
        recent,
        wall: wall.iter().map(|(url, _)| url.clone()).collect(),
        look: if plain(&player.look) { String::new() } else { player.look.to_string() },
        wall_looks,
    }
}

/// How servers are reached. What makes no sense is as if it were not there.
fn network(reader: &mut Reader<'_>) -> Network {
    let mut text = |path| {
        let text = reader.text(path).unwrap_or_default();
        text.chars().take(MAX_TEXT).collect::<String>()
    };
    let route = Route {
        ports: text("player.ports"),
        proxy: Secret::new(text("player.proxy")),
        bind: text("player.bind"),
    };
    let ca_file = text("player.tls_ca");
    let route = match route.apply(&mut Default::default()) {
        Ok(()) => route,
        Err(why) => {
            reader.bad("player.proxy, player.ports, player.bind", &why);
            Route::default()
        }
    };
    let mut trusted = Vec::new();
    for entry in reader.list("player.trusted").iter().take(MAX_TRUSTED) {
        match entry.split_once(' ').and_then(|(at, pin)| Some((at.to_owned(), pin.parse().ok()?))) {
            Some(known) => trusted.push(known),
            None => reader.bad("player.trusted", "an entry is a host:port and a SHA-256"),
        }
    }
    Network { route, ca_file, reconnect: !reader.flag("player.no_reconnect"), trusted }
}

/// What the tiles played, without addresses that may not have been written down.
pub(in crate::studio::settings) fn wall(reader: &mut Reader<'_>) -> Vec<(String, PictureView)> {
    let (urls, looks) = (reader.list("player.wall"), reader.list("player.wall_looks"));
    let mut looks = looks.iter().take(MAX_TILES).map(|text| text.parse::<PictureView>());
    let mut wall = Vec::new();
    for url in urls {
        let look =
            looks.next().unwrap_or_else(|| Ok(PictureView::default())).unwrap_or_else(|why| {
                reader.bad("player.wall_looks", why);
                PictureView::default()
            });
        if may_be_kept(&url) && wall.len() < MAX_TILES {
            wall.push((url, look));
        }
    }
    wall
}

/// What is read of how streams are played.
pub(in crate::studio::settings) fn read(reader: &mut Reader<'_>) -> PlayerChoices {
    let millis = reader.whole("player.buffer_ms", 0, MAX_BUFFER_MS, 300);
    let most = crate::player::MAX_AV_OFFSET_MS;
    let offset = reader.number("player.av_offset_ms", f64::from(-most), f64::from(most), 0.0);
    let network = network(reader);
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
        network,
        look: match reader.text("player.look").as_deref().map(str::parse) {
            None => PictureView::default(),
            Some(Ok(look)) => look,
            Some(Err(why)) => {
                reader.bad("player.look", why);
                PictureView::default()
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::studio::settings::Settings;
    use crate::studio::watch::picture_view::{Aspect, Rotation};

    #[test]
    fn players_are_read_as_they_were_written_and_without_secrets() {
        let player = PlayerChoices {
            buffer: None,
            av_offset_ms: -120,
            balance: 0.5,
            speaker: Some("hdmi".into()),
            decoder: Prefer::System,
            network: Network {
                route: Route {
                    ports: "1935, 443".into(),
                    proxy: "socks5://me:planted@proxy.example:9".into(),
                    bind: "127.0.0.1".into(),
                },
                ca_file: "/etc/own.pem".into(),
                reconnect: false,
                trusted: vec![("h:443".into(), crate::net::CertificatePin::of(b"own"))],
            },
            look: PictureView {
                aspect: Aspect::Classic,
                zoom: 1.5,
                turn: Rotation::Half,
                pan: [0.25, -0.5],
            },
        };
        let looks = [
            PictureView::default(),
            PictureView { turn: Rotation::Left, ..PictureView::default() },
        ];
        let good = vec!["rtmp://h/live/a".to_owned(), "/home/ada/film.flv".to_owned()];
        let mut settings = Settings {
            watch_url: "https://h/a.m3u8?token=planted".into(),
            recent: good.clone(),
            wall: good.iter().cloned().zip(looks).collect(),
            player: player.clone(),
            ..Settings::default()
        };
        settings.recent.push("rtmp://me:planted@h/live/a".into());
        // In front, so that a look that stays behind without its address would shift the others.
        settings.wall.insert(0, ("https://h/live.flv?key=planted".into(), player.look));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair.toml");
        settings.write(&path).unwrap();
        assert!(!std::fs::read_to_string(&path).unwrap().contains("planted"));
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        let mut wanted = player;
        wanted.network.route.proxy = "socks5://proxy.example:9".into();
        let wall: Vec<_> = good.iter().cloned().zip(looks).collect();
        assert_eq!((read.player, read.recent, read.wall), (wanted, good, wall));
        assert_eq!(read.watch_url, "");
    }

    #[test]
    fn bad_values_fall_back() {
        let (read, warnings) = Settings::parse(
            "[player]\nbuffer_ms = 5\nav_offset_ms = 9000\nbalance = 7\ndecoder = \"best\"\nrecent = 3\n\
             proxy = \"ftp://h\"\ntrusted = [\"h:1 zz\", \"h\"]\nwall = [1, \"rtmp://h/a/b\", \"rtmp://h/a/b?secret\"]",
        );
        assert_eq!(warnings.len(), 7, "{warnings:?}");
        let wanted =
            PlayerChoices { buffer: Some(Duration::from_millis(100)), ..PlayerChoices::default() };
        assert_eq!((read.player, read.recent.len()), (wanted, 0));
        assert_eq!(read.wall, [("rtmp://h/a/b".to_owned(), PictureView::default())]);
    }

    #[test]
    fn looks_are_no_part_of_older_files_and_bad_ones_fall_back() {
        let old = "[player]\nvolume = 0.5\nwall = [\"rtmp://h/a/b\", \"rtmp://h/a/c\"]";
        let (read, warnings) = Settings::parse(old);
        assert_eq!((read.player.look, warnings.len()), (PictureView::default(), 0));
        assert!(read.wall.iter().all(|(_, look)| *look == PictureView::default()));
        let bad = format!(
            "{old}\nlook = \"round 1 0\"\nwall_looks = [\"fit 99 0\", \"fill 2 270 -1e9 0.5\"]"
        );
        let (read, warnings) = Settings::parse(&bad);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        let second =
            PictureView { aspect: Aspect::Fill, zoom: 2.0, turn: Rotation::Left, pan: [-4.0, 0.5] };
        assert_eq!(read.player.look, PictureView::default());
        assert_eq!(
            read.wall.iter().map(|it| it.1).collect::<Vec<_>>(),
            [PictureView::default(), second]
        );
    }
}
