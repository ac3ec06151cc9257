//! Derives decoding times from presentation times by the picture order count (ITU-T H.264 §8.2.1),
//! for sources without a DTS. This module has no I/O.
//!
//! With a reordering depth of D frames, the DTS of the n-th decoded frame is D frame intervals
//! before the PTS of the n-th shown frame. The order count of a frame gives its display position
//! relative to the frame that is due. The time from the last DTS to the frame's PTS therefore
//! contains this number of intervals plus D + 1. This gives the length of one interval without the
//! frame rate.
//!
//! D is learned from the frames, because the values in streams are often missing or wrong. When D
//! grows by n, the DTS advances by only one minimum step per frame for n frames, and may exceed the
//! PTS of these frames.

use super::Error;
use crate::wire::bits::BitReader;
use crate::wire::codec::h264::nal::{NalType, unescape};
use crate::wire::codec::h264::sps::{PicOrderCount, Sps};

/// The maximum reordering depth (A.3.1: `max_dec_frame_buffering`).
const MAX_REORDER_DEPTH: i64 = 16;
/// Number of bytes at the start of an escaped slice that contain the first fields of its header.
const SLICE_HEADER_BYTES: usize = 64;

/// Derives decoding times. The extractor needs every access unit in decoding order.
#[derive(Clone, Debug)]
pub struct DtsExtractor {
    /// Increment of the DTS while the DTS waits because the depth has grown.
    step: i64,
    sps: Option<Sps>,
    /// Bytes of the current SPS, to detect a change.
    sps_nal: Vec<u8>,
    last: Option<i64>,
    /// The reordering depth so far: the maximum number of frames by which display follows decoding.
    depth: i64,
    /// Number of frames during which the DTS still advances by `step` only.
    standing: i64,
    since_idr: SinceIdr,
}

/// Position in the coded video sequence.
#[derive(Copy, Clone, Debug)]
struct SinceIdr {
    /// The order count of the IDR frame, because some encoders do not start at 0.
    base: i64,
    /// Number of frames decoded since the IDR frame.
    frames: i64,
    /// Difference between the order counts of successive frames: mostly 2, because each field has
    /// its own count.
    increment: i64,
    /// True if every frame so far was shown at twice its position.
    doubled: bool,
}

impl SinceIdr {
    const fn new(base: i64, increment: i64) -> Self {
        Self { base, frames: 0, increment, doubled: true }
    }

    /// Returns the number of positions by which the next frame is shown after the frame that is
    /// due.
    fn advance(&mut self, count: i64, modulus: i64) -> i64 {
        self.frames += 1;
        let behind = |increment: i64| {
            let half = modulus / 2;
            (count - self.base - self.frames * increment + half).rem_euclid(modulus) - half
        };
        if self.increment == 2 && behind(0) % 2 != 0 {
            self.increment = 1;
        }
        // Some encoders count by 4. One frame alone could also be shown later.
        self.doubled &= behind(4) == 0;
        if self.increment == 2 && self.doubled && self.frames == 2 {
            self.increment = 4;
        }
        behind(self.increment) / self.increment
    }
}

impl DtsExtractor {
    /// Creates an extractor. `step` is the increment of a waiting DTS: the smallest unit of the
    /// container, such as a millisecond.
    pub fn new(step: i64) -> Self {
        Self {
            step: step.max(1),
            sps: None,
            sps_nal: Vec::new(),
            last: None,
            depth: 0,
            standing: 0,
            since_idr: SinceIdr::new(0, 2),
        }
    }

    /// Returns the DTS of an access unit that is shown at `pts`, given as NAL units without start
    /// codes. Returns `None` if the access unit contains no frame.
    ///
    /// # Errors
    /// Fails if there is no parameter set, if the set or the slice cannot be read, or if the order
    /// count is invalid or of an unsupported kind (type 1). The caller may continue with the next
    /// access unit.
    pub fn extract<'n>(
        &mut self,
        nals: impl IntoIterator<Item = &'n [u8]>,
        pts: i64,
    ) -> Result<Option<i64>, Error> {
        let mut slice = None;
        for nal in nals {
            match NalType::of(nal) {
                Some(NalType::Sps) => self.set_sps(nal)?,
                Some(NalType::Idr) => slice = Some((true, nal)),
                Some(NalType::Slice) if slice.is_none() => slice = Some((false, nal)),
                _ => {}
            }
        }
        let Some((idr, slice)) = slice else { return Ok(None) };
        let sps = self.sps.as_ref().ok_or(Error::NoNal)?;
        let dts = match sps.pic_order_cnt {
            // Fields are not paired here: live encoders that use fields do not reorder.
            _ if !sps.frame_mbs_only => pts,
            PicOrderCount::DecodingOrder => pts,
            PicOrderCount::Cycle { .. } => return Err(Error::Range("pic_order_cnt_type")),
            PicOrderCount::Lsb { log2_max_lsb } => {
                let count = order_count(slice, idr, sps, log2_max_lsb)?;
                self.reordered(idr, count, 1 << log2_max_lsb, pts)?
            }
        };
        self.last = Some(dts);
        Ok(Some(dts))
    }

    fn set_sps(&mut self, nal: &[u8]) -> Result<(), Error> {
        if self.sps.is_none() || self.sps_nal != nal {
            self.sps = Some(Sps::parse_for_decoding(nal)?);
            self.sps_nal = nal.to_vec();
            self.depth = 0;
            self.standing = 0;
            self.since_idr = SinceIdr::new(0, 2);
        }
        Ok(())
    }

    fn reordered(&mut self, idr: bool, count: i64, modulus: i64, pts: i64) -> Result<i64, Error> {
        let behind = if idr {
            self.standing = 0;
            self.since_idr = SinceIdr::new(count, self.since_idr.increment);
            0
        } else {
            self.since_idr.advance(count, modulus)
        };
        let Some(last) = self.last else { return Ok(pts) };
        if self.standing > 0 {
            self.standing -= 1;
            return Ok(last.saturating_add(self.step));
        }
        // The frame is shown earlier than the depth allows, or later than one frame after the full
        // delay.
        let deeper = (-behind).max(behind - 1) - self.depth;
        if deeper > 0 {
            if self.depth + deeper > MAX_REORDER_DEPTH {
                return Err(Error::Range("max_num_reorder_frames"));
            }
            self.depth += deeper;
            self.standing = deeper - 1;
            return Ok(last.saturating_add(self.step));
        }
        let intervals = behind + self.depth + 1;
        let interval = pts.saturating_sub(last) / intervals.max(1);
        Ok(last.saturating_add(interval.max(1)))
    }
}

/// Reads `pic_order_cnt_lsb` of a slice of a frame (§7.3.3).
fn order_count(nal: &[u8], idr: bool, sps: &Sps, log2_max_lsb: u32) -> Result<i64, Error> {
    let start = unescape(nal.get(..SLICE_HEADER_BYTES).unwrap_or(nal));
    let mut reader = BitReader::new(&start);
    reader.skip(8)?;
    let _first_macroblock = reader.ue()?;
    let _slice_type = reader.ue()?;
    let _pps_id = reader.ue()?;
    if sps.separate_colour_planes {
        reader.skip(2)?;
    }
    reader.skip(sps.log2_max_frame_num as usize)?;
    if idr {
        let _idr_pic_id = reader.ue()?;
    }
    Ok(i64::from(reader.bits(log2_max_lsb)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::wire::bits::BitWriter;
    use crate::wire::codec::h264::nal::escape;

    const FRAME_INTERVAL_TICKS: i64 = 3_000;

    /// Makes a parameter set of the Baseline profile, with order counts of 8 bits.
    fn sps() -> Vec<u8> {
        let mut writer = BitWriter::default();
        [0x67, 66, 0, 30].into_iter().for_each(|byte| writer.bits(8, byte));
        // Id, frame_num of 4 bits, order count type 0 of 8 bits, references.
        [0, 0, 0, 4, 4].into_iter().for_each(|code| writer.ue(code));
        writer.flag(false);
        [19, 14].into_iter().for_each(|code| writer.ue(code));
        [true, true, false, false].into_iter().for_each(|flag| writer.flag(flag));
        writer.trailing_bits();
        escape(&writer.into_bytes())
    }

    fn slice(idr: bool, count: u32) -> Vec<u8> {
        let mut writer = BitWriter::default();
        writer.bits(8, if idr { 0x65 } else { 0x41 });
        [0, 7, 0].into_iter().for_each(|code| writer.ue(code));
        writer.bits(4, 0);
        if idr {
            writer.ue(0);
        }
        writer.bits(8, count & 0xFF);
        writer.trailing_bits();
        escape(&writer.into_bytes())
    }

    /// Returns the decoding times of frames with these display positions; the first is an IDR
    /// frame.
    fn times(places: &[i64]) -> Vec<i64> {
        let mut extractor = DtsExtractor::new(1);
        let set = sps();
        let frame = |(n, place): (usize, &i64)| {
            let frame = slice(n == 0, (place * 2) as u32);
            extractor.extract([&set[..], &frame], place * FRAME_INTERVAL_TICKS).unwrap().unwrap()
        };
        places.iter().enumerate().map(frame).collect()
    }

    #[test]
    fn without_reordering_both_times_are_one() {
        let places: Vec<i64> = (0..400).collect();
        assert!(
            times(&places)
                .iter()
                .zip(&places)
                .all(|(dts, place)| *dts == place * FRAME_INTERVAL_TICKS)
        );
    }

    #[test]
    fn reordered_frames_are_decoded_at_even_distances_once_the_depth_is_known() {
        // I P B b b, a depth of two.
        let places: Vec<i64> =
            (0..40).flat_map(|group| [4, 2, 1, 3].map(|place| place + 4 * group)).collect();
        let places = [&[0], &places[..]].concat();
        let times = times(&places);
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
        for (n, dts) in times.iter().enumerate().skip(60) {
            assert!((dts - (n as i64 - 2) * FRAME_INTERVAL_TICKS).abs() <= 8, "{n}: {dts}");
            assert!(*dts <= places[n] * FRAME_INTERVAL_TICKS);
        }
    }

    #[test]
    fn what_cannot_be_told_is_an_error_and_what_shows_nothing_is_nothing() {
        let mut extractor = DtsExtractor::new(1);
        let frame = slice(true, 0);
        assert_eq!(extractor.extract([&frame[..]], 0), Err(Error::NoNal));
        assert_eq!(extractor.extract([&[6, 1, 2, 0x80][..]], 0), Ok(None));
        let set = sps();
        assert_eq!(extractor.extract([&set[..], &frame], 7), Ok(Some(7)));
        let far = slice(false, 100);
        assert_eq!(extractor.extract([&far[..]], 8), Err(Error::Range("max_num_reorder_frames")));
        assert_eq!(extractor.extract([&frame[..]], 9), Ok(Some(9)));
    }

    proptest! {
        #[test]
        fn times_advance_whatever_comes(
            frames in prop::collection::vec((any::<bool>(), any::<u32>(), any::<i64>()), 0..60),
            step in any::<i64>(),
        ) {
            let mut extractor = DtsExtractor::new(step);
            let set = sps();
            let mut last = None;
            for (idr, count, pts) in frames {
                let frame = slice(idr, count);
                if let Ok(dts) = extractor.extract([&set[..], &frame], pts) {
                    prop_assert!(last.is_none_or(|last| dts > last || last == Some(i64::MAX)));
                    last = Some(dts);
                }
            }
        }
    }
}
