//! What configurations and bodies of FLV tell of the pictures and sound they carry. Pure.

use bytes::Bytes;

use crate::decode::inventory;
use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, FrameRate, Size, VideoCodec, VideoConfig,
};
use crate::wire::codec;
use crate::wire::codec::aac::AudioSpecificConfig;
use crate::wire::codec::four_cc::AudioFormat;
use crate::wire::codec::h264::{DecoderConfig, NalType, avcc_nals};
use crate::wire::codec::{mpeg_audio, vorbis};
use crate::wire::container::flv::audio::{AudioPacket, LegacyAudio};

/// No configuration is longer than this: those of H.264 and AAC have some dozens of bytes, the books of
/// Vorbis some thousands.
pub(in crate::player) const MAX_CONFIG: usize = 64 << 10;

/// A part of a body to be kept by itself: without the rest, where that is most of it.
pub(in crate::player) fn apart(part: Bytes, body: &Bytes) -> Bytes {
    if part.len() < body.len() / 4 { Bytes::copy_from_slice(&part) } else { part }
}

/// Whether there is a decoder for it, or silence in its place.
pub(in crate::player) fn can_be_heard(codec: AudioCodec) -> bool {
    codec == AudioCodec::Speex || inventory::audio_decoder(codec).is_ok()
}

/// Which codec a format is, if it is one that may be decoded.
pub(in crate::player) fn codec(
    format: AudioFormat,
    legacy: Option<LegacyAudio>,
) -> Option<AudioCodec> {
    Some(match format {
        AudioFormat::Aac => AudioCodec::Aac,
        AudioFormat::Mp3 => AudioCodec::Mp3,
        AudioFormat::Opus => AudioCodec::Opus,
        AudioFormat::Flac => AudioCodec::Flac,
        AudioFormat::Vorbis => AudioCodec::Vorbis,
        AudioFormat::Legacy(0 | 3) if legacy.is_some_and(|legacy| legacy.sample_bits == 8) => {
            AudioCodec::PcmU8
        }
        AudioFormat::Legacy(0 | 3) => AudioCodec::PcmS16Le,
        AudioFormat::Legacy(7) => AudioCodec::PcmAlaw,
        AudioFormat::Legacy(8) => AudioCodec::PcmMulaw,
        AudioFormat::Legacy(11) => AudioCodec::Speex,
        AudioFormat::Ac3 => AudioCodec::Ac3,
        AudioFormat::Eac3 => AudioCodec::Eac3,
        AudioFormat::Pcm => AudioCodec::Pcm,
        AudioFormat::Legacy(1) => AudioCodec::AdpcmSwf,
        AudioFormat::Legacy(4..=6) => AudioCodec::Nellymoser,
        _ => return None,
    })
}

/// Whether a packet of sound shows by itself, from its beginning to its end, of which codec it is.
pub(in crate::player) fn is_itself(codec: AudioCodec, packet: &AudioPacket) -> bool {
    let AudioPacket::Frame(data) = packet else { return false };
    let length = match codec {
        AudioCodec::Mp3 => mpeg_audio::header(data).map(|header| header.length),
        AudioCodec::Ac3 | AudioCodec::Eac3 => codec::ac3_frame(data).map(|(length, _)| length),
        _ => None,
    };
    length == Some(data.len())
}

/// Such as `AAC-LC 48 kHz stereo`.
pub(in crate::player) fn describe(decoder: &str, parameters: &AudioConfig) -> String {
    let rate = f64::from(parameters.sample_rate) / 1_000.0;
    let channels = match parameters.channels {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        n => format!("{n} channels"),
    };
    format!("{decoder} {rate} kHz {channels}")
}

/// What a configuration, or else a packet by itself, tells of sound that is no AAC.
pub(in crate::player) fn described(
    codec: AudioCodec,
    legacy: Option<LegacyAudio>,
    config: &Bytes,
    data: &[u8],
) -> Option<AudioConfig> {
    let mut codec = codec;
    let (sample_rate, channels, config) = match codec {
        AudioCodec::Mp3 => {
            let header = mpeg_audio::header(data)?;
            if header.layer != 3 {
                codec = AudioCodec::Mp2;
            }
            (header.sample_rate, header.channels, Bytes::new())
        }
        AudioCodec::Ac3 | AudioCodec::Eac3 => {
            let told = codec::ac3(data)?;
            (told.sample_rate, told.channels, Bytes::new())
        }
        AudioCodec::Opus => {
            let told = codec::opus(config);
            (48_000, told.map_or(2, |told| told.channels), config.clone())
        }
        AudioCodec::Flac => {
            let told = codec::flac(config)?;
            // The stream marker and a block's head may stand before it.
            let from = if config.starts_with(b"fLaC") { 8 } else { 0 };
            (
                told.sample_rate,
                told.channels,
                config.get(from..from + 34).map(|_| config.slice(from..from + 34))?,
            )
        }
        AudioCodec::Vorbis => {
            let told = vorbis::told(config)?;
            (told.sample_rate, told.channels, config.clone())
        }
        AudioCodec::Pcm => {
            let told = crate::wire::codec::pcm::Pcm::parse(config)?;
            (told.sample_rate, told.channels, told.config())
        }
        _ => {
            let legacy = legacy?;
            let mono = matches!(codec, AudioCodec::Speex | AudioCodec::Nellymoser);
            (legacy.sample_rate, if mono { 1 } else { legacy.channels }, Bytes::new())
        }
    };
    Some(AudioConfig { codec, sample_rate, channels, bitrate: BitsPerSecond(0), config })
}

/// What a configuration of pictures tells.
pub(in crate::player) fn configured(codec: VideoCodec, config: Bytes) -> Option<VideoConfig> {
    match codec {
        VideoCodec::H264 => video_parameters(config),
        codec if codec.needs_config() && config.is_empty() => None,
        codec => Some(other_video_parameters(codec, config, &[])),
    }
}

/// What the parameter sets in a picture's body tell, where they stand in it.
pub(in crate::player) fn in_band(body: &Bytes) -> Option<VideoConfig> {
    let (mut sps, mut pps) = (None, None);
    // Without a configuration the lengths are of the usual size.
    for nal in avcc_nals(body, 4) {
        let nal = nal.ok()?;
        match NalType::of(nal) {
            Some(NalType::Sps) => sps = sps.or_else(|| Some(body.slice_ref(nal))),
            Some(NalType::Pps) => pps = pps.or_else(|| Some(body.slice_ref(nal))),
            _ => {}
        }
    }
    let config = DecoderConfig::new(sps?, pps?).ok()?.build().ok()?;
    video_parameters(config).filter(|parameters| parameters.config.len() <= MAX_CONFIG)
}

fn video_parameters(config: Bytes) -> Option<VideoConfig> {
    let parsed = DecoderConfig::parse(&config).ok()?;
    let sps = parsed.first_sps().ok()?;
    let rate = sps.frame_rate().and_then(|(num, den)| FrameRate::new(num, den));
    Some(VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(sps.width, sps.height),
        frame_rate: rate.unwrap_or(FrameRate::FPS_30),
        bitrate: BitsPerSecond(0),
        config,
    })
}

/// Parameters of pictures that are no H.264: of their size what the configuration or the first of
/// them tells, which is nothing that a decoder needs.
pub(in crate::player) fn other_video_parameters(
    codec: VideoCodec,
    config: Bytes,
    picture: &[u8],
) -> VideoConfig {
    let told = match codec {
        VideoCodec::Hevc => codec::hevc(&config).and_then(|told| told.size),
        VideoCodec::Av1 => codec::av1(&config).and_then(|told| told.size),
        VideoCodec::Vp9 => codec::vp9_key_size(picture),
        _ => None,
    };
    let (width, height) = told.unwrap_or((0, 0));
    VideoConfig {
        codec,
        size: Size::new(width, height),
        frame_rate: FrameRate::FPS_30,
        bitrate: BitsPerSecond(0),
        config,
    }
}

pub(in crate::player) fn audio_parameters(config: Bytes) -> Option<AudioConfig> {
    let parsed = AudioSpecificConfig::parse(&config).ok()?;
    Some(AudioConfig {
        codec: AudioCodec::Aac,
        sample_rate: parsed.output_sample_rate(),
        channels: parsed.output_channels(),
        bitrate: BitsPerSecond(0),
        config,
    })
}
