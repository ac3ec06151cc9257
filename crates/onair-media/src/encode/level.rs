//! H.264 levels (ITU-T H.264 table A-1): the required capabilities of a decoder.

use std::fmt;

use crate::media::{BitsPerSecond, FrameRate, Size};

/// A level of the High profile.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    idc: u8,
    /// Macroblocks per second.
    rate: u32,
    /// Macroblocks per frame.
    frame: u32,
    /// The limit in kbps for the Baseline and Main profiles. High allows 1.25 times as much.
    kbps: u32,
}

const fn level(idc: u8, rate: u32, frame: u32, kbps: u32) -> Level {
    Level { idc, rate, frame, kbps }
}

const H264_LEVELS: [Level; 16] = [
    level(10, 1_485, 99, 64),
    level(11, 3_000, 396, 192),
    level(12, 6_000, 396, 384),
    level(13, 11_880, 396, 768),
    level(20, 11_880, 396, 2_000),
    level(21, 19_800, 792, 4_000),
    level(22, 20_250, 1_620, 4_000),
    level(30, 40_500, 1_620, 10_000),
    level(31, 108_000, 3_600, 14_000),
    level(32, 216_000, 5_120, 20_000),
    level(40, 245_760, 8_192, 20_000),
    level(41, 245_760, 8_192, 50_000),
    level(42, 522_240, 8_704, 50_000),
    level(50, 589_824, 22_080, 135_000),
    level(51, 983_040, 36_864, 240_000),
    level(52, 2_073_600, 36_864, 240_000),
];

impl Level {
    /// Returns the lowest level that supports this size, rate and bitrate. Returns `None` above
    /// level 5.2.
    pub(super) fn for_stream(size: Size, rate: FrameRate, bitrate: BitsPerSecond) -> Option<Self> {
        let frame = size.macroblocks();
        let a_second = f64::from(frame) * rate.as_f64();
        // A side has at most √(8 × the frame limit) macroblocks (§A.3.1 f, g).
        let side = size.width.max(size.height).div_ceil(16);
        H264_LEVELS.into_iter().find(|level| {
            frame <= level.frame
                && a_second <= f64::from(level.rate)
                && side * side <= 8 * level.frame
                && bitrate <= level.max_bitrate()
        })
    }

    /// Returns ten times the level number.
    pub(super) fn idc(self) -> i32 {
        i32::from(self.idc)
    }

    /// Returns the maximum bitrate in the High profile.
    pub(super) fn max_bitrate(self) -> BitsPerSecond {
        BitsPerSecond(self.kbps * 1_250)
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.idc / 10, self.idc % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_streams_have_their_usual_levels() {
        let level = |size: &str, rate: &str, kbps: u32| {
            Level::for_stream(
                size.parse().unwrap(),
                rate.parse().unwrap(),
                BitsPerSecond(kbps * 1_000),
            )
            .map(|level| level.to_string())
        };
        assert_eq!(level("1280x720", "30", 2_500).as_deref(), Some("3.1"));
        assert_eq!(level("1280x720", "60", 4_500).as_deref(), Some("3.2"));
        assert_eq!(level("1920x1080", "30", 6_000).as_deref(), Some("4.0"));
        assert_eq!(level("1920x1080", "60", 9_000).as_deref(), Some("4.2"));
        assert_eq!(level("640x360", "30", 800).as_deref(), Some("3.0"));
        assert_eq!(level("3840x2160", "30", 20_000).as_deref(), Some("5.1"));
        assert_eq!(level("3840x2160", "60", 20_000).as_deref(), Some("5.2"));
        assert_eq!(level("8192x4096", "30", 20_000), None);
    }
}
