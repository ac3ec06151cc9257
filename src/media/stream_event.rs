//! What demuxers give, in the order of decoding.

use crate::base::Timestamp;
use crate::media::codec_config::{AudioConfig, Codec, VideoConfig};
use crate::media::packet::{EncodedPacket, Track};

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

/// One step of a stream. Times are microseconds of the source's own.
#[derive(Clone, Debug)]
pub enum StreamEvent {
    /// The packets of this track that follow are decoded so.
    Config(TrackConfig),
    Packet(EncodedPacket),
}

impl StreamEvent {
    /// Of which track it is.
    pub const fn track(&self) -> Track {
        match self {
            Self::Config(config) => config.track(),
            Self::Packet(packet) => packet.track,
        }
    }

    /// A packet of this track.
    pub fn packet_of(&self, track: Track) -> Option<&EncodedPacket> {
        match self {
            Self::Packet(packet) if packet.track == track => Some(packet),
            _ => None,
        }
    }

    /// When a packet is decoded; a config has no time.
    pub const fn dts(&self) -> Option<Timestamp> {
        match self {
            Self::Config(_) => None,
            Self::Packet(packet) => Some(packet.dts),
        }
    }
}
