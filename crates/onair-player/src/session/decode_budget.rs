//! The measured decoding speed of this computer. The decoder thread writes it, and the choice of
//! variants reads it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::media::VideoCodec;

/// The share of time that decoding may use.
const MAX_DECODE_SHARE: f64 = 0.7;
/// The minimum number of measurements.
const MIN_MEASUREMENTS: u64 = 25;
/// The factor by which the cost may rise per measurement. A busy computer makes decoding seem slow,
/// but nothing makes it seem fast.
const MAX_COST_RISE: f64 = 1.02;
/// The assumed cost of an unmeasured codec relative to H.264.
const UNMEASURED_COST_FACTOR: f64 = 2.0;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct DecodeBudget {
    h264: DecodeCost,
    others: DecodeCost,
}

/// The decoding cost of a codec. One thread writes it.
#[derive(Debug, Default)]
struct DecodeCost {
    count: AtomicU64,
    /// Nanoseconds per thousand pixels.
    nanos: AtomicU64,
}

impl DecodeCost {
    fn note(&self, new: f64) {
        let count = self.count.load(Ordering::Relaxed);
        let old = self.nanos.load(Ordering::Relaxed) as f64;
        let cost = if count == 0 { new } else { new.min(old * MAX_COST_RISE + 1.0) };
        self.nanos.store(cost.max(1.0) as u64, Ordering::Relaxed);
        self.count.store(count.saturating_add(1), Ordering::Relaxed);
    }

    /// Returns the cost, once measured.
    fn known(&self) -> Option<f64> {
        let enough = self.count.load(Ordering::Relaxed) >= MIN_MEASUREMENTS;
        enough.then(|| self.nanos.load(Ordering::Relaxed) as f64)
    }
}

impl DecodeBudget {
    fn of(&self, codec: VideoCodec) -> &DecodeCost {
        if codec == VideoCodec::H264 { &self.h264 } else { &self.others }
    }

    /// Records that this many pixels were decoded in this time.
    pub(crate) fn note(&self, codec: VideoCodec, pixels: usize, took: Duration) {
        if pixels == 0 {
            return;
        }
        self.of(codec).note(took.as_nanos() as f64 * 1_000.0 / pixels as f64);
    }

    /// Returns true if this many pixels per second can be decoded in time, or if the speed is
    /// unknown.
    pub(crate) fn carries(&self, codec: VideoCodec, pixels_per_s: f64) -> bool {
        let known = self.of(codec).known();
        let costs =
            known.or_else(|| Some(self.h264.known()? * UNMEASURED_COST_FACTOR)).unwrap_or(0.0);
        costs * pixels_per_s / 1_000.0 <= MAX_DECODE_SHARE * 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_decides() {
        let (h264, hevc) = (VideoCodec::H264, VideoCodec::Hevc);
        let (hd, uhd) = (1920.0 * 1080.0 * 30.0, 3840.0 * 2160.0 * 60.0);
        let decode_budget = DecodeBudget::default();
        assert!(decode_budget.carries(h264, uhd) && decode_budget.carries(hevc, uhd));
        // 5 ms for 720p; the slow first frame does not count.
        let note = |codec, ms, times| {
            (0..times)
                .for_each(|_| decode_budget.note(codec, 1280 * 720, Duration::from_millis(ms)));
        };
        note(h264, 900, 1);
        assert!(decode_budget.carries(h264, uhd));
        note(h264, 5, 24);
        assert!(decode_budget.carries(h264, hd) && !decode_budget.carries(h264, uhd));
        assert!(decode_budget.carries(hevc, hd));
        note(hevc, 20, 25);
        assert!(!decode_budget.carries(hevc, hd) && decode_budget.carries(h264, hd));
        // A few slow frames do not count; if all are slow, they do.
        note(h264, 40, 5);
        assert!(decode_budget.carries(h264, hd));
        note(h264, 40, 100);
        assert!(!decode_budget.carries(h264, hd));
    }
}
