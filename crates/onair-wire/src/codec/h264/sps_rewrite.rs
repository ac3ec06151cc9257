//! Rewrites the VUI of a sequence parameter set. Players need timing and color to start without
//! guessing, but openh264 writes no timing, and writes color only on request.

use bytes::Bytes;

use super::{Error, Sps};
use crate::media::FrameRate;
use crate::media::frame::{Color, Matrix, Range};
use crate::wire::bits::{BitReader, BitWriter};
use crate::wire::codec::h264::nal::{escape, unescape};
use crate::wire::codec::h264::vui::{Restriction, Timing, VideoSignal};

/// Changes to the VUI; `None` keeps a value.
#[derive(Copy, Clone, Debug, Default)]
pub struct VuiChanges {
    /// Primaries, transfer, matrix and range.
    pub color: Option<Color>,
    /// A fixed frame rate.
    pub frame_rate: Option<FrameRate>,
    /// Signals that output order is decoding order, so that a decoder shows each frame at once.
    pub no_reordering: bool,
}

/// Returns the sequence parameter set `nal` (a whole NAL unit) with the changes.
pub fn rewrite_sps_vui(nal: &[u8], changes: &VuiChanges) -> Result<Bytes, Error> {
    let sps = Sps::parse_for_decoding(nal)?;
    let mut vui = sps.vui.clone().unwrap_or_default();
    if let Some(color) = changes.color {
        // H.273 code points: 1 is BT.709 in all three tables; BT.601 is 6 (SMPTE 170M).
        let point = match color.matrix {
            Matrix::Bt709 => 1,
            Matrix::Bt601 => 6,
        };
        let format = vui.signal.map_or(5, |signal| signal.format);
        let full_range = color.range == Range::Full;
        vui.signal = Some(VideoSignal { format, full_range, color: Some((point, point, point)) });
    }
    if let Some(rate) = changes.frame_rate {
        // A tick is a field, and a frame has two fields (§E.2.1).
        vui.timing = Some(Timing {
            units_in_tick: rate.den(),
            time_scale: rate.num().saturating_mul(2),
            fixed_frame_rate: true,
        });
    }
    if changes.no_reordering {
        let old = vui.restriction;
        vui.restriction = Some(Restriction {
            motion_vectors_over_pic_boundaries: old
                .is_none_or(|old| old.motion_vectors_over_pic_boundaries),
            max_bytes_per_pic_denom: old.map_or(0, |old| old.max_bytes_per_pic_denom),
            max_bits_per_mb_denom: old.map_or(0, |old| old.max_bits_per_mb_denom),
            log2_max_mv_length_horizontal: old.map_or(15, |old| old.log2_max_mv_length_horizontal),
            log2_max_mv_length_vertical: old.map_or(15, |old| old.log2_max_mv_length_vertical),
            max_num_reorder_frames: 0,
            // At least the number of reference frames.
            max_dec_frame_buffering: sps.max_num_ref_frames,
        });
    }
    let rbsp = unescape(nal);
    let mut reader = BitReader::new(&rbsp);
    let mut writer = BitWriter::with_capacity(nal.len() + 32);
    writer.copy(&mut reader, sps.vui_flag_at)?;
    writer.flag(true);
    vui.write(&mut writer);
    writer.trailing_bits();
    Ok(escape(&writer.into_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of libx264: 768x320, with timing and restriction.
    const HIGH_PROFILE_SPS: [u8; 25] = [
        0x67, 0x64, 0x00, 0x20, 0xac, 0xd9, 0x40, 0xc0, 0x29, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00,
        0x01, 0x00, 0x00, 0x03, 0x00, 0x32, 0x0f, 0x18, 0x31, 0x96,
    ];

    #[test]
    fn no_changes_give_the_very_bytes_back() {
        assert_eq!(
            &rewrite_sps_vui(&HIGH_PROFILE_SPS, &VuiChanges::default()).unwrap()[..],
            &HIGH_PROFILE_SPS[..]
        );
    }

    #[test]
    fn changes_are_read_back_and_the_rest_stays() {
        let changes = VuiChanges {
            color: Some(Color::PROGRAM),
            frame_rate: FrameRate::new(30_000, 1_001),
            no_reordering: true,
        };
        let nal = rewrite_sps_vui(&HIGH_PROFILE_SPS, &changes).unwrap();
        let (before, after) = (Sps::parse(&HIGH_PROFILE_SPS).unwrap(), Sps::parse(&nal).unwrap());
        let vui = after.vui.clone().unwrap();
        assert_eq!(vui.signal.unwrap().color, Some((1, 1, 1)));
        assert_eq!(after.frame_rate(), Some((30_000, 1_001)));
        assert!(vui.timing.unwrap().fixed_frame_rate);
        let restriction = vui.restriction.unwrap();
        assert_eq!(restriction.max_num_reorder_frames, 0);
        assert_eq!(restriction.max_dec_frame_buffering, before.max_num_ref_frames);
        assert_eq!(Sps { vui: before.vui.clone(), ..after }, before);
    }
}
