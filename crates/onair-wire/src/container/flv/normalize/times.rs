//! One origin for the times of both tracks. A track whose times are too far from those of the stream continues at the
//! stream's newest time. If both tracks jump by the same distance, they stay in sync.

use std::time::Duration;

use crate::base::Timestamp;
use crate::wire::container::flv::TagKind;

/// Maximum distance of a track behind the newest time of the stream, and of its first packet in both directions.
const MAX_TRACK_DISTANCE_MS: i64 = 3_000;
/// Maximum backward step of a track.
const MAX_BACKWARD_STEP_MS: i64 = 1_000;
/// Maximum forward step of a track, in addition to the time that has passed.
const MAX_FORWARD_STEP_MS: i64 = 10_000;
/// Maximum time that passes at a jump.
const MAX_JUMP_PAUSE: Duration = Duration::from_secs(1);

/// The time of a body.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub time_ms: u32,
    /// True if the track was moved here.
    pub moved: bool,
}

/// The times of the tracks of one publisher, in milliseconds modulo 2^32.
#[derive(Debug, Default)]
pub(super) struct TrackTimes {
    video: Option<TrackTime>,
    audio: Option<TrackTime>,
    /// The newest time, and when it arrived.
    newest: Option<(u32, Timestamp)>,
}

#[derive(Copy, Clone, Debug)]
struct TrackTime {
    shift_ms: u32,
    last_ms: u32,
}

impl TrackTimes {
    /// Returns the time of media that arrived at `now`.
    pub fn place(&mut self, kind: TagKind, time_ms: u32, now: Timestamp) -> Times {
        let (own, other) = match kind {
            TagKind::Video => (self.video, self.audio),
            _ => (self.audio, self.video),
        };
        let (shift_ms, moved) = self.shift(own, other, time_ms, now);
        let time_ms = time_ms.wrapping_add(shift_ms);
        let track = Some(TrackTime { shift_ms, last_ms: time_ms });
        match kind {
            TagKind::Video => self.video = track,
            _ => self.audio = track,
        }
        if self.newest.is_none_or(|(newest, _)| ahead(time_ms, newest) >= 0) {
            self.newest = Some((time_ms, now));
        }
        Times { time_ms, moved }
    }

    /// Returns the time of a config or other data, whose own time may have no meaning.
    pub fn place_beside(&self, kind: TagKind, time_ms: u32) -> u32 {
        let own = if kind == TagKind::Video { self.video } else { self.audio };
        let shift_ms = own.or(self.video).or(self.audio).map_or(0, |own| own.shift_ms);
        let time_ms = time_ms.wrapping_add(shift_ms);
        let near = |newest| ahead(time_ms, newest).abs() <= MAX_TRACK_DISTANCE_MS;
        self.newest.filter(|(newest, _)| !near(*newest)).map_or(time_ms, |(newest, _)| newest)
    }

    /// Returns by how much the audio was moved.
    pub fn audio_shift_ms(&self) -> u32 {
        self.audio.map_or(0, |audio| audio.shift_ms)
    }

    fn shift(
        &self,
        own: Option<TrackTime>,
        other: Option<TrackTime>,
        time_ms: u32,
        now: Timestamp,
    ) -> (u32, bool) {
        let Some((newest, at)) = self.newest else { return (0, false) };
        let waited = now.since(at);
        let waited_ms = i64::try_from(waited.as_millis()).unwrap_or(i64::MAX);
        let most = |limit: i64| waited_ms.saturating_add(limit);
        let place = |shift_ms| ahead(time_ms.wrapping_add(shift_ms), newest);
        if let Some(own) = own {
            let step = ahead(time_ms.wrapping_add(own.shift_ms), own.last_ms);
            let at = place(own.shift_ms);
            if step >= -MAX_BACKWARD_STEP_MS
                && (-MAX_TRACK_DISTANCE_MS..=most(MAX_FORWARD_STEP_MS)).contains(&at)
            {
                return (own.shift_ms, false);
            }
        }
        // The other track has made the same jump.
        let other_shift = other.map_or(0, |other| other.shift_ms);
        let is_new = own.is_none_or(|own| own.shift_ms != other_shift);
        let distance = -MAX_TRACK_DISTANCE_MS..=most(MAX_TRACK_DISTANCE_MS);
        if is_new && distance.contains(&place(other_shift)) {
            return (other_shift, own.is_some());
        }
        let pause = u32::try_from(waited.min(MAX_JUMP_PAUSE).as_millis()).unwrap_or(0).max(1);
        (newest.wrapping_add(pause).wrapping_sub(time_ms), true)
    }
}

/// Returns `time - other` in milliseconds.
fn ahead(time_ms: u32, other_ms: u32) -> i64 {
    time_ms.wrapping_sub(other_ms).cast_signed().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use TagKind::{Audio, Video};

    /// Places media of (kind, time, arrival), and returns the times and the number of moves.
    fn run(media: &[(TagKind, u32, i64)]) -> (Vec<u32>, usize) {
        let mut times = TrackTimes::default();
        let placed = media
            .iter()
            .map(|(kind, time, at)| times.place(*kind, *time, Timestamp::from_millis(*at)));
        let placed: Vec<_> = placed.collect();
        let moves = placed.iter().filter(|it| it.moved).count();
        (placed.iter().map(|it| it.time_ms).collect(), moves)
    }

    #[test]
    fn tracks_with_other_origins_get_one_origin() {
        let media = [(Audio, 0, 0), (Video, 60_000, 0), (Audio, 21, 21), (Video, 60_040, 40)];
        assert_eq!(run(&media), (vec![0, 1, 21, 41], 1));
    }

    #[test]
    fn a_track_that_restarts_at_zero_continues_beside_the_other() {
        let mut media = vec![(Video, 6_000, 6_000)];
        media.extend((6_000..=11_000).step_by(1_000).map(|at| (Audio, at, i64::from(at))));
        media.extend([(Video, 0, 11_020), (Audio, 11_040, 11_040), (Video, 40, 11_060)]);
        let (times, moves) = run(&media);
        assert_eq!((&times[7..], moves), (&[11_020, 11_040, 11_060][..], 1));
    }

    #[test]
    fn both_tracks_jump_in_either_direction_and_stay_in_sync() {
        for jump in [7_200_000_u32, 0_u32.wrapping_sub(4_000), 0_u32.wrapping_sub(1_500)] {
            let at = |time: u32| time.wrapping_add(jump);
            let media = [
                (Video, 5_000, 5_000),
                (Audio, 5_010, 5_010),
                (Video, at(5_040), 5_040),
                (Audio, at(5_031), 5_041),
                (Video, at(5_080), 5_080),
            ];
            assert_eq!(run(&media), (vec![5_000, 5_010, 5_040, 5_031, 5_080], 2), "{jump}");
        }
    }

    #[test]
    fn pauses_jitter_bursts_and_wrapped_times_change_nothing() {
        let high = u32::MAX - 10;
        let media = [
            (Video, high, 0),
            (Audio, high.wrapping_add(30), 0),
            (Video, high.wrapping_add(40), 5),
            (Video, high.wrapping_add(20), 6),
            // Silent for a minute.
            (Video, high.wrapping_add(60_040), 60_000),
            // A slow encoder without audio, in one burst.
            (Video, high.wrapping_add(65_040), 60_001),
            (Audio, high.wrapping_add(63_000), 60_002),
        ];
        let (times, moves) = run(&media);
        assert_eq!(times, media.map(|(_, time, _)| time));
        assert_eq!(moves, 0);
    }

    #[test]
    fn a_config_with_a_time_without_meaning_gets_the_newest_one() {
        let mut times = TrackTimes::default();
        assert_eq!(times.place_beside(Video, 7), 7);
        times.place(Video, 50_000, Timestamp::ZERO);
        assert_eq!(
            (times.place_beside(Video, 0), times.place_beside(Video, 50_040)),
            (50_000, 50_040)
        );
    }
}
