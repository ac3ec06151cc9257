//! Sequence parameter sets (ITU-T H.264 §7.3.2.1), every profile.

use super::vui::INVALID_TIMING;
use super::{Error, Vui};
use crate::media::PixelAspect;
use crate::media::codec_config::gcd;
use crate::wire::bits::BitReader;
use crate::wire::codec::h264::nal::unescape;

/// The longest accepted set in bytes. Real sets are shorter than 100 bytes, including scaling lists
/// and HRDs.
const MAX_SPS_BYTES: usize = 4_096;

/// `seq_parameter_set_data()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sps {
    pub profile_idc: u8,
    /// Constraint flags; `constraint_set0_flag` is bit 7.
    pub constraints: u8,
    pub level_idc: u8,
    pub id: u32,
    /// Chroma format: 0 is monochrome, 1 is 4:2:0, 2 is 4:2:2, 3 is 4:4:4.
    pub chroma_format_idc: u32,
    pub separate_colour_planes: bool,
    pub bit_depth_luma: u32,
    pub bit_depth_chroma: u32,
    pub lossless_transform_bypass: bool,
    /// The 8 or 12 lists of the scaling matrix; empty without a matrix.
    pub scaling_lists: Vec<ScalingList>,
    pub log2_max_frame_num: u32,
    pub pic_order_cnt: PicOrderCount,
    pub max_num_ref_frames: u32,
    pub gaps_in_frame_num_allowed: bool,
    pub width_in_mbs: u32,
    pub height_in_map_units: u32,
    /// True if every frame is progressive, without fields.
    pub frame_mbs_only: bool,
    pub mb_adaptive_frame_field: bool,
    pub direct_8x8_inference: bool,
    /// Left, right, top and bottom, in crop units.
    pub cropping: Option<[u32; 4]>,
    pub vui: Option<Vui>,
    /// Width after cropping, in luma samples.
    pub width: u32,
    /// Height after cropping, in luma samples.
    pub height: u32,
    /// Position of `vui_parameters_present_flag` in the raw payload, in bits.
    pub(super) vui_flag_at: usize,
}

/// One list of a scaling matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScalingList {
    /// The list is absent, and a fallback applies (Table 7-2, rule A or B).
    Absent,
    /// The default list.
    Default,
    /// 16 or 64 values.
    Explicit(Vec<u8>),
}

/// How the stream signals the output order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PicOrderCount {
    /// Type 0.
    Lsb { log2_max_lsb: u32 },
    /// Type 1.
    Cycle {
        delta_always_zero: bool,
        offset_for_non_ref_pic: i32,
        offset_for_top_to_bottom_field: i32,
        offsets_for_ref_frame: Vec<i32>,
    },
    /// Type 2: output order is decoding order.
    DecodingOrder,
}

impl Default for PicOrderCount {
    fn default() -> Self {
        Self::Lsb { log2_max_lsb: 4 }
    }
}

/// Reads `count` lists of a scaling matrix; the first 6 have 16 values.
pub(super) fn scaling_lists(
    reader: &mut BitReader<'_>,
    count: usize,
) -> Result<Vec<ScalingList>, Error> {
    (0..count)
        .map(|index| {
            if !reader.flag()? {
                return Ok(ScalingList::Absent);
            }
            let size = if index < 6 { 16 } else { 64 };
            let mut values = Vec::with_capacity(size);
            let (mut last, mut next) = (8_i32, 8_i32);
            for position in 0..size {
                if next != 0 {
                    let delta = reader.se()?;
                    if !(-128..=127).contains(&delta) {
                        return Err(Error::Range("delta_scale"));
                    }
                    next = (last + delta + 256) % 256;
                    if next == 0 && position == 0 {
                        return Ok(ScalingList::Default);
                    }
                }
                last = if next == 0 { last } else { next };
                values.push(last as u8);
            }
            Ok(ScalingList::Explicit(values))
        })
        .collect()
}

impl Sps {
    /// Reads a whole NAL unit, with header byte and emulation prevention.
    ///
    /// # Errors
    /// Also fails if the VUI has values that the standard forbids.
    pub fn parse(nal: &[u8]) -> Result<Self, Error> {
        let (sps, vui_error) = Self::read(nal)?;
        vui_error.map_or(Ok(sps), Err)
    }

    /// Works like [`Sps::parse`], but leaves out what is invalid in the VUI. Some encoders write
    /// such values, and decoding does not need them.
    pub fn parse_for_decoding(nal: &[u8]) -> Result<Self, Error> {
        Self::read(nal).map(|(sps, _)| sps)
    }

    /// Returns the set, and what is invalid in its VUI.
    fn read(nal: &[u8]) -> Result<(Self, Option<Error>), Error> {
        let header = *nal.first().ok_or(Error::NoNal)?;
        if header & 0x9F != 7 {
            return Err(Error::WrongNal { header, expected: "SPS" });
        }
        if nal.len() > MAX_SPS_BYTES {
            return Err(Error::Range("seq_parameter_set"));
        }
        Self::read_rbsp(&unescape(nal))
    }

    /// Reads the raw payload after the header byte `rbsp[0]`.
    fn read_rbsp(rbsp: &[u8]) -> Result<(Self, Option<Error>), Error> {
        let mut r = BitReader::new(rbsp);
        r.skip(8)?;
        let mut sps = Self {
            profile_idc: r.byte(8)?,
            constraints: r.byte(8)?,
            level_idc: r.byte(8)?,
            id: r.ue()?,
            chroma_format_idc: 1,
            bit_depth_luma: 8,
            bit_depth_chroma: 8,
            ..Self::default()
        };
        if sps.id > 31 {
            return Err(Error::Range("seq_parameter_set_id"));
        }
        if has_chroma_fields(sps.profile_idc) {
            sps.read_chroma(&mut r)?;
        }
        sps.log2_max_frame_num = at_most(r.ue()?, 12, "log2_max_frame_num")? + 4;
        sps.pic_order_cnt = read_pic_order(&mut r)?;
        sps.max_num_ref_frames = at_most(r.ue()?, 255, "max_num_ref_frames")?;
        sps.gaps_in_frame_num_allowed = r.flag()?;
        sps.width_in_mbs = at_most(r.ue()?, 4_095, "the width")? + 1;
        sps.height_in_map_units = at_most(r.ue()?, 4_095, "the height")? + 1;
        sps.frame_mbs_only = r.flag()?;
        if !sps.frame_mbs_only {
            sps.mb_adaptive_frame_field = r.flag()?;
        }
        sps.direct_8x8_inference = r.flag()?;
        if r.flag()? {
            sps.cropping = Some([r.ue()?, r.ue()?, r.ue()?, r.ue()?]);
        }
        sps.set_size()?;
        sps.vui_flag_at = r.position();
        let mut vui_error = None;
        if r.flag().unwrap_or(false) {
            match Vui::read(&mut r) {
                Ok(vui) => sps.vui = Some(vui),
                // Some encoders truncate the VUI, but their frames decode correctly.
                Err(Error::Bits(_)) => {}
                Err(error) => vui_error = Some(error),
            }
        }
        let timing = sps.vui.as_mut().map(|vui| &mut vui.timing);
        if let Some(timing) = timing.filter(|it| it.is_some_and(|it| it.is_invalid())) {
            *timing = None;
            vui_error = Some(INVALID_TIMING);
        }
        Ok((sps, vui_error))
    }

    fn read_chroma(&mut self, r: &mut BitReader<'_>) -> Result<(), Error> {
        self.chroma_format_idc = at_most(r.ue()?, 3, "chroma_format_idc")?;
        if self.chroma_format_idc == 3 {
            self.separate_colour_planes = r.flag()?;
        }
        self.bit_depth_luma = at_most(r.ue()?, 6, "bit_depth_luma")? + 8;
        self.bit_depth_chroma = at_most(r.ue()?, 6, "bit_depth_chroma")? + 8;
        self.lossless_transform_bypass = r.flag()?;
        if r.flag()? {
            let count = if self.chroma_format_idc == 3 { 12 } else { 8 };
            self.scaling_lists = scaling_lists(r, count)?;
        }
        Ok(())
    }

    /// Computes the cropped size (§7.4.2.1.1). Fails if nothing of the frame is left.
    fn set_size(&mut self) -> Result<(), Error> {
        let field_factor = if self.frame_mbs_only { 1 } else { 2 };
        let chroma = if self.separate_colour_planes { 0 } else { self.chroma_format_idc };
        let unit_x = if matches!(chroma, 1 | 2) { 2 } else { 1 };
        let unit_y = if chroma == 1 { 2 } else { 1 } * field_factor;
        let [left, right, top, bottom] = self.cropping.unwrap_or_default().map(u64::from);
        let side = |blocks: u32, crop: u64| {
            let left = (u64::from(blocks) * 16).checked_sub(crop).filter(|side| *side > 0);
            left.and_then(|side| u32::try_from(side).ok()).ok_or(Error::Range("frame_crop_offset"))
        };
        self.width = side(self.width_in_mbs, (left + right) * unit_x)?;
        self.height =
            side(self.height_in_map_units * field_factor as u32, (top + bottom) * unit_y)?;
        Ok(())
    }

    /// Returns the frame rate as numerator and denominator, if the VUI has it.
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        let timing = self.vui.as_ref()?.timing?;
        let (num, den) = (u64::from(timing.time_scale), 2 * u64::from(timing.units_in_tick));
        let divisor = gcd(num, den);
        Some((u32::try_from(num / divisor).ok()?, u32::try_from(den / divisor).ok()?))
    }

    /// Returns the aspect of the pixels, if the VUI has it and they are not square.
    pub fn pixel_aspect(&self) -> Option<PixelAspect> {
        self.vui.as_ref()?.aspect_ratio?.pixels()
    }

    /// Returns the profile's name, such as "High".
    pub fn profile(&self) -> &'static str {
        profile_name(self.profile_idc, self.constraints)
    }
}

fn at_most(value: u32, limit: u32, what: &'static str) -> Result<u32, Error> {
    if value <= limit { Ok(value) } else { Err(Error::Range(what)) }
}

fn read_pic_order(r: &mut BitReader<'_>) -> Result<PicOrderCount, Error> {
    match r.ue()? {
        0 => {
            let log2_max_lsb = at_most(r.ue()?, 12, "log2_max_pic_order_cnt_lsb")? + 4;
            Ok(PicOrderCount::Lsb { log2_max_lsb })
        }
        1 => {
            let delta_always_zero = r.flag()?;
            let offset_for_non_ref_pic = r.se()?;
            let offset_for_top_to_bottom_field = r.se()?;
            let count = at_most(r.ue()?, 255, "num_ref_frames_in_pic_order_cnt_cycle")?;
            let offsets_for_ref_frame = (0..count).map(|_| r.se()).collect::<Result<_, _>>()?;
            Ok(PicOrderCount::Cycle {
                delta_always_zero,
                offset_for_non_ref_pic,
                offset_for_top_to_bottom_field,
                offsets_for_ref_frame,
            })
        }
        2 => Ok(PicOrderCount::DecodingOrder),
        _ => Err(Error::Range("pic_order_cnt_type")),
    }
}

/// Returns true if `chroma_format_idc` and the fields after it are present (§7.3.2.1.1).
fn has_chroma_fields(profile_idc: u8) -> bool {
    matches!(profile_idc, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

/// Returns the name of a profile (Annex A). `constraints` is the byte after `profile_idc`.
pub fn profile_name(profile_idc: u8, constraints: u8) -> &'static str {
    let set = |index: u8| constraints & (0x80 >> index) != 0;
    match profile_idc {
        66 if set(1) => "Constrained Baseline",
        66 => "Baseline",
        77 => "Main",
        88 => "Extended",
        // Constrained High and Progressive High are called "High" too, as in other tools.
        100 => "High",
        110 if set(3) => "High 10 Intra",
        110 => "High 10",
        122 if set(3) => "High 4:2:2 Intra",
        122 => "High 4:2:2",
        244 if set(3) => "High 4:4:4 Intra",
        244 => "High 4:4:4 Predictive",
        44 => "CAVLC 4:4:4 Intra",
        83 => "Scalable Baseline",
        86 => "Scalable High",
        118 => "Multiview High",
        128 => "Stereo High",
        _ => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bits::BitWriter;
    use crate::wire::codec::h264::nal::escape;
    use crate::wire::codec::h264::vui::{Hrd, Timing};

    /// A set without a VUI.
    const BARE: [u8; 8] = [0x67, 66, 0xC0, 10, 0xDA, 0x0A, 0x1F, 0x90];

    #[test]
    fn a_timing_of_zero_is_invalid_in_a_truncated_vui_too() {
        let plain = Sps::parse(&BARE).unwrap();
        // The numbers of the timing, and the number of flags after them before the end.
        for (numbers, flags) in [(&[0][..], 1), (&[0, 60][..], 0), (&[1, 0][..], 2)] {
            let rbsp = unescape(&BARE);
            let mut writer = BitWriter::with_capacity(64);
            writer.copy(&mut BitReader::new(&rbsp), plain.vui_flag_at).unwrap();
            // There is a VUI with a timing, and with nothing before it.
            writer.bits(6, 0b10_0001);
            for number in numbers {
                writer.bits(32, *number);
            }
            for _ in 0..flags {
                writer.flag(true);
            }
            let nal = escape(&writer.into_bytes());
            assert_eq!(Sps::parse(&nal), Err(INVALID_TIMING), "{numbers:?}");
            assert_eq!(Sps::parse_for_decoding(&nal), Ok(plain.clone()), "{numbers:?}");
        }
    }

    #[test]
    fn an_invalid_vui_leaves_the_rest_of_the_set_valid() {
        let plain = Sps::parse(&BARE).unwrap();
        let with = |vui: &Vui| {
            let rbsp = unescape(&BARE);
            let mut writer = BitWriter::with_capacity(64);
            writer.copy(&mut BitReader::new(&rbsp), plain.vui_flag_at).unwrap();
            writer.flag(true);
            vui.write(&mut writer);
            writer.trailing_bits();
            let nal = escape(&writer.into_bytes());
            assert!(matches!(Sps::parse(&nal), Err(Error::Range(_))));
            Sps::parse_for_decoding(&nal).unwrap()
        };
        for (units_in_tick, time_scale) in [(0, 0), (0, 60), (1, 0)] {
            let timing = Timing { units_in_tick, time_scale, fixed_frame_rate: true };
            let sps = with(&Vui { timing: Some(timing), ..Vui::default() });
            assert_eq!((sps.frame_rate(), sps.width), (None, plain.width));
            assert_eq!(sps.vui, Some(Vui::default()), "the values after the timing");
        }
        let hrd = Hrd {
            bit_rate_scale: 0,
            cpb_size_scale: 0,
            entries: vec![(0, 0, false); 33],
            initial_cpb_removal_delay_length_minus1: 0,
            cpb_removal_delay_length_minus1: 0,
            dpb_output_delay_length_minus1: 0,
            time_offset_length: 0,
        };
        assert_eq!(with(&Vui { nal_hrd: Some(hrd), ..Vui::default() }), plain);
    }

    #[test]
    fn names() {
        assert_eq!(profile_name(66, 0xC0), "Constrained Baseline");
        assert_eq!(profile_name(100, 0), "High");
    }

    #[test]
    fn other_nal_units_are_refused() {
        assert_eq!(Sps::parse(&[]), Err(Error::NoNal));
        assert!(matches!(Sps::parse(&[0x68, 1]), Err(Error::WrongNal { .. })));
        assert!(matches!(Sps::parse(&[0x87, 1]), Err(Error::WrongNal { .. })));
        assert!(matches!(Sps::parse(&[0x67, 66, 0]), Err(Error::Bits(_))));
    }
}
