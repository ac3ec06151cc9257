//! Writes codec configs: converts them between containers, or derives a missing config from the
//! first packet. Also reads the configs of AV1, which this module writes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::media::AudioConfig;
use crate::wire::bits::{BitReader, BitWriter, Error};
use crate::wire::codec::color::Colors;
use crate::wire::codec::hdr;
use crate::wire::codec::obu::{self, obus};
use crate::wire::codec::video_config::VideoInfo;

/// Maximum number of bytes of an AV1 sequence header that are read.
const MAX_OBU_BYTES: usize = 1 << 10;

/// The FLAC stream marker and the block header before STREAMINFO: last block, 34 bytes (RFC 9639
/// §8.1).
pub const FLAC_STREAM_HEADER: &[u8] = b"fLaC\x80\0\0\x22";

/// Returns the identification header of Opus (RFC 7845 §5.1). If the stream has none, returns a
/// header for one or two channels.
pub fn opus_head(audio: &AudioConfig) -> Bytes {
    if audio.codec_config.starts_with(b"OpusHead") && audio.codec_config.len() >= 19 {
        return audio.codec_config.clone();
    }
    let mut head = BytesMut::from(&b"OpusHead\x01"[..]);
    head.put_u8(u8::try_from(audio.channels.clamp(1, 2)).unwrap_or(2));
    head.put_u16_le(0);
    head.put_u32_le(48_000);
    head.put_slice(&[0; 3]);
    head.freeze()
}

/// Returns the duration in nanoseconds that is not played at the start of Opus audio (pre-skip).
pub fn opus_delay_nanos(audio: &AudioConfig) -> u64 {
    match *audio.codec_config {
        [b'O', b'p', b'u', b's', b'H', b'e', b'a', b'd', _, _, low, high, ..] => {
            u64::from(u16::from_le_bytes([low, high])) * 1_000_000 / 48
        }
        _ => 0,
    }
}

/// Makes the content of `dOps` (Encapsulation of Opus in ISO Base Media File Format §4.3.2).
pub fn opus_box(audio: &AudioConfig) -> Bytes {
    let head = opus_head(audio);
    let mut out = BytesMut::with_capacity(32);
    if let [channels, s0, s1, r0, r1, r2, r3, g0, g1, family, mapping @ ..] =
        head.get(9..).unwrap_or_default()
    {
        out.put_slice(&[0, *channels, *s1, *s0, *r3, *r2, *r1, *r0, *g1, *g0, *family]);
        out.put_slice(mapping);
    }
    out.freeze()
}

/// Makes the content of `dac3` or `dec3` from a packet of AC-3 or E-AC-3 (ETSI TS 102 366 §F.4,
/// §F.6).
pub fn ac3_record(packet: &[u8], bitrate: u32) -> Option<Bytes> {
    let &[0x0B, 0x77, _, _, b4, b5, b6, ..] = packet else { return None };
    let mut out = BitWriter::with_capacity(8);
    if b5 >> 3 <= 10 {
        let audio = super::ac3(packet)?;
        let mode = b6 >> 5;
        let full = [2, 1, 2, 3, 3, 4, 4, 5].get(usize::from(mode)).copied().unwrap_or(2);
        out.bits(2, u32::from(b4 >> 6));
        out.bits(5, u32::from(b5 >> 3));
        out.bits(3, u32::from(b5 & 7));
        out.bits(3, mode.into());
        out.flag(audio.channels > full);
        out.bits(5, u32::from(b4 & 0x3F) / 2);
        out.bits(5, 0);
        return Some(out.into_bytes().into());
    }
    let (mut rest, mut main, mut dependent) = (packet, Vec::new(), 0_u32);
    // Independent substreams, and the number of substreams that depend on the last of them.
    while let Some((length, _)) = super::ac3_frame(rest) {
        let (frame, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        match *frame {
            [_, _, b2, _, b4, b5, ..] if b2 >> 6 != 1 => {
                // A packet may contain several frames of the same substream.
                if main.len() < 8 && u32::from(b2 >> 3 & 7) == main.len() as u32 {
                    main.push((b4, b5));
                }
            }
            _ => dependent += 1,
        }
        rest = after;
    }
    out.bits(13, (bitrate / 1_000).min(0x1FFF));
    out.bits(3, (main.len() as u32).checked_sub(1)?);
    for (place, (b4, b5)) in main.iter().enumerate() {
        let rate = if b4 >> 6 == 3 { 3 } else { u32::from(b4 >> 6) };
        out.bits(2, rate);
        out.bits(5, u32::from(b5 >> 3));
        // Reserved bits, no associated service, a complete main service.
        out.bits(5, 0);
        out.bits(3, u32::from(b4 >> 1 & 7));
        out.flag(b4 & 1 == 1);
        out.bits(3, 0);
        let dependents = if place + 1 == main.len() { dependent.min(15) } else { 0 };
        out.bits(4, dependents);
        // Channel locations of dependent substreams: rear left and right, the usual case.
        match dependents {
            0 => out.bits(1, 0),
            _ => out.bits(9, 2),
        }
    }
    Some(out.into_bytes().into())
}

/// Makes the VP9 configuration of MP4 from a keyframe (VP9 §6.2, VP Codec ISO Media File Format
/// Binding §2.2). The level is the lowest that allows the frame size and rate.
pub fn vp9_record(frame: &[u8], frame_rate: f64) -> Option<Bytes> {
    let (width, height) = super::vp9_key_size(frame)?;
    let front = || -> Result<[u8; 2], Error> {
        let mut bits = BitReader::new(frame);
        bits.skip(2)?;
        let profile = bits.bits(1)? + 2 * bits.bits(1)?;
        bits.skip(if profile == 3 { 5 } else { 4 } + 24)?;
        let depth = if profile >= 2 { 10 + 2 * bits.bits(1)? } else { 8 };
        let rgb = bits.bits(3)? == 7;
        let full = rgb || bits.flag()?;
        // 4:2:0 colocated with luma, 4:2:2, 4:4:4.
        let chroma = match (profile & 1, rgb) {
            (0, _) => 1,
            (_, true) => 3,
            _ => match (bits.flag()?, bits.flag()?) {
                (true, false) => 2,
                _ => 3,
            },
        };
        let byte = |it: u32| u8::try_from(it).unwrap_or(0);
        Ok([byte(profile), byte(depth) << 4 | byte(chroma) << 1 | u8::from(full)])
    };
    let [profile, bits] = front().ok()?;
    let size = u64::from(width) * u64::from(height);
    let rate = (size as f64 * frame_rate) as u64;
    // Level, luma samples per second, luma samples per frame.
    const VP9_LEVELS: [(u8, u64, u64); 13] = [
        (10, 829_440, 36_864),
        (11, 2_764_800, 73_728),
        (20, 4_608_000, 122_880),
        (21, 9_216_000, 245_760),
        (30, 20_736_000, 552_960),
        (31, 36_864_000, 983_040),
        (40, 83_558_400, 2_228_224),
        (41, 160_432_128, 2_228_224),
        (50, 311_951_360, 8_912_896),
        (51, 588_251_136, 8_912_896),
        (52, 1_176_502_272, 8_912_896),
        (60, 1_176_502_272, 35_651_584),
        (61, 2_353_004_544, 35_651_584),
    ];
    let level = VP9_LEVELS.iter().find(|(_, most, largest)| rate <= *most && size <= *largest);
    let level = level.map_or(62, |(level, ..)| *level);
    Some(Bytes::from(vec![1, 0, 0, 0, profile, level, bits, 2, 2, 2, 0, 0]))
}

/// Reads an AV1CodecConfigurationRecord.
pub fn av1(config: &[u8]) -> Option<VideoInfo> {
    let [0x81, profile_and_level, _, _, obus @ ..] = config else { return None };
    let profile = match profile_and_level >> 5 {
        0 => Some("Main"),
        1 => Some("High"),
        2 => Some("Professional"),
        _ => None,
    };
    // 31 means no level.
    let index = u32::from(profile_and_level & 0x1F);
    let level = Some(index).filter(|index| *index < 31);
    let info = av1_key(obus).unwrap_or_default();
    Some(VideoInfo { profile: profile.map(str::to_owned), level, ..info })
}

/// Reads size and colors from the OBUs before an AV1 keyframe, or from those in its configuration.
/// Returns `None` if there is no sequence header.
pub fn av1_key(units: &[u8]) -> Option<VideoInfo> {
    let (_, header) = obus(units).find(|(kind, _)| *kind == 1)?;
    let mut bits = BitReader::new(header.get(..MAX_OBU_BYTES).unwrap_or(header));
    let front = av1_front(&mut bits).ok()?;
    let header_colors = av1_colors(&mut bits, &front).unwrap_or_default();
    let colors = hdr::of_av1(units).or(header_colors);
    Some(VideoInfo { size: Some(front.size), colors, ..VideoInfo::default() })
}

/// First fields of a sequence header (AV1 §5.5.1).
struct Av1Front {
    profile: u32,
    /// `reduced_still_picture_header`.
    still: bool,
    /// `seq_level_idx` and `seq_tier` of the first operating point.
    level: (u32, bool),
    size: (u32, u32),
}

/// Makes an AV1CodecConfigurationRecord (AV1 in ISOBMFF §2.3.3) from OBUs with a sequence header.
pub fn av1_record(units: &[u8]) -> Option<Bytes> {
    let header = obu::units(units).find(|unit| unit.kind() == 1)?;
    let payload = header.payload.get(..MAX_OBU_BYTES).unwrap_or(header.payload);
    let mut bits = BitReader::new(payload);
    let front = av1_front(&mut bits).ok()?;
    av1_tools(&mut bits, &front).ok()?;
    let (deep, twelve) = av1_depth(&mut bits, &front).ok()?;
    let grey = front.profile != 1 && bits.flag().ok()?;
    // Other samples than those of profile 0 (4:2:0) are not told apart.
    let chroma = match front.profile {
        0 => 0b1100,
        1 => 0,
        _ => return None,
    };
    let byte = |value: u32| u8::try_from(value).unwrap_or(0);
    let mut out = BytesMut::with_capacity(8 + payload.len());
    out.put_u8(0x81);
    out.put_u8(byte(front.profile) << 5 | byte(front.level.0));
    let flags = [front.level.1, deep, twelve, grey].map(u8::from);
    out.put_u8(flags.iter().fold(0, |all, flag| all << 1 | flag) << 4 | chroma);
    out.put_u8(0);
    // The header OBU with its size.
    out.put_u8(0x0A);
    obu::put_size(&mut out, payload.len());
    out.put_slice(payload);
    Some(out.freeze())
}

fn av1_front(bits: &mut BitReader<'_>) -> Result<Av1Front, Error> {
    let profile = bits.bits(3)?;
    bits.skip(1)?;
    let still = bits.flag()?;
    let mut level = (0, false);
    if still {
        level.0 = bits.bits(5)?;
    } else {
        let mut delay_bits = None;
        if bits.flag()? {
            bits.skip(64)?;
            if bits.flag()? {
                bits.ue()?;
            }
            if bits.flag()? {
                delay_bits = Some(bits.bits(5)? as usize + 1);
                bits.skip(32 + 5 + 5)?;
            }
        }
        let initial_delay = bits.flag()?;
        for point in 0..=bits.bits(5)? {
            bits.skip(12)?;
            let index = bits.bits(5)?;
            let tier = index > 7 && bits.flag()?;
            if point == 0 {
                level = (index, tier);
            }
            if let Some(delay_bits) = delay_bits
                && bits.flag()?
            {
                bits.skip(2 * delay_bits + 1)?;
            }
            if initial_delay && bits.flag()? {
                bits.skip(4)?;
            }
        }
    }
    let (width, height) = (bits.bits(4)? + 1, bits.bits(4)? + 1);
    let size = (bits.bits(width)? + 1, bits.bits(height)? + 1);
    Ok(Av1Front { profile, still, level, size })
}

/// Skips the coding tools of a sequence header; `bits` must be positioned just after the sizes.
fn av1_tools(bits: &mut BitReader<'_>, front: &Av1Front) -> Result<(), Error> {
    if !front.still && bits.flag()? {
        // Frame numbers.
        bits.skip(7)?;
    }
    bits.skip(3)?;
    if !front.still {
        bits.skip(4)?;
        let order = bits.flag()?;
        if order {
            bits.skip(2)?;
        }
        let screen = if bits.flag()? { true } else { bits.flag()? };
        if screen && !bits.flag()? {
            bits.skip(1)?;
        }
        if order {
            bits.skip(3)?;
        }
    }
    bits.skip(3)
}

/// Reads `high_bitdepth` and `twelve_bit` (AV1 §5.5.2).
fn av1_depth(bits: &mut BitReader<'_>, front: &Av1Front) -> Result<(bool, bool), Error> {
    let deep = bits.flag()?;
    Ok((deep, deep && front.profile == 2 && bits.flag()?))
}

/// Reads the colors of a sequence header (AV1 §5.5.2); `bits` must be positioned just after the
/// sizes.
fn av1_colors(bits: &mut BitReader<'_>, front: &Av1Front) -> Result<Colors, Error> {
    av1_tools(bits, front)?;
    av1_depth(bits, front)?;
    let grey = front.profile != 1 && bits.flag()?;
    let has_codes = bits.flag()?;
    let codes = if has_codes { [bits.byte(8)?, bits.byte(8)?, bits.byte(8)?] } else { [2; 3] };
    let [primaries, transfer, matrix] = codes;
    // sRGB has no limited range.
    let full = if !grey && codes == [1, 13, 0] { true } else { bits.flag()? };
    Ok(Colors { full_range: Some(full), ..Colors::of(primaries, transfer, matrix) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::media::{AudioCodec, BitsPerSecond};

    fn opus(config: &'static [u8]) -> AudioConfig {
        let (codec, bitrate) = (AudioCodec::Opus, BitsPerSecond(0));
        let config = Bytes::from_static(config);
        AudioConfig { codec, sample_rate: 48_000, channels: 2, bitrate, codec_config: config }
    }

    #[test]
    fn the_record_of_av1_has_the_level_and_the_samples_of_its_header() {
        // A temporal delimiter and the header of SVT-AV1 4.1 for 720p at level 3.1.
        let units = b"\x12\0\x0a\x0b\0\0\0\x2d\x4c\xff\xb3\xc0\x2f\x80\x04";
        let record = av1_record(units).unwrap();
        assert_eq!(record[..4], [0x81, 5, 0b1100, 0]);
        assert_eq!(record[4..], units[2..]);
        let info = av1(&record).unwrap();
        assert_eq!((info.level, info.size), (Some(5), Some((1_280, 720))));
        assert_eq!((av1_record(&units[..2]), av1_record(&units[..8])), (None, None));
    }

    #[test]
    fn opus_is_described_in_both_byte_orders() {
        let audio = opus(b"OpusHead\x01\x02\x38\x01\x80\xBB\0\0\x05\xFF\0");
        assert_eq!(opus_box(&audio)[..], *b"\0\x02\x01\x38\0\0\xBB\x80\xFF\x05\0");
        assert_eq!((opus_head(&audio), opus_delay_nanos(&audio)), (audio.codec_config, 6_500_000));
        let empty = opus(b"");
        assert_eq!(opus_box(&empty)[..], *b"\0\x02\0\0\0\0\xBB\x80\0\0\0");
        assert_eq!(opus_delay_nanos(&empty), 0);
    }

    #[test]
    fn ac3_is_described_as_by_ffmpeg() {
        // AC-3 of 192 kbit/s, 48 kHz, stereo and of 448 kbit/s, 5.1; E-AC-3 of 192 kbit/s, stereo.
        let record = |packet: &[u8]| ac3_record(packet, 192_000).map(|it| it.to_vec());
        assert_eq!(record(&[0x0B, 0x77, 0, 0, 0x14, 0x40, 0x43, 0]), Some(vec![0x10, 0x11, 0x40]));
        assert_eq!(record(&[0x0B, 0x77, 0, 0, 0x1E, 0x40, 0xE1, 0]), Some(vec![0x10, 0x3D, 0xE0]));
        let enhanced = [0x0B, 0x77, 1, 0x7F, 0x34, 0x86, 0, 0];
        assert_eq!(record(&enhanced), Some(vec![0x06, 0x00, 0x20, 0x04, 0x00]));
        assert_eq!(record(b"none"), None);
    }

    #[test]
    fn vp9_is_described_by_its_keyframe() {
        let mut key = BitWriter::with_capacity(16);
        key.bits(2, 2);
        key.bits(2, 0);
        key.bits(4, 0b0010);
        key.bits(24, 0x49_83_42);
        key.bits(4, 0b0010);
        key.bits(16, 1_919);
        key.bits(16, 1_079);
        key.trailing_bits();
        let record = vp9_record(&key.into_bytes(), 30.0).unwrap();
        assert_eq!(record[..], [1, 0, 0, 0, 0, 40, 0x82, 2, 2, 2, 0, 0]);
        assert_eq!(vp9_record(&[0x86, 0, 0x40, 0x92], 30.0), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = (ac3_record(&bytes, 0), vp9_record(&bytes, 30.0));
            let _ = ac3_record(&[&[0x0B, 0x77], bytes.as_slice()].concat(), u32::MAX);
        }
    }
}
