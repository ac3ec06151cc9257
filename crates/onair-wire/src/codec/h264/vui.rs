//! Video usability information (ITU-T H.264 Annex E): aspect ratio, color, timing, buffering.

use super::Error;
use crate::media::PixelAspect;
use crate::wire::bits::{self, BitReader, BitWriter};

/// `vui_parameters()`; absent parts are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vui {
    /// `aspect_ratio_idc`, and the explicit ratio for 255.
    pub aspect_ratio: Option<AspectRatio>,
    /// `overscan_appropriate_flag`.
    pub overscan_appropriate: Option<bool>,
    /// Video format, range and color.
    pub signal: Option<VideoSignal>,
    /// `chroma_sample_loc_type` of the top and bottom fields.
    pub chroma_location: Option<(u32, u32)>,
    /// Units in a tick, time scale, fixed frame rate.
    pub timing: Option<Timing>,
    /// Hypothetical reference decoder for NAL units.
    pub nal_hrd: Option<Hrd>,
    /// Hypothetical reference decoder for coded slices.
    pub vcl_hrd: Option<Hrd>,
    /// `low_delay_hrd_flag`, which has a meaning only with one of the two fields above.
    pub low_delay_hrd: bool,
    /// `pic_struct_present_flag`.
    pub pic_struct_present: bool,
    /// Limits of the stream for references and reordering.
    pub restriction: Option<Restriction>,
}

/// Sample aspect ratio (Table E-1).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct AspectRatio {
    pub idc: u8,
    /// Width and height; 0 if the table has no ratio.
    pub ratio: (u16, u16),
}

/// `video_signal_type`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct VideoSignal {
    /// Video format; 5 is "unspecified".
    pub format: u8,
    pub full_range: bool,
    /// Primaries, transfer characteristics and matrix (code points of ITU-T H.273).
    pub color: Option<(u8, u8, u8)>,
}

/// Timing: one tick lasts `units_in_tick / time_scale` seconds, and a frame lasts two ticks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    pub units_in_tick: u32,
    pub time_scale: u32,
    pub fixed_frame_rate: bool,
}

/// `hrd_parameters()`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hrd {
    pub bit_rate_scale: u8,
    pub cpb_size_scale: u8,
    /// 1 to 32 entries of `bit_rate_value_minus1`, `cpb_size_value_minus1`, `cbr_flag`.
    pub entries: Vec<(u32, u32, bool)>,
    pub initial_cpb_removal_delay_length_minus1: u8,
    pub cpb_removal_delay_length_minus1: u8,
    pub dpb_output_delay_length_minus1: u8,
    pub time_offset_length: u8,
}

/// `bitstream_restriction`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Restriction {
    pub motion_vectors_over_pic_boundaries: bool,
    pub max_bytes_per_pic_denom: u32,
    pub max_bits_per_mb_denom: u32,
    pub log2_max_mv_length_horizontal: u32,
    pub log2_max_mv_length_vertical: u32,
    /// Maximum number of frames that precede a frame in decoding order and follow it in output
    /// order.
    pub max_num_reorder_frames: u32,
    pub max_dec_frame_buffering: u32,
}

const EXTENDED_SAR: u8 = 255;

/// Ratios of Table E-1, from `aspect_ratio_idc` 1.
const SAMPLE_ASPECT_RATIOS: [(u16, u16); 16] = [
    (1, 1),
    (12, 11),
    (10, 11),
    (16, 11),
    (40, 33),
    (24, 11),
    (20, 11),
    (32, 11),
    (80, 33),
    (18, 11),
    (15, 11),
    (64, 33),
    (160, 99),
    (4, 3),
    (3, 2),
    (2, 1),
];

impl AspectRatio {
    /// Reads `aspect_ratio_idc` and the explicit ratio, which H.265 has in the same form.
    pub(in crate::codec) fn read(reader: &mut BitReader<'_>) -> Result<Self, bits::Error> {
        let idc = reader.byte(8)?;
        let ratio = if idc == EXTENDED_SAR {
            (reader.bits(16)? as u16, reader.bits(16)? as u16)
        } else {
            let row = usize::from(idc).checked_sub(1).and_then(|row| SAMPLE_ASPECT_RATIOS.get(row));
            row.copied().unwrap_or((0, 0))
        };
        Ok(Self { idc, ratio })
    }

    /// Returns the aspect of the pixels, if they are not square.
    pub fn pixels(self) -> Option<PixelAspect> {
        let (width, height) = self.ratio;
        PixelAspect::new(width.into(), height.into())
    }
}

/// The error of a timing with zeros. It counts more than a truncated end.
pub(super) const INVALID_TIMING: Error = Error::Range("num_units_in_tick or time_scale");

impl Timing {
    fn read(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        let units_in_tick = reader.bits(32)?;
        let mut read = || {
            let (time_scale, fixed_frame_rate) = (reader.bits(32)?, reader.flag()?);
            Ok(Self { units_in_tick, time_scale, fixed_frame_rate })
        };
        read().map_err(|error| if units_in_tick == 0 { INVALID_TIMING } else { error })
    }

    /// Whether a value is zero. Some encoders write this, although the standard forbids it.
    pub(super) fn is_invalid(self) -> bool {
        self.units_in_tick == 0 || self.time_scale == 0
    }
}

impl Vui {
    /// Reads `vui_parameters()`. The timing can be invalid.
    pub(super) fn read(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        let mut vui = Self::default();
        if reader.flag()? {
            vui.aspect_ratio = Some(AspectRatio::read(reader)?);
        }
        if reader.flag()? {
            vui.overscan_appropriate = Some(reader.flag()?);
        }
        if reader.flag()? {
            let format = reader.byte(3)?;
            let full_range = reader.flag()?;
            let color = if reader.flag()? {
                Some((reader.byte(8)?, reader.byte(8)?, reader.byte(8)?))
            } else {
                None
            };
            vui.signal = Some(VideoSignal { format, full_range, color });
        }
        if reader.flag()? {
            vui.chroma_location = Some((reader.ue()?, reader.ue()?));
        }
        if reader.flag()? {
            vui.timing = Some(Timing::read(reader)?);
        }
        let is_invalid = vui.timing.is_some_and(Timing::is_invalid);
        match vui.read_end(reader) {
            Err(_) if is_invalid => Err(INVALID_TIMING),
            read => read.map(|()| vui),
        }
    }

    /// Reads what follows the timing.
    fn read_end(&mut self, reader: &mut BitReader<'_>) -> Result<(), Error> {
        self.nal_hrd = reader.flag()?.then(|| Hrd::read(reader)).transpose()?;
        self.vcl_hrd = reader.flag()?.then(|| Hrd::read(reader)).transpose()?;
        if self.nal_hrd.is_some() || self.vcl_hrd.is_some() {
            self.low_delay_hrd = reader.flag()?;
        }
        self.pic_struct_present = reader.flag()?;
        self.restriction = reader.flag()?.then(|| Restriction::read(reader)).transpose()?;
        Ok(())
    }

    /// Writes `vui_parameters()`.
    pub(super) fn write(&self, writer: &mut BitWriter) {
        writer.flag(self.aspect_ratio.is_some());
        if let Some(aspect) = self.aspect_ratio {
            writer.bits(8, aspect.idc.into());
            if aspect.idc == EXTENDED_SAR {
                writer.bits(16, aspect.ratio.0.into());
                writer.bits(16, aspect.ratio.1.into());
            }
        }
        writer.flag(self.overscan_appropriate.is_some());
        if let Some(appropriate) = self.overscan_appropriate {
            writer.flag(appropriate);
        }
        writer.flag(self.signal.is_some());
        if let Some(signal) = self.signal {
            writer.bits(3, signal.format.into());
            writer.flag(signal.full_range);
            writer.flag(signal.color.is_some());
            if let Some((primaries, transfer, matrix)) = signal.color {
                writer.bits(8, primaries.into());
                writer.bits(8, transfer.into());
                writer.bits(8, matrix.into());
            }
        }
        writer.flag(self.chroma_location.is_some());
        if let Some((top, bottom)) = self.chroma_location {
            writer.ue(top);
            writer.ue(bottom);
        }
        writer.flag(self.timing.is_some());
        if let Some(timing) = self.timing {
            writer.bits(32, timing.units_in_tick);
            writer.bits(32, timing.time_scale);
            writer.flag(timing.fixed_frame_rate);
        }
        for hrd in [&self.nal_hrd, &self.vcl_hrd] {
            writer.flag(hrd.is_some());
            if let Some(hrd) = hrd {
                hrd.write(writer);
            }
        }
        if self.nal_hrd.is_some() || self.vcl_hrd.is_some() {
            writer.flag(self.low_delay_hrd);
        }
        writer.flag(self.pic_struct_present);
        writer.flag(self.restriction.is_some());
        if let Some(restriction) = self.restriction {
            restriction.write(writer);
        }
    }
}

impl Hrd {
    fn read(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        let count = reader.ue()?;
        if count > 31 {
            return Err(Error::Range("cpb_cnt_minus1"));
        }
        let bit_rate_scale = reader.byte(4)?;
        let cpb_size_scale = reader.byte(4)?;
        let mut entries = Vec::with_capacity(count as usize + 1);
        for _ in 0..=count {
            entries.push((reader.ue()?, reader.ue()?, reader.flag()?));
        }
        Ok(Self {
            bit_rate_scale,
            cpb_size_scale,
            entries,
            initial_cpb_removal_delay_length_minus1: reader.byte(5)?,
            cpb_removal_delay_length_minus1: reader.byte(5)?,
            dpb_output_delay_length_minus1: reader.byte(5)?,
            time_offset_length: reader.byte(5)?,
        })
    }

    fn write(&self, writer: &mut BitWriter) {
        let count = u32::try_from(self.entries.len()).unwrap_or(1);
        writer.ue(count.saturating_sub(1));
        writer.bits(4, self.bit_rate_scale.into());
        writer.bits(4, self.cpb_size_scale.into());
        for (bit_rate, cpb_size, cbr) in &self.entries {
            writer.ue(*bit_rate);
            writer.ue(*cpb_size);
            writer.flag(*cbr);
        }
        writer.bits(5, self.initial_cpb_removal_delay_length_minus1.into());
        writer.bits(5, self.cpb_removal_delay_length_minus1.into());
        writer.bits(5, self.dpb_output_delay_length_minus1.into());
        writer.bits(5, self.time_offset_length.into());
    }
}

impl Restriction {
    fn read(reader: &mut BitReader<'_>) -> Result<Self, Error> {
        Ok(Self {
            motion_vectors_over_pic_boundaries: reader.flag()?,
            max_bytes_per_pic_denom: reader.ue()?,
            max_bits_per_mb_denom: reader.ue()?,
            log2_max_mv_length_horizontal: reader.ue()?,
            log2_max_mv_length_vertical: reader.ue()?,
            max_num_reorder_frames: reader.ue()?,
            max_dec_frame_buffering: reader.ue()?,
        })
    }

    fn write(self, writer: &mut BitWriter) {
        writer.flag(self.motion_vectors_over_pic_boundaries);
        writer.ue(self.max_bytes_per_pic_denom);
        writer.ue(self.max_bits_per_mb_denom);
        writer.ue(self.log2_max_mv_length_horizontal);
        writer.ue(self.log2_max_mv_length_vertical);
        writer.ue(self.max_num_reorder_frames);
        writer.ue(self.max_dec_frame_buffering);
    }
}
