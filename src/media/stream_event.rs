//! What demuxers give, in the order of decoding.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::codec_config::{AudioConfig, Codec, VideoConfig};
use crate::media::packet::{EncodedPacket, Track};
use crate::text::Problem;
use crate::text::problem::problem;

/// How a track is decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrackConfig {
    Video(VideoConfig),
    Audio(AudioConfig),
}

impl TrackConfig {
    /// How the track is encoded.
    pub const fn codec(&self) -> Codec {
        match self {
            Self::Video(config) => Codec::Video(config.codec),
            Self::Audio(config) => Codec::Audio(config.codec),
        }
    }

    /// Of which track it is.
    pub const fn track(&self) -> Track {
        match self {
            Self::Video(_) => Track::Video,
            Self::Audio(_) => Track::Audio,
        }
    }
}

/// The longest title of a chapter or name of a track, in bytes: what every format has room for.
pub const MAX_TITLE: usize = 200;

/// A named place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    pub at: Timestamp,
    /// At most [`MAX_TITLE`] bytes.
    pub title: String,
}

impl Chapter {
    /// With as much of the title as every format takes, without control characters.
    pub fn new(at: Timestamp, title: &str) -> Self {
        Self { at, title: printable(title) }
    }
}

/// The beginning of a title or name, without control characters.
pub fn printable(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if kept.len() + letter.len_utf8() > MAX_TITLE {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// What a track is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TrackKind {
    Video,
    Audio,
}

/// A track of a source that is not among its packets, since nobody here plays it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsupportedTrack {
    pub medium: TrackKind,
    /// As ffprobe calls it.
    pub codec: String,
    /// As people call it.
    pub name: String,
}

impl UnsupportedTrack {
    /// ffprobe's name of what it is.
    pub fn kind(&self) -> &'static str {
        match self.medium {
            TrackKind::Video => "video",
            TrackKind::Audio => "audio",
        }
    }
}

impl From<&UnsupportedTrack> for Problem {
    fn from(track: &UnsupportedTrack) -> Self {
        track_name(track.medium, &track.name)
    }
}

/// What a track is called, such as "H.264 video".
pub fn track_name(kind: TrackKind, codec: &str) -> Problem {
    match kind {
        TrackKind::Video => problem!("track-video", codec = codec),
        TrackKind::Audio => problem!("track-audio", codec = codec),
    }
}

/// What a source tells beside configs and packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// Script data of FLV and RTMP as they came (AMF0): `onMetaData`, lines of a chat.
    Script(Bytes),
    Chapter(Chapter),
    Unsupported(UnsupportedTrack),
}

/// One step of a stream. Times are microseconds of the source's own.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// The packets of this track that follow are decoded so.
    Config(TrackConfig),
    Packet(EncodedPacket),
    Metadata(Metadata),
    /// What follows does not continue what came before: its times and configs begin again. Only a playlist says
    /// so. Times that jump within FLV or a transport stream, announced there or not, leave the configs as they
    /// are, and only who knows when packets came tells a jump from a pause: the player's timeline bridges them.
    Discontinuity,
    /// No more comes.
    End,
}

impl StreamEvent {
    /// Of which track it is, where it is of one.
    pub const fn track(&self) -> Option<Track> {
        match self {
            Self::Config(config) => Some(config.track()),
            Self::Packet(packet) => Some(packet.track),
            Self::Metadata(_) | Self::Discontinuity | Self::End => None,
        }
    }

    /// A packet of this track.
    pub fn packet_of(&self, track: Track) -> Option<&EncodedPacket> {
        match self {
            Self::Packet(packet) if packet.track == track => Some(packet),
            _ => None,
        }
    }

    /// When a packet is decoded; nothing else has a time.
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
