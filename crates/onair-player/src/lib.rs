//! Floor 4: the player. It pulls a stream or reads a file, decodes the packets, and presents video
//! and audio at their times.
//!
//! ```text
//! feed thread: net/file → demux → timeline ─packets→ video thread: decode ─frames→┐
//!                                   │       └packets──────────────→ presenter thread: audio, clock
//!                                   └ jitter estimate ───────────────────^          → Latest, speaker
//! ```
//! All timing decisions are pure and simulated in tests: [`clock::timeline`] (wire time to media
//! time), [`clock::jitter`] (presentation times), [`clock::playout`] (the current position),
//! [`decode::stretch`].

use crate as player;
use onair_base::{base, media, text};
use onair_media::{audio, files, problems};
use onair_net::net;
use onair_platform as platform;
use onair_wire as wire;

pub mod buffer;
pub mod chat;
pub mod clock;
pub mod decode;
mod demux;
mod handle;
mod input;
pub mod present;
pub mod probe;
pub mod session;
#[cfg(any(test, feature = "test-support"))]
#[allow(
    clippy::unwrap_used,
    missing_debug_implementations,
    reason = "for tests, which fail by panicking"
)]
pub mod simulated;
pub mod source;
pub mod state;

use std::ffi::OsStr;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

pub use buffer::time_shift::TimeShiftDepth;
pub use decode::audio::Speaker;
pub use handle::Player;
pub use input::connection::WAITING_MESSAGE_ID;
pub use onair_media::decode::Prefer;
pub use present::speaker::Open;
pub use session::config::{Config, INITIAL_AUTO_BUFFER, MAX_AV_OFFSET_MS, Source};
pub use session::gapless::NextFile;
pub use state::{
    Event, Failure, FailureKind, Figures, OfferedChat, PlayerMessage, Saving, Severity, State,
    TimeShiftState,
};

/// Bytes of a path that are escaped in a URL: all except RFC 3986's unreserved ones and `/`.
const ESCAPED_PATH_BYTES: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Converts a command-line argument for [`Source::parse`]. A file name becomes a `file://` URL if
/// it is not valid UTF-8, or looks like something else.
pub fn source_text(word: &OsStr) -> String {
    let text = word.to_str().filter(|text| {
        (text.trim() == *text && !text.contains("://")) || !Path::new(word).exists()
    });
    match text {
        Some(text) => text.to_owned(),
        None => {
            let path = std::path::absolute(word).unwrap_or_else(|_| word.into());
            let path = path.as_os_str().as_encoded_bytes();
            format!("file://{}", percent_encode(path, ESCAPED_PATH_BYTES))
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
        for name in
            [&b"\xFF\xE9t\xE9 100%.flv"[..], b" spaces ", b"line\n", b"a?b#c%41", b"plain.flv"]
        {
            let path = folder.path().join(OsStr::from_bytes(name));
            std::fs::write(&path, "").unwrap();
            assert_eq!(Source::parse(&source_text(path.as_os_str())), Source::File(path));
        }
        // An existing file does not change the meaning of an address, and an address with surrounding
        // spaces stays one.
        for text in ["rtmp://a/b", " rtmp://a/b ", "clip.flv", "file:///a%20b"] {
            assert_eq!(source_text(OsStr::new(text)), text);
        }
        let gone = OsStr::from_bytes(b"/gone/\xFF.flv");
        assert_eq!(Source::parse(&source_text(gone)), Source::File(gone.into()));
    }
}
