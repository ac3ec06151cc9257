//! Replaces the FFmpeg libraries if onair was built without the feature `ffmpeg`: the same
//! interface, which reports that.

use crate::decode::error::{Error, NoDecoder};
use crate::decode::traits::{AudioBackend, VideoBackend};
use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::text::Problem;

/// Nobody decodes such frames.
pub(crate) fn video_decoder(_: VideoCodec) -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Nobody decodes such audio.
pub(crate) fn audio_decoder(_: AudioCodec) -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Reports that nothing decodes such video.
pub(crate) fn open_video(parameters: &VideoConfig) -> Result<Box<dyn VideoBackend>, Error> {
    let codec = parameters.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: NoDecoder::NotBuilt })
}

/// Reports that nothing decodes such audio.
pub(crate) fn open_audio(parameters: &AudioConfig) -> Result<Box<dyn AudioBackend>, Error> {
    let codec = parameters.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: NoDecoder::NotBuilt })
}

/// Nobody does.
pub(crate) fn may_decode(_: VideoCodec) -> bool {
    false
}

/// There is no library.
pub(crate) fn library() -> Result<String, NoDecoder> {
    Err(NoDecoder::NotBuilt)
}

/// Like [`hardware`].
pub(crate) fn hardware_known() -> Option<Result<&'static str, Problem>> {
    Some(hardware())
}

/// Hardware is reached through the libraries.
pub(crate) fn hardware() -> Result<&'static str, Problem> {
    Err(NoDecoder::NotBuilt.into())
}
