//! Jitter measurement. It yields the offset from media time to session time. With this offset, the
//! latency exceeds that of the fastest recent delivery by the length of the buffer.
//!
//! The fastest delivery is a minimum over a sliding window for each track: bursts (a server's
//! cached frames) and stalls do not change it, but the drift of the sender's clock does. The slower
//! track decides, so that video waits for late audio.
//!
//! This module is pure: time is an argument. The feed thread updates the measurement, and the
//! presenter reads it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::clock::of_track;

/// Number of buckets of the sliding window.
const WINDOW_BUCKETS: usize = 10;
/// Length of a bucket.
const BUCKET_LENGTH: Duration = Duration::from_secs(1);
/// Number of buckets that the automatic buffer remembers.
const AUTO_BUFFER_BUCKETS: usize = 20;
/// Minimum number of buckets for the automatic buffer.
const MIN_AUTO_BUFFER_BUCKETS: usize = 3;
/// Margin of the automatic buffer above the measurement, for decoding, in µs.
const AUTO_BUFFER_MARGIN_MICROS: i64 = 40_000;
/// Minimum length of the automatic buffer in µs.
const MIN_AUTO_BUFFER_MICROS: i64 = 60_000;
/// Maximum length of the automatic buffer in µs.
const MAX_AUTO_BUFFER_MICROS: i64 = 5_000_000;
/// A track without data for this long does not count.
const TRACK_TIMEOUT: Duration = Duration::from_secs(3);
/// The slower track may delay the other by at most this much, so that latency stays limited.
const MAX_SKEW_MICROS: i64 = 2_000_000;
/// Stalls within this period add a margin to the buffer.
const REPEATED_STALL_PERIOD: Duration = Duration::from_secs(15);
/// Rate at which the added margin decays, in µs per second.
const MARGIN_DECAY_MICROS_PER_SECOND: i64 = 5_000;
/// Maximum of the added margin in µs.
const MAX_MARGIN_MICROS: i64 = 1_000_000;

/// See the module documentation.
#[derive(Debug, Default)]
pub struct Jitter {
    buffer: Duration,
    /// True if the buffer follows the measurement.
    automatic: bool,
    tracks: [Transit; 2],
    /// Margin after repeated stalls, in µs. It decays.
    margin: i64,
    margin_at: Timestamp,
    last_break: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Transit {
    /// (Start of bucket, smallest arrival − DTS in it), oldest first.
    buckets: VecDeque<(Timestamp, i64)>,
    /// The minimum of all buckets, cached because every packet and every frame needs it.
    least: Option<i64>,
    arrival: Option<Timestamp>,
    /// The start of each bucket, and the largest delay above the minimum in the bucket, oldest
    /// first.
    late: VecDeque<(Timestamp, i64)>,
    /// Time of the last large drop in the minimum: a sign that a burst is arriving.
    fell: Option<Timestamp>,
}

impl Transit {
    fn add(&mut self, transit: i64, now: Timestamp) {
        if self.least.is_none_or(|least| transit < least - 15_000) {
            self.fell = Some(now);
        }
        match self.buckets.back_mut() {
            Some((start, least)) if now.since(*start) < BUCKET_LENGTH => {
                *least = (*least).min(transit);
                self.least = self.least.min(Some(transit));
            }
            _ => {
                self.buckets.push_back((now, transit));
                while self.buckets.len() > WINDOW_BUCKETS {
                    self.buckets.pop_front();
                }
                self.least = self.buckets.iter().map(|&(_, least)| least).min();
            }
        }
        let late = transit - self.least.unwrap_or(transit);
        match self.late.back_mut() {
            Some((start, most)) if now.since(*start) < BUCKET_LENGTH => *most = (*most).max(late),
            _ => self.late.push_back((now, late)),
        }
        while self.late.len() > AUTO_BUFFER_BUCKETS {
            self.late.pop_front();
        }
        self.arrival = Some(now);
    }

    fn speaks(&self, now: Timestamp) -> bool {
        self.arrival.is_some_and(|arrival| now.since(arrival) < TRACK_TIMEOUT)
    }
}

impl Jitter {
    /// Creates a measurement for a latency of `buffer` above that of the fastest delivery.
    pub fn new(buffer: Duration) -> Self {
        Self { buffer, ..Self::default() }
    }

    /// Works like [`Jitter::new`], but with the smallest buffer that the network allows. Until the
    /// delay of the network has been measured, the buffer is `buffer`.
    pub fn automatic(buffer: Duration) -> Self {
        Self { automatic: true, ..Self::new(buffer) }
    }

    /// Changes the buffer. With `automatic`, the smallest buffer that the network allows replaces
    /// `buffer` once it is measured.
    pub fn set_buffer(&mut self, buffer: Duration, automatic: bool) {
        (self.buffer, self.automatic) = (buffer, automatic);
    }

    /// Returns the recent maximum delay above the fastest delivery, in microseconds. Returns `None`
    /// until it is known.
    fn latest(&self) -> Option<i64> {
        let known = self.tracks.iter().filter(|track| track.late.len() >= MIN_AUTO_BUFFER_BUCKETS);
        known.flat_map(|track| track.late.iter().map(|&(_, late)| late)).max()
    }

    /// Returns the maximum delay of the last seconds above the fastest delivery. Returns `None`
    /// until it is known.
    pub fn measured(&self) -> Option<Duration> {
        let latest = self.latest()?;
        Some(Duration::from_micros(u64::try_from(latest).unwrap_or(0)))
    }

    /// Returns the length of the buffer above the fastest delivery, in µs.
    pub fn kept(&self) -> i64 {
        let buffer = i64::try_from(self.buffer.as_micros()).unwrap_or(i64::MAX);
        let latest = if self.automatic { self.latest() } else { None };
        match latest {
            Some(latest) => (latest + latest / 10 + AUTO_BUFFER_MARGIN_MICROS)
                .clamp(MIN_AUTO_BUFFER_MICROS, MAX_AUTO_BUFFER_MICROS),
            None => buffer,
        }
    }

    /// Records that a packet with this `dts` (media time) arrived at `now`.
    pub fn arrived(&mut self, track: Track, dts: Timestamp, now: Timestamp) {
        of_track(&mut self.tracks, track).add(now.micros_since(dts), now);
    }

    /// Records a stall: everything received was shown. A stall resets the measurement. Repeated
    /// stalls also enlarge the buffer by 50 ms each for a while.
    pub fn broke(&mut self, now: Timestamp) {
        self.forget();
        if self.last_break.is_some_and(|last| now.since(last) < REPEATED_STALL_PERIOD) {
            self.margin = (self.margin_now(now) + 50_000).min(MAX_MARGIN_MICROS);
            self.margin_at = now;
        }
        self.last_break = Some(now);
    }

    /// Resets the measurement for a new connection.
    pub fn forget(&mut self) {
        self.tracks = [Transit::default(), Transit::default()];
    }

    /// Returns the session time of the presentation minus the media time, in microseconds, or
    /// `None` until a packet has arrived.
    pub fn target(&self, now: Timestamp) -> Option<i64> {
        let [video, audio] = &self.tracks;
        let slower = match (video.least, audio.least) {
            (Some(v), Some(a)) if video.speaks(now) && audio.speaks(now) => {
                v.max(a).min(v.min(a).saturating_add(MAX_SKEW_MICROS))
            }
            (Some(v), Some(a)) => {
                if audio.arrival > video.arrival {
                    a
                } else {
                    v
                }
            }
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        Some(slower.saturating_add(self.kept()).saturating_add(self.margin_now(now)))
    }

    /// Returns true if the minimum transit time has just dropped sharply, as during a burst. It is
    /// then too early to start or resume playback.
    pub fn settling(&self, now: Timestamp) -> bool {
        self.tracks
            .iter()
            .any(|track| track.fell.is_some_and(|fell| now.since(fell) < Duration::from_millis(40)))
    }

    fn margin_now(&self, now: Timestamp) -> i64 {
        let seconds = now.micros_since(self.margin_at).max(0) / 1_000_000;
        (self.margin - seconds.saturating_mul(MARGIN_DECAY_MICROS_PER_SECOND)).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUFFER_LENGTH: Duration = Duration::from_millis(300);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn a_burst_from_the_servers_cache_ends_at_the_live_edge() {
        let mut jitter = Jitter::new(BUFFER_LENGTH);
        // Two seconds of frames at once, the newest of them 20 ms old.
        for frame in 0..60 {
            jitter.arrived(Track::Video, at(frame * 33), at(5_000 + frame / 10));
        }
        assert!(jitter.settling(at(5_006)));
        assert!(!jitter.settling(at(5_100)));
        let newest = 59 * 33;
        assert_eq!(jitter.target(at(5_100)), Some((5_005 - newest + 300) * 1_000));
    }

    #[test]
    fn hiccups_do_not_move_the_target_and_lasting_change_does() {
        let mut jitter = Jitter::new(BUFFER_LENGTH);
        let target = |jitter: &Jitter, now| jitter.target(at(now)).unwrap() / 1_000;
        for ms in (0..20_000).step_by(40) {
            let late = if ms % 1_000 == 0 { 150 } else { 10 };
            jitter.arrived(Track::Video, at(ms), at(ms + late));
        }
        assert_eq!(target(&jitter, 20_000), 310);
        for ms in (20_000..40_000).step_by(40) {
            jitter.arrived(Track::Video, at(ms), at(ms + 200));
        }
        assert_eq!(target(&jitter, 40_200), 500);
    }

    #[test]
    fn an_automatic_buffer_follows_the_network_both_ways() {
        let mut jitter = Jitter::automatic(BUFFER_LENGTH);
        let mut feed = |from: i64, until: i64, late: i64| {
            for ms in (from..until).step_by(40) {
                let late = if ms % 400 == 0 { late } else { 0 };
                jitter.arrived(Track::Video, at(ms), at(ms + 10 + late));
            }
            jitter.target(at(until)).unwrap() / 1_000 - 10
        };
        // The configured value applies until the measurement is known.
        assert_eq!(feed(0, 1_000, 5), 300);
        assert_eq!(feed(1_000, 10_000, 0), 60);
        assert_eq!(feed(10_000, 20_000, 200), 260);
        assert_eq!(feed(20_000, 30_000, 0), 260, "remembered for a while");
        assert_eq!(feed(30_000, 60_000, 10), 60);
        assert_eq!(feed(60_000, 70_000, 30_000), 5_000, "bounded");
    }

    #[test]
    fn jitter_is_the_delay_of_the_latest_frames_once_it_is_known() {
        // The requested buffer does not matter.
        let mut jitter = Jitter::new(BUFFER_LENGTH);
        let mut feed = |from: i64, until: i64, late: i64| {
            for ms in (from..until).step_by(40) {
                // Audio that arrives later in the stream does not count.
                jitter.arrived(Track::Audio, at(ms - 700), at(ms + 10));
                let late = if ms % 400 == 0 { late } else { 0 };
                jitter.arrived(Track::Video, at(ms), at(ms + 10 + late));
            }
            jitter.measured().map(|it| it.as_millis())
        };
        assert_eq!(feed(0, 1_000, 90), None);
        assert_eq!(feed(1_000, 5_000, 90), Some(90));
        assert_eq!(feed(5_000, 30_000, 15), Some(15));
        jitter.forget();
        assert_eq!(jitter.measured(), None);
    }

    #[test]
    fn the_slower_track_decides_within_limits_and_while_it_lives() {
        let mut jitter = Jitter::new(BUFFER_LENGTH);
        for ms in (0..5_000).step_by(40) {
            jitter.arrived(Track::Video, at(ms), at(ms + 10));
            jitter.arrived(Track::Audio, at(ms), at(ms + 400));
        }
        assert_eq!(jitter.target(at(5_400)), Some(700_000));
        // The audio ends; the video continues.
        for ms in (5_000..10_000).step_by(40) {
            jitter.arrived(Track::Video, at(ms), at(ms + 10));
        }
        assert_eq!(jitter.target(at(10_000)), Some(310_000));
    }

    #[test]
    fn repeated_breaks_widen_the_buffer_for_a_while() {
        let mut jitter = Jitter::new(BUFFER_LENGTH);
        let feed = |jitter: &mut Jitter, ms| jitter.arrived(Track::Video, at(ms), at(ms));
        jitter.broke(at(1_000));
        feed(&mut jitter, 1_000);
        assert_eq!(jitter.target(at(1_000)), Some(300_000));
        jitter.broke(at(3_000));
        feed(&mut jitter, 3_000);
        assert_eq!(jitter.target(at(3_000)), Some(350_000));
        assert_eq!(jitter.target(at(60_000)), Some(300_000));
    }
}
