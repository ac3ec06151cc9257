//! Floor 4: the player. Pulls a stream or reads a file, decodes it, and shows picture and sound at
//! their time.
//!
//! ```text
//! feed thread: net/file → demux → timeline ─packets→ video thread: decode ─pictures→┐
//!                                   │       └packets──────────────→ presenter thread: sound, clock
//!                                   └ jitter estimate ───────────────────^          → Latest, speaker
//! ```
//! What decides about time is pure and simulated in tests: [`timeline`] (wire time to media time),
//! [`jitter`] (when things should be shown), [`schedule`] (what is shown now), [`stretch`].

mod aim;
mod arrivals;
mod bodies;
mod census;
pub mod chat;
pub mod clip;
mod connection;
mod course;
mod dated;
mod demux;
mod described;
mod device;
mod dump;
mod feed;
mod fifo;
mod file;
pub mod glance;
mod going;
mod handle;
mod heads;
pub mod jitter;
mod lag;
mod listed;
mod measure;
pub mod odd;
mod opening;
mod packets;
mod pictures;
mod present;
pub mod probe;
mod pull;
mod raised;
mod rate;
mod reception;
mod recording;
mod remote;
mod rtmp;
mod said;
mod save;
pub mod schedule;
pub mod sequel;
mod shared;
pub mod shift;
#[cfg(test)]
pub(crate) mod simulated;
pub mod snapshot;
pub mod sound;
pub mod source;
pub mod speaker;
pub mod state;
pub mod stretch;
pub mod timeline;
pub mod turn;
mod vain;
mod veil;
mod web;
mod wish;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use crate::decode::Prefer;
use crate::net;
use crate::wire::percent::{percent_decoded, percent_encoded_path};

pub use connection::WAITING;
pub use handle::Player;
pub use sequel::Sequel;
pub use shift::Depth;
pub use sound::Speaker;
pub use speaker::Open;
pub use state::{Event, Failure, Figures, Kind, Message, Offered, Rewind, Saving, Severity, State};

/// Where the stream comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `rtmp://`, `rtmps://`, `rtmpt://` or `rtmpts://`, the stream's name as its last part;
    /// `http://` or `https://` with FLV, HLS, MPEG-TS, MP4, Matroska or sound alone behind it, `ws://` or `wss://` with FLV.
    Url(String),
    /// A local file: FLV, MP4, MKV, or MP3, FLAC, Ogg, AAC, WAV.
    File(PathBuf),
}

impl Source {
    /// What a person typed: a URL if it begins like one, else a file.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(place) = text.strip_prefix("file://") {
            let path = place.strip_prefix("localhost").filter(|path| path.starts_with('/'));
            Self::File(path_of(percent_decoded(path.unwrap_or(place))))
        } else if text.contains("://") {
            Self::Url(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }
}

/// What [`Source::parse`] reads as this word of a command line, which may be the name of a file that is
/// no text, or that would be read as something else: such a one becomes a `file://` URL.
pub fn source_text(word: &OsStr) -> String {
    let text = word.to_str().filter(|text| {
        (text.trim() == *text && !text.contains("://")) || !Path::new(word).exists()
    });
    match text {
        Some(text) => text.to_owned(),
        None => {
            let path = std::path::absolute(word).unwrap_or_else(|_| word.into());
            format!("file://{}", percent_encoded_path(path.as_os_str().as_encoded_bytes()))
        }
    }
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    let path: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    path.into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Sound may be moved against the picture by so much.
pub const MAX_AV_OFFSET_MS: i32 = 2_000;

/// How to play.
#[derive(Clone, Debug)]
pub struct Config {
    pub source: Source,
    /// How much is kept back to even out the network.
    pub buffer: Duration,
    /// Keep back as little as the network allows; `buffer` is what it begins with.
    pub auto_buffer: bool,
    /// Sound is heard so many milliseconds later than its stamps say (sooner, where negative).
    pub av_offset_ms: i32,
    /// Which decoder of pictures is asked first.
    pub decoder: Prefer,
    /// How much of a live stream is kept to go back in; `None`: nothing.
    pub time_shift: Option<Depth>,
    /// Where a recording begins.
    pub start: Option<Duration>,
    /// Whether a lost connection is made again.
    pub reconnect: bool,
    /// Whether a broadcaster who leaves a live stream is waited for without end, where it is.
    pub patient: bool,
    /// What follows a file without a gap, as long as this says so.
    pub sequel: Option<Sequel>,
    /// Whether sound goes to a device (if there is one).
    pub speaker: bool,
    /// Which speaker; `None`: the system's.
    pub device: Option<String>,
    /// 0…1.
    pub volume: f32,
    /// -1 (left alone) … 1 (right alone); 0: both as they are.
    pub balance: f32,
    pub muted: bool,
    /// Read the test source's markers.
    pub measure: bool,
    /// Write what is received into this FLV file.
    pub save: Option<PathBuf>,
    /// Write the sound that is played into this WAV file.
    pub audio_dump: Option<PathBuf>,
    /// Ways, limits and trust of connections.
    pub net: net::Options,
}

impl Config {
    /// Defaults for a source.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            buffer: Duration::from_millis(300),
            auto_buffer: false,
            av_offset_ms: 0,
            decoder: Prefer::Own,
            time_shift: None,
            start: None,
            reconnect: true,
            patient: false,
            sequel: None,
            speaker: true,
            device: None,
            volume: 1.0,
            balance: 0.0,
            muted: false,
            measure: false,
            save: None,
            audio_dump: None,
            net: net::Options::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_an_address_or_a_file() {
        for (text, path) in [
            ("clip.flv", "clip.flv"),
            ("/a/100% sure.flv", "/a/100% sure.flv"),
            ("file:///a/b%20c.flv", "/a/b c.flv"),
            (" file://localhost/a/%E7%9B%B4%E6%92%AD.flv ", "/a/直播.flv"),
            ("file:///a/100%.flv", "/a/100%.flv"),
            ("file:///a/b c.flv", "/a/b c.flv"),
            ("file://clip.flv", "clip.flv"),
            ("file://localhost.flv", "localhost.flv"),
        ] {
            assert_eq!(Source::parse(text), Source::File(path.into()), "{text}");
        }
        let url = "rtmp://a/live/b%20c";
        assert_eq!(Source::parse(url), Source::Url(url.to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn any_name_of_a_file_is_one() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        for name in [&b"\xFF\xE9t\xE9 100%.flv"[..], b" spaces ", b"line\n", b"plain.flv"] {
            let path = folder.path().join(OsStr::from_bytes(name));
            std::fs::write(&path, "").unwrap();
            assert_eq!(Source::parse(&source_text(path.as_os_str())), Source::File(path));
        }
        // What is there is no reason to take an address for something else, and one that is pasted with
        // a space is still one.
        for text in ["rtmp://a/b", " rtmp://a/b ", "clip.flv", "file:///a%20b"] {
            assert_eq!(source_text(OsStr::new(text)), text);
        }
        let gone = OsStr::from_bytes(b"/gone/\xFF.flv");
        assert_eq!(Source::parse(&source_text(gone)), Source::File(gone.into()));
    }
}
