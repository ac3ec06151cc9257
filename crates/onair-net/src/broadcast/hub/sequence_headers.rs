//! The headers that precede the media on every connection: metadata and codec configs.

use bytes::Bytes;

use crate::media::{BitsPerSecond, Rendition, StreamConfig, Track, TrackConfig, VideoConfig};
use crate::wire::amf0::Value;
use crate::wire::container::flv;

/// The headers of a stream. Bodies are those of FLV tags.
#[derive(Clone, Debug)]
pub struct SequenceHeaders {
    /// The value of `onMetaData`.
    pub metadata: Value,
    /// Codec configs in sending order.
    pub config_bodies: Vec<(Track, Bytes)>,
    /// The total bitrate of all tracks, if known.
    pub bitrate: Option<BitsPerSecond>,
    pub has_video: bool,
    /// The config of the stream; empty for packets copied from a file.
    pub config: StreamConfig,
}

impl SequenceHeaders {
    /// Makes the headers of a stream that onair encodes.
    pub fn of(config: &StreamConfig) -> Self {
        let video = config.video.as_ref();
        let audio = config.audio.as_ref();
        let bits = video
            .map_or(0, |video| video.bitrate.0)
            .saturating_add(audio.map_or(0, |audio| audio.bitrate.0));
        let video = video.cloned().map(TrackConfig::Video);
        let configs = video.into_iter().chain(audio.cloned().map(TrackConfig::Audio));
        let config_bodies = configs.filter_map(|it| Some((it.track(), flv::config_body(&it)?)));
        Self {
            metadata: crate::wire::container::flv::metadata(config),
            config_bodies: config_bodies.collect(),
            bitrate: Some(bits).filter(|bits| *bits > 0).map(BitsPerSecond),
            has_video: config.video.is_some(),
            config: config.clone(),
        }
    }

    /// Returns the video config of these headers.
    pub(in crate::broadcast) fn video(&self) -> Option<&VideoConfig> {
        self.config.video.as_ref()
    }

    /// Returns the headers for frames of this rendition.
    pub(in crate::broadcast) fn with(&self, rendition: &Rendition) -> Self {
        let audio = self.config.audio.clone();
        Self::of(&StreamConfig { video: Some(rendition.video.clone()), audio })
    }
}
