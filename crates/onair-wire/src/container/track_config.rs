//! Derives track configs from codec configs, or from packets if there is no config. This module has
//! no I/O.

use bytes::Bytes;

use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, FrameRate, PixelAspect, Rotation, Size, VideoCodec,
    VideoConfig,
};
use crate::wire::codec;
use crate::wire::codec::aac::AudioSpecificConfig;
use crate::wire::codec::h264::{DecoderConfig, NalType, avcc_nals};
use crate::wire::codec::pcm::Pcm;
use crate::wire::codec::{AudioInfo, mpeg_audio, vorbis};
use crate::wire::container::flv::Metadata;

/// Maximum length of a configuration in bytes. H.264 and AAC use tens of bytes, and the codebooks
/// of Vorbis use a few thousand.
pub const MAX_CONFIG_BYTES: usize = 64 << 10;

/// Derives the config of an audio track other than AAC from its codec config, or otherwise from a
/// packet. If neither contains the sample rate (in Hz) and the channels, the `announced` values
/// apply.
pub fn audio_config(
    codec: AudioCodec,
    announced: Option<(u32, u16)>,
    config: &Bytes,
    data: &[u8],
) -> Option<AudioConfig> {
    let mut codec = codec;
    let (audio, config) = match codec {
        AudioCodec::Mp3 => {
            let mpeg_audio::Header { layer, sample_rate, channels, .. } = mpeg_audio::header(data)?;
            if layer != 3 {
                codec = AudioCodec::Mp2;
            }
            (AudioInfo { sample_rate, channels }, Bytes::new())
        }
        AudioCodec::Ac3 | AudioCodec::Eac3 => (codec::ac3(data)?, Bytes::new()),
        AudioCodec::Opus => {
            let usual = AudioInfo { sample_rate: 48_000, channels: 2 };
            (codec::opus(config).unwrap_or(usual), config.clone())
        }
        AudioCodec::Flac => {
            // The stream marker and a block header may precede STREAMINFO.
            let from = if config.starts_with(b"fLaC") { 8 } else { 0 };
            let info = config.get(from..from + 34)?;
            (codec::flac(config)?, config.slice_ref(info))
        }
        AudioCodec::Vorbis => (vorbis::audio_info(config)?, config.clone()),
        AudioCodec::Pcm => {
            let pcm = Pcm::parse(config)?;
            (pcm.into(), pcm.config())
        }
        _ => {
            let (sample_rate, channels) = announced.filter(|(rate, _)| *rate > 0)?;
            let mono = matches!(codec, AudioCodec::Speex | AudioCodec::Nellymoser);
            let channels = if mono { 1 } else { channels };
            (AudioInfo { sample_rate, channels }, Bytes::new())
        }
    };
    Some(audio.config(codec, config))
}

/// Parses the config of a video track. Returns `None` if it is damaged, or missing for a codec that
/// needs one.
pub fn video_config(codec: VideoCodec, config: Bytes) -> Option<VideoConfig> {
    video_config_with_metadata(codec, config, &Metadata::default())
}

/// Parses the config of a video track, and takes missing values from the metadata. Returns `None`
/// if the config is damaged, or missing for a codec that needs one.
pub fn video_config_with_metadata(
    codec: VideoCodec,
    config: Bytes,
    metadata: &Metadata,
) -> Option<VideoConfig> {
    match codec {
        VideoCodec::H264 => h264_config_with_metadata(config, metadata),
        codec if codec.needs_config() && config.is_empty() => None,
        codec => Some(bare_video_config_with_metadata(codec, config, &[], metadata)),
    }
}

/// Returns true if the container declares another pixel aspect than the codec config.
pub fn has_own_pixel_aspect(video: &VideoConfig) -> bool {
    let coded =
        video_config(video.codec, video.codec_config.clone()).and_then(|it| it.pixel_aspect);
    let [shown, coded] = [video.pixel_aspect, coded].map(|it| it.unwrap_or(PixelAspect::SQUARE));
    shown.differs(coded)
}

/// Parses the parameter sets within an H.264 frame, if it has any.
pub fn in_band(body: &Bytes) -> Option<VideoConfig> {
    let (mut sps, mut pps) = (None, None);
    // Without a configuration, length fields have the usual size.
    for nal in avcc_nals(body, 4) {
        let nal = nal.ok()?;
        match NalType::of(nal) {
            Some(NalType::Sps) => sps = sps.or_else(|| Some(body.slice_ref(nal))),
            Some(NalType::Pps) => pps = pps.or_else(|| Some(body.slice_ref(nal))),
            _ => {}
        }
    }
    let config = DecoderConfig::new(sps?, pps?).ok()?.build().ok()?;
    h264_config_with_metadata(config, &Metadata::default())
        .filter(|parameters| parameters.codec_config.len() <= MAX_CONFIG_BYTES)
}

/// Parses an avcC, and takes missing values from the metadata.
pub fn h264_config_with_metadata(config: Bytes, metadata: &Metadata) -> Option<VideoConfig> {
    let parsed = DecoderConfig::parse(&config).ok()?;
    let sps = parsed.first_sps().ok()?;
    let coded_rate = sps.frame_rate().and_then(|(num, den)| FrameRate::new(num, den));
    Some(VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(sps.width, sps.height),
        frame_rate: coded_rate.or_else(|| declared_rate(metadata)).unwrap_or(FrameRate::FPS_30),
        bitrate: BitsPerSecond(metadata.video_bitrate.unwrap_or(0)),
        codec_config: config,
        pixel_aspect: sps.pixel_aspect(),
        rotation: Rotation::None,
    })
}

/// Returns the frame rate in the metadata.
fn declared_rate(metadata: &Metadata) -> Option<FrameRate> {
    // Fractions such as 29.97, as services write them.
    let fps = metadata.frame_rate?;
    let ntsc = (fps * 1.001).round();
    if (fps - fps.round()).abs() < 0.002 {
        FrameRate::new(fps.round() as u32, 1)
    } else if (fps - ntsc / 1.001).abs() < 0.01 {
        FrameRate::new((ntsc * 1_000.0) as u32, 1_001)
    } else {
        FrameRate::new((fps * 1_000.0).round() as u32, 1_000)
    }
}

/// Makes the config of a video track from its codec config, without parsing H.264 parameter sets.
/// The size, which decoders do not need, comes from the codec config or the first keyframe.
pub fn bare_video_config(codec: VideoCodec, config: Bytes, frame: &[u8]) -> VideoConfig {
    let info = match codec {
        VideoCodec::Hevc => codec::hevc(&config),
        VideoCodec::Av1 => codec::av1(&config),
        VideoCodec::Vp9 => codec::vp9_key(frame),
        _ => None,
    };
    let info = info.unwrap_or_default();
    let (width, height) = info.size.unwrap_or((0, 0));
    VideoConfig {
        codec,
        size: Size::new(width, height),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        codec_config: config,
        pixel_aspect: info.pixel_aspect,
        rotation: Rotation::None,
    }
}

/// Works like [`bare_video_config`], and takes the frame rate and the bitrate from the metadata.
pub fn bare_video_config_with_metadata(
    codec: VideoCodec,
    config: Bytes,
    frame: &[u8],
    metadata: &Metadata,
) -> VideoConfig {
    let bare = bare_video_config(codec, config, frame);
    let frame_rate = declared_rate(metadata).unwrap_or(bare.frame_rate);
    let bitrate = BitsPerSecond(metadata.video_bitrate.unwrap_or(0));
    VideoConfig { frame_rate, bitrate, ..bare }
}

/// Parses an AudioSpecificConfig. Returns `None` if it is damaged.
pub fn aac_config(config: Bytes) -> Option<AudioConfig> {
    let specific = AudioSpecificConfig::parse(&config).ok()?;
    let (sample_rate, channels) = (specific.output_sample_rate(), specific.output_channels());
    Some(AudioInfo { sample_rate, channels }.config(AudioCodec::Aac, config))
}

/// Parses an AudioSpecificConfig, and takes missing values from the metadata. Rate and channels are
/// those of a decoder that supports all extensions.
pub fn aac_config_with_metadata(config: Bytes, metadata: &Metadata) -> Option<AudioConfig> {
    let own = aac_config(config)?;
    let channels = if own.channels == 0 { metadata.channels.unwrap_or(2) } else { own.channels };
    let bitrate = BitsPerSecond(metadata.audio_bitrate.unwrap_or(0));
    Some(AudioConfig { channels, bitrate, ..own })
}

#[cfg(test)]
pub(in crate::container) mod tests {
    use super::*;

    /// Returns the config of a small video track with this rotation.
    pub fn rotated_video(rotation: Rotation) -> VideoConfig {
        let config = Bytes::from_static(&[1, 0, 0, 0, 0, 10, 0x82, 1, 1, 1, 0, 0]);
        let video = bare_video_config(VideoCodec::Vp9, config, &[]);
        VideoConfig { size: Size::new(64, 48), rotation, ..video }
    }

    /// Returns the config of widescreen video in H.264 with 720×576 pixels, whose aspect is 64:45.
    pub fn anamorphic_video() -> VideoConfig {
        let sps = b"\x67\x42\xc0\x1e\xda\x02\xd0\x49\xbf\xf0\x04\x00\x02\xd0\x08";
        let (sps, pps) = (Bytes::from_static(sps), Bytes::from_static(b"\x68\xce\x38\x80"));
        video_config(VideoCodec::H264, DecoderConfig::new(sps, pps).unwrap().build().unwrap())
            .unwrap()
    }

    #[test]
    fn anamorphic_video_is_displayed_in_its_shape() {
        let video = anamorphic_video();
        assert_eq!(video.pixel_aspect.map(PixelAspect::sides), Some((64, 45)));
        assert_eq!(video.size, Size::new(720, 576));
        assert_eq!(video.displayed_size(), Size::new(1_024, 576));
        let upright = VideoConfig { rotation: Rotation::Left, ..video };
        assert_eq!(upright.displayed_size(), Size::new(576, 1_024));
    }

    #[test]
    fn a_container_can_declare_another_aspect_than_the_codec_config() {
        let is_own = |video: &VideoConfig, pixel_aspect| {
            has_own_pixel_aspect(&VideoConfig { pixel_aspect, ..video.clone() })
        };
        let (video, square) = (anamorphic_video(), Some(PixelAspect::SQUARE));
        assert!(is_own(&video, square) && is_own(&video, PixelAspect::new(12, 11)));
        assert!(!is_own(&video, video.pixel_aspect));
        assert!(!is_own(&video, PixelAspect::new(1_023, 720)), "a rounded displayed size");
        let video = rotated_video(Rotation::None);
        assert!(is_own(&video, PixelAspect::new(4, 3)));
        assert!(!is_own(&video, square) && !is_own(&video, None));
    }
}
