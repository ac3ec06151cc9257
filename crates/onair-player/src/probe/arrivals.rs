//! The arrivals of packets at the viewer probe, and the rates that follow from them. This module is
//! pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::player::probe::reading::FRAME_RATE_WINDOW;

/// How long arrivals are stored, for rates and delays.
const ARRIVAL_WINDOW: Duration = Duration::from_secs(10);
/// Maximum number of stored arrivals.
const MAX_ARRIVALS: usize = 4_000;
/// Data that arrives within this time after connecting can come from a server's cache.
pub(super) const SERVER_CACHE_WINDOW: Duration = Duration::from_secs(2);
/// The time over which the bitrate and the delay are measured.
const BITRATE_WINDOW: Duration = Duration::from_secs(5);
/// How long a measured frame rate stays valid.
const FRAME_RATE_VALIDITY: Duration = Duration::from_secs(3);
/// Minimum number of frames for a frame rate. With fewer frames, a single missing frame would count
/// as another frame rate.
const MIN_FRAMES: usize = 11;

/// The arrival of one packet.
#[derive(Copy, Clone, Debug)]
pub(super) struct Arrival {
    pub at: Timestamp,
    pub dts: Timestamp,
    pub video: bool,
    pub bytes: usize,
}

/// The arrivals of the last seconds.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    all: VecDeque<Arrival>,
}

impl Arrivals {
    pub fn push(&mut self, arrival: Arrival) {
        if self.all.len() >= MAX_ARRIVALS {
            self.all.pop_front();
        }
        self.all.push_back(arrival);
    }

    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Removes old arrivals.
    pub fn forget_old(&mut self, now: Timestamp) {
        while self.all.front().is_some_and(|first| now.since(first.at) > ARRIVAL_WINDOW) {
            self.all.pop_front();
        }
    }

    fn recent(&self, now: Timestamp) -> impl Iterator<Item = &Arrival> {
        self.all.iter().filter(move |it| now.since(it.at) <= BITRATE_WINDOW)
    }

    /// Returns the bitrate of a stream that was joined at this time, in bits per second. Data from a
    /// server's cache arrives at once, so its media duration counts.
    pub fn bitrate(&self, now: Timestamp, joined: Option<Timestamp>) -> u32 {
        let bytes: usize = self.recent(now).map(|it| it.bytes).sum();
        let waited = joined.map_or(BITRATE_WINDOW, |joined| now.since(joined)).min(BITRATE_WINDOW);
        let times = || self.recent(now).map(|it| it.dts);
        let media = times().max().zip(times().min()).map(|(last, first)| last.since(first));
        let seconds = waited.max(media.unwrap_or_default()).as_secs_f64().max(0.5);
        (bytes as f64 * 8.0 / seconds) as u32
    }

    /// Returns the minimum of arrival time minus media time, in microseconds.
    pub fn behind_micros(&self, now: Timestamp) -> Option<i64> {
        self.recent(now).map(|it| it.at.micros_since(it.dts)).min()
    }

    /// Returns the frames per second of media time.
    pub fn frame_rate(&self, now: Timestamp) -> Option<f64> {
        let last = self.all.iter().rev().find(|it| it.video)?;
        if now.since(last.at) > FRAME_RATE_VALIDITY {
            return None;
        }
        let is_recent = |it: &&Arrival| it.video && last.at.since(it.at) <= FRAME_RATE_WINDOW;
        let frames = || self.all.iter().filter(is_recent);
        let (count, first) = (frames().count(), frames().next()?);
        let seconds = last.dts.micros_since(first.dts) as f64 / 1e6;
        (count >= MIN_FRAMES && seconds > 0.5).then(|| (count - 1) as f64 / seconds)
    }

    /// Returns the received media time per second. Data from a server's cache arrives at once and is
    /// not representative.
    pub fn pace(&self, joined: Option<Timestamp>) -> Option<f64> {
        let settled = joined? + SERVER_CACHE_WINDOW;
        let mut live = self.all.iter().filter(|it| it.at >= settled);
        let (first, last) = (live.next()?, live.next_back()?);
        // The time of the last arrival counts, not the current time: without data there is no rate.
        let waited = last.at.since(first.at).as_secs_f64();
        let came = last.dts.micros_since(first.dts) as f64 / 1e6;
        (waited >= 7.5).then(|| came / waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a frame of 1,000 bytes.
    fn frame(at_ms: i64, dts_ms: i64) -> Arrival {
        let (at, dts) = (Timestamp::from_millis(at_ms), Timestamp::from_millis(dts_ms));
        Arrival { at, dts, video: true, bytes: 1_000 }
    }

    #[test]
    fn the_frame_rate_is_that_of_the_last_seconds() {
        let mut arrivals = Arrivals::default();
        (0..500).for_each(|number| arrivals.push(frame(number * 20, number * 20)));
        let rate = |arrivals: &Arrivals, at_ms| {
            arrivals.frame_rate(Timestamp::from_millis(at_ms)).map(f64::round)
        };
        assert_eq!(rate(&arrivals, 10_000), Some(50.0));
        // The server now drops every other frame.
        (250..=355).for_each(|number| arrivals.push(frame(number * 40, number * 40)));
        assert_eq!(rate(&arrivals, 14_200), Some(25.0));
        assert_eq!(rate(&arrivals, 18_000), None, "nothing arrives");
    }

    #[test]
    fn data_from_a_servers_cache_does_not_raise_the_bitrate() {
        let mut arrivals = Arrivals::default();
        // Two seconds of video arrive at once, then one second in real time.
        (0..100).for_each(|number| arrivals.push(frame(0, number * 20)));
        (0..50).for_each(|number| arrivals.push(frame(number * 20, 2_000 + number * 20)));
        let kbps = arrivals.bitrate(Timestamp::from_millis(1_000), Some(Timestamp::ZERO)) / 1_000;
        assert!((395..=405).contains(&kbps), "{kbps}");
    }
}
