//! The times of a publisher's frames. RTP has a clock with an arbitrary start for each track. At first, the arrival of a
//! track's first frame says where its clock starts. The sender reports say the same exactly, but come later: then the
//! video moves in small steps to where it belongs beside the audio, so that the lips match the voice.

/// Maximum correction for one frame, in µs.
const MAX_STEP_MICROS: i64 = 2_000;
/// A larger correction, in µs, is not credible: both tracks are captured at the same time.
const MAX_CORRECTION_MICROS: i64 = 3_000_000;
/// A correction larger than this, in µs, is made at once, because it would take too long in steps.
const LARGE_CORRECTION_MICROS: i64 = 400_000;
/// Maximum difference in µs between a frame's time and its arrival. Beyond it, the publisher's clock has jumped.
const MAX_DRIFT_MICROS: i64 = 10_000_000;
/// Minimum interval between two frames of a track, in µs: FLV has whole milliseconds.
const MIN_INTERVAL_MICROS: i64 = 1_000;

/// The kind of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Video,
    Audio,
}

/// The times of a frame, in µs.
#[derive(Copy, Clone, Debug)]
pub(super) struct FrameTimes {
    /// By the clock of the track.
    pub rtp: i64,
    /// The arrival since the publisher connected.
    pub arrival: i64,
    /// The clock of the sender minus the clock of the track, by the last sender report.
    pub sender: Option<i64>,
}

/// The clocks of both tracks.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    video: TrackClock,
    audio: TrackClock,
}

/// The clock of a track.
#[derive(Debug, Default)]
struct TrackClock {
    /// The time of the stream minus the clock of the track.
    offset: Option<i64>,
    sender: Option<i64>,
    /// The last time of a frame in the stream.
    last: Option<i64>,
}

impl Timeline {
    /// Returns the time of a frame in the stream, in µs since the publisher connected.
    pub fn time(&mut self, kind: Kind, times: FrameTimes) -> i64 {
        let beside = match kind {
            Kind::Video => self.video_offset(times.sender),
            Kind::Audio => None,
        };
        let clock = match kind {
            Kind::Video => &mut self.video,
            Kind::Audio => &mut self.audio,
        };
        clock.sender = times.sender.or(clock.sender);
        let arrival_offset = times.arrival.saturating_sub(times.rtp);
        let mut offset = clock.offset.unwrap_or(arrival_offset);
        if offset.saturating_sub(arrival_offset).saturating_abs() > MAX_DRIFT_MICROS {
            offset = arrival_offset;
        } else if let Some(beside) = beside {
            let correction = beside.saturating_sub(offset);
            offset += match correction.saturating_abs() {
                0..=LARGE_CORRECTION_MICROS => correction.clamp(-MAX_STEP_MICROS, MAX_STEP_MICROS),
                ..=MAX_CORRECTION_MICROS => correction,
                _ => 0,
            };
        }
        clock.offset = Some(offset);
        let earliest = clock.last.map_or(0, |last| last + MIN_INTERVAL_MICROS);
        let time = times.rtp.saturating_add(offset).max(earliest);
        clock.last = Some(time);
        time
    }

    /// Prepares for video from another source, whose clock has another start.
    pub fn change_video(&mut self) {
        self.video = TrackClock { last: self.video.last, ..TrackClock::default() };
    }

    /// Returns the offset of the video that matches the audio, if the sender reports of both tracks are known.
    fn video_offset(&self, sender: Option<i64>) -> Option<i64> {
        let video = sender.or(self.video.sender)?;
        let difference = video.saturating_sub(self.audio.sender?);
        Some(self.audio.offset?.saturating_add(difference))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(rtp: i64, arrival: i64, sender: Option<i64>) -> FrameTimes {
        FrameTimes { rtp, arrival, sender }
    }

    #[test]
    fn tracks_begin_at_their_arrival() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.time(Kind::Audio, times(7_000_000, 10_000, None)), 10_000);
        assert_eq!(timeline.time(Kind::Video, times(500, 40_000, None)), 40_000);
        // Late packets keep their times.
        assert_eq!(timeline.time(Kind::Audio, times(7_020_000, 99_000, None)), 30_000);
        assert_eq!(timeline.time(Kind::Video, times(33_833, 41_000, None)), 73_333);
    }

    #[test]
    fn sender_reports_put_the_video_beside_the_audio() {
        let mut timeline = Timeline::default();
        // Both tracks were captured at the same time, but the video took 60 ms longer.
        let (audio, video) = (Some(5_000_000), Some(9_000_000));
        timeline.time(Kind::Audio, times(4_000_000, 0, audio));
        timeline.time(Kind::Video, times(0, 60_000, None));
        let mut last = 60_000;
        for frame in 1..60 {
            let rtp = frame * 33_333;
            let time = timeline.time(Kind::Video, times(rtp, rtp + 60_000, video));
            assert!(time > last && time - last >= 33_333 - MAX_STEP_MICROS, "{frame}: {time}");
            last = time;
        }
        assert_eq!(last, 59 * 33_333, "captured as long after the start as the audio");
    }

    #[test]
    fn reports_that_lie_and_jumps_of_the_clock_are_bounded() {
        let mut timeline = Timeline::default();
        timeline.time(Kind::Audio, times(0, 0, Some(0)));
        timeline.time(Kind::Video, times(0, 0, None));
        let lie = timeline.time(Kind::Video, times(33_333, 33_333, Some(i64::MAX)));
        assert_eq!(lie, 33_333);
        let jump = timeline.time(Kind::Video, times(i64::MAX / 2, 66_666, Some(0)));
        assert_eq!(jump, 66_666);
        let back = timeline.time(Kind::Video, times(0, 99_999, Some(0)));
        assert!((99_000..200_000).contains(&back), "{back}");
        let again = timeline.time(Kind::Video, times(0, 99_999, Some(0)));
        assert!(again > back, "times never go back");
    }
}
