//! The players in the settings file: `[player]`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Secret;
use crate::net::CertificatePin;
use crate::player::{MAX_AV_OFFSET_MS, Prefer};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::values::{self, is_usual, layout, within};
use crate::studio::settings::sections::all::Settings;
use crate::studio::settings::sections::targets::address;
use crate::studio::targets::Route;
use crate::studio::watch::choices::{
    MAX_RECENT_STREAMS, MAX_TILES, MAX_TRUSTED_SERVERS, may_be_kept,
};
use crate::studio::watch::viewport::Viewport;
use crate::text::problem::problem;

/// Maximum buffer in milliseconds.
const MAX_BUFFER_MS: u64 = 10_000;
/// A smaller buffer is read as this one.
const MIN_BUFFER: Duration = Duration::from_millis(100);

layout! {
    /// The layout of the table. Addresses that can contain secrets are not written.
    struct Table of Settings = Settings::default(); {
        #[serde(serialize_with = "kept_or_empty")]
        url: String = watch_url,
        #[serde(serialize_with = "values::rounded", deserialize_with = "volume")]
        volume: f32 = volume,
        muted: bool = player_muted,
        /// The buffer in milliseconds; 0 means as small as the network allows.
        #[serde(with = "buffer")]
        buffer_ms: Option<Duration> = player.buffer,
        #[serde(deserialize_with = "av_offset")]
        av_offset_ms: i32 = player.av_offset_ms,
        #[serde(serialize_with = "values::rounded", deserialize_with = "balance")]
        balance: f32 = player.balance,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "speaker")]
        speaker: Option<String> = player.speaker,
        #[serde(with = "PreferWord")]
        decoder: Prefer = player.decoder,
        /// In the file, true if playback ends at the first connection loss.
        #[serde(with = "values::not", skip_serializing_if = "Clone::clone")]
        no_reconnect: bool = player.network.reconnect,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "ports")]
        ports: String = player.network.route.ports,
        /// The proxy without user and password.
        #[serde(
            skip_serializing_if = "is_usual",
            serialize_with = "address::serialize",
            deserialize_with = "proxy"
        )]
        proxy: Secret = player.network.route.proxy,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "bind")]
        bind: String = player.network.route.bind,
        #[serde(skip_serializing_if = "is_usual", deserialize_with = "values::short_text")]
        tls_ca: String = player.network.ca_file,
        #[serde(skip_serializing_if = "is_usual", with = "trusted")]
        trusted: Vec<(String, CertificatePin)> = player.network.trusted,
        #[serde(serialize_with = "kept", deserialize_with = "recent")]
        recent: Vec<String> = recent,
        wall: Vec<String>,
        /// The viewport of the first player; another field contains the viewports of the wall, in
        /// order. Empty means the default.
        #[serde(skip_serializing_if = "is_usual", with = "values::text")]
        look: Viewport = player.viewport,
        #[serde(skip_serializing_if = "is_usual")]
        wall_looks: Vec<String>,
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Prefer", rename_all = "lowercase")]
enum PreferWord {
    Own,
    System,
}

within! {
    volume: f32 = 0.0..=1.0;
    av_offset: i32 = -MAX_AV_OFFSET_MS..=MAX_AV_OFFSET_MS, "ms";
    balance: f32 = -1.0..=1.0;
}

mod buffer {
    use super::*;

    pub fn serialize<S: Serializer>(buffer: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        let most = Duration::from_millis(MAX_BUFFER_MS);
        values::as_millis(&buffer.unwrap_or_default().min(most), to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let buffer = values::millis(from, 0..=MAX_BUFFER_MS)?;
        Ok((!buffer.is_zero()).then(|| buffer.max(MIN_BUFFER)))
    }
}

/// Reads and writes servers: the address `host:port`, a space, and the SHA-256 of the accepted
/// certificate.
mod trusted {
    use super::*;

    struct Server(String, CertificatePin);

    impl<'de> Deserialize<'de> for Server {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let text = String::deserialize(from)?;
            let known = text.split_once(' ').and_then(|(at, pin)| Some((at, pin.parse().ok()?)));
            let known = known.map(|(at, pin)| Self(at.to_owned(), pin));
            known.ok_or_else(|| values::refuse(problem!("value-pin")))
        }
    }

    pub fn serialize<S: Serializer>(
        servers: &[(String, CertificatePin)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(servers.iter().map(|(at, pin)| format!("{at} {pin}")))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(String, CertificatePin)>, D::Error> {
        let servers = Vec::<Server>::deserialize(from)?.into_iter().take(MAX_TRUSTED_SERVERS);
        Ok(servers.map(|Server(at, pin)| (at, pin)).collect())
    }
}

fn kept_or_empty<S: Serializer>(url: &str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(if may_be_kept(url) { url } else { "" })
}

fn kept<S: Serializer>(urls: &[String], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(urls.iter().filter(|url| may_be_kept(url)))
}

fn recent<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let urls = Vec::<String>::deserialize(from)?.into_iter();
    Ok(urls.filter(|url| may_be_kept(url)).take(MAX_RECENT_STREAMS).collect())
}

fn speaker<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Some(String::deserialize(from)?).filter(|id| !id.is_empty()))
}

fn ports<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    route(from, |ports| Route { ports, ..Route::default() }).map(|route| route.ports)
}

fn proxy<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    route(from, |proxy| Route { proxy: proxy.into(), ..Route::default() }).map(|route| route.proxy)
}

fn bind<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    route(from, |bind| Route { bind, ..Route::default() }).map(|route| route.bind)
}

/// Reads one part of a connection route, if it is valid.
fn route<'de, D: Deserializer<'de>>(from: D, of: fn(String) -> Route) -> Result<Route, D::Error> {
    let route = of(values::short_text(from)?);
    route.apply(&mut Default::default()).map_err(values::refuse)?;
    Ok(route)
}

impl Table {
    /// Formats the section.
    pub fn written(settings: &Settings) -> Self {
        let wall: Vec<_> = settings.wall.iter().filter(|(url, _)| may_be_kept(url)).collect();
        let looks = wall.iter().map(|(_, look)| look.to_string());
        let usual = wall.iter().all(|(_, look)| is_usual(look));
        Self {
            proxy: Secret::new(settings.player.network.route.proxy_without_password()),
            wall_looks: if usual { Vec::new() } else { looks.collect() },
            wall: wall.iter().map(|(url, _)| url.clone()).collect(),
            ..Self::of(settings)
        }
    }

    /// Sets the values of the section.
    pub fn apply(&self, settings: &mut Settings, from: &mut Document<'_>) {
        self.put(settings);
        settings.wall = wall(&self.wall, &self.wall_looks, from);
    }
}

/// Reads the streams of the tiles. A bad viewport does not shift the other viewports.
fn wall(urls: &[String], looks: &[String], from: &mut Document<'_>) -> Vec<(String, Viewport)> {
    let mut looks = looks.iter();
    let mut wall = Vec::new();
    for url in urls {
        let look = looks.next().map_or(Ok(Viewport::default()), |text| text.parse());
        let look = look.unwrap_or_else(|why| {
            from.note("player.wall_looks", &why.into());
            Viewport::default()
        });
        if may_be_kept(url) && wall.len() < MAX_TILES {
            wall.push((url.clone(), look));
        }
    }
    wall
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Rotation;
    use crate::studio::watch::choices::{Network, PlayerChoices};
    use crate::studio::watch::viewport::Aspect;

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
            viewport: Viewport {
                aspect: Aspect::Classic,
                zoom: 1.5,
                turn: Rotation::Half,
                pan: [0.25, -0.5],
            },
        };
        let looks = [Viewport::default(), Viewport { turn: Rotation::Left, ..Viewport::default() }];
        let good = vec!["rtmp://h/live/a".to_owned(), "/home/ada/film.flv".to_owned()];
        let mut settings = Settings {
            watch_url: "https://h/a.m3u8?token=planted".into(),
            recent: good.clone(),
            wall: good.iter().cloned().zip(looks).collect(),
            player: player.clone(),
            ..Settings::default()
        };
        settings.recent.push("rtmp://me:planted@h/live/a".into());
        // Inserted at the front, so that a viewport that is kept without its address would shift
        // the other viewports.
        settings.wall.insert(0, ("https://h/live.flv?key=planted".into(), player.viewport));
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
        assert_eq!(warnings.len(), 8, "{warnings:?}");
        let wanted =
            PlayerChoices { buffer: Some(Duration::from_millis(100)), ..PlayerChoices::default() };
        assert_eq!((read.player, read.recent.len()), (wanted, 0));
        assert_eq!(read.wall, [("rtmp://h/a/b".to_owned(), Viewport::default())]);
    }

    #[test]
    fn looks_are_no_part_of_older_files_and_bad_ones_fall_back() {
        let old = "[player]\nvolume = 0.5\nwall = [\"rtmp://h/a/b\", \"rtmp://h/a/c\"]";
        let (read, warnings) = Settings::parse(old);
        assert_eq!((read.player.viewport, warnings.len()), (Viewport::default(), 0));
        assert!(read.wall.iter().all(|(_, look)| *look == Viewport::default()));
        let bad = format!(
            "{old}\nlook = \"round 1 0\"\nwall_looks = [\"fit 99 0\", \"fill 2 270 -1e9 0.5\"]"
        );
        let (read, warnings) = Settings::parse(&bad);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        let second =
            Viewport { aspect: Aspect::Fill, zoom: 2.0, turn: Rotation::Left, pan: [-4.0, 0.5] };
        assert_eq!(read.player.viewport, Viewport::default());
        assert_eq!(
            read.wall.iter().map(|it| it.1).collect::<Vec<_>>(),
            [Viewport::default(), second]
        );
    }
}
