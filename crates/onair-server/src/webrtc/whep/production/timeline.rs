//! One timeline for both tracks of a stream. The times of publishers may jump, but those for a receiver
//! must not. This module is pure.

use std::time::{Duration, Instant};

use crate::base::Clock;

/// Maximum distance of a track from the other one, in µs.
const MAX_TRACK_DISTANCE_MICROS: i64 = 3_000_000;
/// Maximum time that passes at a jump, in µs.
const MAX_JUMP_PAUSE_MICROS: i64 = 1_000_000;

/// The timeline. All values are in microseconds.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    /// Output time minus the publisher's time.
    shift: i64,
    /// The last output time, and its arrival time.
    last: Option<(i64, i64)>,
    /// Arrival time minus output time of the data with the least delay.
    offset: Option<i64>,
    /// The publisher's time of the newest packet, whether it has an output time or not.
    newest_time: i64,
}

impl Timeline {
    /// Notes a packet of the stream with this time.
    pub fn note(&mut self, time: i64) {
        self.newest_time = time;
    }

    /// Returns the publisher's time of the newest packet.
    pub fn newest_time(&self) -> i64 {
        self.newest_time
    }

    /// Returns the output time of data with this time.
    pub fn place(&mut self, time: i64, arrived: i64) -> i64 {
        let mut at = time.saturating_add(self.shift);
        if let Some(last) = self.last.filter(|last| !is_near(at, *last, arrived)) {
            at = last.0 + passed(last, arrived).clamp(1, MAX_JUMP_PAUSE_MICROS);
            self.shift = at.saturating_sub(time);
            self.offset = None;
        }
        self.last = Some((at, arrived));
        let offset = arrived.saturating_sub(at);
        self.offset = Some(self.offset.map_or(offset, |known| known.min(offset)));
        at
    }

    /// Returns the output time of a rendition's frame with this time, which changes nothing. Returns `None` for a time
    /// that is too far from the stream's own: the frame is older, or from before or after a jump.
    pub fn place_beside(&self, time: i64, arrived: i64) -> Option<i64> {
        let at = time.saturating_add(self.shift);
        self.last.is_none_or(|last| is_near(at, last, arrived)).then_some(at)
    }

    /// Converts an output time to an instant, which is never later than `now`.
    pub fn wallclock_instant(&self, at: i64, now: Instant, clock: Clock) -> Instant {
        let late = clock.at(now).as_micros().saturating_sub(self.wallclock(at)).max(0);
        now.checked_sub(Duration::from_micros(late.unsigned_abs())).unwrap_or(now)
    }

    /// Converts an output time to the arrival clock.
    fn wallclock(&self, at: i64) -> i64 {
        at.saturating_add(self.offset.unwrap_or(0))
    }
}

/// Returns the time since the last data arrived.
fn passed((_, last_arrived): (i64, i64), arrived: i64) -> i64 {
    arrived.saturating_sub(last_arrived).max(0)
}

/// Returns true if data with this output time can follow the last data without a jump.
fn is_near(at: i64, last: (i64, i64), arrived: i64) -> bool {
    let latest = last.0 + MAX_TRACK_DISTANCE_MICROS + passed(last, arrived);
    (last.0 - MAX_TRACK_DISTANCE_MICROS..=latest).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_tracks_stay_in_step_and_jumps_are_closed() {
        let mut line = Timeline::default();
        assert_eq!(line.place(50_000, 1_000_000), 50_000);
        assert_eq!(line.place(40_000, 1_000_100), 40_000, "the other track is a little behind");
        assert_eq!(line.place(90_000, 1_040_000), 90_000);
        // An hour forward, and back.
        let jumped = line.place(3_600_000_000, 1_080_000);
        assert_eq!(jumped, 130_000);
        assert_eq!(line.place(3_600_020_000, 1_100_000), 150_000);
        assert_eq!(line.place(0, 9_000_000), 150_000 + MAX_JUMP_PAUSE_MICROS);
        // A real pause.
        let mut line = Timeline::default();
        line.place(0, 0);
        assert_eq!(line.place(20_000_000, 20_000_000), 20_000_000);
    }

    #[test]
    fn a_rendition_does_not_move_the_stream() {
        let mut line = Timeline::default();
        assert_eq!(line.place_beside(7_000, 0), Some(7_000), "the stream has no frame yet");
        line.place(3_600_000_000, 0);
        // The publisher's clock is set back, which shifts its times.
        let mut last = line.place(0, 20_000);
        for index in 1..500 {
            let (time, arrived) = (index * 20_000, 20_000 + index * 20_000);
            let at = line.place(time, arrived);
            assert_eq!(at - last, 20_000);
            // The frames since the last keyframe, then those from before the jump.
            assert_eq!(line.place_beside(time - 8_000_000, arrived), None);
            assert_eq!(line.place_beside(3_600_000_000, arrived), None);
            assert_eq!(line.place_beside(time - 400_000, arrived), Some(at - 400_000));
            assert_eq!(line.wallclock(at), arrived);
            last = at;
        }
    }

    #[test]
    fn the_least_delayed_tells_the_clock() {
        let mut line = Timeline::default();
        // The cached frames arrive all together: the first of them is old.
        line.place(0, 5_000_000);
        line.place(1_000_000, 5_000_000);
        assert_eq!(line.wallclock(1_000_000), 5_000_000);
        line.place(1_040_000, 5_060_000);
        assert_eq!(line.wallclock(1_040_000), 5_040_000, "late by the network");
    }
}
