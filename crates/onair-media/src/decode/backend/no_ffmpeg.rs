//! Replaces the FFmpeg libraries if onair was built without the feature `ffmpeg`. The interface is
//! the same, and reports that the libraries are missing.

use crate::decode::error::{Error, NoDecoder};
use crate::decode::traits::{AudioBackend, VideoBackend};
use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::text::Problem;

/// Reports a missing decoder for this video.
pub(crate) fn video_decoder(_: VideoCodec) -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Reports a missing decoder for this audio.
pub(crate) fn audio_decoder(_: AudioCodec) -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Reports a missing decoder for this video.
pub(crate) fn open_video(config: &VideoConfig) -> Result<Box<dyn VideoBackend>, Error> {
    let codec = config.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: NoDecoder::NotBuilt })
}

/// Reports a missing decoder for this audio.
pub(crate) fn open_audio(config: &AudioConfig) -> Result<Box<dyn AudioBackend>, Error> {
    let codec = config.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: NoDecoder::NotBuilt })
}

/// Always returns false.
pub(crate) fn may_decode(_: VideoCodec) -> bool {
    false
}

/// Reports a missing library.
///
/// # Errors
/// Always fails.
pub fn ffmpeg_version() -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Returns the same as [`hardware`].
pub fn hardware_known() -> Option<Result<&'static str, Problem>> {
    Some(hardware())
}

/// Reports that hardware decoding needs the libraries.
///
/// # Errors
/// Always fails.
pub fn hardware() -> Result<&'static str, Problem> {
    Err(NoDecoder::NotBuilt.into())
}
