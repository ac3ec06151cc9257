//! Lists the decoders, and the reasons why other decoders are missing.

use crate::decode::backend::ffmpeg;
pub use crate::decode::backend::ffmpeg::{ffmpeg_version, hardware, hardware_known};
use crate::decode::error::NoDecoder;
use crate::decode::open::{audio_candidates, video_candidates};
use crate::media::{AudioCodec, Track, VideoCodec};

/// A codec with its decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub track: Track,
    /// The name of the codec.
    pub codec: &'static str,
    /// Name of the decoder, or the reason why there is no decoder.
    pub by: Result<String, NoDecoder>,
}

/// Returns the name of the decoder of this video codec.
///
/// # Errors
/// Fails with the reason if there is no decoder.
pub fn video_decoder(codec: VideoCodec) -> Result<String, NoDecoder> {
    match video_candidates(codec).first() {
        Some((Some(name), _)) => Ok((*name).to_owned()),
        _ => ffmpeg::video_decoder(codec),
    }
}

/// Returns the name of the decoder of this audio codec.
///
/// # Errors
/// Fails with the reason if there is no decoder.
pub fn audio_decoder(codec: AudioCodec) -> Result<String, NoDecoder> {
    match audio_candidates(codec).first() {
        Some((Some(name), _)) => Ok((*name).to_owned()),
        _ => ffmpeg::audio_decoder(codec),
    }
}

/// Lists all known codecs with their decoders.
pub fn all() -> Vec<Entry> {
    let video = VideoCodec::ALL.map(|codec| Entry {
        track: Track::Video,
        codec: codec.name(),
        by: video_decoder(codec),
    });
    let audio = AudioCodec::ALL.map(|codec| Entry {
        track: Track::Audio,
        codec: codec.name(),
        by: audio_decoder(codec),
    });
    video.into_iter().chain(audio).collect()
}

/// Returns true if the system has a decoder for a codec that onair also decodes itself, so that the
/// user has a choice. This function is called for every snapshot, so it does not load the
/// libraries; while the answer is unknown, the result is true.
pub fn is_choice() -> bool {
    ffmpeg::may_decode(VideoCodec::H264)
}
