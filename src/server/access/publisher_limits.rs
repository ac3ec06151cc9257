//! The limits of one publisher: bitrate and size of the video. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::server::access::rules::AppLimits;
use crate::text::problem::{Problem, problem};

/// A publisher may send this much media time in advance: for large keyframes, and for data that
/// waited during a short stall.
const MAX_BURST: Duration = Duration::from_secs(5);

/// The limits of a publisher, and the data that it has sent beyond its bitrate.
#[derive(Debug, Default)]
pub(in crate::server) struct PublisherLimits {
    bitrate: Option<u64>,
    size: Option<(u32, u32)>,
    /// Number of bits sent beyond the bitrate.
    excess: u64,
    counted: Option<Timestamp>,
}

impl PublisherLimits {
    pub fn new(limits: &AppLimits) -> Self {
        let AppLimits { bitrate, size, .. } = *limits;
        Self { bitrate, size, excess: 0, counted: None }
    }

    /// Counts received bytes. Returns the reason to disconnect the publisher if the bitrate is too high.
    pub fn count(&mut self, bytes: usize, now: Timestamp) -> Option<Problem> {
        let limit = self.bitrate?;
        let elapsed = self.counted.replace(now).map_or(Duration::ZERO, |at| now.since(at));
        let bits = |time: Duration| {
            u64::try_from(time.as_micros() * u128::from(limit) / 1_000_000).unwrap_or(u64::MAX)
        };
        self.excess = self.excess.saturating_sub(bits(elapsed)) + bytes as u64 * 8;
        if self.excess <= bits(MAX_BURST) {
            return None;
        }
        Some(problem!("left-bitrate", kbps = (limit / 1_000).to_string()))
    }

    /// Checks the sizes of videos. Returns the reason to disconnect the publisher if one of them is too large. Without
    /// a limit, the sizes are not read.
    pub fn check_sizes(&self, mut sizes: impl Iterator<Item = (u32, u32)>) -> Option<Problem> {
        let limit = self.size?;
        let size = sizes.find(|&(width, height)| {
            width.max(height) > limit.0.max(limit.1) || width.min(height) > limit.0.min(limit.1)
        })?;
        let text = |(width, height)| format!("{width}x{height}");
        Some(problem!("left-size", size = text(size), most = text(limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bitrate: Option<u64>, size: Option<(u32, u32)>) -> PublisherLimits {
        PublisherLimits::new(&AppLimits { bitrate, size, ..AppLimits::default() })
    }

    /// Returns the second in which a publisher with this many bits per second is ended, or `None`
    /// if it is not ended within two minutes.
    fn ended_after(limit: u64, rate: u64) -> Option<u64> {
        let mut limits = limits(Some(limit), None);
        let frames = 0..120 * 25_u64;
        let mut ended = frames.filter(|frame| {
            let now = Timestamp::from_millis(i64::try_from(frame * 40).unwrap());
            limits.count((rate / 8 / 25) as usize, now).is_some()
        });
        ended.next().map(|frame| frame / 25)
    }

    #[test]
    fn a_publisher_above_its_bitrate_is_ended_and_a_burst_is_not() {
        assert_eq!(ended_after(1_000_000, 1_000_000), None);
        assert_eq!(ended_after(1_000_000, 900_000), None);
        assert!(ended_after(1_000_000, 2_000_000).is_some_and(|it| (4..=5).contains(&it)));
        assert!(ended_after(1_000_000, 1_200_000).is_some_and(|it| (20..30).contains(&it)));
        let mut limits = limits(Some(1_000_000), None);
        assert_eq!(limits.count(600_000, Timestamp::ZERO), None, "a large keyframe");
        let why = limits.count(600_000, Timestamp::ZERO).unwrap().to_string();
        assert!(why.contains("1000 kbit/s"), "{why}");
    }

    #[test]
    fn a_video_that_is_too_large_is_named() {
        let check = |most, size| limits(None, most).check_sizes(std::iter::once(size));
        let hd = Some((1_280, 720));
        assert_eq!((check(hd, (1_280, 720)), check(hd, (720, 1_280))), (None, None));
        let why = check(hd, (1_282, 720)).unwrap().to_string();
        assert!(why.contains("1282x720") && why.contains("1280x720"), "{why}");
        assert!(check(hd, (1_000, 1_000)).is_some());
        assert_eq!(check(None, (8_000, 8_000)), None);
    }
}
