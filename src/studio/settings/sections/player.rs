//! The players in the settings file: `[player]`.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Secret;
use crate::net::CertificatePin;
use crate::player::{MAX_AV_OFFSET_MS, Prefer};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::values::{self, within};
use crate::studio::targets::Route;
use crate::studio::watch::choices::{
    MAX_RECENT_STREAMS, MAX_TILES, MAX_TRUSTED_SERVERS, Network, PlayerChoices, may_be_kept,
};
use crate::studio::watch::viewport::Viewport;
use crate::text::problem::problem;

/// Maximum buffer in milliseconds.
pub(in crate::studio::settings) const MAX_BUFFER_MS: u64 = 10_000;

/// The saved state of the players.
#[derive(Debug, Default)]
pub(in crate::studio::settings) struct RememberedPlayer {
    pub(in crate::studio::settings) choices: PlayerChoices,
    pub(in crate::studio::settings) volume: Option<f32>,
    pub(in crate::studio::settings) muted: bool,
    pub(in crate::studio::settings) url: String,
    pub(in crate::studio::settings) recent: Vec<String>,
    pub(in crate::studio::settings) wall: Vec<(String, Viewport)>,
}

/// The layout of the table.
#[derive(Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::studio::settings) struct Table {
    url: String,
    #[serde(serialize_with = "values::rounded", deserialize_with = "volume")]
    volume: f32,
    muted: bool,
    /// The buffer in milliseconds; 0 means as small as the network allows.
    #[serde(deserialize_with = "buffer")]
    buffer_ms: u64,
    #[serde(deserialize_with = "av_offset")]
    av_offset_ms: i32,
    #[serde(serialize_with = "values::rounded", deserialize_with = "balance")]
    balance: f32,
    #[serde(skip_serializing_if = "String::is_empty")]
    speaker: String,
    #[serde(with = "PreferWord")]
    decoder: Prefer,
    /// True if playback ends at the first connection loss.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_reconnect: bool,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "ports")]
    ports: String,
    /// The proxy without user and password.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "proxy")]
    proxy: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "bind")]
    bind: String,
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "values::short_text")]
    tls_ca: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trusted: Vec<TrustedServer>,
    recent: Vec<String>,
    wall: Vec<String>,
    /// The viewport of the first player; another field contains the viewports of the wall, in
    /// order. Empty means the default.
    #[serde(with = "values::text", skip_serializing_if = "is_plain")]
    look: Viewport,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wall_looks: Vec<String>,
}

impl Default for Table {
    fn default() -> Self {
        Self::of(&RememberedPlayer::default())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Prefer", rename_all = "lowercase")]
enum PreferWord {
    Own,
    System,
}

/// The address `host:port`, a space, and the SHA-256 of the accepted certificate.
#[derive(Debug)]
struct TrustedServer(String, CertificatePin);

impl Serialize for TrustedServer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{} {}", self.0, self.1))
    }
}

impl<'de> Deserialize<'de> for TrustedServer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let known = text.split_once(' ').and_then(|(at, pin)| Some((at, pin.parse().ok()?)));
        let known = known.map(|(at, pin)| Self(at.to_owned(), pin));
        known.ok_or_else(|| values::refuse(problem!("value-pin")))
    }
}

within! {
    volume: f32 = 0.0..=1.0;
    buffer: u64 = 0..=MAX_BUFFER_MS, "ms";
    av_offset: i32 = -MAX_AV_OFFSET_MS..=MAX_AV_OFFSET_MS, "ms";
    balance: f32 = -1.0..=1.0;
}

fn ports<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    route(from, |ports| Route { ports, ..Route::default() })
}

fn proxy<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    route(from, |proxy| Route { proxy: Secret::new(proxy), ..Route::default() })
}

fn bind<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    route(from, |bind| Route { bind, ..Route::default() })
}

/// Reads one part of a connection route, if it is valid.
fn route<'de, D: Deserializer<'de>>(from: D, of: fn(String) -> Route) -> Result<String, D::Error> {
    let text: String = values::short_text(from)?;
    of(text.clone()).apply(&mut Default::default()).map_err(Error::custom)?;
    Ok(text)
}

fn is_plain(look: &Viewport) -> bool {
    *look == Viewport::default()
}

impl Table {
    /// Converts the saved state to the written form. Addresses that can contain secrets are
    /// dropped.
    pub(in crate::studio::settings) fn of(player: &RememberedPlayer) -> Self {
        let PlayerChoices { buffer, av_offset_ms, balance, speaker, decoder, network, look } =
            player.choices.clone();
        let url = Some(player.url.clone()).filter(|url| may_be_kept(url));
        let wall: Vec<_> = player.wall.iter().filter(|(url, _)| may_be_kept(url)).collect();
        let looks = wall.iter().map(|(_, look)| look.to_string());
        let wall_looks =
            if wall.iter().all(|(_, look)| is_plain(look)) { Vec::new() } else { looks.collect() };
        let buffer_ms =
            buffer.map_or(0, |buffer| buffer.as_millis().min(u128::from(MAX_BUFFER_MS)));
        Self {
            url: url.unwrap_or_default(),
            volume: player.volume.unwrap_or(1.0),
            muted: player.muted,
            buffer_ms: buffer_ms as u64,
            av_offset_ms,
            balance,
            speaker: speaker.unwrap_or_default(),
            decoder,
            no_reconnect: !network.reconnect,
            proxy: network.route.proxy_without_password(),
            ports: network.route.ports,
            bind: network.route.bind,
            tls_ca: network.ca_file,
            trusted: network.trusted.into_iter().map(|(at, pin)| TrustedServer(at, pin)).collect(),
            recent: player.recent.iter().filter(|url| may_be_kept(url)).cloned().collect(),
            wall: wall.into_iter().map(|(url, _)| url.clone()).collect(),
            look,
            wall_looks,
        }
    }

    /// Converts the written form to the saved state, without addresses that must not be saved.
    pub(in crate::studio::settings) fn checked(self, from: &mut Document<'_>) -> RememberedPlayer {
        let recent = self.recent.into_iter().filter(|url| may_be_kept(url));
        let trusted = self.trusted.into_iter().take(MAX_TRUSTED_SERVERS);
        let choices = PlayerChoices {
            buffer: (self.buffer_ms > 0).then(|| Duration::from_millis(self.buffer_ms.max(100))),
            av_offset_ms: self.av_offset_ms,
            balance: self.balance,
            speaker: Some(self.speaker).filter(|id| !id.is_empty()),
            decoder: self.decoder,
            network: Network {
                route: Route { ports: self.ports, proxy: Secret::new(self.proxy), bind: self.bind },
                ca_file: self.tls_ca,
                reconnect: !self.no_reconnect,
                trusted: trusted.map(|TrustedServer(at, pin)| (at, pin)).collect(),
            },
            look: self.look,
        };
        RememberedPlayer {
            choices,
            volume: Some(self.volume),
            muted: self.muted,
            url: self.url,
            recent: recent.take(MAX_RECENT_STREAMS).collect(),
            wall: wall(&self.wall, &self.wall_looks, from),
        }
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
    use crate::studio::settings::Settings;
    use crate::studio::watch::choices::Network;
    use crate::studio::watch::viewport::{Aspect, Rotation};

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
            look: Viewport {
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
        assert_eq!((read.player.look, warnings.len()), (Viewport::default(), 0));
        assert!(read.wall.iter().all(|(_, look)| *look == Viewport::default()));
        let bad = format!(
            "{old}\nlook = \"round 1 0\"\nwall_looks = [\"fit 99 0\", \"fill 2 270 -1e9 0.5\"]"
        );
        let (read, warnings) = Settings::parse(&bad);
        assert_eq!(warnings.len(), 2, "{warnings:?}");
        let second =
            Viewport { aspect: Aspect::Fill, zoom: 2.0, turn: Rotation::Left, pan: [-4.0, 0.5] };
        assert_eq!(read.player.look, Viewport::default());
        assert_eq!(
            read.wall.iter().map(|it| it.1).collect::<Vec<_>>(),
            [Viewport::default(), second]
        );
    }
}
