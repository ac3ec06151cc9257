//! Configurations of video codecs: HEVC and VP9.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::{PixelAspect, VideoCodec};
use crate::wire::bits::{BitReader, Error};
use crate::wire::codec::color::Colors;
use crate::wire::codec::h264::nal::unescape;
use crate::wire::codec::{hdr, hevc_vui};

/// Maximum number of bytes of a parameter set that are read, because the sizes are at the start.
const MAX_SPS_BYTES: usize = 1 << 10;

/// Properties of a video stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoInfo {
    pub profile: Option<String>,
    /// Level as the codec writes it and ffprobe shows it: 3.1 is 93 for HEVC, 5 for AV1 and 31 for
    /// VP9.
    pub level: Option<u32>,
    /// Width and height after cropping.
    pub size: Option<(u32, u32)>,
    /// The aspect of the pixels, if it is known and they are not square.
    pub pixel_aspect: Option<PixelAspect>,
    pub colors: Colors,
}

/// Returns the bits per sample that a config declares.
pub fn bit_depth(codec: VideoCodec, config: &[u8]) -> Option<u8> {
    match codec {
        // HEVCDecoderConfigurationRecord: `bit_depth_luma_minus8`.
        VideoCodec::Hevc => config.get(17).map(|byte| (byte & 7) + 8),
        // AV1CodecConfigurationRecord: `high_bitdepth` and `twelve_bit`.
        VideoCodec::Av1 => config.get(2).map(|byte| match (byte & 0x40, byte & 0x20) {
            (0, _) => 8,
            (_, 0) => 10,
            _ => 12,
        }),
        // VPCodecConfigurationRecord, after the version and flags of its box.
        VideoCodec::Vp9 => config.get(6).map(|byte| byte >> 4).filter(|bits| *bits >= 8),
        _ => None,
    }
}

/// Reads an HEVCDecoderConfigurationRecord.
pub fn hevc(config: &[u8]) -> Option<VideoInfo> {
    let [1, profile, more @ ..] = config else { return None };
    let name = match profile & 0x1F {
        1 => "Main",
        2 => "Main 10",
        3 => "Main Still Picture",
        4 => "Range Extensions",
        9 => "Screen Content Coding",
        _ => "",
    };
    // The compatibility and constraint flags precede the level.
    let level = more.get(10).map(|level| u32::from(*level)).filter(|level| *level > 0);
    let (mut sps, mut beside) = (None, Colors::default());
    // A truncated array is used up to its end.
    let _ = hevc_units(config, &mut |kind, unit| {
        if kind == 33 && sps.is_none() {
            sps = HevcSps::of_unit(unit);
        }
        beside = beside.or(hdr::of_hevc_unit(kind, unit));
    });
    let profile = (!name.is_empty()).then(|| name.to_owned());
    let size = sps.as_ref().map(|sps| sps.size);
    let (pixel_aspect, vui) = sps.map_or((None, Colors::default()), |sps| sps.aspect_and_colors);
    Some(VideoInfo { profile, level, size, pixel_aspect, colors: beside.or(vui) })
}

/// Passes each unit in the arrays of a record to `take`, with its type. Returns `None` if the
/// record is truncated.
fn hevc_units<'a>(config: &'a [u8], take: &mut impl FnMut(u8, &'a [u8])) -> Option<()> {
    let (&count, mut rest) = config.get(22..)?.split_first()?;
    for _ in 0..count {
        let (&[kind, high, low], mut more) = rest.split_first_chunk::<3>()?;
        for _ in 0..u16::from_be_bytes([high, low]) {
            let (&length, after) = more.split_first_chunk::<2>()?;
            let (nal, after) = after.split_at_checked(u16::from_be_bytes(length).into())?;
            take(kind & 0x3F, nal);
            more = after;
        }
        rest = more;
    }
    Some(())
}

/// Returns the parameter sets of an HEVCDecoderConfigurationRecord as whole NAL units, in the order
/// that decoders need.
pub fn hevc_parameter_sets(config: &[u8]) -> Vec<Bytes> {
    let mut sets: [Vec<Bytes>; 3] = Default::default();
    // A truncated array is used up to its end.
    let _ = hevc_units(config, &mut |kind, unit| {
        if let Some(sets) = kind.checked_sub(32).and_then(|place| sets.get_mut(usize::from(place)))
        {
            sets.push(Bytes::copy_from_slice(unit));
        }
    });
    sets.concat()
}

/// Reads the sizes, in pixels, in all sequence parameter sets of an HEVCDecoderConfigurationRecord.
pub fn hevc_sizes(config: &[u8]) -> Vec<(u32, u32)> {
    let mut sizes = Vec::new();
    // A truncated array is used up to its end.
    let _ = hevc_units(config, &mut |kind, unit| {
        if kind == 33 {
            sizes.extend(HevcSps::of_unit(unit).map(|sps| sps.size));
        }
    });
    sizes
}

/// First fields of an HEVC sequence parameter set (H.265 §7.3.2.2.1).
struct HevcSps {
    /// `general_profile_space` to `general_level_idc`, which a configuration repeats.
    profile_and_level: [u8; 12],
    layers: u8,
    nested: bool,
    chroma: u8,
    depths: (u8, u8),
    size: (u32, u32),
    aspect_and_colors: (Option<PixelAspect>, Colors),
}

impl HevcSps {
    /// Reads a set with its NAL header.
    fn of_unit(unit: &[u8]) -> Option<Self> {
        Self::parse(unit.get(2..)?).ok()
    }

    /// Reads a set without its NAL header.
    fn parse(sps: &[u8]) -> Result<Self, Error> {
        let sps = unescape(sps.get(..MAX_SPS_BYTES).unwrap_or(sps));
        let mut bits = BitReader::new(&sps);
        let (size, chroma, layers, nested) = hevc_front(&mut bits)?;
        // A truncated set still has the size.
        let depths = (bits.ue().unwrap_or(0), bits.ue().unwrap_or(0));
        let aspect_and_colors = hevc_vui::aspect_and_colors(&mut bits, layers).unwrap_or_default();
        let small = |value: u32| u8::try_from(value.min(15)).unwrap_or(0);
        let profile_and_level = sps.get(1..13).and_then(|part| part.first_chunk().copied());
        Ok(Self {
            profile_and_level: profile_and_level.unwrap_or_default(),
            layers: small(layers),
            nested,
            chroma: small(chroma.min(3)),
            depths: (small(depths.0.min(7)), small(depths.1.min(7))),
            size,
            aspect_and_colors,
        })
    }
}

/// Makes an HEVCDecoderConfigurationRecord with 4-byte lengths (ISO/IEC 14496-15 §8.3.3.1) from
/// these NAL units: video, sequence and picture parameter sets.
pub fn hevc_record(sets: [&[Bytes]; 3]) -> Option<Bytes> {
    let sps = HevcSps::of_unit(sets.get(1)?.first()?)?;
    let mut out = BytesMut::with_capacity(64);
    out.put_u8(1);
    out.put_slice(&sps.profile_and_level);
    // No segmentation, unknown parallelism, the sample format, unknown frame rate.
    out.put_u16(0xF000);
    out.put_u8(0xFC);
    out.put_u8(0xFC | sps.chroma);
    out.put_u8(0xF8 | sps.depths.0);
    out.put_u8(0xF8 | sps.depths.1);
    out.put_u16(0);
    out.put_u8((sps.layers + 1).min(7) << 3 | u8::from(sps.nested) << 2 | 3);
    out.put_u8(3);
    for (kind, sets) in (32_u8..).zip(sets) {
        out.put_u8(0x80 | kind);
        out.put_u16(u16::try_from(sets.len()).ok()?);
        for set in sets {
            out.put_u16(u16::try_from(set.len()).ok()?);
            out.put_slice(set);
        }
    }
    Some(out.freeze())
}

/// Reads size, chroma format, the number of sub-layers after the first, and whether they are
/// nested. Afterwards, `bits` is positioned just after these fields.
fn hevc_front(bits: &mut BitReader<'_>) -> Result<((u32, u32), u32, u32, bool), Error> {
    bits.skip(4)?;
    let sub_layers = bits.bits(3)?;
    let nested = bits.flag()?;
    // profile_tier_level: the general part, then the present parts of each sub-layer.
    bits.skip(96)?;
    let mut present = 0;
    for layer in 0..8 {
        if sub_layers == 0 {
            break;
        }
        let (profile, level) = (bits.flag()?, bits.flag()?);
        if layer < sub_layers {
            present += if profile { 88 } else { 0 } + if level { 8 } else { 0 };
        }
    }
    bits.skip(present)?;
    bits.ue()?;
    let chroma = bits.ue()?;
    if chroma == 3 {
        bits.skip(1)?;
    }
    let (mut width, mut height) = (bits.ue()?, bits.ue()?);
    if bits.flag()? {
        let (x, y) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let mut sides = [0; 4];
        for side in &mut sides {
            *side = bits.ue()?;
        }
        let [left, right, top, bottom] = sides;
        width = width.saturating_sub(left.saturating_add(right).saturating_mul(x));
        height = height.saturating_sub(top.saturating_add(bottom).saturating_mul(y));
    }
    Ok(((width, height), chroma, sub_layers, nested))
}

/// Reads a VPCodecConfigurationRecord, with or without the version before it. The size is in the
/// frames, see [`vp9_key_size`].
pub fn vp9(config: &[u8]) -> Option<VideoInfo> {
    let record = config.strip_prefix(&[1, 0, 0, 0]).unwrap_or(config);
    let (&[profile, level], more) = record.split_first_chunk::<2>()?;
    let profile = (profile < 4).then(|| format!("Profile {profile}"));
    let colors = match more {
        [bits, primaries, transfer, matrix, ..] => {
            let full_range = Some(bits & 1 == 1);
            Colors { full_range, ..Colors::of(*primaries, *transfer, *matrix) }
        }
        _ => Colors::default(),
    };
    let level = Some(level.into()).filter(|level| *level > 0);
    Some(VideoInfo { profile, level, colors, ..VideoInfo::default() })
}

/// Reads primaries and transfer (ITU-T H.273) from a VPCodecConfigurationRecord, because VP9 frames
/// do not have them.
pub fn vp9_colors(config: &[u8]) -> Option<(u8, u8)> {
    let record = config.strip_prefix(&[1, 0, 0, 0]).unwrap_or(config);
    let (&[_, _, _, primaries, transfer], _) = record.split_first_chunk::<5>()?;
    Some((primaries, transfer))
}

/// Reads width and height of a VP9 keyframe.
pub fn vp9_key_size(frame: &[u8]) -> Option<(u32, u32)> {
    vp9_key(frame)?.size
}

/// Reads the size of a VP8 keyframe (RFC 6386 §9.1).
pub fn vp8_key_size(frame: &[u8]) -> Option<(u32, u32)> {
    let [tag, _, _, 0x9D, 0x01, 0x2A, a, b, c, d, ..] = *frame else { return None };
    let [width, height] = [[a, b], [c, d]].map(|side| u32::from(u16::from_le_bytes(side) & 0x3FFF));
    (tag & 1 == 0 && width > 0 && height > 0).then_some((width, height))
}

/// Reads the properties of a VP9 keyframe (VP9 §6.2, §7.2.2).
pub fn vp9_key(frame: &[u8]) -> Option<VideoInfo> {
    let read = |frame: &[u8]| -> Result<Option<VideoInfo>, Error> {
        let mut bits = BitReader::new(frame);
        let marker = bits.bits(2)?;
        let profile = bits.bits(1)? + 2 * bits.bits(1)?;
        if profile == 3 {
            bits.skip(1)?;
        }
        let shows_existing = bits.flag()?;
        let inter = bits.flag()?;
        bits.skip(2)?;
        if marker != 2 || shows_existing || inter || bits.bits(24)? != 0x49_83_42 {
            return Ok(None);
        }
        if profile >= 2 {
            bits.skip(1)?;
        }
        let space = bits.bits(3)?;
        let full = if space == 7 { true } else { bits.flag()? };
        if profile & 1 == 1 {
            bits.skip(if space == 7 { 1 } else { 3 })?;
        }
        // VP9 frames have only the matrix.
        let matrix = match space {
            1 => 5,
            2 => 1,
            3 => 6,
            4 => 7,
            5 => 9,
            7 => 0,
            _ => 2,
        };
        let colors = Colors { full_range: Some(full), ..Colors::of(2, 2, matrix) };
        let size = Some((bits.bits(16)? + 1, bits.bits(16)? + 1));
        Ok(Some(VideoInfo { size, colors, ..VideoInfo::default() }))
    };
    read(frame).ok().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::bits::BitWriter;
    use crate::wire::codec::config_record::av1;

    /// Creates a record with one SPS of this size, cropped at the bottom by this many chroma
    /// samples.
    fn hvcc(width: u32, height: u32, crop: u32, sub_layers: u32) -> Vec<u8> {
        hvcc_with((width, height), crop, sub_layers, |_| ())
    }

    /// Creates such a record, in which `more` writes the fields after the size.
    fn hvcc_with(
        (width, height): (u32, u32),
        crop: u32,
        sub_layers: u32,
        more: impl FnOnce(&mut BitWriter),
    ) -> Vec<u8> {
        let mut sps = BitWriter::with_capacity(64);
        sps.bits(4, 0);
        sps.bits(3, sub_layers);
        sps.flag(true);
        for _ in 0..12 {
            sps.bits(8, 0);
        }
        if sub_layers > 0 {
            // The first sub-layer has both profile and level.
            sps.bits(2, 3);
            sps.bits(14, 0);
            (0..12).for_each(|_| sps.bits(8, 0));
        }
        sps.ue(0);
        sps.ue(1);
        sps.ue(width);
        sps.ue(height);
        sps.flag(crop > 0);
        if crop > 0 {
            [0, 0, 0, crop].into_iter().for_each(|side| sps.ue(side));
        }
        more(&mut sps);
        sps.trailing_bits();
        let sps = crate::wire::codec::h264::nal::escape(&sps.into_bytes());
        let mut record = vec![1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93];
        record.resize(22, 0);
        // A video parameter set comes first.
        record.extend([2, 0x20, 0, 1, 0, 3, 0x40, 1, 0]);
        record.extend([0x21, 0, 1, 0, sps.len() as u8 + 2, 0x42, 1]);
        record.extend(sps);
        record
    }

    #[test]
    fn hevc_tells_profile_level_and_size() {
        let frame = hevc(&hvcc(1_920, 1_088, 4, 0)).unwrap();
        assert_eq!(frame.profile.as_deref(), Some("Main 10"));
        assert_eq!((frame.level, frame.size), (Some(93), Some((1_920, 1_080))));
        assert_eq!(hevc(&hvcc(640, 360, 0, 1)).unwrap().size, Some((640, 360)));
    }

    #[test]
    fn hevc_tells_the_pixel_aspect() {
        let of = |idc: u32, sides: &[u32]| {
            let config = hvcc_with((720, 576), 0, 0, |sps| {
                // Bit depths and the length of the output order.
                (0..3).for_each(|_| sps.ue(0));
                sps.flag(false);
                // The buffer sizes of a layer, and block sizes.
                (0..9).for_each(|_| sps.ue(0));
                // No scaling lists, two more tools, and no PCM.
                (0..4).for_each(|_| sps.flag(false));
                // No reference sets, long-term frames, and two more tools.
                sps.ue(0);
                (0..3).for_each(|_| sps.flag(false));
                // A VUI with an aspect.
                (0..2).for_each(|_| sps.flag(true));
                sps.bits(8, idc);
                sides.iter().for_each(|side| sps.bits(16, *side));
                (0..8).for_each(|_| sps.flag(false));
            });
            let info = hevc(&config).unwrap();
            assert_eq!(info.size, Some((720, 576)));
            info.pixel_aspect.map(PixelAspect::sides)
        };
        assert_eq!(of(255, &[64, 45]), Some((64, 45)));
        assert_eq!(of(4, &[]), Some((16, 11)));
        // Square, unknown and invalid.
        let others: [(u32, &[u32]); 4] = [(1, &[]), (0, &[]), (17, &[]), (255, &[0, 45])];
        for (idc, sides) in others {
            assert_eq!(of(idc, sides), None, "{idc}");
        }
    }

    #[test]
    fn av1_tells_profile_level_and_size() {
        let mut header = BitWriter::with_capacity(16);
        // Main profile, neither still nor reduced; no timing, no delay, one operating point of level
        // 2.1.
        header.bits(3, 0);
        header.bits(4, 0);
        header.bits(5, 0);
        header.bits(12, 0);
        header.bits(5, 1);
        header.bits(4, 10);
        header.bits(4, 9);
        header.bits(11, 1_279);
        header.bits(10, 719);
        header.trailing_bits();
        let header = header.into_bytes();
        let mut record = vec![0x81, 0x05, 0, 0];
        // A temporal delimiter comes first.
        record.extend([0x12, 0, 0x0A, header.len() as u8]);
        record.extend(header);
        let frame = av1(&record).unwrap();
        assert_eq!(frame.profile.as_deref(), Some("Main"));
        assert_eq!((frame.level, frame.size), (Some(5), Some((1_280, 720))));
    }

    #[test]
    fn vp9_tells_its_size_in_its_keyframes() {
        let frame = vp9(&[1, 0, 0, 0, 0, 31, 0x80, 1]).unwrap();
        let record = [1, 0, 0, 0, 2, 31, 0xA0, 9, 16, 9, 0, 0];
        assert_eq!((vp9_colors(&record), vp9_colors(&record[4..])), (Some((9, 16)), Some((9, 16))));
        assert_eq!(vp9_colors(&record[..8]), None);
        assert_eq!((frame.profile.as_deref(), frame.level), (Some("Profile 0"), Some(31)));
        let mut key = BitWriter::with_capacity(16);
        key.bits(2, 2);
        key.bits(2, 0);
        key.bits(4, 0b0010);
        key.bits(24, 0x49_83_42);
        key.bits(4, 0b0010);
        key.bits(16, 639);
        key.bits(16, 359);
        key.trailing_bits();
        assert_eq!(vp9_key_size(&key.into_bytes()), Some((640, 360)));
        let vp8 = [0x10, 0, 0, 0x9D, 1, 0x2A, 0x40, 0x41, 0xF0, 0x80];
        assert_eq!(vp8_key_size(&vp8), Some((320, 240)));
        assert_eq!(vp8_key_size(&[0x11, 0, 0, 0x9D, 1, 0x2A, 0x40, 1, 0xF0, 0]), None);
        assert_eq!(vp9_key_size(&[0x86, 0, 0x40, 0x92]), None, "an inter picture");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
            cut in 0_usize..80,
        ) {
            for config in [hvcc(64, 64, 1, 1), bytes.clone()] {
                bytes.splice(..cut.min(bytes.len()), config.into_iter().take(cut));
                let _ = (hevc(&bytes), av1(&bytes), vp9(&bytes), vp9_key_size(&bytes));
                let _ = (vp9_colors(&bytes), hevc_sizes(&bytes));
            }
            bytes.splice(0..0, [0x81, 4, 0, 0]);
            let _ = av1(&bytes);
        }
    }
}
