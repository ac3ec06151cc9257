//! Floor 3: opens decoders, which convert packets to video frames and audio. A decoder is a plain
//! value that lives on its caller's thread. The input is untrusted: a decoder must not crash, hang
//! or use unlimited memory.

use std::time::Duration;

use crate::decode::backend::{fdk_aac, ffmpeg, openh264, opus, pcm, symphonia};
use crate::decode::displayed::displayed;
use crate::decode::error::Error;
use crate::decode::traits::{AudioBackend, VideoBackend};
use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::text::problem::problem;

/// A candidate decoder: its name (`None` for the system's decoder), and the function that opens it.
type Candidate<P, T> = (Option<&'static str>, fn(&P) -> Result<T, Error>);

type VideoCandidate = Candidate<VideoConfig, Box<dyn VideoBackend>>;

type AudioCandidate = Candidate<AudioConfig, Box<dyn AudioBackend>>;

/// Returns the candidate decoders of a video codec, first choice first.
pub(super) fn video_candidates(codec: VideoCodec) -> &'static [VideoCandidate] {
    const FFMPEG_VIDEO_DECODER: VideoCandidate = (None, ffmpeg::open_video);
    match codec {
        VideoCodec::H264 => &[
            (Some("OpenH264"), |p| Ok(Box::new(openh264::Decoder::open(p)?))),
            FFMPEG_VIDEO_DECODER,
        ],
        _ => &[FFMPEG_VIDEO_DECODER],
    }
}

/// Returns the candidate decoders of an audio codec, first choice first.
pub(super) fn audio_candidates(codec: AudioCodec) -> &'static [AudioCandidate] {
    const FFMPEG_AUDIO_DECODER: AudioCandidate = (None, ffmpeg::open_audio);
    const PCM_DECODER: AudioCandidate = (Some("onair"), |p| Ok(Box::new(pcm::Decoder::open(p)?)));
    match codec {
        AudioCodec::Aac => {
            &[(Some("FDK-AAC"), |p| Ok(Box::new(fdk_aac::Decoder::open(p)?))), FFMPEG_AUDIO_DECODER]
        }
        AudioCodec::Mp3 | AudioCodec::Flac | AudioCodec::Vorbis => &[
            (Some("Symphonia"), |p| Ok(Box::new(symphonia::Decoder::open(p)?))),
            FFMPEG_AUDIO_DECODER,
        ],
        AudioCodec::Opus => {
            &[(Some("libopus"), |p| Ok(Box::new(opus::Decoder::open(p)?))), FFMPEG_AUDIO_DECODER]
        }
        AudioCodec::PcmS16Le
        | AudioCodec::PcmU8
        | AudioCodec::PcmAlaw
        | AudioCodec::PcmMulaw
        | AudioCodec::Pcm => &[PCM_DECODER],
        AudioCodec::Speex
        | AudioCodec::Ac3
        | AudioCodec::Eac3
        | AudioCodec::Mp2
        | AudioCodec::Nellymoser
        | AudioCodec::AdpcmSwf => &[FFMPEG_AUDIO_DECODER],
    }
}

/// Tries the candidates in order. If a candidate does not support a stream, the next one may
/// support it, but a damaged config fails for all candidates. If none works, the error of the first
/// candidate is returned.
fn first<P, T>(candidates: &[Candidate<P, T>], config: &P) -> Result<T, Error> {
    let mut refused = None;
    for (_, open) in candidates {
        match open(config) {
            Ok(decoder) => return Ok(decoder),
            Err(error) if error.is_final() => {
                refused.get_or_insert(error);
            }
            Err(error) => return Err(refused.unwrap_or(error)),
        }
    }
    Err(refused.unwrap_or_else(|| Error::Unsupported(problem!("decode-this-codec"))))
}

/// After this long without a keyframe, decoding begins at any frame, because the stream may have no strict keyframes.
pub const KEYFRAME_TIMEOUT: Duration = Duration::from_secs(2);

/// Selects the video decoder to try first if there are two.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Prefer {
    /// The built-in decoder.
    #[default]
    Own,
    /// The decoder of the system, which may be faster, or use hardware.
    System,
}

/// Opens a video decoder, whose frames have the displayed size of the config.
///
/// # Errors
/// Fails if there is no decoder, or the config is damaged or not supported. The error names the
/// problem.
pub fn open_video(config: &VideoConfig) -> Result<Box<dyn VideoBackend>, Error> {
    first(video_candidates(config.codec), config).map(|decoder| displayed(decoder, config))
}

/// Opens a video decoder like [`open_video`], but tries the preferred decoder first. If the
/// preferred decoder fails, the other one is used.
///
/// # Errors
/// Fails with the same errors as [`open_video`].
pub fn open_preferred(
    config: &VideoConfig,
    prefer: Prefer,
) -> Result<Box<dyn VideoBackend>, Error> {
    if prefer == Prefer::System
        && let Some(decoder) = open_system_h264(config)
    {
        return Ok(decoder);
    }
    open_video(config)
}

/// Opens the system's decoder for H.264. Only this decoder can begin in the middle of a stream
/// without a strict keyframe, and detects complete frames.
fn open_system_h264(config: &VideoConfig) -> Option<Box<dyn VideoBackend>> {
    if config.codec != VideoCodec::H264 {
        return None;
    }
    ffmpeg::open_video(config).ok().map(|decoder| displayed(decoder, config))
}

/// Makes a decoder begin with the next packet, even if it is not a strict keyframe. If the stream has this `config`, a
/// tolerant decoder replaces this one where there is one. `config` is `None` for a tolerant decoder. Returns true if
/// the decoder was replaced.
pub fn begin_anywhere(decoder: &mut Box<dyn VideoBackend>, config: Option<&VideoConfig>) -> bool {
    let tolerant = config.and_then(open_system_h264);
    let is_replaced = tolerant.is_some();
    if let Some(tolerant) = tolerant {
        tracing::debug!("no keyframe follows: using the system decoder");
        *decoder = tolerant;
    }
    decoder.begin_anywhere();
    is_replaced
}

/// Opens an audio decoder.
///
/// # Errors
/// Fails if there is no decoder, or the config is damaged or not supported. The error names the
/// problem.
pub fn open_audio(config: &AudioConfig) -> Result<Box<dyn AudioBackend>, Error> {
    first(audio_candidates(config.codec), config)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{BitsPerSecond, EncodedPacket, Track};

    /// Decodes one packet with the first candidate, and returns the sample rate of the audio.
    fn rate_of(codec: AudioCodec, codec_config: &[u8], data: &'static [u8]) -> Result<u32, Error> {
        let config = AudioConfig {
            codec,
            sample_rate: 48_000,
            channels: 1,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::copy_from_slice(codec_config),
        };
        let times = (Timestamp::ZERO, Timestamp::ZERO);
        let packet = EncodedPacket::received(Track::Audio, times, true, Bytes::from_static(data));
        let (_, open) = audio_candidates(codec)[0];
        let audio = open(&config)?.decode(&packet)?;
        Ok(audio.unwrap().rate)
    }

    #[test]
    fn audio_with_an_extreme_sample_rate_is_not_supported() {
        // A frame of 16 equal samples, whose rate is in the STREAMINFO (RFC 9639, 8.2).
        let frame = b"\xff\xf8\x60\x00\x00\x0f\xc7\x00\x01\x00\xf4\x1d";
        let info = |rate: u64| {
            let format = (rate << 44 | 15 << 36).to_be_bytes();
            [&[0, 16, 0, 16, 0, 0, 0, 0, 0, 0][..], &format, &[0; 16]].concat()
        };
        assert_eq!(rate_of(AudioCodec::Flac, &info(48_000), frame), Ok(48_000));
        for rate in [1, 500, 655_350] {
            let decoded = rate_of(AudioCodec::Flac, &info(rate), frame);
            assert!(matches!(decoded, Err(Error::Unsupported(_))), "{rate}: {decoded:?}");
        }
    }
}
