//! Converts the timestamps of a source to one continuous media time. This module bridges jumps,
//! backward steps, restarts of the publisher and the connection, and tracks with different time
//! origins. Tracks that jump together stay in sync. All times are microseconds.
//!
//! The module is pure: the time of arrival is an argument. It runs on the feed thread.

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::clock::of_track;
use crate::player::state::anomaly::TimestampAnomaly;

/// A backward step larger than this is a restart. A smaller one comes from an inaccurate muxer, and
/// is flattened.
const MAX_BACKWARD_JUMP_MICROS: i64 = 100_000;
/// A forward step that exceeds the elapsed time by more than this is a jump.
const MAX_FORWARD_JUMP_MICROS: i64 = 5_000_000;
/// Tracks that are further apart than this have different time origins.
const MAX_TRACK_DISTANCE_MICROS: i64 = 5_000_000;
/// A first timestamp above this value means that the stream has run for this long, or has another
/// time origin.
const HIGH_TIMESTAMP_MICROS: i64 = 24 * HOUR_MICROS;
const HOUR_MICROS: i64 = 3_600 * 1_000_000;
/// Maximum time of a source: about a thousand years.
const MAX_TIME_MICROS: i64 = 1 << 55;
/// The time at which FLV and RTMP timestamps wrap.
const TIMESTAMP_WRAP_MICROS: i64 = (1 << 32) * 1_000;
/// The longest step between packets that counts as regular, for continuing across a gap.
const MAX_STEP_MICROS: i64 = 100_000;
/// The shortest step across a gap.
const MIN_STEP_MICROS: i64 = 1_000;

/// The position of a packet in continuous media time, which starts near zero and never steps back
/// within a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PacketPosition {
    /// Decoding time of the packet.
    pub dts: Timestamp,
    /// True if the source's time jumped here and was bridged.
    pub jumped: bool,
    /// An anomaly of the stream itself.
    pub timestamp_anomaly: Option<TimestampAnomaly>,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub struct Timeline {
    /// True if arrival times are meaningful because the stream is live.
    live: bool,
    tracks: [Option<TrackTime>; 2],
    /// Counts the bridges, so that a track can detect that the other one has crossed a newer
    /// bridge.
    epoch: u64,
    /// True if timestamps are trusted and nothing is bridged.
    pub firm: bool,
}

#[derive(Copy, Clone, Debug)]
struct TrackTime {
    raw: i64,
    /// Media time minus `raw`.
    offset: i64,
    epoch: u64,
    out: i64,
    /// The last regular step, for continuing without arrival times.
    step: i64,
    arrival: Timestamp,
    /// True if the connection was restarted since the last packet.
    stale: bool,
    /// True if nothing was placed since the last anchor.
    fresh: bool,
}

impl Timeline {
    /// Creates a timeline for a live stream (`live`) or a file.
    pub fn new(live: bool) -> Self {
        Self { live, ..Self::default() }
    }

    /// Sets whether arrival times are meaningful from here on.
    pub fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// Restarts after a lost connection: the next packet is placed after the elapsed time, whatever
    /// its timestamp is.
    pub fn restart(&mut self) {
        self.firm = false;
        for track in self.tracks.iter_mut().flatten() {
            track.stale = true;
        }
    }

    /// Moves to another position of the same recording: the next packet plays at `at`, and earlier
    /// packets were dropped.
    pub fn move_to(&mut self, at: Timestamp, now: Timestamp) {
        self.firm = false;
        for track in self.tracks.iter_mut().flatten() {
            (track.out, track.stale, track.arrival) = (at.as_micros(), true, now);
            // Step sizes of the previous position do not apply here.
            track.step = 0;
        }
    }

    /// Defines the time `at` at which a packet of either track with `raw` microseconds plays. Earlier
    /// packets play before that time. `firm` means that gaps and steps of the timestamps are
    /// intentional.
    pub fn anchor(&mut self, raw: i64, at: Timestamp, firm: bool, now: Timestamp) {
        self.epoch += 1;
        (self.firm, self.tracks) = (
            firm,
            [(); 2].map(|()| {
                Some(TrackTime {
                    raw,
                    offset: at.as_micros().saturating_sub(raw),
                    epoch: self.epoch,
                    out: at.as_micros(),
                    step: 0,
                    arrival: now,
                    stale: false,
                    fresh: true,
                })
            }),
        );
    }

    /// Moves the next packets of both tracks back by this many microseconds.
    pub fn shift_back(&mut self, micros: i64) {
        for track in self.tracks.iter_mut().flatten() {
            track.offset = track.offset.saturating_sub(micros);
            track.out = track.out.saturating_sub(micros);
        }
    }

    /// Prepares for reading a file from its beginning again. The priming of its audio may then have
    /// an earlier time than the last packet.
    pub fn turn(&mut self) {
        for track in self.tracks.iter_mut().flatten() {
            track.fresh = true;
        }
    }

    /// Resets a track, so that only the other track defines the position of its next packet.
    pub fn forget(&mut self, track: Track) {
        *of_track(&mut self.tracks, track) = None;
    }

    /// Places a packet with `raw` microseconds that arrived at `now`.
    pub fn place(&mut self, track: Track, raw: i64, now: Timestamp) -> PacketPosition {
        // Sums of these values stay far from the limits of 64 bits.
        let raw = raw.clamp(-MAX_TIME_MICROS, MAX_TIME_MICROS);
        let [video, audio] = &self.tracks;
        let (own, other) = match track {
            Track::Video | Track::Rendition(_) => (*video, *audio),
            Track::Audio | Track::Extra(_) => (*audio, *video),
        };
        let next = match own {
            Some(last) => self.follow(last, other, raw, now),
            None => self.begin(other, raw, now),
        };
        let jumped = own.is_some_and(|last| last.epoch != next.epoch || last.stale);
        let timestamp_anomaly = match own {
            // After a new connection or a seek, or with trusted timestamps, a jump is not an
            // anomaly.
            Some(last) if last.stale || last.fresh || self.firm => None,
            Some(_) if jumped => Some(TimestampAnomaly::Jumped),
            Some(last) if raw < last.raw => Some(TimestampAnomaly::Backwards),
            Some(last)
                if raw.div_euclid(TIMESTAMP_WRAP_MICROS)
                    > last.raw.div_euclid(TIMESTAMP_WRAP_MICROS) =>
            {
                Some(TimestampAnomaly::Wrapped)
            }
            Some(_) => None,
            None => match other {
                Some(other) if other.offset != next.offset => Some(TimestampAnomaly::Differ),
                None if raw >= HIGH_TIMESTAMP_MICROS => {
                    Some(TimestampAnomaly::High((raw / HOUR_MICROS).unsigned_abs()))
                }
                _ => None,
            },
        };
        *of_track(&mut self.tracks, track) = Some(next);
        PacketPosition { dts: Timestamp::from_micros(next.out), jumped, timestamp_anomaly }
    }

    /// Places the first packet of a track.
    fn begin(&mut self, other: Option<TrackTime>, raw: i64, now: Timestamp) -> TrackTime {
        // After a shift, the other track can be before zero.
        let least = other.map_or(0, |other| other.out.min(0));
        let fresh = |offset: i64, epoch: u64| TrackTime {
            raw,
            offset,
            epoch,
            out: (raw + offset).max(least),
            step: 0,
            arrival: now,
            stale: false,
            fresh: false,
        };
        let Some(other) = other else { return fresh(-raw, self.epoch) };
        let expected = other.out + self.elapsed(&other, now);
        if (raw + other.offset - expected).abs() <= MAX_TRACK_DISTANCE_MICROS {
            fresh(other.offset, other.epoch)
        } else {
            fresh(expected - raw, other.epoch)
        }
    }

    /// Places a packet after another one.
    fn follow(
        &mut self,
        last: TrackTime,
        other: Option<TrackTime>,
        raw: i64,
        now: Timestamp,
    ) -> TrackTime {
        let step = raw - last.raw;
        let elapsed = self.elapsed(&last, now);
        let next = |offset: i64, epoch: u64, step: i64| TrackTime {
            raw,
            offset,
            epoch,
            out: if last.fresh { raw + offset } else { (raw + offset).max(last.out) },
            step,
            arrival: now,
            stale: false,
            fresh: false,
        };
        let known = last.fresh || self.firm;
        let jumps = !known
            && (step < -MAX_BACKWARD_JUMP_MICROS || step > elapsed + MAX_FORWARD_JUMP_MICROS);
        if !jumps && !last.stale {
            return next(last.offset, last.epoch, step.clamp(0, MAX_STEP_MICROS));
        }
        let expected = last.out + elapsed.max(last.step).max(MIN_STEP_MICROS);
        if let Some(other) = other
            && !other.stale
            && other.epoch > last.epoch
            && (raw + other.offset - expected).abs() <= MAX_TRACK_DISTANCE_MICROS
        {
            // The other track crossed this bridge first: the same offset keeps them in sync.
            let mut same = next(other.offset, other.epoch, last.step);
            same.out = (raw + other.offset).max(last.out);
            return same;
        }
        // Neither track may be earlier than the other's new start.
        self.epoch += 1;
        let expected = other
            .filter(|other| other.stale || other.epoch < self.epoch)
            .map_or(expected, |other| expected.max(other.out));
        next(expected - raw, self.epoch, last.step)
    }

    fn elapsed(&self, since: &TrackTime, now: Timestamp) -> i64 {
        if self.live { now.micros_since(since.arrival).max(0) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::flv::WireTime;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    /// A timeline of a stream whose timestamps are milliseconds that wrap.
    struct OfWire(Timeline, WireTime);

    impl OfWire {
        fn new(live: bool) -> Self {
            Self(Timeline::new(live), WireTime::default())
        }

        fn place(&mut self, track: Track, raw_ms: u32, now: Timestamp) -> PacketPosition {
            self.0.place(track, self.1.micros(raw_ms), now)
        }
    }

    /// Places a list of (track, raw, arrival), and returns the media times in milliseconds.
    fn run(live: bool, packets: &[(Track, u32, i64)]) -> Vec<i64> {
        let mut timeline = OfWire::new(live);
        packets
            .iter()
            .map(|&(track, raw, now)| timeline.place(track, raw, at(now)).dts.as_millis())
            .collect()
    }

    const DAY_MS: u32 = 24 * 3_600 * 1_000;

    use Track::{Audio as A, Video as V};

    #[test]
    fn starts_near_zero_however_high_the_wire_starts() {
        let high = 4_000_000_000;
        assert_eq!(run(true, &[(V, high, 0), (A, high + 5, 0), (V, high + 33, 33)]), [0, 5, 33]);
    }

    #[test]
    fn wraps_without_a_jump_and_in_both_tracks() {
        let near = u32::MAX - 9;
        let out = run(true, &[(V, near, 0), (A, near + 5, 5), (V, 23, 33), (A, 16, 26)]);
        assert_eq!(out, [0, 5, 33, 26]);
        // The second track appears after the wrap.
        assert_eq!(run(true, &[(V, near, 0), (A, 3, 13)]), [0, 13]);
    }

    /// Runs as in HLS, where arrival times have no meaning.
    #[test]
    fn audio_that_was_missing_for_long_is_in_step_with_the_video_again() {
        let mut timeline = OfWire::new(false);
        let mut place = |track, raw| timeline.place(track, raw, at(0));
        assert_eq!((place(V, 5_000).dts, place(A, 5_010).dts), (at(0), at(10)));
        for raw in (5_040..40_000).step_by(40) {
            place(V, raw);
        }
        timeline.0.forget(A);
        let placed = timeline.place(A, 39_973, at(0));
        assert_eq!(
            (placed.dts, placed.jumped, placed.timestamp_anomaly),
            (at(34_973), false, None)
        );
    }

    #[test]
    fn what_wraps_and_what_starts_high_is_found() {
        let found = |packets: &[(Track, u32, i64)]| {
            let mut timeline = OfWire::new(true);
            let place =
                |&(track, raw, now): &_| timeline.place(track, raw, at(now)).timestamp_anomaly;
            packets.iter().filter_map(place).collect::<Vec<_>>()
        };
        let near = u32::MAX - 9;
        let high = TimestampAnomaly::High(1_193);
        assert_eq!(
            found(&[(V, near, 0), (A, near + 5, 5), (V, 23, 33), (A, 16, 26), (V, 63, 73)]),
            [high, TimestampAnomaly::Wrapped, TimestampAnomaly::Wrapped]
        );
        // The track that begins beyond the limit does not wrap.
        assert_eq!(found(&[(V, near, 0), (A, 3, 13), (A, 20, 30)]), [high]);
        assert_eq!(found(&[(V, DAY_MS - 1, 0), (A, DAY_MS, 0), (V, DAY_MS + 40, 40)]), []);
        assert_eq!(found(&[(V, DAY_MS, 0), (A, DAY_MS, 0)]), [TimestampAnomaly::High(24)]);
    }

    #[test]
    fn a_jump_of_both_tracks_keeps_them_in_sync() {
        for (from, to) in [(100_000, 9_000_000), (9_000_000, 0), (9_000_000, 4_000_000_000)] {
            let out = run(
                true,
                &[
                    (V, from, 0),
                    (A, from + 10, 10),
                    (V, from + 40, 40),
                    (V, to, 80),
                    (A, to + 7, 87),
                    (V, to + 40, 120),
                ],
            );
            assert_eq!(out[3], 80, "{from} {to}: {out:?}");
            assert_eq!(out[4] - out[3], 7, "{out:?}");
            assert_eq!(out[5] - out[3], 40, "{out:?}");
        }
    }

    #[test]
    fn audio_that_arrives_before_the_frame_of_the_same_bridge_agrees_too() {
        let out = run(true, &[(V, 5_000, 0), (A, 5_000, 0), (A, 0, 50), (V, 10, 60)]);
        assert_eq!(out[3] - out[2], 10, "{out:?}");
    }

    #[test]
    fn tracks_that_count_from_different_zeros_are_brought_together() {
        let out = run(true, &[(V, 0, 0), (V, 40, 40), (A, 3_600_000, 50), (A, 3_600_021, 71)]);
        assert_eq!(out, [0, 40, 50, 71]);
    }

    #[test]
    fn a_pause_is_no_jump_and_a_small_step_back_is_flattened() {
        assert_eq!(run(true, &[(V, 0, 0), (V, 30_000, 30_000)]), [0, 30_000]);
        assert_eq!(
            run(true, &[(V, 100, 0), (V, 140, 40), (V, 120, 80), (V, 180, 120)]),
            [0, 40, 40, 80]
        );
        // A file has no arrival times: a gap of minutes is closed.
        assert_eq!(run(false, &[(V, 0, 0), (V, 40, 0), (V, 600_000, 0)]), [0, 40, 80]);
    }

    #[test]
    fn a_new_connection_goes_on_after_the_time_that_passed() {
        let mut timeline = OfWire::new(true);
        timeline.place(V, 50_000, at(0));
        timeline.place(A, 50_010, at(10));
        timeline.0.restart();
        // The same stream, but its first frame comes from the server's cache, and is older than the
        // last one.
        let video = timeline.place(V, 51_000, at(3_000));
        assert!(video.jumped);
        assert_eq!(video.dts.as_millis(), 3_000);
        let audio = timeline.place(A, 51_020, at(3_001));
        assert_eq!(audio.dts.as_millis(), 3_020);
        // Restarted from zero.
        timeline.0.restart();
        assert_eq!(timeline.place(A, 0, at(5_000)).dts.as_millis(), 5_019);
        assert_eq!(timeline.place(V, 33, at(5_010)).dts.as_millis(), 5_052);
    }

    #[test]
    fn packets_after_a_seek_play_from_the_requested_position() {
        let mut timeline = OfWire::new(false);
        for (track, raw) in [(V, 0), (A, 5), (V, 40), (A, 26), (V, 9_000), (A, 9_010)] {
            timeline.place(track, raw, at(0));
        }
        timeline.0.move_to(at(50), at(0));
        assert_eq!(timeline.place(V, 3_000, at(0)).dts.as_millis(), 51);
        assert_eq!(timeline.place(A, 3_013, at(0)).dts.as_millis(), 64);
        assert_eq!(timeline.place(V, 3_040, at(0)).dts.as_millis(), 91);
    }

    #[test]
    fn a_shift_moves_both_tracks_back_and_keeps_them_in_sync() {
        // At the start of playback, and after a seek.
        for begun in [false, true] {
            let mut timeline = OfWire::new(false);
            if begun {
                timeline.place(V, 0, at(0));
                timeline.place(A, 5, at(0));
                timeline.0.move_to(at(50), at(0));
            }
            let first = timeline.place(V, 90_000, at(0)).dts;
            timeline.0.shift_back(7_000_000);
            let begins = first.as_millis() - 7_000;
            for (track, raw) in [(A, 90_005), (A, 90_026), (V, 90_040)] {
                let placed = timeline.place(track, raw, at(0));
                assert_eq!(placed.dts.as_millis() - begins, i64::from(raw) - 90_000, "{begun}");
            }
        }
    }

    #[test]
    fn packets_play_relative_to_an_anchor() {
        let mut timeline = OfWire::new(false);
        for firm in [true, false] {
            // The keyframe is long before the position; the audio is close to the position.
            timeline.0.anchor(20_000_000, at(50), firm, at(0));
            assert_eq!(timeline.place(V, 9_000, at(0)).dts.as_millis(), -10_950);
            assert_eq!(timeline.place(V, 9_040, at(0)).dts.as_millis(), -10_910);
            assert_eq!(timeline.place(A, 19_990, at(0)).dts.as_millis(), 40);
            assert_eq!(timeline.place(A, 20_011, at(0)).dts.as_millis(), 61);
        }
        // The priming of the next pass begins before the end of this pass.
        let end = timeline.place(A, 20_032, at(0)).dts.as_millis();
        assert_eq!(timeline.place(A, 20_020, at(0)).dts.as_millis(), end);
        timeline.0.turn();
        assert_eq!(timeline.place(A, 20_020, at(0)).dts.as_millis(), end - 12);
        // A gap is closed, except in a file with an index.
        timeline.place(V, 20_040, at(0));
        assert!(timeline.place(V, 50_000, at(0)).dts.as_millis() < 1_000);
        timeline.0.anchor(0, at(50), true, at(0));
        assert_eq!(timeline.place(V, 0, at(0)).dts.as_millis(), 50);
        assert_eq!(timeline.place(V, 50_000, at(0)).dts.as_millis(), 50_050);
    }

    #[test]
    fn never_steps_back_within_a_track_whatever_comes() {
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for live in [true, false] {
            let mut timeline = OfWire::new(live);
            let (mut last, mut now) = ([0_i64; 2], 0_i64);
            for _ in 0..20_000 {
                let value = random();
                let track = if value & 1 == 0 { V } else { A };
                now += i64::try_from(value >> 8 & 0x3F).unwrap();
                if value >> 20 & 0xFF == 0 {
                    timeline.0.restart();
                }
                let raw = if value >> 32 & 7 == 0 { random() as u32 } else { now as u32 };
                let out = timeline.place(track, raw, at(now)).dts.as_millis();
                let slot = &mut last[usize::from(track == A)];
                assert!(out >= *slot);
                *slot = out;
                // Media time deviates from real time by at most the size of its bridges.
                if live {
                    assert!(out < now + 20_000_000, "{out} {now}");
                }
            }
        }
    }
}
