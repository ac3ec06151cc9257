//! Stream events: the output of demuxers in decoding order.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::codec_config::{AudioConfig, Codec, VideoConfig};
use crate::media::packet::{EncodedPacket, Track};
use crate::text::Problem;
use crate::text::problem::problem;

/// The codec config of a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackConfig {
    Video(VideoConfig),
    Audio(AudioConfig),
}

impl TrackConfig {
    /// Returns the codec of the track.
    pub const fn codec(&self) -> Codec {
        match self {
            Self::Video(config) => Codec::Video(config.codec),
            Self::Audio(config) => Codec::Audio(config.codec),
        }
    }

    /// Returns the kind of track.
    pub const fn track(&self) -> Track {
        match self {
            Self::Video(_) => Track::Video,
            Self::Audio(_) => Track::Audio,
        }
    }
}

/// Maximum length of a chapter's title or a track's name, in bytes. Every format supports this
/// length.
pub const MAX_TITLE_BYTES: usize = 200;

/// A named position in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    pub at: Timestamp,
    /// The title, which is at most [`MAX_TITLE_BYTES`] bytes long.
    pub title: String,
}

impl Chapter {
    /// Creates a chapter, and converts its title to a form that every format supports, without
    /// control characters.
    pub fn new(at: Timestamp, title: &str) -> Self {
        Self { at, title: printable(title) }
    }
}

/// Shortens a title or name, and removes control characters.
pub fn printable(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if kept.len() + letter.len_utf8() > MAX_TITLE_BYTES {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// The kind of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TrackKind {
    Video,
    Audio,
}

/// A track that onair cannot play. The source delivers no packets of this track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedTrack {
    pub kind: TrackKind,
    /// The codec name in ffprobe.
    pub codec: String,
    /// The display name.
    pub name: String,
}

impl UnsupportedTrack {
    /// Returns the name of the kind in ffprobe.
    pub fn kind_name(&self) -> &'static str {
        match self.kind {
            TrackKind::Video => "video",
            TrackKind::Audio => "audio",
        }
    }
}

impl From<&UnsupportedTrack> for Problem {
    fn from(track: &UnsupportedTrack) -> Self {
        track_name(track.kind, &track.name)
    }
}

/// Returns the display name of a track, such as "H.264 video".
pub fn track_name(kind: TrackKind, codec: &str) -> Problem {
    match kind {
        TrackKind::Video => problem!("track-video", codec = codec),
        TrackKind::Audio => problem!("track-audio", codec = codec),
    }
}

/// The data of a source in addition to configs and packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// Script data of FLV and RTMP, unchanged (AMF0): `onMetaData`, chat messages.
    Script(Bytes),
    Chapter(Chapter),
    Unsupported(UnsupportedTrack),
}

/// An event of a stream. Timestamps are microseconds on the source's own clock.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// The config of the following packets of a track.
    Config(TrackConfig),
    Packet(EncodedPacket),
    Metadata(Metadata),
    /// A discontinuity: timestamps and configs start again. Only playlists announce a
    /// discontinuity. Timestamps that jump within FLV or MPEG-TS keep the configs. Only a reader
    /// that knows arrival times can distinguish such a jump from a pause; the player's timeline
    /// bridges these jumps.
    Discontinuity,
    /// The end of the stream.
    End,
}

impl StreamEvent {
    /// Returns the track of the event, if any.
    pub const fn track(&self) -> Option<Track> {
        match self {
            Self::Config(config) => Some(config.track()),
            Self::Packet(packet) => Some(packet.track),
            Self::Metadata(_) | Self::Discontinuity | Self::End => None,
        }
    }

    /// Returns the packet of the event, if it belongs to this track.
    pub fn packet_of(&self, track: Track) -> Option<&EncodedPacket> {
        match self {
            Self::Packet(packet) if packet.track == track => Some(packet),
            _ => None,
        }
    }

    /// Returns the DTS of a packet; other events have no time.
    pub const fn dts(&self) -> Option<Timestamp> {
        match self {
            Self::Packet(packet) => Some(packet.dts),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_cut_between_letters() {
        let chapter = Chapter::new(Timestamp::ZERO, &("\u{7}".to_owned() + &"章".repeat(100)));
        assert_eq!(chapter.title.len(), 198);
        assert!(chapter.title.chars().all(|letter| letter == '章'));
    }
}
