//! The flags of `onair serve`. The file is long because clap reads all flags from one structure.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::cli::flags::value::whole;
use crate::cli::serve::access::OTHER_APPS;
use crate::cli::serve::tls::acme_values::{check_directory, check_email, check_together};
use crate::cli::serve::values::{
    self, KEEP_TIME_RANGE, MAX_CONNECTIONS_RANGE, MAX_PER_ADDRESS_RANGE, MAX_STREAMS_RANGE,
    RuleValues, SPLIT_TIME_RANGE, number, within,
};
use crate::net::connect::network::Network;
use crate::net::listener::inherited;
use crate::net::tls::acme::domain::check_domain;
use crate::server::access::Action;
use crate::server::access::limits::DEFAULT_MAX_CONNECTIONS;
use crate::server::config::DEFAULT_RTMP_PORT;
use crate::server::hls::{self, Mode, Settings};
use crate::server::relay::RelayTarget;
use crate::server::renditions::{Ladder, LadderRule, Ladders, Watermark};
use crate::server::{ChatRules, Fault, HttpSuccessor, IceServer, Limits, MAX_SLOW_MODE_INTERVAL};
use crate::studio::settings::check_successor;
use crate::studio::targets::sharing::{accepts, check_host, check_origin};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::blocked_words::BlockedWords;
use crate::wire::container::Format;

/// The address for HTTP.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Http {
    At(SocketAddr),
    None,
}

impl FromStr for Http {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "none" => Ok(Self::None),
            address => address.parse().map(Self::At).map_err(|_| problem!("serve-http-address")),
        }
    }
}

/// The address for WebRTC.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum WebRtc {
    At(SocketAddr),
    None,
}

impl FromStr for WebRtc {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "none" => Ok(Self::None),
            address => address.parse().map(Self::At).map_err(|_| problem!("serve-webrtc-address")),
        }
    }
}

/// Parses the address in `--push` or `--pull`.
///
/// # Errors
/// Fails if the address is invalid, or names one fixed stream.
pub(super) fn relay_target(text: &str) -> Result<RelayTarget, Problem> {
    let target = RelayTarget::parse(text, None)?;
    if target.has_fixed_name() { Err(problem!("relay-one-name")) } else { Ok(target) }
}

/// Parses the HLS mode.
///
/// # Errors
/// Fails if the mode is unknown.
pub(super) fn hls_mode(text: &str) -> Result<Mode, Problem> {
    match text {
        "on-demand" => Ok(Mode::OnDemand),
        "always" => Ok(Mode::Always),
        "off" => Ok(Mode::Off),
        _ => Err(problem!("serve-hls-mode")),
    }
}

/// The range of the time for which a token is valid.
const TOKEN_TIME_RANGE: (Duration, Duration) =
    (Duration::from_secs(1), Duration::from_hours(366 * 24));

/// The range of slow mode.
pub(super) const SLOW_MODE_RANGE: (Duration, Duration) = (Duration::ZERO, MAX_SLOW_MODE_INTERVAL);

/// Makes a signed token, for `?token=…`.
#[derive(Clone, Debug, clap::Args)]
pub struct TokenArgs {
    /// Configuration file of the server, with the secret in `[tokens]`
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// Stream that the token gives access to, as APP/STREAM. `*` matches any text without a slash, and `**` any text
    #[arg(long, value_name = "APP/STREAM", value_parser = values::subject)]
    pub sub: String,
    /// What the token allows: `play` or `publish` (repeatable)
    #[arg(long, value_name = "ACTION", value_parser = action, default_value = "play")]
    pub act: Vec<Action>,
    /// Time until the token expires
    #[arg(
        long = "for",
        value_name = "DURATION",
        value_parser = |text: &str| within(text, TOKEN_TIME_RANGE),
        default_value = "1h"
    )]
    pub lasting: Duration,
    /// Address or network that may use the token (repeatable) [default: any address]
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<Network>,
}

fn action(text: &str) -> Result<Action, Problem> {
    match text {
        "play" => Ok(Action::Play),
        "publish" => Ok(Action::Publish),
        _ => Err(problem!("value-none-of", known = "play, publish")),
    }
}

/// Reads a percentage.
pub(super) fn percent(text: &str) -> Result<u32, Problem> {
    let (least, most) = (1, 100);
    let number = text.parse::<u32>().ok().filter(|it| (least..=most).contains(it));
    number.ok_or_else(|| problem!("rendition-cpu-range", least = least, most = most))
}

/// Commands below `onair serve`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum ServeCommand {
    /// Make a signed token that gives access to a stream for a limited time
    Token(TokenArgs),
}

/// Flags of `onair serve`.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    pub command: Option<ServeCommand>,
    /// Address for RTMP publishing and playback. Port 0 picks a free port
    /// [default: 127.0.0.1:1935, or the next free port]
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub rtmp: Option<SocketAddr>,
    /// Address for HTTP: viewer pages, operator page, HLS, DASH, HTTP-FLV, WebSocket-FLV, chats, JSON and
    /// Prometheus metrics, and a health check (docs/reference/events.md has the paths). Port 0 picks a
    /// free port. `none` turns HTTP off [default: 127.0.0.1:8088, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub http: Option<Http>,
    /// Host name that browsers and tunnels may use for the server, in addition to its addresses and
    /// localhost (repeatable)
    #[arg(long, value_name = "HOST", value_parser = check_host)]
    pub name: Vec<String>,
    /// Origin whose pages may read from --http, such as `https://example.com`, or `*` for all
    /// (repeatable). The server's own pages may always read
    #[arg(long, value_name = "ORIGIN", value_parser = check_origin)]
    pub cors: Vec<String>,
    /// Address for RTMP over TLS, which needs --cert and --cert-key. Port 0 picks a free port
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub rtmps: Option<SocketAddr>,
    /// Address for HTTPS (HTTP/1.1 and HTTP/2), with the same pages and streams as --http. Without --cert, the server
    /// makes its own certificate, keeps it, and names its fingerprint. Port 0 picks a free port
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub https: Option<SocketAddr>,
    /// Redirect HTTP clients to --https, except for /healthz, /readyz and /metrics
    #[arg(long)]
    pub https_redirect: bool,
    /// When to generate HLS and DASH (http://HOST/APP/STREAM.m3u8 and .mpd, low latency): `on-demand`, while somebody
    /// watches; `always`, so that the first viewer does not wait; `off` [default: on-demand]
    #[arg(long, value_name = "WHEN", value_parser = hls_mode)]
    pub hls: Option<Mode>,
    /// Maximum length of an HLS part, 100ms to 2s. Low-latency players stay three parts behind live [default: 350ms]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = |text: &str| within(text, Settings::PART_DURATION_RANGE)
    )]
    pub hls_part: Option<Duration>,
    /// Minimum length of an HLS segment, 1s to 10s. A segment ends at the first keyframe after this time. Other players
    /// stay three segments behind live [default: 2s]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = |text: &str| within(text, Settings::SEGMENT_DURATION_RANGE)
    )]
    pub hls_segment: Option<Duration>,
    /// Length of the HLS playlist, 6s to 5m. The server keeps twice as much in memory, at most 96 MiB per stream
    /// [default: 20s]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = |text: &str| within(text, Settings::WINDOW_DURATION_RANGE)
    )]
    pub hls_window: Option<Duration>,
    /// Renditions of every stream, such as `720p:2500k,480p:1200k,audio`: heights with their bitrates, and `audio` for
    /// audio only. The server encodes a rendition only while somebody watches it, over HLS, DASH or WHEP
    #[arg(long, value_name = "LIST")]
    pub renditions: Option<Ladder>,
    /// Maximum number of renditions that the server encodes at the same time [default: four per core;
    /// without --renditions, one per two cores]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<usize>)]
    pub renditions_limit: Option<usize>,
    /// Maximum CPU usage in percent, 1 to 100. The server starts no rendition that would exceed this
    /// usage. 100 means no limit [default: 90]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub renditions_cpu: Option<u32>,
    /// UDP and TCP address for WebRTC. Players use http://HOST/APP/STREAM/whep (WHEP), with a delay of about 0.1 s.
    /// OBS, FFmpeg and browsers publish to http://HOST/APP/STREAM/whip (WHIP). They must be able to reach this
    /// address. Port 0 picks a free port. `none` turns WHEP and WHIP off [default: 127.0.0.1:8189, or the next free port]
    #[arg(long, value_name = "ADDR")]
    pub webrtc: Option<WebRtc>,
    /// UDP address for SRT. Publishers use the stream id `publish:APP/STREAM` or `#!::r=APP/STREAM,m=publish`, players
    /// `read:APP/STREAM` or `#!::r=APP/STREAM`. Port 0 picks a free port [default: off]
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub srt: Option<SocketAddr>,
    /// File that contains, on its first line, the passphrase that all SRT clients need (10 to 79 characters)
    #[arg(long, value_name = "FILE")]
    pub srt_passphrase_file: Option<PathBuf>,
    /// Additional address at which viewers reach the port of --webrtc, such as the public address of a router
    /// (repeatable)
    #[arg(long, value_name = "IP", value_parser = values::ip)]
    pub webrtc_address: Vec<IpAddr>,
    /// STUN server for WebRTC viewers, such as `stun:stun.example.com:3478` (repeatable). In the --config file,
    /// `[[ice_server]]` can also specify TURN servers
    #[arg(long, value_name = "URL", value_parser = |text: &str| IceServer::new(text, None))]
    pub ice_server: Vec<IceServer>,
    /// Let studios and their guests meet at this server: `onair live --guests N --meet URL` with the same key, which this
    /// environment variable contains. Guests and studios need --https or a proxy with TLS
    #[arg(long, value_name = "NAME", conflicts_with = "meet_key_file")]
    pub meet_key_env: Option<String>,
    /// File that contains, on its first line, the key for studios that meet their guests at this server
    #[arg(long, value_name = "FILE")]
    pub meet_key_file: Option<PathBuf>,
    /// Slow mode for chats: how long each viewer must wait between two messages, up to 10m
    /// [default: 0s, which means off]
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| within(text, SLOW_MODE_RANGE))]
    pub chat_slow: Option<Duration>,
    /// Blocked words of the chats; only in the file of --config
    #[arg(skip)]
    pub blocked_words: Vec<String>,
    /// Maximum number of connections, 64 to 65536. Each connection needs a file descriptor. If the system
    /// allows fewer, the server accepts fewer connections [default: 4096]
    #[arg(
        long,
        value_name = "NUMBER",
        value_parser = |text: &str| number(text, MAX_CONNECTIONS_RANGE)
    )]
    pub max_connections: Option<usize>,
    /// Maximum number of connections from one address, 1 to 65536. Loopback addresses have no limit [default: 1024]
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| number(text, MAX_PER_ADDRESS_RANGE))]
    pub max_per_address: Option<usize>,
    /// Maximum number of streams at the same time, 1 to 4096 [default: 256]
    #[arg(long, value_name = "NUMBER", value_parser = |text: &str| number(text, MAX_STREAMS_RANGE))]
    pub max_streams: Option<usize>,
    /// Additional address for RTMP tunneled through HTTP (RTMPT). --rtmp and, with TLS, --rtmps
    /// also accept RTMPT
    #[arg(long, value_name = "ADDR", value_parser = values::address)]
    pub rtmpt: Option<SocketAddr>,
    /// Get the certificate for this domain from an authority (repeatable), which must reach --https at port 443 or --http
    /// at port 80 of the domain. With this flag, you agree to the authority's terms of service
    #[arg(long, value_name = "DOMAIN", value_parser = check_domain)]
    pub acme: Vec<String>,
    /// Directory of the authority for --acme [default: Let's Encrypt]
    #[arg(long, value_name = "URL", value_parser = check_directory)]
    pub acme_directory: Option<String>,
    /// Address to which the authority for --acme may write
    #[arg(long, value_name = "ADDRESS", value_parser = check_email)]
    pub acme_email: Option<String>,
    /// Certificates (PEM) that --acme trusts besides those of the system, for an authority of your own
    #[arg(long, value_name = "FILE")]
    pub acme_ca: Option<PathBuf>,
    /// Certificate chain for --rtmps and --https, the server's certificate first (PEM, or DER). If the file
    /// changes, new clients get the new certificate
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert_key: Option<PathBuf>,
    /// Record every published stream to files in this folder, at most 64 streams at the same time.
    /// The --config file can limit recording to some streams (`[[record_rule]]`)
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Format of the recordings: flv, or mp4 (fragmented, so that a crash loses at most a second)
    /// [default: flv]
    #[arg(long, value_name = "FORMAT", value_parser = values::format)]
    pub record_format: Option<Format>,
    /// Continue each recording in a new file after this duration, at a keyframe [default: no limit.
    /// With --keep-time or --keep-size, and without --split-size: at most 12h]
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| within(text, SPLIT_TIME_RANGE))]
    pub split_time: Option<Duration>,
    /// Continue each recording in a new file before the file exceeds this size, such as 700M or 2G
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub split_size: Option<u64>,
    /// Delete recordings that are older than this, such as 48h or 30d [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| within(text, KEEP_TIME_RANGE))]
    pub keep_time: Option<Duration>,
    /// Delete the oldest recordings when all recordings together exceed this size, such as 200G
    /// [default: no limit]
    #[arg(long, value_name = "SIZE", value_parser = values::size)]
    pub keep_size: Option<u64>,
    /// Let viewers of a stream also play its recordings (http://HOST/vod/NAME.m3u8,
    /// rtmp://HOST/vod/NAME) [default: on]
    #[arg(long, value_name = "on|off", value_parser = values::switch)]
    pub vod: Option<bool>,
    /// Rules for single streams; only in the file of --config
    #[arg(skip)]
    pub(super) record_rules: Vec<RuleValues>,
    /// Read keys, access rules ([app.NAME]) and the values of omitted flags from this file (TOML; flag
    /// names with _ instead of -). A server without a terminal reads the file again on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Check the flags and the --config file, then exit with code 0 if they are valid, otherwise 2 or 3
    #[arg(long = "check")]
    pub only_check: bool,
    /// Simulate this fault to test publishers (repeatable)
    #[arg(long, value_name = "FAULT", long_help = FAULT_HELP)]
    pub fault: Vec<Fault>,
    /// Random seed for the times and the garbage of --fault [default: 0]
    #[arg(long, value_name = "NUMBER", value_parser = whole::<u64>)]
    pub fault_seed: Option<u64>,
    /// When this server drains (SIGUSR1) or stops, it asks Enhanced RTMP clients to connect to this URL,
    /// such as `rtmp://other/live`. With `rtmp://other/{app}`, clients keep their application
    #[arg(long, value_name = "URL", value_parser = check_successor)]
    pub successor: Option<String>,
    /// When this server drains (SIGUSR1), viewers over HTTP follow their streams to the server at this
    /// URL, such as `http://other:8088`
    #[arg(long, value_name = "URL")]
    pub successor_http: Option<HttpSuccessor>,
    /// Also send every stream to this RTMP server (repeatable), such as `rtmp://other/live` or
    /// `rtmp://other/{app}/{stream}`. In the --config file, `[[relay]]` also supports patterns, keys and several
    /// addresses
    #[arg(long, value_name = "URL", value_parser = relay_target)]
    pub push: Vec<RelayTarget>,
    /// Get a stream from this RTMP server when a viewer asks for it, such as
    /// `rtmp://origin/{app}/{stream}` (repeatable). When one server fails, onair uses the next one
    #[arg(long, value_name = "URL", value_parser = relay_target)]
    pub pull: Vec<RelayTarget>,
    /// User name for publishers (rtmp://USER:PASSWORD@HOST/app/stream), with the password in
    /// --password-file. Players need no login
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// File that contains the password on its first line
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Login method: adobe, or llnw (the method of Limelight's servers) [default: adobe]
    #[arg(long, value_name = "SCHEME", value_parser = ["adobe", "llnw"])]
    pub auth: Option<String>,
}

const FAULT_HELP: &str = "Simulate this fault to test publishers (repeatable): \
    FAULT@PHASE[:VALUE][*TIMES]. The phases are handshake, connect, createStream, publish and media.

  reset, close, half-close, garbage
                     at once, or some time after the media starts: reset@media:3s
  stall              stops reading for 60 s, or for another time: stall@connect:+5s,
                     stall@media:2s+8s (after 2 s, for 8 s)
  delay:TIME         delays all received data: delay@media:200ms
  throttle:BITRATE   reads at most at this rate: throttle@media:500k
  reject:CODE        at connect: Rejected, InvalidApp, Closed, Failed, AppShutdown;
                     at publish: BadName, Denied, Unauthorized, Rejected, BadAuth
  busy[:TIMES]       at publish: reports that the name is in use
  redirect:URL       at connect, or at media (Enhanced RTMP)
  noack              never acknowledges data

A range such as 2s..5s gives each connection a random time. *1 affects one connection only. For bad \
certificates, use --cert";

impl Args {
    /// Returns the rules of the chats.
    pub(super) fn chat_rules(&self) -> ChatRules {
        let slow = self.chat_slow.unwrap_or_default();
        ChatRules { slow, words: BlockedWords::new(&self.blocked_words) }
    }

    /// Returns the HLS settings.
    pub(super) fn hls_settings(&self) -> Settings {
        let usual = Settings::default();
        let lengths = hls::Lengths {
            part: self.hls_part.unwrap_or(usual.lengths.part),
            segment: self.hls_segment.unwrap_or(usual.lengths.segment),
        };
        let mode = self.hls.unwrap_or(usual.mode);
        Settings { mode, lengths, window: self.hls_window.unwrap_or(usual.window) }
    }

    /// Returns the renditions of all streams, of applications and of single streams, and the watermarks.
    pub(super) fn ladders(
        &self,
        apps: HashMap<String, Ladder>,
        streams: Vec<LadderRule>,
        mut app_watermarks: HashMap<String, Vec<Watermark>>,
    ) -> Ladders {
        let usual = Ladders::default();
        Ladders {
            others: self.renditions.clone().unwrap_or_default(),
            apps,
            streams,
            limit: self.renditions_limit,
            cpu: match self.renditions_cpu {
                // 100 means no limit: the expected CPU usage may exceed 100 %.
                Some(100) => f64::INFINITY,
                Some(percent) => f64::from(percent) / 100.0,
                None => usual.cpu,
            },
            watermarks: app_watermarks.remove(OTHER_APPS).unwrap_or_default(),
            app_watermarks,
        }
    }

    /// Returns the limits of the server, before the limits of the system apply.
    pub(super) fn limits(&self) -> Limits {
        let usual = Limits::default();
        let connections = self.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS);
        Limits {
            connections,
            viewers: connections,
            per_address: self.max_per_address.unwrap_or(usual.per_address),
            streams: self.max_streams.unwrap_or(usual.streams),
            ..usual
        }
    }

    /// Returns the first given flag that has an effect only on recordings.
    pub(super) fn recording_flag(&self) -> Option<&'static str> {
        let flags = [
            ("--record-format", self.record_format.is_some()),
            ("--split-time", self.split_time.is_some()),
            ("--split-size", self.split_size.is_some()),
            ("--keep-time", self.keep_time.is_some()),
            ("--keep-size", self.keep_size.is_some()),
            ("--vod", self.vod.is_some()),
        ];
        flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }

    /// Checks flags that depend on each other.
    ///
    /// # Errors
    /// Fails with the missing flag, or if the HLS durations do not fit together.
    pub(super) fn check(&self) -> Result<(), Problem> {
        let has_certificate = self.cert.is_some();
        if has_certificate != self.cert_key.is_some() {
            return Err(problem!("serve-together", flags = "--cert, --cert-key"));
        }
        let more =
            self.acme_directory.is_some() || self.acme_email.is_some() || self.acme_ca.is_some();
        check_together(!self.acme.is_empty(), self.https.is_some() && !has_certificate, more)?;
        if self.rtmps.is_some() && !has_certificate && self.acme.is_empty() {
            return Err(problem!("serve-together", flags = "--rtmps, --cert, --cert-key"));
        }
        if has_certificate && self.rtmps.is_none() && self.https.is_none() {
            return Err(problem!("serve-certificate-unused"));
        }
        if self.https_redirect && (self.https.is_none() || self.http == Some(Http::None)) {
            return Err(problem!("serve-together", flags = "--https-redirect, --https, --http"));
        }
        if self.user.is_some() != self.password_file.is_some() {
            return Err(problem!("serve-together", flags = "--user, --password-file"));
        }
        let hls = self.hls_settings();
        if hls.lengths.part * 2 > hls.lengths.segment {
            return Err(problem!("serve-hls-part"));
        }
        if hls.window < hls.lengths.segment * 3 {
            return Err(problem!("serve-hls-window"));
        }
        if self.auth.is_some() && self.user.is_none() {
            return Err(problem!("serve-auth-without-user"));
        }
        if let Some((flags, port)) = self.shared_port() {
            return Err(problem!("serve-same-port", flags = flags.join(", "), port = port));
        }
        Ok(())
    }

    /// Returns two flags that need the same TCP port, and the port. The server opens the default
    /// address of RTMP first, so no other flag can use it. (The default address of HTTP uses the
    /// next free port, and WebRTC also works without TCP.)
    fn shared_port(&self) -> Option<([&'static str; 2], u16)> {
        let http = match self.http {
            Some(Http::At(address)) => Some(address),
            Some(Http::None) | None => None,
        };
        // A service manager may have opened the address of another flag.
        let default = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_RTMP_PORT));
        let default = (!inherited::are_passed()).then_some(default);
        let all = [
            ("--rtmp", self.rtmp.or(default)),
            ("--rtmps", self.rtmps),
            ("--rtmpt", self.rtmpt),
            ("--http", http),
            ("--https", self.https),
        ];
        let clash = |a: SocketAddr, b: SocketAddr| {
            a.port() != 0 && a.port() == b.port() && (accepts(a, b.ip()) || accepts(b, a.ip()))
        };
        all.iter().enumerate().find_map(|(index, (flag, address))| {
            let address = (*address)?;
            let before = all.iter().take(index);
            let (other, _) =
                before.copied().find(|(_, it)| it.is_some_and(|it| clash(it, address)))?;
            Some(([other, *flag], address.port()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hls_is_cut_within_bounds() {
        assert_eq!(hls_mode("always"), Ok(Mode::Always));
        assert!(hls_mode("on").is_err());
        assert_eq!(within("500ms", Settings::PART_DURATION_RANGE), Ok(Duration::from_millis(500)));
        let refused = within("3s", Settings::PART_DURATION_RANGE).unwrap_err().to_string();
        assert_eq!(refused, "use a duration from 0.1s to 2s");
        let refused = within("0s", KEEP_TIME_RANGE).unwrap_err().to_string();
        assert_eq!(refused, "use a duration from 1m to 366d");
        let args = Args { hls_window: Some(Duration::from_mins(1)), ..Args::default() };
        let settings = args.hls_settings();
        assert_eq!((settings.mode, settings.window), (Mode::OnDemand, Duration::from_mins(1)));
    }

    #[test]
    fn addresses_and_names_are_checked_with_an_example() {
        for text in ["1935", ":1935", "localhost:1935", "127.0.0.1"] {
            let refused = values::address(text).unwrap_err().to_string();
            assert_eq!(refused, "use an IP address with a port, such as 127.0.0.1:1935", "{text}");
        }
        assert!(values::address("[::]:1935").is_ok());
        assert!(values::ip("198.51.100.9").is_ok() && values::ip("example.com").is_err());
        assert!(check_host("http://watch.example.com").is_err());
    }

    #[test]
    fn two_flags_with_one_port_are_named() {
        let args = |rtmp: &str, http: &str| Args {
            rtmp: rtmp.parse().ok(),
            http: http.parse().ok(),
            ..Args::default()
        };
        for (rtmp, http) in [
            ("127.0.0.1:8088", "127.0.0.1:8088"),
            ("0.0.0.0:8088", "127.0.0.1:8088"),
            ("127.0.0.1:8088", "[::]:8088"),
        ] {
            let why = args(rtmp, http).check().unwrap_err();
            assert_eq!(why, "--rtmp, --http use the same port 8088");
        }
        for (rtmp, http) in [
            ("127.0.0.1:0", "127.0.0.1:0"),
            ("127.0.0.1:8088", "127.0.0.2:8088"),
            ("0.0.0.0:8088", "[::1]:8088"),
            ("127.0.0.1:8088", "127.0.0.1:8089"),
            ("127.0.0.1:8088", "none"),
        ] {
            assert_eq!(args(rtmp, http).check(), Ok(()), "{rtmp} {http}");
        }
        // Without --rtmp, RTMP has its default address.
        let http = |http: &str| Args { http: http.parse().ok(), ..Args::default() };
        for address in ["127.0.0.1:1935", "0.0.0.0:1935", "[::]:1935"] {
            let why = http(address).check().unwrap_err();
            assert_eq!(why, "--rtmp, --http use the same port 1935", "{address}");
        }
        assert_eq!(http("127.0.0.1:8088").check(), Ok(()));
        assert_eq!(args("127.0.0.1:1936", "127.0.0.1:1935").check(), Ok(()));
        // WebRTC uses UDP.
        let webrtc = "0.0.0.0:443".parse().ok();
        assert_eq!(Args { webrtc, ..args("127.0.0.1:0", "0.0.0.0:443") }.check(), Ok(()));
        let rtmpt = "0.0.0.0:443".parse().ok();
        assert!(Args { rtmpt, ..args("127.0.0.1:0", "0.0.0.0:443") }.check().is_err());
    }

    #[test]
    fn halves_are_refused() {
        let args = Args::default();
        assert_eq!(args.check(), Ok(()));
        let some = || Some(PathBuf::from("x"));
        let address = "127.0.0.1:0".parse().ok();
        for half in [
            Args { rtmps: address, ..Args::default() },
            Args { cert: some(), cert_key: some(), ..Args::default() },
            Args { rtmps: address, cert: some(), ..Args::default() },
            Args { https: address, cert: some(), ..Args::default() },
            Args { https_redirect: true, ..Args::default() },
            Args { acme: vec!["a.example".into()], ..Args::default() },
            Args { https: address, acme_email: Some("a@b".into()), ..Args::default() },
            Args { user: Some("me".into()), ..Args::default() },
            Args { password_file: some(), ..Args::default() },
            Args { auth: Some("llnw".into()), ..Args::default() },
            Args { hls_part: Some(Duration::from_millis(1_100)), ..Args::default() },
            Args { hls_segment: Some(Duration::from_secs(8)), ..Args::default() },
        ] {
            assert!(half.check().is_err(), "{half:?}");
        }
        let whole = Args { rtmps: address, cert: some(), cert_key: some(), ..Args::default() };
        assert_eq!(whole.check(), Ok(()));
        let web = Args { https: address, https_redirect: true, ..Args::default() };
        assert_eq!(web.check(), Ok(()), "it has its own certificate");
    }
}
