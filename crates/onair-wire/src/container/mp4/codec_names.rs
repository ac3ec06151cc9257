//! Codec names that players need before they load the media (RFC 6381, ISO/IEC 14496-15 Annex E,
//! AV1 in ISOBMFF §5), as in the `CODECS` attribute of a playlist. This module has no I/O.

use std::fmt::Write;

use crate::media::{AudioCodec, AudioConfig, VideoCodec, VideoConfig};
use crate::wire::codec::aac::AudioSpecificConfig;

/// Returns the codec name of a video track, or `None` if the track's configuration does not define
/// the name.
pub fn video_codec_name(video: &VideoConfig) -> Option<String> {
    let config = &video.codec_config;
    match video.codec {
        VideoCodec::H264 => {
            let [_, profile, constraints, level, ..] = **config else { return None };
            Some(format!("avc1.{profile:02x}{constraints:02x}{level:02x}"))
        }
        VideoCodec::Hevc => hevc(config),
        VideoCodec::Av1 => {
            let [_, b1, b2, ..] = **config else { return None };
            let tier = if b2 & 0x80 == 0 { 'M' } else { 'H' };
            let depth = match (b2 & 0x40 != 0, b2 & 0x20 != 0) {
                (true, true) => 12,
                (true, false) => 10,
                _ => 8,
            };
            Some(format!("av01.{}.{:02}{tier}.{depth:02}", b1 >> 5, b1 & 0x1F))
        }
        VideoCodec::Vp9 => {
            let plain = config.strip_prefix(&[1, 0, 0, 0]).unwrap_or(config);
            let [profile, level, depth, ..] = *plain else { return None };
            Some(format!("vp09.{profile:02}.{level:02}.{:02}", depth >> 4))
        }
        _ => None,
    }
}

/// Returns the codec name of HEVC: profile space and profile, compatibility flags in reverse bit
/// order, tier and level, and the constraints without trailing zeros.
fn hevc(config: &[u8]) -> Option<String> {
    let [_, profile, c0, c1, c2, c3, constraints @ ..] = config else { return None };
    let level = constraints.get(6)?;
    let constraints = constraints.get(..6)?;
    let space = ["", "A", "B", "C"].get(usize::from(profile >> 6)).copied().unwrap_or_default();
    let compatibility = u32::from_be_bytes([*c0, *c1, *c2, *c3]).reverse_bits();
    let tier = if profile & 0x20 == 0 { 'L' } else { 'H' };
    // Parameter sets that are not in the configuration are in the stream.
    let name = if config.get(22).is_none_or(|arrays| *arrays == 0) { "hev1" } else { "hvc1" };
    let mut out = format!("{name}.{space}{}.{compatibility:X}.{tier}{level}", profile & 0x1F);
    let length = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    for byte in constraints.iter().take(length) {
        let _ = write!(out, ".{byte:X}");
    }
    Some(out)
}

/// Returns the codec name of an audio track.
pub fn audio_codec_name(audio: &AudioConfig) -> String {
    match audio.codec {
        AudioCodec::Opus => "Opus".to_owned(),
        AudioCodec::Flac => "fLaC".to_owned(),
        AudioCodec::Mp3 => "mp4a.40.34".to_owned(),
        _ => {
            let config = AudioSpecificConfig::parse(&audio.codec_config).ok();
            let object = config.map_or(2, |config| match config.extension {
                Some(extension) if extension.explicit && extension.parametric_stereo => 29,
                Some(extension) if extension.explicit => 5,
                _ => config.object_type,
            });
            format!("mp4a.40.{object}")
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Rotation, Size};

    fn video(codec: VideoCodec, config: &[u8]) -> Option<String> {
        video_codec_name(&VideoConfig {
            codec,
            size: Size::new(2, 2),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(0),
            codec_config: Bytes::copy_from_slice(config),
            pixel_aspect: None,
            rotation: Rotation::None,
        })
    }

    #[test]
    fn names_are_those_that_browsers_know() {
        let avc = video(VideoCodec::H264, &[1, 0x64, 0, 0x1F, 0xFF]);
        assert_eq!(avc.as_deref(), Some("avc1.64001f"));
        // Main profile, level 3.1, progressive, not interlaced.
        let mut hvcc = vec![1, 1, 0x60, 0, 0, 0, 0xB0, 0, 0, 0, 0, 0, 93];
        hvcc.resize(22, 0);
        hvcc.push(3);
        assert_eq!(video(VideoCodec::Hevc, &hvcc).as_deref(), Some("hvc1.1.6.L93.B0"));
        hvcc[22] = 0;
        assert_eq!(video(VideoCodec::Hevc, &hvcc).as_deref(), Some("hev1.1.6.L93.B0"));
        let av1 = video(VideoCodec::Av1, &[0x81, 0x04, 0x0C, 0]);
        assert_eq!(av1.as_deref(), Some("av01.0.04M.08"));
        let ten_bits = video(VideoCodec::Av1, &[0x81, 0x0D, 0xC0, 0]);
        assert_eq!(ten_bits.as_deref(), Some("av01.0.13H.10"));
        let vp9 = video(VideoCodec::Vp9, &[1, 0, 0, 0, 0, 31, 0x80]);
        assert_eq!(vp9.as_deref(), Some("vp09.00.31.08"));
        for codec in [VideoCodec::H264, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp8] {
            assert_eq!(video(codec, &[1]), None);
        }
        let audio = |codec, config: &[u8]| {
            audio_codec_name(&AudioConfig {
                codec,
                sample_rate: 48_000,
                channels: 2,
                bitrate: BitsPerSecond(0),
                codec_config: Bytes::copy_from_slice(config),
            })
        };
        assert_eq!(audio(AudioCodec::Aac, &[0x11, 0x90]), "mp4a.40.2");
        assert_eq!(audio(AudioCodec::Opus, &[]), "Opus");
    }
}
