//! What can be asked of the players on the *Watch* page, and what is remembered of them. Up to nine
//! play side by side, each in a tile; one of them is chosen: it is heard, and the controls are its.

use std::path::PathBuf;
use std::time::Duration;

use crate::base::Latest;
use crate::media::VideoFrame;
use crate::net::{self, CertificatePin};
use crate::player::{self, Prefer};
use crate::studio::notices::TileId;
use crate::studio::targets::Route;
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::viewport::Viewport;
use crate::text::Problem;

/// Players at once, at most.
pub const MAX_TILES: usize = 9;
/// Streams that are offered again, at most.
pub const MAX_RECENT: usize = 12;
/// An address is at most this long.
pub const MAX_ADDRESS: usize = 4_096;

/// A wish about the players. Where none is named, the chosen one is meant.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchCommand {
    /// Play this too, in a separate tile.
    Add { url: String },
    /// This one is heard and controlled from here on.
    Choose(TileId),
    /// End this one and take its tile away.
    Remove(TileId),
    /// Play again what this tile played.
    Again(TileId),
    /// Hold, or continue.
    Pause(bool),
    /// Go to this place of a recording.
    Seek(Duration),
    /// Go to the place of a broadcast that is this far behind its live end.
    Rewind(Duration),
    /// Go so far ahead or back from where it is, or from the place that it is still on its way to.
    Step { by: Duration, ahead: bool },
    /// Go to the live end.
    GoToLive,
    /// Audio is heard this many milliseconds later; sooner, where negative. For all players.
    SetAvOffset(i32),
    /// Audio is heard this many milliseconds later than now.
    StepAvOffset(i32),
    /// Keep back this much to even out the network; `None`: as little as it allows. For all players.
    SetBuffer(Option<Duration>),
    /// -1 (left alone) … 1 (right alone). For all players.
    SetBalance(f32),
    /// Play on this speaker, or on the system's. For all players.
    SetSpeaker(Option<String>),
    /// Look at this one's frame so. The one that plays alone begins so again.
    SetLook(TileId, Viewport),
    /// Ask this decoder first from the next start on. For all players.
    SetDecoder(Prefer),
    /// Reach servers so from the next start on. For all players.
    SetNetwork(Network),
    /// Accept this certificate, which its server showed to this tile, and play it again.
    Trust { tile: TileId, pin: CertificatePin },
    /// Accept this certificate, which the chat's server showed, and go there again.
    TrustChat(CertificatePin),
    /// Look whether graphics hardware decodes.
    ProbeHardware,
    /// Write the frame that is shown into this PNG file.
    Snapshot(PathBuf),
    /// Write what is received from here on into this FLV file.
    Save(PathBuf),
    /// Complete that file.
    StopSaving,
    /// Say this in the chat about it.
    Say(String),
    /// The chat about what the chosen one plays is at this address; empty: where it is found on its own.
    SetChatAddress(String),
    /// Show the chat so from here on.
    SetChat(ChatChoices),
    /// Do not offer this address again.
    Forget(String),
    /// Offer none again.
    ForgetAll,
}

/// How streams are played; remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerChoices {
    /// `None`: as little as the network allows.
    pub buffer: Option<Duration>,
    pub av_offset_ms: i32,
    /// -1…1.
    pub balance: f32,
    /// `None`: the system's.
    pub speaker: Option<String>,
    /// Which decoder of frames is asked first.
    pub decoder: Prefer,
    /// How servers are reached.
    pub network: Network,
    /// How the frame of the first player is looked at.
    pub look: Viewport,
}

impl Default for PlayerChoices {
    fn default() -> Self {
        Self {
            buffer: Some(Duration::from_millis(300)),
            av_offset_ms: 0,
            balance: 0.0,
            speaker: None,
            decoder: Prefer::Own,
            network: Network::default(),
            look: Viewport::default(),
        }
    }
}

/// Servers that are trusted, at most; the oldest are forgotten.
pub const MAX_TRUSTED: usize = 64;

/// How servers are reached, and which of them are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub route: Route,
    /// A file of certificates to trust beside the system's; empty: none.
    pub ca_file: String,
    /// True if a lost connection is made again.
    pub reconnect: bool,
    /// Servers (`host:port`) whose certificate a person has accepted, the newest first.
    pub trusted: Vec<(String, CertificatePin)>,
}

impl Default for Network {
    fn default() -> Self {
        let (route, ca_file) = (Route::default(), String::new());
        Self { route, ca_file, reconnect: true, trusted: Vec::new() }
    }
}

impl Network {
    /// Accepts this certificate of a server, and no other of it.
    pub fn trust(&mut self, server: &str, pin: CertificatePin) {
        self.trusted.retain(|(known, _)| known != server);
        self.trusted.insert(0, (server.to_owned(), pin));
        self.trusted.truncate(MAX_TRUSTED);
    }

    /// The options of connections, beginning with `base`.
    ///
    /// # Errors
    /// What is wrong with what is written, in plain words without a password.
    pub fn options(&self, base: &net::Options) -> Result<net::Options, Problem> {
        let mut options = base.clone();
        self.route.apply(&mut options)?;
        let file = self.ca_file.trim();
        if !file.is_empty() {
            options.trust.ca_file = Some(file.into());
        }
        options.trust.servers.extend(self.trusted.iter().cloned());
        Ok(options)
    }
}

impl PlayerChoices {
    /// Puts them into the way streams are played.
    pub fn apply(&self, config: &mut player::Config) {
        config.buffer = self.buffer.unwrap_or(config.buffer);
        config.auto_buffer = self.buffer.is_none();
        config.av_offset_ms = self.av_offset_ms;
        config.balance = self.balance;
        config.device.clone_from(&self.speaker);
        config.decoder = self.decoder;
        config.reconnect = self.network.reconnect;
    }

    /// As streams are played.
    pub fn of(config: &player::Config) -> Self {
        Self {
            buffer: (!config.auto_buffer).then_some(config.buffer),
            av_offset_ms: config.av_offset_ms,
            balance: config.balance,
            speaker: config.device.clone(),
            decoder: config.decoder,
            network: Network { reconnect: config.reconnect, ..Network::default() },
            look: Viewport::default(),
        }
    }
}

/// The frame of a tile; two of them are alike where it is the same slot.
#[derive(Clone, Debug, Default)]
pub struct ShownFrame(pub Latest<VideoFrame>);

impl PartialEq for ShownFrame {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Returns true if an address may be written down: as far as can be told it holds no user, password or
/// token.
pub fn may_be_kept(url: &str) -> bool {
    !url.is_empty()
        && url.len() <= MAX_ADDRESS
        && !(url.contains("://") && url.contains(['?', '@', '#']))
}

/// Puts an address in front of those that are offered again.
pub fn remember(recent: &mut Vec<String>, url: &str) {
    if may_be_kept(url) {
        recent.retain(|known| known != url);
        recent.insert(0, url.to_owned());
        recent.truncate(MAX_RECENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_to_servers_begins_with_what_the_command_line_says() {
        let base = net::Options { ports: vec![443], ..net::Options::default() };
        let mut network = Network::default();
        assert_eq!(network.options(&base).unwrap(), base);
        network.route.proxy = "socks5://proxy.example:9".into();
        network.ca_file = " /etc/own.pem ".into();
        for number in 0..MAX_TRUSTED + 2 {
            network.trust(&format!("host:{number}"), CertificatePin::of(b"old"));
        }
        network.trust("host:9", CertificatePin::of(b"new"));
        assert_eq!(network.trusted.len(), MAX_TRUSTED);
        let options = network.options(&base).unwrap();
        assert_eq!((options.ports, options.proxy.unwrap().port), (vec![443], 9));
        assert_eq!(options.trust.ca_file.unwrap(), PathBuf::from("/etc/own.pem"));
        assert_eq!(options.trust.servers["host:9"], CertificatePin::of(b"new"));
        assert!(!options.trust.servers.contains_key("host:0"));
        network.route.proxy = "ftp://me:planted@h".into();
        assert!(!network.options(&base).unwrap_err().to_string().contains("planted"));
    }

    #[test]
    fn the_last_streams_are_offered_and_no_secret_is_among_them() {
        let mut recent = Vec::new();
        for number in 0..20 {
            remember(&mut recent, &format!("rtmp://host/live/{number}"));
        }
        assert_eq!(recent.len(), MAX_RECENT);
        assert_eq!(recent.first().unwrap(), "rtmp://host/live/19");
        remember(&mut recent, "rtmp://host/live/15");
        assert_eq!(recent.first().unwrap(), "rtmp://host/live/15");
        assert_eq!(recent.iter().filter(|url| url.ends_with("/15")).count(), 1);
        let before = recent.clone();
        for secret in [
            "rtmp://me:planted@host/live/show",
            "https://host/live.m3u8?token=planted",
            "https://host/live.flv#planted",
            "",
            &"x".repeat(MAX_ADDRESS + 1),
        ] {
            remember(&mut recent, secret);
        }
        assert_eq!(recent, before);
        // A file's name may look so.
        remember(&mut recent, "/home/ada/what? me@home #1.flv");
        assert!(recent.first().unwrap().starts_with("/home/ada"));
    }
}
