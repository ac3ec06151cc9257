//! Prepares a stream for the H.264 decoder. This module checks the parameter sets before the
//! library sees them, and converts packets (ISO/IEC 14496-15 §5) to the byte stream of ITU-T H.264
//! annex B.

use bytes::Bytes;

use crate::decode::error::Error;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Size};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::bits::{BitReader, BitWriter};
use crate::wire::codec::h264::sps::PicOrderCount;
use crate::wire::codec::h264::{DecoderConfig, NalType, Pps, Sps, avcc_nals, escape, unescape};

/// Maximum number of macroblocks in a frame, which is the limit of level 5.2.
const MAX_MACROBLOCKS: u32 = 36_864;

/// Maximum number of reference frames in H.264.
const MAX_REFERENCES: u32 = 16;

/// Maximum number of parameter sets, more than any real stream contains.
const MAX_PARAMETER_SETS: usize = 64;

/// The current parameter sets.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    /// Size of a NAL unit's length field, in bytes.
    pub length_size: usize,
    /// The parameter sets in the form for the decoder, with the SPS first.
    sets: Vec<Bytes>,
    profile: &'static str,
    color: Color,
}

#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
fn damaged(reason: impl ToProblem) -> Error {
    Error::Config { codec: "H.264", reason: reason.to_problem() }
}

impl Configuration {
    pub(super) fn parse(record: &Bytes) -> Result<Self, Error> {
        let record = DecoderConfig::parse(record).map_err(damaged)?;
        let first = record.first_sps().map_err(damaged)?;
        let mut sets = Vec::new();
        for set in &record.sps {
            sets.push(admit(set)?);
        }
        sets.extend(record.pps.iter().cloned());
        let (profile, color) = (first.profile(), color(&first));
        Ok(Self { length_size: record.length_size, sets, profile, color })
    }

    pub(super) fn profile_name(&self) -> &'static str {
        self.profile
    }

    pub(super) fn color(&self) -> Color {
        self.color
    }

    /// Appends a truncated IDR frame (H.264 §7.3.3), and returns the size of future frames. Returns
    /// `None` if there are several parameter sets of a kind, if a set is unreadable or has slice
    /// groups, or if the size is invalid.
    pub(super) fn write_broken_frame(&self, out: &mut Vec<u8>) -> Option<Size> {
        let [sps, pps] = &self.sets[..] else { return None };
        let sps = Sps::parse_for_decoding(sps).ok()?;
        let pps = Pps::parse(pps, Some(&sps)).ok()?;
        if pps.num_slice_groups > 1 {
            return None;
        }
        let mut slice = BitWriter::with_capacity(32);
        slice.bits(8, 0x65);
        // The first macroblock, and only intra slices.
        slice.ue(0);
        slice.ue(7);
        slice.ue(pps.id);
        slice.bits(sps.log2_max_frame_num, 0);
        slice.ue(0);
        let offsets = match sps.pic_order_cnt {
            PicOrderCount::Lsb { log2_max_lsb } => {
                slice.bits(log2_max_lsb, 0);
                0
            }
            PicOrderCount::Cycle { delta_always_zero: false, .. } => 1,
            PicOrderCount::Cycle { .. } | PicOrderCount::DecodingOrder => 0,
        };
        let bottom = match sps.pic_order_cnt {
            PicOrderCount::Cycle { delta_always_zero: true, .. } | PicOrderCount::DecodingOrder => {
                false
            }
            _ => pps.bottom_field_pic_order_present,
        };
        (0..offsets + u32::from(bottom)).for_each(|_| slice.se(0));
        if pps.redundant_pic_cnt_present {
            slice.ue(0);
        }
        slice.bits(2, 0);
        slice.se(0);
        if pps.deblocking_filter_control_present {
            slice.ue(1);
        }
        // Invalid macroblock data.
        (0..8).for_each(|_| slice.bits(8, 0x55));
        slice.trailing_bits();
        write_nal(&escape(&slice.into_bytes()), out);
        let size = Size::new(sps.width, sps.height);
        size.is_valid().then_some(size)
    }

    /// Appends the parameter sets in the form for the decoder.
    pub(super) fn write_parameter_sets(&self, out: &mut Vec<u8>) {
        for set in &self.sets {
            write_nal(set, out);
        }
    }
}

/// Checks whether a sequence parameter set is supported, and returns it in the form for the
/// library.
fn admit(nal: &[u8]) -> Result<Bytes, Error> {
    let sps = Sps::parse_for_decoding(nal).map_err(damaged)?;
    let no = |lack: Problem| {
        let profile = sps.profile();
        Err(Error::Unsupported(problem!("decode-h264-kind", profile = profile, lack = lack)))
    };
    if sps.chroma_format_idc != 1 {
        return no(problem!("decode-chroma"));
    }
    if (sps.bit_depth_luma, sps.bit_depth_chroma) != (8, 8) {
        return no(problem!("decode-bit-depth"));
    }
    if !sps.frame_mbs_only {
        return no(problem!("decode-interlaced"));
    }
    if sps.lossless_transform_bypass || !matches!(sps.profile_idc, 66 | 77 | 88 | 83 | 100) {
        return no(problem!("decode-profile"));
    }
    let size = Size::new(sps.width, sps.height);
    let coded = Size::new(sps.width_in_mbs * 16, sps.height_in_map_units * 16);
    if !size.is_valid() || coded.macroblocks() > MAX_MACROBLOCKS || coded.width < 16 {
        return no(problem!("decode-frame-size", size = size.to_string()));
    }
    if sps.max_num_ref_frames > MAX_REFERENCES {
        return Err(damaged(problem!("decode-references")));
    }
    without_reordering(nal, &sps).ok_or_else(|| damaged(problem!("decode-too-short")))
}

/// Changes the profile of the parameter set to Scalable Baseline, because the library does not
/// reorder frames of this profile; see the backend. The parameter set then has the syntax of High,
/// which has fields that Main and Extended lack.
fn without_reordering(nal: &[u8], sps: &Sps) -> Option<Bytes> {
    if sps.profile_idc == 66 {
        return Some(Bytes::copy_from_slice(nal));
    }
    let rbsp = unescape(nal);
    let mut reader = BitReader::new(&rbsp);
    let mut writer = BitWriter::with_capacity(rbsp.len() + 2);
    writer.copy(&mut reader, 8).ok()?;
    reader.skip(8).ok()?;
    writer.bits(8, 83);
    writer.copy(&mut reader, 16).ok()?;
    writer.ue(reader.ue().ok()?);
    if matches!(sps.profile_idc, 77 | 88) {
        writer.ue(1); // chroma_format_idc
        writer.ue(0); // bit depths: 8
        writer.ue(0);
        writer.flag(false); // qpprime_y_zero_transform_bypass_flag
        writer.flag(false); // seq_scaling_matrix_present_flag
    }
    // Copy the rest of the set, including its stop bit; trailing zeros have no meaning.
    let rest = (rbsp.len() * 8).checked_sub(reader.position())?;
    writer.copy(&mut reader, rest).ok()?;
    Some(escape(&writer.into_bytes()).into())
}

/// Returns the color space that the stream declares (§E.2.1), or else the usual one for its size.
fn color(sps: &Sps) -> Color {
    let usual = if sps.height < 720 { Matrix::Bt601 } else { Matrix::Bt709 };
    let signal = sps.vui.as_ref().and_then(|vui| vui.signal);
    let matrix = match signal.and_then(|signal| signal.color) {
        Some((_, _, 1)) => Matrix::Bt709,
        Some((_, _, 5 | 6)) => Matrix::Bt601,
        _ => usual,
    };
    let full = signal.is_some_and(|signal| signal.full_range);
    Color { matrix, range: if full { Range::Full } else { Range::Limited } }
}

/// The kind of a packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A packet without a slice.
    NoVideo,
    /// A frame that depends on other frames.
    Inter,
    /// A keyframe. No later frame depends on a frame before it.
    Idr,
}

/// Examines a packet. Parameter sets in the packet replace the current ones (a stream may change
/// its size this way).
pub(super) fn survey(data: &[u8], configuration: &mut Configuration) -> Result<Kind, Error> {
    let (mut slices, mut idr) = (0, false);
    let mut fresh = Vec::new();
    for nal in avcc_nals(data, configuration.length_size) {
        let nal = nal.map_err(|e| Error::Damaged { codec: "H.264", reason: e.to_problem() })?;
        match NalType::of(nal) {
            Some(NalType::Idr) => {
                idr = true;
                slices += 1;
            }
            Some(NalType::Slice) => slices += 1,
            Some(NalType::Sps | NalType::Pps) if fresh.len() < MAX_PARAMETER_SETS => {
                fresh.push(nal);
            }
            _ => {}
        }
    }
    if !fresh.is_empty() {
        replace(configuration, &fresh)?;
    }
    Ok(match (slices, idr) {
        (0, _) => Kind::NoVideo,
        (_, true) => Kind::Idr,
        (_, false) => Kind::Inter,
    })
}

fn replace(configuration: &mut Configuration, fresh: &[&[u8]]) -> Result<(), Error> {
    let is_sps = |nal: &[u8]| NalType::of(nal) == Some(NalType::Sps);
    let mut sps = Vec::new();
    for nal in fresh.iter().filter(|nal| is_sps(nal)) {
        let parsed = Sps::parse_for_decoding(nal).map_err(damaged)?;
        configuration.profile = parsed.profile();
        configuration.color = color(&parsed);
        sps.push(admit(nal)?);
    }
    // A new set replaces all sets of its kind, because only one set of each kind is in use.
    if !sps.is_empty() {
        configuration.sets.retain(|set| !is_sps(set));
        sps.append(&mut configuration.sets);
        configuration.sets = sps;
    }
    if fresh.iter().any(|nal| !is_sps(nal)) {
        configuration.sets.retain(|set| is_sps(set));
        let pps = fresh.iter().filter(|nal| !is_sps(nal));
        configuration.sets.extend(pps.map(|nal| Bytes::copy_from_slice(nal)));
    }
    Ok(())
}

fn write_nal(nal: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(&[0, 0, 0, 1]);
    out.extend_from_slice(nal);
}

/// Appends the slices of a packet as a byte stream, which is all the decoder needs.
pub(super) fn write_slices(data: &[u8], length_size: usize, out: &mut Vec<u8>) {
    for nal in avcc_nals(data, length_size).flatten() {
        if matches!(NalType::of(nal), Some(NalType::Slice | NalType::Idr)) {
            write_nal(nal, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A parameter set of the Main profile for 640x360, written by libx264.
    const MAIN_PROFILE_SPS: [u8; 24] = [
        0x67, 0x4d, 0x40, 0x1e, 0xec, 0xa0, 0x50, 0x17, 0xfc, 0xb8, 0x08, 0x80, 0x00, 0x00, 0x03,
        0x00, 0x80, 0x00, 0x00, 0x1e, 0x07, 0x8b, 0x16, 0xcb,
    ];

    #[test]
    fn the_disguise_changes_nothing_but_the_profile() {
        let before = Sps::parse(&MAIN_PROFILE_SPS).unwrap();
        let after = Sps::parse(&admit(&MAIN_PROFILE_SPS).unwrap()).unwrap();
        assert_eq!(after.profile_idc, 83);
        assert_eq!((after.width, after.height), (640, 360));
        assert_eq!((after.vui, after.max_num_ref_frames), (before.vui, before.max_num_ref_frames));
        assert_eq!((after.pic_order_cnt, after.level_idc), (before.pic_order_cnt, 30));
    }
}
