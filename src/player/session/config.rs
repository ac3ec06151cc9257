//! What is played, and how.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::decode::Prefer;
use crate::net;
use crate::player::buffer::time_shift::TimeShiftDepth;
use crate::player::path_of;
use crate::player::session::gapless::NextFile;

/// Where the stream comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `rtmp://`, `rtmps://`, `rtmpt://` or `rtmpts://`, the stream's name as its last part;
    /// `http://` or `https://` with FLV, HLS, MPEG-TS, MP4, Matroska or audio alone behind it, `ws://` or `wss://` with FLV.
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
            Self::File(path_of(percent_decode_str(path.unwrap_or(place)).collect()))
        } else if text.contains("://") {
            Self::Url(text.to_owned())
        } else {
            Self::File(text.into())
        }
    }
}

/// How to play.
#[derive(Clone, Debug)]
pub struct Config {
    pub source: Source,
    /// How much is kept back to even out the network.
    pub buffer: Duration,
    /// Keep back as little as the network allows; `buffer` is what it begins with.
    pub auto_buffer: bool,
    /// Audio is heard this many milliseconds later than its timestamps say (sooner, where negative).
    pub av_offset_ms: i32,
    /// Which decoder of frames is asked first.
    pub decoder: Prefer,
    /// How much of a live stream is kept to go back in; `None`: nothing.
    pub time_shift: Option<TimeShiftDepth>,
    /// Where a recording begins.
    pub start: Option<Duration>,
    /// Whether a lost connection is made again.
    pub reconnect: bool,
    /// Whether a broadcaster who leaves a live stream is waited for without end, where it is.
    pub patient: bool,
    /// What follows a file without a gap, as long as this says so.
    pub sequel: Option<NextFile>,
    /// Whether audio goes to a device (if there is one).
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
    /// Write the audio that is played into this WAV file.
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

/// Audio may be moved against the frame by this much.
pub const MAX_AV_OFFSET_MS: i32 = 2_000;
