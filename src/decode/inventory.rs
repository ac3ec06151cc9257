//! Which codecs can be decoded, by what, and why others cannot.

use crate::decode::backend::ffmpeg;
use crate::decode::error::NoDecoder;
use crate::decode::open::{audio_candidates, video_candidates};
use crate::media::{AudioCodec, Track, VideoCodec};
use crate::text::Problem;

/// A codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub track: Track,
    /// As it is called.
    pub codec: &'static str,
    /// What decodes it, or why nothing does.
    pub by: Result<String, NoDecoder>,
}

/// What decodes such video.
///
/// # Errors
/// Why nothing does.
pub fn video_decoder(codec: VideoCodec) -> Result<String, NoDecoder> {
    match video_candidates(codec).first() {
        Some((Some(name), _)) => Ok((*name).to_owned()),
        _ => ffmpeg::video_decoder(codec),
    }
}

/// What decodes such audio.
///
/// # Errors
/// Why nothing does.
pub fn audio_decoder(codec: AudioCodec) -> Result<String, NoDecoder> {
    match audio_candidates(codec).first() {
        Some((Some(name), _)) => Ok((*name).to_owned()),
        _ => ffmpeg::audio_decoder(codec),
    }
}

/// All codecs that are known.
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

/// Whether the system has a decoder too for what the program decodes, so that there is a choice. Asked for
/// every snapshot: that alone does not load the libraries, and what is not known is taken for a yes.
pub fn is_choice() -> bool {
    ffmpeg::may_decode(VideoCodec::H264)
}

/// The version of the FFmpeg libraries.
///
/// # Errors
/// Why there are none.
pub fn ffmpeg_version() -> Result<String, NoDecoder> {
    crate::decode::backend::ffmpeg::library()
}

/// As [`hardware`], where that was asked before: asking opens the device, which takes its time.
pub fn hardware_known() -> Option<Result<&'static str, Problem>> {
    ffmpeg::hardware_known()
}

/// The graphics hardware that helps, by name.
///
/// # Errors
/// Why there is none.
pub fn hardware() -> Result<&'static str, Problem> {
    crate::decode::backend::ffmpeg::hardware()
}
