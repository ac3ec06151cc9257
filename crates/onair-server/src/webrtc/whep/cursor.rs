//! Selects the frames for one viewer, and their times. This module is pure.

use std::sync::Arc;

use crate::server::webrtc::whep::frame::{Frame, FrameKind};

/// Assumed frame interval if there is only one frame, in microseconds.
const DEFAULT_FRAME_INTERVAL_MICROS: i64 = 33_333;
/// The valid range of frame intervals, in microseconds.
const FRAME_INTERVAL_RANGE_MICROS: (i64, i64) = (4_000, 200_000);
/// One tick of the 90 kHz clock in microseconds, rounded up.
const CLOCK_TICK_MICROS: i64 = 12;

/// The position of a viewer in the frames of a stream.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Number of the next frame, and time of the last sent one.
    last: Option<(u64, i64)>,
    /// True after a keyframe has arrived.
    is_running: bool,
}

impl Cursor {
    /// Returns true if the viewer waits for a keyframe.
    pub fn is_waiting(&self) -> bool {
        !self.is_running
    }

    /// Changes to another production, whose first frame for the viewer is this keyframe.
    pub fn change_to(&mut self, frame: &Frame) {
        if let Some((next, _)) = &mut self.last {
            *next = frame.index;
        }
        self.is_running = false;
    }

    /// Returns the time of the last sent frame.
    pub fn last_time(&self) -> Option<i64> {
        self.last.map(|(_, time)| time)
    }

    /// Waits for the next keyframe, because there is no room for frames.
    pub fn wait(&mut self) {
        self.is_running = false;
    }

    /// Returns the timestamp with which to send the next frame, or `None` to skip the frame.
    pub fn next(&mut self, frame: &Frame) -> Option<i64> {
        let expected = self.last.is_some_and(|(next, _)| next == frame.index);
        if self.last.is_some_and(|(next, _)| frame.index < next) {
            return None;
        }
        if frame.kind == FrameKind::Key {
            self.is_running = true;
        } else if !(self.is_running && expected) {
            self.is_running = false;
            return None;
        }
        let time = self.last.map_or(frame.at, |(_, last)| frame.at.max(last + CLOCK_TICK_MICROS));
        self.last = Some((frame.index + 1, time));
        Some(time)
    }

    /// Restarts with cached frames, from a keyframe on. All of them get times between the newest and the
    /// next frame, so that the receiver decodes them quickly.
    pub fn restart(&mut self, group: &[Arc<Frame>]) -> Vec<(Arc<Frame>, i64)> {
        let (Some(first), Some(newest)) = (group.first(), group.last()) else { return Vec::new() };
        if first.kind != FrameKind::Key {
            return Vec::new();
        }
        let before = group.iter().rev().nth(1);
        let interval = before.map_or(DEFAULT_FRAME_INTERVAL_MICROS, |before| newest.at - before.at);
        let step = interval.clamp(FRAME_INTERVAL_RANGE_MICROS.0, FRAME_INTERVAL_RANGE_MICROS.1)
            / (group.len() as i64 + 1);
        let mut time = newest.at;
        let least = self.last.map_or(i64::MIN, |(_, last)| last + CLOCK_TICK_MICROS);
        let mut frames = Vec::with_capacity(group.len());
        for frame in group {
            time = (time + step.max(CLOCK_TICK_MICROS)).max(least);
            frames.push((Arc::clone(frame), time));
        }
        self.is_running = true;
        self.last = Some((newest.index + 1, time));
        frames
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn frame(index: u64, key: bool) -> Arc<Frame> {
        let kind = if key { FrameKind::Key } else { FrameKind::Inter };
        let (at, now) = (index as i64 * 40_000, Instant::now());
        let payloads = Vec::new();
        Arc::new(Frame {
            production: 1,
            is_av1: false,
            kind,
            index,
            at,
            wallclock: now,
            arrived: now,
            payloads,
        })
    }

    #[test]
    fn nothing_goes_before_a_keyframe_and_a_gap_needs_another_one() {
        let mut cursor = Cursor::default();
        let mut sent = |index, key| cursor.next(&frame(index, key)).is_some();
        assert!(!sent(0, false) && sent(1, true) && sent(2, false));
        assert!(!sent(4, false) && !sent(5, false), "the third is missing");
        assert!(sent(6, true) && sent(7, false));
        assert!(!sent(7, false) && !sent(3, true), "known already");
    }

    #[test]
    fn another_production_goes_on_at_its_keyframe_and_times_only_rise() {
        let mut cursor = Cursor::default();
        let first: Vec<_> = (50..53).map(|index| cursor.next(&frame(index, index == 50))).collect();
        assert!(first.iter().all(Option::is_some));
        // The other production has lower numbers, and is one frame behind.
        let other = |index: u64, key| {
            let mut frame = Arc::into_inner(frame(index, key)).unwrap();
            frame.at += 45 * 40_000;
            frame
        };
        cursor.change_to(&other(6, true));
        let times: Vec<_> = (6..10).map(|at| cursor.next(&other(at, at == 6)).unwrap()).collect();
        assert_eq!(times[0], 52 * 40_000 + CLOCK_TICK_MICROS);
        assert!(times.windows(2).all(|two| two[0] < two[1]), "{times:?}");
        assert_eq!(times[3], 54 * 40_000, "the stream's own time");
    }

    #[test]
    fn cached_frames_are_hurried_through_and_times_only_rise() {
        let group: Vec<_> = (10..60).map(|index| frame(index, index == 10)).collect();
        let mut cursor = Cursor::default();
        let mut times: Vec<i64> = cursor.restart(&group).iter().map(|(_, time)| *time).collect();
        assert_eq!(times.len(), 50);
        assert!(times[0] > 59 * 40_000 && times[49] < 60 * 40_000, "{times:?}");
        // The cached frames again, as after a loss, before and after the next frame.
        times.extend(cursor.restart(&group).iter().map(|(_, time)| *time));
        times.extend(cursor.next(&frame(60, false)));
        times.extend(cursor.next(&frame(61, false)));
        assert_eq!(times.len(), 102);
        assert!(times.windows(2).all(|two| two[0] + 11 < two[1]), "{times:?}");
        assert_eq!(times[101], 61 * 40_000, "the stream's own time");
        assert!(cursor.restart(&[]).is_empty() && cursor.restart(&group[1..]).is_empty());
    }
}
