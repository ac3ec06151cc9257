//! The FFmpeg libraries of the system, for codecs that the built-in decoders lack. onair uses these
//! libraries if it was built with the feature `ffmpeg`, and loads them when they are needed. onair
//! checks for each decoder, because distributions omit some of them. FFmpeg 5.1 or newer is
//! required.

mod audio;
mod color_table;
mod convert;
mod hardware;
mod hardware_probe;
mod hdr;
mod library;
mod system;
mod transfer;
mod video;

pub use crate::decode::backend::ffmpeg::hardware_probe::{hardware, hardware_known};
use crate::decode::backend::ffmpeg::library::Codec;
use crate::decode::backend::ffmpeg::system as ffi;
pub use crate::decode::backend::ffmpeg::system::ffmpeg_version;
use crate::decode::error::{Error, NoDecoder};
use crate::decode::traits::{AudioBackend, VideoBackend};
use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};

/// Returns the name of the decoder of this video codec, or the reason why there is no decoder.
pub(crate) fn video_decoder(codec: VideoCodec) -> Result<String, NoDecoder> {
    find_video(codec).map(|found| format!("FFmpeg, {}", found.name()))
}

/// Returns the name of the decoder of this audio codec, or the reason why there is no decoder.
pub(crate) fn audio_decoder(codec: AudioCodec) -> Result<String, NoDecoder> {
    find_audio(codec).map(|found| format!("FFmpeg, {}", found.name()))
}

/// Opens a video decoder.
pub(crate) fn open_video(config: &VideoConfig) -> Result<Box<dyn VideoBackend>, Error> {
    let codec = find_video(config.codec)
        .map_err(|lack| Error::NoDecoder { codec: config.codec.name().to_owned(), lack })?;
    Ok(Box::new(video::Decoder::open(codec, config, hardware_probe::device())?))
}

/// Opens an audio decoder.
pub(crate) fn open_audio(config: &AudioConfig) -> Result<Box<dyn AudioBackend>, Error> {
    let codec = find_audio(config.codec)
        .map_err(|lack| Error::NoDecoder { codec: config.codec.name().to_owned(), lack })?;
    Ok(Box::new(audio::Decoder::open(codec, config)?))
}

/// Returns true if the libraries have a decoder for this codec, or if onair has not tried to load
/// the libraries yet.
pub(crate) fn may_decode(codec: VideoCodec) -> bool {
    !system::is_known() || find_video(codec).is_ok()
}

fn find_video(codec: VideoCodec) -> Result<Codec, NoDecoder> {
    let id = match codec {
        VideoCodec::H264 => ffi::AV_CODEC_ID_H264,
        VideoCodec::Hevc => ffi::AV_CODEC_ID_HEVC,
        VideoCodec::Vvc => ffi::AV_CODEC_ID_VVC,
        VideoCodec::Av1 => ffi::AV_CODEC_ID_AV1,
        VideoCodec::Vp9 => ffi::AV_CODEC_ID_VP9,
        VideoCodec::Vp8 => ffi::AV_CODEC_ID_VP8,
        VideoCodec::H263 => ffi::AV_CODEC_ID_FLV1,
        VideoCodec::Screen => ffi::AV_CODEC_ID_FLASHSV,
        VideoCodec::Screen2 => ffi::AV_CODEC_ID_FLASHSV2,
        VideoCodec::Vp6 => ffi::AV_CODEC_ID_VP6F,
        VideoCodec::Vp6Alpha => ffi::AV_CODEC_ID_VP6A,
        VideoCodec::Mpeg4 => ffi::AV_CODEC_ID_MPEG4,
        VideoCodec::Mpeg2 => ffi::AV_CODEC_ID_MPEG2VIDEO,
    };
    Codec::find(id)
}

fn find_audio(codec: AudioCodec) -> Result<Codec, NoDecoder> {
    let id = match codec {
        AudioCodec::Aac => ffi::AV_CODEC_ID_AAC,
        AudioCodec::Mp3 => ffi::AV_CODEC_ID_MP3,
        AudioCodec::Mp2 => ffi::AV_CODEC_ID_MP2,
        AudioCodec::Opus => ffi::AV_CODEC_ID_OPUS,
        AudioCodec::Flac => ffi::AV_CODEC_ID_FLAC,
        AudioCodec::Ac3 => ffi::AV_CODEC_ID_AC3,
        AudioCodec::Eac3 => ffi::AV_CODEC_ID_EAC3,
        AudioCodec::Speex => ffi::AV_CODEC_ID_SPEEX,
        AudioCodec::Nellymoser => ffi::AV_CODEC_ID_NELLYMOSER,
        AudioCodec::AdpcmSwf => ffi::AV_CODEC_ID_ADPCM_SWF,
        // The config of Vorbis in onair differs from the format of the library.
        AudioCodec::Vorbis => return Err(NoDecoder::NotInLibrary),
        AudioCodec::PcmS16Le
        | AudioCodec::PcmU8
        | AudioCodec::PcmAlaw
        | AudioCodec::PcmMulaw
        | AudioCodec::Pcm => return Err(NoDecoder::NotInLibrary),
    };
    Codec::find(id)
}
