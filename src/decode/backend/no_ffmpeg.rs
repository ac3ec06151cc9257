//! In place of the FFmpeg libraries, where onair was built without the feature `ffmpeg`: the same
//! face, which says so.

use crate::decode::error::{Error, Lack};
use crate::decode::traits::{AudioBackend, VideoBackend};
use crate::media::{AudioCodec, AudioParameters, VideoCodec, VideoParameters};

/// Nobody decodes such pictures.
pub(crate) fn video_decoder(_: VideoCodec) -> Result<String, Lack> {
    Err(Lack::NotBuilt)
}

/// Nobody decodes such sound.
pub(crate) fn audio_decoder(_: AudioCodec) -> Result<String, Lack> {
    Err(Lack::NotBuilt)
}

/// Says that nobody decodes such pictures.
pub(crate) fn open_video(parameters: &VideoParameters) -> Result<Box<dyn VideoBackend>, Error> {
    let codec = parameters.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: Lack::NotBuilt })
}

/// Says that nobody decodes such sound.
pub(crate) fn open_audio(parameters: &AudioParameters) -> Result<Box<dyn AudioBackend>, Error> {
    let codec = parameters.codec.name().to_owned();
    Err(Error::NoDecoder { codec, lack: Lack::NotBuilt })
}

/// Nobody does.
pub(crate) fn may_decode(_: VideoCodec) -> bool {
    false
}

/// There is no library.
pub(crate) fn library() -> Result<String, Lack> {
    Err(Lack::NotBuilt)
}

/// As [`hardware`].
pub(crate) fn hardware_known() -> Option<Result<&'static str, String>> {
    Some(hardware())
}

/// Hardware is reached through the libraries.
pub(crate) fn hardware() -> Result<&'static str, String> {
    Err(Lack::NotBuilt.to_string())
}
