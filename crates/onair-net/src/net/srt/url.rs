//! Addresses of SRT: `srt://host:port?streamid=…&latency=120&mode=caller`. Latencies are
//! milliseconds; those of ffmpeg and OBS, which are microseconds, are recognized by their size.

use std::fmt;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::base::Secret;
use crate::base::sanitize::is_harmless;
use crate::net::connect::media_address::{AddressRules, MediaAddress};
use crate::net::srt::mode::Mode;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::rtmp::url::authority;

/// The latency if the address contains none.
const USUAL_LATENCY: Duration = Duration::from_millis(120);
/// Maximum latency in milliseconds. ffmpeg and OBS use microseconds, so a larger number is one of
/// theirs.
const MAX_LATENCY_MS: u64 = 10_000;
/// Maximum length of a stream id in bytes (draft-sharabayko-srt-01 §3.2.1.3).
pub const MAX_STREAM_ID_BYTES: usize = 512;
/// The lengths that libsrt allows for a passphrase, in bytes.
const PASSPHRASE_BYTES: std::ops::RangeInclusive<usize> = 10..=79;
/// Length of the encryption key in bytes, unless the address contains another one.
const USUAL_KEY_BYTES: usize = 16;
/// The characters of a stream id that an address cannot contain.
const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%').add(b'&').add(b'#').add(b'+').add(b'"');
/// Options of ffmpeg and libsrt that do not change what onair does.
const IGNORED_OPTIONS: [&str; 9] = [
    "pkt_size",
    "payload_size",
    "transtype",
    "tlpktdrop",
    "nakreport",
    "tsbpdmode",
    "connect_timeout",
    "timeout",
    "linger",
];

/// What addresses of SRT allow.
const RULES: AddressRules = AddressRules {
    has_path: || problem!("url-srt-path"),
    has_login: || problem!("url-srt-login"),
    has_no_port: || problem!("url-srt-no-port"),
    may_lack_host: true,
    may_begin_with_at: false,
};

/// The part of an address that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlError {
    /// The passphrase.
    Passphrase(Problem),
    /// Another part.
    Address(Problem),
}

/// The other side of a connection, and the stream.
#[derive(Clone)]
pub struct SrtUrl {
    /// Name or address, without the brackets of IPv6. A listener may have none.
    pub host: String,
    pub port: u16,
    pub mode: Mode,
    /// The id of the stream, which can contain a password.
    pub stream_id: Option<Secret>,
    pub passphrase: Option<Secret>,
    pub latency: Duration,
    /// Length of the encryption key in bytes.
    pub key_bytes: usize,
    /// True if the latency was in microseconds.
    pub is_in_micros: bool,
}

impl SrtUrl {
    /// Returns true if this text is an address of SRT, even a wrong one.
    pub fn is_one(text: &str) -> bool {
        let scheme = text.trim_start().split("://").next().unwrap_or_default();
        text.contains("://") && scheme.eq_ignore_ascii_case("srt")
    }

    /// Parses an address, and its passphrase, if the passphrase is separate.
    ///
    /// # Errors
    /// Fails with the wrong part. The problem contains no secret.
    pub fn parse(text: &str, passphrase: Option<&Secret>) -> Result<Self, UrlError> {
        let address = MediaAddress::parse(text, &RULES).map_err(UrlError::Address)?;
        let host = address.host;
        let mut url = Self {
            host: host.to_owned(),
            port: address.port,
            mode: if host.is_empty() { Mode::Listener } else { Mode::Caller },
            stream_id: None,
            passphrase: None,
            latency: USUAL_LATENCY,
            key_bytes: USUAL_KEY_BYTES,
            is_in_micros: false,
        };
        for (name, value) in address.options() {
            url.set(name, value)?;
        }
        let separate = passphrase.map(|it| it.expose().trim()).filter(|it| !it.is_empty());
        if let Some(separate) = separate {
            url.passphrase = Some(checked(separate)?);
        }
        if host.is_empty() && url.mode != Mode::Listener {
            return Err(UrlError::Address(problem!("url-no-host")));
        }
        if url.mode == Mode::Rendezvous && separate.is_some() {
            return Err(UrlError::Passphrase(problem!("url-srt-rendezvous")));
        }
        if url.mode == Mode::Rendezvous && (url.passphrase.is_some() || url.stream_id.is_some()) {
            return Err(UrlError::Address(problem!("url-srt-rendezvous")));
        }
        if url.mode == Mode::Listener && url.stream_id.is_some() {
            return Err(UrlError::Address(problem!("url-srt-listener-id")));
        }
        Ok(url)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), UrlError> {
        let bad = || UrlError::Address(problem!("url-srt-value", name = name));
        let decoded = percent_decode_str(value).decode_utf8().map_err(|_| bad())?;
        match name {
            "streamid" | "srt_streamid" => {
                if decoded.len() > MAX_STREAM_ID_BYTES || !decoded.chars().all(is_harmless) {
                    return Err(bad());
                }
                self.stream_id = Some(Secret::new(&*decoded)).filter(|id| !id.is_empty());
            }
            "passphrase" if decoded.is_empty() => {}
            "passphrase" => self.passphrase = Some(checked(&decoded)?),
            "latency" | "rcvlatency" | "peerlatency" => {
                let number: u64 = value.parse().map_err(|_| bad())?;
                self.is_in_micros = number > MAX_LATENCY_MS;
                let latency = match self.is_in_micros {
                    true => Duration::from_millis(number / 1_000),
                    false => Duration::from_millis(number),
                };
                if latency > Duration::from_millis(MAX_LATENCY_MS) {
                    return Err(bad());
                }
                self.latency = latency;
            }
            "pbkeylen" => {
                self.key_bytes = match value {
                    "0" | "16" => 16,
                    "24" => 24,
                    "32" => 32,
                    _ => return Err(bad()),
                };
            }
            "mode" => self.mode = Mode::of_word(value).ok_or_else(bad)?,
            name if IGNORED_OPTIONS.contains(&name) => {}
            _ => return Err(UrlError::Address(problem!("url-srt-option", name = name))),
        }
        Ok(())
    }

    /// Returns the address without the passphrase; with `with_id`, with the stream id.
    pub fn without_passphrase(&self, with_id: bool) -> String {
        let mut query = Vec::new();
        let usual = if self.host.is_empty() { Mode::Listener } else { Mode::Caller };
        if self.mode != usual {
            query.push(format!("mode={}", self.mode.word()));
        }
        if let Some(id) = self.stream_id.as_ref().filter(|_| with_id) {
            query.push(format!("streamid={}", utf8_percent_encode(id.expose(), ESCAPED)));
        }
        if self.latency != USUAL_LATENCY {
            query.push(format!("latency={}", self.latency.as_millis()));
        }
        if self.key_bytes != USUAL_KEY_BYTES {
            query.push(format!("pbkeylen={}", self.key_bytes));
        }
        let mark = if query.is_empty() { "" } else { "?" };
        format!("srt://{}{mark}{}", self.authority(), query.join("&"))
    }

    /// Returns the address at which the stream probably plays: that of the same server, whose stream
    /// id wants to play. Returns `None` if the stream id does not say that it publishes.
    pub fn play_address(&self) -> Option<Secret> {
        let id = self.stream_id.as_ref().filter(|_| self.mode == Mode::Caller)?.expose();
        let id = match (id.strip_prefix("publish:"), id.strip_prefix("#!::")) {
            (Some(rest), _) => format!("read:{rest}"),
            (None, Some(list)) => {
                let parts: Vec<_> = list.split(',').collect();
                if !parts.contains(&"m=publish") {
                    return None;
                }
                let parts =
                    parts.iter().map(|it| if *it == "m=publish" { "m=request" } else { it });
                format!("#!::{}", parts.collect::<Vec<_>>().join(","))
            }
            (None, None) => return None,
        };
        let url = Self { stream_id: Some(Secret::new(id)), ..self.clone() };
        let passphrase = url.passphrase.as_ref().map(|passphrase| {
            format!("&passphrase={}", utf8_percent_encode(passphrase.expose(), ESCAPED))
        });
        // There is a stream id, so there is a query.
        Some(Secret::new(url.without_passphrase(true) + &passphrase.unwrap_or_default()))
    }

    /// Returns the host and the port. IPv6 addresses are in brackets.
    pub fn authority(&self) -> String {
        match self.host.as_str() {
            "" => format!(":{}", self.port),
            host => authority(host, self.port),
        }
    }
}

/// Returns a passphrase that SRT allows.
///
/// # Errors
/// Fails if its length is not allowed.
pub fn checked(text: &str) -> Result<Secret, UrlError> {
    match PASSPHRASE_BYTES.contains(&text.len()) {
        true => Ok(Secret::new(text)),
        false => Err(UrlError::Passphrase(problem!("url-srt-passphrase"))),
    }
}

/// The same address may have been typed in another unit.
impl PartialEq for SrtUrl {
    fn eq(&self, other: &Self) -> bool {
        let all = |url: &Self| (url.port, url.mode, url.latency, url.key_bytes);
        self.host == other.host
            && all(self) == all(other)
            && self.stream_id == other.stream_id
            && self.passphrase == other.passphrase
    }
}

impl Eq for SrtUrl {}

impl fmt::Display for SrtUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = self.without_passphrase(false);
        let mark = if bare.contains('?') { '&' } else { '?' };
        match self.stream_id {
            Some(_) => write!(f, "{bare}{mark}streamid=***"),
            None => f.write_str(&bare),
        }
    }
}

impl fmt::Debug for SrtUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SrtUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_its_secrets_are_not_shown() {
        let text = "srt://h.example:9000?streamid=%23!::r=live/a,m=publish&latency=250\
                    &passphrase=planted-secret&pbkeylen=32&mode=caller";
        let url = SrtUrl::parse(text, None).unwrap();
        let id = url.stream_id.as_ref().unwrap();
        assert_eq!(id.expose(), "#!::r=live/a,m=publish");
        assert_eq!(url.passphrase.as_ref().unwrap().expose(), "planted-secret");
        assert_eq!((url.latency.as_millis(), url.key_bytes), (250, 32));
        let shown = "srt://h.example:9000?latency=250&pbkeylen=32&streamid=***";
        assert_eq!(
            (url.to_string(), format!("{url:?}")),
            (shown.into(), format!("SrtUrl({shown})"))
        );
        let kept = url.without_passphrase(true);
        let again = SrtUrl::parse(&kept, url.passphrase.as_ref()).unwrap();
        assert_eq!((again, kept.contains("planted")), (url, false));
    }

    #[test]
    fn microseconds_and_modes_are_recognized() {
        let parse = |text| SrtUrl::parse(text, None).unwrap();
        let of_obs = parse("srt://h:1?latency=200000");
        assert_eq!((of_obs.latency.as_millis(), of_obs.is_in_micros), (200, true));
        assert!(!parse("srt://h:1?latency=10000").is_in_micros);
        for (text, mode, shown) in [
            ("SRT://h:1/?mode=caller", Mode::Caller, "srt://h:1"),
            ("srt://:9000", Mode::Listener, "srt://:9000"),
            ("srt://[::1]:9000?mode=listener", Mode::Listener, "srt://[::1]:9000?mode=listener"),
            ("srt://h:1?mode=rendezvous", Mode::Rendezvous, "srt://h:1?mode=rendezvous"),
        ] {
            let url = parse(text);
            assert_eq!((url.mode, &*url.to_string()), (mode, shown));
        }
    }

    #[test]
    fn a_stream_plays_where_it_is_published() {
        let play =
            |text| Some(SrtUrl::parse(text, None).unwrap().play_address()?.expose().to_owned());
        for (text, expected) in [
            (
                "srt://h:1?streamid=publish:live/a:key=k",
                Some("srt://h:1?streamid=read:live/a:key=k"),
            ),
            (
                "srt://h:1?streamid=%23!::m=publish,r=live/a&passphrase=planted%26secret&latency=200",
                Some(
                    "srt://h:1?streamid=%23!::m=request,r=live/a&latency=200&passphrase=planted%26secret",
                ),
            ),
            ("srt://h:1?streamid=%23!::r=live/a", None),
            ("srt://h:1?streamid=camera", None),
            ("srt://h:1", None),
            ("srt://:1", None),
        ] {
            let found = play(text);
            assert_eq!(found.as_deref(), expected, "{text}");
            assert!(found.is_none_or(|it| SrtUrl::parse(&it, None).is_ok()), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_named() {
        for (text, id) in [
            ("srt://h", "url-srt-no-port"),
            ("srt://:1?mode=caller", "url-no-host"),
            ("srt://h:0", "url-ts-port"),
            ("srt://::1:9000", "url-brackets"),
            ("srt://h:1/live/planted", "url-srt-path"),
            ("srt://me:planted@h:1", "url-srt-login"),
            ("srt://h:1?latency=x", "url-srt-value"),
            ("srt://h:1?latency=99000000", "url-srt-value"),
            ("srt://h:1?pbkeylen=17", "url-srt-value"),
            ("srt://h:1?mode=call", "url-srt-value"),
            ("srt://h:1?maxbw=1", "url-srt-option"),
            ("srt://h:1?mode=rendezvous&streamid=planted", "url-srt-rendezvous"),
            ("srt://:1?streamid=planted", "url-srt-listener-id"),
        ] {
            let UrlError::Address(problem) = SrtUrl::parse(text, None).unwrap_err() else {
                panic!("{text}");
            };
            assert_eq!(problem.id(), id, "{text}");
            assert!(!problem.to_string().contains("planted"), "{problem}");
        }
        let short = SrtUrl::parse("srt://h:1", Some(&"planted".into()));
        let Err(UrlError::Passphrase(problem)) = short else { panic!("{short:?}") };
        assert!(!problem.to_string().contains("planted"), "{problem}");
        let id = format!("srt://h:1?streamid={}", "x".repeat(513));
        assert!(SrtUrl::parse(&id, None).is_err());
    }
}
