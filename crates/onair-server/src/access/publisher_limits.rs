//! The limits of one publisher: bitrate, size of the video, and changes of codec configs. This module is
//! pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::server::access::rules::AppLimits;
use crate::text::problem::{Problem, problem};

/// A publisher may send this much media time in advance: for large keyframes, and for data that
/// waited during a short stall.
const MAX_BURST: Duration = Duration::from_secs(5);
/// Maximum number of changed codec configs at once. Encoders change a config when the operator changes the
/// video's size.
const MAX_CONFIG_CHANGES: u32 = 10;
/// The time after which one more change is allowed.
const CONFIG_CHANGE_INTERVAL: Duration = Duration::from_secs(1);

/// The limits of a publisher, and the data that it has sent beyond its bitrate.
#[derive(Debug, Default)]
pub(crate) struct PublisherLimits {
    bitrate: Option<u64>,
    size: Option<(u32, u32)>,
    /// Number of bits sent beyond the bitrate.
    excess: u64,
    counted: Option<Timestamp>,
    changes: Allowance,
}

/// A number of events that are allowed at once, and one more after each interval.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    used: u32,
    /// The time of the last event, or of the last interval that has passed since.
    since: Option<Timestamp>,
}

impl Allowance {
    /// Counts an event. Returns false, and does not count it, if there were too many.
    pub fn takes(&mut self, most: u32, interval: Duration, now: Timestamp) -> bool {
        let since = *self.since.get_or_insert(now);
        let passed = now.since(since).as_micros() / interval.as_micros().max(1);
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        self.used = self.used.saturating_sub(passed);
        if passed > 0 {
            self.since = if self.used == 0 { Some(now) } else { Some(since + interval * passed) };
        }
        let is_free = self.used < most;
        self.used += u32::from(is_free);
        is_free
    }

    /// Returns true if nothing of the allowance is used any more.
    pub fn is_unused(&self, interval: Duration, now: Timestamp) -> bool {
        self.since.is_none_or(|since| now.since(since) >= interval * self.used)
    }
}

impl PublisherLimits {
    pub fn new(limits: &AppLimits) -> Self {
        let AppLimits { bitrate, size, .. } = *limits;
        Self { bitrate, size, ..Self::default() }
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

    /// Counts a codec config that replaces another one. Returns the reason to disconnect the publisher if there are too
    /// many: each change begins a segment and a file, and makes viewers start again.
    pub fn change_config(&mut self, now: Timestamp) -> Option<Problem> {
        let takes = self.changes.takes(MAX_CONFIG_CHANGES, CONFIG_CHANGE_INTERVAL, now);
        (!takes).then(|| problem!("left-config-changes", count = MAX_CONFIG_CHANGES))
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
    fn a_publisher_that_keeps_changing_its_configs_is_ended() {
        let ended = |interval: i64| {
            let mut limits = limits(None, None);
            (0..1_000).find(|change| {
                let why = limits.change_config(Timestamp::from_millis(change * interval));
                why.is_some_and(|why| why.to_string().contains("10"))
            })
        };
        assert_eq!([ended(0), ended(1)], [Some(10), Some(10)]);
        assert_eq!(ended(500), Some(19));
        assert_eq!([ended(1_000), ended(4_000)], [None, None], "an encoder that adapts");
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
