//! The source and options of a player.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::net;
use crate::player::buffer::time_shift::TimeShiftDepth;
use crate::player::session::gapless::NextFile;
use crate::wire::hls::{MAX_PLAYLIST_BYTES, first_address};
use onair_media::decode::Prefer;

/// The source of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `rtmp://`, `rtmps://`, `rtmpt://` or `rtmpts://` with the stream name as its last part; `http://` or
    /// `https://` for FLV, HLS, MPEG-TS, MP4, Matroska or audio files; `ws://` or `wss://` for FLV;
    /// `srt://` for MPEG-TS.
    Url(String),
    /// A local file: FLV, MP4, MKV, or MP3, FLAC, Ogg, AAC, WAV.
    File(PathBuf),
}

impl Source {
    /// Parses the user's text: a URL if it begins like one, otherwise a file.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        if let Some(place) = text.strip_prefix("file://") {
            let path = place.strip_prefix("localhost").filter(|path| path.starts_with('/'));
            Self::File(path_of(percent_decode_str(path.unwrap_or(place)).collect()))
        } else if text.contains("://") {
            Self::Url(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }

    /// Returns the first address or file in an M3U list on disk, such as a radio station's, and any
    /// other source as it is. Reads the list.
    pub fn resolved(&self) -> Self {
        let Self::File(path) = self else { return self.clone() };
        match first_in_list(path) {
            Some(first) if first.contains("://") => Self::parse(&first),
            Some(first) => Self::File(path.parent().unwrap_or(Path::new("")).join(first)),
            None => self.clone(),
        }
    }
}

fn first_in_list(path: &Path) -> Option<String> {
    let extension = path.extension()?.to_str()?;
    if !["m3u", "m3u8"].iter().any(|known| extension.eq_ignore_ascii_case(known)) {
        return None;
    }
    // A pipe could block forever.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = Vec::new();
    let limit = MAX_PLAYLIST_BYTES as u64 + 1;
    File::open(path).ok()?.take(limit).read_to_end(&mut text).ok()?;
    first_address(&text)
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    crate::platform::names::of_bytes(bytes).into()
}

/// Options of a player.
#[derive(Clone, Debug)]
pub struct Config {
    pub source: Source,
    /// The buffer against jitter.
    pub buffer: Duration,
    /// True for the smallest buffer that the network allows; `buffer` is the initial one.
    pub auto_buffer: bool,
    /// Milliseconds by which audio plays after its timestamps (negative: before).
    pub av_offset_ms: i32,
    /// The preferred video decoder.
    pub decoder: Prefer,
    /// The time shift of a live stream; `None` disables it.
    pub time_shift: Option<TimeShiftDepth>,
    /// The start position of a recording.
    pub start: Option<Duration>,
    /// True to reconnect after a loss.
    pub reconnect: bool,
    /// True to wait forever for the broadcaster of a live stream to return.
    pub patient: bool,
    /// The gapless next file.
    pub sequel: Option<NextFile>,
    /// True to play audio on a device, if there is one.
    pub speaker: bool,
    /// The speaker; `None` is the system's default.
    pub device: Option<String>,
    /// Volume, 0…1.
    pub volume: f32,
    /// Balance: −1 (left only) … 1 (right only); 0 does not change the audio.
    pub balance: f32,
    pub muted: bool,
    /// True to read the markers of the test source.
    pub measure: bool,
    /// FLV file for the received stream.
    pub save: Option<PathBuf>,
    /// WAV file for the played audio.
    pub audio_dump: Option<PathBuf>,
    /// Network options: routes, limits and trust.
    pub net: net::Options,
}

impl Config {
    /// Returns the default options for a source.
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

/// The initial size of an automatic buffer.
pub const INITIAL_AUTO_BUFFER: Duration = Duration::from_millis(300);

/// Maximum offset between audio and video in milliseconds.
pub const MAX_AV_OFFSET_MS: i32 = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_on_disk_is_its_first_entry_and_other_files_are_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let resolved = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            (Source::File(path.clone()).resolved(), Source::File(path))
        };
        let radio = "#EXTM3U\r\n#EXTINF:-1,Radio\r\nhttps://radio/live.mp3\r\n";
        assert_eq!(resolved("a.m3u", radio).0, Source::Url("https://radio/live.mp3".into()));
        let (song, _) = resolved("b.M3U8", "#EXTM3U\n#EXTINF:12,Song\nsongs/one.flac\n");
        assert_eq!(song, Source::File(folder.path().join("songs/one.flac")));
        for (name, text) in [
            ("c.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"),
            ("d.mp3", radio),
            ("e.m3u", ""),
        ] {
            let (resolved, itself) = resolved(name, text);
            assert_eq!(resolved, itself);
        }
        let stream = Source::Url("rtmp://host/live/a".into());
        assert_eq!(stream.resolved(), stream);
    }
}
