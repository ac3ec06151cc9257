//! The source and options of a player.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use crate::decode::Prefer;
use crate::net;
use crate::player::buffer::time_shift::TimeShiftDepth;
use crate::player::path_of;
use crate::player::session::gapless::NextFile;

/// The source of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `rtmp://`, `rtmps://`, `rtmpt://` or `rtmpts://`, the stream's name as its last part;
    /// `http://` or `https://` with FLV, HLS, MPEG-TS, MP4, Matroska or audio alone behind it, `ws://` or `wss://` with FLV.
    Url(String),
    /// A local file: FLV, MP4, MKV, or MP3, FLAC, Ogg, AAC, WAV.
    File(PathBuf),
}

impl Source {
    /// Parses the user's text: a URL if it begins like one, else a file.
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

/// The options.
#[derive(Clone, Debug)]
pub struct Config {
    pub source: Source,
    /// The buffer against jitter.
    pub buffer: Duration,
    /// Use the smallest buffer that the network allows; `buffer` is the initial one.
    pub auto_buffer: bool,
    /// Audio plays this many milliseconds later than its timestamps (negative: earlier).
    pub av_offset_ms: i32,
    /// Which decoder of frames is asked first.
    pub decoder: Prefer,
    /// The time shift of a live stream; `None`: off.
    pub time_shift: Option<TimeShiftDepth>,
    /// The start position of a recording.
    pub start: Option<Duration>,
    /// Whether to reconnect after a loss.
    pub reconnect: bool,
    /// Whether to wait forever for the broadcaster of a live stream to return.
    pub patient: bool,
    /// The gapless successor of a file.
    pub sequel: Option<NextFile>,
    /// Whether audio plays on a device (if there is one).
    pub speaker: bool,
    /// The speaker; `None`: the system's default.
    pub device: Option<String>,
    /// 0…1.
    pub volume: f32,
    /// −1 (left only) … 1 (right only); 0: unchanged.
    pub balance: f32,
    pub muted: bool,
    /// Read the test source's markers.
    pub measure: bool,
    /// Write the received stream to this FLV file.
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
