//! Converts the codec fields of a Matroska track to onair's types.

use bytes::{Bytes, BytesMut};

use crate::media::{
    AudioCodec, AudioConfig, FrameRate, PixelAspect, Rotation, Size, VideoCodec, VideoConfig,
};
use crate::wire::codec;
use crate::wire::codec::pcm::{Coding, Pcm};
use crate::wire::codec::{Colors, FLAC_STREAM_HEADER, Light, cadence, vorbis};
use crate::wire::container::mkv::ebml::{
    child, float, id, put_float, put_master, put_uint, text, uint,
};
use crate::wire::container::track_config::bare_video_config;

pub(super) const AVC_CODEC_ID: &str = "V_MPEG4/ISO/AVC";
pub(super) const AAC_CODEC_ID: &str = "A_AAC";
/// The projection type of a flat video.
pub(super) const RECTANGULAR: u64 = 0;
/// The last unit of a displayed size that is known: the ratio of the sides.
const MAX_KNOWN_DISPLAY_UNIT: u64 = 3;

/// Converts a track entry with a known audio codec other than AAC.
pub(super) fn other_audio(entry: &[u8], codec: &str, config: Bytes) -> Option<AudioConfig> {
    let (codec, audio, config) = match codec {
        "A_OPUS" => (AudioCodec::Opus, codec::opus(&config)?, config),
        // The stream marker and a block header precede STREAMINFO.
        "A_FLAC" => {
            let info = config.get(8..42).map(|_| config.slice(8..42))?;
            (AudioCodec::Flac, codec::flac(&config)?, info)
        }
        "A_VORBIS" => {
            let config = vorbis::unlaced(&config)?;
            (AudioCodec::Vorbis, vorbis::audio_info(&config)?, config)
        }
        // The frames and the track entry contain the parameters.
        "A_AC3" | "A_EAC3" | "A_MPEG/L2" | "A_MPEG/L3" => {
            let codec = match codec {
                "A_AC3" => AudioCodec::Ac3,
                "A_EAC3" => AudioCodec::Eac3,
                "A_MPEG/L2" => AudioCodec::Mp2,
                _ => AudioCodec::Mp3,
            };
            (codec, audio_info(entry), Bytes::new())
        }
        _ => return None,
    };
    Some(audio.config(codec, config))
}

/// Reads the audio fields of a track entry. Missing values get the defaults of the format (RFC 9559 §5.1.4.1.29), and
/// invalid ones the usual values.
fn audio_info(entry: &[u8]) -> codec::AudioInfo {
    let audio = child(entry, id::AUDIO).unwrap_or_default();
    let rate = child(audio, id::SAMPLING_FREQUENCY).and_then(float);
    let channels = child(audio, id::CHANNELS).and_then(uint);
    let rate = rate.map_or(8_000, |rate| rate as u32);
    let rate = Some(rate).filter(|rate| (1_000..=384_000).contains(rate));
    let channels = u16::try_from(channels.unwrap_or(1)).ok().filter(|it| (1..=16).contains(it));
    codec::AudioInfo { sample_rate: rate.unwrap_or(48_000), channels: channels.unwrap_or(2) }
}

/// Reads the format of uncompressed audio (Matroska codec mappings, `A_PCM`; `A_MS/ACM` has the
/// format of a WAV file).
pub(super) fn pcm(entry: &[u8], codec: &str, config: &[u8]) -> Option<Pcm> {
    if codec == "A_MS/ACM" {
        return Pcm::of_wave(config);
    }
    let audio = child(entry, id::AUDIO).unwrap_or_default();
    let number = |name| child(audio, name).and_then(uint);
    let bits = number(id::BIT_DEPTH).unwrap_or(16);
    let (coding, big_endian) = match codec {
        "A_PCM/INT/LIT" if bits == 8 => (Coding::Unsigned, false),
        "A_PCM/INT/LIT" => (Coding::Signed, false),
        "A_PCM/INT/BIG" => (Coding::Signed, true),
        "A_PCM/FLOAT/IEEE" => (Coding::Float, false),
        _ => return None,
    };
    let rate = child(audio, id::SAMPLING_FREQUENCY).and_then(float).unwrap_or(8_000.0);
    let pcm = Pcm {
        coding,
        big_endian,
        bytes: u8::try_from(bits.div_ceil(8)).ok()?,
        channels: u16::try_from(number(id::CHANNELS).unwrap_or(1)).ok()?,
        sample_rate: rate as u32,
    };
    Some(pcm).filter(Pcm::is_audio)
}

/// Makes the VP9 configuration of MP4 (VP Codec ISO Media File Format Binding §2.2) from Matroska's
/// features (WebM container guidelines, "VP9 Codec Feature Metadata"), which may be missing, and
/// from the colors of the track entry (RFC 9559 §5.1.4.1.28.16).
pub(super) fn vp9_config(entry: &[u8], features: &[u8]) -> Bytes {
    // Some writers use the configuration of MP4 here.
    if features.len() >= 12 && features.starts_with(&[1, 0, 0, 0]) {
        return Bytes::copy_from_slice(features);
    }
    // Profile, level (default 1.0), bit depth, chroma subsampling (default 4:2:0).
    let mut found = [0, 10, 8, 1];
    let mut rest = features;
    while let [id @ 1..=4, 1, value, after @ ..] = rest {
        if let Some(place) = found.get_mut(usize::from(*id) - 1) {
            *place = *value;
        }
        rest = after;
    }
    let [profile, level, depth, chroma] = found;
    let coded = colors(entry);
    // Unspecified values are 2, and the default range is limited.
    let full = u8::from(coded.full_range == Some(true));
    let [primaries, transfer, matrix] =
        [coded.primaries, coded.transfer, coded.matrix].map(|code| code.unwrap_or(2));
    let bits = (depth & 0xF) << 4 | (chroma & 7) << 1 | full;
    let colors = [primaries, transfer, matrix, 0, 0];
    [&[1, 0, 0, 0, profile, level, bits], &colors[..]].concat().into()
}

/// Reads the colors of a track entry (RFC 9559 §5.1.4.1.28.16 to §5.1.4.1.28.40).
pub(super) fn colors(entry: &[u8]) -> Colors {
    let element = child(entry, id::VIDEO).and_then(|video| child(video, id::COLOUR));
    let Some(element) = element else { return Colors::default() };
    let number = |name| child(element, name).and_then(uint);
    let code = |name| number(name).and_then(|it| u8::try_from(it).ok()).unwrap_or(2);
    let level = |name| number(name).and_then(|it| u16::try_from(it).ok()).unwrap_or(0);
    let display = child(element, id::MASTERING_METADATA);
    let bound = |name| display.and_then(|display| child(display, name)).and_then(float);
    let display = bound(id::LUMINANCE_MIN).zip(bound(id::LUMINANCE_MAX));
    let display = display.map(|(black, white)| Light::display(black, white)).unwrap_or_default();
    let full_range = match number(id::RANGE) {
        Some(1) => Some(false),
        Some(2) => Some(true),
        _ => None,
    };
    let [primaries, transfer, matrix] =
        [id::PRIMARIES, id::TRANSFER_CHARACTERISTICS, id::MATRIX_COEFFICIENTS].map(code);
    let light = Light::levels(level(id::MAX_CLL), level(id::MAX_FALL)).or(display);
    Colors { full_range, light, ..Colors::of(primaries, transfer, matrix) }
}

/// Writes the known colors of a track entry.
pub(super) fn put_colors(out: &mut BytesMut, colors: &Colors) {
    if *colors == Colors::default() {
        return;
    }
    let codes = [
        (id::MATRIX_COEFFICIENTS, colors.matrix.map(f64::from)),
        (id::RANGE, colors.full_range.map(|full| if full { 2.0 } else { 1.0 })),
        (id::TRANSFER_CHARACTERISTICS, colors.transfer.map(f64::from)),
        (id::PRIMARIES, colors.primaries.map(f64::from)),
        (id::MAX_CLL, colors.light.max_content),
        (id::MAX_FALL, colors.light.max_average),
    ];
    put_master(out, id::COLOUR, |out| {
        for (id, value) in codes {
            if let Some(value) = value {
                put_uint(out, id, value as u64);
            }
        }
        if let Some((black, white)) = colors.light.display {
            put_master(out, id::MASTERING_METADATA, |out| {
                put_float(out, id::LUMINANCE_MAX, white);
                put_float(out, id::LUMINANCE_MIN, black);
            });
        }
    });
}

/// Reads the pixel aspect from the displayed size of a track entry (RFC 9559 §5.1.4.1.28.12 to
/// §5.1.4.1.28.14), if the entry declares one.
pub(super) fn pixel_aspect(entry: &[u8]) -> Option<PixelAspect> {
    let video = child(entry, id::VIDEO)?;
    let number = |name| child(video, name).and_then(uint).filter(|number| *number > 0);
    let (width, height) = (number(id::PIXEL_WIDTH)?, number(id::PIXEL_HEIGHT)?);
    let shown = (number(id::DISPLAY_WIDTH), number(id::DISPLAY_HEIGHT));
    if shown == (None, None) || number(id::DISPLAY_UNIT) > Some(MAX_KNOWN_DISPLAY_UNIT) {
        return None;
    }
    let (shown_width, shown_height) = (shown.0.unwrap_or(width), shown.1.unwrap_or(height));
    let sides = (shown_width.checked_mul(height)?, shown_height.checked_mul(width)?);
    Some(PixelAspect::new(sides.0, sides.1).unwrap_or(PixelAspect::SQUARE))
}

/// Writes the displayed size of a video with a pixel aspect. The width is rounded.
pub(super) fn put_displayed_size(out: &mut BytesMut, video: &VideoConfig) {
    let Some((width, height)) = video.pixel_aspect.map(PixelAspect::sides) else { return };
    let (width, height) = (u64::from(width), u64::from(height));
    let shown = (u64::from(video.size.width) * width + height / 2) / height;
    if shown > 0 {
        put_uint(out, id::DISPLAY_WIDTH, shown);
        put_uint(out, id::DISPLAY_HEIGHT, video.size.height.into());
    }
}

/// Returns the roll of a rotation in degrees. A roll is counterclockwise (RFC 9559 §5.1.4.1.28.46).
pub(super) const fn roll(rotation: Rotation) -> i32 {
    match rotation {
        Rotation::None | Rotation::Mirrored => 0,
        Rotation::Right | Rotation::MirroredRight => -90,
        Rotation::Half | Rotation::MirroredHalf => 180,
        Rotation::Left | Rotation::MirroredLeft => 90,
    }
}

/// Reads the rotation of a track entry (RFC 9559 §5.1.4.1.28.41 to §5.1.4.1.28.46), if it is a
/// rotation by quarter turns. A yaw of half a turn mirrors the frame before it is rolled.
pub(super) fn rotation(entry: &[u8]) -> Option<Rotation> {
    let projection = child(child(entry, id::VIDEO)?, id::PROJECTION)?;
    let kind = child(projection, id::PROJECTION_TYPE).and_then(uint).unwrap_or(RECTANGULAR);
    let angle = |name| child(projection, name).and_then(float).unwrap_or(0.0).round() as i32;
    let yaw = angle(id::PROJECTION_POSE_YAW).checked_abs()?;
    if kind != RECTANGULAR || !matches!(yaw, 0 | 180) || angle(id::PROJECTION_POSE_PITCH) != 0 {
        return None;
    }
    let all = if yaw == 0 { Rotation::ALL } else { Rotation::MIRRORED };
    let degrees = angle(id::PROJECTION_POSE_ROLL).rem_euclid(360);
    all.into_iter().find(|rotation| roll(*rotation).rem_euclid(360) == degrees)
}

/// Converts a track entry with a known video codec. If the codec is H.264, the entry has no config.
pub(super) fn other_video(entry: &[u8], codec: &str, config: Bytes) -> Option<VideoConfig> {
    let codec = match codec {
        AVC_CODEC_ID => VideoCodec::H264,
        "V_MPEGH/ISO/HEVC" => VideoCodec::Hevc,
        "V_AV1" => VideoCodec::Av1,
        "V_VP9" => VideoCodec::Vp9,
        "V_VP8" => VideoCodec::Vp8,
        "V_MPEG4/ISO/SP" | "V_MPEG4/ISO/ASP" | "V_MPEG4/ISO/AP" => VideoCodec::Mpeg4,
        "V_MPEG1" | "V_MPEG2" => VideoCodec::Mpeg2,
        _ => return None,
    };
    let config = if codec == VideoCodec::Vp9 { vp9_config(entry, &config) } else { config };
    let video = child(entry, id::VIDEO).unwrap_or_default();
    let side = |name| child(video, name).and_then(uint).and_then(|side| u32::try_from(side).ok());
    let size = side(id::PIXEL_WIDTH).zip(side(id::PIXEL_HEIGHT)).unwrap_or((0, 0));
    let nanos = child(entry, id::DEFAULT_DURATION).and_then(uint);
    let nanos = nanos.filter(|nanos| (1_000_000..=4_000_000_000).contains(nanos));
    let rate = nanos.and_then(|nanos| cadence::fraction(1e9 / nanos as f64));
    Some(VideoConfig {
        size: Size::new(size.0, size.1),
        frame_rate: rate.unwrap_or(FrameRate::FPS_30),
        ..bare_video_config(codec, config, &[])
    })
}

/// Returns the name of a track.
pub(super) fn name(entry: &[u8]) -> String {
    let name = child(entry, id::NAME).unwrap_or_default();
    String::from_utf8_lossy(text(name)).into_owned()
}

/// Returns Matroska's name of a video codec and its `CodecPrivate`, if any, for writing.
pub(super) fn video_entry(video: &VideoConfig) -> Option<(&'static str, Bytes)> {
    let config = video.codec_config.clone();
    Some(match video.codec {
        VideoCodec::H264 => (AVC_CODEC_ID, config),
        VideoCodec::Hevc => ("V_MPEGH/ISO/HEVC", config),
        VideoCodec::Av1 => ("V_AV1", config),
        VideoCodec::Vp9 => ("V_VP9", vp9_features(&config)),
        VideoCodec::Vp8 => ("V_VP8", Bytes::new()),
        _ => return None,
    })
}

/// Returns the Matroska codec ID of an audio codec and its `CodecPrivate`, which may be empty, for writing.
pub(super) fn audio_entry(audio: &AudioConfig) -> Option<(&'static str, Bytes)> {
    Some(match audio.codec {
        AudioCodec::Aac => (AAC_CODEC_ID, audio.codec_config.clone()),
        AudioCodec::Opus => ("A_OPUS", codec::opus_head(audio)),
        AudioCodec::Flac => ("A_FLAC", [FLAC_STREAM_HEADER, &audio.codec_config].concat().into()),
        AudioCodec::Ac3 => ("A_AC3", Bytes::new()),
        AudioCodec::Eac3 => ("A_EAC3", Bytes::new()),
        AudioCodec::Mp3 => ("A_MPEG/L3", Bytes::new()),
        AudioCodec::Mp2 => ("A_MPEG/L2", Bytes::new()),
        _ => return None,
    })
}

/// Converts the VP9 configuration of MP4 to Matroska's features.
fn vp9_features(config: &[u8]) -> Bytes {
    let record = config.strip_prefix(&[1, 0, 0, 0]).unwrap_or(config);
    let [profile, level, bits, ..] = *record else { return Bytes::new() };
    Bytes::from(vec![1, 1, profile, 2, 1, level, 3, 1, bits >> 4, 4, 1, bits >> 1 & 7])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::mkv::index::index;
    use crate::wire::container::mkv::writer::Writer;
    use crate::wire::container::mp4::live::simulated::aac;
    use crate::wire::container::mp4::live::tracks;
    use crate::wire::container::track_config::tests::{anamorphic_video, rotated_video};
    use crate::wire::container::{AudioTrack, Muxer, Timing, Tracks};

    #[test]
    fn a_copy_keeps_the_pixel_aspect() {
        let video = anamorphic_video();
        let [wide, high] = [PixelAspect::new(16, 15), PixelAspect::new(8, 9)];
        for pixel_aspect in [wide, high, Some(PixelAspect::SQUARE), video.pixel_aspect] {
            let video = VideoConfig { pixel_aspect, ..video.clone() };
            let file = Writer::new(tracks(Some(&video), None)).begin();
            let read = index(&mut &file[..]).unwrap().tracks.video.unwrap();
            assert_eq!((read.pixel_aspect, read.size), (pixel_aspect, video.size));
        }
    }

    #[test]
    fn audio_without_declared_values_has_the_defaults_of_the_format() {
        let audio = other_audio(&[], "A_MPEG/L3", Bytes::new()).unwrap();
        assert_eq!((audio.channels, audio.sample_rate), (1, 8_000));
    }

    #[test]
    fn the_displayed_size_has_any_known_unit() {
        let of = |shown: &[(u32, u64)]| {
            let mut entry = BytesMut::new();
            put_master(&mut entry, id::VIDEO, |out| {
                put_uint(out, id::PIXEL_WIDTH, 720);
                put_uint(out, id::PIXEL_HEIGHT, 576);
                shown.iter().for_each(|(name, value)| put_uint(out, *name, *value));
            });
            pixel_aspect(&entry)
        };
        let [width, height, unit] = [id::DISPLAY_WIDTH, id::DISPLAY_HEIGHT, id::DISPLAY_UNIT];
        let anamorphic = PixelAspect::new(64, 45);
        assert_eq!(of(&[(width, 1_024), (height, 576)]), anamorphic);
        assert_eq!(of(&[(width, 1_024)]), anamorphic, "the default height");
        assert_eq!(of(&[(width, 16), (height, 9), (unit, 3)]), anamorphic);
        assert_eq!(of(&[(width, 720), (height, 576)]), Some(PixelAspect::SQUARE));
        assert_eq!(of(&[(width, 16), (height, 9), (unit, 4)]), None);
        assert_eq!(of(&[(width, u64::MAX), (height, 1)]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_copy_keeps_the_rotation_of_the_video() {
        for rotation in Rotation::orientations() {
            let video = rotated_video(rotation);
            let size = video.size;
            let file = Writer::new(tracks(Some(&video), None)).begin();
            let read = index(&mut &file[..]).unwrap().tracks.video.unwrap();
            assert_eq!((read.rotation, read.size), (rotation, size));
        }
    }

    #[test]
    fn a_copy_keeps_the_colors_of_the_file() {
        let light = Light::levels(1_000, 400).or(Light::display(0.005, 4_000.0));
        let known = Colors { full_range: Some(false), light, ..Colors::of(9, 16, 9) };
        for colors in [known, Colors::default()] {
            let tracks = tracks(Some(&rotated_video(Rotation::None)), None);
            let file = Writer::copying(tracks, &Timing::default(), colors).begin();
            assert_eq!(index(&mut &file[..]).unwrap().colors, colors);
        }
    }

    #[test]
    fn a_copy_keeps_the_language_of_the_audio() {
        for language in [Some(*b"fra"), None] {
            let audio = AudioTrack { language, ..aac().into() };
            let file = Writer::new(Tracks { video: None, audio: vec![audio] }).begin();
            let copied = index(&mut &file[..]).unwrap().tracks.audio;
            assert_eq!(copied[0].language, language);
        }
    }

    #[test]
    fn only_flat_quarter_turns_are_a_rotation() {
        let of = |kind, [yaw, pitch, roll]: [f64; 3]| {
            let mut entry = BytesMut::new();
            put_master(&mut entry, id::VIDEO, |out| {
                put_master(out, id::PROJECTION, |out| {
                    put_uint(out, id::PROJECTION_TYPE, kind);
                    put_float(out, id::PROJECTION_POSE_YAW, yaw);
                    put_float(out, id::PROJECTION_POSE_PITCH, pitch);
                    put_float(out, id::PROJECTION_POSE_ROLL, roll);
                });
            });
            rotation(&entry)
        };
        assert_eq!(of(RECTANGULAR, [0.0, 0.0, -90.0]), Some(Rotation::Right));
        assert_eq!(of(RECTANGULAR, [0.0, 0.0, 90.0]), Some(Rotation::Left));
        assert_eq!(of(RECTANGULAR, [0.0, 0.0, 180.0]), Some(Rotation::Half));
        assert_eq!(of(RECTANGULAR, [0.0, 0.0, -180.0]), Some(Rotation::Half));
        assert_eq!(of(RECTANGULAR, [0.0, 0.0, 0.0]), Some(Rotation::None));
        assert_eq!(of(RECTANGULAR, [180.0, 0.0, 90.0]), Some(Rotation::MirroredLeft));
        assert_eq!(of(RECTANGULAR, [-180.0, 0.0, 0.0]), Some(Rotation::Mirrored));
        for angles in [[0.0, 0.0, 45.0], [90.0, 0.0, 90.0], [0.0, 10.0, 90.0], [0.0, 0.0, 1e300]] {
            assert_eq!(of(RECTANGULAR, angles), None, "{angles:?}");
        }
        // A panorama.
        assert_eq!(of(1, [0.0, 0.0, 90.0]), None);
    }
}
