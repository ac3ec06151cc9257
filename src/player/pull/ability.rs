//! How much of a picture this machine decodes in time, as measured while it does. Written by the thread
//! that decodes, read by whoever chooses among variants.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::media::VideoCodec;

/// So much of the time may go into decoding.
const SHARE: f64 = 0.7;
/// How much a new measurement counts.
const WEIGHT: f64 = 0.05;
/// Where only others have been measured, a codec is taken for so much dearer than H.264.
const DEARER: f64 = 2.0;

/// See the module. Nanoseconds for a thousand pixels, 0 where nothing is known.
#[derive(Debug, Default)]
pub(in crate::player) struct Ability {
    h264: AtomicU64,
    others: AtomicU64,
}

impl Ability {
    fn place(&self, codec: VideoCodec) -> &AtomicU64 {
        if codec == VideoCodec::H264 { &self.h264 } else { &self.others }
    }

    /// So many pixels were decoded in this time.
    pub(in crate::player) fn note(&self, codec: VideoCodec, pixels: usize, took: Duration) {
        if pixels == 0 {
            return;
        }
        let new = took.as_nanos() as f64 * 1_000.0 / pixels as f64;
        let place = self.place(codec);
        let old = place.load(Ordering::Relaxed);
        let mean = if old == 0 { new } else { old as f64 + (new - old as f64) * WEIGHT };
        place.store(mean.max(1.0) as u64, Ordering::Relaxed);
    }

    /// Whether so many pixels a second can be decoded in time; so it is hoped where nothing is known.
    pub(in crate::player) fn carries(&self, codec: VideoCodec, pixels_per_s: f64) -> bool {
        let its = self.place(codec).load(Ordering::Relaxed) as f64;
        let h264 = self.h264.load(Ordering::Relaxed) as f64;
        let costs = if its > 0.0 { its } else { h264 * DEARER };
        costs * pixels_per_s / 1_000.0 <= SHARE * 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_decides() {
        let (h264, hevc) = (VideoCodec::H264, VideoCodec::Hevc);
        let (hd, uhd) = (1920.0 * 1080.0 * 30.0, 3840.0 * 2160.0 * 60.0);
        let ability = Ability::default();
        assert!(ability.carries(h264, uhd) && ability.carries(hevc, uhd));
        // 5 ms for 720p.
        ability.note(h264, 1280 * 720, Duration::from_millis(5));
        assert!(ability.carries(h264, hd) && !ability.carries(h264, uhd));
        assert!(ability.carries(hevc, hd));
        ability.note(hevc, 1280 * 720, Duration::from_millis(20));
        assert!(!ability.carries(hevc, hd) && ability.carries(h264, hd));
        // One slow picture is none.
        ability.note(h264, 1280 * 720, Duration::from_millis(40));
        assert!(ability.carries(h264, hd));
    }
}
