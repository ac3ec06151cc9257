//! The commands for the players on the *Watch* page, and their saved options. Up to nine play side
//! by side, each in a tile. One of them is selected: it is audible, and the controls apply to it.

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

/// Maximum number of simultaneous players.
pub const MAX_TILES: usize = 9;
/// Maximum number of recent streams.
pub const MAX_RECENT_STREAMS: usize = 12;
/// Maximum length of an address.
pub const MAX_ADDRESS_LENGTH: usize = 4_096;
/// The schemes of the addresses that players open, without those of local files.
pub const PLAYABLE_SCHEMES: [&str; 9] =
    ["rtmp", "rtmps", "rtmpt", "rtmpts", "http", "https", "ws", "wss", "srt"];

/// A command for the players. If no tile is named, the command applies to the selected one.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchCommand {
    /// Plays this stream too, in a separate tile.
    Add { url: String },
    /// Selects this player, which becomes audible.
    Choose(TileId),
    /// Ends this player and removes its tile.
    Remove(TileId),
    /// Plays the stream of this tile again.
    Again(TileId),
    /// Pauses or resumes.
    Pause(bool),
    /// Seeks to this position of a recording.
    Seek(Duration),
    /// Seeks to the position of a broadcast that is this far behind its live edge.
    SeekBehindLive(Duration),
    /// Seeks forward or backward from the current position, or from the target of a pending seek.
    Step { by: Duration, ahead: bool },
    /// Seeks to the live edge.
    GoToLive,
    /// Delays the audio by this many milliseconds; negative values advance it. The delay applies to
    /// all players.
    SetAvOffset(i32),
    /// Changes the audio delay by this many milliseconds.
    StepAvOffset(i32),
    /// Sets the buffer that evens out network jitter; `None` means as small as the network allows.
    /// The buffer applies to all players.
    SetBuffer(Option<Duration>),
    /// Sets the balance, from -1 (only left) to 1 (only right). The balance applies to all players.
    SetBalance(f32),
    /// Plays on this speaker, or on the system's default. The speaker applies to all players.
    SetSpeaker(Option<String>),
    /// Sets the viewport of this player. The viewport of a single player is saved.
    SetViewport(TileId, Viewport),
    /// Tries this decoder first from the next start of playback on. The choice applies to all
    /// players.
    SetDecoder(Prefer),
    /// Sets the network options from the next connection on. They apply to all players.
    SetNetwork(Network),
    /// Accepts this certificate, which the server presented to this tile, and plays it again.
    Trust { tile: TileId, pin: CertificatePin },
    /// Accepts this certificate, which the chat's server presented, and connects again.
    TrustChat(CertificatePin),
    /// Checks whether graphics hardware can decode.
    ProbeHardware,
    /// Writes the displayed frame to this PNG file.
    Screenshot(PathBuf),
    /// Writes the received data from now on to this FLV file.
    Save(PathBuf),
    /// Finalizes the file of [`Save`](Self::Save).
    StopSaving,
    /// Sends this text to the chat of the stream.
    Say(String),
    /// Sets the chat address for the stream of the selected player; empty means that it is found
    /// automatically.
    SetChatAddress(String),
    /// Sets the display options of the chat.
    SetChat(ChatChoices),
    /// Removes this address from the recent ones.
    Forget(String),
    /// Removes all recent addresses.
    ForgetAll,
}

/// The playback options, which are saved.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerChoices {
    /// The buffer; `None` means as small as the network allows.
    pub buffer: Option<Duration>,
    pub av_offset_ms: i32,
    /// The balance, -1…1.
    pub balance: f32,
    /// The speaker; `None` means the system's default.
    pub speaker: Option<String>,
    /// The video decoder that is tried first.
    pub decoder: Prefer,
    /// The network options.
    pub network: Network,
    /// The viewport of the first player.
    pub viewport: Viewport,
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
            viewport: Viewport::default(),
        }
    }
}

/// Maximum number of trusted servers; the oldest are dropped.
pub const MAX_TRUSTED_SERVERS: usize = 64;

/// The network options, and the trusted servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    pub route: Route,
    /// A file of certificates to trust in addition to the system's; empty means none.
    pub ca_file: String,
    /// True if a lost connection is restored.
    pub reconnect: bool,
    /// Servers (`host:port`) whose certificate the user has accepted, the newest first.
    pub trusted: Vec<(String, CertificatePin)>,
}

impl Default for Network {
    fn default() -> Self {
        let (route, ca_file) = (Route::default(), String::new());
        Self { route, ca_file, reconnect: true, trusted: Vec::new() }
    }
}

impl Network {
    /// Accepts only this certificate from a server.
    pub fn trust(&mut self, server: &str, pin: CertificatePin) {
        self.trusted.retain(|(known, _)| known != server);
        self.trusted.insert(0, (server.to_owned(), pin));
        self.trusted.truncate(MAX_TRUSTED_SERVERS);
    }

    /// Returns the options of connections, based on `base`.
    ///
    /// # Errors
    /// Fails with the problem of a value, without a password.
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
    /// Applies these options to the configuration of a player.
    pub fn apply(&self, config: &mut player::Config) {
        config.buffer = self.buffer.unwrap_or(player::INITIAL_AUTO_BUFFER);
        config.auto_buffer = self.buffer.is_none();
        config.av_offset_ms = self.av_offset_ms;
        config.balance = self.balance;
        config.device.clone_from(&self.speaker);
        config.decoder = self.decoder;
        config.reconnect = self.network.reconnect;
    }

    /// Reads the options from the configuration of a player.
    pub fn of(config: &player::Config) -> Self {
        Self {
            buffer: (!config.auto_buffer).then_some(config.buffer),
            av_offset_ms: config.av_offset_ms,
            balance: config.balance,
            speaker: config.device.clone(),
            decoder: config.decoder,
            network: Network { reconnect: config.reconnect, ..Network::default() },
            viewport: Viewport::default(),
        }
    }
}

/// The frames of a tile. Any two values count as equal, so that a new frame is no change of a tile.
#[derive(Clone, Debug, Default)]
pub struct ShownFrame(pub Latest<VideoFrame>);

impl PartialEq for ShownFrame {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Returns true if an address may be saved: it contains no apparent user, password or token.
pub fn may_be_kept(url: &str) -> bool {
    !url.is_empty()
        && url.len() <= MAX_ADDRESS_LENGTH
        && !(url.contains("://") && url.contains(['?', '@', '#']))
}

/// Returns the scheme of an address if players open such addresses.
pub fn scheme_of(address: &str) -> Option<&'static str> {
    let (scheme, _) = address.split_once("://")?;
    PLAYABLE_SCHEMES.into_iter().find(|known| known.eq_ignore_ascii_case(scheme))
}

/// Returns true if the viewer monitor can play an address with this scheme and host.
pub fn may_be_played(address: &str) -> bool {
    let host = address.split_once("://").and_then(|(_, rest)| rest.split(['/', '?']).next());
    scheme_of(address).is_some()
        && host.is_some_and(|host| !host.is_empty())
        && !address.contains(char::is_whitespace)
}

/// Adds an address at the front of the recent ones.
pub fn remember(recent: &mut Vec<String>, url: &str) {
    if may_be_kept(url) {
        recent.retain(|known| known != url);
        recent.insert(0, url.to_owned());
        recent.truncate(MAX_RECENT_STREAMS);
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
        for number in 0..MAX_TRUSTED_SERVERS + 2 {
            network.trust(&format!("host:{number}"), CertificatePin::of(b"old"));
        }
        network.trust("host:9", CertificatePin::of(b"new"));
        assert_eq!(network.trusted.len(), MAX_TRUSTED_SERVERS);
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
        assert_eq!(recent.len(), MAX_RECENT_STREAMS);
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
            &"x".repeat(MAX_ADDRESS_LENGTH + 1),
        ] {
            remember(&mut recent, secret);
        }
        assert_eq!(recent, before);
        // The name of a file may have this form.
        remember(&mut recent, "/home/ada/what? me@home #1.flv");
        assert!(recent.first().unwrap().starts_with("/home/ada"));
    }
}
